//! Grouping: which events are the same problem. The rules for users stand in docs/grouping.md.
//! In: a normalised and scrubbed event. Out: its hashes, the preferred first, and an explanation of them.

mod exception;
mod explain;
mod family;
mod fingerprint;
mod frame;
mod generated;
mod image;
pub(super) mod in_app;
mod libraries;
mod machinery;
mod message;
mod minified;
mod name;
mod path;
mod place;
mod sdk;
mod source;
mod table;
mod token;
mod unspecific;
mod v1;

use std::borrow::Cow;

use md5::{Digest, Md5};

use super::csp::Violation;
use super::event::{Event, Report, Stacktrace, Thread};
use super::report;
use super::rules::{self, Judgements};
use super::settings::Settings;

use exception::ExceptionPart;
use fingerprint::{Entry, Fingerprint};
use frame::FramePart;
use message::{parameterize, skeleton};

pub(super) use explain::stacks;
pub use explain::{FrameReport, StackReport};
pub use name::readable_symbol;

/// The version of this algorithm. Another one is another version, so that old and new hashes never meet by accident.
pub const VERSION: i32 = 2;
/// Part of every hash.
const VERSION_TEXT: &str = "2";

/// What earlier versions said of an event, the newest of them first.
pub(super) fn older(event: &Event<'_>) -> Vec<Hash> {
    v1::hashes(event)
}

pub(super) type Hash = [u8; 16];

#[derive(Debug)]
pub(super) struct Grouping<'e> {
    pub hashes: Vec<Hash>,
    pub explanation: Explanation<'e>,
    /// The title that a rule gives.
    pub title: Option<String>,
}

/// What the issue page tells about the grouping of an event.
#[derive(Debug, serde::Serialize)]
pub(super) struct Explanation<'e> {
    pub version: &'static str,
    /// The fingerprint rule that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
    pub variants: Vec<Variant<'e>>,
}

/// A fingerprint rule, as people know it.
#[derive(Debug, serde::Serialize)]
pub(super) struct Rule {
    pub text: String,
    /// Its line in the project's rules; none for one that is built in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

/// One way to group an event. In a stored event only the first, which names the issue, is explained in detail: frames of
/// libraries would fill every one with their names.
#[derive(Debug, serde::Serialize)]
pub(super) struct Variant<'e> {
    pub name: &'static str,
    pub hash: String,
    contributes: bool,
    pub components: Vec<Component<'e>>,
}

/// One thing that counted, for display.
#[derive(Debug, serde::Serialize)]
pub(super) struct Component<'e> {
    pub kind: &'static str,
    pub values: Vec<Cow<'e, str>>,
    /// How many values there were in all, if not all are listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<usize>,
}

/// What a variant hashes and how it is explained.
#[derive(Debug)]
struct Draft<'e> {
    name: &'static str,
    values: Vec<Cow<'e, str>>,
    components: Vec<Component<'e>>,
}

impl<'e> Draft<'e> {
    fn new(name: &'static str, strategy: &'static str) -> Self {
        Self {
            name,
            values: vec![Cow::Borrowed(strategy)],
            components: Vec::new(),
        }
    }

    fn with(mut self, kind: &'static str, value: Cow<'e, str>) -> Self {
        self.add(kind, value);
        self
    }

    fn add(&mut self, kind: &'static str, value: Cow<'e, str>) {
        self.values.push(Cow::Borrowed(kind));
        self.values.push(value.clone());
        self.components.push(Component {
            kind,
            values: vec![value],
            total: None,
        });
    }

    /// Adds frames, oldest first; the explanation lists the newest.
    fn add_frames<'p>(
        &mut self,
        kind: &'static str,
        frames: impl Iterator<Item = &'p FramePart<'e>> + Clone,
    ) where
        'e: 'p,
    {
        const LISTED: usize = 20;
        let count = frames.clone().count();
        if count == 0 {
            return;
        }
        for frame in frames.clone() {
            self.values.push(Cow::Borrowed("frame"));
            self.values
                .extend([&frame.place, &frame.function, &frame.source].map(Cow::clone));
        }
        let skipped = count.saturating_sub(LISTED);
        self.components.push(Component {
            kind,
            values: frames
                .skip(skipped)
                .map(|frame| Cow::Owned(frame.label().to_owned()))
                .collect(),
            total: (skipped > 0).then_some(count),
        });
    }
}

/// Computes all hashes of an event, by the rules of its project.
pub(super) fn group<'e>(
    event: &'e Event<'_>,
    settings: &'e Settings,
    judgements: &Judgements,
) -> Grouping<'e> {
    let (mut drafts, decided) = drafts(event, settings, judgements);
    for draft in drafts.iter_mut().skip(1) {
        draft.components.clear();
    }
    finish(drafts, decided, event)
}

