//! IP addresses of both versions, with port, mask and zone, and addresses of network cards.
//! In: a text and where an address may start. Out: where it ends.

use std::net::Ipv6Addr;

use super::text::Text;

/// The longest form has an IPv4 address at its end.
const LONGEST_V6: usize = 45;

/// An address that starts with a letter or a digit.
pub(super) fn end(text: &Text<'_>, at: usize) -> Option<usize> {
    if text.is_digit(at)
        && let Some(end) = v4(text, at)
    {
        return Some(end);
    }
    let first = text.short_run(at, 5, |byte| byte.is_ascii_hexdigit());
    match text.byte(first) {
        b':' | b'-' if first == at + 2 => hardware(text, at).or_else(|| v6(text, at)),
        b':' if first <= at + 4 => v6(text, at),
        _ => None,
    }
}

/// An address that starts with `::`, or all addresses, written so alone or with a port as in `:::3000`.
pub(super) fn after_colons(text: &Text<'_>, at: usize) -> Option<usize> {
    let follows_blank = matches!(
        text.before(at),
        0 | b' ' | b'\t' | b'\n' | b'"' | b'\'' | b'`' | b'(' | b'[' | b'=' | b',' | b'/' | b'@'
    );
    if !follows_blank {
        return None;
    }
    if text.byte(at + 2) == b':' {
        return port(text, at + 2);
    }
    let is_alone = matches!(
        text.byte(at + 2),
        0 | b' ' | b'\n' | b'"' | b'\'' | b')' | b']' | b',' | b'.' | b'/'
    );
    v6(text, at).or_else(|| is_alone.then_some(tail(text, at + 2)))
}

/// `[::1]:80`.
pub(super) fn in_brackets(text: &Text<'_>, at: usize) -> Option<usize> {
    let inner = read_v6(text, at + 1)?;
    let zone = zone(text, inner);
    (text.byte(zone) == b']').then(|| port(text, zone + 1).unwrap_or(zone + 1))
}

fn v4(text: &Text<'_>, at: usize) -> Option<usize> {
    // `Chrome/120.0.0.0` is the version of a product.
    let is_version = text.before(at) == b'/' && !text.starts_word(at - 1);
    let mut end = octet(text, at)?;
    for _ in 0..3 {
        if text.byte(end) != b'.' {
            return None;
        }
        end = octet(text, end + 1)?;
    }
    let goes_on = !text.ends_word(end) || text.byte(end) == b'.' && text.is_digit(end + 1);
    (!goes_on && !is_version).then(|| tail(text, end))
}

fn octet(text: &Text<'_>, at: usize) -> Option<usize> {
    let end = text.short_run(at, 4, |byte| byte.is_ascii_digit());
    let is_octet = end - at <= 3 && text.slice(at, end).parse::<u8>().is_ok();
    is_octet.then_some(end)
}

/// The mask or the port.
fn tail(text: &Text<'_>, at: usize) -> usize {
    if text.byte(at) == b'/' {
        let end = text.short_run(at + 1, 4, |byte| byte.is_ascii_digit());
        if matches!(end - at, 2..=4) && text.ends_word(end) {
            return end;
        }
    }
    port(text, at).unwrap_or(at)
}

/// A port with its colon.
pub(super) fn port(text: &Text<'_>, at: usize) -> Option<usize> {
    if text.byte(at) != b':' {
        return None;
    }
    let end = text.short_run(at + 1, 6, |byte| byte.is_ascii_digit());
    (matches!(end - at, 2..=6) && text.ends_word(end)).then_some(end)
}

fn v6(text: &Text<'_>, at: usize) -> Option<usize> {
    let end = read_v6(text, at)?;
    let is_call = text.byte(end) == b'(';
    let zone = zone(text, end);
    (text.ends_word(zone) && !is_call).then(|| tail(text, zone))
}

