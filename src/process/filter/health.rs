//! Requests that only ask whether the service is alive.
//! In: an event with its transaction or address. Out: whether it is about such a request.

use crate::process::event::Event;

/// Last parts of paths that ask nothing else, wherever they are.
const NAMES: [&str; 10] = [
    "healthz",
    "health",
    "healthcheck",
    "health-check",
    "health_check",
    "livez",
    "readyz",
    "liveness",
    "readiness",
    "heartbeat",
];

/// Words that may be part of what an application is about, as in `/orders/7/status`: they count only at the top, or
/// below what stands in front of all paths.
const WORDS: [&str; 5] = ["ping", "status", "up", "live", "ready"];

const PREFIXES: [&str; 6] = ["api", "actuator", "internal", "management", "_", "-"];

pub(super) fn is_check(event: &Event<'_>) -> bool {
    event.transaction.as_deref().is_some_and(is_check_path)
        || event.request.url.as_deref().is_some_and(is_check_path)
}

/// Takes a path, an address, or a path with the method in front.
fn is_check_path(text: &str) -> bool {
    let path = text.rsplit(char::is_whitespace).next().unwrap_or_default();
    let path = match path.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("", |at| &rest[at..]),
        None => path,
    };
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let Some((front, last)) = path.trim_end_matches('/').rsplit_once('/') else {
        return false;
    };
    let is_name = |names: &[&str]| names.iter().any(|name| last.eq_ignore_ascii_case(name));
    is_name(&NAMES) || (is_name(&WORDS) && front.split('/').all(is_prefix))
}

fn is_prefix(part: &str) -> bool {
    let is_version = part
        .strip_prefix('v')
        .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit()));
    part.is_empty()
        || is_version
        || PREFIXES
            .iter()
            .any(|known| part.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_part_of_the_path_decides() {
        for (text, expected) in [
            ("/healthz", true),
            ("GET /healthz", true),
            ("GET /shop/Health/", true),
            ("https://shop.example.com/api/livez?verbose", true),
            ("https://shop.example.com/readyz#x", true),
            ("/ping", true),
            ("/up", true),
            ("/status", true),
            ("GET /api/v1/status", true),
            ("/actuator/health", true),
            ("/-/ready", true),
            ("/orders/7/status", false),
            ("/users/jane/live", false),
            ("/v/ping", false),
            ("/healthz/details", false),
            ("/healthy", false),
            ("/xhealthz", false),
            ("/shipping", false),
            ("/setup", false),
            ("healthz", false),
            ("shop.views.health", false),
            ("https://health", false),
            ("https://healthz.example.com", false),
            ("/", false),
            ("", false),
        ] {
            assert_eq!(is_check_path(text), expected, "{text}");
        }
    }
}
