//! The labelled sample, and the rules one by one.

use std::collections::HashMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::process::{Incoming, ProcessedEvent, Settings, older_hashes, process};
use crate::protocol::event_id::EventId;

fn run(event: &Value) -> ProcessedEvent {
    process(
        &Incoming {
            payload: &serde_json::to_vec(event).expect("JSON"),
            event_id: EventId::from_bytes([1; 16]),
            received_ms: 1_795_256_700_000,
            sent_at_ms: None,
            remote_addr: None,
            sdk_client: None,
        },
        &Settings::default(),
    )
    .expect("an event")
}

fn hashes(event: &Value) -> Vec<[u8; 16]> {
    run(event).hashes
}

/// The issue of each event, as the store finds it: by any known hash, else a new one with all hashes.
pub(super) fn issues(events: &[Value]) -> Vec<usize> {
    let mut known: HashMap<[u8; 16], usize> = HashMap::new();
    let mut count = 0;
    events
        .iter()
        .map(|event| {
            let hashes = hashes(event);
            let issue = hashes.iter().find_map(|hash| known.get(hash).copied());
            let issue = issue.unwrap_or_else(|| {
                count += 1;
                count
            });
            for hash in hashes {
                known.entry(hash).or_insert(issue);
            }
            issue
        })
        .collect()
}

#[test]
fn labelled_events_are_grouped_as_labelled() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/grouping");
    for file in ["sample.jsonl", "families.jsonl"] {
        let text = std::fs::read_to_string(folder.join(file)).expect("a fixture");
        let mut lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        assert_eq!(mistakes(&lines), Vec::<String>::new(), "{file}");
        // In which order events come must not matter.
        lines.reverse();
        assert_eq!(mistakes(&lines), Vec::<String>::new(), "{file}, backwards");
    }
}

/// Pairs of events of one label in two issues, and of two labels in one.
fn mistakes(lines: &[Value]) -> Vec<String> {
    let events: Vec<Value> = lines.iter().map(|line| line["event"].clone()).collect();
    let issues = issues(&events);
    let mut found = Vec::new();
    for (one, first) in lines.iter().enumerate() {
        for (other, second) in lines.iter().enumerate().skip(one + 1) {
            let is_same = first["cluster"] == second["cluster"];
            if is_same != (issues[one] == issues[other]) {
                let what = if is_same { "split" } else { "joined" };
                let (first, second) = (&first["cluster"], &second["cluster"]);
                found.push(format!("{what}: {first} and {second}"));
            }
        }
    }
    found
}

/// What version 1 hashed when it was current: issues of that time are found by it.
#[test]
fn version_1_still_hashes_as_it_did() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/grouping");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).expect("a fixture");
    let expected: HashMap<String, Vec<String>> =
        serde_json::from_str(&read("sample-v1.json")).expect("JSON");
    for line in read("sample.jsonl").lines() {
        let line: Value = serde_json::from_str(line).expect("JSON");
        let id = line["event"]["event_id"].as_str().expect("an id");
        let hashes: Vec<String> = older_hashes(&run(&line["event"]).payload)
            .iter()
            .map(hex::encode)
            .collect();
        for hash in &hashes {
            assert!(expected[id].contains(hash), "{id}");
        }
        assert_eq!(hashes.first(), expected[id].first(), "{id}");
    }
}

fn frame(function: &str, in_app: bool) -> Value {
    json!({"function": function, "module": "m", "in_app": in_app})
}

fn exception(kind: &str, value: &str, frames: &[Value]) -> Value {
    json!({"type": kind, "value": value, "stacktrace": {"frames": frames}})
}

fn event(exceptions: &[Value]) -> Value {
    json!({"platform": "python", "exception": exceptions})
}

#[test]
fn only_in_app_frames_and_the_type_count_where_there_are_some() {
    let base = hashes(&event(&[exception(
        "E",
        "one",
        &[frame("lib", false), frame("own", true)],
    )]));
    let other_library = hashes(&event(&[exception(
        "E",
        "two",
        &[frame("x", false), frame("own", true)],
    )]));
    assert_eq!(base.len(), 2);
    assert_eq!(base[0], other_library[0]);
    assert_ne!(base[1], other_library[1]);
    for different in [
        exception("F", "one", &[frame("lib", false), frame("own", true)]),
        exception("E", "one", &[frame("lib", false), frame("other", true)]),
    ] {
        let different = hashes(&event(&[different]));
        assert!(different.iter().all(|hash| !base.contains(hash)));
    }
}

#[test]
fn without_a_stack_the_parameterised_value_counts() {
    let hash = |value: &str| hashes(&json!({"exception": {"type": "E", "value": value}}));
    assert_eq!(hash("order 17 failed"), hash("order 18 failed"));
    assert_ne!(hash("order 17 failed"), hash("basket 17 failed"));
}

