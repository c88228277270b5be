//! The ingest doctor. In: what was refused, by project and key. Out: why, in plain words, and what to do about it; and
//! whether a test event arrived.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::reasons;
use crate::protocol::event_id::EventId;
use crate::store::accounts::{Project, ProjectKey};
use crate::store::project_keys;
use crate::store::refusals::{self, RefusalRow};
use crate::store::{StoreError, events, now_ms, scope};
use crate::web::error::PageError;
use crate::web::format::{When, plural};
use crate::web::page::{OrgContext, Page};
use crate::web::session::Viewer;
use crate::web::site::Site;

/// What is older hardly says anything about today's applications.
const SINCE_MS: i64 = 30 * 86_400_000;
/// A test event is looked for this often before the page says that it is on its way.
const LOOKS: u32 = 30;
const PAUSE: Duration = Duration::from_millis(100);

struct Refusal {
    title: String,
    advice: &'static str,
    times: String,
    last: When,
    detail: String,
    sdk: String,
}

struct KeyPart {
    /// The key's number; none for what came without a key of the project.
    id: Option<i64>,
    label: String,
    /// Enough of the key to find it in a configuration.
    start: String,
    is_active: bool,
    refusals: Vec<Refusal>,
}

struct ProjectPart {
    slug: String,
    name: String,
    keys: Vec<KeyPart>,
}

/// What became of a test event.
pub enum Tested {
    Arrived { issue: i64 },
    Waiting,
    Refused { status: String, body: String },
    Unreachable { problem: String },
}

#[derive(Template)]
#[template(path = "usage/doctor.html")]
struct DoctorPage {
    page: Page,
    org: String,
    projects: Vec<ProjectPart>,
    /// The project looked at; empty for all.
    project: String,
    tested: Option<Tested>,
    /// Whether this node can take a test event itself.
    receives: bool,
}

#[derive(serde::Deserialize)]
pub struct Asked {
    #[serde(default)]
    project: String,
    #[serde(default)]
    event: String,
}

/// `GET /{org}/usage/doctor/`
pub async fn show(
    site: web::Data<Site>,
    request: HttpRequest,
    viewer: Viewer,
    path: web::Path<String>,
    asked: web::Query<Asked>,
) -> Result<HttpResponse, PageError> {
    let Asked { project, event } = asked.into_inner();
    let organization = path.into_inner();
    let tested = match event.parse::<EventId>() {
        Ok(id) => Some(arrival(&site, viewer.user().id, &organization, id).await?),
        Err(_) => None,
    };
    draw(&site, &request, &viewer, organization, project, tested).await
}

pub(super) async fn draw(
    site: &Site,
    request: &HttpRequest,
    viewer: &Viewer,
    organization: String,
    project: String,
    tested: Option<Tested>,
) -> Result<HttpResponse, PageError> {
    let (user_id, now) = (viewer.user().id, now_ms());
    let (context, project, keys, found) = site
        .store
        .read(move |conn| {
            let context = OrgContext::load(conn, user_id, &organization, now)?;
            let project = match project.as_str() {
                "" => None,
                name => Some(context.scope.project(conn, name)?),
            };
            let mut keys = Vec::new();
            for project in &context.projects {
                keys.extend(project_keys::list(conn, project.id)?);
            }
            let found = refusals::since(conn, &context.scope, now - SINCE_MS)?;
            Ok((context, project, keys, found))
        })
        .await?;
    let slug = project.map(|project| project.slug).unwrap_or_default();
    let page = Page::new("Ingest doctor", viewer, request).within(&context, "usage", None);
    let template = DoctorPage {
        page: page.clone(),
        org: context.slug().to_owned(),
        projects: context
            .projects
            .iter()
            .filter(|project| slug.is_empty() || slug == project.slug)
            .map(|project| part(project, &keys, &found, now))
            .collect(),
        project: slug,
        tested,
        receives: site.ingest.is_some(),
    };
    page.answer(&template)
}

fn part(project: &Project, keys: &[ProjectKey], found: &[RefusalRow], now: i64) -> ProjectPart {
    let refusals = |key_id: i64| -> Vec<Refusal> {
        found
            .iter()
            .filter(|row| row.project_id == project.id && row.key_id == key_id)
            .map(|row| refusal(row, now))
            .collect()
    };
    let mut parts: Vec<KeyPart> = keys
        .iter()
        .filter(|key| key.project_id == project.id)
        .map(|key| KeyPart {
            id: Some(key.id),
            label: key.label.clone(),
            start: key.public_key.chars().take(8).collect(),
            is_active: key.is_active && key.expires_at.is_none_or(|at| at > now),
            refusals: refusals(key.id),
        })
        .collect();
    let strangers = refusals(0);
    if !strangers.is_empty() {
        parts.push(KeyPart {
            id: None,
            label: "Without a key of this project".to_owned(),
            start: String::new(),
            is_active: true,
            refusals: strangers,
        });
    }
    ProjectPart {
        slug: project.slug.clone(),
        name: project.name.clone(),
        keys: parts,
    }
}

fn refusal(row: &RefusalRow, now: i64) -> Refusal {
    let (title, advice) = reasons::explain(&row.reason);
    Refusal {
        title: title.to_owned(),
        advice,
        times: plural(row.quantity, "time", "times"),
        last: When::ago(row.last_seen, now),
        detail: row.detail.clone(),
        sdk: row.sdk.clone(),
    }
}

/// Looks for an event of the organization for some seconds.
async fn arrival(
    site: &Site,
    user_id: i64,
    organization: &str,
    id: EventId,
) -> Result<Tested, PageError> {
    for look in 0..LOOKS {
        if look > 0 {
            tokio::time::sleep(PAUSE).await;
        }
        let organization = organization.to_owned();
        let found = site
            .store
            .read(move |conn| {
                let scope = scope::authorize(conn, user_id, &organization)?;
                match events::by_id(conn, &scope, id) {
                    Ok((event, _)) => Ok(Some(event.issue_id)),
                    Err(StoreError::NotFound) => Ok(None),
                    Err(error) => Err(error),
                }
            })
            .await?;
        if let Some(issue) = found {
            return Ok(Tested::Arrived { issue });
        }
    }
    Ok(Tested::Waiting)
}
