//! Numbers and times as people read them. In: counts and milliseconds. Out: small pieces of HTML with the exact
//! value on hover.

use askama::Template;
use jiff::Timestamp;

const MINUTE: i64 = 60;
const HOUR: i64 = 3600;
const DAY: i64 = 86_400;
const OLD: &str = " old";

/// A count: short over 9,999, exact on hover.
#[derive(Template, Debug, Clone)]
#[template(
    source = r#"{% if short == exact %}{{ short }}{% else %}<span title="{{ exact }}">{{ short }}</span>{% endif %}"#,
    ext = "html"
)]
pub struct Count {
    short: String,
    exact: String,
}

impl askama::filters::HtmlSafe for Count {}

impl Count {
    pub fn new(number: i64) -> Self {
        Self {
            short: short(number),
            exact: thousands(number),
        }
    }

    /// A number that is known roughly only.
    pub fn about(number: i64) -> Self {
        Self {
            short: format!("≈{}", short(number)),
            exact: format!("about {}", thousands(number)),
        }
    }
}

/// A moment: relative, exact on hover; the page's script turns the latter into the reader's zone.
#[derive(Template, Debug, Clone)]
#[template(
    source = r#"<time datetime="{{ iso }}" title="{{ exact }}"{% if let Some(suffix) = suffix %} data-age="{{ suffix }}"{% endif %}>{{ text }}</time>"#,
    ext = "html"
)]
pub struct When {
    iso: String,
    exact: String,
    text: String,
    suffix: Option<&'static str>,
}

impl askama::filters::HtmlSafe for When {}

impl When {
    /// "3 min ago"
    pub fn ago(ms: i64, now: i64) -> Self {
        Self::relative(ms, now, " ago")
    }

    /// "3 min"
    pub fn age(ms: i64, now: i64) -> Self {
        Self::relative(ms, now, "")
    }

    /// "5 d old"
    pub fn old(ms: i64, now: i64) -> Self {
        Self::relative(ms, now, OLD)
    }

    /// "21 Nov 10:24:07"
    pub fn exact(ms: i64) -> Self {
        Self {
            iso: iso(ms),
            exact: exact(ms),
            text: strftime(ms, "%-d %b %H:%M:%S"),
            suffix: None,
        }
    }

    /// "10:24:07.882"
    pub fn clock(ms: i64) -> Self {
        let text = format!("{}.{:03}", strftime(ms, "%H:%M:%S"), ms.rem_euclid(1000));
        Self {
            iso: iso(ms),
            exact: exact(ms),
            text,
            suffix: None,
        }
    }

    fn relative(ms: i64, now: i64, suffix: &'static str) -> Self {
        let text = match age(ms, now) {
            Some(age) => format!("{age}{suffix}"),
            None if suffix == OLD => format!("<1 min{suffix}"),
            None => "just now".to_owned(),
        };
        Self {
            iso: iso(ms),
            exact: exact(ms),
            text,
            suffix: Some(suffix),
        }
    }
}

/// "3 min", "5 d"; none below a minute.
fn age(ms: i64, now: i64) -> Option<String> {
    let seconds = (now - ms) / 1000;
    match seconds {
        ..MINUTE => None,
        MINUTE..HOUR => Some(format!("{} min", seconds / MINUTE)),
        HOUR..DAY => Some(format!("{} h", seconds / HOUR)),
        _ => Some(format!("{} d", seconds / DAY)),
    }
}

/// 1,204 and 12.4k and 3.1M
pub fn short(number: i64) -> String {
    let size = number.unsigned_abs();
    let (unit, letter) = match size {
        0..10_000 => return thousands(number),
        10_000..1_000_000 => (1_000, 'k'),
        1_000_000..1_000_000_000 => (1_000_000, 'M'),
        _ => (1_000_000_000, 'G'),
    };
    let tenths = size / (unit / 10);
    let sign = if number < 0 { "-" } else { "" };
    if tenths >= 1000 || tenths.is_multiple_of(10) {
        format!("{sign}{}{letter}", tenths / 10)
    } else {
        format!("{sign}{}.{}{letter}", tenths / 10, tenths % 10)
    }
}

