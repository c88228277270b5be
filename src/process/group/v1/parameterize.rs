//! Replaces what differs from one occurrence to the next (ids, numbers, times, addresses) in a message.
//! In: a text. Out: its first two lines with placeholders such as `<int>`, the same for all occurrences.

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use regex::Regex;

/// Longer texts are cut before they are looked at.
const LONGEST: usize = 4096;

/// What a match stands for; `None` leaves the text as it is.
type Classify = fn(&str, &Neighbours) -> Option<&'static str>;

/// The characters right before and after a match.
struct Neighbours {
    before: Option<u8>,
    after: Option<u8>,
}

/// In order of preference: at one position the first pattern that matches wins. ASCII word boundaries throughout.
const RULES: [(&str, Classify); 16] = [
    (
        r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+",
        |_, _| Some("<email>"),
    ),
    (r#"\b(?:https?|wss?|ftp)://[^\s"'<>,;()\[\]{}]+"#, |_, _| {
        Some("<url>")
    }),
    (
        r"\b(?:[A-Za-z0-9-]{1,63}\.)+(?:com|net|org|edu|gov|info|io|dev|app|cloud|internal|local|de|uk|fr|eu)\b",
        host_name,
    ),
    (r"\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}\b", |text, _| {
        text.parse::<Ipv4Addr>().is_ok().then_some("<ip>")
    }),
    (
        r"\b00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]\b|\b1-[0-9a-f]{8}-[0-9a-f]{24}\b",
        |_, _| Some("<trace_id>"),
    ),
    (
        r"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b",
        |_, _| Some("<uuid>"),
    ),
    (DATE, |_, _| Some("<date>")),
    (
        r"\b(?:[0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}\b|\b(?:[0-9a-fA-F]{1,4}:){1,6}(?::[0-9a-fA-F]{1,4}){1,6}\b|::[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{1,4})*\b",
        |text, _| {
            let has_digit = text.bytes().any(|byte| byte.is_ascii_digit());
            (has_digit && text.parse::<Ipv6Addr>().is_ok()).then_some("<ip>")
        },
    ),
    (
        r"\b[0-9]+(?:\.[0-9]+)?\s?(?:ms|ns|us|sec|secs|min|mins|hrs?)\b|\b[0-9]+(?:\.[0-9]+)?[smhd]\b",
        |_, _| Some("<duration>"),
    ),
    (r"\breq-<?[0-9a-f-]{32,36}>?", |_, _| Some("<request_id>")),
    (r"\b0[xX][0-9a-fA-F]+\b", |_, _| Some("<hex>")),
    (r"\b[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?\b", |_, _| {
        Some("<float>")
    }),
    (r"\b(?:[0-9a-f]{4,128}|[0-9A-F]{4,128})\b", bare_hex),
    (r"\b[0-9]{1,7}\b", |_, _| Some("<int>")),
    (r#"=(?:'[^'\n]*'|"[^"\n]*")"#, |_, _| Some("=<quoted_str>")),
    (r"=(?:[tT]rue|[fF]alse)\b", |_, _| Some("=<bool>")),
];

/// ISO and RFC 822 to 1123, JavaScript's `Date`, clock times and Python's `datetime`.
const DATE: &str = concat!(
    r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?(?:Z\b|\s?[+-][0-9]{2}:?[0-9]{2}\b)?)?",
    r"|\b(?:Mon|Tues?|Wed(?:nes)?|Thu(?:rs)?|Fri|Satu?r?|Sun)(?:day)?,? [0-9]{1,2}[ -](?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*[ -][0-9]{2,4}(?: [0-9]{2}:[0-9]{2}(?::[0-9]{2})?(?: (?:GMT|UTC|[A-Z]{3}|[+-][0-9]{4}))?)?",
    r"|\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [0-9]{1,2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2}(?: GMT[+-][0-9]{4})?(?: \([^)]*\))?",
    r"|\b[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]+)?\b",
    r"|\bdatetime\.datetime\([^)]*\)",
);

/// `java.io.File` and `Object.app.run` name code, not hosts.
fn host_name(_: &str, neighbours: &Neighbours) -> Option<&'static str> {
    let in_code = matches!(neighbours.before, Some(b'.' | b'@' | b'/' | b'\\' | b'_'))
        || matches!(neighbours.after, Some(b'.' | b'(' | b'_' | b'$'));
    (!in_code).then_some("<hostname>")
}

/// Digits and letters mixed are a hash; digits alone are one from eight on; letters alone are a word.
fn bare_hex(text: &str, _: &Neighbours) -> Option<&'static str> {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    if digits == 0 {
        None
    } else if digits == text.len() && digits < 8 {
        Some("<int>")
    } else {
        Some("<hex>")
    }
}

static PATTERN: LazyLock<Regex> = LazyLock::new(|| {
    let groups: Vec<String> = RULES
        .iter()
        .map(|(pattern, _)| format!("({})", pattern.replace(r"\b", r"(?-u:\b)")))
        .collect();
    Regex::new(&groups.join("|")).expect("the patterns are constants and tested")
});

/// The part of a text that is the same for all its occurrences.
pub(super) fn parameterize(text: &str) -> Cow<'_, str> {
    let text = first_two_lines(text);
    let mut out = String::new();
    let mut copied = 0;
    let mut at = 0;
    let mut groups = PATTERN.capture_locations();
    while let Some(found) = PATTERN.captures_read_at(&mut groups, &text, at) {
        at = found.end();
        let rule = RULES
            .iter()
            .zip(1..)
            .find_map(|(rule, group)| groups.get(group).map(|_| rule));
        let Some((_, classify)) = rule else { continue };
        let neighbours = Neighbours {
            before: text.as_bytes()[..found.start()].last().copied(),
            after: text.as_bytes().get(found.end()).copied(),
        };
        if let Some(placeholder) = classify(found.as_str(), &neighbours) {
            out.push_str(&text[copied..found.start()]);
            out.push_str(placeholder);
            copied = found.end();
        }
    }
    if copied == 0 {
        return text;
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

/// The first two lines that are not blank; an ellipsis tells that there was more.
fn first_two_lines(text: &str) -> Cow<'_, str> {
    let mut text = text.trim();
    if text.len() > LONGEST {
        let mut end = LONGEST;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text = &text[..end];
    }
    if !text.contains('\n') {
        return Cow::Borrowed(text);
    }
    let mut lines = text
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty());
    let mut kept = lines.by_ref().take(2).collect::<Vec<_>>().join("\n");
    if lines.next().is_some() {
        kept.push_str("...");
    }
    Cow::Owned(kept)
}
