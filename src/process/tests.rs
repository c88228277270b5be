//! The whole pipeline, on real requests of SDKs and on made-up ones.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::*;

mod properties;
mod tables;

const SENDER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn read(path: &str) -> Vec<u8> {
    std::fs::read(fixtures().join(path)).expect("the fixture is in the repository")
}

fn table(path: &str) -> serde_json::Map<String, Value> {
    serde_json::from_slice(&read(path)).expect("a table is a JSON object")
}

/// The first event of an envelope, or the whole body if it is none.
pub(super) fn event_item(path: &str) -> Option<Vec<u8>> {
    let body = read(path);
    if !path.ends_with(".envelope") {
        return Some(body);
    }
    let mut rest = &body[line_end(&body)..];
    while !rest.is_empty() {
        let end = line_end(rest);
        let header: Value = serde_json::from_slice(&rest[..end]).unwrap_or(Value::Null);
        rest = &rest[end..];
        let length = match header["length"].as_u64() {
            Some(length) => (length as usize).min(rest.len()),
            None if header.is_null() => 0,
            None => line_end(rest),
        };
        if header["type"] == "event" {
            return Some(rest[..length].to_vec());
        }
        rest = &rest[length..];
        rest = rest.strip_prefix(b"\n").unwrap_or(rest);
    }
    None
}

fn line_end(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .position(|byte| *byte == b'\n')
        .map_or(bytes.len(), |at| at + 1)
}

/// 2026-11-21T10:25:00Z, after all the recorded events.
const NOW_MS: i64 = 1_795_256_700_000;

fn run(payload: &[u8], received_ms: i64) -> Result<ProcessedEvent, ProcessError> {
    process(
        &Incoming {
            payload,
            event_id: EventId::from_bytes([7; 16]),
            received_ms,
            sent_at_ms: None,
            remote_addr: Some(SENDER),
            sdk_client: None,
        },
        &Settings::default(),
    )
}

fn run_json(payload: &[u8]) -> (ProcessedEvent, Value) {
    let event = run(payload, NOW_MS).expect("an event");
    let stored = serde_json::from_slice(&event.payload).expect("the payload is JSON");
    (event, stored)
}

#[test]
fn limits_hold() {
    for (path, pointer, most) in [
        (
            "json-many-frames",
            "/exception/values/0/stacktrace/frames",
            250,
        ),
        ("json-many-exceptions", "/exception/values", 50),
        ("json-many-breadcrumbs", "/breadcrumbs/values", 100),
        ("json-many-tags", "/tags", 100),
    ] {
        let payload = event_item(&format!("edge/{path}.envelope")).expect("an event item");
        let (_, stored) = run_json(&payload);
        let count = stored
            .pointer(pointer)
            .and_then(Value::as_array)
            .map(Vec::len);
        assert_eq!(count, Some(most), "{path}");
    }
}

#[test]
fn what_was_wrong_is_noted() {
    let (_, stored) = run_json(
        br#"{"message":"x","release":"a/b","tags":7,"timestamp":"yesterday","user":{"ip_address":"localhost"},"level":"loud"}"#,
    );
    let names: Vec<_> = stored["errors"]
        .as_array()
        .expect("notes")
        .iter()
        .map(|note| note["name"].as_str().expect("a name"))
        .collect();
    assert_eq!(
        names,
        ["release", "tags", "timestamp", "level", "user.ip_address"]
    );
    assert_eq!(stored["errors"][0]["value"], "a/b");
}

