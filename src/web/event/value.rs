//! Looking into an event's JSON. In: a value of any shape. Out: texts and pairs; what is missing or of another shape
//! is simply not there.

use serde_json::Value;

/// A name with its value as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    pub key: String,
    pub value: String,
}

/// A non-empty text at `key`; numbers and booleans count as texts.
pub fn text(value: &Value, key: &str) -> Option<String> {
    match value.get(key)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        number @ (Value::Number(_) | Value::Bool(_)) => Some(number.to_string()),
        _ => None,
    }
}

/// The list at `key`, or the one in its `values`.
pub fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    match value.get(key) {
        Some(Value::Array(items)) => items,
        Some(Value::Object(map)) => map
            .get("values")
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice),
        _ => &[],
    }
}

/// A value in one text: strings as they are, the rest as JSON.
pub fn show(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "null".to_owned(),
        Value::Array(_) | Value::Object(_) if is_long(value) => {
            serde_json::to_string_pretty(value).unwrap_or_default()
        }
        other => other.to_string(),
    }
}

/// A value in one line.
pub fn show_line(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn is_long(value: &Value) -> bool {
    value.to_string().len() > 90
}

/// The pairs of an object, or of a list of `[key, value]`.
pub fn pairs(value: Option<&Value>) -> Vec<Pair> {
    match value {
        Some(Value::Object(map)) => map
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| Pair {
                key: key.clone(),
                value: show(value),
            })
            .collect(),
        Some(Value::Array(items)) => items
            .iter()
            .filter_map(|item| match item.as_array().map(Vec::as_slice) {
                Some([key, value]) if !value.is_null() => Some(Pair {
                    key: show(key),
                    value: show(value),
                }),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// An address that may be followed: http and https only, as events may hold anything.
pub fn safe_link(address: &str) -> Option<String> {
    let url = url::Url::parse(address).ok()?;
    matches!(url.scheme(), "http" | "https").then(|| address.to_owned())
}

/// At most `limit` characters, with a sign that there was more.
pub fn cut(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn any_shape_is_survived() {
        let event =
            json!({"a": 1, "b": "", "c": null, "d": {"values": [1, 2]}, "e": [3], "f": "x"});
        assert_eq!(text(&event, "a").as_deref(), Some("1"));
        assert_eq!(text(&event, "b"), None);
        assert_eq!(text(&event, "c"), None);
        assert_eq!(list(&event, "d").len(), 2);
        assert_eq!(list(&event, "e").len(), 1);
        assert!(list(&event, "f").is_empty());
        assert_eq!(
            pairs(Some(&json!([["k", "v"], ["n", null], "odd"]))),
            vec![Pair {
                key: "k".into(),
                value: "v".into()
            }]
        );
        assert_eq!(
            pairs(Some(&json!({"k": {"x": 1}}))),
            vec![Pair {
                key: "k".into(),
                value: "{\"x\":1}".into()
            }]
        );
    }

    #[test]
    fn only_web_addresses_are_links() {
        assert!(safe_link("https://shop.example.com/x").is_some());
        for address in [
            "javascript:alert(1)",
            "data:text/html,x",
            "//x",
            "/x",
            "ftp://x",
            " javascript:x",
        ] {
            assert_eq!(safe_link(address), None, "{address}");
        }
    }
}
