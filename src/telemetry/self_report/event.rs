//! A report as an event. In: what happened and where. Out: an event of the Sentry protocol, without secrets.

use std::backtrace::Backtrace;

use serde_json::{Map, Value, json};

use super::redact::Redactor;
use super::{SDK_NAME, Settings};
use crate::protocol::event_id::EventId;

const LONGEST_TEXT: usize = 4_000;
const MOST_FRAMES: usize = 100;

/// What is reported.
pub(super) enum Cause {
    Logged {
        message: String,
        target: String,
        location: Option<String>,
        fields: Vec<(&'static str, String)>,
    },
    Panicked {
        message: String,
        location: Option<String>,
        /// Its names are looked up when it is written, which is not for the thread that panics.
        backtrace: Backtrace,
    },
}

pub(super) struct Report {
    pub id: EventId,
    at: jiff::Timestamp,
    thread: String,
    cause: Cause,
}

impl Report {
    pub fn now(cause: Cause) -> Self {
        Self {
            id: EventId::random(),
            at: jiff::Timestamp::now(),
            thread: std::thread::current()
                .name()
                .unwrap_or("unnamed")
                .to_owned(),
            cause,
        }
    }

    /// The event as JSON.
    pub fn event(&self, settings: &Settings, server_name: &str, redactor: &Redactor) -> Value {
        let mut tags: Map<String, Value> = settings
            .tags
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect();
        tags.insert("thread".to_owned(), json!(self.thread));
        let mut event = json!({
            "event_id": self.id.to_string(),
            "timestamp": self.at.to_string(),
            "platform": "native",
            "release": concat!("bugle@", env!("CARGO_PKG_VERSION")),
            "environment": settings.environment,
            "server_name": server_name,
            "sdk": { "name": SDK_NAME, "version": env!("CARGO_PKG_VERSION") },
        });
        match &self.cause {
            Cause::Logged {
                message,
                target,
                location,
                fields,
            } => {
                event["level"] = json!("error");
                event["logger"] = json!(target);
                let error = fields.iter().find(|(name, _)| *name == "error");
                let formatted = match error {
                    Some((_, error)) => format!("{message}: {error}"),
                    None => message.clone(),
                };
                // The words of the log are fixed, so they group; what differs stands beside them.
                event["logentry"] = json!({
                    "message": cut(message),
                    "formatted": cut(&formatted),
                });
                event["fingerprint"] = json!([target, cut(message)]);
                let mut extra: Map<String, Value> = fields
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), json!(cut(value))))
                    .collect();
                if let Some(location) = location {
                    extra.insert("location".to_owned(), json!(location));
                }
                event["extra"] = Value::Object(extra);
            }
            Cause::Panicked {
                message,
                location,
                backtrace,
            } => {
                event["level"] = json!("fatal");
                event["logger"] = json!("panic");
                event["exception"] = json!({ "values": [{
                    "type": "panic",
                    "value": cut(message),
                    "mechanism": { "type": "panic", "handled": false },
                    "stacktrace": { "frames": frames(&backtrace.to_string()) },
                }] });
                if let Some(location) = location {
                    event["extra"] = json!({ "location": location });
                }
            }
        }
        event["tags"] = Value::Object(tags);
        redactor.document(&mut event);
        event
    }
}

