//! Units of time, size and money behind a number: `ms`, `seconds`, `MB`, `%`, `MB/s`.
//! In: a text and the place behind a number. Out: where what belongs to the number ends.

use super::text::{Text, is_one_of, words};

/// Directly behind a number or after a blank.
const UNITS: [&str; 68] = words(
    "ms ns us sec secs second seconds min mins minute minutes hr hrs hour hours day days week \
     weeks month months year years millis millisecond milliseconds microsecond microseconds nanosecond \
     nanoseconds percent byte bytes bit bits kb mb gb tb pb kib mib gib tib kbit mbit gbit kbps mbps gbps \
     bps hz khz mhz ghz px am pm usd eur gbp chf jpy rpm fps rps qps msec",
);

/// Only directly behind a number, where they are no words of their own; the endings of ordinals are among them.
const GLUED: [&str; 7] = ["kk", "st", "nd", "rd", "th", "mo", "ks"];

/// `µ` as the Latin and as the Greek letter, and `°`.
const SIGNS: [&[u8]; 3] = [b"\xc2\xb5", b"\xce\xbc", b"\xc2\xb0"];

/// The longest unit is `milliseconds`.
const LONGEST: usize = 13;

/// The end of a unit that stands directly behind a number.
pub(super) fn glued(text: &Text<'_>, at: usize) -> Option<usize> {
    if text.byte(at) == b'%' {
        return Some(at + 1);
    }
    let end = word(text, at)?;
    let word = text.slice(at, end);
    let is_glued = matches!(
        word,
        "w" | "y" | "k" | "K" | "M" | "g" | "G" | "T" | "b" | "B" | "x"
    );
    (is_glued || is_unit(word) || is_one_of(word, &GLUED)).then_some(end)
}

/// The end of a unit after one blank. A joint behind makes it a part of another word.
pub(super) fn after_blank(text: &Text<'_>, at: usize) -> Option<usize> {
    if text.byte(at) != b' ' {
        return None;
    }
    for currency in ["€", "£"] {
        let end = at + 1 + currency.len();
        if text.starts_with(at + 1, currency) && !text.is_digit(end) {
            return Some(end);
        }
    }
    let end = word(text, at + 1)?;
    let is_unit = is_unit(text.slice(at + 1, end)) || text.slice(at + 1, end) == "B";
    (is_unit && !matches!(text.byte(end), b'-' | b'_' | b'\'')).then_some(end)
}

/// `/s` and the like behind a unit or a number.
pub(super) fn rate(text: &Text<'_>, at: usize) -> Option<usize> {
    if text.byte(at) != b'/' {
        return None;
    }
    let end = word(text, at + 1)?;
    let per = ["s", "sec", "second", "min", "minute", "h", "hour", "day"];
    is_one_of(text.slice(at + 1, end), &per).then_some(end)
}

fn is_unit(word: &str) -> bool {
    let micro = ["µs", "μs", "°C", "°F", "µ", "μ", "°"];
    matches!(word, "s" | "m" | "h" | "d") || is_one_of(word, &UNITS) || micro.contains(&word)
}

/// The end of a run of letters and signs that could be a unit.
fn word(text: &Text<'_>, at: usize) -> Option<usize> {
    let sign = SIGNS
        .iter()
        .find(|sign| text.bytes[at.min(text.bytes.len())..].starts_with(sign))
        .map_or(0, |sign| sign.len());
    let end = text.short_run(at + sign, LONGEST, |byte| byte.is_ascii_alphabetic());
    (end > at && !text.is_digit(end) && text.ends_word(end)).then_some(end)
}
