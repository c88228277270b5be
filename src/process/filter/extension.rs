//! Errors of what people have added to their browsers.
//! In: an event of a browser. Out: whether an extension or a program on the machine caused it.

use crate::process::event::{Event, Exception, Frame};
use crate::process::rules::Family;

const SCHEMES: [&str; 8] = [
    "chrome-extension",
    "moz-extension",
    "safari-extension",
    "safari-web-extension",
    "ms-browser-extension",
    "webkit-masked-url",
    "chrome",
    "resource",
];

/// Hosts of scripts that virus scanners and toolbars put into pages.
const INJECTED_HOSTS: [&str; 5] = [
    "kaspersky-labs.com",
    "local.adguard.org",
    "superfish.com",
    "texthelp.com",
    "avastbrowser.com",
];

/// Parts of messages that no page causes by itself.
const MESSAGES: [&str; 16] = [
    "Extension context invalidated",
    "top.GLOBALS",
    "can't access dead object",
    "Could not establish connection. Receiving end does not exist",
    "message channel closed before a response was received",
    "chrome-extension://",
    "moz-extension://",
    "safari-extension://",
    "safari-web-extension://",
    "__gCrWeb",
    "__firefox__",
    "_AutofillCallbackHandler",
    "Cannot redefine property: ethereum",
    "MetaMask extension not found",
    "Failed to connect to MetaMask",
    "zaloJSV2",
];

pub(super) fn is_cause(event: &Event<'_>) -> bool {
    Family::of(&event.platform) == Family::JavaScript
        && (event.exceptions.last().is_some_and(has_known_message)
            || newest_frames(event)
                .and_then(script_of)
                .is_some_and(is_foreign))
}

fn has_known_message(exception: &Exception<'_>) -> bool {
    let value = exception.value.as_deref();
    value.is_some_and(|value| MESSAGES.iter().any(|part| value.contains(part)))
}

/// The frames where it came to light: of the last exception that has any.
fn newest_frames<'e, 'a>(event: &'e Event<'a>) -> Option<&'e [Frame<'a>]> {
    let mut stacks = event.exceptions.iter().rev().map(Exception::frames);
    stacks.find(|frames| !frames.is_empty())
}

/// The newest frame's script, of those that have one.
fn script_of<'e>(frames: &'e [Frame<'_>]) -> Option<&'e str> {
    frames.iter().rev().find_map(|frame| {
        let path = frame.abs_path.as_deref().or(frame.filename.as_deref());
        path.filter(|path| {
            !matches!(
                *path,
                "" | "<anonymous>" | "[native code]" | "native code" | "?"
            )
        })
    })
}

fn is_foreign(script: &str) -> bool {
    let Some((_, rest)) = script.split_once("://") else {
        return false;
    };
    if is_extension(script) {
        return true;
    }
    let authority = rest.split('/').next().unwrap_or_default();
    let host = authority.split(':').next().unwrap_or_default();
    INJECTED_HOSTS
        .iter()
        .any(|known| is_host_below(host, known))
}

/// Whether it is this host or one of its subdomains.
fn is_host_below(host: &str, domain: &str) -> bool {
    let front = host.strip_suffix(domain);
    front.is_some_and(|front| front.is_empty() || front.ends_with('.'))
}

/// Whether an address, or a scheme alone, is that of an extension.
pub(super) fn is_extension(address: &str) -> bool {
    let scheme = address.split(':').next().unwrap_or_default();
    SCHEMES
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_of_others_are_known_by_scheme_or_host() {
        for (script, expected) in [
            ("chrome-extension://abc/content.js", true),
            ("moz-extension://abc/content.js", true),
            ("safari-web-extension://abc/content.js", true),
            ("webkit-masked-url://hidden/", true),
            ("chrome://juggler/content.js", true),
            ("https://gc.kis.v2.scr.kaspersky-labs.com/x/main.js", true),
            ("http://local.adguard.org:80/x.js", true),
            ("https://kaspersky-labs.com.example.com/x.js", false),
            ("https://notsuperfish.com/x.js", false),
            ("https://shop.example.com/chrome-extension://x.js", false),
            ("app:///main.js", false),
            ("C:\\chrome\\main.js", false),
            ("chrome/main.js", false),
            ("", false),
        ] {
            assert_eq!(is_foreign(script), expected, "{script}");
        }
    }
}
