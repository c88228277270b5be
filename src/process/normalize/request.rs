//! The HTTP request during which it happened.
//! In: the `request` attribute in any form. Out: a [`Request`] with lists of pairs and parsed data.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::process::event::{Pairs, Request};
use crate::protocol::json::{self, Json, Object, Text};

use super::limits;
use super::reader::{Reader, any_text, lenient, trimmed};

pub(super) fn read<'a>(reader: &mut Reader<'a>, value: Json<'a>) -> Request<'a> {
    let mut request = Request::default();
    let Some(object) = reader.object("request", value) else {
        return request;
    };
    for (key, value) in object.0 {
        match &*key {
            "url" => request.url = reader.text("request.url", value).map(trimmed),
            "method" => request.method = method(reader, value),
            "query_string" => {
                request.query_string = pairs(reader, "request.query_string", value, parse_query);
            }
            "fragment" => {
                request.fragment = reader.short_text("request.fragment", value, limits::PATH);
            }
            "cookies" => {
                request.cookies = pairs(reader, "request.cookies", value, parse_cookies);
            }
            "headers" => request.headers = headers(reader, value),
            "data" => request.data = value,
            "env" => request.env = reader.object("request.env", value).unwrap_or_default(),
            _ => {}
        }
    }
    split_url(reader, &mut request);
    move_cookie_header(&mut request);
    request.data = parse_data(std::mem::take(&mut request.data), &request.headers);
    request
}

/// 3 to 32 letters, hyphens or underscores; upper case.
fn method<'a>(reader: &mut Reader<'a>, value: Json<'a>) -> Option<Text<'a>> {
    let method = reader.text("request.method", value)?;
    let valid = (3..=32).contains(&method.len())
        && method
            .bytes()
            .all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_'));
    if !valid {
        return reader.refuse("request.method", Json::Str(method));
    }
    Some(if method.bytes().any(|byte| byte.is_ascii_lowercase()) {
        Cow::Owned(method.to_ascii_uppercase())
    } else {
        method
    })
}

/// Reads a text, an object or a list of pairs.
fn pairs<'a>(
    reader: &mut Reader<'a>,
    name: &'static str,
    value: Json<'a>,
    parse_text: fn(&str) -> Pairs<'a>,
) -> Pairs<'a> {
    let mut pairs: Pairs<'a> = match value {
        Json::Null => Vec::new(),
        Json::Str(text) => parse_text(&text),
        Json::Object(object) => object
            .0
            .into_iter()
            .map(|(key, value)| (key, pair_value(value)))
            .collect(),
        Json::List(items) => items.into_iter().filter_map(pair).collect(),
        other => reader.refuse(name, other).unwrap_or_default(),
    };
    if pairs.len() > limits::PAIRS {
        pairs.truncate(limits::PAIRS);
        reader.note("too_many_values", name);
    }
    pairs
}

fn pair<'a>(item: Json<'a>) -> Option<(Text<'a>, Json<'a>)> {
    let Json::List(pair) = item else {
        return None;
    };
    let [key, value] = <[Json<'a>; 2]>::try_from(pair).ok()?;
    let key = lenient(key).ok().flatten()?;
    Some((key, pair_value(value)))
}

fn pair_value(value: Json<'_>) -> Json<'_> {
    match value {
        Json::Null => Json::from(""),
        other => Json::Str(any_text(other).unwrap_or_default()),
    }
}

fn parse_query<'a>(text: &str) -> Pairs<'a> {
    let text = text.strip_prefix('?').unwrap_or(text);
    text.split('&')
        .filter(|part| !part.is_empty())
        .take(limits::PAIRS)
        .map(|part| {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            (Cow::Owned(decode(key)), Json::from(decode(value)))
        })
        .collect()
}

/// Form decoding. NUL, which an escape may hide, must not come in here either.
fn decode(text: &str) -> String {
    let spaced = text.replace('+', " ");
    let mut decoded = percent_decode_str(&spaced).decode_utf8_lossy().into_owned();
    decoded.retain(|c| c != '\0');
    decoded
}

fn parse_cookies<'a>(text: &str) -> Pairs<'a> {
    text.split(';')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .take(limits::PAIRS)
        .map(|part| {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            (Cow::Owned(key.to_owned()), Json::from(value.to_owned()))
        })
        .collect()
}

fn headers<'a>(reader: &mut Reader<'a>, value: Json<'a>) -> Pairs<'a> {
    let join = |value: Json<'a>| match value {
        Json::List(values) => {
            let values: Vec<_> = values.into_iter().filter_map(any_text).collect();
            Json::from(values.join(","))
        }
        other => other,
    };
    let value = match value {
        Json::Object(Object(entries)) => Json::Object(Object(
            entries
                .into_iter()
                .map(|(key, value)| (key, join(value)))
                .collect(),
        )),
        Json::List(items) => Json::List(
            items
                .into_iter()
                .map(|item| match item {
                    Json::List(mut pair) if pair.len() == 2 => {
                        let value = join(std::mem::take(&mut pair[1]));
                        pair[1] = value;
                        Json::List(pair)
                    }
                    other => other,
                })
                .collect(),
        ),
        other => other,
    };
    let mut headers = pairs(reader, "request.headers", value, |_| Vec::new());
    for (name, _) in &mut headers {
        if let Some(usual) = usual_case(name) {
            *name = Cow::Owned(usual);
        }
    }
    headers
}

/// `content-type` as `Content-Type`; nothing if it is written so already.
fn usual_case(name: &str) -> Option<String> {
    let mut at_start = true;
    let usual: String = name
        .chars()
        .map(|c| {
            let usual = if at_start { c.to_ascii_uppercase() } else { c };
            at_start = !c.is_ascii_alphanumeric();
            usual
        })
        .collect();
    (usual != name).then_some(usual)
}

/// Query and fragment inside the URL move to their own attributes.
fn split_url<'a>(reader: &mut Reader<'a>, request: &mut Request<'a>) {
    let Some(url) = request.url.take() else {
        return;
    };
    let (without_fragment, fragment) = match url.split_once('#') {
        Some((front, fragment)) => (front, Some(fragment)),
        None => (url.as_ref(), None),
    };
    let (base, query) = match without_fragment.split_once('?') {
        Some((base, query)) => (base, Some(query)),
        None => (without_fragment, None),
    };
    if let (Some(query), true) = (query, request.query_string.is_empty()) {
        request.query_string = parse_query(query);
    }
    if let (Some(fragment), None) = (fragment.filter(|text| !text.is_empty()), &request.fragment) {
        let fragment = Cow::Owned(fragment.to_owned());
        request.fragment = Some(reader.cut("request.fragment", fragment, limits::PATH));
    }
    let kept = base.len();
    let base = match url {
        Cow::Borrowed(url) => Cow::Borrowed(&url[..kept]),
        Cow::Owned(mut url) => {
            url.truncate(kept);
            Cow::Owned(url)
        }
    };
    request.url = (!base.is_empty()).then(|| reader.cut("request.url", base, limits::PATH));
}

