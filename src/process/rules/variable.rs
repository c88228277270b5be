//! Variables such as `{{ error.type }}`, as titles show them.
//! In: an event. Out: the value of a variable, or a placeholder where the event has none.

use std::borrow::Cow;

use crate::process::chain::main_exception;
use crate::process::event::Event;
use crate::process::title;

use super::facts::Facts;

/// How long a title may become before it is cut to what fits.
const LONGEST: usize = 1024;

/// The name between the braces, if the text is nothing but a variable.
pub(super) fn name_of(text: &str) -> Option<&str> {
    let inside = text.strip_prefix("{{")?.strip_suffix("}}")?;
    Some(inside.trim())
}

/// Whether there is a variable of this name. `default` is none: it stands for a hash.
pub(super) fn is_known(name: &str) -> bool {
    canonical(name).is_some()
}

fn canonical(name: &str) -> Option<&str> {
    Some(match name {
        "type" => "error.type",
        "value" => "error.value",
        "function" => "stack.function",
        "path" => "stack.abs_path",
        "module" => "stack.module",
        "package" => "stack.package",
        "transaction" | "message" | "error.type" | "error.value" | "stack.function"
        | "stack.abs_path" | "stack.filename" | "stack.module" | "stack.package" | "logger"
        | "level" => name,
        _ => name
            .strip_prefix("tags.")
            .filter(|tag| !tag.is_empty())
            .and(Some(name))?,
    })
}

/// The value as it was sent; nothing if there is no such variable.
fn value<'e>(event: &'e Event<'e>, name: &str) -> Option<Cow<'e, str>> {
    let name = canonical(name)?;
    let main = main_exception(&event.exceptions);
    let crash = title::crash_frame(event);
    let value = match name {
        "transaction" => event.transaction.as_deref(),
        "message" => {
            let message = event.logentry.as_ref().map(|entry| &*entry.formatted);
            message.or_else(|| main?.value.as_deref())
        }
        "error.type" => main.and_then(|main| main.kind.as_deref()),
        "error.value" => main.and_then(|main| main.value.as_deref()),
        "stack.function" => crash.and_then(|frame| frame.function.as_deref()),
        "stack.abs_path" => crash.and_then(|frame| {
            let file = || frame.filename.as_deref();
            frame.abs_path.as_deref().or_else(file)
        }),
        "stack.filename" => crash.and_then(|frame| frame.filename.as_deref()),
        "stack.module" => crash.and_then(|frame| frame.module.as_deref()),
        "stack.package" => crash.and_then(|frame| frame.package.as_deref()),
        "logger" => event.logger.as_deref(),
        "level" => Some(event.level.as_str()),
        _ => name
            .strip_prefix("tags.")
            .and_then(|tag| Facts::new(event).tag(tag)),
    };
    let placeholder = || Cow::Owned(format!("<no-{}>", name.replace('.', "-")));
    Some(value.map_or_else(placeholder, Cow::Borrowed))
}

/// Puts the values into a title. What is no variable stays as it is.
pub(super) fn expand(template: &str, event: &Event<'_>) -> String {
    let mut expanded = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(start) = rest.find("{{").filter(|_| expanded.len() < LONGEST) {
        let (front, from) = rest.split_at(start);
        expanded.push_str(front);
        let end = from.find("}}").map_or(from.len(), |at| at + 2);
        let (variable, after) = from.split_at(end);
        let value = name_of(variable).and_then(|name| value(event, name));
        expanded.push_str(value.as_deref().unwrap_or(variable));
        rest = after;
    }
    expanded.push_str(rest);
    expanded
}

/// The variables of a template that there are none of.
pub(super) fn unknown_in(template: &str) -> Option<&str> {
    let mut rest = template;
    while let Some(start) = rest.find("{{") {
        let from = &rest[start..];
        let end = from.find("}}")? + 2;
        if !name_of(&from[..end]).is_some_and(is_known) {
            return Some(&from[..end]);
        }
        rest = &from[end..];
    }
    None
}
