//! Points in time as SDKs write them, in microseconds since 1970 UTC.
//! In: epoch seconds, RFC 3339 or ISO without a zone. Out: `i64` microseconds, and back to RFC 3339.

use std::fmt;

use serde::ser::{Serialize, Serializer};

use crate::protocol::json::Json;

const SECOND: i64 = 1_000_000;
const DAY_SECONDS: i64 = 86_400;
/// The years 0001 to 9999, what RFC 3339 can write.
const RANGE: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

/// Reads a time in any of the forms of the protocol.
pub(super) fn parse(value: &Json<'_>) -> Option<i64> {
    match value {
        Json::I64(seconds) => RANGE.contains(seconds).then(|| seconds * SECOND),
        Json::F64(seconds) => from_float(*seconds),
        Json::Str(text) => parse_text(text.trim()),
        _ => None,
    }
}

fn from_float(seconds: f64) -> Option<i64> {
    if !seconds.is_finite() || !RANGE.contains(&(seconds as i64)) {
        return None;
    }
    // A double holds a bit less than microseconds for today's times: round to what was meant.
    Some((seconds * 1e6).round() as i64)
}

fn parse_text(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes.len() < 10 || bytes[4] != b'-' {
        return from_float(text.parse().ok()?);
    }
    let (year, month, day) = (
        digits(bytes, 0, 4)?,
        digits(bytes, 5, 2)?,
        digits(bytes, 8, 2)?,
    );
    if bytes[7] != b'-'
        || year == 0
        || !(1..=12).contains(&month)
        || day == 0
        || day > days_in(year, month)
    {
        return None;
    }
    let days = days_from_civil(year, month, day);
    let mut at = 10;
    let (mut seconds, mut micros) = (0, 0);
    if at < bytes.len() {
        if !matches!(bytes[at], b'T' | b't' | b' ') || *bytes.get(13)? != b':' {
            return None;
        }
        let (hour, minute) = (digits(bytes, 11, 2)?, digits(bytes, 14, 2)?);
        at = 16;
        let mut second = 0;
        if bytes.get(at) == Some(&b':') {
            second = digits(bytes, at + 1, 2)?;
            at += 3;
            if matches!(bytes.get(at), Some(b'.' | b',')) {
                let start = at + 1;
                at = start
                    + bytes[start..]
                        .iter()
                        .take_while(|b| b.is_ascii_digit())
                        .count();
                let kept = digits(bytes, start, (at - start).min(6))?;
                micros = kept * 10_i64.pow(6 - (at - start).min(6) as u32);
            }
        }
        if hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        seconds = hour * 3600 + minute * 60 + second;
    }
    let offset = parse_zone(&bytes[at..])?;
    let total = days * DAY_SECONDS + seconds - offset;
    RANGE.contains(&total).then(|| total * SECOND + micros)
}

/// Seconds east of UTC; no zone means UTC.
fn parse_zone(zone: &[u8]) -> Option<i64> {
    match zone {
        [] | [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), rest @ ..] => {
            let hours = digits(rest, 0, 2)?;
            let minutes = match rest.len() {
                2 => 0,
                4 => digits(rest, 2, 2)?,
                5 if rest[2] == b':' => digits(rest, 3, 2)?,
                _ => return None,
            };
            if hours > 23 || minutes > 59 {
                return None;
            }
            let offset = hours * 3600 + minutes * 60;
            Some(if *sign == b'-' { -offset } else { offset })
        }
        _ => None,
    }
}

fn digits(bytes: &[u8], start: usize, count: usize) -> Option<i64> {
    let digits = bytes.get(start..start + count)?;
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0, |number, digit| {
        digit
            .is_ascii_digit()
            .then(|| number * 10 + i64::from(digit - b'0'))
    })
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the Gregorian calendar, counting years from March so that leap days come last.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = (shifted_month + 2) % 12 + 1;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// Writes microseconds as `2026-11-21T10:00:00.250000Z`.
pub(super) struct Rfc3339(pub i64);

impl Rfc3339 {
    /// Digit by digit: every breadcrumb has a time, and `write!` with widths costs ten times as much.
    fn digits(&self) -> [u8; 27] {
        let seconds = self.0.div_euclid(SECOND);
        let (year, month, day) = civil_from_days(seconds.div_euclid(DAY_SECONDS));
        let of_day = seconds.rem_euclid(DAY_SECONDS);
        let mut text = *b"0000-00-00T00:00:00.000000Z";
        let mut put = |end: usize, count: usize, mut number: i64| {
            for at in (end - count..end).rev() {
                text[at] = b'0' + (number % 10) as u8;
                number /= 10;
            }
        };
        put(4, 4, year.rem_euclid(10_000));
        put(7, 2, month);
        put(10, 2, day);
        put(13, 2, of_day / 3600);
        put(16, 2, of_day / 60 % 60);
        put(19, 2, of_day % 60);
        put(26, 6, self.0.rem_euclid(SECOND));
        text
    }
}

impl fmt::Display for Rfc3339 {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(std::str::from_utf8(&self.digits()).expect("digits are ASCII"))
    }
}

impl Serialize for Rfc3339 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(std::str::from_utf8(&self.digits()).expect("digits are ASCII"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_are_read() {
        for (value, expected) in [
            (
                Json::I64(1_795_255_200),
                Some("2026-11-21T10:00:00.000000Z"),
            ),
            (
                Json::F64(1_795_255_200.25),
                Some("2026-11-21T10:00:00.250000Z"),
            ),
            (
                "2026-11-21T10:00:00.5".into(),
                Some("2026-11-21T10:00:00.500000Z"),
            ),
            (
                "2026-11-21T11:00:00+01:00".into(),
                Some("2026-11-21T10:00:00.000000Z"),
            ),
            (
                "2026-11-21T05:00:00-0500".into(),
                Some("2026-11-21T10:00:00.000000Z"),
            ),
            (
                "2026-11-21T10:00:00.123456789Z".into(),
                Some("2026-11-21T10:00:00.123456Z"),
            ),
            (
                "2026-11-21 10:00".into(),
                Some("2026-11-21T10:00:00.000000Z"),
            ),
            ("2026-11-21".into(), Some("2026-11-21T00:00:00.000000Z")),
            ("1795255200.25".into(), Some("2026-11-21T10:00:00.250000Z")),
            (
                "2024-02-29T00:00:00Z".into(),
                Some("2024-02-29T00:00:00.000000Z"),
            ),
            (
                "0001-01-01T00:00:00Z".into(),
                Some("0001-01-01T00:00:00.000000Z"),
            ),
            (Json::I64(-5), Some("1969-12-31T23:59:55.000000Z")),
            ("2023-02-29T00:00:00Z".into(), None),
            ("yesterday".into(), None),
            ("2026-13-01".into(), None),
            (Json::I64(1_795_255_200_000), None),
            (Json::F64(f64::INFINITY), None),
            (Json::Bool(true), None),
        ] {
            let read = parse(&value).map(|micros| Rfc3339(micros).to_string());
            assert_eq!(read.as_deref(), expected, "{value:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn written_times_are_read_back(seconds in RANGE, micros in 0..SECOND) {
            let time = seconds * SECOND + micros;
            proptest::prop_assert_eq!(parse(&Json::from(Rfc3339(time).to_string())), Some(time));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,40}|[0-9TZ:+.-]{0,40}") {
            let _ = parse(&Json::from(text));
        }
    }
}
