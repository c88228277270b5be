//! Removes personal data and secrets by the default rules, before anything is stored.
//! In: a normalised event. Out: the same event with `[Filtered]` where a key or a value gave a secret away.

mod secrets;

use std::borrow::Cow;

use crate::protocol::json::{Json, Object};

use super::event::{Event, Pairs, Request, Stacktrace};

use secrets::{Marks, scrub_text};

const FILTERED: &str = "[Filtered]";

/// Contexts written by SDKs about machine and program; everything else may hold anything.
const KNOWN_CONTEXTS: [&str; 14] = [
    "os",
    "runtime",
    "device",
    "app",
    "browser",
    "gpu",
    "trace",
    "culture",
    "state",
    "cloud_resource",
    "response",
    "replay",
    "feedback",
    "flags",
];

pub(super) fn scrub(event: &mut Event<'_>) {
    for exception in &mut event.exceptions {
        scrub_variables(exception.stacktrace.as_mut());
    }
    for thread in &mut event.threads {
        scrub_variables(thread.stacktrace.as_mut());
    }
    scrub_variables(event.stacktrace.as_mut());
    if let Some(logentry) = &mut event.logentry {
        scrub_text(&mut logentry.formatted, Marks::Named);
        if let Some(message) = &mut logentry.message {
            scrub_text(message, Marks::Named);
        }
        scrub_value(&mut logentry.params, Marks::Named);
    }
    for crumb in &mut event.breadcrumbs {
        if let Some(message) = &mut crumb.message {
            scrub_text(message, Marks::Filtered);
        }
        scrub_object(&mut crumb.data, Marks::Filtered);
    }
    for (name, context) in &mut event.contexts.0 {
        if !KNOWN_CONTEXTS.contains(&&**name) {
            scrub_value(context, Marks::Filtered);
        }
    }
    scrub_request(&mut event.request);
    scrub_object(&mut event.extra, Marks::Filtered);
    scrub_object(&mut event.user.data, Marks::Filtered);
}

fn scrub_variables(stack: Option<&mut Stacktrace<'_>>) {
    for frame in stack.into_iter().flat_map(|stack| &mut stack.frames) {
        scrub_object(&mut frame.vars, Marks::Filtered);
    }
}

fn scrub_request(request: &mut Request<'_>) {
    if let Some(url) = &mut request.url {
        scrub_text(url, Marks::Filtered);
    }
    scrub_pairs(&mut request.query_string, is_secret_key);
    scrub_pairs(&mut request.cookies, is_secret_cookie);
    scrub_pairs(&mut request.headers, is_secret_key);
    scrub_value(&mut request.data, Marks::Filtered);
    scrub_object(&mut request.env, Marks::Filtered);
}

fn scrub_pairs(pairs: &mut Pairs<'_>, is_secret: fn(&str) -> bool) {
    for (key, value) in pairs {
        if is_secret(key) {
            *value = Json::from(FILTERED);
        } else if key != "User-Agent" {
            scrub_value(value, Marks::Filtered);
        }
    }
}

fn scrub_object(object: &mut Object<'_>, marks: Marks) {
    for (key, value) in &mut object.0 {
        if value.is_null() {
            continue;
        }
        if is_secret_key(key) {
            *value = Json::from(FILTERED);
        } else {
            scrub_value(value, marks);
        }
    }
}

fn scrub_value(value: &mut Json<'_>, marks: Marks) {
    match value {
        Json::Str(text) => scrub_text(text, marks),
        Json::List(items) => {
            for item in items {
                scrub_value(item, marks);
            }
        }
        Json::Object(object) => scrub_object(object, marks),
        // A card number may come as a number.
        Json::I64(number) if *number > 999_999_999_999 => {
            let mut text = Cow::Owned(number.to_string());
            scrub_text(&mut text, marks);
            if text == FILTERED {
                *value = Json::Str(text);
            }
        }
        _ => {}
    }
}

/// Whether a name speaks of a secret. Called for every variable of every frame, hence no regular expression:
/// only letters that begin one of the words are looked at twice.
fn is_secret_key(key: &str) -> bool {
    let bytes = key.as_bytes();
    if bytes.len() < 4 {
        return bytes.eq_ignore_ascii_case(b"otp");
    }
    bytes.iter().enumerate().any(|(at, letter)| {
        let words: &[&str] = match letter {
            b'p' | b'P' => &["password", "passwd", "privatekey", "private_key"],
            b's' | b'S' => &["secret"],
            b'a' | b'A' => &["auth", "api_key", "api-key", "apikey"],
            b't' | b'T' => &["token", "two-factor"],
            b'c' | b'C' => &["credentials"],
            b'm' | b'M' => &["mysql_pwd"],
            _ => return false,
        };
        let rest = &bytes[at..];
        words
            .iter()
            .any(|word| starts_with_ignoring_case(rest, word.as_bytes()))
    })
}

fn starts_with_ignoring_case(bytes: &[u8], word: &[u8]) -> bool {
    bytes
        .get(..word.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(word))
}

/// Cookies that log somebody in.
fn is_secret_cookie(name: &str) -> bool {
    const PARTS: [&str; 5] = ["sess", "csrf", "xsrf", "symfony", "sid"];
    let lower = name.to_ascii_lowercase();
    PARTS.iter().any(|part| lower.contains(part)) || is_secret_key(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_matched_anywhere_in_any_case() {
        for key in [
            "password",
            "Passwd2",
            "client_secret",
            "X-Api-Key",
            "Authorization",
            "mysql_pwd",
            "otp",
            "OTP",
            "tokens_used",
            "credentials",
            "author",
            "PrivateKey",
            "two-factor",
        ] {
            assert!(is_secret_key(key), "{key}");
        }
        for key in [
            "option", "user", "path", "status", "pass", "camera", "note", "", "to", "é",
        ] {
            assert!(!is_secret_key(key), "{key}");
        }
        for cookie in [
            "sessionid",
            "PHPSESSID",
            "csrftoken",
            "_csrf",
            "connect.sid",
            "laravel_session",
        ] {
            assert!(is_secret_cookie(cookie), "{cookie}");
        }
        assert!(!is_secret_cookie("theme"));
    }

    #[test]
    fn objects_are_scrubbed_in_depth() {
        let mut value = crate::protocol::json::parse(
            br#"{"nested":{"items":[{"api_key":"z","ok":1}]},"card":4111111111111111,"n":1795255200000,"none":{"token":null}}"#,
        )
        .expect("JSON");
        scrub_value(&mut value, Marks::Filtered);
        assert_eq!(
            value.to_text(),
            r#"{"nested":{"items":[{"api_key":"[Filtered]","ok":1}]},"card":"[Filtered]","n":1795255200000,"none":{"token":null}}"#
        );
    }
}
