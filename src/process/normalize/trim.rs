//! Bounds the bags of free data, by estimated JSON size and depth, after scrubbing: a cut text hides its secrets from no rule.
//! In: an event of any size. Out: the same event, small enough to keep, with a note in `_meta` for what was cut.

use std::borrow::Cow;

use crate::process::event::{Event, Pairs, Stacktrace};
use crate::process::meta::{Notes, Path, Remark};
use crate::protocol::json::{Json, Object, Text};

use super::limits::{self, Bag};
use super::reader::shortened;

pub(in crate::process) fn trim(event: &mut Event<'_>) {
    let mut cutter = Cutter::default();
    cutter.event(event);
    cutter.notes.write(&mut event.meta);
    // The notes count, too. What there is no room for says nothing that the event does not show.
    Cutter::default().object(&mut event.meta, limits::META_BAG, &Path::root("_meta"));
}

/// Cuts, and notes what it cut.
#[derive(Default)]
struct Cutter {
    notes: Notes,
}

impl Cutter {
    fn event(&mut self, event: &mut Event<'_>) {
        let path = Path::root("exception");
        let path = path.name("values");
        for (at, exception) in event.exceptions.iter_mut().enumerate() {
            let path = path.place(at);
            self.message(exception.value.as_mut(), &path.name("value"));
            if let Some(mechanism) = &mut exception.mechanism {
                let path = path.name("mechanism");
                self.message(mechanism.description.as_mut(), &path.name("description"));
                self.object(&mut mechanism.data, limits::SMALL_BAG, &path.name("data"));
                self.object(&mut mechanism.meta, limits::SMALL_BAG, &path.name("meta"));
            }
            self.stack(exception.stacktrace.as_mut(), &path.name("stacktrace"));
        }
        let path = Path::root("threads");
        let path = path.name("values");
        for (at, thread) in event.threads.iter_mut().enumerate() {
            let path = path.place(at);
            self.stack(thread.stacktrace.as_mut(), &path.name("stacktrace"));
        }
        self.stack(event.stacktrace.as_mut(), &Path::root("stacktrace"));
        if let Some(logentry) = &mut event.logentry {
            let path = Path::root("logentry");
            self.message(logentry.message.as_mut(), &path.name("message"));
            self.message(Some(&mut logentry.formatted), &path.name("formatted"));
            // They differed in what is gone.
            if logentry.message.as_ref() == Some(&logentry.formatted) {
                logentry.message = None;
            }
            self.value(
                &mut logentry.params,
                limits::SMALL_BAG,
                &path.name("params"),
            );
        }
        if let Some(report) = &mut event.report {
            let path = Path::root(report.kind.as_str());
            self.object(&mut report.fields, limits::REPORT_BAG, &path);
        }
        let path = Path::root("user");
        self.object(&mut event.user.data, limits::SMALL_BAG, &path.name("data"));
        self.object(&mut event.user.geo, limits::SMALL_BAG, &path.name("geo"));
        self.request(event);
        let path = Path::root("contexts");
        for (name, context) in &mut event.contexts.0 {
            self.value(context, limits::CONTEXT_BAG, &path.name(name));
        }
        let path = Path::root("breadcrumbs");
        let path = path.name("values");
        for (at, crumb) in event.breadcrumbs.iter_mut().enumerate() {
            let path = path.place(at);
            self.message(crumb.message.as_mut(), &path.name("message"));
            self.object(&mut crumb.data, limits::SMALL_BAG, &path.name("data"));
        }
        self.extra(&mut event.extra);
        for (object, bag, name) in [
            (&mut event.modules, limits::MODULES_BAG, "modules"),
            (&mut event.sdk, limits::SDK_BAG, "sdk"),
            (&mut event.debug_meta, limits::DEBUG_META_BAG, "debug_meta"),
        ] {
            self.object(object, bag, &Path::root(name));
        }
    }

    fn request(&mut self, event: &mut Event<'_>) {
        let request = &mut event.request;
        let path = Path::root("request");
        for (pairs, bag, name) in [
            (&mut request.query_string, limits::QUERY_BAG, "query_string"),
            (&mut request.cookies, limits::SMALL_BAG, "cookies"),
            (&mut request.headers, limits::REQUEST_BAG, "headers"),
        ] {
            self.pairs(pairs, bag, &path.name(name));
        }
        self.value(&mut request.data, limits::REQUEST_BAG, &path.name("data"));
        self.object(&mut request.env, limits::REQUEST_BAG, &path.name("env"));
    }

