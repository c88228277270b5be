//! Dates with names of days or months, and what follows a time of day: halves of the day and zones.
//! In: a text and where a date or its rest may start. Out: where it ends.

use super::text::{Text, is_one_of, words};

const MONTHS: [&str; 12] =
    words("january february march april may june july august september october november december");

const DAYS: [&str; 7] = words("monday tuesday wednesday thursday friday saturday sunday");

const ZONES: [&str; 30] = [
    "utc", "gmt", "z", "est", "edt", "cst", "cdt", "mst", "mdt", "pst", "pdt", "cet", "cest",
    "eet", "eest", "wet", "west", "bst", "ist", "jst", "kst", "msk", "hkt", "sgt", "aest", "aedt",
    "acst", "awst", "nzst", "nzdt",
];

/// The longest name is `September`.
const LONGEST_NAME: usize = 10;

/// How many pieces may follow the month: day, year, time, zone and another year.
const MOST_PIECES: usize = 5;

/// A date that starts with a day of the week or a month, and has a number.
pub(super) fn name_first(text: &Text<'_>, at: usize) -> Option<usize> {
    let mut at = at;
    if let Some(day) = name(text, at, &DAYS) {
        let comma = usize::from(matches!(text.byte(day), b',' | b'.'));
        if text.byte(day + comma) != b' ' {
            return None;
        }
        at = day + comma + 1;
        if let Some(end) = day_first(text, at) {
            return Some(end);
        }
        if text.is_digit(at) {
            return None;
        }
    }
    let month = name(text, at, &MONTHS)?;
    rest(text, month)
}

/// A date such as `21 Nov 2026` or `21/Nov/2026:10:00:00 +0000`.
pub(super) fn day_first(text: &Text<'_>, at: usize) -> Option<usize> {
    let mut end = text.one_or_two_digits(at)?;
    if is_one_of(text.slice(end, end + 2), &["st", "nd", "rd", "th"]) {
        end += 2;
    }
    if text.byte(end) == b'.' && text.byte(end + 1) == b' ' {
        end += 1;
    }
    if !matches!(text.byte(end), b' ' | b'-' | b'/' | b'.') {
        return None;
    }
    let month = name(text, end + 1, &MONTHS)?;
    Some(rest(text, month).unwrap_or(month))
}

/// Numbers, times and zones behind a month; nothing if there is no number at all.
fn rest(text: &Text<'_>, month: usize) -> Option<usize> {
    let mut end = month;
    let mut found = false;
    for _ in 0..MOST_PIECES {
        let start = separated(text, end);
        let Some(piece) = piece(text, start, end) else {
            break;
        };
        found |= text.is_digit(start);
        end = piece;
    }
    found.then_some(end)
}

/// Behind what stands between the parts of a date.
fn separated(text: &Text<'_>, at: usize) -> usize {
    for between in [", at ", " at ", ", ", ". ", "  ", " ", "-", "/", ":", "T"] {
        if text.starts_with(at, between) {
            return at + between.len();
        }
    }
    at
}

/// A time, a day, a year or a zone, behind what separates it.
fn piece(text: &Text<'_>, at: usize, before: usize) -> Option<usize> {
    if let Some(end) = clock(text, at) {
        return Some(after_clock(text, end));
    }
    if text.is_digit(at) && at > before {
        let mut end = text.short_run(at, 5, |byte| byte.is_ascii_digit());
        if is_one_of(text.slice(end, end + 2), &["st", "nd", "rd", "th"]) {
            end += 2;
        }
        return (end - at <= 4 && text.ends_word(end)).then_some(end);
    }
    zone(text, before)
}

/// `10:00`, `9:08:07.654` or `10:00:00,5`.
fn clock(text: &Text<'_>, at: usize) -> Option<usize> {
    let mut end = text.one_or_two_digits(at)?;
    let mut parts = 0;
    while parts < 2 && text.byte(end) == b':' && two_digits(text, end + 1) {
        end += 3;
        parts += 1;
    }
    if parts == 2 && matches!(text.byte(end), b'.' | b',') && text.is_digit(end + 1) {
        end = text.run(end + 1, |byte| byte.is_ascii_digit());
    }
    (parts > 0 && !text.is_digit(end)).then_some(end)
}

fn two_digits(text: &Text<'_>, at: usize) -> bool {
    text.is_digit(at) && text.is_digit(at + 1)
}

