//! URLs, mail addresses and other names that say where something is: `scheme://…`, `data:…`, `arn:…`, `a@b.c`.
//! In: a text and where one may start. Out: where it ends.

use super::super::token;

use super::text::Text;

/// How long the name before an `@` may be.
const LONGEST_NAME: usize = 64;

/// An address whose scheme is the word from `at` to `colon`.
pub(super) fn end(text: &Text<'_>, at: usize, colon: usize) -> Option<usize> {
    let rest = colon + 1;
    if text.starts_with(rest, "//") {
        let end = address_end(text, rest + 2);
        return (end > rest + 2).then_some(end);
    }
    let has_payload = text.byte(rest).is_ascii_alphanumeric();
    let is_bare = match text.slice(at, colon) {
        "data" => {
            let kind = text.short_run(rest, 64, |byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'+' | b'-' | b'.')
            });
            matches!(text.byte(kind), b';' | b',') && text.slice(rest, kind).contains('/')
        }
        "mailto" | "arn" => has_payload,
        _ => false,
    };
    is_bare.then(|| address_end(text, rest))
}

/// Up to a blank, a quote or a bracket that was not opened within; punctuation at the end is the sentence's.
fn address_end(text: &Text<'_>, at: usize) -> usize {
    let mut open = 0_usize;
    let mut end = text.run(at, |byte| match byte {
        b'(' | b'[' | b'{' => {
            open += 1;
            true
        }
        b')' | b']' | b'}' => {
            let is_inside = open > 0;
            open = open.saturating_sub(1);
            is_inside
        }
        b'"' | b'\'' | b'`' | b'<' | b'>' | b'|' => false,
        _ => byte > b' ',
    });
    while end > at && matches!(text.before(end), b'.' | b',' | b';' | b':' | b'!' | b'?') {
        end -= 1;
    }
    // The character before the end was read whole, as only ASCII bytes stop it.
    end
}

/// What an `@` inside a word stands in.
pub(super) enum At {
    /// A mail address, up to there.
    Mail(usize),
    /// The identity of an object, as in `Object@1b6d3586`, from and up to there.
    Identity(usize, usize),
}

/// Reads `name@domain` from the start of the name on.
pub(super) fn at_sign(text: &Text<'_>, at: usize) -> Option<At> {
    if is_name_byte(text.before(at)) {
        return None;
    }
    let sign = text.short_run(at, LONGEST_NAME, is_name_byte);
    if text.byte(sign) != b'@' || sign == at {
        return None;
    }
    let start = sign + 1;
    let mut end = text.short_run(start, 253, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-')
    });
    while end > start && matches!(text.before(end), b'.' | b'-') {
        end -= 1;
    }
    let domain = text.slice(start, end);
    if token::is_hex_id(domain) || is_short_identity(domain) {
        return Some(At::Identity(start, end));
    }
    let last = domain.rsplit('.').next().unwrap_or_default();
    let names_a_host = last.starts_with(|first: char| first.is_ascii_alphabetic());
    (names_a_host && text.byte(end) != b'_' && text.byte(end) != b'(').then_some(At::Mail(end))
}

/// Hash codes have no leading zeros and so may have fewer than six digits; one of them is a digit.
fn is_short_identity(domain: &str) -> bool {
    matches!(domain.len(), 4..=8)
        && domain.bytes().any(|byte| byte.is_ascii_digit())
        && domain
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'%' | b'+' | b'-')
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_apart, assert_kept, assert_same};

    #[test]
    fn urls_of_any_scheme_are_addresses() {
        assert_same(&[
            (
                &[
                    "GET https://a.example/x?y=1#z failed",
                    "GET http://[::1]:80/x failed",
                    "GET tcp://10.0.0.1:2375 failed",
                    "GET redis://x/0 failed",
                    "GET postgres://u:p@h/x failed",
                    "GET mongodb://a:1,b:2/db failed",
                    "GET s3://bucket/key failed",
                    "GET file:///etc/x failed",
                    "GET https://user:[Filtered]@example.com/x failed",
                    "GET data:image/png;base64,AAAA failed",
                    "GET arn:aws:iam::123456789012:user/bob failed",
                    "GET mailto:a@b.c failed",
                ],
                "GET <address> failed",
            ),
            (
                &["see (https://a.example/x).", "see (http://b.example/y(z))."],
                "see (<address>).",
            ),
            (
                &["<https://a.example/x>, gone", "<http://b>, gone"],
                "<<address>>, gone",
            ),
            (
                &[
                    "open \u{201c}x\u{201d}: http://a",
                    "open \u{201c}y z\u{201d}: http://b",
                ],
                "open <value>: <address>",
            ),
        ]);
        assert_kept(&["http:// alone", "note: data: lost", "mailto: nobody"]);
    }

    #[test]
    fn mail_addresses_need_no_point() {
        assert_same(&[
            (
                &[
                    "mail to jane@example.com failed",
                    "mail to bob@localhost failed",
                    "mail to 12.b+c@x-y.example failed",
                    "mail to [email] failed",
                ],
                "mail to <address> failed",
            ),
            (
                &[
                    "clone git@github.com:org/repo",
                    "clone git@example.org:org/repo",
                ],
                "clone <address>:org/repo",
            ),
        ]);
        assert_kept(&["@Component is missing", "@angular/core is missing", "a @ b"]);
        assert_apart(&[("@angular/core is missing", "@angular/cli is missing")]);
    }

    #[test]
    fn identities_of_objects_are_values() {
        assert_same(&[
            (
                &[
                    "java.lang.Object@1b6d3586 is locked",
                    "java.lang.Object@4aa298b is locked",
                ],
                "java.lang.Object@<value> is locked",
            ),
            (
                &[
                    "com.acme.Order@6d06 failed",
                    "com.acme.Order@1b6d3586 failed",
                ],
                "com.acme.Order@<value> failed",
            ),
        ]);
    }
}
