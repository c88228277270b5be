//! Secrets that a text gives a name: `password=x`, `?token=x&…`, `"api_key": "x"`, `Cookie: a=b`, `--password x`.
//! In: a text and which names are secret. Out: where the secrets stand.
//!
//! A sentence is no assignment: of `Invalid token: unexpected end` all stays, as nothing in it looks like a secret.

use std::ops::Range;
use std::sync::LazyLock;

use memchr::{memchr2_iter, memmem};

use super::keys;

/// Longer names are none.
const LONGEST_NAME: usize = 64;

/// RFC 5321 allows 254 characters, some of which are encoded.
const LONGEST_ADDRESS: usize = 320;

/// Values that say something and hide nothing.
const PLAIN: [&str; 12] = [
    "true",
    "false",
    "null",
    "none",
    "nil",
    "undefined",
    "yes",
    "no",
    "on",
    "off",
    "required",
    "missing",
];

/// What an authorization starts with; the word behind it is the secret.
const SCHEMES: [&str; 6] = ["basic", "bearer", "token", "apikey", "negotiate", "ntlm"];

/// The same, where all of the line is secret.
const LONG_SCHEMES: [&str; 3] = ["digest", "aws4-hmac-sha256", "hawk"];

static DASHES: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new("--"));

/// All secrets of a text that stand behind their names, in order.
pub(super) fn find(text: &str, is_secret: impl Fn(&str) -> bool) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut found: Vec<Range<usize>> = Vec::new();
    for at in memchr2_iter(b'=', b':', bytes) {
        if found.last().is_some_and(|last| at < last.end) {
            continue;
        }
        if let Some(secret) = assigned(text, at, &is_secret) {
            found.push(secret);
        }
    }
    let arguments: Vec<_> = DASHES
        .find_iter(bytes)
        .filter_map(|at| argument(text, at, &is_secret))
        .collect();
    if !arguments.is_empty() {
        // An argument may hold an assignment; all of it is secret then.
        found.extend(arguments);
        found.sort_unstable_by_key(|secret| secret.start);
        found.dedup_by(|later, kept| {
            let overlaps = later.start < kept.end;
            if overlaps {
                kept.end = kept.end.max(later.end);
            }
            overlaps
        });
    }
    found
}

/// The secret behind `=` or `:`.
fn assigned(text: &str, at: usize, is_secret: &impl Fn(&str) -> bool) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let byte = |at: usize| bytes.get(at).copied().unwrap_or(0);
    let is_colon = bytes[at] == b':';
    let before = at.checked_sub(1).map_or(0, byte);
    if matches!(before, b'=' | b'!' | b'<' | b'>' | b':') || matches!(byte(at + 1), b'=' | b':') {
        return None;
    }
    let name = Name::before(text, at)?;
    let is_cookie = is_colon && keys::is_cookie_header(name.text);
    let is_query = !is_colon && matches!(name.previous, b'?' | b'&');
    if !is_cookie && !is_query && !is_secret(name.text) {
        return None;
    }
    let mut start = at + 1 + usize::from(byte(at + 1) == b'>');
    let blanks = start;
    while start - blanks < 4 && byte(start) == b' ' {
        start += 1;
    }
    if is_cookie {
        return filled(text, start..line_end(bytes, start));
    }
    if is_query && !is_secret(name.text) {
        // Only an address can be secret here, and none is longer; a text of nothing but `?a=` would be read over and over.
        let mut end = text.len().min(start + LONGEST_ADDRESS);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let value = Value::at(&text[..end], start, false).range;
        return is_address(&text[value.clone()]).then_some(value);
    }
    let value = Value::at(text, start, name.is_quoted);
    if value.is_quoted || value.is_list {
        return filled(text, value.range);
    }
    let word = value.range.end;
    let range = with_scheme(text, value.range);
    let has_scheme = range.end > word;
    let words = &text[range.clone()];
    let is_sentence = is_colon && !name.is_quoted;
    if is_sentence && !has_scheme && !looks_secret(words) {
        let is_last = matches!(byte(range.end), 0 | b'\n' | b'\r' | b',' | b';');
        if !(name.starts_line && is_last && words.len() >= 6) {
            return None;
        }
    }
    let is_small_number = words.len() <= 5 && words.bytes().all(|byte| byte.is_ascii_digit());
    let may_count = keys::starts_with(name.text.as_bytes(), b"max") || name.text.ends_with('s');
    if is_small_number && may_count {
        return None;
    }
    filled(text, range)
}

/// The address of a person, as it stands in a query string.
fn is_address(value: &str) -> bool {
    value
        .split_once('@')
        .or_else(|| value.split_once("%40"))
        .is_some_and(|(user, host)| !user.is_empty() && host.contains('.'))
}

/// Whether there is something to take out.
fn filled(text: &str, range: Range<usize>) -> Option<Range<usize>> {
    let value = &text[range.clone()];
    let is_plain = value.len() <= 9 && PLAIN.iter().any(|plain| value.eq_ignore_ascii_case(plain));
    let bare = value.trim_start_matches(|c: char| c.is_ascii_punctuation() && c != '[');
    let is_marked = bare.starts_with('[')
        && [
            // Without the bracket at which a value ends.
            "[Filtered",
            "[creditcard",
            "[iban",
            "[us-ssn",
            "[bearer",
            "[email",
        ]
        .iter()
        .any(|mark| bare.starts_with(mark));
    let is_hidden = value.bytes().all(|byte| matches!(byte, b'*' | b'.'));
    (!value.is_empty() && !is_plain && !is_marked && !is_hidden).then_some(range)
}

