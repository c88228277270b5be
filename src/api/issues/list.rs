//! Lists of issues. In: a query in the search language, projects, environments, a period, an order, a cursor.
//! Out: a page of issues with their counts over time.

use std::collections::HashMap;

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::Value;

use super::selection::{Query, Selection};
use super::shape::{self, Stats, Surroundings};
use crate::api::access::{Caller, READ_EVENTS, app};
use crate::api::cursor::{self, Cursor, Neighbours};
use crate::api::error::ApiError;
use crate::api::params::Params;
use crate::model::issue::Status;
use crate::model::search_value::span;
use crate::store::accounts::Project;
use crate::store::issue_details::{self, Details};
use crate::store::issue_list::{self, Place, Sort};
use crate::store::issue_records::{self, IssueRecord, Step};
use crate::store::scope::OrgScope;
use crate::store::{Conn, StoreError, now_ms};

/// What a list shows when nothing is asked.
const DEFAULT_QUERY: &str = "is:unresolved";
/// Says that the query was the id of one event.
const DIRECT_HIT: HeaderName = HeaderName::from_static("x-sentry-direct-hit");

/// `GET /organizations/{org}/issues/`
pub async fn of_organization(
    request: HttpRequest,
    caller: Caller,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    list(&request, caller, path.into_inner(), None).await
}

/// `GET /projects/{org}/{project}/issues/`
pub async fn of_project(
    request: HttpRequest,
    caller: Caller,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let (organization, project) = path.into_inner();
    list(&request, caller, organization, Some(project)).await
}

async fn list(
    request: &HttpRequest,
    caller: Caller,
    organization: String,
    project: Option<String>,
) -> Result<HttpResponse, ApiError> {
    caller.may(READ_EVENTS)?;
    let params = Params::read(request.query_string());
    let now = now_ms();
    let asked = Asked::read(&params, now)?;
    let selection = Selection::read(&params, project, Some(DEFAULT_QUERY), now)?;
    let (sort, stats) = (asked.sort, asked.stats.clone());
    let app = app(request);
    let found = app
        .store
        .read(move |conn| {
            let scope = caller.organization(conn, &organization)?;
            find(conn, scope, &selection, &asked, now)
        })
        .await?;
    let projects: HashMap<i64, &Project> = found
        .projects
        .iter()
        .map(|project| (project.id, project))
        .collect();
    let rows: Vec<Value> = found
        .issues
        .iter()
        .filter_map(|issue| {
            let around = Surroundings {
                organization: &found.scope.organization().slug,
                project: projects.get(&issue.project_id)?,
                base_url: app.base_url(),
                details: found.details.get(&issue.id),
                now,
            };
            let stats = stats.as_ref().map(|plan| Stats {
                period: &plan.name,
                start: found.start,
                step: plan.step.millis(),
                length: plan.count,
                counts: found.counts.get(&issue.id).map(Vec::as_slice),
            });
            Some(shape::issue(issue, &around, stats.as_slice()))
        })
        .collect();
    let neighbours = found.neighbours(sort);
    let mut answer = cursor::page(app.base_url(), request.path(), &params, neighbours, &rows);
    if found.direct_hit {
        let headers = answer.headers_mut();
        headers.insert(DIRECT_HIT, HeaderValue::from_static("1"));
    }
    Ok(answer)
}

/// How to show them.
struct Asked {
    sort: Sort,
    cursor: Option<Cursor>,
    size: i64,
    stats: Option<StatsPlan>,
}

#[derive(Clone)]
struct StatsPlan {
    name: String,
    step: Step,
    count: usize,
}

impl Asked {
    fn read(params: &Params, now: i64) -> Result<Self, ApiError> {
        let sort = match params.filled("sort").unwrap_or("date") {
            "date" | "recommended" => Sort::LastSeen,
            "new" | "inbox" => Sort::FirstSeen,
            "freq" | "trends" => Sort::Events,
            "user" => Sort::Users,
            other => return Err(ApiError::Invalid(format!("issues have no order '{other}'"))),
        };
        Ok(Self {
            sort,
            cursor: params.cursor()?,
            size: params.page_size()?,
            stats: StatsPlan::read(params, now)?,
        })
    }
}

