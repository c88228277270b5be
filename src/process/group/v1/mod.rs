//! The first version of grouping, as it was: what it hashed finds the issues of that time. Nothing in this folder changes.
//! In: a normalised and scrubbed event. Out: the hashes that version 1 gave it.

mod exception;
mod fingerprint;
mod frame;
mod function;
mod in_app;
mod parameterize;

use std::borrow::Cow;

use md5::{Digest, Md5};

use super::Hash;
use crate::process::csp::Violation;
use crate::process::event::{Event, Stacktrace, Thread};

use exception::ExceptionPart;
use fingerprint::{Entry, Fingerprint};
use frame::FramePart;
use parameterize::parameterize;

const VERSION: &str = "1";

type Values<'e> = Vec<Cow<'e, str>>;

/// All hashes of an event, the preferred first.
pub(super) fn hashes(event: &Event<'_>) -> Vec<Hash> {
    let mut hashes = Vec::with_capacity(2);
    for values in variants(event) {
        let hash = hash(&values);
        if !hashes.contains(&hash) {
            hashes.push(hash);
        }
    }
    hashes
}

fn variants<'e>(event: &'e Event<'_>) -> Vec<Values<'e>> {
    if let Some(checksum) = &event.checksum {
        return vec![texts(["checksum", "checksum", checksum])];
    }
    match fingerprint::classify(event) {
        Fingerprint::Default => default_variants(event),
        Fingerprint::Custom(entries) => vec![custom(entries)],
        Fingerprint::Hybrid(entries) => default_variants(event)
            .into_iter()
            .map(|values| hybrid(values, &entries))
            .collect(),
    }
}

fn texts<const N: usize>(texts: [&str; N]) -> Values<'_> {
    texts.into_iter().map(Cow::Borrowed).collect()
}

fn custom(entries: Vec<Entry<'_>>) -> Values<'_> {
    let mut values = texts(["custom"]);
    for entry in entries {
        if let Entry::Value(value) = entry {
            values.extend([Cow::Borrowed("fingerprint"), value]);
        }
    }
    values
}

/// Splices the default values into the list, where the marker stands.
fn hybrid<'e>(default: Values<'e>, entries: &[Entry<'e>]) -> Values<'e> {
    let mut values = texts(["hybrid"]);
    let mut spliced = Some(default);
    for entry in entries {
        match entry {
            Entry::Value(value) => values.extend([Cow::Borrowed("fingerprint"), value.clone()]),
            Entry::Default => {
                values.push(Cow::Borrowed("default"));
                values.extend(spliced.take().unwrap_or_default());
            }
        }
    }
    values
}

fn default_variants<'e>(event: &'e Event<'_>) -> Vec<Values<'e>> {
    let by_exceptions = exception_variants(&exception::parts(&event.exceptions, &event.platform));
    if !by_exceptions.is_empty() {
        return by_exceptions;
    }
    for stack in [thread_stack(&event.threads), event.stacktrace.as_ref()] {
        let variants = stack.map(|stack| stack_variants(stack, &event.platform));
        if let Some(variants) = variants.filter(|variants| !variants.is_empty()) {
            return variants;
        }
    }
    if let Some(violation) = event.report.as_ref().and_then(Violation::of) {
        let mut values = texts(["csp", "directive", violation.directive, "blocked"]);
        values.push(violation.blocked_source());
        return vec![values];
    }
    if let Some(logentry) = &event.logentry {
        let mut values = texts(["message", "message"]);
        values.push(parameterize(logentry.template()));
        return vec![values];
    }
    vec![texts(["fallback"])]
}

fn exception_variants<'e>(parts: &[ExceptionPart<'e>]) -> Vec<Values<'e>> {
    let contributes = |part: &ExceptionPart<'_>| {
        part.kind.is_some() || part.value.is_some() || !part.frames.is_empty()
    };
    if !parts.iter().any(contributes) {
        return Vec::new();
    }
    let mut variants = Vec::with_capacity(2);
    if parts.iter().any(ExceptionPart::has_in_app_frames) {
        variants.push(exception_variant("app", parts));
    }
    let has_system_frames = parts
        .iter()
        .any(|part| part.frames.iter().any(|frame| !frame.in_app));
    if has_system_frames {
        variants.push(exception_variant("system", parts));
    }
    if variants.is_empty() {
        variants.push(exception_variant("default", parts));
    }
    variants
}

fn exception_variant<'e>(variant: &str, parts: &[ExceptionPart<'e>]) -> Values<'e> {
    let mut values = texts(["exception"]);
    for part in parts {
        values.push(Cow::Borrowed("exception"));
        if let Some(kind) = part.kind {
            values.extend(texts(["type", kind]));
        }
        let by_stack = match variant {
            "app" => part.has_in_app_frames(),
            _ => !part.frames.is_empty(),
        };
        if by_stack {
            let only_app = variant == "app";
            let frames = part.frames.iter().filter(|frame| frame.in_app || !only_app);
            add_frames(&mut values, frames);
        } else if let Some(value) = &part.value {
            values.extend([Cow::Borrowed("value"), value.clone()]);
        }
    }
    values
}

fn add_frames<'p, 'e: 'p>(
    values: &mut Values<'e>,
    frames: impl Iterator<Item = &'p FramePart<'e>>,
) {
    for frame in frames {
        values.push(Cow::Borrowed("frame"));
        values.extend([&frame.place, &frame.function, &frame.source].map(Cow::clone));
    }
}

/// The stack of the one thread that matters; none if several might.
fn thread_stack<'e, 'a>(threads: &'e [Thread<'a>]) -> Option<&'e Stacktrace<'a>> {
    let only = |matters: fn(&Thread<'a>) -> bool| {
        let mut found = threads.iter().filter(|thread| matters(thread));
        match (found.next(), found.next()) {
            (Some(thread), None) => Some(Some(thread)),
            (Some(_), Some(_)) => Some(None),
            (None, _) => None,
        }
    };
    let thread = only(|thread| thread.crashed == Some(true))
        .or_else(|| only(|thread| thread.current == Some(true)))
        .or_else(|| only(|_| true))??;
    thread.stacktrace.as_ref()
}

fn stack_variants<'e>(stack: &'e Stacktrace<'_>, platform: &str) -> Vec<Values<'e>> {
    let frames = frame::parts(&stack.frames, platform);
    let mut variants = Vec::with_capacity(2);
    if frames.iter().any(|frame| frame.in_app) {
        let mut values = texts(["stacktrace"]);
        add_frames(&mut values, frames.iter().filter(|frame| frame.in_app));
        variants.push(values);
    }
    if frames.iter().any(|frame| !frame.in_app) {
        let mut values = texts(["stacktrace"]);
        add_frames(&mut values, frames.iter());
        variants.push(values);
    }
    variants
}

fn hash(values: &[Cow<'_, str>]) -> Hash {
    let mut md5 = Md5::new();
    for value in [VERSION]
        .into_iter()
        .chain(values.iter().map(AsRef::as_ref))
    {
        md5.update((value.len() as u32).to_le_bytes());
        md5.update(value.as_bytes());
    }
    md5.finalize().into()
}
