//! Events. In: an issue, a project or an event's id. Out: pages of short events, whole events, and what is stored.

pub mod attachments;
pub mod committers;
mod entries;
mod frames;
pub mod grouping;
pub mod shape;

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::access::{Caller, READ_EVENTS, app};
use super::cursor::{self, Cursor, Neighbours};
use super::error::ApiError;
use super::issues::IssuePath;
use super::params::Params;
use crate::app::App;
use crate::protocol::event_id::EventId;
use crate::store::digest::events::first_row_id_at;
use crate::store::events::{self, EventRecord, Of, Place, Which};
use crate::store::scope::OrgScope;
use crate::store::{Conn, StoreError, now_ms};
use shape::Whole;

/// `GET …/issues/{issue}/events/`
pub async fn of_issue(request: HttpRequest, caller: Caller) -> Result<HttpResponse, ApiError> {
    caller.may(READ_EVENTS)?;
    let path = IssuePath::of(&request);
    let asked = Asked::read(&Params::read(request.query_string()))?;
    let app = app(&request);
    let found = app
        .store
        .read(move |conn| {
            let (scope, issue, _) = path.find(conn, &caller)?;
            asked.page(conn, &scope, Of::Issue(&issue))
        })
        .await?;
    Ok(answer(&request, &app, &found))
}

/// `GET /projects/{org}/{project}/events/`
pub async fn of_project(
    request: HttpRequest,
    caller: Caller,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    caller.may(READ_EVENTS)?;
    let (organization, project) = path.into_inner();
    let asked = Asked::read(&Params::read(request.query_string()))?;
    let app = app(&request);
    let found = app
        .store
        .read(move |conn| {
            let scope = caller.organization(conn, &organization)?;
            let project = scope.project(conn, &project)?;
            asked.page(conn, &scope, Of::Project(&project))
        })
        .await?;
    Ok(answer(&request, &app, &found))
}

/// `GET …/issues/{issue}/events/{latest,oldest,recommended,event_id}/`
pub async fn show_of_issue(request: HttpRequest, caller: Caller) -> Result<HttpResponse, ApiError> {
    caller.may(READ_EVENTS)?;
    let path = IssuePath::of(&request);
    let which = match request.match_info().query("event") {
        "latest" | "recommended" => Which::Latest,
        "oldest" => Which::Oldest,
        id => Which::Named(event_id(id)?),
    };
    let whole = app(&request)
        .store
        .read(move |conn| {
            let (scope, issue, _) = path.find(conn, &caller)?;
            let event = events::of_issue(conn, &scope, &issue, which)?;
            Whole::load(conn, &scope, event)
        })
        .await?;
    Ok(HttpResponse::Ok().json(whole.json()))
}

/// `GET /projects/{org}/{project}/events/{event_id}/`
pub async fn show(
    request: HttpRequest,
    caller: Caller,
    path: web::Path<(String, String, String)>,
) -> Result<HttpResponse, ApiError> {
    caller.may(READ_EVENTS)?;
    let (organization, project, id) = path.into_inner();
    let id = event_id(&id)?;
    let whole = app(&request)
        .store
        .read(move |conn| {
            let scope = caller.organization(conn, &organization)?;
            let project = scope.project(conn, &project)?;
            let event = events::of_project(conn, &scope, &project, id)?;
            Whole::load(conn, &scope, event)
        })
        .await?;
    Ok(HttpResponse::Ok().json(whole.json()))
}

/// `GET /projects/{org}/{project}/events/{event_id}/json/`: the event as it is stored.
pub async fn stored(
    request: HttpRequest,
    caller: Caller,
    path: web::Path<(String, String, String)>,
) -> Result<HttpResponse, ApiError> {
    caller.may(READ_EVENTS)?;
    let (organization, project, id) = path.into_inner();
    let id = event_id(&id)?;
    let payload = app(&request)
        .store
        .read(move |conn| {
            let scope = caller.organization(conn, &organization)?;
            let project = scope.project(conn, &project)?;
            events::of_project(conn, &scope, &project, id)?.payload()
        })
        .await?;
    Ok(HttpResponse::Ok()
        .content_type("application/json")
        .body(payload))
}