#[test]
fn system_frames_carry_an_event_without_own_frames() {
    let hash = |name| hashes(&event(&[exception("E", "x", &[frame(name, false)])]));
    assert_eq!(hash("a").len(), 1);
    assert_ne!(hash("a"), hash("b"));
}

#[test]
fn recursion_counts_once() {
    let hash = |depth| {
        hashes(&event(&[exception(
            "E",
            "x",
            &vec![frame("again", true); depth],
        )]))
    };
    assert_eq!(hash(2), hash(40));
}

#[test]
fn boundaries_of_values_matter() {
    let hash = |fingerprint: Value| hashes(&json!({"message": "x", "fingerprint": fingerprint}));
    assert_ne!(hash(json!(["ab", "c"])), hash(json!(["a", "bc"])));
}

#[test]
fn fingerprints_replace_or_refine() {
    let with = |message: &str, fingerprint: Value| {
        hashes(&json!({"message": message, "fingerprint": fingerprint, "transaction": "/pay"}))
    };
    let default = with("one", json!([]));
    assert_eq!(default, with("one", json!(["{{default}}"])));
    assert_eq!(with("one", json!(["a"])), with("two", json!(["a"])));
    assert_ne!(
        with("one", json!(["{{ default }}", "a"])),
        with("two", json!(["{{ default }}", "a"]))
    );
    assert_ne!(with("one", json!(["{{ default }}", "a"])), default);
    assert_ne!(
        with("one", json!(["{{ default }}", "a"])),
        with("one", json!(["a", "{{ default }}"]))
    );
    assert_eq!(
        with("one", json!(["{{ transaction }}"])),
        with("one", json!(["/pay"]))
    );
    assert_eq!(
        with("one", json!(["{{ tags.none }}"])),
        with("one", json!(["<no-tags-none>"]))
    );
    assert_eq!(
        with("order 1", json!(["order 1"])),
        with("order 2", json!(["order 2"]))
    );
}

#[test]
fn groups_of_one_kind_are_that_kind() {
    let member = |id: i64, kind: &str, function: &str| {
        json!({"type": kind, "value": "v", "stacktrace": {"frames": [frame(function, true)]},
            "mechanism": {"type": "chained", "exception_id": id, "parent_id": 0}})
    };
    let root = json!({"type": "ExceptionGroup", "value": "all failed",
        "mechanism": {"type": "generic", "exception_id": 0, "is_exception_group": true}});
    let alone = hashes(&event(&[exception("A", "v", &[frame("f", true)])]));
    let pair = hashes(&event(&[
        member(2, "A", "f"),
        member(1, "A", "f"),
        root.clone(),
    ]));
    assert_eq!(alone, pair);
    let three = hashes(&event(&[
        member(3, "A", "f"),
        member(2, "B", "f"),
        member(1, "A", "f"),
        root.clone(),
    ]));
    let two = hashes(&event(&[
        member(2, "A", "f"),
        member(1, "B", "f"),
        root.clone(),
    ]));
    assert_eq!(three, two);
    assert_ne!(two, pair);
    // Ids that make no tree: everything counts.
    let unsound = hashes(&event(&[member(1, "A", "f"), member(1, "A", "f"), root]));
    assert_ne!(unsound, pair);
}

#[test]
fn the_thread_that_matters_groups_a_message() {
    let event = |threads: Value| json!({"platform": "native", "message": "x", "threads": threads});
    let thread = |function: &str, crashed: bool| json!({"crashed": crashed, "stacktrace": {"frames": [{"function": function, "in_app": true}]}});
    let one = hashes(&event(json!([thread("a", true), thread("b", false)])));
    assert_eq!(
        one,
        hashes(&event(json!([thread("a", true), thread("c", false)])))
    );
    let several = hashes(&event(json!([thread("a", true), thread("b", true)])));
    assert_eq!(several, hashes(&json!({"message": "x"})));
}

#[test]
fn an_empty_event_falls_back() {
    assert_eq!(hashes(&json!({})), hashes(&json!({"platform": "go"})));
}

#[test]
fn the_explanation_names_what_counted() {
    let event = run(&event(&[exception(
        "KeyError",
        "'cup'",
        &[
            frame("lib", false),
            frame("total", true),
            frame("post", true),
        ],
    )]));
    let stored: Value = serde_json::from_slice(&event.payload).expect("JSON");
    let app = &stored["grouping"]["variants"][0];
    assert_eq!(app["name"], "app");
    assert_eq!(app["hash"], hex::encode(event.hashes[0]));
    assert_eq!(
        app["components"],
        json!([{"kind": "type", "values": ["KeyError"]}, {"kind": "in_app_frames", "values": ["total", "post"]}])
    );
}
