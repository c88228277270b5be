//! The issue list. In: a query in the address. Out: the page of rows that match it.

use std::collections::HashMap;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde_json::json;

use super::choices::{Choice, Tab, environment_choices, project_choices, tabs};
use super::links::{ListAddress, SORTS};
use super::row::{self, Row};
use crate::model::issue::Status;
use crate::model::issue_query::{IssueQuery, Term};
use crate::model::names;
use crate::store::issue_counts::{self, Counts};
use crate::store::issue_list::{self, BAR_DAYS, IssuePage, IssueRow, Place};
use crate::store::release_details::{self, DeployMark};
use crate::store::scope::Role;
use crate::store::{StoreError, issue_detail, now_ms, scope};
use crate::web::error::PageError;
use crate::web::format::{plural, short};
use crate::web::page::{OrgContext, Page, see_other};
use crate::web::session::Viewer;
use crate::web::site::Site;

const PAGE_SIZE: i64 = 25;

struct Chip {
    text: String,
    without: String,
}

/// Why there is nothing to show.
enum Empty {
    NoProject {
        can_create: bool,
    },
    NoEvent {
        start: String,
    },
    NoMatch,
    /// Nothing was filtered out: there are no issues in this state.
    NoneInState {
        state: String,
    },
    AllDone,
}

#[derive(Template)]
#[template(path = "issues/list.html")]
struct ListPage {
    page: Page,
    org: String,
    tabs: Vec<Tab>,
    projects: Vec<Choice>,
    project: String,
    environments: Vec<Choice>,
    environment: String,
    chips: Vec<Chip>,
    terms: String,
    text: String,
    sort_word: &'static str,
    sort_name: &'static str,
    sorts: Vec<Choice>,
    rows: Vec<Row>,
    empty: Option<Empty>,
    summary: String,
    newer: Option<String>,
    older: Option<String>,
    fresh: String,
    start: String,
    showing: Option<Status>,
    /// None here: the issues may be of several projects.
    release_names: Vec<String>,
}

struct Found {
    context: OrgContext,
    page: IssuePage,
    bars: HashMap<i64, [i64; BAR_DAYS]>,
    deploys: Vec<DeployMark>,
    environments: Vec<String>,
}

/// `GET /{org}/issues/`
pub async fn show(
    site: web::Data<Site>,
    request: HttpRequest,
    viewer: Viewer,
    path: web::Path<String>,
) -> Result<HttpResponse, PageError> {
    let organization = path.into_inner();
    let address = ListAddress::parse(request.query_string());
    let user_id = viewer.user().id;
    let now = now_ms();
    let (filter, sort, place) = (address.query.filter(), address.sort, address.place);
    let wanted = exact_short_id(&address.query);
    let environment = address.query.value("environment").map(str::to_owned);
    let found = site
        .store
        .read(move |conn| {
            let context = OrgContext::load(conn, user_id, &organization, now)?;
            if let Some(wanted) = wanted
                && let Some((issue, _)) =
                    missing_is_none(issue_detail::find(conn, &context.scope, &wanted))?
            {
                return Ok(Err(format!("/{}/issues/{}/", context.slug(), issue.id)));
            }
            let page =
                issue_list::page(conn, &context.scope, &filter, sort, place, PAGE_SIZE, now)?;
            let bars = issue_list::bars(
                conn,
                &context.scope,
                &page.rows,
                environment.as_deref(),
                now,
            )?;
            let deploys = release_details::deploy_marks(
                conn,
                &context.scope,
                None,
                environment.as_deref(),
                issue_list::bars_start(now),
            )?;
            let environments = issue_counts::environment_names(conn, &context.scope)?;
            Ok(Ok(Found {
                context,
                page,
                bars,
                deploys,
                environments,
            }))
        })
        .await?;
    match found {
        Err(issue) => Ok(see_other(&issue)),
        Ok(found) => draw(&request, &viewer, &address, &found, now),
    }
}

fn missing_is_none<T>(result: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(StoreError::NotFound) => Ok(None),
        Err(other) => Err(other),
    }
}

/// Somebody who types a short id wants that issue.
fn exact_short_id(query: &IssueQuery) -> Option<String> {
    let text = query.text();
    (!text.contains(char::is_whitespace) && names::parse_short_id(&text).is_some()).then_some(text)
}