/// Letters with digits or signs that no word of a sentence has.
fn looks_secret(value: &str) -> bool {
    value.len() >= 4
        && value.bytes().any(|byte| {
            matches!(
                byte,
                b'0'..=b'9'
                    | b'+'
                    | b'/'
                    | b'='
                    | b'!'
                    | b'@'
                    | b'#'
                    | b'$'
                    | b'%'
                    | b'^'
                    | b'*'
                    | b'~'
            )
        })
}

/// What stands before `=` or `:`.
struct Name<'t> {
    text: &'t str,
    is_quoted: bool,
    /// The byte before it.
    previous: u8,
    /// Nothing but signs stands before it in its line or part of a sentence.
    starts_line: bool,
}

impl<'t> Name<'t> {
    fn before(text: &'t str, at: usize) -> Option<Self> {
        let bytes = text.as_bytes();
        let before = |at: usize| at.checked_sub(1).map_or(0, |before| bytes[before]);
        let mut end = at;
        while at - end < 2 && before(end) == b' ' {
            end -= 1;
        }
        let unquoted = end;
        while at - end < 6 && matches!(before(end), b'"' | b'\'' | b'`' | b'\\' | b']') {
            end -= 1;
        }
        let mut start = end;
        while end - start < LONGEST_NAME
            && matches!(before(start), b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-')
        {
            start -= 1;
        }
        let previous = before(start);
        (start < end).then(|| Self {
            text: &text[start..end],
            is_quoted: end < unquoted,
            previous,
            starts_line: matches!(
                previous,
                0 | b'\n' | b'{' | b'(' | b'[' | b',' | b'&' | b'?'
            ) || previous == b' '
                && matches!(before(start - 1), b',' | b';' | b'{' | b'\n' | b' '),
        })
    }
}

struct Value {
    range: Range<usize>,
    is_quoted: bool,
    /// An object or a list, with all in it.
    is_list: bool,
}

impl Value {
    fn at(text: &str, start: usize, name_is_quoted: bool) -> Self {
        let bytes = text.as_bytes();
        let slashes = bytes[start..]
            .iter()
            .take_while(|&&byte| byte == b'\\')
            .count();
        let open = start + slashes;
        if let Some(&quote @ (b'"' | b'\'' | b'`')) = bytes.get(open) {
            let end = closing_quote(bytes, open + 1, quote, slashes);
            return Self {
                range: open + 1..end,
                is_quoted: true,
                is_list: false,
            };
        }
        if name_is_quoted && matches!(bytes.get(start), Some(b'{' | b'[')) {
            return Self {
                range: start..closing_bracket(bytes, start),
                is_quoted: false,
                is_list: true,
            };
        }
        let end = bytes[start..]
            .iter()
            .position(|byte| {
                byte.is_ascii_whitespace()
                    || matches!(
                        byte,
                        b'&' | b';'
                            | b','
                            | b')'
                            | b']'
                            | b'}'
                            | b'"'
                            | b'\''
                            | b'<'
                            | b'>'
                            | b'`'
                            | b'#'
                    )
            })
            .map_or(bytes.len(), |length| start + length);
        let marked = text[start..].starts_with("[Filtered]");
        Self {
            range: start..if marked {
                start + "[Filtered]".len()
            } else {
                end
            },
            is_quoted: false,
            is_list: false,
        }
    }
}

/// The place of the quote that closes: with as many backslashes before it as the one that opens.
fn closing_quote(bytes: &[u8], from: usize, quote: u8, slashes: usize) -> usize {
    let mut run = 0;
    for (at, &byte) in bytes.iter().enumerate().skip(from) {
        match byte {
            b'\\' => run += 1,
            _ if byte == quote && run == slashes => return at - slashes,
            _ => run = 0,
        }
    }
    bytes.len()
}

/// Behind the bracket that closes the one at `from`, or the end.
fn closing_bracket(bytes: &[u8], from: usize) -> usize {
    let mut depth = 0usize;
    for (at, byte) in bytes.iter().enumerate().skip(from) {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    bytes.len()
}

fn line_end(bytes: &[u8], from: usize) -> usize {
    memchr2_iter(b'\n', b'\r', &bytes[from..])
        .next()
        .map_or(bytes.len(), |length| from + length)
}

/// `Basic dXNlcg==` is one secret.
fn with_scheme(text: &str, range: Range<usize>) -> Range<usize> {
    let bytes = text.as_bytes();
    let word = &text[range.clone()];
    if bytes.get(range.end) != Some(&b' ') {
        return range;
    }
    if LONG_SCHEMES
        .iter()
        .any(|scheme| word.eq_ignore_ascii_case(scheme))
    {
        return range.start..line_end(bytes, range.end);
    }
    if !SCHEMES
        .iter()
        .any(|scheme| word.eq_ignore_ascii_case(scheme))
    {
        return range;
    }
    let next = Value::at(text, range.end + 1, false).range;
    range.start..next.end
}

/// The secret behind an argument of a command: `--password x`.
fn argument(text: &str, at: usize, is_secret: &impl Fn(&str) -> bool) -> Option<Range<usize>> {
    let rest = text.get(at + 2..)?;
    let length = rest
        .bytes()
        .take(LONGEST_NAME)
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        .count();
    let name = &rest[..length];
    if !rest[length..].starts_with(' ') || !is_secret(name) {
        return None;
    }
    let value = Value::at(text, at + 2 + length + 1, false).range;
    if text[value.clone()].starts_with('-') {
        return None;
    }
    filled(text, value)
}

#[cfg(test)]
mod tests;