    fn stack(&mut self, stack: Option<&mut Stacktrace<'_>>, path: &Path<'_>) {
        let Some(stack) = stack else { return };
        self.object(
            &mut stack.registers,
            limits::SMALL_BAG,
            &path.name("registers"),
        );
        let path = path.name("frames");
        for (at, frame) in stack.frames.iter_mut().enumerate() {
            let path = path.place(at);
            self.object(&mut frame.vars, limits::SMALL_BAG, &path.name("vars"));
            self.object(&mut frame.lock, limits::SMALL_BAG, &path.name("lock"));
            self.object(&mut frame.data, limits::SMALL_BAG, &path.name("data"));
        }
    }

    /// Each value has a limit of its own, so that one large value does not push out the others.
    fn extra(&mut self, extra: &mut Object<'_>) {
        let path = Path::root("extra");
        let bag = Bag {
            bytes: limits::EXTRA_VALUE,
            depth: limits::EXTRA_BAG.depth - 1,
        };
        for (name, value) in &mut extra.0 {
            self.value(value, bag, &path.name(name));
        }
        self.object(extra, limits::EXTRA_BAG, &path);
    }

    /// A message in a sentence or more.
    fn message(&mut self, text: Option<&mut Text<'_>>, path: &Path<'_>) {
        let Some(text) = text else { return };
        if let Cow::Owned(short) = shortened(text, limits::MESSAGE) {
            self.note_text(path, text, &short);
            *text = Cow::Owned(short);
        }
    }

    fn value(&mut self, value: &mut Json<'_>, bag: Bag, path: &Path<'_>) {
        let mut left = bag.bytes;
        if !fits(value, &mut left, bag.depth) {
            let mut left = bag.bytes;
            if !self.cut(value, &mut left, bag.depth, path) {
                *value = Json::Null;
            }
        }
    }

    fn object(&mut self, object: &mut Object<'_>, bag: Bag, path: &Path<'_>) {
        if object.is_empty() {
            return;
        }
        let mut value = Json::Object(std::mem::take(object));
        self.value(&mut value, bag, path);
        if let Json::Object(bounded) = value {
            *object = bounded;
        }
    }

    /// Pairs are bounded as if they were an object: what does not fit is left out from the end.
    fn pairs(&mut self, pairs: &mut Pairs<'_>, bag: Bag, path: &Path<'_>) {
        let (mut left, mut at, count) = (bag.bytes, 0, pairs.len());
        pairs.retain_mut(|(key, value)| {
            let place = path.place(at);
            let fits = take(&mut left, key.len() + 6)
                && self.cut(value, &mut left, bag.depth - 1, &place.name("1"));
            at += usize::from(fits);
            fits
        });
        self.note_count(path, count, pairs.len());
    }

    /// Cuts a value to what is left: texts from their end, lists and objects by leaving out what comes last.
    /// What lies too deep becomes JSON text. `false` if not even that fits.
    fn cut(
        &mut self,
        value: &mut Json<'_>,
        left: &mut usize,
        depth: usize,
        path: &Path<'_>,
    ) -> bool {
        if depth == 0 && matches!(value, Json::List(_) | Json::Object(_)) {
            *value = Json::from(value.to_text());
        }
        match value {
            Json::List(items) => {
                if !take(left, 2) {
                    return false;
                }
                let (mut at, count) = (0, items.len());
                items.retain_mut(|item| {
                    let fits = take(left, 1) && self.cut(item, left, depth - 1, &path.place(at));
                    at += usize::from(fits);
                    fits
                });
                self.note_count(path, count, items.len());
                true
            }
            Json::Object(object) => {
                if !take(left, 2) {
                    return false;
                }
                let count = object.0.len();
                object.0.retain_mut(|(key, value)| {
                    take(left, key.len() + 4) && self.cut(value, left, depth - 1, &path.name(key))
                });
                self.note_count(path, count, object.0.len());
                true
            }
            Json::Str(text) => self.text(text, left, path),
            scalar => take(left, scalar_cost(scalar)),
        }
    }

    fn text(&mut self, text: &mut Text<'_>, left: &mut usize, path: &Path<'_>) -> bool {
        const MARK: &str = "...";
        if take(left, text.len() + 2) {
            return true;
        }
        // A few letters would say nothing.
        let Some(room) = left.checked_sub(2 + MARK.len()).filter(|room| *room >= 8) else {
            return false;
        };
        let mut end = room;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let short = format!("{}{MARK}", &text[..end]);
        self.note_text(path, text, &short);
        *text = Cow::Owned(short);
        take(left, text.len() + 2)
    }

