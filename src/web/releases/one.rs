//! One release. In: its version. Out: how its sessions went, the issues that are new in it, its commits and its deploys.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::health::{self, HealthView};
use super::{DAY_MS, href, slugs};
use crate::model::names;
use crate::store::release_details::{self, BroughtIssue, DeployMark};
use crate::store::{now_ms, release_health};
use crate::web::error::PageError;
use crate::web::format::{Count, When};
use crate::web::page::{OrgContext, Page};
use crate::web::session::Viewer;
use crate::web::site::Site;

const ISSUES: i64 = 50;
const COMMITS: usize = 50;

struct IssueRow {
    href: String,
    short_id: String,
    title: String,
    events: Count,
    last: When,
}

/// Issues that the release brought, the most frequent ones.
struct Brought {
    count: i64,
    /// The list of all of them.
    href: String,
    issues: Vec<IssueRow>,
}

struct CommitRow {
    id: String,
    short: String,
    message: String,
    author: String,
    time: Option<When>,
}

struct DeployRow {
    environment: String,
    name: String,
    url: Option<String>,
    time: When,
}

#[derive(Template)]
#[template(path = "releases/one.html")]
struct ReleasePage {
    page: Page,
    org: String,
    version: String,
    projects: Vec<String>,
    created: When,
    released: Option<When>,
    first_event: Option<When>,
    last_event: Option<When>,
    url: Option<String>,
    reference: String,
    is_archived: bool,
    health: Option<HealthView>,
    new: Brought,
    regressed: Brought,
    commit_count: i64,
    commits: Vec<CommitRow>,
    deploys: Vec<DeployRow>,
}

/// `GET /{org}/releases/{version}/`
pub async fn show(
    site: web::Data<Site>,
    request: HttpRequest,
    viewer: Viewer,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, PageError> {
    let (organization, version) = path.into_inner();
    let user_id = viewer.user().id;
    let now = now_ms();
    let (context, release, issues, (regressed_count, regressed), commits, deploys, health) = site
        .store
        .read(move |conn| {
            let context = OrgContext::load(conn, user_id, &organization, now)?;
            let scope = &context.scope;
            let release = release_details::find(conn, scope, None, &version)?;
            let issues = release_details::new_issues(conn, scope, &version, ISSUES)?;
            let regressed = release_details::regressed_issues(conn, scope, &version, ISSUES)?;
            let regressed = (
                release_details::count_regressed(conn, scope, &version)?,
                regressed,
            );
            let commits = release_details::commits(conn, scope, &version)?;
            let deploys = release_details::deploys_of(conn, scope, &version)?;
            let since = now - health::DAYS * DAY_MS;
            let health = release_health::of_version(conn, scope, &version, since, now)?;
            Ok((
                context, release, issues, regressed, commits, deploys, health,
            ))
        })
        .await?;
    let org = context.slug().to_owned();
    let details = release.details.as_ref();
    let web_address = |url: &str| url.starts_with("https://") || url.starts_with("http://");
    let linked = |url: Option<&String>| url.filter(|url| web_address(url)).cloned();
    let title = format!("Release {}", release.version);
    let page = Page::new(title, &viewer, &request).within(&context, "releases", None);
    let marks: Vec<DeployMark> = deploys
        .iter()
        .map(|deploy| DeployMark {
            project_id: 0,
            version: release.version.clone(),
            environment: deploy.environment.clone(),
            at: deploy.date_finished,
        })
        .collect();
    let template = ReleasePage {
        page: page.clone(),
        projects: slugs(&release),
        created: When::ago(release.created_at(), now),
        released: details
            .and_then(|details| details.date_released)
            .map(|time| When::ago(time, now)),
        first_event: release.first_seen.map(|time| When::ago(time, now)),
        last_event: release.last_seen.map(|time| When::ago(time, now)),
        url: linked(details.and_then(|details| details.url.as_ref())),
        reference: details
            .and_then(|details| details.reference.clone())
            .unwrap_or_default(),
        is_archived: release.is_archived(),
        health: health.map(|health| HealthView::new(&health, &marks, now)),
        new: brought(
            &org,
            "firstRelease",
            &release.version,
            release.new_issues,
            issues,
            now,
        ),
        regressed: brought(
            &org,
            "regressedRelease",
            &release.version,
            regressed_count,
            regressed,
            now,
        ),
        commit_count: release.commits,
        commits: commits
            .into_iter()
            .take(COMMITS)
            .map(|commit| CommitRow {
                short: commit.commit_id.chars().take(12).collect(),
                id: commit.commit_id,
                message: commit.message.lines().next().unwrap_or_default().to_owned(),
                author: commit
                    .author_name
                    .or(commit.author_email)
                    .unwrap_or_default(),
                time: commit.committed_at.map(|time| When::ago(time, now)),
            })
            .collect(),
        deploys: deploys
            .into_iter()
            .map(|deploy| DeployRow {
                url: linked(deploy.url.as_ref()),
                environment: deploy.environment,
                name: deploy.name.unwrap_or_default(),
                time: When::ago(deploy.date_finished, now),
            })
            .collect(),
        version: release.version,
        org,
    };
    page.answer(&template)
}

/// One of the lists; `term` is how a search asks for all of it.
fn brought(
    org: &str,
    term: &str,
    version: &str,
    count: i64,
    issues: Vec<BroughtIssue>,
    now: i64,
) -> Brought {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("query", &format!("{term}:\"{version}\""))
        .finish();
    Brought {
        count,
        href: format!("/{org}/issues/?{query}"),
        issues: issues
            .into_iter()
            .map(|issue| IssueRow {
                href: format!("/{org}/issues/{}/", issue.id),
                short_id: names::short_id(&issue.short_prefix, issue.short_number),
                title: issue.title,
                events: Count::new(issue.times_seen),
                last: When::ago(issue.last_seen, now),
            })
            .collect(),
    }
}

/// `GET /{org}/releases/{version}`: what people type.
pub async fn with_slash(path: web::Path<(String, String)>) -> HttpResponse {
    let (organization, version) = path.into_inner();
    crate::web::page::see_other(&href(&organization, &version))
}
