//! The message of an event: what was logged, if possible with its template.
//! In: `logentry` or `message` in any form. Out: a [`LogEntry`] whose `formatted` text is what to show.

use std::borrow::Cow;

use crate::process::event::LogEntry;
use crate::protocol::json::{Json, Object, Text};

use super::reader::{Reader, any_text};

/// `logentry` wins over `message`; `false` and blank texts count as absent.
pub(super) fn read<'a>(
    reader: &mut Reader<'a>,
    logentry: Option<Json<'a>>,
    message: Option<Json<'a>>,
) -> Option<LogEntry<'a>> {
    [logentry, message]
        .into_iter()
        .flatten()
        .find_map(|value| read_one(reader, value))
}

fn read_one<'a>(reader: &mut Reader<'a>, value: Json<'a>) -> Option<LogEntry<'a>> {
    match value {
        Json::Null | Json::Bool(false) => None,
        Json::Object(object)
            if object.get("message").is_some() || object.get("formatted").is_some() =>
        {
            from_parts(reader, object)
        }
        other => any_text(other)
            .filter(|text| !text.trim().is_empty())
            .map(|text| LogEntry {
                formatted: text,
                ..LogEntry::default()
            }),
    }
}

fn from_parts<'a>(reader: &mut Reader<'a>, mut object: Object<'a>) -> Option<LogEntry<'a>> {
    let mut part = |name| {
        object
            .remove(name)
            .and_then(any_text)
            .filter(|text| !text.trim().is_empty())
    };
    let message = part("message");
    let formatted = part("formatted");
    let params = match object.remove("params") {
        Some(params @ (Json::List(_) | Json::Object(_))) => params,
        Some(Json::Null) | None => Json::Null,
        Some(other) => reader.refuse("logentry.params", other).unwrap_or_default(),
    };
    let (message, formatted) = match (message, formatted) {
        (None, None) => return None,
        (None, Some(formatted)) => (None, formatted),
        (Some(message), None) => match format(&message, &params) {
            Some(formatted) => (Some(message), Cow::Owned(formatted)),
            None => (None, message),
        },
        (Some(message), Some(formatted)) => ((message != formatted).then_some(message), formatted),
    };
    Some(LogEntry {
        message,
        formatted,
        params,
    })
}

/// Puts the parameters into the template: `%s` and `%(name)s` if it has a `%`, else `{}`, `{0}` and `{name}`.
fn format(template: &str, params: &Json<'_>) -> Option<String> {
    let filled = if template.contains('%') {
        format_percent(template, params)
    } else {
        format_braces(template, params)
    };
    filled.filter(|filled| filled != template)
}

fn format_percent(template: &str, params: &Json<'_>) -> Option<String> {
    let mut out = String::with_capacity(template.len() + 32);
    let mut next = 0;
    let mut rest = template;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let spec = &rest[at + 1..];
        if let Some(after) = spec.strip_prefix('%') {
            out.push('%');
            rest = after;
            continue;
        }
        let (name, spec) = match spec.strip_prefix('(').and_then(|spec| spec.split_once(')')) {
            Some((name, spec)) => (Some(name), spec),
            None => (None, spec),
        };
        // Flags, width and precision do not matter for reading; the conversion is one letter.
        let flags = spec
            .bytes()
            .take_while(|byte| b"#0- +.123456789".contains(byte));
        let conversion = flags.count();
        let letter = spec.as_bytes().get(conversion);
        if !letter.is_some_and(u8::is_ascii_alphabetic) {
            out.push('%');
            rest = &rest[at + 1..];
            continue;
        }
        out.push_str(&parameter(params, name, &mut next)?);
        rest = &spec[conversion + 1..];
    }
    out.push_str(rest);
    Some(out)
}

fn format_braces(template: &str, params: &Json<'_>) -> Option<String> {
    let mut out = String::with_capacity(template.len() + 32);
    let mut next = 0;
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        out.push_str(&rest[..at]);
        let Some((name, after)) = rest[at + 1..].split_once('}') else {
            rest = &rest[at..];
            break;
        };
        let name = (!name.is_empty()).then_some(name);
        out.push_str(&parameter(params, name, &mut next)?);
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

/// The parameter of that name or index, or the next one.
fn parameter<'p>(params: &'p Json<'_>, name: Option<&str>, next: &mut usize) -> Option<Text<'p>> {
    let value = match (params, name) {
        (Json::Object(object), Some(name)) => object.get(name)?,
        (Json::List(items), Some(index)) => items.get(index.parse::<usize>().ok()?)?,
        (Json::List(items), None) => {
            *next += 1;
            items.get(*next - 1)?
        }
        _ => return None,
    };
    Some(match value {
        Json::Str(text) => Cow::Borrowed(text.as_ref()),
        Json::Bool(true) => Cow::Borrowed("True"),
        Json::Bool(false) => Cow::Borrowed("False"),
        other => Cow::Owned(other.to_text()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::json::parse;

    fn entry(json: &str) -> Option<LogEntry<'_>> {
        let mut reader = Reader::default();
        read(
            &mut reader,
            None,
            Some(parse(json.as_bytes()).expect("JSON")),
        )
    }

    #[test]
    fn formatted_is_built_from_template_and_parameters() {
        for (json, formatted, template) in [
            (
                r#"{"message":"user %s from %s","params":["jane","web"]}"#,
                "user jane from web",
                "user %s from %s",
            ),
            (
                r#"{"message":"%(n)05.2f%% of %d","params":{"n":3,"x":1}}"#,
                "%(n)05.2f%% of %d",
                "%(n)05.2f%% of %d",
            ),
            (
                r#"{"message":"%(n)d items","params":{"n":3}}"#,
                "3 items",
                "%(n)d items",
            ),
            (
                r#"{"message":"100%% of {}","params":["x"]}"#,
                "100% of {}",
                "100%% of {}",
            ),
            (
                r#"{"message":"a {} b {1} {name}","params":["x","y"]}"#,
                "a {} b {1} {name}",
                "a {} b {1} {name}",
            ),
            (
                r#"{"message":"a {} b {1}","params":["x","y"]}"#,
                "a x b y",
                "a {} b {1}",
            ),
            (
                r#"{"message":"t %s","formatted":"t 1","params":[1]}"#,
                "t 1",
                "t %s",
            ),
            (r#""plain""#, "plain", "plain"),
            ("42", "42", "42"),
            (r#"{"other":1}"#, r#"{"other":1}"#, r#"{"other":1}"#),
        ] {
            let entry = entry(json).expect(json);
            assert_eq!(entry.formatted, formatted);
            assert_eq!(entry.template(), template);
        }
        for absent in ["false", "null", r#""""#, r#"" \n ""#, r#"{"formatted":""}"#] {
            assert!(entry(absent).is_none(), "{absent}");
        }
    }
}
