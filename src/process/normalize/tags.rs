//! The tags that the SDK sent.
//! In: an object or a list of pairs. Out: valid keys with short values; the first of equal keys counts.

use std::borrow::Cow;

use crate::protocol::json::{Json, Text};

use super::limits;
use super::reader::{Reader, cut, lenient, trimmed};

/// These have attributes of their own and would only contradict them.
const RESERVED: [&str; 5] = ["release", "dist", "user", "filename", "function"];

/// More tags than are kept are read no further than this.
const READ: usize = 4 * limits::TAGS;

pub(super) fn read<'a>(reader: &mut Reader<'a>, value: Json<'a>) -> Vec<(Text<'a>, Text<'a>)> {
    let mut tags: Vec<(Text<'a>, Text<'a>)> = Vec::new();
    let mut add = |reader: &mut Reader<'a>, key: Json<'a>, value: Json<'a>| {
        if let Some((key, value)) = read_one(reader, key, value)
            && !tags.iter().any(|(known, _)| *known == key)
        {
            tags.push((key, value));
        }
    };
    match value {
        Json::Null => {}
        Json::Object(object) => {
            for (key, value) in object.0.into_iter().take(READ) {
                add(reader, Json::Str(key), value);
            }
        }
        Json::List(items) => {
            for item in items.into_iter().take(READ) {
                match item {
                    Json::List(pair) if pair.len() == 2 => {
                        let mut pair = pair.into_iter();
                        let (key, value) = (pair.next(), pair.next());
                        add(reader, key.unwrap_or_default(), value.unwrap_or_default());
                    }
                    Json::Null => {}
                    other => {
                        reader.refuse::<()>("tags", other);
                    }
                }
            }
        }
        other => {
            reader.refuse::<()>("tags", other);
        }
    }
    tags
}

fn read_one<'a>(
    reader: &mut Reader<'a>,
    key: Json<'a>,
    value: Json<'a>,
) -> Option<(Text<'a>, Text<'a>)> {
    let key = match lenient(key) {
        Ok(key) => trimmed(key?),
        Err(key) => return reader.refuse("tags", key),
    };
    let key = if key.contains(' ') {
        Cow::Owned(key.replace(' ', "-"))
    } else {
        key
    };
    if !is_key(&key) {
        return reader.refuse("tags", Json::Str(key));
    }
    if RESERVED.contains(&&*key) {
        return None;
    }
    let value = match lenient(value) {
        Ok(value) => tag_value(value?)?,
        Err(value) => return reader.refuse("tags", value),
    };
    Some((key, value))
}

fn is_key(key: &str) -> bool {
    (1..=limits::TAG_KEY).contains(&key.len())
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':' | b'-'))
}

/// One line of bounded length, or nothing.
pub(in crate::process) fn tag_value(value: Text<'_>) -> Option<Text<'_>> {
    let value = trimmed(value);
    let value = if value.contains(['\n', '\r']) {
        Cow::Owned(value.replace(['\n', '\r'], " "))
    } else {
        value
    };
    (!value.is_empty()).then(|| cut(value, limits::NAME))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::json::parse;

    #[test]
    fn pairs_and_objects_are_read_alike() {
        for (json, expected) in [
            (
                r#"[["a","1"],["b",2],["c",true],["d",null],["e",2.5],["a","again"],["x y","sp"],["bad key!","v"],"junk",["release","no"]]"#,
                &[
                    ("a", "1"),
                    ("b", "2"),
                    ("c", "True"),
                    ("e", "2"),
                    ("x-y", "sp"),
                ][..],
            ),
            (
                r#"{"a":"1\n2 ","b":"","c":{"x":1},"dist":"1"}"#,
                &[("a", "1 2")][..],
            ),
            ("7", &[][..]),
        ] {
            let mut reader = Reader::default();
            let tags = read(&mut reader, parse(json.as_bytes()).expect("JSON"));
            let tags: Vec<_> = tags.iter().map(|(key, value)| (&**key, &**value)).collect();
            assert_eq!(tags, expected);
        }
    }
}
