//! What real requests of SDKs must give: the tables of `tests/fixtures` against the whole pipeline.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::Value;

use super::*;

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
fn event_item(path: &str) -> Option<Vec<u8>> {
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
    process(&Incoming {
        payload,
        event_id: EventId::from_bytes([7; 16]),
        received_ms,
        sent_at_ms: None,
        remote_addr: Some(SENDER),
        sdk_client: Some("sdk.of.request/1.2.3"),
    })
}

fn run_json(payload: &[u8]) -> (ProcessedEvent, Value) {
    let event = run(payload, NOW_MS).expect("an event");
    let stored = serde_json::from_slice(&event.payload).expect("the payload is JSON");
    (event, stored)
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// Compares what a table entry says with what came out; the differences are told.
fn differences(expected: &Value, event: &ProcessedEvent, stored: &Value) -> Vec<String> {
    let mut differences = Vec::new();
    let mut check = |name: &str, found: Option<&str>| {
        if let Some(wanted) = expected.get(name) {
            let wanted = text_of(wanted).unwrap_or_default();
            let found = found.unwrap_or_default();
            if wanted != found {
                differences.push(format!("{name}: expected {wanted:?}, found {found:?}"));
            }
        }
    };
    check("title", Some(&event.title));
    check("type", Some(event.kind.as_str()));
    check("culprit", Some(&event.culprit));
    check("location", Some(&event.location));
    check("level", Some(event.level.as_str()));
    check("platform", Some(&event.platform));
    check("release", event.release.as_deref());
    check("dist", event.dist.as_deref());
    check("environment", event.environment.as_deref());
    check("logger", event.logger.as_deref());
    check("server_name", stored["server_name"].as_str());
    check("trace_id", stored["contexts"]["trace"]["trace_id"].as_str());
    check("sdk", stored["sdk"]["name"].as_str());
    let handled = event.handled.map(|handled| handled.to_string());
    check("handled", handled.as_deref());
    let exceptions = stored["exception"]["values"].as_array();
    let main = exceptions.and_then(|values| values.last());
    check(
        "mechanism",
        main.and_then(|main| main["mechanism"]["type"].as_str()),
    );
    let crumbs = stored["breadcrumbs"]["values"].as_array();
    let crumbs = crumbs.map(|crumbs| crumbs.len().to_string());
    check("breadcrumbs", crumbs.as_deref());
    check("template", stored["logentry"]["message"].as_str());
    if let Some(url) = expected["url"].as_str() {
        let wanted = url.split('?').next().unwrap_or(url);
        if stored["request"]["url"] != wanted {
            differences.push(format!(
                "url: expected {wanted}, found {}",
                stored["request"]["url"]
            ));
        }
    }
    if let Some(wanted) = expected["exceptions"].as_array() {
        let found: Vec<_> = exceptions
            .into_iter()
            .flatten()
            .map(|exception| exception["type"].clone())
            .collect();
        if *wanted != found {
            differences.push(format!("exceptions: expected {wanted:?}, found {found:?}"));
        }
    }
    if let Some(wanted) = expected["tags"].as_object() {
        for (key, value) in wanted {
            let found = event.tags.iter().find(|(known, _)| known == key);
            let found = found.map(|(_, value)| value.as_str());
            if found != value.as_str() {
                differences.push(format!("tag {key}: expected {value}, found {found:?}"));
            }
        }
    }
    if let Some(wanted) = expected["user"].as_object() {
        for (key, value) in wanted {
            let auto = matches!(
                value.as_str(),
                Some("{{auto}}" | "address of the connection")
            );
            let wanted = if auto {
                Value::from(SENDER.to_string())
            } else {
                value.clone()
            };
            if stored["user"][key] != wanted {
                differences.push(format!(
                    "user {key}: expected {wanted}, found {}",
                    stored["user"][key]
                ));
            }
        }
    }
    if let Some(wanted) = expected["request"].as_object() {
        for (key, value) in wanted {
            if stored["request"][key] != *value {
                differences.push(format!(
                    "request {key}: expected {value}, found {}",
                    stored["request"][key]
                ));
            }
        }
    }
    if let Some(wanted) = expected.get("fingerprint")
        && stored.get("fingerprint").unwrap_or(&Value::Null) != wanted
    {
        differences.push(format!(
            "fingerprint: expected {wanted}, found {}",
            stored["fingerprint"]
        ));
    }
    differences
}

#[test]
fn requests_of_sdks_give_what_the_table_says() {
    let mut seen = 0;
    let mut wrong = Vec::new();
    for (path, expected) in table("expected.json") {
        let items = expected["items"].as_array().expect("items");
        let is_store = items.contains(&"store".into());
        // Base64 is undone before processing.
        if path.ends_with(".b64") || !(is_store || items.contains(&"event".into())) {
            continue;
        }
        let payload = event_item(&path).expect("an event item");
        let (event, stored) = run_json(&payload);
        seen += 1;
        for difference in differences(&expected, &event, &stored) {
            wrong.push(format!("{path}: {difference}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen >= 60, "only {seen} events in the table");
}

#[test]
fn lenient_forms_give_what_the_table_says() {
    let mut seen = 0;
    let mut wrong = Vec::new();
    for (path, entry) in table("edge/edge.json") {
        if !path.starts_with("shape-") && !path.starts_with("json-") {
            continue;
        }
        let expected = &entry["expect"];
        let payload = event_item(&format!("edge/{path}")).expect("an event item");
        let Ok(event) = run(&payload, NOW_MS) else {
            assert_ne!(expected["status"], 200, "{path} must be accepted");
            continue;
        };
        assert_ne!(expected["stored"], 0, "{path} must not be stored");
        seen += 1;
        let stored: Value = serde_json::from_slice(&event.payload).expect("the payload is JSON");
        for difference in differences(expected, &event, &stored) {
            wrong.push(format!("{path}: {difference}"));
        }
        if let Some(part) = expected["title_contains"].as_str() {
            assert!(event.title.contains(part), "{path}: {}", event.title);
        }
        if let Some(most) = expected["title_max"].as_u64() {
            assert!(event.title.chars().count() as u64 <= most, "{path}");
        }
        if let Some(timestamp) = expected["timestamp"].as_str() {
            let wanted = time::parse(&timestamp.into()).unwrap_or(NOW_MS * 1000);
            let found = time::parse(&stored["timestamp"].as_str().expect("a time").into());
            if found != Some(wanted) {
                wrong.push(format!("{path}: timestamp {}", stored["timestamp"]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen >= 50, "only {seen} events in the table");
}

#[test]
fn personal_data_is_filtered() {
    let entry = &table("edge/edge.json")["pii-scrubbing.envelope"]["expect"];
    let payload = event_item("edge/pii-scrubbing.envelope").expect("an event item");
    let before: Value = serde_json::from_slice(&payload).expect("JSON");
    let (event, stored) = run_json(&payload);
    let find = |path: &str| {
        let mut value = &stored;
        for part in path.split('.') {
            let (name, index) = match part.split_once('[') {
                Some((name, index)) => (name, index.trim_end_matches(']').parse::<usize>().ok()),
                None => (part, None),
            };
            value = match value {
                Value::Array(pairs) => pairs
                    .iter()
                    .find(|pair| pair[0] == name)
                    .map_or(&Value::Null, |pair| &pair[1]),
                other => &other[name],
            };
            if let Some(index) = index {
                value = &value[index];
            }
        }
        value.clone()
    };
    for path in entry["filtered"].as_array().expect("a list") {
        let path = path.as_str().expect("a path");
        assert_eq!(find(path), "[Filtered]", "{path}");
    }
    for path in entry["untouched"].as_array().expect("a list") {
        let path = path.as_str().expect("a path");
        let pointer = format!("/{}", path.replace('.', "/"));
        assert_eq!(Some(&find(path)), before.pointer(&pointer), "{path}");
    }
    assert_eq!(find("extra.url"), entry["partly"]["extra.url"]);
    assert_eq!(
        event.title,
        entry["partly"]["message"].as_str().expect("a text")
    );
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
    assert_eq!(stored["sdk"]["name"], "sdk.of.request");
}

#[test]
fn a_wrong_clock_is_corrected() {
    let two_hours_ms = 2 * 60 * 60 * 1000;
    let payload = br#"{"message":"x","timestamp":"2026-11-21T12:20:00Z","breadcrumbs":[{"timestamp":"2026-11-21T12:19:00Z"}]}"#;
    let event = process(&Incoming {
        payload,
        event_id: EventId::from_bytes([7; 16]),
        received_ms: NOW_MS,
        sent_at_ms: Some(NOW_MS + two_hours_ms),
        remote_addr: None,
        sdk_client: None,
    })
    .expect("an event");
    assert_eq!(event.timestamp_ms, NOW_MS - 5 * 60 * 1000);
    let stored: Value = serde_json::from_slice(&event.payload).expect("JSON");
    assert_eq!(
        stored["breadcrumbs"]["values"][0]["timestamp"],
        "2026-11-21T10:19:00.000000Z"
    );
    assert_eq!(stored["errors"][0]["type"], "clock_drift");
}

#[test]
fn what_is_no_event_is_refused() {
    assert_eq!(run(b"[]", NOW_MS).err(), Some(ProcessError::NotAnObject));
    assert_eq!(run(b"null", NOW_MS).err(), Some(ProcessError::NotAnObject));
    assert!(matches!(run(b"{", NOW_MS), Err(ProcessError::NotJson(_))));
}

/// All recorded events with what they group by, for changes to be seen in review.
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

mod properties {
    use proptest::prelude::*;

    use super::*;

    /// Names that mean something, so that the trees reach all corners of the pipeline.
    const NAMES: [&str; 64] = [
        "abs_path",
        "attr",
        "author",
        "breadcrumbs",
        "browser",
        "category",
        "colno",
        "context_line",
        "contexts",
        "cookies",
        "crashed",
        "csp",
        "culprit",
        "data",
        "effective_directive",
        "env",
        "environment",
        "errors",
        "exception",
        "exception_id",
        "extra",
        "filename",
        "fingerprint",
        "formatted",
        "frames",
        "function",
        "geo",
        "handled",
        "headers",
        "id",
        "in_app",
        "instruction_addr",
        "ip_address",
        "is_exception_group",
        "level",
        "lineno",
        "logentry",
        "mechanism",
        "message",
        "meta",
        "module",
        "os",
        "package",
        "params",
        "parent_id",
        "password",
        "platform",
        "query_string",
        "release",
        "request",
        "sdk",
        "stacktrace",
        "synthetic",
        "tags",
        "threads",
        "timestamp",
        "transaction",
        "type",
        "url",
        "user",
        "value",
        "values",
        "vars",
        "version",
    ];

    const TEXTS: [&str; 24] = [
        "",
        " ",
        "a",
        "a b\n c",
        "error",
        "30",
        "javascript",
        "native",
        "python",
        "java",
        "{{ default }}",
        "{{auto}}",
        "192.0.2.7",
        "https://user:pw@a.example/x?y=%00z#f",
        "2026-11-21T10:00:00Z",
        "1795255200.25",
        "%s of %(x)d",
        "{} {0} {name}",
        "4111111111111111",
        "a=b; c=d",
        "{\"k\":[1]}",
        "0x7f",
        "?",
        "é\u{1f600}\u{0}\u{202e}",
    ];

    fn name() -> impl Strategy<Value = String> {
        prop_oneof![
            9 => proptest::sample::select(&NAMES[..]).prop_map(str::to_owned),
            1 => "\\PC{0,12}",
        ]
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            1 => Just(Value::Null),
            1 => any::<bool>().prop_map(Value::from),
            1 => any::<i64>().prop_map(Value::from),
            1 => (0..100_i64).prop_map(Value::from),
            1 => any::<i32>().prop_map(|number| Value::from(f64::from(number) / 8.0)),
            4 => proptest::sample::select(&TEXTS[..]).prop_map(Value::from),
            1 => "\\PC{0,40}".prop_map(Value::from),
            1 => (1..600_usize).prop_map(|count| Value::from("long é ".repeat(count))),
        ];
        leaf.prop_recursive(7, 96, 8, |inner| {
            prop_oneof![
                1 => proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                3 => proptest::collection::vec((name(), inner), 0..8)
                    .prop_map(|entries| Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    fn event() -> impl Strategy<Value = Value> {
        proptest::collection::vec((name(), json()), 0..10)
            .prop_map(|entries| Value::Object(entries.into_iter().collect()))
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

        #[test]
        fn any_event_is_processed_and_stays_what_it_became(event in event()) {
            let payload = serde_json::to_vec(&event).expect("JSON");
            assert_stable(&payload, "generated");
        }

        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = run(&bytes, NOW_MS);
        }

        #[test]
        fn a_damaged_event_is_survived(at in 0..DAMAGED.len(), byte in any::<u8>()) {
            let mut bytes = DAMAGED.clone();
            bytes[at] = byte;
            let _ = run(&bytes, NOW_MS);
        }
    }

    static DAMAGED: LazyLock<Vec<u8>> = LazyLock::new(|| {
        event_item("sdk/python-2.75.0/exception_with_scope.envelope").expect("an event item")
    });
}
