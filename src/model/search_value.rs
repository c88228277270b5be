//! The values of search terms. In: the text after a colon. Out: numbers, moments, lists and patterns, or a sentence that
//! says what is wrong with it.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;

const DAY_MS: i64 = 86_400_000;

/// How a value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Is,
    IsNot,
    Less,
    AtMost,
    More,
    AtLeast,
}

impl Comparison {
    /// The opposite, if `negated`.
    #[must_use]
    pub fn unless(self, negated: bool) -> Self {
        if !negated {
            return self;
        }
        match self {
            Self::Is => Self::IsNot,
            Self::IsNot => Self::Is,
            Self::Less => Self::AtLeast,
            Self::AtMost => Self::More,
            Self::More => Self::AtMost,
            Self::AtLeast => Self::Less,
        }
    }

    fn split(text: &str) -> (Option<Self>, &str) {
        for (sign, comparison) in [
            (">=", Self::AtLeast),
            ("<=", Self::AtMost),
            (">", Self::More),
            ("<", Self::Less),
        ] {
            if let Some(rest) = text.strip_prefix(sign) {
                return (Some(comparison), rest.trim());
            }
        }
        (None, text)
    }
}

/// `>10`, `<=2k`, `5`.
pub fn number(text: &str) -> Result<(Comparison, i64), String> {
    let (comparison, rest) = Comparison::split(text);
    let (digits, factor) = match rest.char_indices().next_back() {
        Some((at, 'k' | 'K')) => (&rest[..at], 1_000),
        Some((at, 'm' | 'M')) => (&rest[..at], 1_000_000),
        Some((at, 'b' | 'B')) => (&rest[..at], 1_000_000_000),
        _ => (rest, 1),
    };
    let number: i64 = digits
        .parse()
        .map_err(|_| format!("'{text}' is not a number"))?;
    Ok((
        comparison.unwrap_or(Comparison::Is),
        number.saturating_mul(factor),
    ))
}

/// `-24h` (since then), `+2d` (before then), or a date or time with an operator. Times without a zone are UTC.
pub fn time(text: &str, now: i64) -> Result<(Comparison, i64), String> {
    let wrong = || format!("'{text}' is not a time: use -24h, +2d or >2026-01-31T12:00:00");
    for (sign, comparison) in [('-', Comparison::AtLeast), ('+', Comparison::AtMost)] {
        if let Some(rest) = text.strip_prefix(sign) {
            let span = span(rest).ok_or_else(wrong)?;
            return Ok((comparison, now.saturating_sub(span)));
        }
    }
    let (comparison, rest) = Comparison::split(text);
    let comparison = comparison.ok_or_else(wrong)?;
    let millis = moment(rest).ok_or_else(wrong)?;
    // A day's name stands for all of it.
    let whole_day = rest.parse::<Date>().is_ok() && !rest.contains(':');
    let end_of_day = matches!(comparison, Comparison::More | Comparison::AtMost) && whole_day;
    Ok((
        comparison,
        if end_of_day {
            millis + DAY_MS - 1
        } else {
            millis
        },
    ))
}

/// Milliseconds of `90s`, `30m`, `24h`, `14d` or `2w`.
pub fn span(text: &str) -> Option<i64> {
    let (at, unit) = text.char_indices().next_back()?;
    let unit = match unit {
        's' => 1_000,
        'm' => 60_000,
        'h' => 3_600_000,
        'd' => DAY_MS,
        'w' => 7 * DAY_MS,
        _ => return None,
    };
    let number: i64 = text[..at].parse().ok().filter(|number| *number >= 0)?;
    number.checked_mul(unit)
}

/// A date or time, zoned or UTC, with whatever fraction of a second.
pub fn moment(text: &str) -> Option<i64> {
    if let Ok(zoned) = text.parse::<Timestamp>() {
        return Some(zoned.as_millisecond());
    }
    let civil: DateTime = text.parse().ok()?;
    let moment = Offset::UTC.to_timestamp(civil).ok()?;
    Some(moment.as_millisecond())
}

/// `a`, or `[a, b, "c d"]`.
pub fn list(text: &str) -> Result<Vec<String>, String> {
    let inner = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let Some(inner) = inner else {
        return Ok(vec![text.to_owned()]);
    };
    let values: Vec<String> = inner
        .split(',')
        .map(|value| value.trim().trim_matches('"').to_owned())
        .filter(|value| !value.is_empty())
        .collect();
    if values.is_empty() {
        return Err("a list needs at least one value".to_owned());
    }
    Ok(values)
}

/// A text with wildcards: `*` stands for anything, `\*` for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// What stands between the wildcards; one part means that there are none.
    pub parts: Vec<String>,
}

impl Pattern {
    pub fn parse(text: &str) -> Self {
        let mut parts = vec![String::new()];
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '\\' if letters.peek() == Some(&'*') => {
                    letters.next();
                    push(&mut parts, '*');
                }
                '*' => parts.push(String::new()),
                other => push(&mut parts, other),
            }
        }
        Self { parts }
    }

    /// The text, if there is no wildcard in it.
    pub fn exact(&self) -> Option<String> {
        match self.parts.as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        }
    }
}

fn push(parts: &mut [String], letter: char) {
    if let Some(last) = parts.last_mut() {
        last.push(letter);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_operators_and_suffixes() {
        assert_eq!(number("7"), Ok((Comparison::Is, 7)));
        assert_eq!(number(">=2k"), Ok((Comparison::AtLeast, 2_000)));
        assert_eq!(number("<1b"), Ok((Comparison::Less, 1_000_000_000)));
        for text in ["", ">", "k", "1.5", "x"] {
            assert!(number(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_are_relative_or_iso() {
        let day = 1_767_225_600_000; // 2026-01-01
        assert_eq!(time("-1h", day), Ok((Comparison::AtLeast, day - 3_600_000)));
        assert_eq!(
            time("+2w", day),
            Ok((Comparison::AtMost, day - 14 * DAY_MS))
        );
        assert_eq!(
            time(">=2026-01-01T00:00:00", 0),
            Ok((Comparison::AtLeast, day))
        );
        assert_eq!(
            time("<2026-01-01T00:00:00.123456789Z", 0),
            Ok((Comparison::Less, day + 123))
        );
        assert_eq!(
            time(">2026-01-01", 0),
            Ok((Comparison::More, day + DAY_MS - 1))
        );
        assert_eq!(time("<2026-01-01", 0), Ok((Comparison::Less, day)));
        for text in ["24h", "-24", "-x", ">yesterday", "", ">2026-13-01"] {
            assert!(time(text, 0).is_err(), "{text}");
        }
    }

    #[test]
    fn wildcards_part_a_text() {
        assert_eq!(Pattern::parse("a*b").parts, ["a", "b"]);
        assert_eq!(Pattern::parse(r"a\*b").exact().as_deref(), Some("a*b"));
        assert_eq!(
            list(r#"[a, "b c",d]"#),
            Ok(vec!["a".to_owned(), "b c".to_owned(), "d".to_owned()])
        );
        assert!(list("[ ]").is_err());
    }
}
