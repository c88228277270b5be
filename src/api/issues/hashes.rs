//! The grouping hashes of an issue. In: an issue. Out: each hash, with the latest event where that has it.

use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use super::IssuePath;
use crate::api::access::{Caller, READ_EVENTS, app};
use crate::api::cursor;
use crate::api::error::ApiError;
use crate::api::events::shape;
use crate::api::params::Params;
use crate::store::events::{self, Which};
use crate::store::{StoreError, issue_records};

/// `GET …/issues/{issue}/hashes/`
pub async fn list(request: HttpRequest, caller: Caller) -> Result<HttpResponse, ApiError> {
    caller.may(READ_EVENTS)?;
    let params = Params::read(request.query_string());
    let (cursor, size) = (params.cursor()?, params.page_size()?);
    let path = IssuePath::of(&request);
    let app = app(&request);
    let (hashes, latest) = app
        .store
        .read(move |conn| {
            let (scope, issue, _) = path.find(conn, &caller)?;
            let hashes = issue_records::hashes(conn, &scope, &issue)?;
            let latest = match events::of_issue(conn, &scope, &issue, Which::Latest) {
                Ok(event) => Some(event),
                Err(StoreError::NotFound) => None,
                Err(error) => return Err(error),
            };
            Ok((hashes, latest))
        })
        .await?;
    let latest = match &latest {
        Some(event) => {
            let (payload, _) = event.read()?;
            Some((shape::fingerprints(&payload), shape::short(event, &payload)))
        }
        None => None,
    };
    let (hashes, neighbours) = cursor::slice(hashes, cursor, size);
    let rows: Vec<Value> = hashes
        .iter()
        .map(|hash| {
            let id = hex::encode(hash);
            let event = latest
                .as_ref()
                .filter(|(own, _)| own.contains(&id))
                .map(|(_, event)| event);
            json!({"id": id, "latestEvent": event})
        })
        .collect();
    Ok(cursor::page(
        app.base_url(),
        request.path(),
        &params,
        neighbours,
        &rows,
    ))
}
