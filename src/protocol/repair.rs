//! Mends what some clients write instead of JSON, for a second try at parsing.
//! In: bytes that strict parsing refused. Out: a text in which texts and numbers are valid, or nothing if that is not the problem.

/// Replaces invalid UTF-8 and lone surrogates, escapes control characters, and turns `NaN`, infinities and
/// numbers beyond a double into `null`. `None` if nothing had to be changed: then a second try is pointless.
pub(super) fn repair(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(first) = rest.bytes().next() {
        rest = match first {
            b'"' => copy_string(rest, &mut out),
            b'-' | b'0'..=b'9' | b'N' | b'I' => copy_number(rest, &mut out),
            _ => {
                let end = rest
                    .find([
                        '"', '-', 'N', 'I', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9',
                    ])
                    .unwrap_or(rest.len());
                out.push_str(&rest[..end]);
                &rest[end..]
            }
        };
    }
    (out.as_bytes() != bytes).then_some(out)
}

/// Copies the string that `text` begins with and returns what follows it.
fn copy_string<'a>(text: &'a str, out: &mut String) -> &'a str {
    out.push('"');
    let mut rest = &text[1..];
    loop {
        let end = rest
            .find(|c: char| c == '"' || c == '\\' || c < ' ')
            .unwrap_or(rest.len());
        out.push_str(&rest[..end]);
        rest = &rest[end..];
        match rest.bytes().next() {
            None => return rest,
            Some(b'"') => {
                out.push('"');
                return &rest[1..];
            }
            Some(b'\\') => rest = copy_escape(rest, out),
            Some(control) => {
                out.push_str("\\u00");
                out.push(char::from(b'0' + (control >> 4)));
                out.push(char::from(b"0123456789abcdef"[usize::from(control & 15)]));
                rest = &rest[1..];
            }
        }
    }
}

/// Copies one escape, or a pair of surrogates; a surrogate alone becomes the replacement character.
fn copy_escape<'a>(text: &'a str, out: &mut String) -> &'a str {
    let Some(unit) = unicode_escape(text) else {
        let length = text.chars().take(2).map(char::len_utf8).sum();
        out.push_str(&text[..length]);
        return &text[length..];
    };
    let length = match unit {
        0xd800..=0xdbff if matches!(unicode_escape(&text[6..]), Some(0xdc00..=0xdfff)) => 12,
        0xd800..=0xdfff => {
            out.push_str("\\ufffd");
            return &text[6..];
        }
        _ => 6,
    };
    out.push_str(&text[..length]);
    &text[length..]
}

/// The code unit of a `\uXXXX` that `text` begins with.
fn unicode_escape(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u16::from_str_radix(digits, 16).ok()
}

fn copy_number<'a>(text: &'a str, out: &mut String) -> &'a str {
    for word in ["NaN", "-Infinity", "Infinity"] {
        if let Some(rest) = text.strip_prefix(word) {
            out.push_str("null");
            return rest;
        }
    }
    let end = text
        .find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E'))
        .unwrap_or(text.len());
    // A lone `N` or `I` begins no number; it is copied so that parsing names it.
    let end = end.max(1);
    let number = &text[..end];
    if number.parse::<f64>().is_ok_and(f64::is_infinite) {
        out.push_str("null");
    } else {
        out.push_str(number);
    }
    &text[end..]
}
