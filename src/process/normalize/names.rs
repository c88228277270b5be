//! Names with rules: release, environment, dist, logger, platform and fingerprint.
//! In: their raw values. Out: a valid name, or nothing and a note.

use std::borrow::Cow;

use crate::protocol::json::{Json, Text};

use super::limits;
use super::reader::{Reader, lenient, trimmed};

const PLATFORMS: [&str; 31] = [
    "python",
    "javascript",
    "node",
    "java",
    "php",
    "ruby",
    "go",
    "csharp",
    "native",
    "cocoa",
    "objc",
    "rust",
    "dart",
    "swift",
    "kotlin",
    "elixir",
    "perl",
    "c",
    "as3",
    "cfml",
    "clojure",
    "crystal",
    "erlang",
    "gdscript",
    "groovy",
    "haskell",
    "lua",
    "nim",
    "powershell",
    "scala",
    "other",
];

/// One of the known platforms, else `other`.
pub(super) fn platform<'a>(reader: &mut Reader<'a>, value: Option<Json<'a>>) -> Text<'a> {
    let given = value.and_then(|value| reader.text("platform", value));
    let known = given.and_then(|given| PLATFORMS.into_iter().find(|known| *known == given));
    Cow::Borrowed(known.unwrap_or("other"))
}

/// Usable in URLs and file names: no slashes or control characters, nothing that means "this" or "up".
pub(super) fn release<'a>(reader: &mut Reader<'a>, value: Json<'a>) -> Option<Text<'a>> {
    let name = trimmed(reader.lenient_text("release", value)?);
    let valid = name.len() <= limits::RELEASE_BYTES
        && is_path_safe(&name)
        && !name.eq_ignore_ascii_case("latest");
    checked(reader, "release", name, valid)
}

pub(super) fn environment<'a>(reader: &mut Reader<'a>, value: Json<'a>) -> Option<Text<'a>> {
    let name = trimmed(reader.text("environment", value)?);
    let valid = name.chars().count() <= limits::ENVIRONMENT
        && is_path_safe(&name)
        && !name.eq_ignore_ascii_case("none")
        && !name.eq_ignore_ascii_case("latest");
    checked(reader, "environment", name, valid)
}

fn is_path_safe(name: &str) -> bool {
    !matches!(name, "." | "..")
        && !name.contains(|c: char| matches!(c, '/' | '\\') || c.is_control())
}

pub(super) fn dist<'a>(reader: &mut Reader<'a>, value: Json<'a>) -> Option<Text<'a>> {
    let name = trimmed(reader.lenient_text("dist", value)?);
    let valid = name.len() <= limits::DIST
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'));
    checked(reader, "dist", name, valid)
}

pub(super) fn logger<'a>(reader: &mut Reader<'a>, value: Json<'a>) -> Option<Text<'a>> {
    let name = trimmed(reader.text("logger", value)?);
    let valid = !name.contains(['\r', '\n']);
    let name = checked(reader, "logger", name, valid)?;
    Some(reader.cut("logger", name, limits::LOGGER))
}

/// A name that may hold anything but is shown on one line.
pub(super) fn line<'a>(
    reader: &mut Reader<'a>,
    name: &'static str,
    value: Json<'a>,
) -> Option<Text<'a>> {
    let text = trimmed(reader.text(name, value)?);
    let text = if text.contains(['\r', '\n']) {
        Cow::Owned(text.replace(['\r', '\n'], " "))
    } else {
        text
    };
    (!text.is_empty()).then(|| reader.cut(name, text, limits::NAME))
}

fn checked<'a>(
    reader: &mut Reader<'a>,
    attribute: &'static str,
    name: Text<'a>,
    valid: bool,
) -> Option<Text<'a>> {
    if name.is_empty() {
        None
    } else if valid {
        Some(name)
    } else {
        reader.refuse(attribute, Json::Str(name))
    }
}

pub(super) fn fingerprint<'a>(reader: &mut Reader<'a>, value: Json<'a>) -> Vec<Text<'a>> {
    let items = match value {
        Json::Null => Vec::new(),
        Json::List(items) => items,
        // A single text is what was meant.
        text @ Json::Str(_) => vec![text],
        other => reader.refuse("fingerprint", other).unwrap_or_default(),
    };
    let mut fingerprint = Vec::with_capacity(items.len());
    for item in items.into_iter().take(limits::FINGERPRINT) {
        match lenient(item) {
            Ok(Some(text)) if !text.is_empty() => {
                fingerprint.push(reader.cut("fingerprint", text, limits::MESSAGE));
            }
            Ok(_) => {}
            Err(other) => {
                reader.refuse::<()>("fingerprint", other);
            }
        }
    }
    fingerprint
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_their_rules() {
        let mut reader = Reader::default();
        for (value, expected) in [
            (Json::from("  shop@1.0  "), Some("shop@1.0")),
            (Json::I64(7), Some("7")),
            (Json::from("a/b"), None),
            (Json::from("a\nb"), None),
            (Json::from(".."), None),
            (Json::from("Latest"), None),
            (Json::from("r".repeat(201)), None),
        ] {
            assert_eq!(release(&mut reader, value).as_deref(), expected);
        }
        for (value, expected) in [
            (" prod ", Some("prod")),
            ("None", None),
            ("a/b", None),
            ("", None),
        ] {
            assert_eq!(environment(&mut reader, value.into()).as_deref(), expected);
        }
        assert_eq!(dist(&mut reader, "build 77".into()), None);
        assert_eq!(
            dist(&mut reader, " build-77".into()).as_deref(),
            Some("build-77")
        );
        assert_eq!(platform(&mut reader, Some("cobol".into())), "other");
        assert_eq!(platform(&mut reader, Some("node".into())), "node");
    }
}
