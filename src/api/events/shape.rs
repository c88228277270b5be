//! An event as clients read it. In: its row and the stored payload. Out: JSON in the spelling of the API; there is no
//! field `project`, as one client expects a number in it where others send a name.

use serde_json::{Map, Value, json};

use super::entries;
use crate::api::{format, releases};
use crate::store::events::{self, Around, EventRecord};
use crate::store::named::{self, SeenRelease};
use crate::store::scope::OrgScope;
use crate::store::{Conn, StoreError};

/// An event with its neighbours and its release.
pub struct Whole {
    event: EventRecord,
    payload: Value,
    size: usize,
    around: Around,
    release: Option<SeenRelease>,
}

impl Whole {
    pub fn load(conn: &mut Conn, scope: &OrgScope, event: EventRecord) -> Result<Self, StoreError> {
        let (payload, size) = event.read()?;
        let around = events::neighbours(conn, scope, &event)?;
        let release = match payload["release"].as_str() {
            Some(version) => named::release(conn, scope, event.project_id, version)?,
            None => None,
        };
        Ok(Self {
            event,
            payload,
            size,
            around,
            release,
        })
    }

    pub fn issue_id(&self) -> i64 {
        self.event.issue_id
    }

    pub fn json(&self) -> Value {
        let payload = &self.payload;
        let mut answer = short(&self.event, payload);
        let own = |name: &str| payload[name].clone();
        for (name, value) in [
            ("entries", entries::of(payload)),
            ("contexts", or_empty(own("contexts"))),
            ("context", or_empty(own("extra"))),
            ("packages", or_empty(own("modules"))),
            ("sdk", own("sdk")),
            ("dist", own("dist")),
            ("release", releases::seen(self.release.as_ref())),
            ("dateReceived", own("received")),
            ("errors", errors(payload)),
            ("_meta", or_empty(own("_meta"))),
            ("size", json!(self.size)),
            ("fingerprints", json!(fingerprints(payload))),
            ("previousEventID", id(self.around.previous.as_deref())),
            ("nextEventID", id(self.around.next.as_deref())),
        ] {
            answer[name] = value;
        }
        answer
    }
}

fn id(bytes: Option<&[u8]>) -> Value {
    bytes.map_or(Value::Null, |bytes| Value::String(hex::encode(bytes)))
}

/// An event as lists show it.
pub fn short(event: &EventRecord, payload: &Value) -> Value {
    let own = |name: &str| payload[name].clone();
    let text = |name: &str| payload[name].as_str().unwrap_or_default();
    let id = event.id_text();
    json!({
        "id": id,
        "eventID": id,
        "groupID": event.issue_id.to_string(),
        "projectID": event.project_id.to_string(),
        "title": text("title"),
        "message": payload["logentry"]["formatted"].as_str().unwrap_or_default(),
        "type": text("type"),
        "event.type": text("type"),
        "platform": own("platform"),
        "culprit": text("culprit"),
        "location": own("location"),
        "metadata": or_empty(own("metadata")),
        "user": user(&payload["user"]),
        "tags": tags(payload),
        "dateCreated": payload["timestamp"].as_str().map_or_else(|| format::time(event.timestamp), str::to_owned),
        "crashFile": null,
    })
}

fn or_empty(value: Value) -> Value {
    if value.is_null() { json!({}) } else { value }
}

fn user(user: &Value) -> Value {
    let Some(stored) = user.as_object() else {
        return Value::Null;
    };
    let mut user = Map::new();
    for name in [
        "id",
        "email",
        "username",
        "ip_address",
        "name",
        "geo",
        "data",
    ] {
        let value = stored.get(name).cloned().unwrap_or(Value::Null);
        user.insert(name.to_owned(), value);
    }
    user.into()
}

fn tags(payload: &Value) -> Value {
    let pairs = payload["tags"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    pairs
        .iter()
        .map(|pair| json!({"key": pair[0], "value": pair[1]}))
        .collect()
}

/// What was wrong with the event when it came in.
fn errors(payload: &Value) -> Value {
    let notes = payload["errors"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    notes
        .iter()
        .map(|note| {
            let kind = note["type"].as_str().unwrap_or("invalid_data");
            json!({
                "type": kind,
                "message": kind.replace('_', " "),
                "data": {"name": note["name"], "value": note["value"]},
            })
        })
        .collect()
}

/// The grouping hashes, the one that names an issue first.
pub fn fingerprints(payload: &Value) -> Vec<String> {
    let variants = payload["grouping"]["variants"].as_array();
    let hashes = variants.map(Vec::as_slice).unwrap_or_default().iter();
    hashes
        .filter(|variant| variant["contributes"] == true)
        .filter_map(|variant| variant["hash"].as_str())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(payload: Value) -> Value {
        let event = EventRecord {
            id: 1,
            project_id: 3,
            issue_id: 7,
            event_id: vec![0xab; 16],
            timestamp: 0,
            data: Vec::new(),
        };
        Whole {
            event,
            payload,
            size: 12,
            around: Around {
                previous: Some(vec![0xcd; 16]),
                next: None,
            },
            release: None,
        }
        .json()
    }

    #[test]
    fn mandatory_fields_have_the_types_that_clients_parse() {
        let shown = whole(json!({
            "title": "hello", "type": "default", "culprit": "", "timestamp": "2026-01-31T12:00:00.123456Z",
            "logentry": {"formatted": "hello"}, "tags": [["level", "error"], ["a", "b"]],
            "user": {"id": "7", "ip_address": "127.0.0.1"},
            "errors": [{"type": "invalid_data", "name": "dist", "value": 1}],
            "grouping": {"variants": [{"hash": "aa", "contributes": true}, {"hash": "bb", "contributes": false}]},
        }));
        for (key, value) in [
            ("id", json!("ab".repeat(16))),
            ("eventID", json!("ab".repeat(16))),
            ("groupID", json!("7")),
            ("projectID", json!("3")),
            ("title", json!("hello")),
            ("message", json!("hello")),
            ("dateCreated", json!("2026-01-31T12:00:00.123456Z")),
            (
                "tags",
                json!([{"key": "level", "value": "error"}, {"key": "a", "value": "b"}]),
            ),
            ("fingerprints", json!(["aa"])),
            ("contexts", json!({})),
            ("previousEventID", json!("cd".repeat(16))),
            ("nextEventID", Value::Null),
            ("release", Value::Null),
        ] {
            assert_eq!(shown[key], value, "{key}");
        }
        assert_eq!(shown["user"]["ip_address"], "127.0.0.1");
        assert_eq!(shown["user"]["email"], Value::Null);
        assert_eq!(shown["errors"][0]["data"]["name"], "dist");
        assert!(shown.get("project").is_none());
    }

    #[test]
    fn an_empty_payload_is_still_an_event() {
        let shown = whole(json!({}));
        assert_eq!(shown["dateCreated"], "1970-01-01T00:00:00.000000Z");
        assert_eq!(
            (&shown["title"], &shown["user"]),
            (&json!(""), &Value::Null)
        );
        assert_eq!(shown["entries"], json!([]));
    }
}