/// 1,234,567
pub fn thousands(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if number < 0 {
        text.push('-');
    }
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// "1 event", "2 events"
pub fn plural(number: i64, one: &str, many: &str) -> String {
    format!("{} {}", short(number), if number == 1 { one } else { many })
}

/// "21 Nov 2026, 10:24:07 UTC"
pub fn exact(ms: i64) -> String {
    strftime(ms, "%-d %b %Y, %H:%M:%S UTC")
}

/// "21 Nov"
pub fn day(ms: i64) -> String {
    strftime(ms, "%-d %b")
}

/// "2026-11-21T10:24:07.000Z"
pub fn iso(ms: i64) -> String {
    Timestamp::from_millisecond(ms)
        .unwrap_or_default()
        .to_string()
}

/// Formats a moment in UTC.
pub fn strftime(ms: i64, format: &str) -> String {
    Timestamp::from_millisecond(ms)
        .unwrap_or_default()
        .strftime(format)
        .to_string()
}

/// Milliseconds of an RFC 3339 text or a number of seconds, as events carry them.
pub fn parse_time(value: &serde_json::Value) -> Option<i64> {
    match value {
        serde_json::Value::String(text) => text
            .parse::<Timestamp>()
            .ok()
            .map(Timestamp::as_millisecond),
        serde_json::Value::Number(number) => {
            number.as_f64().map(|seconds| (seconds * 1000.0) as i64)
        }
        _ => None,
    }
}

/// Up to two letters for a round picture.
pub fn initials(name: &str) -> String {
    let mut words = name
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty());
    let first = words.next().and_then(|word| word.chars().next());
    let last = words.next_back().and_then(|word| word.chars().next());
    first
        .into_iter()
        .chain(last)
        .flat_map(char::to_uppercase)
        .collect()
}

/// One of the six hues, always the same for the same number.
pub fn hue(number: i64) -> i64 {
    (number - 1).rem_euclid(6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_exact_up_to_four_digits_and_short_beyond() {
        for (number, text) in [
            (0, "0"),
            (310, "310"),
            (8_204, "8,204"),
            (9_999, "9,999"),
            (10_000, "10k"),
            (12_412, "12.4k"),
            (31_949, "31.9k"),
            (123_456, "123k"),
            (3_140_000, "3.1M"),
            (-12_412, "-12.4k"),
        ] {
            assert_eq!(short(number), text);
        }
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(
            Count::new(12_412).to_string(),
            r#"<span title="12,412">12.4k</span>"#
        );
        assert_eq!(Count::new(7).to_string(), "7");
    }

    #[test]
    fn times_are_relative_with_the_exact_one_on_hover() {
        let now = 1_795_256_647_000;
        assert_eq!(age(now - 59_000, now), None);
        assert_eq!(age(now - 60_000, now).as_deref(), Some("1 min"));
        assert_eq!(age(now - 3 * 3_600_000, now).as_deref(), Some("3 h"));
        assert_eq!(age(now - 41 * 86_400_000, now).as_deref(), Some("41 d"));
        let html = When::ago(now - 180_000, now).to_string();
        assert!(
            html.contains(">3 min ago</time>")
                && html.contains("data-age=\" ago\"")
                && html.contains(" UTC\""),
            "{html}"
        );
        assert!(
            When::exact(0)
                .to_string()
                .contains(">1 Jan 00:00:00</time>")
        );
    }

    #[test]
    fn initials_take_first_and_last() {
        assert_eq!(initials("Mira Berg"), "MB");
        assert_eq!(initials("jana"), "J");
        assert_eq!(initials(""), "");
        assert_eq!(initials("Ana María von Hof"), "AH");
    }
}
