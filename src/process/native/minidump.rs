//! What a minidump says of a crash. In: the event that came with a dump, and what was read from it. Out: the event with the dump's threads,
//! binaries and reason, as an SDK would have sent it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// A dump, read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dump {
    /// `SIGSEGV / SEGV_MAPERR`, `EXCEPTION_ACCESS_VIOLATION_WRITE`
    pub reason: Option<String>,
    pub address: Option<u64>,
    /// The place of the thread that crashed.
    pub crashing_thread: Option<usize>,
    pub assertion: Option<String>,
    pub os: String,
    pub os_version: Option<String>,
    pub cpu: String,
    pub modules: Vec<Module>,
    pub threads: Vec<Thread>,
}

/// A binary in the memory of the process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Module {
    pub code_file: String,
    pub debug_file: Option<String>,
    /// As [`super::debug_file::canonical`] writes it.
    pub debug_id: Option<String>,
    pub code_id: Option<String>,
    pub start: u64,
    pub size: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thread {
    pub id: u32,
    pub name: Option<String>,
    /// Newest first: the address, and by which rule it was found.
    pub frames: Vec<(u64, String)>,
}

/// The event of a crash. `event` is what the sender said of it, if it is an object; `dump` is what was read, or why nothing was.
pub fn event(event: &[u8], dump: Result<&Dump, &str>) -> Vec<u8> {
    let mut event = match serde_json::from_slice(event) {
        Ok(Value::Object(event)) => event,
        _ => Map::new(),
    };
    event.entry("platform").or_insert_with(|| json!("native"));
    event.entry("level").or_insert_with(|| json!("fatal"));
    match dump {
        Ok(dump) => put(&mut event, dump),
        Err(reason) => {
            event.entry("exception").or_insert_with(|| {
                exception(
                    "Minidump",
                    "The minidump cannot be read",
                    None,
                    &Value::Null,
                )
            });
            let errors = event.entry("errors").or_insert_with(|| json!([]));
            if let Value::Array(errors) = errors {
                errors
                    .push(json!({"type": "minidump_broken", "name": "minidump", "value": reason}));
            }
        }
    }
    serde_json::to_vec(&Value::Object(event)).expect("a tree of plain values is always valid JSON")
}

fn exception(kind: &str, value: &str, thread: Option<u32>, stack: &Value) -> Value {
    json!({"values": [{
        "type": kind, "value": value, "thread_id": thread, "stacktrace": stack,
        "mechanism": {"type": "minidump", "handled": false, "synthetic": true},
    }]})
}

fn put(event: &mut Map<String, Value>, dump: &Dump) {
    let crashed = dump.crashing_thread.and_then(|at| dump.threads.get(at));
    let reason = dump.reason.as_deref().unwrap_or("Crash");
    let value = match (&dump.assertion, dump.address) {
        (Some(assertion), _) => assertion.clone(),
        (None, Some(address)) => format!("Fatal Error: {reason} at {address:#x}"),
        (None, None) => format!("Fatal Error: {reason}"),
    };
    let of_crash = crashed.map_or(Value::Null, |thread| stack(dump, thread));
    let id = crashed.map(|thread| thread.id);
    event.insert(
        "exception".to_owned(),
        exception(reason, &value, id, &of_crash),
    );
    let threads: Vec<Value> = dump
        .threads
        .iter()
        .enumerate()
        .map(|(at, thread)| {
            let has_crashed = dump.crashing_thread == Some(at);
            // The stack of the thread that crashed stands at the exception.
            let own = if has_crashed { Value::Null } else { stack(dump, thread) };
            json!({
                "id": thread.id, "name": thread.name, "crashed": has_crashed, "current": has_crashed,
                "stacktrace": own,
            })
        })
        .collect();
    event.insert("threads".to_owned(), json!({"values": threads}));
    put_images(event, dump);
    let mut context = |name: &str, fields: Value| {
        let contexts = event.entry("contexts").or_insert_with(|| json!({}));
        if let Value::Object(contexts) = contexts {
            contexts.entry(name).or_insert(fields);
        }
    };
    context(
        "os",
        json!({"type": "os", "name": dump.os, "version": dump.os_version}),
    );
    context("device", json!({"type": "device", "arch": dump.cpu}));
}