/// The time of day that may stand behind a date in numbers.
pub(super) fn clock_after(text: &Text<'_>, at: usize) -> Option<usize> {
    let start = separated(text, at);
    let start = if start == at && text.byte(at) == b'_' {
        at + 1
    } else {
        start
    };
    clock(text, start).filter(|_| start > at)
}

/// Halves of the day, zones and their names in brackets, behind a time.
pub(super) fn after_clock(text: &Text<'_>, at: usize) -> usize {
    let mut end = half_of_day(text, at).unwrap_or(at);
    for _ in 0..2 {
        match zone(text, end) {
            Some(next) => end = next,
            None => break,
        }
    }
    end
}

/// `am`, `PM` or `p.m.`, after a blank or not.
fn half_of_day(text: &Text<'_>, at: usize) -> Option<usize> {
    let start = at + usize::from(text.byte(at) == b' ');
    ["a.m.", "p.m.", "am", "pm"]
        .into_iter()
        .find(|half| text.starts_with_ignoring_case(start, half))
        .map(|half| start + half.len())
        .filter(|&end| text.ends_word(end))
}

/// `Z`, `UTC`, ` GMT+0100`, `+02:00`, ` -0700`, and the name of the zone in brackets behind it.
pub(super) fn zone(text: &Text<'_>, at: usize) -> Option<usize> {
    let start = at + usize::from(text.byte(at) == b' ');
    let named = name_of(text, start, &ZONES).filter(|_| start > at || text.byte(at) == b'Z');
    // The layout of Go's standard library: `Z07:00`.
    let layout = || (text.byte(at) == b'Z').then(|| offset_digits(text, at + 1));
    let end = offset(text, named.unwrap_or(start))
        .or(named)
        .or_else(|| layout()?)?;
    Some(zone_in_brackets(text, end).unwrap_or(end))
}

fn offset(text: &Text<'_>, at: usize) -> Option<usize> {
    if !matches!(text.byte(at), b'+' | b'-') {
        return None;
    }
    offset_digits(text, at + 1).or_else(|| {
        let is_short = two_digits(text, at + 1) && text.before(at) != b' ';
        (is_short && text.ends_word(at + 3)).then_some(at + 3)
    })
}

fn offset_digits(text: &Text<'_>, at: usize) -> Option<usize> {
    let minutes = at + 2 + usize::from(text.byte(at + 2) == b':');
    let has_both = two_digits(text, at) && two_digits(text, minutes);
    (has_both && text.ends_word(minutes + 2)).then_some(minutes + 2)
}

/// ` (Central European Standard Time)`.
fn zone_in_brackets(text: &Text<'_>, at: usize) -> Option<usize> {
    const LONGEST: usize = 48;
    if !text.starts_with(at, " (") {
        return None;
    }
    let end = text.short_run(at + 2, LONGEST, |byte| {
        byte.is_ascii_alphabetic() || byte == b' ' || byte >= 0x80
    });
    let name = text.slice(at + 2, end);
    let names_a_zone = name.ends_with("Time")
        || name.ends_with("zeit")
        || name.bytes().all(|byte| byte.is_ascii_uppercase());
    (text.byte(end) == b')' && names_a_zone).then_some(end + 1)
}

/// The end of a capitalised name, in full or by its first three or four letters.
fn name(text: &Text<'_>, at: usize, names: &[&str]) -> Option<usize> {
    if !text.byte(at).is_ascii_uppercase() {
        return None;
    }
    let end = text.short_run(at, LONGEST_NAME, |byte| byte.is_ascii_alphabetic());
    let found = text.slice(at, end);
    let is_name = names.iter().any(|name| {
        let is_whole_or_short = found.len() == name.len() || matches!(found.len(), 3..=5);
        let start = name.get(..found.len());
        is_whole_or_short && start.is_some_and(|start| start.eq_ignore_ascii_case(found))
    });
    (is_name && text.ends_word(end)).then_some(end)
}

/// The end of a name in capitals.
fn name_of(text: &Text<'_>, at: usize, names: &[&str]) -> Option<usize> {
    let end = text.short_run(at, 5, |byte| byte.is_ascii_uppercase());
    (is_one_of(text.slice(at, end), names) && text.ends_word(end)).then_some(end)
}

/// A duration of ISO 8601 that has a time: `PT12.5S`, `P1DT2H`. Without one, as `P2D`, it could be any code.
pub(super) fn duration(text: &Text<'_>, at: usize) -> Option<usize> {
    if text.byte(at) != b'P' || !text.starts_token(at) {
        return None;
    }
    let days = parts(text, at + 1, b"YMWD");
    if text.byte(days) != b'T' {
        return None;
    }
    let end = parts(text, days + 1, b"HMS");
    (end > days + 1 && text.ends_word(end)).then_some(end)
}

