//! Bounds the bags of free data, by estimated JSON size and depth, after scrubbing: a cut text hides its secrets from no rule.
//! In: an event of any size. Out: the same event, small enough to keep.

use std::borrow::Cow;

use crate::process::event::{Event, Stacktrace};
use crate::protocol::json::{Json, Object};

use super::limits::{self, Bag};

pub(in crate::process) fn trim(event: &mut Event<'_>) {
    for exception in &mut event.exceptions {
        if let Some(mechanism) = &mut exception.mechanism {
            bound_object(&mut mechanism.data, limits::SMALL_BAG);
            bound_object(&mut mechanism.meta, limits::SMALL_BAG);
        }
        trim_stack(exception.stacktrace.as_mut());
    }
    for thread in &mut event.threads {
        trim_stack(thread.stacktrace.as_mut());
    }
    trim_stack(event.stacktrace.as_mut());
    if let Some(logentry) = &mut event.logentry {
        bound(&mut logentry.params, limits::SMALL_BAG);
    }
    if let Some(report) = &mut event.report {
        bound_object(&mut report.fields, limits::REPORT_BAG);
    }
    bound_object(&mut event.user.data, limits::SMALL_BAG);
    bound_object(&mut event.user.geo, limits::SMALL_BAG);
    bound_pairs(&mut event.request.query_string, limits::QUERY_BAG);
    bound_pairs(&mut event.request.cookies, limits::SMALL_BAG);
    bound_pairs(&mut event.request.headers, limits::REQUEST_BAG);
    bound(&mut event.request.data, limits::REQUEST_BAG);
    bound_object(&mut event.request.env, limits::REQUEST_BAG);
    for (_, context) in &mut event.contexts.0 {
        bound(context, limits::CONTEXT_BAG);
    }
    for crumb in &mut event.breadcrumbs {
        bound_object(&mut crumb.data, limits::SMALL_BAG);
    }
    bound_extra(&mut event.extra);
    bound_object(&mut event.modules, limits::MODULES_BAG);
    bound_object(&mut event.sdk, limits::SDK_BAG);
    bound_object(&mut event.debug_meta, limits::DEBUG_META_BAG);
    bound_object(&mut event.meta, limits::META_BAG);
}

fn trim_stack(stack: Option<&mut Stacktrace<'_>>) {
    let Some(stack) = stack else { return };
    bound_object(&mut stack.registers, limits::SMALL_BAG);
    for frame in &mut stack.frames {
        bound_object(&mut frame.vars, limits::SMALL_BAG);
        bound_object(&mut frame.lock, limits::SMALL_BAG);
        bound_object(&mut frame.data, limits::SMALL_BAG);
    }
}

/// Each value has a limit of its own, so that one large value does not push out the others.
fn bound_extra(extra: &mut Object<'_>) {
    for (_, value) in &mut extra.0 {
        bound(
            value,
            Bag {
                bytes: limits::EXTRA_VALUE,
                depth: limits::EXTRA_BAG.depth - 1,
            },
        );
    }
    bound_object(extra, limits::EXTRA_BAG);
}

fn bound(value: &mut Json<'_>, bag: Bag) {
    let mut left = bag.bytes;
    if !fits(value, &mut left, bag.depth) {
        let mut left = bag.bytes;
        if !cut(value, &mut left, bag.depth) {
            *value = Json::Null;
        }
    }
}

fn bound_object(object: &mut Object<'_>, bag: Bag) {
    if object.is_empty() {
        return;
    }
    let mut value = Json::Object(std::mem::take(object));
    bound(&mut value, bag);
    if let Json::Object(bounded) = value {
        *object = bounded;
    }
}

/// Pairs are bounded as if they were an object: what does not fit is left out from the end.
fn bound_pairs(pairs: &mut Vec<(Cow<'_, str>, Json<'_>)>, bag: Bag) {
    let mut left = bag.bytes;
    pairs.retain_mut(|(key, value)| {
        take(&mut left, key.len() + 6) && cut(value, &mut left, bag.depth - 1)
    });
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

/// Cuts a value to what is left: texts from their end, lists and objects by leaving out what comes last.
/// What lies too deep becomes JSON text. `false` if not even that fits.
fn cut(value: &mut Json<'_>, left: &mut usize, depth: usize) -> bool {
    if depth == 0 && matches!(value, Json::List(_) | Json::Object(_)) {
        *value = Json::from(value.to_text());
    }
    match value {
        Json::List(items) => {
            if !take(left, 2) {
                return false;
            }
            items.retain_mut(|item| take(left, 1) && cut(item, left, depth - 1));
            true
        }
        Json::Object(object) => {
            if !take(left, 2) {
                return false;
            }
            object.0.retain_mut(|(key, value)| {
                take(left, key.len() + 4) && cut(value, left, depth - 1)
            });
            true
        }
        Json::Str(text) => cut_text(text, left),
        scalar => take(left, scalar_cost(scalar)),
    }
}

fn cut_text(text: &mut Cow<'_, str>, left: &mut usize) -> bool {
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
    *text = Cow::Owned(format!("{}{MARK}", &text[..end]));
    take(left, text.len() + 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::json::parse;

    fn bounded(json: &str, bytes: usize, depth: usize) -> String {
        let mut value = parse(json.as_bytes()).expect("JSON");
        bound(&mut value, Bag { bytes, depth });
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
}
