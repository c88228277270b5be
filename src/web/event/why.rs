//! Why events share an issue. In: what grouping left in the event. Out: what made the fingerprint, and what did not count.

use serde_json::Value;

use super::value::{cut, list, show_line, text};

/// One part of the fingerprint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub label: &'static str,
    pub value: String,
}

/// What made the fingerprint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    pub parts: Vec<Part>,
    pub note: &'static str,
    pub rule: Option<Rule>,
}

/// The fingerprint rule that decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub text: String,
    /// None for a rule that is built in.
    pub line: Option<u64>,
}

/// Frames named before "…".
const FRAMES: usize = 5;

/// Reads the explanation of the variant that named the issue.
pub fn why(event: &Value) -> Option<Why> {
    let variants = list(event.get("grouping")?, "variants");
    let variant = variants
        .iter()
        .find(|variant| {
            variant
                .get("contributes")
                .and_then(Value::as_bool)
                .unwrap_or(false)
        })
        .or_else(|| variants.first())?;
    let parts: Vec<Part> = list(variant, "components")
        .iter()
        .filter_map(part)
        .collect();
    let note = note(&text(variant, "name").unwrap_or_default(), &parts);
    let rule = event.pointer("/grouping/rule").and_then(|rule| {
        Some(Rule {
            text: text(rule, "text")?,
            line: rule.get("line").and_then(Value::as_u64),
        })
    });
    Some(Why { parts, note, rule })
}

/// What a kind of component is called on pages.
pub fn label(kind: &str) -> &'static str {
    match kind {
        "in_app_frames" => "app frames",
        "frames" => "frames",
        "type" => "type",
        "value" => "value",
        "message" => "message",
        "fingerprint" => "fingerprint",
        "checksum" => "checksum",
        "skeleton" => "what it says",
        "ns_error" => "error code",
        "directive" => "directive",
        "blocked" => "blocked",
        "host" => "host",
        _ => "also",
    }
}

fn part(component: &Value) -> Option<Part> {
    let mut values: Vec<String> = list(component, "values")
        .iter()
        .map(|value| cut(&show_line(value), 200))
        .collect();
    if values.is_empty() {
        return None;
    }
    let label = label(&text(component, "kind")?);
    if label.ends_with("frames") {
        // As everywhere on the page, the frame that failed stands first.
        values.reverse();
        if values.len() > FRAMES {
            values.truncate(FRAMES);
            values.push("…".to_owned());
        }
    }
    Some(Part {
        label,
        value: values.join(" · "),
    })
}

fn note(variant: &str, parts: &[Part]) -> &'static str {
    let has = |label: &str| parts.iter().any(|part| part.label == label);
    match variant {
        "custom_fingerprint" => "The application set the fingerprint itself; nothing else counted.",
        "checksum" => "The application sent a checksum; nothing else counted.",
        "fallback" => "The event holds nothing to tell it from others.",
        _ if has("app frames") || has("frames") => "Line numbers and the value did not count.",
        _ if has("value") => "There was no stack trace to go by.",
        _ if has("message") => "What was filled into the message did not count.",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_variant_that_counted_is_explained() {
        let event = json!({"grouping": {"version": "1", "variants": [
            {"name": "app", "contributes": false, "components": []},
            {"name": "system", "contributes": true, "components": [
                {"kind": "type", "values": ["KeyError"]},
                {"kind": "frames", "total": 9, "values": ["a", "b", "c", "d", "e", "f"]}]},
        ]}});
        let why = why(&event).expect("an explanation");
        assert_eq!(
            why.parts[0],
            Part {
                label: "type",
                value: "KeyError".into()
            }
        );
        assert_eq!(why.parts[1].value, "f · e · d · c · b · …");
        assert!(why.note.starts_with("Line numbers"));
        assert_eq!(super::why(&json!({"grouping": 3})), None);
        assert_eq!(super::why(&json!({})), None);
    }
}