fn move_cookie_header(request: &mut Request<'_>) {
    let Some(at) = request
        .headers
        .iter()
        .position(|(name, _)| name == "Cookie")
    else {
        return;
    };
    let (_, value) = request.headers.remove(at);
    if let (true, Some(text)) = (request.cookies.is_empty(), value.as_str()) {
        request.cookies = parse_cookies(text);
    }
}

/// A body that is JSON or a form is shown as what it says.
fn parse_data<'a>(data: Json<'a>, headers: &Pairs<'a>) -> Json<'a> {
    let Json::Str(text) = &data else {
        return data;
    };
    if text.is_empty() {
        return Json::Null;
    }
    if text.trim_start().starts_with(['{', '[']) {
        return match json::parse(text.as_bytes()) {
            Ok(parsed) => parsed.into_owned(),
            Err(_) => data,
        };
    }
    let is_form = headers.iter().any(|(name, value)| {
        name == "Content-Type"
            && value
                .as_str()
                .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
    });
    if !is_form || !text.contains('=') {
        return data;
    }
    let mut form = Object::default();
    for (key, value) in parse_query(text) {
        match form.0.iter_mut().find(|(known, _)| *known == key) {
            Some((_, Json::List(values))) => values.push(value),
            Some((_, single)) => *single = Json::List(vec![std::mem::take(single), value]),
            None => form.0.push((key, value)),
        }
    }
    Json::Object(form)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_json(json: &str) -> String {
        let mut reader = Reader::default();
        let value = json::parse(json.as_bytes()).expect("JSON");
        serde_json::to_string(&read(&mut reader, value)).expect("a request is valid JSON")
    }

    #[test]
    fn all_forms_become_one() {
        for (json, expected) in [
            (
                r#"{"url":"http://a.example/a?b=c&d=%20#frag","method":"post","headers":[["cookie","a=b; c=d"],["accept","y"]],"data":"{\"k\":1}"}"#,
                r#"{"url":"http://a.example/a","method":"POST","query_string":[["b","c"],["d"," "]],"fragment":"frag","cookies":[["a","b"],["c","d"]],"headers":[["Accept","y"]],"data":{"k":1}}"#,
            ),
            (
                r#"{"headers":{"user-agent":["a","b"],"content-type":"application/x-www-form-urlencoded"},"data":"a=1&b=x+y&a=2"}"#,
                r#"{"headers":[["User-Agent","a,b"],["Content-Type","application/x-www-form-urlencoded"]],"data":{"a":["1","2"],"b":"x y"}}"#,
            ),
            (
                r#"{"query_string":{"a":1,"b":null},"cookies":[["x","y"],"junk"],"method":"no spaces","env":[]}"#,
                r#"{"query_string":[["a","1"],["b",""]],"cookies":[["x","y"]]}"#,
            ),
            (
                r#"{"query_string":"?a=%00b","data":"plain text"}"#,
                r#"{"query_string":[["a","b"]],"data":"plain text"}"#,
            ),
            ("7", "{}"),
        ] {
            assert_eq!(read_json(json), expected);
        }
    }
}
