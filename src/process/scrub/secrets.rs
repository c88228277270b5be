//! Finds secrets by how they look: card numbers, IBANs, social security numbers, keys, passwords in URLs, bearer tokens.
//! In: one text. Out: the text with a mark in place of each secret.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// What stands in place of a secret.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Marks {
    /// `[Filtered]`, in data.
    Filtered,
    /// `[creditcard]` and the like, in messages, which stay readable so; there addresses of people go too.
    Named,
}

#[derive(Clone, Copy)]
enum Kind {
    Card,
    Iban,
    SocialSecurity,
    Pem,
    UrlPassword,
    Bearer,
    Email,
}

/// One capture group for each kind, in the order of [`KINDS`].
const PATTERN: &str = r#"(?x)
      ( (?-u:\b) [0-9] (?:[\ -]?[0-9]){12,18} (?-u:\b) )
    | ( (?-u:\b) [A-Z]{2}[0-9]{2} [A-Z0-9]{11,30} (?-u:\b) )
    | ( (?-u:\b) [0-9]{3}-[0-9]{2}-[0-9]{4} (?-u:\b) )
    | ( -----BEGIN\ [A-Z0-9\ ]+----- (?s:.*?) (?: -----END\ [A-Z0-9\ ]+----- | \z ) )
    | ( [a-zA-Z][a-zA-Z0-9+.-]* :// [^\s/?\#:@"']* : [^\s/?\#@"']+ @ )
    | ( (?i: (?-u:\b) bearer ) [\ \t]+ [A-Za-z0-9._~+/=-]+ )
    | ( [A-Za-z0-9._%+-]+ @ [A-Za-z0-9-]+ (?:\.[A-Za-z0-9-]+)* \.[A-Za-z]{2,} )
"#;

const KINDS: [Kind; 7] = [
    Kind::Card,
    Kind::Iban,
    Kind::SocialSecurity,
    Kind::Pem,
    Kind::UrlPassword,
    Kind::Bearer,
    Kind::Email,
];

static SECRETS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(PATTERN).expect("the pattern is a constant and tested"));

/// Replaces all secrets of a text.
pub(super) fn scrub_text(text: &mut Cow<'_, str>, marks: Marks) {
    if !is_suspicious(text, marks) {
        return;
    }
    let mut out = String::new();
    let mut copied = 0;
    let mut at = 0;
    let mut groups = SECRETS.capture_locations();
    while let Some(found) = SECRETS.captures_read_at(&mut groups, text, at) {
        at = found.end();
        let kind = KINDS
            .into_iter()
            .zip(1..)
            .find_map(|(kind, group)| groups.get(group).map(|_| kind));
        let Some(kind) = kind else { continue };
        if let Some(secret) = secret_part(kind, text, found.range(), marks) {
            out.push_str(&text[copied..secret.start]);
            out.push_str(mark(kind, marks));
            copied = secret.end;
        }
    }
    if copied > 0 {
        out.push_str(&text[copied..]);
        *text = Cow::Owned(out);
    }
}

/// A cheap look that spares nearly all texts the regular expression: nine digits close together, two capitals
/// with two digits, `@`, `-----B` or `earer`.
fn is_suspicious(text: &str, marks: Marks) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() < 5 {
        return false;
    }
    let mut digits = 0;
    let mut is_url = false;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'0'..=b'9' => {
                digits += 1;
                let after_capitals = at >= 3
                    && bytes[at - 1].is_ascii_digit()
                    && bytes[at - 2].is_ascii_uppercase()
                    && bytes[at - 3].is_ascii_uppercase();
                if digits >= 9 || after_capitals {
                    return true;
                }
            }
            b' ' | b'-' => {
                if bytes[at..].starts_with(b"-----B") {
                    return true;
                }
            }
            b':' => {
                is_url |= bytes[at..].starts_with(b"://");
                digits = 0;
            }
            b'@' if is_url || marks == Marks::Named => return true,
            b'e' | b'E'
                if bytes[at..].len() > 5 && bytes[at..at + 5].eq_ignore_ascii_case(b"earer") =>
            {
                return true;
            }
            _ => digits = 0,
        }
    }
    false
}

