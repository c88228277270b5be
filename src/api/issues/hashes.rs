//! The grouping hashes of an issue. In: an issue, and perhaps hashes that are not to be of it. Out: each hash with the latest
//! event that has it; or a new issue with those hashes.

use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use super::IssuePath;
use crate::api::access::{Caller, DELETE_EVENTS, READ_EVENTS, app};
use crate::api::cursor;
use crate::api::error::ApiError;
use crate::api::events::shape;
use crate::api::format;
use crate::api::params::Params;
use crate::store::merging::hashes::{self, HashRow};
use crate::tasks::kinds::merge;

/// `GET …/issues/{issue}/hashes/`
pub async fn list(request: HttpRequest, caller: Caller) -> Result<HttpResponse, ApiError> {
    caller.may(READ_EVENTS)?;
    let params = Params::read(request.query_string());
    let (cursor, size) = (params.cursor()?, params.page_size()?);
    let path = IssuePath::of(&request);
    let app = app(&request);
    let found = app
        .store
        .read(move |conn| {
            let (scope, issue, _) = path.find(conn, &caller)?;
            hashes::list(conn, &scope, issue.id)
        })
        .await?;
    let mut rows = Vec::with_capacity(found.len());
    for row in &found {
        rows.extend(shown(row)?);
    }
    let (rows, neighbours) = cursor::slice(rows, cursor, size);
    Ok(cursor::page(
        app.base_url(),
        request.path(),
        &params,
        neighbours,
        &rows,
    ))
}

/// A hash that placed events, and those that only come along with it.
fn shown(row: &HashRow) -> Result<Vec<Value>, ApiError> {
    let latest = match &row.latest {
        Some(event) => shape::short(event, &event.read()?.0),
        None => Value::Null,
    };
    let own = json!({
        "id": hex::encode(&row.hash),
        "latestEvent": latest,
        "eventCount": row.events,
        "lastSeen": format::maybe_time(row.last_seen),
    });
    let along = row.along.iter().map(|hash| {
        json!({"id": hex::encode(hash), "latestEvent": latest, "eventCount": 0, "lastSeen": null})
    });
    Ok(std::iter::once(own).chain(along).collect())
}

/// `DELETE …/issues/{issue}/hashes/?id=HASH`
pub async fn split_off(request: HttpRequest, caller: Caller) -> Result<HttpResponse, ApiError> {
    caller.may(DELETE_EVENTS)?;
    let params = Params::read(request.query_string());
    let mut chosen = Vec::new();
    for text in params.all("id") {
        match hex::decode(text) {
            Ok(hash) => chosen.push(hash),
            Err(_) => return Err(ApiError::Invalid(format!("'{text}' is not a hash"))),
        }
    }
    let path = IssuePath::of(&request);
    let app = app(&request);
    let split = app
        .store
        .write(move |conn| {
            let (scope, issue, _) = path.find(conn, &caller)?;
            merge::split(conn, &scope, &issue.id.to_string(), &chosen)
        })
        .await?;
    app.tasks_wake.notify_one();
    Ok(HttpResponse::Accepted().json(json!({
        "id": split.issue_id.to_string(),
        "shortId": split.short_id,
    })))
}
