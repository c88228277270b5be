//! What happened before. In: the breadcrumbs of an event. Out: one line for each, the newest first.

use serde_json::Value;

use super::value::{cut, list, show_line, text};
use crate::web::format::{When, parse_time};

/// One breadcrumb.
#[derive(Debug, Clone)]
pub struct Crumb {
    pub level: &'static str,
    pub category: String,
    pub what: String,
    pub data: String,
    pub time: Option<When>,
}

/// Levels have dots of their own; what an SDK invents counts as debug.
pub fn level_class(level: Option<&str>) -> &'static str {
    match level {
        Some("fatal" | "critical") => "fatal",
        Some("error") => "error",
        Some("warning" | "warn") => "warning",
        Some("debug" | "trace") => "debug",
        _ => "info",
    }
}

/// Reads the breadcrumbs, newest first.
pub fn crumbs(event: &Value) -> Vec<Crumb> {
    list(event, "breadcrumbs")
        .iter()
        .rev()
        .filter(|crumb| crumb.is_object())
        .map(crumb)
        .collect()
}

fn crumb(crumb: &Value) -> Crumb {
    let kind = text(crumb, "type").unwrap_or_default();
    let data = crumb.get("data").unwrap_or(&Value::Null);
    let (what, used): (String, &[&str]) = match (kind.as_str(), text(crumb, "message")) {
        ("http", None) => (http(data), &["method", "url", "status_code", "reason"]),
        ("navigation", None) => (
            format!(
                "{} → {}",
                text(data, "from").unwrap_or_default(),
                text(data, "to").unwrap_or_default()
            ),
            &["from", "to"],
        ),
        (_, message) => (message.unwrap_or_default(), &[]),
    };
    let rest = match data {
        Value::Object(map) => map
            .iter()
            .filter(|(key, value)| !used.contains(&key.as_str()) && !value.is_null())
            .map(|(key, value)| format!("{key}: {}", cut(&show_line(value), 300)))
            .collect::<Vec<_>>()
            .join("  "),
        _ => String::new(),
    };
    Crumb {
        level: level_class(text(crumb, "level").as_deref()),
        category: text(crumb, "category")
            .or((!kind.is_empty()).then_some(kind))
            .unwrap_or_else(|| "default".to_owned()),
        what: cut(&what, 2000),
        data: rest,
        time: crumb.get("timestamp").and_then(parse_time).map(When::clock),
    }
}

fn http(data: &Value) -> String {
    let status = match (text(data, "status_code"), text(data, "reason")) {
        (Some(code), Some(reason)) => format!(" → {code} {reason}"),
        (Some(code), None) => format!(" → {code}"),
        _ => String::new(),
    };
    format!(
        "{} {}{status}",
        text(data, "method").unwrap_or_default(),
        text(data, "url").unwrap_or_default()
    )
    .trim()
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn requests_and_ways_read_as_one_line() {
        let event = json!({"breadcrumbs": {"values": [
            {"category": "auth", "message": "signed in", "level": "info"},
            {"type": "http", "category": "httplib", "level": "error",
             "data": {"url": "https://pay.example.com/", "method": "POST", "status_code": 502, "reason": "Bad Gateway"}},
            {"type": "navigation", "data": {"from": "/basket", "to": "/checkout", "x": 1}},
            null
        ]}});
        let crumbs = crumbs(&event);
        assert_eq!(crumbs.len(), 3);
        assert_eq!(
            (crumbs[0].what.as_str(), crumbs[0].data.as_str()),
            ("/basket → /checkout", "x: 1")
        );
        assert_eq!(
            crumbs[1].what,
            "POST https://pay.example.com/ → 502 Bad Gateway"
        );
        assert_eq!((crumbs[1].level, crumbs[2].level), ("error", "info"));
    }
}
