//! Debug files of a project. In: its name. Out: a list of what builds uploaded to read native stacks; who may, deletes one.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use crate::model::size;
use crate::store::accounts::Project;
use crate::store::debug_files::{self, DebugFile, Filter};
use crate::store::scope::{self, Role};
use crate::store::uploads::state;
use crate::store::{StoreError, now_ms};
use crate::tasks::kinds::delete_debug_file;
use crate::web::error::PageError;
use crate::web::form::SessionForm;
use crate::web::format::When;
use crate::web::page::{OrgContext, Page, see_done};
use crate::web::session::Viewer;
use crate::web::site::Site;

/// Older files count as well; they are not listed.
const LISTED: usize = 200;

/// A file as the page shows it.
struct Row {
    id: i64,
    name: String,
    debug_id: String,
    what: String,
    size: String,
    created: When,
    badge: &'static str,
    state: &'static str,
    problem: Option<String>,
}

#[derive(Template)]
#[template(path = "projects/debug_files.html")]
struct DebugFilesPage {
    page: Page,
    org: String,
    project: Project,
    base_url: String,
    rows: Vec<Row>,
    is_cut: bool,
    can_change: bool,
}

/// `GET /{org}/projects/{project}/debug-files`
pub async fn show(
    site: web::Data<Site>,
    request: HttpRequest,
    viewer: Viewer,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, PageError> {
    let (organization, name) = path.into_inner();
    let user_id = viewer.user().id;
    let now = now_ms();
    let (context, project, files) = site
        .store
        .read(move |conn| {
            let context = OrgContext::load(conn, user_id, &organization, now)?;
            let project = context.scope.project(conn, &name)?;
            let files = debug_files::list(conn, &project, &Filter::default())?;
            Ok((context, project, files))
        })
        .await?;
    let title = format!("Debug files of {}", project.name);
    let page =
        Page::new(title, &viewer, &request).within(&context, "projects", Some(&project.slug));
    let template = DebugFilesPage {
        page: page.clone(),
        org: context.slug().to_owned(),
        project,
        base_url: site.base_url.clone(),
        is_cut: files.len() > LISTED,
        rows: files
            .into_iter()
            .take(LISTED)
            .map(|file| row(file, now))
            .collect(),
        can_change: context.scope.role() >= Role::Admin,
    };
    page.answer(&template)
}

fn row(file: DebugFile, now: i64) -> Row {
    let (badge, state) = match file.state.as_str() {
        state::OK if file.problem.is_some() => ("badge-regressed", "in part"),
        state::OK => ("badge-ok", "stored"),
        state::ERROR => ("badge-regressed", "failed"),
        _ => ("badge-outline", "in work"),
    };
    let mut what = vec![
        file.kind.as_str(),
        file.cpu.as_str(),
        file.features.as_str(),
    ];
    what.retain(|word| !word.is_empty());
    Row {
        id: file.id,
        what: what.join(" · "),
        size: if file.size > 0 {
            size::bytes(file.size)
        } else {
            String::new()
        },
        name: file
            .name
            .rsplit(['/', '\\'])
            .next()
            .unwrap_or_default()
            .to_owned(),
        debug_id: file.debug_id.unwrap_or_default(),
        created: When::ago(file.created_at, now),
        badge,
        state,
        problem: file.detail.or(file.problem),
    }
}

/// `POST /{org}/projects/{project}/debug-files/{file}/delete`
pub async fn delete(
    site: web::Data<Site>,
    form: SessionForm,
    path: web::Path<(String, String, i64)>,
) -> Result<HttpResponse, PageError> {
    let (organization, name, id) = path.into_inner();
    let user_id = form.viewer.user().id;
    let back = format!("/{organization}/projects/{name}/debug-files");
    site.store
        .write(move |conn| {
            let scope = scope::authorize(conn, user_id, &organization)?;
            if scope.role() < Role::Admin {
                return Err(StoreError::NotFound);
            }
            let project = scope.project(conn, &name)?;
            delete_debug_file::delete(conn, &project, id)
        })
        .await?;
    see_done(&site, &back, "bundle-deleted")
}
