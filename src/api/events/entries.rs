//! The parts of an event that clients show. In: the stored payload in `snake_case`. Out: `entries`, in `camelCase`.

use serde_json::{Value, json};
use url::Url;

use super::frames::stacktrace;

/// The entries of an event, in the order in which they are read.
pub fn of(payload: &Value) -> Value {
    let parts = [
        ("exception", exceptions(payload)),
        ("message", message(payload)),
        (
            "stacktrace",
            present(&payload["stacktrace"]).map(stacktrace),
        ),
        ("threads", threads(payload)),
        ("csp", present(&payload["csp"]).cloned()),
        ("hpkp", present(&payload["hpkp"]).cloned()),
        ("expectstaple", present(&payload["expectstaple"]).cloned()),
        ("expectct", present(&payload["expectct"]).cloned()),
        ("breadcrumbs", breadcrumbs(payload)),
        ("request", present(&payload["request"]).map(request)),
        ("debugmeta", present(&payload["debug_meta"]).map(debug_meta)),
    ];
    parts
        .into_iter()
        .filter_map(|(name, data)| Some(json!({"type": name, "data": data?})))
        .collect()
}

fn present(value: &Value) -> Option<&Value> {
    (!value.is_null()).then_some(value)
}

fn values(part: &Value) -> Option<&[Value]> {
    let values = part["values"].as_array()?;
    (!values.is_empty()).then_some(values.as_slice())
}

fn exceptions(payload: &Value) -> Option<Value> {
    let exceptions = values(&payload["exception"])?;
    let shown: Vec<Value> = exceptions
        .iter()
        .map(|exception| {
            json!({
                "type": exception["type"],
                "value": exception["value"],
                "module": exception["module"],
                "threadId": exception["thread_id"],
                "mechanism": exception["mechanism"],
                "stacktrace": present(&exception["stacktrace"]).map(stacktrace),
                "rawStacktrace": null,
            })
        })
        .collect();
    let has_system_frames = shown
        .iter()
        .any(|exception| exception["stacktrace"]["hasSystemFrames"] == true);
    Some(json!({"values": shown, "hasSystemFrames": has_system_frames, "excOmitted": null}))
}

fn message(payload: &Value) -> Option<Value> {
    let entry = present(&payload["logentry"])?;
    Some(json!({
        "formatted": entry["formatted"],
        "message": entry["message"],
        "params": entry["params"],
    }))
}

fn threads(payload: &Value) -> Option<Value> {
    let threads = values(&payload["threads"])?;
    let shown: Vec<Value> = threads
        .iter()
        .map(|thread| {
            json!({
                "id": thread["id"],
                "name": thread["name"],
                "crashed": thread["crashed"],
                "current": thread["current"],
                "main": thread["main"],
                "state": thread["state"],
                "stacktrace": present(&thread["stacktrace"]).map(stacktrace),
                "rawStacktrace": null,
            })
        })
        .collect();
    Some(json!({"values": shown}))
}

fn breadcrumbs(payload: &Value) -> Option<Value> {
    let crumbs = values(&payload["breadcrumbs"])?;
    let shown: Vec<Value> = crumbs
        .iter()
        .map(|crumb| {
            json!({
                "timestamp": crumb["timestamp"],
                "type": crumb["type"],
                "category": crumb["category"],
                "level": crumb["level"],
                "message": crumb["message"],
                "data": crumb["data"],
                "event_id": null,
            })
        })
        .collect();
    Some(json!({"values": shown}))
}

fn request(request: &Value) -> Value {
    let list = |name: &str| match &request[name] {
        Value::Null => json!([]),
        pairs => pairs.clone(),
    };
    // A client gives up on the whole event where this is no address.
    let url = request["url"]
        .as_str()
        .filter(|url| Url::parse(url).is_ok());
    let headers = list("headers");
    let content_type = headers.as_array().and_then(|pairs| {
        let named = |pair: &&Value| {
            pair[0]
                .as_str()
                .is_some_and(|name| name.eq_ignore_ascii_case("content-type"))
        };
        pairs.iter().find(named).map(|pair| pair[1].clone())
    });
    json!({
        "apiTarget": null,
        "method": request["method"],
        "url": url,
        "query": list("query_string"),
        "fragment": request["fragment"],
        "data": request["data"],
        "headers": headers,
        "cookies": list("cookies"),
        "env": request["env"],
        "inferredContentType": content_type,
    })
}

fn debug_meta(meta: &Value) -> Value {
    let images = match &meta["images"] {
        Value::Null => json!([]),
        images => images.clone(),
    };
    json!({"images": images})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_spelled_as_the_api_spells() {
        let shown = of(&json!({
            "exception": {"values": [{
                "type": "KeyError", "value": "'price'", "mechanism": {"type": "generic", "handled": false},
                "stacktrace": {"frames": [{"function": "total", "lineno": 7, "in_app": true}]},
            }]},
            "logentry": {"formatted": "no price", "message": "no %s", "params": ["price"]},
            "breadcrumbs": {"values": [{"type": "default", "level": "info", "message": "hi"}]},
            "request": {
                "url": "http://shop.example.com/a", "method": "GET", "query_string": [["a", "1"]],
                "headers": [["Content-Type", "text/plain"]],
            },
        }));
        let kinds: Vec<&Value> = shown
            .as_array()
            .expect("a list")
            .iter()
            .map(|entry| &entry["type"])
            .collect();
        assert_eq!(kinds, ["exception", "message", "breadcrumbs", "request"]);
        let exception = &shown[0]["data"]["values"][0];
        assert_eq!(exception["stacktrace"]["frames"][0]["lineNo"], 7);
        assert_eq!(exception["mechanism"]["handled"], false);
        assert_eq!(shown[1]["data"]["params"], json!(["price"]));
        assert_eq!(shown[3]["data"]["query"], json!([["a", "1"]]));
        assert_eq!(shown[3]["data"]["inferredContentType"], "text/plain");
    }

    #[test]
    fn an_address_that_is_none_is_left_out() {
        for url in ["/relative", "not an address", ""] {
            let shown = of(&json!({"request": {"url": url}}));
            assert_eq!(shown[0]["data"]["url"], Value::Null, "{url}");
        }
        assert_eq!(of(&json!({"exception": {"values": []}})), json!([]));
    }
}
