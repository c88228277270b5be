//! Merging issues. In: the body of a change to many issues that asks for it, and their numbers. Out: which of them all are
//! now, and which are in it.

use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use crate::api::access::{Caller, app};
use crate::api::error::ApiError;
use crate::tasks::kinds::merge;

/// Whether a body asks to merge; an error where it asks for something else beside that.
pub fn is_wanted(body: &Value) -> Result<bool, ApiError> {
    let asks = |value: &Value| match value {
        Value::Bool(wanted) => *wanted,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !matches!(text.as_str(), "" | "0" | "false"),
        _ => false,
    };
    if !asks(&body["merge"]) {
        return Ok(false);
    }
    let others = body.as_object().into_iter().flatten();
    let mut others = others.filter(|(name, value)| *name != "merge" && !value.is_null());
    match others.next() {
        Some((name, _)) => Err(ApiError::Invalid(format!(
            "merge cannot be asked for together with {name}"
        ))),
        None => Ok(true),
    }
}

/// Merges the issues of these numbers.
pub async fn merge(
    request: &HttpRequest,
    caller: Caller,
    organization: String,
    project: Option<String>,
    ids: Vec<i64>,
) -> Result<HttpResponse, ApiError> {
    let app = app(request);
    let merged = app
        .store
        .write(move |conn| {
            let scope = caller.organization(conn, &organization)?;
            let within = match &project {
                Some(name) => Some(scope.project(conn, name)?),
                None => None,
            };
            merge::merge(conn, &scope, &ids, within.as_ref())
        })
        .await?;
    app.tasks_wake.notify_one();
    let children: Vec<String> = merged.children.iter().map(ToString::to_string).collect();
    Ok(HttpResponse::Ok().json(json!({
        "merge": {"parent": merged.parent.to_string(), "children": children},
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_merge_is_asked_for_alone() {
        for body in [
            json!({"merge": 1}),
            json!({"merge": true}),
            json!({"merge": "1", "status": null}),
        ] {
            assert!(matches!(is_wanted(&body), Ok(true)), "{body}");
        }
        for body in [
            json!({"status": "resolved"}),
            json!({"merge": 0, "status": "resolved"}),
            json!({"merge": false}),
            json!([]),
        ] {
            assert!(matches!(is_wanted(&body), Ok(false)), "{body}");
        }
        assert!(is_wanted(&json!({"merge": 1, "status": "resolved"})).is_err());
    }
}
