//! Why an event is in its issue, for programs. In: an event. Out: its variants in the shape of Sentry's `grouping-info`: an object by
//! name, each with its hash and a tree of what counted and what did not.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Map, Value, json};

use super::event_id;
use crate::api::access::{Caller, READ_EVENTS, app};
use crate::api::error::ApiError;
use crate::process::explain::{Component, Explained, Frame, Stack, Variant, explain};
use crate::process::scrub::Rules;
use crate::store::{events, organization_settings, project_settings};
use crate::tasks::project_settings::compiled;

/// `GET /projects/{org}/{project}/events/{event_id}/grouping-info/`
pub async fn show(
    request: HttpRequest,
    caller: Caller,
    path: web::Path<(String, String, String)>,
) -> Result<HttpResponse, ApiError> {
    caller.may(READ_EVENTS)?;
    let (organization, project, id) = path.into_inner();
    let id = event_id(&id)?;
    let explained = app(&request)
        .store
        .read(move |conn| {
            let scope = caller.organization(conn, &organization)?;
            let project = scope.project(conn, &project)?;
            let payload = events::of_project(conn, &scope, &project, id)?.payload()?;
            let rules = Rules::of(&organization_settings::of(conn, &scope)?.scrubbing());
            let own = project_settings::of_project(conn, &project)?;
            Ok(explain(&payload, &compiled(&own, &rules)))
        })
        .await?;
    let explained = explained.ok_or(ApiError::NotFound)?;
    Ok(HttpResponse::Ok().json(variants(&explained)))
}

fn variants(explained: &Explained) -> Map<String, Value> {
    let shown = explained.variants.iter().map(|variant| {
        let rule = explained.rule.as_ref();
        let shown = json!({
            "type": kind(variant.name),
            "key": variant.name,
            "description": description(variant),
            "hash": variant.hash,
            "hashMismatch": false,
            "contributes": true,
            "hint": null,
            "matched_rule": rule.map(|rule| rule.text.as_str()),
            "component": tree(variant, &explained.stacks),
            "config": {"id": format!("bugle:{}", explained.version)},
        });
        (variant.name.to_owned(), shown)
    });
    shown.collect()
}

fn kind(name: &str) -> &'static str {
    match name {
        "custom_fingerprint" => "custom-fingerprint",
        "checksum" => "checksum",
        "fallback" => "fallback",
        _ => "component",
    }
}

fn description(variant: &Variant) -> String {
    let has = |kind: &str| variant.components.iter().any(|one| one.kind == kind);
    let what = if has("in_app_frames") || has("frames") {
        "stack trace"
    } else if has("message") || has("value") {
        "message"
    } else {
        return variant.name.replace('_', " ");
    };
    let whose = if variant.name == "app" { "in-app " } else { "" };
    format!("{whose}{what}")
}

fn tree(variant: &Variant, stacks: &[Stack]) -> Value {
    let parts = variant.components.iter().filter(|one| !is_frames(one));
    let mut values: Vec<Value> = parts
        .map(|one| component(one.kind, None, &json!(one.values)))
        .collect();
    if variant.components.iter().any(is_frames) {
        values.extend(stacks.iter().map(|stack| {
            let frames = stack.frames.iter();
            let frames: Vec<Value> = frames
                .map(|one| frame(one, variant.name == "app"))
                .collect();
            component("stacktrace", None, &json!(frames))
        }));
    }
    component(variant.name, None, &json!(values))
}

fn is_frames(component: &Component) -> bool {
    component.kind.ends_with("frames")
}

fn component(id: &str, hint: Option<&str>, values: &Value) -> Value {
    json!({"id": id, "name": null, "contributes": hint.is_none(), "hint": hint, "values": values})
}

fn frame(frame: &Frame, only_app: bool) -> Value {
    let hint = match &frame.left_out {
        Some(reason) => Some(reason.as_str()),
        None if only_app && !frame.in_app => Some("a library's frame"),
        None => None,
    };
    let mut values = vec![
        component("function", hint, &json!([frame.function])),
        component("module", hint, &json!([frame.place])),
    ];
    if !frame.counts_as.is_empty() {
        values.push(component("counts-as", hint, &json!(frame.counts_as)));
    }
    component("frame", hint, &json!(values))
}
