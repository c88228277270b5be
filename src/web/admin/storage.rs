//! What storage is used for. In: a superuser. Out: bytes and events by project and by issue, and the database's tables.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::Superuser;
use crate::model::size::bytes;
use crate::model::thinning::{Kept, ROW_BYTES};
use crate::store::storage::{self, Storage};
use crate::store::{Backend, now_ms};
use crate::web::error::PageError;
use crate::web::format::{Count, When};
use crate::web::page::Page;
use crate::web::site::Site;

/// Issues that are named.
const TOP: i64 = 20;
/// An `SQLite` file up to this size is read as a whole to measure its tables: a page must not take long.
const MOST_READ: i64 = 64 * 1024 * 1024;

/// A line of a table.
struct Row {
    name: String,
    href: Option<String>,
    title: String,
    size: String,
    kept: Count,
    seen: Count,
    limits: String,
}

/// The section, as a page of its own or within another.
pub struct Section {
    database: String,
    free: Option<String>,
    kept: Count,
    seen: Count,
    size: String,
    row_bytes: i64,
    oldest: Option<When>,
    compression: Option<String>,
    projects: Vec<Row>,
    issues: Vec<Row>,
    tables: Option<Vec<(String, String)>>,
    estimated: bool,
}

impl Section {
    /// Reads it.
    pub async fn load(site: &Site) -> Result<Self, PageError> {
        let storage = site
            .store
            .read(|conn| storage::report(conn, TOP, MOST_READ))
            .await?;
        Ok(Self::new(storage, now_ms()))
    }

    fn new(storage: Storage, now: i64) -> Self {
        let projects = storage.projects.into_iter().map(|project| {
            let keeps = project.keeps;
            let limits = [
                keeps.events_limit.map(|limit| match limit {
                    0 => "no limit in events".to_owned(),
                    limit => format!("at most {limit} events"),
                }),
                keeps.bytes_limit.map(|limit| match limit {
                    0 => "no limit in bytes".to_owned(),
                    limit => format!("at most {}", bytes(limit)),
                }),
            ];
            Row {
                href: Some(format!(
                    "/{}/projects/{}/",
                    project.organization, project.slug
                )),
                title: String::new(),
                limits: limits.into_iter().flatten().collect::<Vec<_>>().join(", "),
                ..row(
                    format!("{}/{}", project.organization, project.slug),
                    keeps.kept,
                    keeps.seen,
                )
            }
        });
        let issues = storage.issues.into_iter().map(|issue| Row {
            href: Some(format!("/{}/issues/{}/", issue.organization, issue.id)),
            title: issue.title,
            ..row(issue.short_id, issue.kept, issue.seen)
        });
        Self {
            database: bytes(storage.database),
            free: storage.free.filter(|free| *free > 0).map(bytes),
            kept: Count::new(storage.kept.events),
            seen: Count::new(storage.seen),
            size: bytes(storage.kept.size()),
            row_bytes: ROW_BYTES,
            oldest: storage.oldest_ms.map(|at| When::ago(at, now)),
            compression: storage.compression.map(|sample| {
                format!(
                    "{} of JSON become {}: {:.1} times less, in the latest {} events",
                    bytes(sample.json / sample.events),
                    bytes(sample.stored / sample.events),
                    sample.json as f64 / sample.stored.max(1) as f64,
                    sample.events
                )
            }),
            projects: projects.collect(),
            issues: issues.collect(),
            tables: storage.tables.map(|tables| {
                tables
                    .into_iter()
                    .map(|table| (table.name, bytes(table.bytes)))
                    .collect()
            }),
            estimated: storage.backend == Backend::Mysql,
        }
    }
}

fn row(name: String, kept: Kept, seen: i64) -> Row {
    Row {
        name,
        href: None,
        title: String::new(),
        size: bytes(kept.size()),
        kept: Count::new(kept.events),
        seen: Count::new(seen),
        limits: String::new(),
    }
}

#[derive(Template)]
#[template(path = "admin/storage.html")]
struct StoragePage {
    page: Page,
    storage: Section,
}

/// `GET /admin/storage/`
pub async fn show(
    site: web::Data<Site>,
    request: HttpRequest,
    Superuser(viewer): Superuser,
) -> Result<HttpResponse, PageError> {
    let page = Page::new("Storage", &viewer, &request).about_the_instance("system");
    let template = StoragePage {
        page: page.clone(),
        storage: Section::load(&site).await?,
    };
    page.answer(&template)
}
