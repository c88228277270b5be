//! JSON as SDKs send it: a tree that borrows its texts from the body, because events are read far more often than changed.
//! In: bytes, also slightly broken ones (see `repair`). Out: [`Json`], with the last of equal keys and without NUL characters.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::repair::repair;

/// A text that is borrowed from the body unless it had to be unescaped or changed.
pub type Text<'a> = Cow<'a, str>;

#[derive(Debug, Clone, PartialEq, Default)]
pub enum Json<'a> {
    #[default]
    Null,
    Bool(bool),
    I64(i64),
    /// Only what does not fit an `i64`.
    U64(u64),
    F64(f64),
    Str(Text<'a>),
    List(Vec<Json<'a>>),
    Object(Object<'a>),
}

/// An object in the order it was written. Keys are unique.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Object<'a>(pub Vec<(Text<'a>, Json<'a>)>);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct JsonError(String);

/// Reads one JSON document. What strict parsing refuses gets a second, repaired try.
pub fn parse(bytes: &[u8]) -> Result<Json<'_>, JsonError> {
    let strict = match std::str::from_utf8(bytes) {
        Ok(text) => serde_json::from_str(text).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    strict.or_else(|reason| {
        let repaired = repair(bytes).ok_or_else(|| JsonError(reason.clone()))?;
        serde_json::from_str::<Json<'_>>(&repaired)
            .map(Json::into_owned)
            .map_err(|error| JsonError(error.to_string()))
    })
}

impl<'a> Json<'a> {
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    pub const fn as_object(&self) -> Option<&Object<'a>> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The value as compact JSON text.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("a tree of plain values is always valid JSON")
    }

    pub fn into_owned<'b>(self) -> Json<'b> {
        match self {
            Self::Null => Json::Null,
            Self::Bool(value) => Json::Bool(value),
            Self::I64(value) => Json::I64(value),
            Self::U64(value) => Json::U64(value),
            Self::F64(value) => Json::F64(value),
            Self::Str(text) => Json::Str(Cow::Owned(text.into_owned())),
            Self::List(items) => Json::List(items.into_iter().map(Json::into_owned).collect()),
            Self::Object(Object(entries)) => Json::Object(Object(
                entries
                    .into_iter()
                    .map(|(key, value)| (Cow::Owned(key.into_owned()), value.into_owned()))
                    .collect(),
            )),
        }
    }
}

impl<'a> Object<'a> {
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn get(&self, key: &str) -> Option<&Json<'a>> {
        self.0
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value)
    }

    pub fn get_str(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Json::as_str)
    }

    pub fn remove(&mut self, key: &str) -> Option<Json<'a>> {
        let at = self.0.iter().position(|(name, _)| name == key)?;
        Some(self.0.remove(at).1)
    }

    /// Adds an entry whose key is known to be new.
    pub fn push(&mut self, key: impl Into<Text<'a>>, value: Json<'a>) {
        self.0.push((key.into(), value));
    }
}

impl<'a> From<Text<'a>> for Json<'a> {
    fn from(text: Text<'a>) -> Self {
        Self::Str(text)
    }
}

impl<'a> From<&'a str> for Json<'a> {
    fn from(text: &'a str) -> Self {
        Self::Str(Cow::Borrowed(text))
    }
}

impl From<String> for Json<'_> {
    fn from(text: String) -> Self {
        Self::Str(Cow::Owned(text))
    }
}

/// Keeps the last of equal keys, at the place of the first. Small objects, nearly all, are compared pair by pair.
fn keep_last_of_equal_keys(entries: &mut Vec<(Text<'_>, Json<'_>)>) {
    const SMALL: usize = 24;
    let has_duplicates = if entries.len() <= SMALL {
        entries
            .iter()
            .enumerate()
            .any(|(at, (key, _))| entries[at + 1..].iter().any(|(other, _)| other == key))
    } else {
        let mut seen = std::collections::HashSet::with_capacity(entries.len());
        entries.iter().any(|(key, _)| !seen.insert(key.as_ref()))
    };
    if !has_duplicates {
        return;
    }
    let mut places: HashMap<String, usize> = HashMap::with_capacity(entries.len());
    let mut kept: Vec<(Text<'_>, Json<'_>)> = Vec::with_capacity(entries.len());
    for (key, value) in entries.drain(..) {
        if let Some(&at) = places.get(key.as_ref()) {
            kept[at].1 = value;
        } else {
            places.insert(key.to_string(), kept.len());
            kept.push((key, value));
        }
    }
    *entries = kept;
}