impl StatsPlan {
    /// The bars of a row: a day in hours, unless two weeks, the period of the list or none are asked for.
    fn read(params: &Params, now: i64) -> Result<Option<Self>, ApiError> {
        let plan = |name: &str, step, count| {
            Ok(Some(Self {
                name: name.to_owned(),
                step,
                count,
            }))
        };
        if params.all("collapse").contains(&"stats") {
            return Ok(None);
        }
        match params.get("groupStatsPeriod") {
            Some("") => Ok(None),
            None | Some("24h") => plan("24h", Step::Hour, 24),
            Some("14d") => plan("14d", Step::Day, 14),
            Some("auto") => {
                let millis = params
                    .period(now)?
                    .map_or(14 * Step::Day.millis(), |(start, _)| now - start);
                if millis <= span("2d").unwrap_or_default() {
                    let hours = millis / Step::Hour.millis();
                    plan("auto", Step::Hour, hours.clamp(1, 48) as usize)
                } else {
                    let days = millis / Step::Day.millis();
                    plan("auto", Step::Day, days.clamp(1, 90) as usize)
                }
            }
            Some(other) => Err(ApiError::Invalid(format!(
                "groupStatsPeriod cannot be '{other}'"
            ))),
        }
    }
}

/// A page and all that is needed to show it.
struct Found {
    scope: OrgScope,
    projects: Vec<Project>,
    issues: Vec<IssueRecord>,
    place: Place,
    has_newer: bool,
    has_older: bool,
    start: i64,
    counts: HashMap<i64, Vec<i64>>,
    details: HashMap<i64, Details>,
    direct_hit: bool,
}

fn find(
    conn: &mut Conn,
    scope: OrgScope,
    selection: &Selection,
    asked: &Asked,
    now: i64,
) -> Result<Found, StoreError> {
    let place = match asked.cursor {
        None => Place::Start,
        Some(Cursor {
            value,
            offset,
            backwards: false,
        }) => Place::After(value, offset),
        Some(Cursor { value, offset, .. }) => Place::Before(value, offset),
    };
    let (issues, has_newer, has_older, direct_hit) = match &selection.query {
        Query::Event(id) => {
            let hit = selection.hit(conn, &scope, *id)?;
            let found = !hit.is_empty();
            (hit, false, false, found)
        }
        Query::Filter(filter) => {
            let filter = selection.within(conn, &scope, filter)?;
            let page = issue_list::page(conn, &scope, &filter, asked.sort, place, asked.size, now)?;
            let ids: Vec<i64> = page.rows.iter().map(|row| row.id).collect();
            let issues = issue_records::by_ids(conn, &scope, &ids)?;
            (issues, page.has_newer, page.has_older, false)
        }
    };
    let ids: Vec<i64> = issues.iter().map(|issue| issue.id).collect();
    let (start, counts) = match &asked.stats {
        Some(plan) => issue_records::series(conn, &scope, &ids, plan.step, plan.count, now)?,
        None => (0, HashMap::new()),
    };
    let closed: Vec<i64> = issues
        .iter()
        .filter(|issue| Status::from_code(issue.status) != Status::Unresolved)
        .map(|issue| issue.id)
        .collect();
    Ok(Found {
        details: issue_details::of_issues(conn, &closed)?,
        projects: scope.projects(conn)?,
        scope,
        issues,
        place,
        has_newer,
        has_older,
        start,
        counts,
        direct_hit,
    })
}

impl Found {
    /// The pages before the first and after the last row shown.
    fn neighbours(&self, sort: Sort) -> Neighbours {
        let place = match self.place {
            Place::Start => (0, 0),
            Place::After(value, id) | Place::Before(value, id) => (value, id),
        };
        let at = |issue: Option<&IssueRecord>, backwards| {
            let (value, offset) = issue.map_or(place, |issue| (sort_value(issue, sort), issue.id));
            Cursor {
                value,
                offset,
                backwards,
            }
        };
        Neighbours {
            previous: (at(self.issues.first(), true), self.has_newer),
            next: (at(self.issues.last(), false), self.has_older),
        }
    }
}

const fn sort_value(issue: &IssueRecord, sort: Sort) -> i64 {
    match sort {
        Sort::LastSeen => issue.last_seen,
        Sort::FirstSeen => issue.first_seen,
        Sort::Events => issue.times_seen,
        Sort::Users => issue.users_seen,
    }
}
