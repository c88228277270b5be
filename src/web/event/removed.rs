//! What was taken out of an event before it was stored, and what was cut. In: the notes of Bugle and of the SDK, `_meta`. Out: a
//! line for each place, with the reason.

use serde_json::Value;

use super::Note;

/// Lines that are shown at most.
const MOST: usize = 100;

/// The rule of remarks about size.
const LIMIT: &str = "!limit";

/// All places that something was taken out of.
pub fn removed(event: &Value) -> Vec<Note> {
    lines(event, |rules, length| {
        let mut reasons: Vec<String> = rules
            .iter()
            .filter(|rule| **rule != LIMIT)
            .map(|rule| reason(rule))
            .collect();
        reasons.dedup();
        let was = length.map_or_else(String::new, |length| match length {
            1 => "was 1 character long".to_owned(),
            more => format!("was {more} characters long"),
        });
        (!reasons.is_empty()).then(|| (reasons.join(", "), was))
    })
}

/// All places where something was too large.
pub fn shortened(event: &Value) -> Vec<Note> {
    lines(event, |rules, length| {
        let was = length.map_or_else(String::new, |length| format!("of {length}"));
        let is_cut = rules.contains(&LIMIT);
        is_cut.then(|| ("shortened: too large".to_owned(), was))
    })
}

type Say = fn(&[&str], Option<u64>) -> Option<(String, String)>;

fn lines(event: &Value, say: Say) -> Vec<Note> {
    let mut lines = Vec::new();
    if let Some(meta) = event.get("_meta") {
        walk(meta, &mut String::new(), say, &mut lines);
    }
    lines
}

fn walk(node: &Value, place: &mut String, say: Say, lines: &mut Vec<Note>) {
    let Some(node) = node.as_object() else { return };
    for (name, inner) in node {
        if lines.len() >= MOST {
            return;
        }
        if name.is_empty() {
            lines.extend(line(inner, place, say));
            continue;
        }
        let length = place.len();
        if !place.is_empty() {
            place.push('.');
        }
        place.push_str(name);
        walk(inner, place, say, lines);
        place.truncate(length);
    }
}

fn line(own: &Value, place: &str, say: Say) -> Option<Note> {
    let remarks = own.get("rem")?.as_array()?;
    let rules: Vec<&str> = remarks
        .iter()
        .filter_map(|remark| remark.get(0)?.as_str())
        .collect();
    let (what, value) = say(&rules, own.get("len").and_then(Value::as_u64))?;
    Some(Note {
        what,
        place: place.to_owned(),
        value,
    })
}

/// What a rule's name means. Names of rules that other programs follow are shown as they are.
fn reason(rule: &str) -> String {
    match rule {
        "@password" => "its name speaks of a secret",
        "@creditcard" => "a card number",
        "@iban" => "a bank account",
        "@usssn" => "a social security number",
        "@pemkey" => "a key",
        "@urlauth" => "a password in an address",
        "@bearer" => "an authorization",
        "@token" => "the token of a service",
        "@email" => "an e-mail address",
        "@ip" => "an IP address",
        "@expression" => "an expression of the project",
        other => other,
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_note_is_a_line() {
        let event = json!({"_meta": {
            "extra": {"password": {"": {"rem": [["@password", "s", 0, 10]], "len": 7}}, "x": {"": {"len": 3}}},
            "user": {"ip_address": {"": {"rem": [["@ip", "x", 0, 0], ["@ip", "x"]]}}},
            "message": {"": {"rem": [["!limit", "s", 8189, 8192]], "len": 9000}},
        }});
        let texts = |notes: Vec<Note>| -> Vec<String> {
            notes
                .iter()
                .map(|note| format!("{} | {} | {}", note.place, note.what, note.value))
                .collect()
        };
        assert_eq!(
            texts(shortened(&event)),
            ["message | shortened: too large | of 9000"]
        );
        assert_eq!(
            texts(removed(&event)),
            [
                "extra.password | its name speaks of a secret | was 7 characters long",
                "user.ip_address | an IP address | ",
            ]
        );
        assert_eq!(removed(&json!({"_meta": [1], "a": 1})).len(), 0);
    }
}
