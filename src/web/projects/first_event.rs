//! Waiting for the first event. In: a project. Out: what to paste into the application, and a link to the issue as
//! soon as there is one.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde_json::json;

use super::snippets::{PLATFORMS, Platform, platform};
use crate::protocol::dsn::Dsn;
use crate::store::accounts::Project;
use crate::store::issue_detail::{self, Issue};
use crate::store::{Conn, StoreError, now_ms, project_keys, scope};
use crate::web::error::PageError;
use crate::web::page::{OrgContext, Page};
use crate::web::session::Viewer;
use crate::web::site::Site;

#[derive(Template)]
#[template(path = "projects/start.html")]
struct StartPage {
    page: Page,
    org: String,
    project: Project,
    dsn: String,
    install: String,
    code: String,
    platforms: &'static [Platform],
    chosen: &'static Platform,
    first: Option<(String, String)>,
}

/// The DSN of a project's first active key.
pub fn dsn(conn: &mut Conn, base_url: &str, project: &Project) -> Result<String, StoreError> {
    let keys = project_keys::list(conn, project.id)?;
    let key = keys
        .iter()
        .find(|key| key.is_active && key.expires_at.is_none())
        .or_else(|| keys.iter().find(|key| key.is_active))
        .ok_or(StoreError::NotFound)?;
    Ok(Dsn {
        base_url: base_url.to_owned(),
        public_key: key.public_key.clone(),
        project_id: project.id,
    }
    .to_string())
}

fn link(organization: &str, issue: &Issue) -> (String, String) {
    (
        format!("/{organization}/issues/{}/", issue.id),
        issue.title.clone(),
    )
}

/// `GET /{org}/projects/{project}/start`
pub async fn show(
    site: web::Data<Site>,
    request: HttpRequest,
    viewer: Viewer,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, PageError> {
    let (organization, name) = path.into_inner();
    let (user_id, base_url) = (viewer.user().id, site.base_url.clone());
    let (context, project, dsn, first) = site
        .store
        .read(move |conn| {
            let context = OrgContext::load(conn, user_id, &organization, now_ms())?;
            let project = context.scope.project(conn, &name)?;
            let dsn = dsn(conn, &base_url, &project)?;
            let first = issue_detail::first_of_project(conn, &context.scope, &project)?;
            Ok((context, project, dsn, first))
        })
        .await?;
    let wanted = url::form_urlencoded::parse(request.query_string().as_bytes())
        .find(|(key, _)| key == "platform")
        .map(|(_, value)| value.into_owned());
    let chosen = platform(wanted.as_deref().unwrap_or(&project.platform));
    let page = Page::new(format!("Connect {}", project.name), &viewer, &request).within(
        &context,
        "projects",
        Some(&project.slug),
    );
    let template = StartPage {
        page: page.clone(),
        first: first.as_ref().map(|issue| link(context.slug(), issue)),
        org: context.slug().to_owned(),
        install: chosen.install.replace("{dsn}", &dsn),
        code: chosen.code(&dsn),
        platforms: PLATFORMS,
        chosen,
        project,
        dsn,
    };
    page.answer(&template)
}

/// `GET /{org}/projects/{project}/first-event`: what the page's script asks until there is something to link to.
pub async fn poll(
    site: web::Data<Site>,
    viewer: Viewer,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, PageError> {
    let (organization, name) = path.into_inner();
    let user_id = viewer.user().id;
    let first = site
        .store
        .read(move |conn| {
            let scope = scope::authorize(conn, user_id, &organization)?;
            let project = scope.project(conn, &name)?;
            let issue = issue_detail::first_of_project(conn, &scope, &project)?;
            Ok(issue.map(|issue| link(&scope.organization().slug, &issue)))
        })
        .await?;
    Ok(HttpResponse::Ok().json(match first {
        Some((url, title)) => json!({"url": url, "title": title}),
        None => json!({"url": null}),
    }))
}
