//! One project. In: its name. Out: its facts, its limits and its keys, with the DSN of each.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::keys::KeyRow;
use super::limits::LimitFields;
use crate::protocol::dsn::Dsn;
use crate::store::accounts::Project;
use crate::store::scope::Role;
use crate::store::{lifecycle_steps, limits, mirrors, now_ms, project_keys};
use crate::web::error::PageError;
use crate::web::format::When;
use crate::web::page::{OrgContext, Page};
use crate::web::session::Viewer;
use crate::web::site::Site;

/// Where copies go; the key in the DSN is for admins.
struct MirrorFact {
    host: String,
    percent: i32,
    is_active: bool,
}

#[derive(Template)]
#[template(path = "projects/settings.html")]
struct ProjectPage {
    page: Page,
    org: String,
    project: Project,
    keys: Vec<KeyRow>,
    mirror: Option<MirrorFact>,
    created: When,
    first_event: Option<When>,
    limits: LimitFields,
    resolve_age: Option<i64>,
    can_change: bool,
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
    let (context, project, keys, limits, mirror, resolve_age) = site
        .store
        .read(move |conn| {
            let context = OrgContext::load(conn, user_id, &organization, now)?;
            let project = context.scope.project(conn, &name)?;
            let keys = project_keys::list(conn, project.id)?;
            let limits = limits::of_projects(conn, &context.scope)?;
            let limits = limits.get(&project.id).copied().unwrap_or_default();
            let mirror = mirrors::of_project(conn, &project)?;
            let resolve_age = lifecycle_steps::resolve_age(conn, project.id)?;
            Ok((context, project, keys, limits, mirror, resolve_age))
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
            .map(|key| KeyRow::new(key, &site.base_url, now))
            .collect(),
        limits: LimitFields::of(limits),
        resolve_age,
        can_change: context.scope.role() >= Role::Admin,
        mirror: mirror.and_then(|mirror| {
            let dsn: Dsn = mirror.dsn.parse().ok()?;
            Some(MirrorFact {
                host: dsn.base_url,
                percent: mirror.percent,
                is_active: mirror.is_active,
            })
        }),
        created: When::ago(project.created_at, now),
        first_event: project.first_event_at.map(|at| When::ago(at, now)),
        project,
    };
    page.answer(&template)
}
