use serde_json::{Value, json};

use super::*;
use crate::process::{Incoming, Settings, process_mapped};
use crate::protocol::event_id::EventId;

fn read(path: &str) -> Vec<u8> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    std::fs::read(root.join(path)).expect("the fixture is in the repository")
}

fn compiled(folder: &str) -> CompiledMap {
    CompiledMap::compile(
        &read(&format!("{folder}/app.min.js")),
        &read(&format!("{folder}/app.min.js.map")),
    )
    .expect("the map of the fixture is whole")
}

/// The maps of the fixture: one for its debug id, one for the address.
struct WebShop;

impl SourceMaps for WebShop {
    fn are_used(&self) -> bool {
        true
    }

    fn find(&self, script: &Script<'_>) -> Finding {
        match (script.debug_id, script.url) {
            (Some("2665e6c8878753b29f297bd264c75cc9"), _) => {
                Finding::Map(compiled("sourcemaps/web-shop/with-debug-id"))
            }
            (None, url) if url.ends_with("/app.min.js") => {
                Finding::Map(compiled("sourcemaps/web-shop/plain"))
            }
            _ => Finding::Missing,
        }
    }
}

fn processed(payload: &[u8], maps: &dyn SourceMaps) -> Value {
    let incoming = Incoming {
        payload,
        event_id: EventId::from_bytes([7; 16]),
        received_ms: 1_795_256_700_000,
        sent_at_ms: None,
        remote_addr: None,
        sdk_client: None,
    };
    let event = process_mapped(&incoming, &Settings::default(), maps).expect("an event");
    serde_json::from_slice(&event.payload).expect("stored JSON")
}

fn event_of(envelope: &str) -> Vec<u8> {
    crate::process::tests::event_item(envelope).expect("the envelope has an event")
}

