//! Tags by which issues are searched and counted: the SDK's and those that follow from other attributes.
//! In: a normalised event. Out: its tags, complete, bounded and sorted by key.

use std::borrow::Cow;

use crate::protocol::json::{Json, Object, Text};

use super::event::Event;
use super::normalize::{limits, tag_value};
use super::report;

/// Adds the derived tags. Attributes of the event win over a tag of the same name; what only follows from contexts does not.
pub(super) fn complete(event: &mut Event<'_>, handled: Option<bool>) {
    let mut tags = std::mem::take(&mut event.tags);
    let attributes = attribute_tags(event, handled);
    tags.retain(|(key, _)| !attributes.iter().any(|(own, _)| own == key));
    let mut from_contexts = context_tags(event);
    from_contexts.retain(|(derived, _)| !tags.iter().any(|(key, _)| key == derived));
    let derived = attributes.len() + from_contexts.len();
    tags.truncate(limits::TAGS.saturating_sub(derived));
    let derived = attributes.into_iter().chain(from_contexts);
    tags.extend(derived.map(|(key, value)| (Cow::Borrowed(key), value)));
    tags.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    event.tags = tags;
}

type Derived<'a> = Vec<(&'static str, Text<'a>)>;

fn attribute_tags<'a>(event: &Event<'a>, handled: Option<bool>) -> Derived<'a> {
    let main = event.exceptions.last();
    let mechanism = main.and_then(|exception| exception.mechanism.as_ref());
    let mechanism = mechanism.and_then(|mechanism| mechanism.kind.clone());
    let handled = handled.map(|handled| Cow::Borrowed(if handled { "yes" } else { "no" }));
    let level = Some(Cow::Borrowed(event.level.as_str()));
    let of_report = event.report.as_ref().map(report::tags).unwrap_or_default();
    [
        ("level", level),
        ("release", event.release.clone()),
        ("dist", event.dist.clone()),
        ("environment", event.environment.clone()),
        ("server_name", event.server_name.clone()),
        ("site", event.site.clone()),
        ("logger", event.logger.clone()),
        ("transaction", event.transaction.clone()),
        ("url", event.request.url.clone()),
        ("handled", handled),
        ("mechanism", mechanism),
    ]
    .into_iter()
    .filter_map(|(key, value)| Some((key, value?)))
    .chain(of_report)
    .filter_map(|(key, value)| Some((key, tag_value(value)?)))
    .collect()
}

fn context_tags<'a>(event: &Event<'a>) -> Derived<'a> {
    let mut tags = Vec::with_capacity(8);
    let context = |name| event.contexts.get(name).and_then(Json::as_object);
    for (context, full, name) in [
        (context("os"), "os", "os.name"),
        (context("runtime"), "runtime", "runtime.name"),
        (context("browser"), "browser", "browser.name"),
        (context("client_os"), "client_os", "client_os.name"),
    ] {
        let Some(context) = context else { continue };
        let Some(found) = text(context, "name") else {
            continue;
        };
        let with_version = match text(context, "version") {
            Some(version) => tag_value(Cow::Owned(format!("{found} {version}"))),
            None => Some(found.clone()),
        };
        tags.extend(with_version.map(|value| (full, value)));
        tags.push((name, found));
    }
    if let Some(device) = context("device") {
        tags.extend(text(device, "model").map(|model| ("device", model)));
        tags.extend(text(device, "family").map(|family| ("device.family", family)));
    }
    tags
}

fn text<'a>(context: &Object<'a>, key: &str) -> Option<Text<'a>> {
    match context.get(key) {
        Some(Json::Str(text)) => tag_value(text.clone()),
        _ => None,
    }
}
