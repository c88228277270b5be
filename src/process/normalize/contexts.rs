//! Contexts and breadcrumbs: where it happened and what happened before.
//! In: their lenient forms. Out: contexts that are objects with a type, and the newest breadcrumbs.

use std::borrow::Cow;

use crate::model::event::Level;
use crate::process::event::Breadcrumb;
use crate::process::time;
use crate::protocol::json::{Json, Object, Text};

use super::limits;
use super::reader::{Reader, any_text, trimmed};

/// Contexts whose texts are names and versions, so that blanks around them mean nothing.
const KNOWN: [&str; 6] = ["os", "runtime", "device", "app", "browser", "gpu"];

pub(super) fn read<'a>(reader: &mut Reader<'a>, value: Json<'a>) -> Object<'a> {
    let mut contexts = reader.object("contexts", value).unwrap_or_default();
    contexts.0.retain_mut(|(name, value)| match value {
        Json::Object(context) => {
            if name == "trace" {
                check_trace(reader, context);
            } else if KNOWN.contains(&&**name) {
                trim_texts(context);
            }
            add_type(name, context);
            true
        }
        other => {
            let other = std::mem::take(other);
            if !other.is_null() {
                reader.refuse::<()>("contexts", other);
            }
            false
        }
    });
    if contexts.0.len() > limits::CONTEXTS {
        contexts.0.truncate(limits::CONTEXTS);
        reader.note("too_many_values", "contexts");
    }
    contexts
}

fn add_type<'a>(name: &Text<'a>, context: &mut Object<'a>) {
    if !matches!(context.get("type"), Some(Json::Str(_))) {
        context.remove("type");
        context.push("type", Json::Str(name.clone()));
    }
}

fn trim_texts(context: &mut Object<'_>) {
    for (_, value) in &mut context.0 {
        if let Json::Str(text) = value {
            *text = trimmed(std::mem::take(text));
        }
    }
}

/// Ids that are none would lead to nothing.
fn check_trace<'a>(reader: &mut Reader<'a>, trace: &mut Object<'a>) {
    for (key, name, digits) in [
        ("trace_id", "contexts.trace.trace_id", 32),
        ("span_id", "contexts.trace.span_id", 16),
        ("parent_span_id", "contexts.trace.parent_span_id", 16),
    ] {
        let valid = trace.get(key).is_none_or(|id| {
            id.as_str().is_some_and(|id| {
                id.len() == digits && id.bytes().all(|byte| byte.is_ascii_hexdigit())
            })
        });
        if !valid && let Some(id) = trace.remove(key).filter(|id| !id.is_null()) {
            reader.refuse::<()>(name, id);
        }
    }
}

pub(super) fn read_breadcrumbs<'a>(
    reader: &mut Reader<'a>,
    value: Json<'a>,
) -> Vec<Breadcrumb<'a>> {
    let mut values = reader.values("breadcrumbs", value);
    let surplus = values.len().saturating_sub(limits::BREADCRUMBS);
    if surplus > 0 {
        values.drain(..surplus);
        reader.note("too_many_values", "breadcrumbs");
    }
    values
        .into_iter()
        .filter_map(|value| read_breadcrumb(reader, value))
        .collect()
}

fn read_breadcrumb<'a>(reader: &mut Reader<'a>, value: Json<'a>) -> Option<Breadcrumb<'a>> {
    let object = reader.object("breadcrumb", value)?;
    let mut crumb = Breadcrumb {
        timestamp_us: None,
        kind: Cow::Borrowed("default"),
        category: None,
        level: Level::Info,
        message: None,
        data: Object::default(),
    };
    for (key, value) in object.0 {
        match &*key {
            "timestamp" => {
                crumb.timestamp_us = time::parse(&value);
                if crumb.timestamp_us.is_none() && !value.is_null() {
                    reader.refuse::<()>("breadcrumb.timestamp", value);
                }
            }
            "type" | "ty" => {
                if let Some(kind) = reader.short_text("breadcrumb.type", value, limits::SHORT_NAME)
                {
                    crumb.kind = kind;
                }
            }
            "category" => {
                crumb.category =
                    reader.short_text("breadcrumb.category", value, limits::SHORT_NAME);
            }
            "level" => crumb.level = level(reader, "breadcrumb.level", value, Level::Info),
            "message" => crumb.message = any_text(value),
            "data" => crumb.data = reader.object("breadcrumb.data", value).unwrap_or_default(),
            _ => {}
        }
    }
    Some(crumb)
}

/// A level by name or number; anything else is the default.
pub(super) fn level<'a>(
    reader: &mut Reader<'a>,
    name: &'static str,
    value: Json<'a>,
    default: Level,
) -> Level {
    let level = match &value {
        Json::Null => Some(default),
        Json::I64(number) => i32::try_from(*number).ok().and_then(Level::from_i32),
        Json::Str(text) => {
            Level::from_text(text).or_else(|| text.parse().ok().and_then(Level::from_i32))
        }
        _ => None,
    };
    level.unwrap_or_else(|| {
        reader.refuse::<()>(name, value);
        default
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::json::parse;

    #[test]
    fn odd_contexts_go() {
        let mut reader = Reader::default();
        let json = br#"{"os":{"name":"Debian","version":"12\n"},"plain":"text","arr":[1],
            "trace":{"trace_id":"xyz","span_id":"00f067aa0ba902b7","parent_span_id":null}}"#;
        let contexts = read(&mut reader, parse(json).expect("JSON"));
        assert_eq!(
            Json::Object(contexts).to_text(),
            r#"{"os":{"name":"Debian","version":"12","type":"os"},"trace":{"span_id":"00f067aa0ba902b7","type":"trace"}}"#
        );
    }

    #[test]
    fn the_newest_breadcrumbs_stay() {
        let crumbs: Vec<String> = (0..150)
            .map(|at| format!(r#"{{"message":"m{at}","level":null,"timestamp":{at}}}"#))
            .collect();
        let json = format!("[{}]", crumbs.join(","));
        let mut reader = Reader::default();
        let crumbs = read_breadcrumbs(&mut reader, parse(json.as_bytes()).expect("JSON"));
        assert_eq!(crumbs.len(), 100);
        assert_eq!(crumbs[0].message.as_deref(), Some("m50"));
        assert_eq!(crumbs[99].timestamp_us, Some(149_000_000));
        assert_eq!(crumbs[99].level, Level::Info);
    }
}