fn put_images(event: &mut Map<String, Value>, dump: &Dump) {
    let kind = match dump.os.as_str() {
        "Windows" | "Windows NT" => "pe",
        "macOS" | "Mac OS X" | "iOS" => "macho",
        _ => "elf",
    };
    let images = dump.modules.iter().map(|module| {
        json!({
            "type": kind, "code_file": module.code_file, "debug_file": module.debug_file,
            "debug_id": module.debug_id, "code_id": module.code_id,
            "image_addr": format!("{:#x}", module.start), "image_size": module.size,
        })
    });
    let images: Vec<Value> = images.collect();
    event.insert("debug_meta".to_owned(), json!({"images": images}));
}

/// Frames as SDKs send them: the oldest first.
fn stack(dump: &Dump, thread: &Thread) -> Value {
    let frames: Vec<Value> = thread
        .frames
        .iter()
        .rev()
        .map(|(address, trust)| {
            let module = dump.modules.iter().find(|module| {
                let offset = address.checked_sub(module.start);
                offset.is_some_and(|offset| offset < module.size)
            });
            json!({
                "instruction_addr": format!("{address:#x}"), "package": module.map(|module| &module.code_file),
                "data": {"trust": trust},
            })
        })
        .collect();
    if frames.is_empty() {
        Value::Null
    } else {
        json!({"frames": frames})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dump() -> Dump {
        Dump {
            reason: Some("SIGSEGV / SEGV_MAPERR".to_owned()),
            address: Some(0),
            crashing_thread: Some(1),
            os: "Linux".to_owned(),
            cpu: "amd64".to_owned(),
            modules: vec![Module {
                code_file: "/srv/shop".to_owned(),
                start: 0x40_0000,
                size: 0x1000,
                ..Module::default()
            }],
            threads: vec![
                Thread {
                    id: 7,
                    frames: vec![(0x7f_0000, "context".to_owned())],
                    ..Thread::default()
                },
                Thread {
                    id: 8,
                    name: Some("worker".to_owned()),
                    frames: vec![
                        (0x40_0010, "context".to_owned()),
                        (0x40_0050, "cfi".to_owned()),
                    ],
                },
            ],
            ..Dump::default()
        }
    }

    fn of(text: &str, dump: Result<&Dump, &str>) -> Value {
        serde_json::from_slice(&event(text.as_bytes(), dump)).expect("JSON")
    }

    #[test]
    fn a_crash_becomes_an_event() {
        let event = of(
            r#"{"release":"shop@7","contexts":{"os":{"name":"Debian"}}}"#,
            Ok(&dump()),
        );
        assert_eq!(
            (&event["release"], &event["platform"], &event["level"]),
            (&json!("shop@7"), &json!("native"), &json!("fatal"))
        );
        let exception = &event["exception"]["values"][0];
        assert_eq!(
            exception["value"],
            "Fatal Error: SIGSEGV / SEGV_MAPERR at 0x0"
        );
        assert_eq!(exception["thread_id"], 8);
        let frames = &exception["stacktrace"]["frames"];
        assert_eq!(
            (&frames[0]["instruction_addr"], &frames[1]["package"]),
            (&json!("0x400050"), &json!("/srv/shop"))
        );
        assert!(event["threads"]["values"][1]["stacktrace"].is_null());
        assert_eq!(
            event["threads"]["values"][0]["stacktrace"]["frames"][0]["instruction_addr"],
            "0x7f0000"
        );
        assert_eq!(
            (
                &event["contexts"]["os"]["name"],
                &event["contexts"]["device"]["arch"]
            ),
            (&json!("Debian"), &json!("amd64"))
        );
        assert_eq!(event["debug_meta"]["images"][0]["image_addr"], "0x400000");
    }

    #[test]
    fn a_broken_dump_is_told_and_an_event_all_the_same() {
        for text in ["", "[]", "no json"] {
            let event = of(text, Err("it is too short"));
            assert_eq!(event["exception"]["values"][0]["type"], "Minidump");
            assert_eq!(event["errors"][0]["value"], "it is too short");
        }
        let own = of(r#"{"exception":{"values":[{"type":"Own"}]}}"#, Err("x"));
        assert_eq!(own["exception"]["values"][0]["type"], "Own");
    }
}
