//! Releases as they are read. In: a token and names. Out: lists of releases, one of them, its commits.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::{Place, commit_json, health_json, release_json};
use crate::api::access::{Caller, Needs, app};
use crate::api::cursor;
use crate::api::error::ApiError;
use crate::api::params::Params;
use crate::api::uploads::READ;
use crate::store::release_details::{self, Filter};
use crate::store::{now_ms, release_health};

/// Days that the health of a release looks back.
const HEALTH_DAYS: i64 = 14;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// `GET …/releases/`
pub async fn list(
    request: HttpRequest,
    caller: Caller,
    place: web::Path<Place>,
) -> Result<HttpResponse, ApiError> {
    caller.may(READ)?;
    let params = Params::read(request.query_string());
    let (cursor, size) = (params.cursor()?, params.page_size()?);
    let contains = params.filled("query").map(str::to_owned);
    // `-1` stands for all projects.
    let named = params.filled("project").filter(|name| *name != "-1");
    let named = named.map(str::to_owned);
    let archived = params.filled("status") == Some("archived");
    let app = app(&request);
    let (found, neighbours) = app
        .store
        .read(move |conn| {
            let scope = caller.organization(conn, &place.org)?;
            let project = match (place.project(conn, &scope)?, &named) {
                (None, Some(name)) => Some(scope.project(conn, name)?),
                (project, _) => project,
            };
            let filter = Filter {
                project,
                version: None,
                contains,
            };
            let found = release_details::list(conn, &scope, &filter)?.into_iter();
            let found = found.filter(|release| release.is_archived() == archived);
            let (mut shown, neighbours) = cursor::slice(found.collect(), cursor, size);
            release_details::add_counts(conn, &scope, &filter, &mut shown)?;
            Ok((shown, neighbours))
        })
        .await?;
    let rows: Vec<Value> = found.iter().map(release_json).collect();
    Ok(cursor::page(
        app.base_url(),
        request.path(),
        &params,
        neighbours,
        &rows,
    ))
}

/// `GET …/releases/{version}/`
pub async fn one(
    request: HttpRequest,
    caller: Caller,
    place: web::Path<Place>,
) -> Result<HttpResponse, ApiError> {
    caller.may(READ)?;
    let app = app(&request);
    let found = app
        .store
        .read(move |conn| {
            let scope = caller.organization(conn, &place.org)?;
            let project = place.project(conn, &scope)?;
            let found = release_details::find(conn, &scope, project, place.version())?;
            let now = now_ms();
            let since = now - HEALTH_DAYS * DAY_MS;
            let health = release_health::of_version(conn, &scope, place.version(), since, now)?;
            Ok((found, health))
        })
        .await?;
    let (release, health) = found;
    let mut answer = release_json(&release);
    answer["healthData"] = health.as_ref().map_or(Value::Null, health_json);
    Ok(HttpResponse::Ok().json(answer))
}

/// `GET …/releases/{version}/commits/`
pub async fn commits(
    request: HttpRequest,
    caller: Caller,
    place: web::Path<Place>,
) -> Result<HttpResponse, ApiError> {
    caller.may(READ)?;
    let app = app(&request);
    let found = app
        .store
        .read(move |conn| {
            let scope = caller.organization(conn, &place.org)?;
            let project = place.project(conn, &scope)?;
            release_details::find(conn, &scope, project, place.version())?;
            release_details::commits(conn, &scope, place.version())
        })
        .await?;
    cursor::page_of(app.base_url(), &request, found, commit_json)
}

/// `GET /organizations/{org}/releases/{version}/previous-with-commits/`: the newest release before this one whose commits are
/// known, or an empty object.
pub async fn previous_with_commits(
    request: HttpRequest,
    caller: Caller,
    place: web::Path<Place>,
) -> Result<HttpResponse, ApiError> {
    caller.may(READ)?;
    let app = app(&request);
    let found = app
        .store
        .read(move |conn| {
            let scope = caller.organization(conn, &place.org)?;
            let this = release_details::find(conn, &scope, None, place.version())?;
            let mut all = release_details::list(conn, &scope, &Filter::default())?;
            release_details::add_counts(conn, &scope, &Filter::default(), &mut all)?;
            let shared = |other: &release_details::Release| {
                let mut of_this = this.projects.iter();
                of_this.any(|project| other.projects.contains(project))
            };
            Ok(all.into_iter().find(|other| {
                other.commits > 0
                    && other.version != this.version
                    && other.created_at() <= this.created_at()
                    && (this.projects.is_empty() || shared(other))
            }))
        })
        .await?;
    Ok(HttpResponse::Ok().json(found.as_ref().map_or_else(|| json!({}), release_json)))
}

/// Whoever may read releases, or the organization.
const READ_REPOSITORIES: Needs = &[
    "project:read",
    "project:write",
    "project:admin",
    "project:releases",
    "org:ci",
    "org:read",
    "org:write",
    "org:admin",
];

/// `GET /organizations/{org}/repos/`: no code hosting is connected.
pub async fn repositories(
    request: HttpRequest,
    caller: Caller,
    place: web::Path<Place>,
) -> Result<HttpResponse, ApiError> {
    caller.may(READ_REPOSITORIES)?;
    let app = app(&request);
    app.store
        .read(move |conn| caller.organization(conn, &place.org))
        .await?;
    cursor::page_of(app.base_url(), &request, Vec::<Value>::new(), Value::clone)
}
