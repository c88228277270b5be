//! The tags of an issue. In: an issue, perhaps a key. Out: totals, and the values with their counts.

use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use super::IssuePath;
use crate::api::access::{Caller, READ_EVENTS, app};
use crate::api::cursor::{self, Cursor, Neighbours};
use crate::api::error::ApiError;
use crate::api::format;
use crate::api::params::Params;
use crate::store::StoreError;
use crate::store::issue_tags::{self, TagKey, TagValue};

/// Values that a tag's summary shows.
const TOP_VALUES: i64 = 10;

/// `GET …/issues/{issue}/tags/`
pub async fn list(request: HttpRequest, caller: Caller) -> Result<HttpResponse, ApiError> {
    caller.may(READ_EVENTS)?;
    let params = Params::read(request.query_string());
    let path = IssuePath::of(&request);
    let app = app(&request);
    let found = app
        .store
        .read(move |conn| {
            let (scope, issue, _) = path.find(conn, &caller)?;
            let mut found = Vec::new();
            for key in issue_tags::keys(conn, &scope, &issue)? {
                let values = issue_tags::values(conn, &scope, &issue, &key.key, TOP_VALUES, 0)?;
                found.push((key, values));
            }
            Ok(found)
        })
        .await?;
    let rows: Vec<Value> = found
        .iter()
        .map(|(key, values)| with_values(key, values))
        .collect();
    Ok(cursor::page(
        app.base_url(),
        request.path(),
        &params,
        Neighbours::NONE,
        &rows,
    ))
}

/// `GET …/issues/{issue}/tags/{key}/`
pub async fn show(request: HttpRequest, caller: Caller) -> Result<HttpResponse, ApiError> {
    caller.may(READ_EVENTS)?;
    let path = IssuePath::of(&request);
    let name = request.match_info().query("key").to_owned();
    let (key, values) = app(&request)
        .store
        .read(move |conn| {
            let (scope, issue, _) = path.find(conn, &caller)?;
            let mut keys = issue_tags::keys(conn, &scope, &issue)?;
            keys.retain(|key| key.key == name);
            let key = keys.pop().ok_or(StoreError::NotFound)?;
            let values = issue_tags::values(conn, &scope, &issue, &name, TOP_VALUES, 0)?;
            Ok((key, values))
        })
        .await?;
    Ok(HttpResponse::Ok().json(with_values(&key, &values)))
}

/// `GET …/issues/{issue}/tags/{key}/values/`
pub async fn values(request: HttpRequest, caller: Caller) -> Result<HttpResponse, ApiError> {
    caller.may(READ_EVENTS)?;
    let params = Params::read(request.query_string());
    let size = params.page_size()?;
    let from = params.cursor()?.map_or(0, |cursor| cursor.offset.max(0));
    let path = IssuePath::of(&request);
    let name = request.match_info().query("key").to_owned();
    let key = name.clone();
    let app = app(&request);
    let mut found = app
        .store
        .read(move |conn| {
            let (scope, issue, _) = path.find(conn, &caller)?;
            issue_tags::values(conn, &scope, &issue, &name, size + 1, from)
        })
        .await?;
    let more = found.len() as i64 > size;
    found.truncate(usize::try_from(size).unwrap_or(0));
    let at = |offset, backwards| Cursor {
        value: 0,
        offset,
        backwards,
    };
    let neighbours = Neighbours {
        previous: (at((from - size).max(0), true), from > 0),
        next: (at(from + found.len() as i64, false), more),
    };
    let rows: Vec<Value> = found.iter().map(|value| value_json(&key, value)).collect();
    Ok(cursor::page(
        app.base_url(),
        request.path(),
        &params,
        neighbours,
        &rows,
    ))
}

/// A tag without its values.
pub fn key_json(tag: &TagKey) -> Value {
    json!({
        "key": tag.key,
        "name": name(&tag.key),
        "totalValues": tag.events,
        "uniqueValues": tag.values,
    })
}

fn with_values(tag: &TagKey, values: &[TagValue]) -> Value {
    let mut answer = key_json(tag);
    answer["topValues"] = values
        .iter()
        .map(|value| value_json(&tag.key, value))
        .collect();
    answer
}

fn value_json(key: &str, value: &TagValue) -> Value {
    json!({
        "key": key,
        "name": value.value,
        "value": value.value,
        "count": value.events,
        "firstSeen": null,
        "lastSeen": format::time(value.last_seen),
    })
}

/// `server_name` as people read it: `Server Name`.
fn name(key: &str) -> String {
    let words = key.split(['_', '-', '.']).map(|word| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| {
            first.to_uppercase().chain(letters).collect()
        })
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_a_readable_name() {
        assert_eq!(name("server_name"), "Server Name");
        assert_eq!(name("os.name"), "Os Name");
        assert_eq!(name(""), "");
    }
}