/// What of a match is secret, if it is one.
fn secret_part(kind: Kind, text: &str, found: Range<usize>, marks: Marks) -> Option<Range<usize>> {
    let matched = &text[found.clone()];
    let secret = match kind {
        Kind::Card => is_card(matched),
        Kind::Iban => is_iban(matched),
        Kind::UrlPassword => {
            let user = matched.find("://")? + 3;
            let password = user + matched[user..].find(':')? + 1;
            return Some(found.start + password..found.end - 1);
        }
        Kind::Email => marks == Marks::Named,
        Kind::SocialSecurity | Kind::Pem | Kind::Bearer => true,
    };
    secret.then_some(found)
}

const fn mark(kind: Kind, marks: Marks) -> &'static str {
    match (marks, kind) {
        (Marks::Filtered, _) | (Marks::Named, Kind::Pem | Kind::UrlPassword) => super::FILTERED,
        (Marks::Named, Kind::Card) => "[creditcard]",
        (Marks::Named, Kind::Iban) => "[iban]",
        (Marks::Named, Kind::SocialSecurity) => "[us-ssn]",
        (Marks::Named, Kind::Bearer) => "[bearer]",
        (Marks::Named, Kind::Email) => "[email]",
    }
}

/// The first digit of a card issuer, a usual length and Luhn's check digit; ids and times rarely have all three.
fn is_card(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(10)).collect();
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, &digit)| match (at % 2, digit * 2) {
            (0, _) => digit,
            (_, doubled) if doubled > 9 => doubled - 9,
            (_, doubled) => doubled,
        })
        .sum();
    matches!(digits.first(), Some(2..=6))
        && matches!(digits.len(), 13..=16 | 19)
        && sum.is_multiple_of(10)
}

/// ISO 7064: with the head moved to the end and letters as numbers, the rest by 97 is 1.
fn is_iban(text: &str) -> bool {
    let (head, body) = text.split_at(4);
    let rest = body
        .chars()
        .chain(head.chars())
        .filter_map(|c| c.to_digit(36))
        .fold(0, |rest, value| {
            let shift = if value > 9 { 100 } else { 10 };
            (rest * shift + value) % 97
        });
    rest == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scrubbed(text: &str, marks: Marks) -> String {
        let mut text = Cow::Borrowed(text);
        scrub_text(&mut text, marks);
        text.into_owned()
    }

    #[test]
    fn secrets_are_marked() {
        for (text, expected) in [
            ("4111-1111-1111-1111", "[Filtered]"),
            ("card 4111111111111111!", "card [Filtered]!"),
            ("078-05-1120", "[Filtered]"),
            ("DE89370400440532013000", "[Filtered]"),
            (
                "https://user:pw@example.com/x",
                "https://user:[Filtered]@example.com/x",
            ),
            (
                "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----",
                "[Filtered]",
            ),
            ("x -----BEGIN RSA PRIVATE KEY-----\nMII", "x [Filtered]"),
            ("Authorization: bearer abc.def", "Authorization: [Filtered]"),
            ("jane@example.com", "jane@example.com"),
            ("1795255200000000", "1795255200000000"),
            ("4111111111111112", "4111111111111112"),
            ("DE00370400440532013000", "DE00370400440532013000"),
            ("http://example.com/a:b@c", "http://example.com/a:b@c"),
            ("0x7f0caac74307", "0x7f0caac74307"),
            (
                "übér 2026-11-21 10:00:00 ürl",
                "übér 2026-11-21 10:00:00 ürl",
            ),
        ] {
            let once = scrubbed(text, Marks::Filtered);
            assert_eq!(once, expected);
            assert_eq!(scrubbed(&once, Marks::Filtered), once);
        }
        assert_eq!(
            scrubbed(
                "charged 4111 1111 1111 1111 for jane@example.com with Bearer abc.def",
                Marks::Named
            ),
            "charged [creditcard] for [email] with [bearer]"
        );
    }
}