/// The same with all that an explanation can hold.
pub(super) fn group_explained<'e>(
    event: &'e Event<'_>,
    settings: &'e Settings,
    judgements: &Judgements,
) -> Grouping<'e> {
    let (drafts, decided) = drafts(event, settings, judgements);
    finish(drafts, decided, event)
}

/// What each variant hashes, and the rule that decided it.
fn drafts<'e>(
    event: &'e Event<'_>,
    settings: &'e Settings,
    judgements: &Judgements,
) -> (Vec<Draft<'e>>, Option<rules::Fingerprint<'e>>) {
    if let Some(checksum) = &event.checksum {
        let draft = Draft::new("checksum", "checksum").with("checksum", Cow::Borrowed(checksum));
        return (vec![draft], None);
    }
    let decided = rules::fingerprint(&settings.fingerprints, event);
    let fingerprint = match &decided {
        Some(decided) => fingerprint::classify(event, decided.rule.values()),
        None => fingerprint::classify(event, &event.fingerprint),
    };
    let drafts = match fingerprint {
        Fingerprint::Default => default_drafts(event, judgements),
        Fingerprint::Custom(entries) => vec![custom(entries)],
        Fingerprint::Hybrid(entries) => default_drafts(event, judgements)
            .into_iter()
            .map(|draft| hybrid(draft, &entries))
            .collect(),
    };
    (drafts, decided)
}

fn custom(entries: Vec<Entry<'_>>) -> Draft<'_> {
    let mut draft = Draft::new("custom_fingerprint", "custom");
    for entry in entries {
        if let Entry::Value(value) = entry {
            draft.add("fingerprint", value);
        }
    }
    draft
}

/// Splices the default values into the list, where the marker stands.
fn hybrid<'e>(default: Draft<'e>, entries: &[Entry<'e>]) -> Draft<'e> {
    let mut draft = Draft::new(default.name, "hybrid");
    let mut spliced = Some(default);
    for entry in entries {
        match entry {
            Entry::Value(value) => draft.add("fingerprint", value.clone()),
            Entry::Default => {
                draft.values.push(Cow::Borrowed("default"));
                if let Some(default) = spliced.take() {
                    draft.values.extend(default.values);
                    draft.components.extend(default.components);
                }
            }
        }
    }
    draft
}

/// The strategies in order; the first that contributes decides.
fn default_drafts<'e>(event: &'e Event<'_>, judgements: &Judgements) -> Vec<Draft<'e>> {
    let parts = exception::parts(event, &judgements.exceptions);
    let by_exceptions = exception_drafts(&parts);
    if !by_exceptions.is_empty() {
        return by_exceptions;
    }
    let of_thread =
        thread_stack(&event.threads).map(|(at, stack)| (stack, judgements.threads.get(at)));
    let bare = event.stacktrace.as_ref();
    let bare = bare.map(|stack| (stack, Some(&judgements.stacktrace)));
    for found in [of_thread, bare] {
        let drafts = found.map(|(stack, judgement)| {
            stack_drafts(stack, &frame::Surroundings::of(event, judgement))
        });
        if let Some(drafts) = drafts.filter(|drafts| !drafts.is_empty()) {
            return drafts;
        }
    }
    if let Some(draft) = event.report.as_ref().and_then(report_draft) {
        return vec![draft];
    }
    if let Some(logentry) = &event.logentry {
        let message = parameterize(logentry.template());
        return vec![Draft::new("default", "message").with("message", message)];
    }
    vec![Draft::new("fallback", "fallback")]
}

/// Pages, lines and certificates do not count: a policy is mended once for all of them.
fn report_draft<'e>(report: &'e Report<'_>) -> Option<Draft<'e>> {
    if let Some(violation) = Violation::of(report) {
        let draft = Draft::new("default", "csp")
            .with("directive", Cow::Borrowed(violation.directive))
            .with("blocked", violation.blocked_source());
        return Some(draft);
    }
    let host = report::host_of(report)?;
    Some(Draft::new("default", report.kind.as_str()).with("host", Cow::Borrowed(host)))
}

fn exception_drafts<'e>(parts: &[ExceptionPart<'e>]) -> Vec<Draft<'e>> {
    let contributes = |part: &ExceptionPart<'_>| {
        part.kind.is_some()
            || part.ns_error.is_some()
            || part.value.is_some()
            || !part.frames.is_empty()
    };
    if !parts.iter().any(contributes) {
        return Vec::new();
    }
    let mut drafts = Vec::with_capacity(2);
    if parts.iter().any(ExceptionPart::has_in_app_frames) {
        drafts.push(exception_draft("app", parts));
    }
    // With in-app frames only, both variants would be the same.
    let has_system_frames = parts
        .iter()
        .any(|part| part.frames.iter().any(|frame| !frame.in_app));
    if has_system_frames {
        drafts.push(exception_draft("system", parts));
    }
    if drafts.is_empty() {
        drafts.push(exception_draft("default", parts));
    }
    drafts
}