fn cut(text: &str) -> &str {
    match text.char_indices().nth(LONGEST_TEXT) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

/// The frames of a backtrace as the standard library writes it, the outermost first.
fn frames(backtrace: &str) -> Vec<Value> {
    struct Frame<'a> {
        function: &'a str,
        place: Option<(&'a str, u32)>,
    }
    let mut found: Vec<Frame<'_>> = Vec::new();
    for line in backtrace.lines().map(str::trim) {
        if let Some(place) = line.strip_prefix("at ") {
            if let Some(frame) = found.last_mut() {
                frame.place = place_of(place);
            }
        } else if let Some((number, function)) = line.split_once(": ")
            && number.parse::<u32>().is_ok()
        {
            found.push(Frame {
                function: without_hash(function),
                place: None,
            });
        }
    }
    // What the panic itself calls says nothing.
    let inner = found
        .iter()
        .rposition(|frame| {
            frame.function.starts_with("core::panicking::")
                || frame.function.ends_with("rust_begin_unwind")
                || frame.function.starts_with("std::panicking::begin_panic")
        })
        .map_or(0, |at| at + 1);
    found
        .iter()
        .skip(inner)
        .take(MOST_FRAMES)
        .map(|frame| {
            let mut json = json!({
                "function": frame.function,
                "in_app": frame.function.trim_start_matches('<').starts_with("bugle::"),
            });
            if let Some((file, line)) = frame.place {
                json["filename"] = json!(file);
                json["lineno"] = json!(line);
            }
            json
        })
        .rev()
        .collect()
}

/// `src/a.rs:12:5` as file and line.
fn place_of(place: &str) -> Option<(&str, u32)> {
    let (rest, _column) = place.rsplit_once(':')?;
    let (file, line) = rest.rsplit_once(':')?;
    Some((file.trim_start_matches("./"), line.parse().ok()?))
}

fn without_hash(function: &str) -> &str {
    match function.rsplit_once("::h") {
        Some((name, hash)) if hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => {
            name
        }
        _ => function,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKTRACE: &str = "   0: std::backtrace::Backtrace::create
             at /rustc/abc/library/std/src/backtrace.rs:331:13
   1: std::panicking::begin_panic_handler::h0123456789abcdef
   2: core::panicking::panic_fmt
             at /rustc/abc/library/core/src/panicking.rs:75:14
   3: bugle::process::normalize::frame::read
             at ./src/process/normalize/frame.rs:40:9
   4: <bugle::queue::Redis as bugle::queue::Queue>::claim
   5: core::ops::function::FnOnce::call_once
";

    #[test]
    fn frames_are_read_from_a_backtrace() {
        assert_eq!(
            frames(BACKTRACE),
            [
                json!({"function": "core::ops::function::FnOnce::call_once", "in_app": false}),
                json!({"function": "<bugle::queue::Redis as bugle::queue::Queue>::claim", "in_app": true}),
                json!({"function": "bugle::process::normalize::frame::read", "in_app": true,
                    "filename": "src/process/normalize/frame.rs", "lineno": 40}),
            ]
        );
        assert!(frames("disabled backtrace").is_empty());
    }

    #[test]
    fn this_machine_s_own_backtraces_are_understood() {
        let frames = frames(&Backtrace::force_capture().to_string());
        assert!(
            frames.iter().any(|frame| frame["function"]
                .as_str()
                .is_some_and(|name| name.contains("own_backtraces_are_understood"))),
            "{frames:#?}"
        );
    }

    #[test]
    fn an_error_of_the_log_becomes_an_event_without_secrets() {
        let settings = Settings {
            dsn: "http://key@localhost/1".parse().expect("a DSN"),
            environment: "production".to_owned(),
            tags: vec![("roles", "ingest".to_owned())],
            secrets: vec!["correct horse".to_owned()],
        };
        let report = Report::now(Cause::Logged {
            message: "an event cannot be stored".to_owned(),
            target: "bugle::tasks".to_owned(),
            location: None,
            fields: vec![("error", "mysql://u:p@db said correct horse".to_owned())],
        });
        let event = report.event(&settings, "node-1", &Redactor::new(&settings.secrets));
        assert_eq!(
            event["logentry"]["formatted"],
            "an event cannot be stored: mysql://[hidden]@db said [hidden]"
        );
        assert_eq!(event["sdk"]["name"], SDK_NAME);
        assert_eq!(event["tags"]["roles"], "ingest");
        assert_eq!(event["server_name"], "node-1");
        assert_eq!(event["event_id"], report.id.to_string());
        assert!(!event.to_string().contains("correct horse"));
    }
}