    /// The mark at the end of a text stands for what is gone.
    fn note_text(&mut self, path: &Path<'_>, text: &str, short: &str) {
        let end = short.chars().count();
        let remark = Remark {
            rule: "!limit",
            kind: "s",
            range: (end.saturating_sub(3), end),
            length: Some(text.chars().count()),
        };
        self.notes.add(path, remark);
    }

    /// Entries that are gone stood at the end.
    fn note_count(&mut self, path: &Path<'_>, count: usize, kept: usize) {
        if kept < count {
            let remark = Remark {
                rule: "!limit",
                kind: "x",
                range: (kept, kept),
                length: Some(count),
            };
            self.notes.add(path, remark);
        }
    }
}

/// Takes a cost from what is left, if there is enough.
fn take(left: &mut usize, cost: usize) -> bool {
    match left.checked_sub(cost) {
        Some(rest) => {
            *left = rest;
            true
        }
        None => false,
    }
}

/// About what a value that holds no other costs as JSON.
fn scalar_cost(value: &Json<'_>) -> usize {
    match value {
        Json::Str(text) => text.len() + 2,
        Json::Null | Json::Bool(_) => 5,
        _ => 10,
    }
}

/// Whether nothing needs to be cut, which is nearly always so; it costs one walk without a change.
fn fits(value: &Json<'_>, left: &mut usize, depth: usize) -> bool {
    match value {
        Json::List(items) => {
            depth > 0
                && take(left, 2 + items.len())
                && items.iter().all(|item| fits(item, left, depth - 1))
        }
        Json::Object(object) => {
            depth > 0
                && take(left, 2)
                && object
                    .0
                    .iter()
                    .all(|(key, value)| take(left, key.len() + 4) && fits(value, left, depth - 1))
        }
        scalar => take(left, scalar_cost(scalar)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::json::parse;

    fn bounded(json: &str, bytes: usize, depth: usize) -> String {
        let mut value = parse(json.as_bytes()).expect("JSON");
        Cutter::default().value(&mut value, Bag { bytes, depth }, &Path::root("x"));
        value.to_text()
    }

    #[test]
    fn size_and_depth_are_bounded() {
        for (json, bytes, depth, expected) in [
            (r#"{"a":1}"#, 100, 3, r#"{"a":1}"#),
            (
                r#"{"a":{"b":{"c":[1]}}}"#,
                100,
                2,
                r#"{"a":{"b":"{\"c\":[1]}"}}"#,
            ),
            (
                r#"["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","b"]"#,
                24,
                2,
                r#"["aaaaaaaaaaaaaaaa..."]"#,
            ),
            (r#"{"a":"x","b":"y"}"#, 12, 2, r#"{"a":"x"}"#),
        ] {
            let once = bounded(json, bytes, depth);
            assert_eq!(once, expected);
            assert_eq!(bounded(&once, bytes, depth), once);
        }
    }

    #[test]
    fn what_was_cut_is_noted() {
        let event = serde_json::json!({
            "message": "é".repeat(9000),
            "extra": {"big": "x".repeat(20_000), "list": vec!["item"; 5000]},
            "request": {"url": "https://a.example/", "query_string": [["a", "y".repeat(2000)], ["b", "gone"]]},
        });
        let processed = crate::process::process(
            &crate::process::Incoming {
                payload: event.to_string().as_bytes(),
                event_id: crate::protocol::event_id::EventId::from_bytes([1; 16]),
                received_ms: 1_795_256_700_000,
                sent_at_ms: None,
                remote_addr: None,
                sdk_client: None,
            },
            &crate::process::Settings::default(),
        );
        let payload = processed.expect("an event").payload;
        let event: serde_json::Value = serde_json::from_slice(&payload).expect("JSON");
        let meta = &event["_meta"];
        assert_eq!(
            meta["logentry"]["formatted"][""],
            serde_json::json!({"rem": [["!limit", "s", 8189, 8192]], "len": 9000})
        );
        assert_eq!(meta["extra"]["big"][""]["len"], 20_000);
        let kept = event["extra"]["list"].as_array().expect("a list").len();
        assert_eq!(
            meta["extra"]["list"][""],
            serde_json::json!({"rem": [["!limit", "x", kept, kept]], "len": 5000})
        );
        assert_eq!(meta["request"]["query_string"]["0"]["1"][""]["len"], 2000);
        assert_eq!(meta["request"]["query_string"][""]["len"], 2);
    }
}
