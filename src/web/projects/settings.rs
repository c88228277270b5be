//! One project. In: its name. Out: its facts and its keys, with the DSN of each.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use crate::protocol::dsn::Dsn;
use crate::store::accounts::{self, Project};
use crate::store::now_ms;
use crate::web::error::PageError;
use crate::web::format::When;
use crate::web::page::{OrgContext, Page};
use crate::web::session::Viewer;
use crate::web::site::Site;

struct KeyRow {
    id: i64,
    label: String,
    dsn: String,
    is_active: bool,
    created: When,
}

#[derive(Template)]
#[template(path = "projects/settings.html")]
struct ProjectPage {
    page: Page,
    org: String,
    project: Project,
    keys: Vec<KeyRow>,
    created: When,
    first_event: Option<When>,
}

/// `GET /{org}/projects/{project}/`
pub async fn show(
    site: web::Data<Site>,
    request: HttpRequest,
    viewer: Viewer,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, PageError> {
    let (organization, name) = path.into_inner();
    let user_id = viewer.user().id;
    let now = now_ms();
    let (context, project, keys) = site
        .store
        .read(move |conn| {
            let context = OrgContext::load(conn, user_id, &organization, now)?;
            let project = context.scope.project(conn, &name)?;
            let keys = accounts::project_keys(conn, project.id)?;
            Ok((context, project, keys))
        })
        .await?;
    let page = Page::new(project.name.clone(), &viewer, &request).within(
        &context,
        "projects",
        Some(&project.slug),
    );
    let template = ProjectPage {
        page: page.clone(),
        org: context.slug().to_owned(),
        keys: keys
            .into_iter()
            .map(|key| KeyRow {
                id: key.id,
                label: key.label,
                dsn: Dsn {
                    base_url: site.base_url.clone(),
                    public_key: key.public_key,
                    project_id: project.id,
                }
                .to_string(),
                is_active: key.is_active,
                created: When::ago(key.created_at, now),
            })
            .collect(),
        created: When::ago(project.created_at, now),
        first_event: project.first_event_at.map(|at| When::ago(at, now)),
        project,
    };
    page.answer(&template)
}
