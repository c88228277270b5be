//! Where type and stack do not tell one problem from another, what the error says helps. In: an exception's type and the frames
//! of it that count. Out: whether its message counts beside them.
//!
//! Sentry never lets it count there. People miss it where all errors of a program come from one place that makes errors, in
//! Go, whose errors have few types, and where the frame that failed has no name.

use super::frame::FramePart;

/// Types that any error may have.
const ANY_ERROR: [&str; 13] = [
    "*errors.errorString",
    "*errors.joinError",
    "*errors.fundamental",
    "*errors.withStack",
    "*errors.withMessage",
    "*errors.Error",
    "*fmt.wrapError",
    "*fmt.wrapErrors",
    "*xerrors.errorString",
    "*xerrors.wrapError",
    "*awserr.baseError",
    "*awserr.requestError",
    "*status.Error",
];

/// What functions that make or report errors begin with.
const VERBS: [&str; 18] = [
    "capture", "report", "log", "handle", "track", "notify", "send", "record", "throw", "raise",
    "create", "make", "wrap", "build", "new", "to", "on", "fail",
];
/// Whose errors these are.
const KINDS: [&str; 4] = ["api", "http", "app", "client"];
const ERRORS: [&str; 8] = [
    "error",
    "errors",
    "exception",
    "exceptions",
    "err",
    "errs",
    "failure",
    "failures",
];
const WHOLE: [&str; 9] = [
    "invariant",
    "assert",
    "fail",
    "die",
    "abort",
    "reject",
    "capturemessage",
    "captureexception",
    "panic",
];

/// Whether the message counts. `frames` are those that count, the one that failed last.
pub(super) fn needs_message(kind: Option<&str>, frames: &[&FramePart<'_>]) -> bool {
    kind.is_some_and(|kind| ANY_ERROR.contains(&kind))
        || frames
            .last()
            .is_some_and(|frame| frame.is_vague || is_error_helper(&frame.function))
}

/// Whether a function does nothing but make, throw or report errors, by its name.
fn is_error_helper(function: &str) -> bool {
    let name = function.rsplit(['.', ':', '#']).next().unwrap_or(function);
    if name.len() > 32 || !name.is_ascii() {
        return false;
    }
    let mut name = name.to_ascii_lowercase();
    name.retain(|letter| letter != '_');
    if WHOLE.contains(&name.as_str()) {
        return true;
    }
    let without_verb = VERBS.iter().find_map(|verb| name.strip_prefix(verb));
    let rest = without_verb.unwrap_or(&name);
    let without_kind = KINDS.iter().find_map(|kind| rest.strip_prefix(kind));
    ERRORS.contains(&without_kind.unwrap_or(rest))
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    #[test]
    fn functions_that_only_make_errors_are_known_by_their_names() {
        for name in [
            "throwError",
            "throw_error",
            "handleApiError",
            "Errors.create_error",
            "report::capture_exception",
            "toHttpError",
            "invariant",
            "captureMessage",
            "NewError",
            "onFailure",
            "error",
        ] {
            assert!(is_error_helper(name), "{name}");
        }
        for name in [
            "pay",
            "parseErrorPage",
            "errorRate",
            "terror",
            "handlePayment",
            "assertBasket",
            "",
            "ünknown",
        ] {
            assert!(!is_error_helper(name), "{name}");
        }
    }

    #[test]
    fn the_message_counts_only_where_the_rest_is_unspecific() {
        let frame = |function: &'static str, is_vague| FramePart {
            place: Cow::Borrowed("shop"),
            function: Cow::Borrowed(function),
            source: Cow::Borrowed(""),
            in_app: true,
            is_vague,
        };
        let (pay, helper, vague) = (
            frame("pay", false),
            frame("throwError", false),
            frame("", true),
        );
        assert!(!needs_message(Some("ValueError"), &[&helper, &pay]));
        assert!(needs_message(Some("ValueError"), &[&pay, &helper]));
        assert!(needs_message(None, &[&pay, &vague]));
        assert!(needs_message(Some("*errors.errorString"), &[&pay]));
        assert!(!needs_message(Some("E"), &[]));
    }
}
