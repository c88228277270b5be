//! Notes about what Bugle changed in an event, beside the values, as Sentry has them: `_meta`.
//! In: the path of a value and what was done to it. Out: a tree of the same shape as the event, with remarks.
//!
//! A remark is `{"": {"rem": [[rule, kind, start, end]], "len": characters before}}`; kind `s` stands for substituted text, `x` for
//! what was removed.

use std::borrow::Cow;

use crate::protocol::json::{Json, Object, Text};

/// More remarks than a page could show say nothing new.
const MOST_NOTES: usize = 100;

/// Where a value stands: names and places, from the outside in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Path<'p> {
    outer: Option<&'p Path<'p>>,
    step: Step<'p>,
}

#[derive(Debug, Clone, Copy)]
enum Step<'p> {
    Name(&'p str),
    Place(usize),
}

impl<'p> Path<'p> {
    pub const fn root(name: &'p str) -> Self {
        Self {
            outer: None,
            step: Step::Name(name),
        }
    }

    pub const fn name(&'p self, name: &'p str) -> Self {
        Self {
            outer: Some(self),
            step: Step::Name(name),
        }
    }

    pub const fn place(&'p self, at: usize) -> Self {
        Self {
            outer: Some(self),
            step: Step::Place(at),
        }
    }

    fn steps(&self) -> Vec<String> {
        let mut steps = self.outer.map_or_else(Vec::new, Path::steps);
        steps.push(match self.step {
            Step::Name(name) => name.to_owned(),
            Step::Place(at) => at.to_string(),
        });
        steps
    }
}

/// What was done to one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Remark {
    /// The rule's name, such as `@password`.
    pub rule: &'static str,
    pub kind: &'static str,
    /// Characters of the new text that the remark is about.
    pub range: (usize, usize),
    /// Characters of the value before, where it was a text.
    pub length: Option<usize>,
}

/// Collects notes, as many as are useful.
#[derive(Debug, Default)]
pub(super) struct Notes(Vec<(Vec<String>, Remark)>);

impl Notes {
    pub fn add(&mut self, path: &Path<'_>, remark: Remark) {
        if self.0.len() < MOST_NOTES {
            self.0.push((path.steps(), remark));
        }
    }

    /// Writes the notes beside those that the SDK sent.
    pub fn write(self, meta: &mut Object<'_>) {
        for (steps, remark) in self.0 {
            write_below(meta, steps.into_iter(), remark);
        }
    }
}

fn write_below(node: &mut Object<'_>, mut steps: std::vec::IntoIter<String>, remark: Remark) {
    if let Some(step) = steps.next() {
        if let Some(inner) = child(node, step) {
            write_below(inner, steps, remark);
        }
    } else if let Some(own) = child(node, String::new()) {
        put(own, remark);
    }
}

/// The object under a name, made where there is none; nothing if something else is there.
fn child<'o, 'a>(node: &'o mut Object<'a>, name: String) -> Option<&'o mut Object<'a>> {
    let at = if let Some(at) = node.0.iter().position(|(key, _)| *key == name) {
        at
    } else {
        node.push(name, Json::Object(Object::default()));
        node.0.len() - 1
    };
    match &mut node.0[at].1 {
        Json::Object(inner) => Some(inner),
        _ => None,
    }
}

fn put(own: &mut Object<'_>, remark: Remark) {
    let (start, end) = remark.range;
    let text = |text: &'static str| Json::Str(Text::from(Cow::Borrowed(text)));
    let entry = Json::List(vec![
        text(remark.rule),
        text(remark.kind),
        Json::I64(start as i64),
        Json::I64(end as i64),
    ]);
    match own.0.iter_mut().find(|(key, _)| key == "rem") {
        Some((_, Json::List(entries))) => entries.push(entry),
        Some(_) => {}
        None => own.push("rem", Json::List(vec![entry])),
    }
    if let (Some(length), None) = (remark.length, own.get("len")) {
        own.push("len", Json::I64(length as i64));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remarks_stand_where_the_values_stand() {
        let mut notes = Notes::default();
        let extra = Path::root("extra");
        let list = extra.name("items");
        let remark = Remark {
            rule: "@password",
            kind: "s",
            range: (0, 10),
            length: Some(7),
        };
        notes.add(&list.place(2), remark);
        notes.add(
            &extra.name("pw"),
            Remark {
                length: None,
                ..remark
            },
        );
        let mut meta = Object::default();
        notes.write(&mut meta);
        assert_eq!(
            Json::Object(meta).to_text(),
            r#"{"extra":{"items":{"2":{"":{"rem":[["@password","s",0,10]],"len":7}}},"pw":{"":{"rem":[["@password","s",0,10]]}}}}"#
        );
    }

    #[test]
    fn what_the_sdk_sent_stays() {
        let Ok(Json::Object(mut meta)) =
            crate::protocol::json::parse(br#"{"extra":{"a":{"":{"len":3}}},"user":1}"#)
        else {
            panic!("an object");
        };
        let mut notes = Notes::default();
        let remark = Remark {
            rule: "@x",
            kind: "x",
            range: (0, 1),
            length: Some(9),
        };
        notes.add(&Path::root("extra").name("a"), remark);
        notes.add(&Path::root("user").name("b"), remark);
        notes.write(&mut meta);
        assert_eq!(
            Json::Object(meta).to_text(),
            r#"{"extra":{"a":{"":{"len":3,"rem":[["@x","x",0,1]]}}},"user":1}"#
        );
    }
}
