//! In: events as JSON. Out: the requests a Sentry SDK makes with them, and the server's answer.

use serde_json::{Value, json};

use super::http::{Anonymous, Response};

#[derive(Clone)]
pub struct Sdk {
    client: Anonymous,
    pub key: String,
    pub project: u64,
}

impl Sdk {
    /// From a DSN and, as the server's port changes with every start, the address it listens on now.
    pub fn new(base: &str, dsn: &str) -> Self {
        let rest = dsn.split_once("://").expect("a DSN is a URL").1;
        let (key, place) = rest.split_once('@').expect("a DSN has a key");
        let project = place.rsplit('/').next().and_then(|id| id.parse().ok());
        Self {
            client: Anonymous::new(base),
            key: key.to_owned(),
            project: project.unwrap_or_else(|| panic!("{dsn} has no numeric project id")),
        }
    }

    /// The same project with another key.
    pub fn with_key(&self, key: &str) -> Self {
        Self {
            key: key.to_owned(),
            ..self.clone()
        }
    }

    pub fn auth(&self) -> String {
        format!(
            "Sentry sentry_key={}, sentry_version=7, sentry_client=test/1.0",
            self.key
        )
    }

    pub fn path(&self, endpoint: &str) -> String {
        format!("/api/{}/{endpoint}", self.project)
    }

    pub fn post(&self, endpoint: &str, more: &[(&str, &str)], body: &[u8]) -> Response {
        let auth = self.auth();
        let mut headers = vec![("x-sentry-auth", auth.as_str())];
        headers.extend_from_slice(more);
        self.client.post(&self.path(endpoint), &headers, body)
    }

    pub fn envelope(&self, body: &[u8]) -> Response {
        self.post(
            "envelope/",
            &[("content-type", "application/x-sentry-envelope")],
            body,
        )
    }

    /// Sends an event, gives the id under which the server acknowledged it.
    #[track_caller]
    pub fn send(&self, event: &Value) -> String {
        let answer = self.envelope(&envelope(event)).expect(200);
        answer.json()["id"]
            .as_str()
            .unwrap_or_else(|| panic!("no id: {answer}"))
            .to_owned()
    }
}

pub fn envelope(event: &Value) -> Vec<u8> {
    let payload = event.to_string();
    let header = match event.get("event_id") {
        Some(id) => json!({"event_id": id, "sent_at": now()}),
        None => json!({"sent_at": now()}),
    };
    format!(
        "{header}\n{}\n{payload}\n",
        json!({"type": "event", "length": payload.len()})
    )
    .into_bytes()
}

pub fn now() -> String {
    jiff::Timestamp::now().to_string()
}

pub fn new_id() -> String {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).expect("the system has randomness");
    hex::encode(bytes)
}

/// An error with one frame of the application; `function` tells one issue from another.
pub fn error(kind: &str, value: &str, function: &str) -> Value {
    json!({
        "event_id": new_id(), "timestamp": now(), "platform": "python", "environment": "production",
        "exception": {"values": [{
            "type": kind, "value": value, "mechanism": {"type": "generic", "handled": false},
            "stacktrace": {"frames": [
                {"filename": "lib/web.py", "module": "web", "function": "dispatch", "lineno": 17, "in_app": false},
                {"filename": "checkout/cart.py", "module": "checkout.cart", "function": function, "lineno": 88,
                 "pre_context": ["    for item in items:"], "context_line": "        total += item[\"price\"]",
                 "post_context": ["    return total"], "vars": {"item": "{'sku': 'cup'}"}, "in_app": true},
            ]},
        }]},
    })
}

pub fn message(text: &str) -> Value {
    json!({"event_id": new_id(), "timestamp": now(), "platform": "python", "level": "info", "message": text})
}

/// The event with some of its top-level attributes set anew.
pub fn with(mut event: Value, more: &Value) -> Value {
    let (Value::Object(event_map), Value::Object(more)) = (&mut event, more) else {
        panic!("events are objects")
    };
    event_map.extend(more.clone());
    event
}