/// The end of numbers, each with one of the letters behind it.
fn parts(text: &Text<'_>, at: usize, letters: &[u8]) -> usize {
    const LONGEST: usize = 12;
    let mut at = at;
    loop {
        let end = text.short_run(at, LONGEST, |byte| byte.is_ascii_digit() || byte == b'.');
        if end == at || !letters.contains(&text.byte(end)) {
            return at;
        }
        at = end + 1;
    }
}

/// Where the representation of a moment in Python ends: `datetime.datetime(2026, 11, 21, 10, 0)`.
pub(super) fn python(text: &Text<'_>, at: usize) -> Option<usize> {
    const LONGEST: usize = 160;
    const NAMES: [&str; 4] = [
        "datetime.datetime(",
        "datetime.date(",
        "datetime.time(",
        "datetime.timedelta(",
    ];
    let start = NAMES
        .iter()
        .find(|name| text.starts_with(at, name))
        .map(|name| at + name.len())?;
    let mut depth = 1;
    let end = text.short_run(start, LONGEST, |byte| {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        depth > 0 && byte != b'\n'
    });
    (depth == 0).then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_kept, assert_same};

    #[test]
    fn one_moment_has_many_forms() {
        assert_same(&[(
            &[
                "at 2026-11-21 end",
                "at 2026-11-21T10:00:00Z end",
                "at 2026-11-21T10:00:00.5Z end",
                "at 2026-11-21 10:00:00 end",
                "at 2026-11-21 10:00:00,123 end",
                "at 2026-11-21 10:00:00.123456+00:00 end",
                "at 2026-11-21T10:00:00 +02:00 end",
                "at 2026-11-21 10:00:00 -0700 end",
                "at 2026-11-21 10:00:00 +0000 UTC end",
                "at 2006-01-02T15:04:05Z07:00 end",
                "at 20060102T150405Z end",
                "at 2026/11/21 10:00:00 end",
                "at 11/21/2026 end",
                "at 11/21/2026, 9:08:07 PM end",
                "at 21.11.2026 end",
                "at 21.11.2026, 10:00 end",
                "at Jan 18, 2019 end",
                "at January 18th, 2019 at 9:08 PM end",
                "at Nov 21 10:00:00 end",
                "at Nov 2026 end",
                "at Thu Nov  5 10:00:00 UTC 2026 end",
                "at 21 Nov 2026 end",
                "at 21. November 2026 10:00 end",
                "at 21-Nov-2026 end",
                "at 21/Nov/2026:10:00:00 +0000 end",
                "at Sat, 21 Nov 2026 10:00:00 GMT end",
                "at Saturday, 21-Nov-26 10:00:00 UTC end",
                "at Saturday, November 21, 2026 end",
                "at Sat Nov 21 10:00:00 UTC 2026 end",
                "at Sat Nov 21 2026 10:00:00 GMT+0100 (Central European Standard Time) end",
                "at Sat Nov 21 2026 10:00:00 GMT+0100 (CET) end",
                "at 11:21 end",
                "at 9:08 PM end",
                "at 9:08 a.m. end",
                "at 10:00:00 CEST end",
                "at 1795255200 end",
                "at 1795255200.123 end",
                "at datetime.datetime(2026, 11, 21, 10, 0) end",
                "at datetime.datetime(2026, 11, 21, tzinfo=datetime.timezone(datetime.timedelta(0))) end",
            ],
            "at <value> end",
        )]);
    }

    #[test]
    fn durations_of_the_standard_are_one_value() {
        assert_same(&[(
            &["held for PT12.5S", "held for PT3M2S", "held for P1DT2H"],
            "held for <value>",
        )]);
        assert_kept(&["part PT of P2D", "PTT1S"]);
    }

    #[test]
    fn names_of_days_and_months_without_numbers_are_words() {
        assert_kept(&[
            "May the force be with you",
            "Sun sets on Monday",
            "Marching on",
            "Second of all",
            "Sat down, Fri",
        ]);
        assert_same(&[
            (
                &["May fail 5 times", "May fail 3 times"],
                "May fail <value> times",
            ),
            (&["5 Mayors", "7 Mayors"], "<value> Mayors"),
            (
                &["datetime.date(2", "datetime.date(7"],
                "datetime.date(<value>",
            ),
        ]);
    }
}