fn draw(
    request: &HttpRequest,
    viewer: &Viewer,
    address: &ListAddress,
    found: &Found,
    now: i64,
) -> Result<HttpResponse, PageError> {
    let Found {
        context,
        page: issues,
        bars,
        deploys,
        environments,
    } = found;
    let org = context.slug().to_owned();
    let chosen = address.query.filter().projects;
    let total = context.total(&chosen);
    let project = match chosen.as_slice() {
        [only] => Some(only.as_str()),
        _ => None,
    };
    let page = Page::new("Issues", viewer, request).within(context, "issues", project);
    let prefixes: HashMap<i64, &str> = context
        .projects
        .iter()
        .map(|project| (project.id, project.short_prefix.as_str()))
        .collect();
    let (newer, older) = neighbours(issues, address, &org);
    let query = &address.query;
    let template = ListPage {
        page: page.clone(),
        tabs: tabs(address, &org, &total),
        projects: project_choices(context, address, &org),
        project: project.map_or_else(|| "All projects".to_owned(), str::to_owned),
        environments: environment_choices(environments, address, &org),
        environment: query
            .value("environment")
            .map_or_else(|| "All environments".to_owned(), str::to_owned),
        chips: query
            .pairs()
            .map(|term| Chip {
                text: term.to_string(),
                without: address.with_query(&org, query.without(term)),
            })
            .collect(),
        terms: query
            .pairs()
            .map(Term::to_string)
            .collect::<Vec<_>>()
            .join(" "),
        text: query.text(),
        sort_word: address.sort_word(),
        sort_name: address.sort_name(),
        sorts: SORTS
            .iter()
            .map(|(sort, _, name)| Choice {
                name: (*name).to_owned(),
                href: address.with_sort(&org, *sort),
                hue: None,
                active: *sort == address.sort,
            })
            .collect(),
        rows: issues
            .rows
            .iter()
            .map(|row| row::view(row, &org, &prefixes, bars, deploys, now))
            .collect(),
        empty: issues
            .rows
            .is_empty()
            .then(|| empty(context, address, &total)),
        summary: summary(issues, address, &total),
        newer,
        older,
        fresh: fresh_link(address, &org, now),
        start: address.link(&org),
        showing: query.filter().status,
        release_names: Vec::new(),
        org,
    };
    page.answer(&template)
}

fn neighbours(
    issues: &IssuePage,
    address: &ListAddress,
    org: &str,
) -> (Option<String>, Option<String>) {
    let place = |row: &IssueRow| (row.sort_value(address.sort), row.id);
    let newer = issues
        .rows
        .first()
        .filter(|_| issues.has_newer)
        .map(place)
        .map(|(value, id)| Place::Before(value, id));
    let older = issues
        .rows
        .last()
        .filter(|_| issues.has_older)
        .map(place)
        .map(|(value, id)| Place::After(value, id));
    (
        newer.map(|place| address.placed(org, place)),
        older.map(|place| address.placed(org, place)),
    )
}

fn empty(context: &OrgContext, address: &ListAddress, total: &Counts) -> Empty {
    let any = total.unresolved + total.ignored + total.resolved > 0;
    if context.projects.is_empty() {
        return Empty::NoProject {
            can_create: context.scope.role() >= Role::Admin,
        };
    }
    let waiting = address
        .query
        .filter()
        .projects
        .first()
        .cloned()
        .or_else(|| context.projects.first().map(|project| project.slug.clone()));
    match waiting {
        Some(slug) if !any => Empty::NoEvent {
            start: format!("/{}/projects/{slug}/start", context.slug()),
        },
        _ if address.query.state() == Some("unresolved") && total.unresolved == 0 => Empty::AllDone,
        _ => match address.query.state() {
            Some(state) if is_plain(&address.query) => Empty::NoneInState {
                state: state.replace('_', " "),
            },
            _ => Empty::NoMatch,
        },
    }
}

/// Whether a query says only a state and projects, so that the tabs' counts are those of its rows.
fn is_plain(query: &IssueQuery) -> bool {
    query.text().is_empty()
        && query
            .pairs()
            .all(|term| matches!(term.key.as_str(), "is" | "project") && !term.negated)
        && query.pairs().filter(|term| term.key == "is").count() == 1
}

/// "1–25 of 128" where that is known without counting; else what is on the page.
fn summary(issues: &IssuePage, address: &ListAddress, total: &Counts) -> String {
    let shown = issues.rows.len() as i64;
    let all = match address.query.state() {
        Some("unresolved") => total.unresolved,
        Some("new") => total.new,
        Some("regressed") => total.regressed,
        Some("ignored") => total.ignored,
        Some("resolved") => total.resolved,
        _ => return plural(shown, "issue", "issues"),
    };
    match (is_plain(&address.query), address.place) {
        (true, Place::Start) if shown > 0 => format!("1–{shown} of {}", short(all)),
        (true, _) => plural(all, "issue", "issues"),
        _ => plural(shown, "issue", "issues"),
    }
}

fn fresh_link(address: &ListAddress, org: &str, now: i64) -> String {
    let pairs = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("query", &address.query.to_string())
        .append_pair("since", &now.to_string())
        .finish();
    format!("/{org}/issues/fresh?{pairs}")
}

/// `GET /{org}/issues/fresh`: how many issues have come in since the page was made.
pub async fn fresh(
    site: web::Data<Site>,
    request: HttpRequest,
    viewer: Viewer,
    path: web::Path<String>,
) -> Result<HttpResponse, PageError> {
    let organization = path.into_inner();
    let filter = ListAddress::parse(request.query_string()).query.filter();
    let since = url::form_urlencoded::parse(request.query_string().as_bytes())
        .find(|(key, _)| key == "since")
        .and_then(|(_, value)| value.parse::<i64>().ok())
        .unwrap_or(i64::MAX);
    let user_id = viewer.user().id;
    let count = site
        .store
        .read(move |conn| {
            let scope = scope::authorize(conn, user_id, &organization)?;
            issue_list::count_since(conn, &scope, &filter, since, now_ms())
        })
        .await?;
    Ok(HttpResponse::Ok().json(json!({ "count": count })))
}
