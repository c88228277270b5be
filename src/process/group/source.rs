//! The line of source a frame stands at, where the platform sends it and it says something.
//! In: one frame. Out: the line with its blanks collapsed.

use std::borrow::Cow;

use crate::process::event::Frame;

use super::family::Family;
use super::minified::{CUT_MARK, is_minified};
use super::path::scheme;
use super::place::is_from_web;

/// Longer lines are minified or generated and say little.
const LONGEST: usize = 120;

/// The line, unless it is the work of a minifier or that of a page: without a function (`has_function`) the script
/// may be one that stands in a page and moves with it.
pub(in crate::process) fn source<'f>(
    frame: &'f Frame<'_>,
    platform: &str,
    has_function: bool,
) -> Option<Cow<'f, str>> {
    let family = Family::of(frame, platform);
    if !matches!(
        family,
        Family::Script | Family::Python | Family::Php | Family::Ruby
    ) {
        return None;
    }
    let line = frame.context_line.as_deref()?;
    if family == Family::Script && (is_minified(frame) || (!has_function && may_be_page(frame))) {
        return None;
    }
    collapsed(line)
}

fn may_be_page(frame: &Frame<'_>) -> bool {
    is_from_web(frame)
        || frame
            .abs_path
            .as_deref()
            .is_some_and(|path| scheme(path) == Some("file"))
}

fn collapsed(line: &str) -> Option<Cow<'_, str>> {
    let line = line.trim();
    if line.is_empty() || line.len() > 4 * LONGEST || line.contains(CUT_MARK) {
        return None;
    }
    let needs_collapse = line.contains('\t')
        || line
            .as_bytes()
            .windows(2)
            .any(|pair| pair[0].is_ascii_whitespace() && pair[1].is_ascii_whitespace());
    let collapsed = if needs_collapse {
        Cow::Owned(line.split_whitespace().collect::<Vec<_>>().join(" "))
    } else {
        Cow::Borrowed(line)
    };
    let is_short = collapsed.len() <= LONGEST || collapsed.chars().count() <= LONGEST;
    is_short.then_some(collapsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let long = "x".repeat(121);
        let just = "é".repeat(120);
        for (platform, path, has_function, line, expected) in [
            (
                "python",
                "/srv/a.py",
                true,
                "    return  a\t+ b ",
                Some("return a + b"),
            ),
            ("python", "/srv/a.py", false, "import a", Some("import a")),
            ("php", "/srv/a.php", true, "$a = 1;", Some("$a = 1;")),
            ("ruby", "/srv/a.rb", true, "{snip} a {snip}", None),
            ("python", "/srv/a.py", true, &long, None),
            ("python", "/srv/a.py", true, &just, Some(just.as_str())),
            ("python", "/srv/a.py", true, " \t ", None),
            ("java", "", true, "pay();", None),
            ("native", "/srv/a.c", true, "pay();", None),
            (
                "javascript",
                "https://a.example/app.js",
                true,
                "pay();",
                Some("pay();"),
            ),
            (
                "javascript",
                "https://a.example/orders",
                false,
                "pay();",
                None,
            ),
            (
                "javascript",
                "file:///srv/index.html",
                false,
                "pay();",
                None,
            ),
            (
                "javascript",
                "app:///app.js",
                false,
                "pay();",
                Some("pay();"),
            ),
            ("node", "/srv/app.js", false, "pay();", Some("pay();")),
            (
                "javascript",
                "https://a.example/app.min.js",
                true,
                "pay();",
                None,
            ),
            (
                "javascript",
                "https://a.example/app.1a2b3c4d.js",
                true,
                "pay();",
                None,
            ),
        ] {
            let frame = Frame {
                abs_path: Some(Cow::Borrowed(path)),
                context_line: Some(Cow::Borrowed(line)),
                ..Frame::default()
            };
            assert_eq!(
                source(&frame, platform, has_function).as_deref(),
                expected,
                "{path} {line}"
            );
        }
    }
}
