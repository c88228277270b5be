//! Fingerprints that the SDK or a rule set: what they mean and what their variables stand for.
//! In: the list of the event. Out: the values to hash, with a gap where the default grouping goes.

use std::borrow::Cow;

use crate::process::event::Event;
use crate::process::title;

use super::message::parameterize;

/// One entry of a fingerprint, ready to hash.
#[derive(Debug, PartialEq)]
pub(super) enum Entry<'e> {
    /// `{{ default }}`: the values of the default grouping go here.
    Default,
    Value(Cow<'e, str>),
}

/// How a fingerprint changes the grouping.
#[derive(Debug, PartialEq)]
pub(super) enum Fingerprint<'e> {
    Default,
    Hybrid(Vec<Entry<'e>>),
    Custom(Vec<Entry<'e>>),
}

/// Reads a list: the SDK's, or that of a rule, which has the same form.
pub(super) fn classify<'e, T: AsRef<str>>(event: &'e Event<'_>, list: &'e [T]) -> Fingerprint<'e> {
    let entries: Vec<_> = list
        .iter()
        .map(|entry| read_entry(event, entry.as_ref()))
        .collect();
    let defaults = entries
        .iter()
        .filter(|entry| **entry == Entry::Default)
        .count();
    if defaults == entries.len() {
        Fingerprint::Default
    } else if defaults > 0 {
        Fingerprint::Hybrid(entries)
    } else {
        Fingerprint::Custom(entries)
    }
}

fn read_entry<'e>(event: &'e Event<'_>, entry: &'e str) -> Entry<'e> {
    let variable = entry
        .trim()
        .strip_prefix("{{")
        .and_then(|rest| rest.strip_suffix("}}"))
        .map(str::trim);
    match variable {
        Some("default") => Entry::Default,
        Some(name) => Entry::Value(variable_value(event, name).unwrap_or(Cow::Borrowed(entry))),
        None if is_message(event, entry) => Entry::Value(parameterize(entry)),
        None => Entry::Value(Cow::Borrowed(entry)),
    }
}

fn is_message(event: &Event<'_>, entry: &str) -> bool {
    let logentry = event.logentry.as_ref();
    let main = event.exceptions.last();
    logentry.is_some_and(|logentry| logentry.formatted == entry || logentry.template() == entry)
        || main.is_some_and(|exception| exception.value.as_deref() == Some(entry))
}

/// What a variable stands for; `None` if there is no such variable.
fn variable_value<'e>(event: &'e Event<'_>, name: &str) -> Option<Cow<'e, str>> {
    let main = event.exceptions.last();
    let crash = || title::crash_frame(event);
    let value = match name {
        "transaction" => event.transaction.as_deref().map(Cow::Borrowed),
        "message" => event
            .logentry
            .as_ref()
            .map(|logentry| parameterize(logentry.template()))
            .or_else(|| {
                main.and_then(|main| main.value.as_deref())
                    .map(parameterize)
            }),
        "error.type" | "type" => main
            .and_then(|main| main.kind.as_deref())
            .map(Cow::Borrowed),
        "error.value" | "value" => main
            .and_then(|main| main.value.as_deref())
            .map(parameterize),
        "stack.function" | "function" => crash()
            .and_then(|frame| frame.function.as_deref())
            .map(Cow::Borrowed),
        "stack.abs_path" | "path" => crash()
            .and_then(|frame| frame.abs_path.as_deref())
            .map(Cow::Borrowed),
        "stack.filename" => crash()
            .and_then(|frame| frame.filename.as_deref())
            .map(Cow::Borrowed),
        "stack.module" | "module" => crash()
            .and_then(|frame| frame.module.as_deref())
            .map(Cow::Borrowed),
        "stack.package" | "package" => crash()
            .and_then(|frame| frame.package.as_deref())
            .map(Cow::Borrowed),
        "logger" => event.logger.as_deref().map(Cow::Borrowed),
        "level" => Some(Cow::Borrowed(event.level.as_str())),
        _ => {
            let tag = name.strip_prefix("tags.")?;
            let found = event.tags.iter().find(|(key, _)| key == tag);
            found.map(|(_, value)| Cow::Borrowed(value.as_ref()))
        }
    };
    Some(value.unwrap_or_else(|| Cow::Owned(format!("<no-{}>", name.replace('.', "-")))))
}
