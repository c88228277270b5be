//! What scrubbing would take out of a stored event. In: the event and the rules. Out: the values that would change.
//!
//! The event is processed twice, with the rules and with none, so that what processing a stored event again changes by itself
//! is not blamed on the rules. What was taken out when the event came in is gone and cannot show up here.

use serde_json::Value;

use super::compare::again;
use super::scrub::{BuiltIn, Rules, Scrubbing};
use super::{ProcessError, Settings};

/// Changes that are given at most.
const MOST: usize = 200;

/// A value that would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Where it stands: names and places with dots between them.
    pub place: String,
    /// A text as it is, anything else as JSON.
    pub before: String,
    /// Nothing where the value would be gone.
    pub after: Option<String>,
}

/// What the rules would take out of an event that is stored as JSON.
pub fn preview(payload: &[u8], rules: &Rules) -> Result<Vec<Taken>, ProcessError> {
    let off = Scrubbing {
        built_in: BuiltIn::Off,
        ..Scrubbing::default()
    };
    let before = value(payload, Rules::default().and(&off))?;
    let after = value(payload, rules.clone())?;
    let mut taken = Vec::new();
    // What is made of values that are compared already.
    let is_derived = |name: &str| matches!(name, "_meta" | "grouping" | "title" | "metadata");
    for (name, before) in before.as_object().into_iter().flatten() {
        if !is_derived(name) {
            compare(name.clone(), before, after.get(name), &mut taken);
        }
    }
    Ok(taken)
}

fn value(payload: &[u8], rules: Rules) -> Result<Value, ProcessError> {
    let processed = again(payload, &Settings::default().scrubbed_by(rules))?;
    Ok(serde_json::from_slice(&processed.payload).unwrap_or_default())
}

fn compare(place: String, before: &Value, after: Option<&Value>, taken: &mut Vec<Taken>) {
    if Some(before) == after || taken.len() >= MOST {
        return;
    }
    match (before, after) {
        (Value::Object(old), Some(Value::Object(new))) => {
            for (name, value) in old {
                compare(format!("{place}.{name}"), value, new.get(name), taken);
            }
        }
        (Value::Array(old), Some(Value::Array(new))) => {
            // A list of pairs is named by them.
            if let ([Value::String(name), value], [_, other]) = (old.as_slice(), new.as_slice()) {
                let place = place.rsplit_once('.').map_or("", |(list, _)| list);
                compare(format!("{place}.{name}"), value, Some(other), taken);
                return;
            }
            for (at, value) in old.iter().enumerate() {
                compare(format!("{place}.{at}"), value, new.get(at), taken);
            }
        }
        _ => taken.push(Taken {
            place,
            before: shown(before),
            after: after.filter(|value| !value.is_null()).map(shown),
        }),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_shown_before_and_after() {
        let event = json!({
            "message": "order K-77123 failed",
            "request": {"url": "https://a.example/x", "query_string": [["customer_no", "17"], ["page", "2"]]},
            "extra": {"nested": {"customer_no": 17}, "gone": "[Filtered]"},
            "user": {"id": "1", "ip_address": "198.51.100.7"},
        });
        let wanted = Scrubbing {
            remove_ips: true,
            fields: vec!["customer_no".to_owned()],
            expressions: vec![r"K-\d+".to_owned()],
            ..Scrubbing::default()
        };
        let rules = Rules::default().and(&wanted);
        let taken = preview(event.to_string().as_bytes(), &rules).expect("an event");
        let lines: Vec<String> = taken
            .iter()
            .map(|one| format!("{}: {} > {:?}", one.place, one.before, one.after))
            .collect();
        assert_eq!(
            lines,
            [
                r#"extra.nested.customer_no: 17 > Some("[Filtered]")"#,
                r#"logentry.formatted: order K-77123 failed > Some("order [Filtered] failed")"#,
                r#"request.query_string.customer_no: 17 > Some("[Filtered]")"#,
                r"user.ip_address: 198.51.100.7 > None",
            ]
        );
        let nothing = preview(event.to_string().as_bytes(), &Rules::default());
        assert_eq!(nothing.expect("an event"), []);
    }
}
