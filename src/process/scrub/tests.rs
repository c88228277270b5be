//! Secrets of all kinds in all places of an event, and what must stay readable.

use serde_json::{Value, json};

use super::{BuiltIn, Rules, Scrubbing};
use crate::process::{Incoming, Settings, process};
use crate::protocol::event_id::EventId;

fn stored_with(event: &Value, settings: &Settings) -> String {
    let payload = serde_json::to_vec(event).expect("JSON");
    let incoming = Incoming {
        payload: &payload,
        event_id: EventId::from_bytes([1; 16]),
        received_ms: 1_795_256_700_000,
        sent_at_ms: None,
        remote_addr: Some([203, 0, 113, 9].into()),
        sdk_client: None,
    };
    let processed = process(&incoming, settings).expect("an event");
    format!(
        "{processed:?} {}",
        String::from_utf8_lossy(&processed.payload)
    )
}

fn stored(event: &Value) -> String {
    stored_with(event, &Settings::default())
}

/// Texts with a secret in all places of an event that hold texts.
fn places(secret: &str) -> Vec<(String, Value)> {
    let lines = include_str!("../../../tests/fixtures/scrubbing/places.jsonl").lines();
    lines
        .map(|line| {
            let line: Value = serde_json::from_str(&line.replace('◆', secret)).expect("JSON");
            (line["place"].to_string(), line["event"].clone())
        })
        .collect()
}

#[test]
fn secrets_are_known_by_their_look_in_every_place() {
    for secret in include_str!("../../../tests/fixtures/scrubbing/secrets.txt").lines() {
        for (place, event) in places(secret) {
            let stored = stored(&event);
            assert!(!stored.contains(secret), "{secret} in {place}: {stored}");
        }
    }
}

#[test]
fn secrets_are_known_by_their_names() {
    const NEEDLE: &str = "Nadel-im-Heu-7";
    let named = include_str!("../../../tests/fixtures/scrubbing/named.json");
    let all: Value = serde_json::from_str(&named.replace('◆', NEEDLE)).expect("JSON");
    let stored = stored(&all);
    let leak = stored
        .find(NEEDLE)
        .map(|at| &stored[at.saturating_sub(120)..at + 20]);
    assert_eq!(leak, None);
    for readable in [
        "page",
        "theme",
        "dark",
        "--verbose",
        "2.0",
        "postgres://app:",
        "4bf92f3577b34da6a3ce929d0e0e4736",
    ] {
        assert!(stored.contains(readable), "{readable}");
    }
}

#[test]
fn addresses_of_people_go_from_query_strings_and_messages() {
    let stored = stored(&json!({
        "message": "mail to jane.doe@example.com failed",
        "request": {"url": "https://a.example/signup?email=jane.doe@example.com", "query_string": "mail=jane.doe%40example.com"},
        "breadcrumbs": [{"data": {"url": "https://a.example/?who=jane.doe@example.com"}}],
    }));
    assert!(!stored.contains("jane.doe"), "{stored}");
}

#[test]
fn what_only_resembles_a_secret_stays() {
    let texts = [
        "Unexpected token '<' in JSON at position 0",
        "Invalid token: unexpected end of input",
        "author=jane",
        "The user is authenticated: true",
        "order 4111111111111112 of 2026-11-21T10:00:00Z",
        "GET /authors/17?page=2 returned 404",
        "sk-learn-is-a-library-of-python",
        "Basic information about tokens",
        "key 'users.email' of table accounts",
        "https://auth.example.com/login?next=/cart",
        "password reset mail was sent",
        "0x7f0caac74307 6f1c1f5e-7b0a-4f5e-9a63-0a1b2c3d4e5f",
    ];
    for text in texts {
        let stored = stored(
            &json!({"extra": {"note": text}, "exception": {"values": [{"type": "E", "value": text}]}}),
        );
        let shown = serde_json::to_string(text).expect("JSON");
        assert!(stored.contains(&shown), "{text}: {stored}");
        assert!(!stored.contains("_meta"), "{text}: {stored}");
    }
}

#[test]
fn what_went_is_noted_beside_the_event() {
    let stored =
        stored(&json!({"extra": {"password": "hunter2", "a": {"b": ["4111 1111 1111 1111"]}}}));
    let notes = r#""_meta":{"extra":{"a":{"b":{"0":{"":{"rem":[["@creditcard","s",0,10]],"len":19}}}},"password":{"":{"rem":[["@password","s",0,10]],"len":7}}}}"#;
    assert!(stored.contains(notes), "{stored}");
}

#[test]
fn a_project_decides_what_is_secret() {
    let list = |entries: &[&str]| entries.iter().map(|&entry| entry.to_owned()).collect();
    let event = json!({
        "user": {"id": "1", "ip_address": "198.51.100.7"},
        "request": {"env": {"REMOTE_ADDR": "198.51.100.7"}, "headers": {"X-Forwarded-For": "198.51.100.7"}},
        "extra": {"customer_no": "K-77123", "api_token_kind": "short", "note": "order 123456 of K-77123", "code": "AB-99", "password": "hunter2"},
    });
    let organization = Rules::of(&Scrubbing {
        fields: list(&["Customer_No"]),
        ..Scrubbing::default()
    });
    let settings = Settings::default().scrubbed_by(organization.and(&Scrubbing {
        remove_ips: true,
        safe_fields: list(&["api_token_kind"]),
        expressions: list(&[r"\bK-\d{5}\b", r"code -> ^[A-Z]{2}-\d+$"]),
        ..Scrubbing::default()
    }));
    let stored = stored_with(&event, &settings);
    for secret in ["K-77123", "198.51.100.7", "203.0.113.9", "AB-99", "hunter2"] {
        assert!(!stored.contains(secret), "{secret}: {stored}");
    }
    assert!(
        stored.contains("short") && stored.contains("order 123456 of [Filtered]"),
        "{stored}"
    );

    let off = Scrubbing {
        built_in: BuiltIn::Off,
        ..Scrubbing::default()
    };
    let rules = Rules::default().and(&off);
    assert!(rules.is_empty());
    let settings = Settings::default().scrubbed_by(rules);
    assert!(stored_with(&event, &settings).contains("hunter2"));
}
