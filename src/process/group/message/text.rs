//! A text with what the rules ask of it: bytes around a place, runs of bytes, words before a place.
//! In: a text. Out: answers; no question goes outside the text, and those that look ahead or back tell how far.

/// How far words before a place are looked for.
const LOOK_BACK: usize = 24;

pub(super) struct Text<'t> {
    whole: &'t str,
    pub bytes: &'t [u8],
    /// Whether there is any `@` at all, so that rules need not look.
    pub has_at_sign: bool,
    pub has_digit: bool,
}

impl<'t> Text<'t> {
    pub fn new(text: &'t str) -> Self {
        let bytes = text.as_bytes();
        Self {
            whole: text,
            bytes,
            has_at_sign: bytes.contains(&b'@'),
            has_digit: bytes.iter().any(u8::is_ascii_digit),
        }
    }

    /// The byte at a place; NUL beyond the end.
    pub fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }

    /// The byte before a place; NUL before the start.
    pub fn before(&self, at: usize) -> u8 {
        at.checked_sub(1).map_or(0, |before| self.byte(before))
    }

    pub fn is_digit(&self, at: usize) -> bool {
        self.byte(at).is_ascii_digit()
    }

    /// No letter or digit stands before. `_` is none, so that `user_42` holds a number.
    pub fn starts_word(&self, at: usize) -> bool {
        !self.before(at).is_ascii_alphanumeric()
    }

    /// Nothing of the same token stands before.
    pub fn starts_token(&self, at: usize) -> bool {
        !is_token_byte(self.before(at))
    }

    pub fn ends_word(&self, at: usize) -> bool {
        !self.byte(at).is_ascii_alphanumeric()
    }

    /// Where a run of bytes of one kind ends.
    pub fn run(&self, at: usize, mut is: impl FnMut(u8) -> bool) -> usize {
        let rest = self.bytes.get(at..).unwrap_or_default();
        at + rest.iter().take_while(|&&byte| is(byte)).count()
    }

    /// The same, for runs that may turn out to be nothing and so must not be read to their end again and again.
    pub fn short_run(&self, at: usize, longest: usize, mut is: impl FnMut(u8) -> bool) -> usize {
        let end = self.bytes.len().min(at + longest);
        let rest = self.bytes.get(at..end).unwrap_or_default();
        at + rest.iter().take_while(|&&byte| is(byte)).count()
    }

    pub fn word_end(&self, at: usize) -> usize {
        self.run(at, |byte| byte.is_ascii_alphanumeric())
    }

    /// Where a token ends, without joints at its end.
    pub fn token_end(&self, at: usize) -> usize {
        let mut end = self.run(at, is_token_byte);
        while end > at && matches!(self.before(end), b'_' | b'-') {
            end -= 1;
        }
        end
    }

    /// A part of the text; empty where it would cut a character.
    pub fn slice(&self, start: usize, end: usize) -> &'t str {
        self.whole.get(start..end).unwrap_or_default()
    }

    pub fn starts_with(&self, at: usize, start: &str) -> bool {
        self.bytes
            .get(at..)
            .is_some_and(|rest| rest.starts_with(start.as_bytes()))
    }

    /// Whether a word of lower-case letters stands there in any case.
    pub fn starts_with_ignoring_case(&self, at: usize, start: &str) -> bool {
        self.bytes
            .get(at..at + start.len())
            .is_some_and(|here| here.eq_ignore_ascii_case(start.as_bytes()))
    }

    pub fn ends_with(&self, end: usize, ending: &str) -> bool {
        self.bytes
            .get(..end)
            .is_some_and(|here| here.ends_with(ending.as_bytes()))
    }

    /// Where blanks before a place begin, up to two.
    pub fn before_blanks(&self, at: usize) -> usize {
        match (self.before(at), self.before(at.saturating_sub(1))) {
            (b' ', b' ') => at - 2,
            (b' ', _) => at - 1,
            _ => at,
        }
    }

    /// The word of letters and `_` that ends at a place; empty if there is none, or only a very long one.
    pub fn word_before(&self, end: usize) -> &'t str {
        let mut start = end;
        while self.before(start).is_ascii_alphabetic() || self.before(start) == b'_' {
            start -= 1;
            if end - start > LOOK_BACK {
                return "";
            }
        }
        self.slice(start, end)
    }

    /// The end of a number below 100, as those of days and hours.
    pub fn one_or_two_digits(&self, at: usize) -> Option<usize> {
        let end = self.short_run(at, 3, |byte| byte.is_ascii_digit());
        matches!(end - at, 1..=2).then_some(end)
    }
}

pub(super) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// Whether a word is one of a list of words in lower case.
pub(super) fn is_one_of(word: &str, list: &[&str]) -> bool {
    list.iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// The words of a list written with blanks between them. A wrong number of them does not compile.
pub(super) const fn words<const N: usize>(list: &'static str) -> [&'static str; N] {
    let mut words = [""; N];
    let mut rest = list;
    let mut found = 0;
    while found < N {
        let mut end = 0;
        while end < rest.len() && rest.as_bytes()[end] != b' ' {
            end += 1;
        }
        let (word, after) = rest.split_at(end);
        words[found] = word;
        found += 1;
        rest = if found < N {
            after.split_at(1).1
        } else {
            after
        };
    }
    assert!(rest.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_outside_the_text_are_blank() {
        let text = Text::new("aé1");
        assert_eq!(text.before(0), 0);
        assert_eq!(text.byte(9), 0);
        assert_eq!(text.run(9, |_| true), 9);
        assert_eq!(text.slice(2, 4), "");
        assert!(!text.starts_with(9, "a"));
    }

    #[test]
    fn words_before_a_place_are_read() {
        let text = Text::new("exit code  5");
        let end = text.before_blanks(11);
        assert_eq!(text.word_before(end), "code");
        assert_eq!(text.word_before(0), "");
    }
}
