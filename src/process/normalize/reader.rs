//! The general reading rule: a value of the wrong type is dropped and noted, and the event survives.
//! In: one JSON value with the name of its attribute. Out: the value in the wanted type, or a note.

use std::borrow::Cow;

use crate::protocol::json::{Json, Object, Text};

use super::limits::{self, Length};

/// Reads values and collects what was wrong with them.
#[derive(Debug, Default)]
pub(super) struct Reader<'a> {
    notes: Vec<Note<'a>>,
}

#[derive(Debug, PartialEq)]
struct Note<'a> {
    kind: &'static str,
    name: &'static str,
    value: Option<Json<'a>>,
}

impl<'a> Reader<'a> {
    pub fn note(&mut self, kind: &'static str, name: &'static str) {
        self.note_value(kind, name, None);
    }

    /// One note for each attribute name is enough to explain what is missing.
    pub fn note_value(&mut self, kind: &'static str, name: &'static str, value: Option<Json<'a>>) {
        let known = self
            .notes
            .iter()
            .any(|note| note.kind == kind && note.name == name);
        if !known && self.notes.len() < limits::NOTES {
            self.notes.push(Note { kind, name, value });
        }
    }

    /// Notes a value of a wrong type or content; short ones are shown.
    pub fn refuse<T>(&mut self, name: &'static str, value: Json<'a>) -> Option<T> {
        let shown = match value {
            Json::Str(text) if text.len() > 100 => None,
            Json::List(_) | Json::Object(_) => None,
            short => Some(short),
        };
        self.note_value("invalid_data", name, shown);
        None
    }

    /// Adds the notes to those that came with the event.
    pub fn append_notes(self, errors: &mut Vec<Json<'a>>) {
        for Note { kind, name, value } in self.notes {
            let known = errors.iter().any(|error| {
                error.as_object().is_some_and(|error| {
                    error.get_str("type") == Some(kind) && error.get_str("name") == Some(name)
                })
            });
            if known || errors.len() >= limits::NOTES {
                continue;
            }
            let mut error = Object::default();
            error.push("type", kind.into());
            error.push("name", name.into());
            if let Some(value) = value {
                error.push("value", value);
            }
            errors.push(Json::Object(error));
        }
    }

    /// A text that is not empty.
    pub fn text(&mut self, name: &'static str, value: Json<'a>) -> Option<Text<'a>> {
        match value {
            Json::Null => None,
            Json::Str(text) => (!text.is_empty()).then_some(text),
            other => self.refuse(name, other),
        }
    }

    /// A text that is not empty, cut to length.
    pub fn short_text(
        &mut self,
        name: &'static str,
        value: Json<'a>,
        length: Length,
    ) -> Option<Text<'a>> {
        self.text(name, value)
            .map(|text| self.cut(name, text, length))
    }

    /// Cuts a text that is too long, and notes it.
    pub fn cut(&mut self, name: &'static str, text: Text<'a>, length: Length) -> Text<'a> {
        let before = text.len();
        let text = cut(text, length);
        if text.len() < before {
            self.note("value_too_long", name);
        }
        text
    }

    /// A text, a boolean as `True` or `False`, or a number as decimal text without its fraction.
    pub fn lenient_text(&mut self, name: &'static str, value: Json<'a>) -> Option<Text<'a>> {
        match lenient(value) {
            Ok(text) => text.filter(|text| !text.is_empty()),
            Err(value) => self.refuse(name, value),
        }
    }

    pub fn boolean(&mut self, name: &'static str, value: Json<'a>) -> Option<bool> {
        match value {
            Json::Null => None,
            Json::Bool(value) => Some(value),
            other => self.refuse(name, other),
        }
    }

    /// A whole number that is not negative, also as text.
    pub fn natural(&mut self, name: &'static str, value: Json<'a>) -> Option<i64> {
        let number = match &value {
            Json::Null => return None,
            Json::I64(number) => Some(*number),
            Json::F64(number) if number.fract() == 0.0 && number.abs() < EXACT => {
                Some(*number as i64)
            }
            Json::Str(text) => text.trim().parse().ok(),
            _ => None,
        };
        match number.filter(|number| *number >= 0) {
            Some(number) => Some(number),
            None => self.refuse(name, value),
        }
    }

    pub fn object(&mut self, name: &'static str, value: Json<'a>) -> Option<Object<'a>> {
        match value {
            Json::Null => None,
            Json::Object(object) => Some(object),
            other => self.refuse(name, other),
        }
    }

    /// `{"values": […]}`, a bare list or a single object.
    pub fn values(&mut self, name: &'static str, value: Json<'a>) -> Vec<Json<'a>> {
        match value {
            Json::Null => Vec::new(),
            Json::List(items) => items,
            Json::Object(mut object) => match object.remove("values") {
                Some(Json::List(items)) => items,
                Some(Json::Null) => Vec::new(),
                Some(single @ Json::Object(_)) => vec![single],
                Some(other) => {
                    self.refuse::<()>(name, other);
                    Vec::new()
                }
                None if object.is_empty() => Vec::new(),
                None => vec![Json::Object(object)],
            },
            other => {
                self.refuse::<()>(name, other);
                Vec::new()
            }
        }
    }
}

