//! Secrets stay here. In: text of a report. Out: the same without passwords, tokens and what the settings keep secret.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

const HIDDEN: &str = "[hidden]";
/// Shorter texts would be found in ordinary words.
const SHORTEST: usize = 6;

static PATTERNS: LazyLock<[(Regex, &str); 3]> = LazyLock::new(|| {
    let pattern = |text: &str| Regex::new(text).expect("a fixed pattern is well formed");
    [
        // User and password in a URL; a DSN's key too.
        (
            pattern(r"(?i)\b([a-z][a-z0-9+.-]*://)[^\s/@]+@"),
            "${1}[hidden]@",
        ),
        (
            pattern(r"(?i)\b(bearer|basic)\s+[a-z0-9._~+/=-]{6,}"),
            "$1 [hidden]",
        ),
        (
            pattern(
                r#"(?i)\b([a-z_-]*(?:password|passwd|secret|token|api[_-]?key|sentry_key|authorization|cookie)["']?\s*[=:]\s*["']?)[^\s"'&,;]+"#,
            ),
            "${1}[hidden]",
        ),
    ]
});

pub(super) struct Redactor {
    secrets: Vec<String>,
}

impl Redactor {
    pub fn new(secrets: &[String]) -> Self {
        let mut secrets: Vec<String> = secrets
            .iter()
            .filter(|secret| secret.len() >= SHORTEST)
            .cloned()
            .collect();
        // A secret that contains another one goes first.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self { secrets }
    }

    pub fn text(&self, text: &str) -> String {
        let mut clean = text.to_owned();
        for secret in &self.secrets {
            if clean.contains(secret.as_str()) {
                clean = clean.replace(secret.as_str(), HIDDEN);
            }
        }
        for (pattern, with) in &*PATTERNS {
            clean = pattern.replace_all(&clean, *with).into_owned();
        }
        clean
    }

    /// Every text in a document.
    pub fn document(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.text(text),
            Value::Array(list) => list.iter_mut().for_each(|inner| self.document(inner)),
            Value::Object(map) => map.values_mut().for_each(|inner| self.document(inner)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_gets_through() {
        let redactor = Redactor::new(&["hunter2hunter2".to_owned(), "abc".to_owned()]);
        for (text, expect) in [
            (
                "cannot reach postgres://bugle:pass@db:5432/bugle",
                "cannot reach postgres://[hidden]@db:5432/bugle",
            ),
            ("the key is hunter2hunter2.", "the key is [hidden]."),
            (
                "Authorization: Bearer abcdef0123456789",
                "Authorization: [hidden] [hidden]",
            ),
            ("sent bearer abcdef0123456789 to", "sent bearer [hidden] to"),
            ("?token=abcdef&x=1", "?token=[hidden]&x=1"),
            ("smtp_password = \"x y\"", "smtp_password = \"[hidden] y\""),
            (
                "abc is no secret worth hiding",
                "abc is no secret worth hiding",
            ),
            (
                "event 0123456789abcdef0123456789abcdef in project 7",
                "event 0123456789abcdef0123456789abcdef in project 7",
            ),
        ] {
            assert_eq!(redactor.text(text), expect);
        }
        let mut document = serde_json::json!({"a": ["x hunter2hunter2"], "b": 1});
        redactor.document(&mut document);
        assert_eq!(document, serde_json::json!({"a": ["x [hidden]"], "b": 1}));
    }
}
