//! What builds uploaded for a project, and what was fetched for it. In: its name. Out: a list of bundles and how far they are, and what
//! could not be fetched; who may, deletes a bundle.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::fetching::{self, Fetching};
use super::upload::Typed;
use crate::store::accounts::Project;
use crate::store::scope::{self, Role};
use crate::store::scraped::{self, ScrapedScript};
use crate::store::uploads::{self, ArtifactBundle, state};
use crate::store::{StoreError, now_ms, project_settings};
use crate::tasks::kinds::delete_bundle;
use crate::web::error::PageError;
use crate::web::form::SessionForm;
use crate::web::format::{When, thousands};
use crate::web::page::{OrgContext, Page, see_done};
use crate::web::session::Viewer;
use crate::web::site::Site;

/// Older bundles count as well; they are not listed.
const LISTED: i64 = 100;

/// A bundle as the page shows it.
struct Row {
    id: i64,
    release: Option<String>,
    dist: Option<String>,
    files: String,
    size: String,
    created: When,
    badge: &'static str,
    state: &'static str,
    detail: Option<String>,
    /// The address of the script that it was fetched for.
    fetched: Option<String>,
}

#[derive(Template)]
#[template(path = "projects/source_maps.html")]
struct SourceMapsPage {
    page: Page,
    org: String,
    project: Project,
    base_url: String,
    rows: Vec<Row>,
    is_cut: bool,
    can_change: bool,
    said: Said,
    fetching: Fetching,
}

/// What the form for uploads shows: what was typed into it, and what is wrong with it.
#[derive(Default)]
pub(super) struct Said {
    pub typed: Typed,
    pub mistake: Option<String>,
}

/// `GET /{org}/projects/{project}/source-maps`
pub async fn show(
    site: web::Data<Site>,
    request: HttpRequest,
    viewer: Viewer,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, PageError> {
    let said = Said {
        typed: Typed {
            prefix: "~/".to_owned(),
            ..Typed::default()
        },
        mistake: None,
    };
    draw(&site, &request, &viewer, path.into_inner(), said).await
}

pub(super) async fn draw(
    site: &Site,
    request: &HttpRequest,
    viewer: &Viewer,
    (organization, name): (String, String),
    said: Said,
) -> Result<HttpResponse, PageError> {
    let user_id = viewer.user().id;
    let now = now_ms();
    let (context, project, bundles, settings, scripts) = site
        .store
        .read(move |conn| {
            let context = OrgContext::load(conn, user_id, &organization, now)?;
            let project = context.scope.project(conn, &name)?;
            let bundles = uploads::of_project(conn, &project, LISTED)?;
            let settings = project_settings::of_project(conn, &project)?;
            let scripts = scraped::of_project(conn, &project, now, fetching::LISTED)?;
            Ok((context, project, bundles, settings, scripts))
        })
        .await?;
    let page = Page::new(format!("Source maps of {}", project.name), viewer, request).within(
        &context,
        "projects",
        Some(&project.slug),
    );
    let template = SourceMapsPage {
        page: page.clone(),
        org: context.slug().to_owned(),
        project,
        base_url: site.base_url.clone(),
        is_cut: bundles.len() as i64 == LISTED,
        rows: bundles
            .into_iter()
            .map(|bundle| row(bundle, &scripts, now))
            .collect(),
        fetching: Fetching::new(settings.fetch_source_maps, &scripts, now),
        can_change: context.scope.role() >= Role::Admin,
        said,
    };
    page.answer(&template)
}

fn row(bundle: ArtifactBundle, scripts: &[ScrapedScript], now: i64) -> Row {
    let (badge, state, known) = match bundle.state.as_str() {
        state::OK => ("badge-ok", "stored", true),
        state::ERROR => ("badge-regressed", "failed", false),
        _ => ("badge-outline", "in work", false),
    };
    let fact = |text: String| if known { text } else { "–".to_owned() };
    let fetched = scripts
        .iter()
        .find(|script| script.bundle_id == Some(bundle.id));
    Row {
        fetched: fetched.map(|script| script.url.clone()),
        id: bundle.id,
        release: bundle.version,
        dist: bundle.dist,
        files: fact(thousands(bundle.file_count)),
        size: fact(size(bundle.size)),
        created: When::ago(bundle.created_at, now),
        badge,
        state,
        detail: bundle.detail,
    }
}

fn size(bytes: i64) -> String {
    let kilobytes = bytes as f64 / 1000.0;
    if kilobytes < 1000.0 {
        format!("{kilobytes:.1} kB")
    } else {
        format!("{:.1} MB", kilobytes / 1000.0)
    }
}

/// `POST /{org}/projects/{project}/source-maps/{bundle}/delete`
pub async fn delete(
    site: web::Data<Site>,
    form: SessionForm,
    path: web::Path<(String, String, i64)>,
) -> Result<HttpResponse, PageError> {
    let (organization, name, bundle_id) = path.into_inner();
    let user_id = form.viewer.user().id;
    let back = format!("/{organization}/projects/{name}/source-maps");
    site.store
        .write(move |conn| {
            let scope = scope::authorize(conn, user_id, &organization)?;
            if scope.role() < Role::Admin {
                return Err(StoreError::NotFound);
            }
            let project = scope.project(conn, &name)?;
            delete_bundle::delete(conn, &project, bundle_id)
        })
        .await?;
    see_done(&site, &back, "bundle-deleted")
}
