//! Finds secrets by how they look: card numbers, IBANs, social security numbers, keys, passwords in URLs, authorizations,
//! and the tokens of services that begin with letters of their own.
//! In: one text. Out: the text with a mark in place of each secret.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use base64::Engine as _;
use regex::Regex;

/// What kind of text it is: what stands in place of a secret, and whether addresses of people are secret.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Marks {
    /// `[Filtered]`, in data.
    Filtered,
    /// The same for the context of a machine, where numbers are sizes.
    Machine,
    /// The same in a query string, where addresses of people go too.
    Query,
    /// `[creditcard]` and the like, in messages, which stay readable so; there addresses of people go too.
    Named,
    /// The same in what an error says and in names, where addresses stay.
    Error,
}

impl Marks {
    const fn takes_addresses(self) -> bool {
        matches!(self, Self::Named | Self::Query)
    }

    const fn are_named(self) -> bool {
        matches!(self, Self::Named | Self::Error)
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Card,
    Iban,
    SocialSecurity,
    Pem,
    UrlPassword,
    Bearer,
    Basic,
    Token,
    Webhook,
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
    | ( (?i: (?-u:\b) basic ) [\ \t]+ [A-Za-z0-9+/=_-]{8,} )
    | ( (?-u:\b) (?:
          (?: AKIA | ASIA ) [0-9A-Z]{16}
        | gh[pousr]_ [A-Za-z0-9]{30,} | github_pat_ [A-Za-z0-9_]{22,} | glpat- [A-Za-z0-9_-]{20,}
        | xox[abeoprs]- [A-Za-z0-9-]{10,} | xapp- [A-Za-z0-9-]{20,}
        | [srp]k_ (?: live | test )_ [A-Za-z0-9]{10,} | whsec_ [A-Za-z0-9+/=]{16,}
        | eyJ [A-Za-z0-9_-]{6,} \. [A-Za-z0-9_-]{6,} (?: \. [A-Za-z0-9_-]* )?
        | AIza [0-9A-Za-z_-]{30,} | ya29\. [0-9A-Za-z_-]{10,}
        | sntry[su]_ [A-Za-z0-9_=+/-]{16,} | bugle_ [A-Za-z0-9_-]{20,}
        | sk- [A-Za-z0-9_-]{20,} | SG\. [A-Za-z0-9_-]{16,} \. [A-Za-z0-9_-]{16,}
        | npm_ [A-Za-z0-9]{30,} | hf_ [A-Za-z0-9]{30,} | dop_v1_ [a-f0-9]{32,}
        | shp (?: at | ca | pa | ss )_ [a-fA-F0-9]{32} | pypi-AgEI [A-Za-z0-9_-]{30,} | key- [0-9a-f]{32}
      ) )
    | ( hooks\.slack\.com/services/ [A-Za-z0-9/_-]+ | discord(?:app)?\.com/api/webhooks/ [0-9]+/ [A-Za-z0-9_-]+ )
    | ( [A-Za-z0-9._%+-]+ @ [A-Za-z0-9-]+ (?:\.[A-Za-z0-9-]+)* \.[A-Za-z]{2,} )
"#;

const KINDS: [Kind; 10] = [
    Kind::Card,
    Kind::Iban,
    Kind::SocialSecurity,
    Kind::Pem,
    Kind::UrlPassword,
    Kind::Bearer,
    Kind::Basic,
    Kind::Token,
    Kind::Webhook,
    Kind::Email,
];

/// How tokens begin, up to their last sign that is neither a letter nor a digit: by that sign and the letter before it, as most
/// texts have such signs and few have tokens.
const fn token_starts(letter: u8, sign: u8) -> &'static [&'static [u8]] {
    match (letter, sign) {
        (b'p', b'_') => &[b"ghp_"],
        (b'o', b'_') => &[b"gho_"],
        (b'u', b'_') => &[b"ghu_", b"sntryu_"],
        (b's', b'_') => &[b"ghs_", b"sntrys_", b"shpss_"],
        (b'r', b'_') => &[b"ghr_"],
        (b't', b'_') => &[b"github_pat_", b"_test_", b"shpat_"],
        (b'e', b'_') => &[b"_live_", b"bugle_"],
        (b'c', b'_') => &[b"whsec_"],
        (b'a', b'_') => &[b"shpca_", b"shppa_"],
        (b'm', b'_') => &[b"npm_"],
        (b'f', b'_') => &[b"hf_"],
        (b'1', b'_') => &[b"dop_v1_"],
        (b't', b'-') => &[b"glpat-"],
        (b'a', b'-') => &[b"xoxa-"],
        (b'b', b'-') => &[b"xoxb-"],
        (b'e', b'-') => &[b"xoxe-"],
        (b'o', b'-') => &[b"xoxo-"],
        (b'p', b'-') => &[b"xoxp-", b"xapp-"],
        (b'r', b'-') => &[b"xoxr-"],
        (b's', b'-') => &[b"xoxs-"],
        (b'k', b'-') => &[b"sk-"],
        (b'i', b'-') => &[b"pypi-"],
        (b'y', b'-') => &[b"key-"],
        (b'9', b'.') => &[b"ya29."],
        (b'G', b'.') => &[b"SG."],
        _ => &[],
    }
}

static SECRETS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(PATTERN).expect("the pattern is a constant and tested"));

