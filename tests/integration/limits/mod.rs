//! In: limits, keys and mistakes of senders. Out: what is refused, what is counted, and what owners see of it.

mod doctor;
mod keys;
mod nodes;
mod quotas;

use serde_json::json;

use crate::harness::database::integer;
use crate::harness::sdk::{envelope, error, new_id, with};
use crate::harness::{App, Response, Sdk, poll};

/// Limits the first key of the project `shop`.
fn limit_key(app: &App, limit: &[&str]) {
    let key = app.sdk().key;
    let mut arguments = vec!["key", "limit", "--org", "acme", "--project", "shop", &key];
    arguments.extend_from_slice(limit);
    app.cli(&arguments).success();
}

/// Sends one event and gives the answer, whatever it is.
fn attempt(sdk: &Sdk) -> Response {
    let event = with(
        error("KeyError", "'price'", "total"),
        &json!({"event_id": new_id()}),
    );
    sdk.envelope(&envelope(&event))
}

fn usage(app: &App, condition: &str) -> i64 {
    app.database.number(&format!(
        "SELECT CAST(COALESCE(SUM(quantity), 0) AS {}) AS number FROM usage_hours WHERE {condition}",
        integer()
    ))
}

#[track_caller]
fn until_counted(app: &App, condition: &str, number: i64) {
    poll::until(&format!("{number} are counted where {condition}"), || {
        usage(app, condition) == number
    });
}
