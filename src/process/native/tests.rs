//! Events of native programs and of Android, looked up as a project's files say.

use std::sync::Arc;

use serde_json::{Value, json};

use super::debug_file::compile;
use super::{DebugFiles, Found, NoDebugFiles};
use crate::process::source_maps::{Finding, Script, SourceMaps};
use crate::process::{Incoming, Settings, process_mapped};

const SYMBOLS: &str = "MODULE Linux x86_64 83AFBDF8C3315037BDDF0B088950A56A0 shop\nFILE 0 /src/shop/cart.c\nINLINE_ORIGIN 0 apply_discount\n\
    FUNC 1000 20 0 total\nINLINE 0 44 0 0 1010 8\n1000 10 41 0\n1010 8 12 0\n1018 8 45 0\nFUNC 1040 10 0 main\n1040 10 60 0\n";
const MAPPING: &str =
    "com.example.Cart -> a.b:\n    1:1:int total():42:42 -> a\ncom.example.EmptyCart -> a.c:\n";
const MAPPING_ID: &str = "1f0e6c0e-54d3-4a8e-9c15-0a6cf2a2b1d0";

struct Files;

impl DebugFiles for Files {
    fn are_used(&self) -> bool {
        true
    }

    fn find(&self, debug_id: &str) -> Found {
        let (name, text) = match debug_id {
            "83afbdf8-c331-5037-bddf-0b088950a56a" => ("shop.sym".to_owned(), SYMBOLS),
            MAPPING_ID => (format!("/proguard/{MAPPING_ID}.txt"), MAPPING),
            _ => return Found::Missing,
        };
        let compiled = compile(&name, text.as_bytes()).expect("compiled");
        Found::Symbols(Arc::new(compiled[0].symbols.clone().expect("symbols")))
    }
}

impl SourceMaps for Files {
    fn are_used(&self) -> bool {
        false
    }

    fn find(&self, _: &Script<'_>) -> Finding {
        Finding::Missing
    }

    fn debug_files(&self) -> &dyn DebugFiles {
        self
    }
}

fn processed(event: &Value) -> Value {
    let payload = event.to_string();
    let incoming = Incoming {
        received_ms: 1_795_224_600_000,
        ..Incoming::stored(payload.as_bytes())
    };
    let event = process_mapped(&incoming, &Settings::default(), &Files).expect("processed");
    serde_json::from_slice(&event.payload).expect("JSON")
}

fn native() -> Value {
    json!({
        "platform": "native",
        "debug_meta": {"images": [
            {"type": "elf", "image_addr": "0x400000", "image_size": 0x2000, "debug_id": "83afbdf8-c331-5037-bddf-0b088950a56a", "code_file": "/srv/shop"},
            {"type": "elf", "image_addr": "0x7f0000", "image_size": 0x2000, "debug_id": "dfb8e43a-f242-3d73-a453-aeb6a777ef75", "code_file": "/lib/libc.so.6"},
        ]},
        "exception": {"values": [{"type": "SIGSEGV", "value": "Segfault", "stacktrace": {"frames": [
            {"instruction_addr": "0x7f0010", "function": "__libc_start_main", "package": "/lib/libc.so.6"},
            {"instruction_addr": "0x401050"},
            {"instruction_addr": "0x401012", "package": "/srv/shop"},
        ]}}]},
    })
}

fn frames(event: &Value) -> Vec<(String, String, i64)> {
    let frames = event["exception"]["values"][0]["stacktrace"]["frames"]
        .as_array()
        .expect("frames");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    frames
        .iter()
        .map(|frame| {
            (
                text(&frame["function"]),
                text(&frame["filename"]),
                frame["lineno"].as_i64().unwrap_or(0),
            )
        })
        .collect()
}

fn own(function: &str, file: &str, line: i64) -> (String, String, i64) {
    (function.to_owned(), file.to_owned(), line)
}

#[test]
fn addresses_become_functions_files_and_lines() {
    let event = processed(&native());
    let expected = [
        own("__libc_start_main", "", 0),
        // The address to return to is one past the function.
        own("main", "cart.c", 60),
        own("total", "cart.c", 44),
        own("apply_discount", "cart.c", 12),
    ];
    assert_eq!(frames(&event), expected, "{event}");
    assert_eq!(event["culprit"], "apply_discount");
    let note = &event["errors"][0];
    assert_eq!(
        (&note["type"], &note["name"]),
        (&json!("debug_file_missing"), &json!("libc.so.6"))
    );

    // Again, as when a file was uploaded later: nothing is added twice.
    let again = processed(&event);
    assert_eq!(frames(&again), expected, "{again}");
    assert_eq!(again["errors"].as_array().map(Vec::len), Some(1));
}

#[test]
fn obfuscated_names_become_what_they_were() {
    let event = json!({
        "platform": "java",
        "debug_meta": {"images": [{"type": "proguard", "uuid": MAPPING_ID}]},
        "exception": {"values": [{"type": "c", "module": "a", "value": "empty", "stacktrace": {"frames": [
            {"module": "android.os.Handler", "function": "dispatchMessage", "lineno": 99},
            {"module": "a.b", "function": "a", "filename": "SourceFile", "lineno": 1},
        ]}}]},
    });
    let processed_event = processed(&event);
    let exception = &processed_event["exception"]["values"][0];
    assert_eq!(
        (&exception["type"], &exception["module"]),
        (&json!("EmptyCart"), &json!("com.example"))
    );
    let expected = [
        own("dispatchMessage", "", 99),
        own("total", "Cart.java", 42),
    ];
    assert_eq!(frames(&processed_event), expected);
    assert_eq!(
        processed_event["exception"]["values"][0]["stacktrace"]["frames"][1]["module"],
        "com.example.Cart"
    );
    assert_eq!(frames(&processed(&processed_event)), expected);
}

#[test]
fn without_files_nothing_is_missed() {
    let payload = native().to_string();
    let incoming = Incoming::stored(payload.as_bytes());
    let event = process_mapped(
        &incoming,
        &Settings::default(),
        &crate::process::source_maps::NoMaps,
    )
    .expect("processed");
    let event: Value = serde_json::from_slice(&event.payload).expect("JSON");
    assert!(
        event
            .get("errors")
            .is_none_or(|errors| errors.as_array().is_none_or(|errors| errors
                .iter()
                .all(|note| note["type"] != "debug_file_missing")))
    );
    assert!(!NoDebugFiles.are_used());
}

#[test]
fn names_that_are_written_out_lose_their_arguments() {
    for (written, short) in [
        ("cart_total(int const*, int)", "cart_total"),
        ("main()", "main"),
        (
            "shop::cart::total(void (*)(int)) const",
            "shop::cart::total",
        ),
        ("shop::less::operator()(int, int)", "shop::less::operator()"),
        ("shop::less::operator()", "shop::less::operator()"),
        (
            "`anonymous namespace'::total()",
            "`anonymous namespace'::total",
        ),
        ("shop::(anonymous namespace)", "shop::(anonymous namespace)"),
        (
            "(anonymous namespace)::total",
            "(anonymous namespace)::total",
        ),
        (")(", ")("),
        ("total)", "total)"),
    ] {
        assert_eq!(super::without_arguments(written), short);
    }
}
