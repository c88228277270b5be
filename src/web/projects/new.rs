//! A new project. In: a name and a platform. Out: a project with its key, and the page that shows how to use it.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::snippets::{PLATFORMS, Platform};
use crate::model::names;
use crate::store::scope::Role;
use crate::store::{StoreError, accounts, keys, nodes, now_ms, scope};
use crate::web::error::PageError;
use crate::web::form::SessionForm;
use crate::web::page::{OrgContext, Page, see_other};
use crate::web::session::Viewer;
use crate::web::setup::sentence;
use crate::web::site::Site;

#[derive(Template)]
#[template(path = "projects/new.html")]
struct NewProjectPage {
    page: Page,
    org: String,
    is_first: bool,
    platforms: &'static [Platform],
    name: String,
    chosen: String,
    mistake: Option<String>,
}

const NODE_LOOKS: u32 = 60;
const NODE_PAUSE: Duration = Duration::from_millis(50);

const NOT_ALLOWED: PageError = PageError::Forbidden(
    "Members cannot create projects. Ask an admin, manager or owner of the organization.",
);

/// `GET /{org}/projects/new`
pub async fn show(
    site: web::Data<Site>,
    request: HttpRequest,
    viewer: Viewer,
    path: web::Path<String>,
) -> Result<HttpResponse, PageError> {
    draw(
        &site,
        &request,
        &viewer,
        path.into_inner(),
        String::new(),
        "python".to_owned(),
        None,
    )
    .await
}

async fn draw(
    site: &Site,
    request: &HttpRequest,
    viewer: &Viewer,
    organization: String,
    name: String,
    chosen: String,
    mistake: Option<String>,
) -> Result<HttpResponse, PageError> {
    let user_id = viewer.user().id;
    let context = site
        .store
        .read(move |conn| OrgContext::load(conn, user_id, &organization, now_ms()))
        .await?;
    if context.scope.role() < Role::Admin {
        return Err(NOT_ALLOWED);
    }
    let page = Page::new("New project", viewer, request).within(&context, "projects", None);
    let template = NewProjectPage {
        page: page.clone(),
        org: context.slug().to_owned(),
        is_first: context.projects.is_empty(),
        platforms: PLATFORMS,
        name,
        chosen,
        mistake,
    };
    page.answer(&template)
}

/// `POST /{org}/projects/new`
pub async fn submit(
    site: web::Data<Site>,
    request: HttpRequest,
    form: SessionForm,
    path: web::Path<String>,
) -> Result<HttpResponse, PageError> {
    let organization = path.into_inner();
    let (name, platform) = (
        form.fields.get("name").to_owned(),
        form.fields.get("platform").to_owned(),
    );
    let user_id = form.viewer.user().id;
    let created = {
        let (organization, name, platform) = (organization.clone(), name.clone(), platform.clone());
        site.store
            .write(move |conn| {
                let scope = scope::authorize(conn, user_id, &organization)?;
                if scope.role() < Role::Admin {
                    return Ok(None);
                }
                let shown = names::display(&name)
                    .map_err(|_| StoreError::Invalid("the project needs a name".to_owned()))?;
                let slug = free_slug(&shown, &scope.projects(conn)?);
                let (project, _) = accounts::create_project(
                    conn,
                    scope.organization_id(),
                    &slug,
                    &shown,
                    &platform,
                )?;
                let version = keys::version(conn)?;
                Ok(Some((
                    scope.organization().slug.clone(),
                    project.slug,
                    version,
                )))
            })
            .await
    };
    match created {
        Ok(Some((organization, project, version))) => {
            nodes_know(&site, version).await?;
            Ok(see_other(&format!(
                "/{organization}/projects/{project}/start"
            )))
        }
        Ok(None) => Err(NOT_ALLOWED),
        Err(StoreError::Invalid(mistake) | StoreError::Conflict(mistake)) => {
            draw(
                &site,
                &request,
                &form.viewer,
                organization,
                name,
                platform,
                Some(sentence(&mistake)),
            )
            .await
        }
        Err(other) => Err(other.into()),
    }
}

/// The next page shows the DSN, so whoever copies it must find it working. A node that cannot reach the database does
/// not hold the page up for long: it learns the key when it does.
pub(super) async fn nodes_know(site: &Site, version: i64) -> Result<(), StoreError> {
    for _ in 0..NODE_LOOKS {
        let behind = site
            .store
            .read(move |conn| nodes::behind(conn, version))
            .await?;
        if behind == 0 {
            break;
        }
        tokio::time::sleep(NODE_PAUSE).await;
    }
    Ok(())
}

/// A slug from the name that no project of the organization has yet.
fn free_slug(name: &str, projects: &[accounts::Project]) -> String {
    let slug = names::slug_from(name);
    let wanted = names::slug(&slug)
        .or_else(|_| names::slug(&format!("project-{slug}")))
        .unwrap_or_else(|_| "project".to_owned());
    let is_taken = |slug: &str| projects.iter().any(|project| project.slug == slug);
    if !is_taken(&wanted) {
        return wanted;
    }
    let short: String = wanted.chars().take(44).collect();
    // One more number than there are projects is enough to find a free one.
    (2..=projects.len() + 2)
        .map(|number| format!("{short}-{number}"))
        .find(|slug| !is_taken(slug))
        .unwrap_or(wanted)
}