#[test]
fn frames_of_real_events_become_those_that_were_written() {
    let table: Value =
        serde_json::from_slice(&read("sourcemaps/web-shop/expected.json")).expect("a table");
    let mut seen = 0;
    for (envelope, expected) in table.as_object().expect("by envelope") {
        let event = processed(&event_of(envelope), &WebShop);
        let frames = event["exception"]["values"][0]["stacktrace"]["frames"]
            .as_array()
            .expect("frames");
        let expected = expected["frames_oldest_first"].as_array().expect("frames");
        assert_eq!(frames.len(), expected.len(), "{envelope}");
        for (frame, expected) in frames.iter().zip(expected) {
            let (before, original) = (&expected["minified"], &expected["original"]);
            if original.is_null() {
                assert_eq!(frame["function"], before["function"], "{envelope}");
                assert!(frame["data"]["sourcemap"].is_null(), "{envelope}");
                continue;
            }
            seen += 1;
            assert_eq!(frame["abs_path"], original["source"], "{envelope}");
            assert_eq!(frame["lineno"], original["line"], "{envelope}");
            assert_eq!(frame["colno"], original["column"], "{envelope}");
            assert_eq!(
                frame["context_line"], original["context_line"],
                "{envelope}"
            );
            assert_eq!(frame["data"]["minified"]["lineno"], before["lineno"]);
            assert_eq!(frame["data"]["minified"]["colno"], before["colno"]);
            assert_eq!(frame["in_app"], true);
        }
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn functions_have_the_names_that_were_written() {
    let event = processed(
        &event_of("sdk/browser-11.12.0/exception_timer.3.envelope"),
        &WebShop,
    );
    let names: Vec<&str> = event["exception"]["values"][0]["stacktrace"]["frames"]
        .as_array()
        .expect("frames")
        .iter()
        .map(|frame| frame["function"].as_str().unwrap_or_default())
        .collect();
    assert_eq!(
        &names[1..],
        [
            "<anonymous>",
            "renderTotal",
            "Basket.total",
            "Array.reduce",
            "<anonymous>",
            "priceInCents"
        ]
    );
    assert_eq!(event["culprit"], "priceInCents(web-src/lib/prices)");
}

#[test]
fn a_mapped_event_stays_as_it_is_and_can_be_mapped_again() {
    for envelope in [
        "sdk/browser-11.12.0/exception_debug_id.envelope",
        "sdk/browser-11.12.0/exception_with_scope.envelope",
    ] {
        let payload = event_of(envelope);
        let raw = processed(&payload, &NoMaps);
        let mapped = processed(&payload, &WebShop);
        assert_ne!(raw["exception"], mapped["exception"]);
        let bytes = |event: &Value| serde_json::to_vec(event).expect("JSON");
        assert_eq!(processed(&bytes(&mapped), &NoMaps), mapped, "{envelope}");
        assert_eq!(processed(&bytes(&mapped), &WebShop), mapped, "{envelope}");
        let later = processed(&bytes(&raw), &WebShop);
        assert_eq!(later["exception"], mapped["exception"], "{envelope}");
        assert_eq!(later["grouping"], mapped["grouping"], "{envelope}");
    }
}

#[test]
fn what_is_missing_is_said_and_forgotten_once_it_is_there() {
    struct Nothing(Finding);
    impl SourceMaps for Nothing {
        fn are_used(&self) -> bool {
            true
        }
        fn find(&self, _: &Script<'_>) -> Finding {
            self.0.clone()
        }
    }
    let payload = event_of("sdk/browser-11.12.0/exception_with_scope.envelope");
    let missing = processed(&payload, &Nothing(Finding::Missing));
    let notes = missing["errors"].as_array().expect("notes");
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert_eq!(notes[0]["type"], "source_map_missing");
    assert!(
        notes[0]["name"]
            .as_str()
            .is_some_and(|name| name.ends_with("app.min.js"))
    );
    let broken = processed(&payload, &Nothing(Finding::Broken("no JSON".into())));
    assert_eq!(broken["errors"][0]["value"], "no JSON");
    let not_fetched = Nothing(Finding::NotFetched("it answered 404".into()));
    let not_fetched = processed(&payload, &not_fetched);
    assert_eq!(not_fetched["errors"][0]["type"], "source_map_not_fetched");
    assert_eq!(not_fetched["errors"][0]["value"], "it answered 404");
    for earlier in [missing, not_fetched] {
        let bytes = serde_json::to_vec(&earlier).expect("JSON");
        assert!(processed(&bytes, &WebShop)["errors"].is_null());
    }
}

#[test]
fn a_few_scripts_of_an_event_are_wanted_each_once() {
    struct Public;
    impl SourceMaps for Public {
        fn are_used(&self) -> bool {
            true
        }
        fn find(&self, _: &Script<'_>) -> Finding {
            Finding::Wanted
        }
    }
    let frame = |number: usize| json!({"abs_path": format!("https://a.example/{number}.js"), "lineno": 1, "colno": number + 1});
    let frames: Vec<_> = (0..60).chain(0..60).map(frame).collect();
    let event = json!({"platform": "javascript", "release": "shop@1", "dist": "7",
        "exception": {"values": [{"type": "E", "stacktrace": {"frames": frames}}]}});
    let bytes = serde_json::to_vec(&event).expect("JSON");
    let incoming = Incoming::stored(&bytes);
    let event = process_mapped(&incoming, &Settings::default(), &Public).expect("an event");
    assert_eq!(event.wanted_scripts.len(), MOST_WANTED);
    assert_eq!(
        event.wanted_scripts[0],
        WantedScript {
            url: "https://a.example/0.js".into(),
            release: Some("shop@1".into()),
            dist: Some("7".into()),
        }
    );
}

#[test]
fn a_position_the_map_does_not_know_is_said() {
    let event = json!({"platform": "javascript", "exception": {"values": [{"type": "E", "stacktrace": {"frames": [
        {"abs_path": "https://shop.example.com/js/app.min.js", "function": "x", "lineno": 900, "colno": 3},
        {"abs_path": "<anonymous>", "function": "Array.map", "lineno": 1, "colno": 1},
        {"abs_path": "node:internal/x", "function": "y", "lineno": 1, "colno": 1},
        {"abs_path": "https://shop.example.com/js/app.min.js", "function": "no_place"},
    ]}}]}});
    let event = processed(&serde_json::to_vec(&event).expect("JSON"), &WebShop);
    assert_eq!(event["errors"][0]["type"], "source_map_without_position");
    assert_eq!(event["errors"].as_array().map(Vec::len), Some(1));
    let frames = &event["exception"]["values"][0]["stacktrace"]["frames"];
    assert_eq!(frames[0]["function"], "x");
    // Beside a frame that is mapped it is the bundler's own, and nothing to tell.
    let event = json!({"platform": "javascript", "exception": {"values": [{"type": "E", "stacktrace": {"frames": [
        {"abs_path": "https://shop.example.com/js/app.min.js", "function": "x", "lineno": 900, "colno": 3},
        {"abs_path": "https://shop.example.com/js/app.min.js", "function": "i", "lineno": 1, "colno": 348},
    ]}}]}});
    let event = processed(&serde_json::to_vec(&event).expect("JSON"), &WebShop);
    assert!(event["errors"].is_null());
}

#[test]
fn nonsense_is_no_map_and_no_panic() {
    for (script, map) in [
        (&b""[..], &b""[..]),
        (b"a", b"[]"),
        (b"\xff", b"{}"),
        (b"a", b"\xff"),
        (
            b"a",
            br#"{"version":3,"sources":["a"],"names":[],"mappings":"!!!!"}"#,
        ),
    ] {
        assert!(CompiledMap::compile(script, map).is_err(), "{map:?}");
    }
    assert!(CompiledMap::from_bytes(b"SMAPnonsense".to_vec()).is_err());
    assert!(CompiledMap::from_bytes(Vec::new()).is_err());
}

#[test]
fn paths_without_what_bundlers_put_before_them() {
    for (source, readable_as, module_as) in [
        ("webpack:///./src/a.ts", "./src/a.ts", Some("src/a")),
        (
            "webpack://shop/./src/a.tsx?1f2e",
            "./src/a.tsx?1f2e",
            Some("src/a"),
        ),
        (
            "../../web-src/lib/basket.ts",
            "../../web-src/lib/basket.ts",
            Some("web-src/lib/basket"),
        ),
        ("https://a.example/src/b.js", "/src/b.js", Some("src/b")),
        ("shop/./src/a.ts", "./src/a.ts", Some("src/a")),
        ("src/.env/c", "src/.env/c", Some("src/.env/c")),
        ("webpack://", "webpack://", Some("webpack://")),
        ("", "", None),
    ] {
        assert_eq!(readable(source), readable_as);
        assert_eq!(module(source).as_deref(), module_as, "{source}");
    }
}
