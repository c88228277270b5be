//! Merging issues and splitting them again. In: issues chosen in the list, or fingerprints on the page of an issue's
//! fingerprints. Out: one issue of several, or a new one of some of its events.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::actions::back;
use super::detail::moved_to;
use crate::model::names;
use crate::store::accounts::Project;
use crate::store::issue_detail::{self, Issue};
use crate::store::merging::{self, hashes};
use crate::store::{now_ms, scope};
use crate::tasks::kinds::merge as task;
use crate::web::blocking;
use crate::web::error::PageError;
use crate::web::form::SessionForm;
use crate::web::format::{Count, When, thousands};
use crate::web::page::{OrgContext, Page, see_done};
use crate::web::session::Viewer;
use crate::web::site::Site;

/// `POST /{org}/issues/merge`
pub async fn merge(
    site: web::Data<Site>,
    form: SessionForm,
    path: web::Path<String>,
) -> Result<HttpResponse, PageError> {
    let (organization, user_id) = (path.into_inner(), form.viewer.user().id);
    let ids = form.fields.numbers("id");
    let merged = site
        .store
        .write(move |conn| {
            let scope = scope::authorize(conn, user_id, &organization)?;
            task::merge(conn, &scope, &ids, None)
        })
        .await?;
    let mut ids = merged.children;
    ids.push(merged.parent);
    back(&site, form.fields.get("back"), "merged", &ids)
}

/// A fingerprint with the events that it placed.
struct Row {
    hash: String,
    short: String,
    along: usize,
    events: Count,
    latest: Option<Latest>,
    seen: Option<When>,
}

struct Latest {
    title: String,
    href: String,
}

#[derive(Template)]
#[template(path = "issues/hashes.html")]
struct HashesPage {
    page: Page,
    org: String,
    project: Project,
    base: String,
    short_id: String,
    title: String,
    rows: Vec<Row>,
    can_split: bool,
    moving: bool,
    /// Set where not all events were counted.
    counted: Option<String>,
}

/// `GET /{org}/issues/{issue}/hashes/`
pub async fn show(
    site: web::Data<Site>,
    request: HttpRequest,
    viewer: Viewer,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, PageError> {
    let (organization, name) = path.into_inner();
    let user_id = viewer.user().id;
    let now = now_ms();
    let asked = name.clone();
    let (context, issue, project, found, moving) = site
        .store
        .read(move |conn| {
            let context = OrgContext::load(conn, user_id, &organization, now)?;
            let (issue, project) = issue_detail::find(conn, &context.scope, &asked)?;
            let found = hashes::list(conn, &context.scope, issue.id)?;
            let moving = merging::is_moving(conn, issue.id)?;
            Ok((context, issue, project, found, moving))
        })
        .await?;
    let base = format!("/{}/issues/{}", context.slug(), issue.id);
    if !issue.is_called(&name) {
        return Ok(moved_to(&format!("{base}/hashes/")));
    }
    let counted: i64 = found.iter().map(|row| row.events).sum();
    let place = base.clone();
    let rows = blocking::run(move || rows(&found, &place, now)).await?;
    let short_id = names::short_id(&project.short_prefix, issue.short_number);
    let page = Page::new(format!("Fingerprints of {short_id}"), &viewer, &request).within(
        &context,
        "issues",
        Some(&project.slug),
    );
    let template = HashesPage {
        page: page.clone(),
        org: context.slug().to_owned(),
        project,
        base,
        short_id,
        can_split: rows.len() > 1 && !moving,
        moving,
        counted: not_all(&issue, counted),
        title: issue.title,
        rows,
    };
    page.answer(&template)
}

fn not_all(issue: &Issue, counted: i64) -> Option<String> {
    (counted < issue.times_seen).then(|| {
        format!(
            "Of {} events {} were looked at: those that are kept, the newest {} at most.",
            thousands(issue.times_seen),
            thousands(counted),
            thousands(hashes::MOST_COUNTED)
        )
    })
}

fn rows(found: &[hashes::HashRow], base: &str, now: i64) -> Vec<Row> {
    found
        .iter()
        .map(|row| {
            let hash = hex::encode(&row.hash);
            let latest = row.latest.as_ref().map(|event| {
                let read = event.read().ok();
                let title = read.as_ref().and_then(|(event, _)| event["title"].as_str());
                Latest {
                    title: title.unwrap_or("an event that cannot be read").to_owned(),
                    href: format!("{base}/events/{}/", event.id_text()),
                }
            });
            Row {
                short: hash.chars().take(12).collect(),
                along: row.along.len(),
                events: Count::new(row.events),
                seen: row.last_seen.map(|at| When::ago(at, now)),
                latest,
                hash,
            }
        })
        .collect()
}

/// `POST /{org}/issues/{issue}/hashes/`
pub async fn split(
    site: web::Data<Site>,
    form: SessionForm,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, PageError> {
    let (organization, name) = path.into_inner();
    let user_id = form.viewer.user().id;
    let chosen = form
        .fields
        .all("hash")
        .map(hex::decode)
        .collect::<Result<Vec<Vec<u8>>, _>>()
        .map_err(|_| PageError::BadRequest("this is no fingerprint".to_owned()))?;
    let (slug, split) = site
        .store
        .write(move |conn| {
            let scope = scope::authorize(conn, user_id, &organization)?;
            let split = task::split(conn, &scope, &name, &chosen)?;
            Ok((scope.organization().slug.clone(), split))
        })
        .await?;
    see_done(
        &site,
        &format!("/{slug}/issues/{}/", split.issue_id),
        "split",
    )
}
