//! Releases: the list, and one of them. In: a scope. Out: pages that say what a release brought, and when it was where.

mod health;
pub mod one;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::error::PageError;
use super::format::{Count, When};
use super::page::{OrgContext, Page};
use super::session::Viewer;
use super::site::Site;
use crate::model::release_health::{Sessions, percent};
use crate::store::release_details::{self, Filter, Release};
use crate::store::{now_ms, release_health};

const PAGE: usize = 50;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// What the address asks for.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    query: String,
    #[serde(default)]
    project: String,
    #[serde(default)]
    from: usize,
}

/// A release in the list.
struct Row {
    version: String,
    href: String,
    projects: Vec<String>,
    created: When,
    is_released: bool,
    new_issues: Count,
    commits: Count,
    last_event: Option<When>,
    /// Of the sessions of the last days, those that did not crash.
    crash_free: Option<String>,
    deploy: Option<(String, When)>,
}

#[derive(Template)]
#[template(path = "releases/list.html")]
struct ListPage {
    page: Page,
    org: String,
    query: String,
    project: String,
    projects: Vec<String>,
    rows: Vec<Row>,
    /// Links to the pages before and after.
    newer: Option<String>,
    older: Option<String>,
}

/// The address of a release's page.
pub fn href(organization: &str, version: &str) -> String {
    let version =
        percent_encoding::utf8_percent_encode(version, percent_encoding::NON_ALPHANUMERIC);
    format!("/{organization}/releases/{version}/")
}

/// `GET /{org}/releases/`
pub async fn list(
    site: web::Data<Site>,
    request: HttpRequest,
    viewer: Viewer,
    path: web::Path<String>,
    asked: web::Query<Asked>,
) -> Result<HttpResponse, PageError> {
    let organization = path.into_inner();
    let user_id = viewer.user().id;
    let now = now_ms();
    let Asked {
        query,
        project,
        from,
    } = asked.into_inner();
    let (wanted, only) = (query.trim().to_owned(), project.clone());
    let (context, shown, health, has_more, projects) = site
        .store
        .read(move |conn| {
            let context = OrgContext::load(conn, user_id, &organization, now)?;
            let filter = Filter {
                project: match only.as_str() {
                    "" => None,
                    slug => Some(context.scope.project(conn, slug)?),
                },
                version: None,
                contains: Some(wanted).filter(|part| !part.is_empty()),
            };
            let mut found = release_details::list(conn, &context.scope, &filter)?;
            found.retain(|release| !release.is_archived());
            let has_more = from.saturating_add(PAGE) < found.len();
            let mut shown: Vec<Release> = found.into_iter().skip(from).take(PAGE).collect();
            release_details::add_counts(conn, &context.scope, &filter, &mut shown)?;
            let versions: Vec<&str> = shown.iter().map(|one| one.version.as_str()).collect();
            let since = now - health::DAYS * DAY_MS;
            let health = release_health::by_version(conn, &context.scope, &versions, since)?;
            let projects = context.scope.projects(conn)?;
            Ok((context, shown, health, has_more, projects))
        })
        .await?;
    let org = context.slug().to_owned();
    let place = |from: usize| {
        let fields = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("query", query.trim())
            .append_pair("project", &project)
            .append_pair("from", &from.to_string())
            .finish();
        format!("/{org}/releases/?{fields}")
    };
    let rows = shown
        .iter()
        .map(|release| row(&org, release, health.get(&release.version), now))
        .collect();
    let page = Page::new("Releases", &viewer, &request).within(&context, "releases", None);
    let template = ListPage {
        page: page.clone(),
        newer: (from > 0).then(|| place(from.saturating_sub(PAGE))),
        older: has_more.then(|| place(from + PAGE)),
        projects: projects.into_iter().map(|project| project.slug).collect(),
        query: query.trim().to_owned(),
        project,
        rows,
        org,
    };
    page.answer(&template)
}

fn row(org: &str, release: &Release, health: Option<&Sessions>, now: i64) -> Row {
    Row {
        version: release.version.clone(),
        href: href(org, &release.version),
        projects: slugs(release),
        created: When::ago(release.created_at(), now),
        is_released: release
            .details
            .as_ref()
            .is_some_and(|details| details.date_released.is_some()),
        new_issues: Count::new(release.new_issues),
        commits: Count::new(release.commits),
        last_event: release.last_seen.map(|time| When::ago(time, now)),
        crash_free: health.and_then(Sessions::crash_free).map(percent),
        deploy: release.last_deploy.as_ref().map(|deploy| {
            let time = When::ago(deploy.date_finished, now);
            (deploy.environment.clone(), time)
        }),
    }
}

fn slugs(release: &Release) -> Vec<String> {
    let projects = release.projects.iter();
    projects.map(|project| project.slug.clone()).collect()
}