/// Doubles hold whole numbers exactly below this.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// See [`Reader::lenient_text`]; what cannot be a text comes back.
pub(super) fn lenient(value: Json<'_>) -> Result<Option<Text<'_>>, Json<'_>> {
    match value {
        Json::Null => Ok(None),
        Json::Str(text) => Ok(Some(text)),
        Json::Bool(true) => Ok(Some(Cow::Borrowed("True"))),
        Json::Bool(false) => Ok(Some(Cow::Borrowed("False"))),
        Json::I64(number) if (number.unsigned_abs() as f64) < EXACT => {
            Ok(Some(Cow::Owned(number.to_string())))
        }
        Json::F64(number) if number.abs() < EXACT => {
            Ok(Some(Cow::Owned((number.trunc() as i64).to_string())))
        }
        other => Err(other),
    }
}

/// Any value as text: what is no text becomes JSON.
pub(super) fn any_text(value: Json<'_>) -> Option<Text<'_>> {
    match value {
        Json::Null => None,
        Json::Str(text) => (!text.is_empty()).then_some(text),
        other => Some(Cow::Owned(other.to_text())),
    }
}

/// Cuts a text that is too long, counting characters; the end then reads `...`.
pub(in crate::process) fn cut(text: Text<'_>, length: Length) -> Text<'_> {
    match shortened(&text, length) {
        Cow::Owned(short) => Cow::Owned(short),
        Cow::Borrowed(_) => text,
    }
}

/// The same for a text that is only looked at; borrowed if it is short enough.
pub(super) fn shortened(text: &str, length: Length) -> Text<'_> {
    let Length { limit, tolerance } = length;
    if text.len() <= limit + tolerance || text.chars().count() <= limit + tolerance {
        return Cow::Borrowed(text);
    }
    let end = text
        .char_indices()
        .nth(limit - 3)
        .map_or(text.len(), |(at, _)| at);
    Cow::Owned(format!("{}...", &text[..end]))
}

/// `str::trim` that keeps a borrowed text borrowed.
pub(super) fn trimmed(text: Text<'_>) -> Text<'_> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) if text.trim().len() == text.len() => Cow::Owned(text),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lenient_texts() {
        for (value, expected) in [
            (Json::Bool(true), Some("True")),
            (Json::I64(-7), Some("-7")),
            (Json::F64(2.7), Some("2")),
            (Json::F64(-2.7), Some("-2")),
            (Json::Null, None),
        ] {
            assert_eq!(lenient(value).expect("a text").as_deref(), expected);
        }
        assert!(lenient(Json::I64(1 << 53)).is_err());
        assert!(lenient(Json::List(Vec::new())).is_err());
    }

    #[test]
    fn cutting_counts_characters_and_is_stable() {
        let length = Length {
            limit: 10,
            tolerance: 2,
        };
        assert_eq!(cut("é".repeat(12).into(), length), "é".repeat(12));
        let once = cut("é".repeat(13).into(), length);
        assert_eq!(once, format!("{}...", "é".repeat(7)));
        assert_eq!(cut(once.clone(), length), once);
    }

    #[test]
    fn one_note_for_each_name() {
        let mut reader = Reader::default();
        assert_eq!(reader.boolean("frame.in_app", Json::I64(1)), None);
        assert_eq!(reader.boolean("frame.in_app", Json::I64(2)), None);
        let mut errors = Vec::new();
        reader.append_notes(&mut errors);
        assert_eq!(
            Json::List(errors).to_text(),
            r#"[{"type":"invalid_data","name":"frame.in_app","value":1}]"#
        );
    }
}