#[test]
fn the_request_corrects_the_clock_and_names_the_sdk() {
    const TWO_HOURS_MS: i64 = 2 * 60 * 60 * 1000;
    let payload = br#"{"message":"x","timestamp":"2026-11-21T12:20:00Z","breadcrumbs":[{"timestamp":"2026-11-21T12:19:00Z"}]}"#;
    let event = process(
        &Incoming {
            payload,
            event_id: EventId::from_bytes([7; 16]),
            received_ms: NOW_MS,
            sent_at_ms: Some(NOW_MS + TWO_HOURS_MS),
            remote_addr: None,
            sdk_client: Some("sdk.of.request/1.2.3"),
        },
        &Settings::default(),
    )
    .expect("an event");
    assert_eq!(event.timestamp_ms, NOW_MS - 5 * 60 * 1000);
    let stored: Value = serde_json::from_slice(&event.payload).expect("JSON");
    assert_eq!(
        stored["breadcrumbs"]["values"][0]["timestamp"],
        "2026-11-21T10:19:00.000000Z"
    );
    assert_eq!(stored["errors"][0]["type"], "clock_drift");
    assert_eq!(stored["sdk"]["name"], "sdk.of.request");
}

#[test]
fn what_is_no_event_is_refused() {
    assert_eq!(run(b"[]", NOW_MS).err(), Some(ProcessError::NotAnObject));
    assert_eq!(run(b"null", NOW_MS).err(), Some(ProcessError::NotAnObject));
    assert!(matches!(run(b"{", NOW_MS), Err(ProcessError::NotJson(_))));
}

#[test]
fn processing_twice_changes_nothing_of_recorded_events() {
    for (path, expected) in table("expected.json") {
        let items = expected["items"].as_array().expect("items");
        if items.contains(&"event".into()) {
            assert_stable(&event_item(&path).expect("an event item"), &path);
        }
    }
    for (path, _) in table("edge/edge.json") {
        if path.starts_with("shape-") || path.starts_with("json-") || path.starts_with("pii-") {
            assert_stable(
                &event_item(&format!("edge/{path}")).expect("an event item"),
                &path,
            );
        }
    }
}

fn assert_stable(payload: &[u8], name: &str) {
    let Ok(once) = run(payload, NOW_MS) else {
        return;
    };
    let twice = run(&once.payload, NOW_MS).expect("a stored event is an event");
    let text = |event: &ProcessedEvent| String::from_utf8(event.payload.clone()).expect("UTF-8");
    assert_eq!(text(&once), text(&twice), "{name}");
    assert_eq!(once, twice, "{name}");
    assert!(!once.hashes.is_empty(), "{name}");
    assert!(
        !once.payload.windows(6).any(|part| part == b"\\u0000"),
        "{name}"
    );
}

#[test]
fn the_agent_of_the_request_tells_browser_system_and_device() {
    const PHONE: &str = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Mobile Safari/537.36";
    let payload = |contexts: &str| {
        format!(
            r#"{{"message":"x","request":{{"headers":{{"user-agent":"{PHONE}"}}}},"contexts":{contexts}}}"#
        )
    };
    let tag = |event: &ProcessedEvent, key: &str| {
        let mut tags = event.tags.iter();
        let found = tags.find(|(known, _)| known == key);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let payload_alone = payload("{}");
    let (event, _) = run_json(payload_alone.as_bytes());
    for (key, value) in [
        ("browser", "Chrome Mobile 124.0.0"),
        ("browser.name", "Chrome Mobile"),
        ("os", "Android 14"),
        ("os.name", "Android"),
        ("device", "Pixel 8"),
        ("device.family", "Pixel 8"),
        ("client_os", ""),
    ] {
        assert_eq!(tag(&event, key), value, "{key}");
    }
    assert_stable(payload_alone.as_bytes(), "derived contexts");

    let of_a_server =
        payload(r#"{"os":{"name":"Debian","version":"12"},"browser":{"name":"Own"}}"#);
    let (event, stored) = run_json(of_a_server.as_bytes());
    for (key, value) in [
        ("browser", "Own"),
        ("os", "Debian 12"),
        ("client_os", "Android 14"),
        ("client_os.name", "Android"),
    ] {
        assert_eq!(tag(&event, key), value, "{key}");
    }
    assert_eq!(stored["contexts"]["client_os"]["type"], "os");
    assert_stable(of_a_server.as_bytes(), "the server's own contexts");
}