fn exception_draft<'e>(variant: &'static str, parts: &[ExceptionPart<'e>]) -> Draft<'e> {
    let mut draft = Draft::new(variant, "exception");
    for part in parts {
        draft.values.push(Cow::Borrowed("exception"));
        if let Some(kind) = part.kind {
            draft.add("type", Cow::Borrowed(kind));
        }
        if let Some(error) = &part.ns_error {
            draft.add("ns_error", Cow::Owned(error.clone()));
        }
        let by_stack = match variant {
            "app" => part.has_in_app_frames(),
            _ => !part.frames.is_empty(),
        };
        if !by_stack {
            if let Some(value) = &part.value {
                draft.add("value", value.clone());
            }
            continue;
        }
        let only_app = variant == "app";
        let counted: Vec<_> = part
            .frames
            .iter()
            .filter(|frame| frame.in_app || !only_app)
            .collect();
        if let Some(message) = part.message
            && unspecific::needs_message(part.kind, &counted)
        {
            draft.add("skeleton", skeleton(message));
        }
        let kind = if only_app { "in_app_frames" } else { "frames" };
        draft.add_frames(kind, counted.into_iter());
    }
    draft
}

/// The stack of the one thread that matters, with its place; none if several might.
fn thread_stack<'e, 'a>(threads: &'e [Thread<'a>]) -> Option<(usize, &'e Stacktrace<'a>)> {
    let only = |matters: fn(&Thread<'a>) -> bool| {
        let mut found = threads
            .iter()
            .enumerate()
            .filter(|(_, thread)| matters(thread));
        match (found.next(), found.next()) {
            (Some(thread), None) => Some(Some(thread)),
            (Some(_), Some(_)) => Some(None),
            (None, _) => None,
        }
    };
    let (at, thread) = only(|thread| thread.crashed == Some(true))
        .or_else(|| only(|thread| thread.current == Some(true)))
        .or_else(|| only(|_| true))??;
    Some((at, thread.stacktrace.as_ref()?))
}

fn stack_drafts<'e>(
    stack: &'e Stacktrace<'_>,
    surroundings: &frame::Surroundings<'_>,
) -> Vec<Draft<'e>> {
    let frames = frame::parts(&stack.frames, surroundings);
    let mut drafts = Vec::with_capacity(2);
    if frames.iter().any(|frame| frame.in_app) {
        let mut draft = Draft::new("app", "stacktrace");
        draft.add_frames("in_app_frames", frames.iter().filter(|frame| frame.in_app));
        drafts.push(draft);
    }
    if frames.iter().any(|frame| !frame.in_app) {
        let mut draft = Draft::new("system", "stacktrace");
        draft.add_frames("frames", frames.iter());
        drafts.push(draft);
    }
    drafts
}

fn finish<'e>(
    drafts: Vec<Draft<'e>>,
    decided: Option<rules::Fingerprint<'e>>,
    event: &Event<'_>,
) -> Grouping<'e> {
    let mut hashes = Vec::with_capacity(drafts.len());
    let mut variants = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let hash = hash(&draft.values);
        variants.push(Variant {
            name: draft.name,
            hash: hex::encode(hash),
            contributes: true,
            components: draft.components,
        });
        if !hashes.contains(&hash) {
            hashes.push(hash);
        }
    }
    Grouping {
        hashes,
        explanation: Explanation {
            version: VERSION_TEXT,
            rule: decided.as_ref().map(|decided| Rule {
                text: decided.rule.to_string(),
                line: decided.line,
            }),
            variants,
        },
        title: decided.and_then(|decided| decided.rule.title(event)),
    }
}

/// Each value goes in with its length, so that `["ab","c"]` and `["a","bc"]` differ.
fn hash(values: &[Cow<'_, str>]) -> Hash {
    let mut md5 = Md5::new();
    for value in [VERSION_TEXT]
        .into_iter()
        .chain(values.iter().map(AsRef::as_ref))
    {
        md5.update((value.len() as u32).to_le_bytes());
        md5.update(value.as_bytes());
    }
    md5.finalize().into()
}

#[cfg(test)]
mod families;
#[cfg(test)]
mod tests;
