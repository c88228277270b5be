//! What was taken out of an event before it was stored. In: the notes of Bugle and of the SDK, `_meta`. Out: a line for each
//! place, with the reason.

use serde_json::Value;

use super::Note;

/// Lines that are shown at most.
const MOST: usize = 100;

/// All places that a note says something was taken out of.
pub fn removed(event: &Value) -> Vec<Note> {
    let mut lines = Vec::new();
    if let Some(meta) = event.get("_meta") {
        walk(meta, &mut String::new(), &mut lines);
    }
    lines
}

fn walk(node: &Value, place: &mut String, lines: &mut Vec<Note>) {
    let Some(node) = node.as_object() else { return };
    for (name, inner) in node {
        if lines.len() >= MOST {
            return;
        }
        if name.is_empty() {
            lines.extend(line(inner, place));
            continue;
        }
        let length = place.len();
        if !place.is_empty() {
            place.push('.');
        }
        place.push_str(name);
        walk(inner, place, lines);
        place.truncate(length);
    }
}

fn line(own: &Value, place: &str) -> Option<Note> {
    let remarks = own.get("rem")?.as_array()?;
    let rules = remarks.iter().filter_map(|remark| remark.get(0)?.as_str());
    let mut reasons: Vec<String> = rules.map(reason).collect();
    reasons.dedup();
    if reasons.is_empty() {
        return None;
    }
    let length = own.get("len").and_then(Value::as_u64);
    Some(Note {
        what: reasons.join(", "),
        place: place.to_owned(),
        value: length.map_or_else(String::new, |length| match length {
            1 => "was 1 character long".to_owned(),
            more => format!("was {more} characters long"),
        }),
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
        }});
        let lines: Vec<String> = removed(&event)
            .iter()
            .map(|note| format!("{} | {} | {}", note.place, note.what, note.value))
            .collect();
        assert_eq!(
            lines,
            [
                "extra.password | its name speaks of a secret | was 7 characters long",
                "user.ip_address | an IP address | ",
            ]
        );
        assert_eq!(removed(&json!({"_meta": [1], "a": 1})).len(), 0);
    }
}