/// `GET /organizations/{org}/eventids/{event_id}/`: where an event is.
pub async fn locate(
    request: HttpRequest,
    caller: Caller,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    caller.may(READ_EVENTS)?;
    let (organization, id) = path.into_inner();
    let id = event_id(&id)?;
    let (scope, project, whole) = app(&request)
        .store
        .read(move |conn| {
            let scope = caller.organization(conn, &organization)?;
            let (event, project) = events::by_id(conn, &scope, id)?;
            let whole = Whole::load(conn, &scope, event)?;
            Ok((scope, project, whole))
        })
        .await?;
    Ok(HttpResponse::Ok().json(json!({
        "organizationSlug": scope.organization().slug,
        "projectSlug": project.slug,
        "groupId": whole.issue_id().to_string(),
        "eventId": id.to_string(),
        "event": whole.json(),
    })))
}

/// What is no id is the id of no event.
fn event_id(text: &str) -> Result<EventId, ApiError> {
    text.parse().map_err(|_| ApiError::NotFound)
}

/// How a list is asked for.
struct Asked {
    place: Place,
    size: i64,
    since: i64,
    /// Only this event, if the issue or project has it.
    only: Option<EventId>,
    full: bool,
}

impl Asked {
    fn read(params: &Params) -> Result<Self, ApiError> {
        let unavailable =
            |what: &str| Err(ApiError::Invalid(format!("lists of events have no {what}")));
        let only = match params.filled("query") {
            None => None,
            Some(text) => match text.trim().parse() {
                Ok(id) => Some(id),
                Err(_) => return unavailable("search; only the id of an event can be asked for"),
            },
        };
        if params.filled("environment").is_some() {
            return unavailable("filter by environment");
        }
        if let Some(sort) = params.filled("sort").filter(|sort| *sort != "-timestamp") {
            return unavailable(&format!("order '{sort}'"));
        }
        let since = params.period(now_ms())?.map_or(0, |(start, _)| start);
        Ok(Self {
            place: match params.cursor()? {
                None => Place::Start,
                Some(cursor) if cursor.backwards => Place::Before(cursor.value),
                Some(cursor) => Place::After(cursor.value),
            },
            size: params.page_size()?,
            since: first_row_id_at(since),
            only,
            full: matches!(params.get("full"), Some("1" | "true")),
        })
    }

    fn page(&self, conn: &mut Conn, scope: &OrgScope, of: Of<'_>) -> Result<Found, StoreError> {
        let (rows, more) = match (self.only, of) {
            (None, of) => events::page(conn, scope, of, self.place, self.since, self.size)?,
            (Some(id), Of::Issue(issue)) => (
                one(events::of_issue(conn, scope, issue, Which::Named(id)))?,
                false,
            ),
            (Some(id), Of::Project(project)) => {
                (one(events::of_project(conn, scope, project, id))?, false)
            }
        };
        let mut shown = Vec::with_capacity(rows.len());
        let ids = (
            rows.first().map(|row| row.id),
            rows.last().map(|row| row.id),
        );
        for row in rows {
            shown.push(if self.full {
                Whole::load(conn, scope, row)?.json()
            } else {
                let (payload, _) = row.read()?;
                shape::short(&row, &payload)
            });
        }
        Ok(Found {
            neighbours: self.neighbours(ids, more),
            rows: shown,
        })
    }

    fn neighbours(&self, (first, last): (Option<i64>, Option<i64>), more: bool) -> Neighbours {
        let (place, newer, older) = match self.place {
            Place::Start => (0, false, more),
            Place::After(id) => (id, true, more),
            Place::Before(id) => (id, more, true),
        };
        let at = |id: Option<i64>, backwards| Cursor {
            value: id.unwrap_or(place),
            offset: 0,
            backwards,
        };
        Neighbours {
            previous: (at(first, true), newer),
            next: (at(last, false), older),
        }
    }
}

struct Found {
    rows: Vec<Value>,
    neighbours: Neighbours,
}

fn one(found: Result<EventRecord, StoreError>) -> Result<Vec<EventRecord>, StoreError> {
    match found {
        Ok(event) => Ok(vec![event]),
        Err(StoreError::NotFound) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn answer(request: &HttpRequest, app: &App, found: &Found) -> HttpResponse {
    let params = Params::read(request.query_string());
    cursor::page(
        app.base_url(),
        request.path(),
        &params,
        found.neighbours,
        &found.rows,
    )
}
