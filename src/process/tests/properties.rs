//! Whatever comes in: no panic, and what was processed once stays as it is when processed again.

use proptest::prelude::*;

use serde_json::Value;
use std::sync::LazyLock;

use super::{NOW_MS, assert_stable, event_item, run};

/// Names that mean something, so that the trees reach all corners of the pipeline.
const NAMES: [&str; 73] = [
    "User-Agent",
    "_meta",
    "abs_path",
    "attr",
    "author",
    "blocked_uri",
    "breadcrumbs",
    "browser",
    "category",
    "client_os",
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
    "expectct",
    "expectstaple",
    "extra",
    "filename",
    "fingerprint",
    "formatted",
    "frames",
    "function",
    "geo",
    "handled",
    "headers",
    "hostname",
    "hpkp",
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
    "template",
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

const TEXTS: [&str; 26] = [
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
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; rv:145.0) Gecko/20100101 Firefox/145.0",
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
