//! The request that failed. In: the event's `request`. Out: its parts, and the same as a curl command.

use std::fmt::Write as _;

use serde_json::Value;

use super::value::{Pair, pairs, safe_link, show, text};

/// An HTTP request as the SDK saw it.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub url: String,
    pub link: Option<String>,
    pub query: Vec<Pair>,
    pub headers: Vec<Pair>,
    pub cookies: Vec<Pair>,
    pub env: Vec<Pair>,
    pub body: Option<String>,
    pub curl: Option<String>,
}

/// Reads the request; none where the event has no word about one.
pub fn request(event: &Value) -> Option<Request> {
    let request = event.get("request").filter(|request| request.is_object())?;
    let url = text(request, "url").unwrap_or_default();
    let method = text(request, "method").unwrap_or_default();
    let query = match request.get("query_string") {
        Some(Value::String(query)) => url::form_urlencoded::parse(query.as_bytes())
            .map(|(key, value)| Pair {
                key: key.into_owned(),
                value: value.into_owned(),
            })
            .collect(),
        other => pairs(other),
    };
    let body = request
        .get("data")
        .filter(|data| !data.is_null())
        .map(show)
        .filter(|body| !body.is_empty());
    let headers = pairs(request.get("headers"));
    let found = Request {
        link: safe_link(&url),
        curl: safe_link(&url).map(|url| curl(&method, &url, &query, &headers, body.as_deref())),
        query,
        headers,
        cookies: pairs(request.get("cookies")),
        env: pairs(request.get("env")),
        body,
        method,
        url,
    };
    let empty = found.url.is_empty()
        && found.headers.is_empty()
        && found.body.is_none()
        && found.env.is_empty();
    (!empty).then_some(found)
}

fn curl(method: &str, url: &str, query: &[Pair], headers: &[Pair], body: Option<&str>) -> String {
    let mut address = url.to_owned();
    if !query.is_empty() && !url.contains('?') {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(query.iter().map(|pair| (&pair.key, &pair.value)))
            .finish();
        write!(address, "?{query}").expect("writing to a string");
    }
    let mut command = "curl".to_owned();
    if !method.is_empty() && method != "GET" {
        write!(command, " -X {}", quote(method)).expect("writing to a string");
    }
    write!(command, " {}", quote(&address)).expect("writing to a string");
    for header in headers {
        let name = header.key.to_ascii_lowercase();
        // curl makes these itself, and a stale length would break the request.
        if !matches!(name.as_str(), "host" | "content-length" | "connection") {
            write!(
                command,
                " \\\n  -H {}",
                quote(&format!("{}: {}", header.key, header.value))
            )
            .expect("writing to a string");
        }
    }
    if let Some(body) = body {
        write!(command, " \\\n  --data-raw {}", quote(body)).expect("writing to a string");
    }
    command
}

/// For a shell: single quotes, and nothing in between means anything.
fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_request_becomes_a_command_that_a_shell_cannot_misread() {
        let event = json!({"request": {"url": "https://shop.example.com/pay", "method": "POST", "query_string": [["q", "a'b $(id)"]],
            "headers": [["Host", "x"], ["X-A", "it's"]], "data": {"sku": 1}}});
        let request = request(&event).expect("there is a request");
        assert_eq!(
            request.curl.as_deref(),
            Some(
                "curl -X 'POST' 'https://shop.example.com/pay?q=a%27b+%24%28id%29' \\\n  -H 'X-A: it'\\''s' \\\n  --data-raw '{\"sku\":1}'"
            )
        );
        assert_eq!(request.headers.len(), 2);
    }

    #[test]
    fn odd_addresses_are_shown_but_not_linked() {
        let request = request(&json!({"request": {"url": "javascript:alert(1)"}}))
            .expect("there is a request");
        assert_eq!((request.link, request.curl), (None, None));
        assert!(super::request(&json!({"request": {}})).is_none());
        assert!(super::request(&json!({"request": "x"})).is_none());
    }
}