/// Replaces all secrets of a text. Gives the rule that the last of them fell under.
pub(super) fn scrub(text: &mut Cow<'_, str>, marks: Marks) -> Option<&'static str> {
    if !is_suspicious(text, marks) {
        return None;
    }
    let mut rule = None;
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
            rule = Some(rule_of(kind));
        }
    }
    if rule.is_some() {
        out.push_str(&text[copied..]);
        *text = Cow::Owned(out);
    }
    rule
}

/// As remarks name them.
const fn rule_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Card => "@creditcard",
        Kind::Iban => "@iban",
        Kind::SocialSecurity => "@usssn",
        Kind::Pem => "@pemkey",
        Kind::UrlPassword => "@urlauth",
        Kind::Bearer | Kind::Basic => "@bearer",
        Kind::Token | Kind::Webhook => "@token",
        Kind::Email => "@email",
    }
}

/// A cheap look that spares nearly all texts the regular expression: nine digits close together, two capitals
/// with two digits, `@`, `-----B`, `earer `, `asic ` or how tokens begin.
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
            b' ' => {
                if at >= 4 && bytes[at - 4..at].eq_ignore_ascii_case(b"asic") {
                    return true;
                }
            }
            b'-' => {
                if bytes[at..].starts_with(b"-----B") || begins_token(&bytes[..=at]) {
                    return true;
                }
            }
            b'_' | b'.' => {
                if begins_token(&bytes[..=at]) {
                    return true;
                }
                digits = 0;
            }
            b'/' => {
                let before = &bytes[..=at];
                if before.ends_with(b"s/")
                    && (before.ends_with(b"slack.com/services/") || before.ends_with(b"/webhooks/"))
                {
                    return true;
                }
                digits = 0;
            }
            b':' => {
                is_url |= bytes[at..].starts_with(b"://");
                digits = 0;
            }
            b'@' if is_url || marks.takes_addresses() => return true,
            b'e' | b'E'
                if bytes[at..].len() > 5 && bytes[at..at + 5].eq_ignore_ascii_case(b"earer")
                    || bytes[at..].starts_with(b"eyJ") =>
            {
                return true;
            }
            b'A' if bytes[at..].starts_with(b"AIza")
                || bytes[at..].starts_with(b"AKIA")
                || bytes[at..].starts_with(b"ASIA") =>
            {
                return true;
            }
            _ => digits = 0,
        }
    }
    false
}

fn begins_token(before: &[u8]) -> bool {
    let [.., letter, sign] = before else {
        return false;
    };
    let starts = token_starts(*letter, *sign);
    starts.iter().any(|start| before.ends_with(start))
}

/// A name and a password in Base64.
fn is_basic(matched: &str) -> bool {
    let encoded = matched.rsplit([' ', '\t']).next().unwrap_or_default();
    let bare = encoded.trim_end_matches('=');
    base64::engine::general_purpose::STANDARD_NO_PAD
        .decode(bare)
        .is_ok_and(|decoded| decoded.contains(&b':') && decoded.is_ascii())
}

/// Other words start with `sk-`, too.
fn is_token(matched: &str) -> bool {
    !matched.starts_with("sk-")
        || matched.bytes().any(|byte| byte.is_ascii_digit())
            && matched.bytes().any(|byte| byte.is_ascii_uppercase())
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
            let is_marked = &matched[password..matched.len() - 1] == super::FILTERED;
            return (!is_marked).then(|| found.start + password..found.end - 1);
        }
        Kind::Webhook => {
            let names = ["/services/", "/webhooks/"];
            let start = names
                .iter()
                .find_map(|name| matched.find(name).map(|at| at + name.len()))?;
            return Some(found.start + start..found.end);
        }
        Kind::Basic => is_basic(matched),
        Kind::Token => is_token(matched),
        Kind::Email => marks.takes_addresses(),
        Kind::SocialSecurity | Kind::Pem | Kind::Bearer => true,
    };
    secret.then_some(found)
}

const fn mark(kind: Kind, marks: Marks) -> &'static str {
    if !marks.are_named() {
        return super::FILTERED;
    }
    match kind {
        Kind::Card => "[creditcard]",
        Kind::Iban => "[iban]",
        Kind::SocialSecurity => "[us-ssn]",
        Kind::Bearer | Kind::Basic => "[bearer]",
        Kind::Email => "[email]",
        Kind::Pem | Kind::UrlPassword | Kind::Token | Kind::Webhook => super::FILTERED,
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
        scrub(&mut text, marks);
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
            ("Basic dXNlcjpwYXNz", "[Filtered]"),
            ("Basic information", "Basic information"),
            ("key AKIAIOSFODNN7EXAMPLE.", "key [Filtered]."),
            ("ghp_0123456789abcdefghijABCDEFGHIJ012345", "[Filtered]"),
            ("x xoxb-123456789012-abcdef y", "x [Filtered] y"),
            ("sk_live_4eC39HqLyjWDarjtT1zdp7dc", "[Filtered]"),
            ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc_-1", "[Filtered]"),
            ("AIzaSyA-0123456789abcdefghijklmnopqrstu", "[Filtered]"),
            ("sk-proj-Abc123Abc123Abc123Abc123", "[Filtered]"),
            (
                "sk-learn-is-a-library-of-python",
                "sk-learn-is-a-library-of-python",
            ),
            (
                "https://hooks.slack.com/services/T000/B000/XXXX",
                "https://hooks.slack.com/services/[Filtered]",
            ),
            ("shpat_0123456789abcdef0123456789abcdef", "[Filtered]"),
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