/// Not every database stores NUL in a text. They come only from escapes, that is never in a borrowed text.
fn without_nul(text: &str) -> String {
    if text.contains('\0') {
        text.replace('\0', "")
    } else {
        text.to_owned()
    }
}

impl<'de> de::Deserialize<'de> for Json<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Json::I64(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(value).map_or(Json::U64(value), Json::I64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Json::F64(value))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Json::Str(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Json::Str(Cow::Owned(without_nul(text))))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Json::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::with_capacity(8);
        while let Some(key) = access.next_key_seed(TextSeed)? {
            entries.push((key, access.next_value()?));
        }
        keep_last_of_equal_keys(&mut entries);
        Ok(Json::Object(Object(entries)))
    }
}

/// `Cow`'s own `Deserialize` always copies; this one borrows where it can.
struct TextSeed;

impl<'de> DeserializeSeed<'de> for TextSeed {
    type Value = Text<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Text<'de>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for TextSeed {
    type Value = Text<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a text")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(without_nul(text)))
    }
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::I64(value) => serializer.serialize_i64(*value),
            Self::U64(value) => serializer.serialize_u64(*value),
            Self::F64(value) => serializer.serialize_f64(*value),
            Self::Str(text) => serializer.serialize_str(text),
            Self::List(items) => items.serialize(serializer),
            Self::Object(object) => object.serialize(serializer),
        }
    }
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(bytes: &[u8]) -> String {
        parse(bytes).expect("parses").to_text()
    }

    #[test]
    fn valid_json_survives_and_borrows() {
        let source = br#"{"a":[1,-2,1.5,true,null,"x"],"b":{"c":"\u00e9"}}"#;
        assert_eq!(
            text_of(source),
            "{\"a\":[1,-2,1.5,true,null,\"x\"],\"b\":{\"c\":\"é\"}}"
        );
        let Json::List(items) = parse(br#"["plain"]"#).expect("parses") else {
            panic!("a list");
        };
        assert!(matches!(&items[0], Json::Str(Cow::Borrowed("plain"))));
    }

    #[test]
    fn the_last_of_equal_keys_wins() {
        assert_eq!(text_of(br#"{"a":1,"b":2,"a":3}"#), r#"{"a":3,"b":2}"#);
        let many: Vec<String> = (0..60).map(|at| format!("\"k{}\":{at}", at % 30)).collect();
        let object = format!("{{{}}}", many.join(","));
        let Json::Object(object) = parse(object.as_bytes()).expect("parses").into_owned() else {
            panic!("an object");
        };
        assert_eq!(object.0.len(), 30);
        assert_eq!(object.get("k0"), Some(&Json::I64(30)));
    }

    #[test]
    fn broken_texts_and_numbers_are_repaired() {
        for (source, expected) in [
            (&br#"{"a\u0000":"b\u0000c"}"#[..], r#"{"a":"bc"}"#),
            (
                br#"["\ud83d","\ude00","\ud83d\ude00"]"#,
                "[\"\u{fffd}\",\"\u{fffd}\",\"\u{1f600}\"]",
            ),
            (b"[NaN, -Infinity,Infinity, 1e400]", "[null,null,null,null]"),
            (b"[\"\xff\"]", "[\"\u{fffd}\"]"),
            (b"[\"tab\there\"]", "[\"tab\\there\"]"),
            (b"\xef\xbb\xbf{}", "{}"),
            (
                b"[123456789012345678901234567890]",
                "[1.2345678901234568e+29]",
            ),
            (b"[18446744073709551615]", "[18446744073709551615]"),
        ] {
            assert_eq!(text_of(source), expected);
        }
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for source in [&b""[..], b"{", b"[1,", b"{\"a\":}", b"nonsense", b"{} {}"] {
            assert!(parse(source).is_err());
        }
        let deep = [b"[".repeat(2000), b"]".repeat(2000)].concat();
        assert!(parse(&deep).is_err());
    }
}