/// Reads an address that is not a path of names such as `Bee::add` or `bee::f1`: it has digits, letters of one case, and
/// starts with `::` or a group with a digit, or has many groups.
fn read_v6(text: &Text<'_>, at: usize) -> Option<usize> {
    let mut end = text.short_run(at, LONGEST_V6, |byte| {
        byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.')
    });
    while end > at && (text.before(end) == b'.' || ends_with_one_colon(text, end)) {
        end -= 1;
    }
    let address = text.slice(at, end);
    let has = |is: fn(&u8) -> bool| address.as_bytes().iter().any(is);
    let groups = address.split(':').count();
    let first = address.split(':').next().unwrap_or_default();
    let looks_right = groups > 2
        && has(u8::is_ascii_digit)
        && !(has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase))
        && (groups > 4 || first.is_empty() || first.bytes().any(|byte| byte.is_ascii_digit()));
    if looks_right && address.parse::<Ipv6Addr>().is_ok() {
        return Some(end);
    }
    (address == "::" && text.byte(end) == b']').then_some(end)
}

fn ends_with_one_colon(text: &Text<'_>, end: usize) -> bool {
    text.ends_with(end, ":") && !text.ends_with(end, "::")
}

/// The network interface of a link-local address: `%eth0`.
fn zone(text: &Text<'_>, at: usize) -> usize {
    if text.byte(at) != b'%' {
        return at;
    }
    text.short_run(at + 1, 16, |byte| byte.is_ascii_alphanumeric())
}

/// Six pairs of hexadecimal digits, joined by one sign.
fn hardware(text: &Text<'_>, at: usize) -> Option<usize> {
    let joint = text.byte(at + 2);
    let has_form = (0..17).all(|offset| match offset % 3 {
        2 => text.byte(at + offset) == joint,
        _ => text.byte(at + offset).is_ascii_hexdigit(),
    });
    let end = at + 17;
    (has_form && text.ends_word(end) && text.byte(end) != joint).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_apart, assert_kept, assert_same};

    #[test]
    fn addresses_have_many_forms() {
        assert_same(&[
            (
                &[
                    "connect to 10.1.1.4 failed",
                    "connect to 10.1.1.4:27017 failed",
                    "connect to 10.0.0.0/8 failed",
                    "connect to ::1 failed",
                    "connect to :: failed",
                    "connect to [::1]:27017 failed",
                    "connect to [::]:80 failed",
                    "connect to 2001:db8::1 failed",
                    "connect to [2001:db8::1]:80 failed",
                    "connect to 2001:0db8:0000:0000:0000:ff00:0042:8329 failed",
                    "connect to fc00::/7 failed",
                    "connect to ::ffff:1.2.3.4 failed",
                    "connect to fe80::1%eth0 failed",
                    "connect to :::3000 failed",
                    "connect to 00:1b:44:11:3a:b7 failed",
                    "connect to 00-1B-44-11-3A-B7 failed",
                    "connect to localhost failed",
                    "connect to localhost:3000 failed",
                    "connect to db-1.example.com:5432 failed",
                ],
                "connect to <address> failed",
            ),
            (
                &[
                    "read tcp 10.0.0.1:34567->10.0.0.2:5432: i/o timeout",
                    "read tcp 10.9.0.1:4->10.3.0.2:80: i/o timeout",
                ],
                "read tcp <address>-><address>: i/o timeout",
            ),
            (&["from ::1.", "from 10.0.0.1."], "from <address>."),
            (
                &["from ::1: refused", "from 10.0.0.1: refused"],
                "from <address>: refused",
            ),
        ]);
    }

    #[test]
    fn paths_of_names_are_no_addresses() {
        assert_kept(&[
            "Bee::buzz failed",
            "Fee::add failed",
            "Fee::add2 failed",
            "bee::f1 failed",
            "std::fmt::Error",
            "Foo<T>::f1()",
            "a ::b",
            "key not found: :zip",
            "deaf: dumb: abc",
        ]);
        assert_apart(&[("Bee::buzz", "Bee::fly"), ("Fee::add", "Fee::dec")]);
    }
}
