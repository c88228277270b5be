//! Words: runs of letters and digits, which may be ids, start dates and addresses, or stay.
//! In: a text and where a word starts. Out: what to keep or to replace.

use super::super::token;
use super::lexer::Step;
use super::text::{Text, is_token_byte};
use super::{Replacement, address, code, date, host, ip, minified, number, path, sql};

/// A run of letters and digits.
pub(super) struct Word {
    pub start: usize,
    pub end: usize,
    digits: usize,
    /// Capitals that are not at the start.
    inner_capitals: usize,
    /// The byte behind it.
    next: u8,
}

impl Word {
    pub fn read(text: &Text<'_>, start: usize) -> Self {
        let (mut digits, mut inner_capitals) = (0, 0);
        let mut end = start;
        let next = loop {
            match text.byte(end) {
                b'0'..=b'9' => digits += 1,
                b'A'..=b'Z' => inner_capitals += usize::from(end > start),
                b'a'..=b'z' => {}
                other => break other,
            }
            end += 1;
        };
        Self {
            start,
            end,
            digits,
            inner_capitals,
            next,
        }
    }

    pub fn may_start_statement(&self, text: &Text<'_>) -> bool {
        matches!(self.next, b' ' | b'\n') && sql::may_be_verb(&text.bytes[self.start..self.end])
    }

    fn len(&self) -> usize {
        self.end - self.start
    }

    /// Letters without a joint to anything, which are no start of a date. Most words are such.
    fn is_plain(&self, text: &Text<'_>) -> bool {
        self.digits + self.inner_capitals == 0
            && matches!(
                self.next,
                0 | b' ' | b',' | b';' | b'\n' | b')' | b'\'' | b'"'
            )
            && (!text.has_digit || text.byte(self.start).is_ascii_lowercase())
    }
}

/// Reads the word; `follows_value` tells that one sign alone stands between it and something that was replaced.
pub(super) fn read(text: &Text<'_>, word: &Word, follows_value: bool) -> Step {
    // What follows a value may be a part of it.
    if word.is_plain(text) && !follows_value {
        return plain(text, word);
    }
    if let Some(step) = whole(text, word) {
        return step;
    }
    if let Some(random) = part(text, word, follows_value) {
        return Step::Replace(random);
    }
    plain(text, word)
}

/// Reads the word for the skeleton: paths and whole tokens with a digit go.
pub(super) fn skeleton(text: &Text<'_>, word: &Word) -> Step {
    if word.is_plain(text) {
        return plain(text, word);
    }
    let at = word.start;
    let elsewhere = address(text, word).or_else(|| path::any(text, at));
    if let Some(found) = elsewhere {
        return Step::Replace(found);
    }
    let date = text.has_digit.then(|| named(text, word)).flatten();
    let random = || random_token(text, at).or_else(|| part(text, word, false));
    if let Some(end) = date.or_else(|| random().map(|random| random.end)) {
        return Step::Replace(Replacement::value(at, end));
    }
    let end = if text.starts_token(at) {
        text.token_end(at)
    } else {
        word.end
    };
    if !text.bytes[at..end].iter().any(u8::is_ascii_digit) {
        return plain(text, word);
    }
    let number = text.is_digit(at).then(|| number::end(text, at)).flatten();
    Step::Replace(Replacement::value(at, number.unwrap_or(end).max(end)))
}

/// What reaches beyond the word: addresses, numbers, dates and tokens of several words.
fn whole(text: &Text<'_>, word: &Word) -> Option<Step> {
    let at = word.start;
    if let Some(address) = address(text, word) {
        return Some(Step::Replace(address));
    }
    if let Some(path) = path::with_drive(text, at) {
        return Some(Step::Replace(path));
    }
    if word.digits > 0
        && let Some(end) = date::duration(text, at)
    {
        return Some(Step::Replace(Replacement::value(at, end)));
    }
    let is_number = text.is_digit(at);
    let kept = if is_number {
        code::number(text, at)
    } else if text.has_digit {
        code::word(text, at)
    } else {
        None
    };
    if let Some(end) = kept {
        return Some(Step::Keep(end));
    }
    if let Some(random) = random_token(text, at) {
        return Some(Step::Replace(random));
    }
    let end = if is_number {
        number::end(text, at)
    } else if text.has_digit {
        named(text, word)
    } else {
        None
    };
    if let Some(end) = end {
        return Some(Step::Replace(Replacement::value(at, end)));
    }
    version(text, word).map(Step::Replace)
}

/// Dates that start with a name.
fn named(text: &Text<'_>, word: &Word) -> Option<usize> {
    let is_capitalised = text.byte(word.start).is_ascii_uppercase() && word.digits == 0;
    if is_capitalised && matches!(word.len(), 3..=9) {
        return date::name_first(text, word.start);
    }
    (word.next == b'.').then(|| date::python(text, word.start))?
}

/// Addresses of all kinds.
fn address(text: &Text<'_>, word: &Word) -> Option<Replacement> {
    let at = word.start;
    if text.has_at_sign {
        match address::at_sign(text, at) {
            Some(address::At::Mail(end)) => {
                return Some(Replacement::address(at, end));
            }
            Some(address::At::Identity(start, end)) => {
                return Some(Replacement::value(start, end));
            }
            None => {}
        }
    }
    let mut end = None;
    if word.next == b':' {
        end = address::end(text, at, word.end).or_else(|| ip::end(text, at));
        if text.slice(at, word.end) == "localhost" {
            end = end.or_else(|| ip::port(text, word.end));
        }
    }
    if end.is_none() && word.len() <= 3 && matches!(word.next, b'.' | b'-') {
        end = ip::end(text, at);
    }
    if end.is_none() && matches!(word.next, b'.' | b'-') {
        end = host::end(text, at);
    }
    end.map(|end| Replacement::address(at, end))
}

/// A token that is an id as a whole, behind the words that say of what.
fn random_token(text: &Text<'_>, at: usize) -> Option<Replacement> {
    let uuid = text.slice(at, at + 36);
    if token::is_uuid(uuid) && !is_token_byte(text.byte(at + 36)) {
        return Some(Replacement::value(at, at + 36));
    }
    if !text.starts_token(at) {
        return None;
    }
    if text.starts_with(at, "eyJ")
        && let Some(end) = web_token(text, at)
    {
        return Some(Replacement::value(at, end));
    }
    let end = text.token_end(at);
    let start = at + token::prefix_words(&text.bytes[at..end]);
    if let Some(end) = base64(text, start, end) {
        return Some(Replacement::value(start, end));
    }
    let is_joined = text.bytes[start..end]
        .iter()
        .any(|byte| !byte.is_ascii_alphanumeric());
    (is_joined && token::is_random_whole(text.slice(start, end)))
        .then(|| Replacement::value(start, end))
}

/// A JSON web token: three parts with points between, of which the first starts with `{"` in base 64.
fn web_token(text: &Text<'_>, at: usize) -> Option<usize> {
    const SHORTEST: usize = 16;
    let mut end = text.run(at, is_token_byte);
    for _ in 0..2 {
        if text.byte(end) == b'.' && is_token_byte(text.byte(end + 1)) {
            end = text.run(end + 1, is_token_byte);
        }
    }
    (end - at >= SHORTEST).then_some(end)
}

/// Base 64 with its own signs `+`, `/` and `=`, without which it is a token like others.
fn base64(text: &Text<'_>, at: usize, token_end: usize) -> Option<usize> {
    const SHORTEST: usize = 16;
    if !matches!(text.byte(token_end), b'+' | b'/' | b'=') || matches!(text.before(at), b'/' | b'+')
    {
        return None;
    }
    let end = text.run(token_end, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
    });
    let padded = text.short_run(end, 2, |byte| byte == b'=');
    let run = &text.bytes[at..end];
    let has_signs = padded > end || run.contains(&b'+');
    let has = |is: fn(&u8) -> bool| run.iter().any(is);
    let is_long_enough = run.len() >= SHORTEST
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && text.ends_word(padded);
    if !has_signs || !is_long_enough {
        return None;
    }
    let is_random = padded > end && (padded - at).is_multiple_of(4)
        || run
            .split(|byte| matches!(byte, b'+' | b'/'))
            .filter_map(|part| std::str::from_utf8(part).ok())
            .any(token::is_random);
    is_random.then_some(padded)
}

/// `1.2` of `v1.2`; `v2` alone names a version of an interface and stays.
fn version(text: &Text<'_>, word: &Word) -> Option<Replacement> {
    let marks = text.byte(word.start) | 0x20 == b'v' && word.digits + 1 == word.len();
    let goes_on = word.next == b'.' && text.is_digit(word.end + 1);
    if !(marks && goes_on && word.digits > 0) {
        return None;
    }
    number::end(text, word.start + 1).map(|end| Replacement::value(word.start + 1, end))
}

/// The word alone, where it is an id or ends with one.
fn part(text: &Text<'_>, word: &Word, follows_value: bool) -> Option<Replacement> {
    const LONGEST_NUMBER: usize = 4;
    if word.digits == 0 && word.inner_capitals == 0 && word.len() < 8 && !follows_value {
        return None;
    }
    let slice = text.slice(word.start, word.end);
    if token::is_random(slice) || follows_value && is_id_part(text, word) {
        return Some(Replacement::value(word.start, word.end));
    }
    let letters = text.run(word.start, |byte| byte.is_ascii_alphabetic());
    let digits = word.end - letters;
    let counts = letters > word.start && digits > LONGEST_NUMBER && digits == word.digits;
    counts.then(|| Replacement::value(letters, word.end))
}

/// A short part that is joined to an id: hexadecimal, or of the letters and digits that Kubernetes names pods with.
fn is_id_part(text: &Text<'_>, word: &Word) -> bool {
    if !matches!(text.before(word.start), b'-' | b'_') {
        return false;
    }
    let part = &text.bytes[word.start..word.end];
    let is_pod = part.len() == 5
        && part
            .iter()
            .all(|byte| b"bcdfghjklmnpqrstvwxz2456789".contains(byte));
    let is_hex = part.len() >= 4 && word.digits > 0 && part.iter().all(u8::is_ascii_hexdigit);
    is_pod || is_hex
}

/// What even a word of letters alone may be.
fn plain(text: &Text<'_>, word: &Word) -> Step {
    let at = word.start;
    let is_letters = word.digits == 0 && word.inner_capitals <= 1;
    if is_letters
        && word.len() <= 2
        && may_be_minified(text, word)
        && let Some(end) = minified::end(text, at, word.end)
    {
        return Step::Replace(Replacement::name(at, end));
    }
    if word.len() == 9 && text.slice(at, word.end) == "localhost" && is_alone(text, word) {
        return Step::Replace(Replacement::address(at, word.end));
    }
    if word.len() >= 8 && token::is_hex_id(text.slice(at, word.end)) {
        return Step::Replace(Replacement::value(at, word.end));
    }
    if let Some(end) = bad_token(text, word) {
        return Step::Replace(Replacement::value(at, end));
    }
    Step::Keep(word.end)
}

fn may_be_minified(text: &Text<'_>, word: &Word) -> bool {
    match word.next {
        b'.' | b'(' | b')' => true,
        b' ' => text.starts_with(word.end, " is "),
        _ => text.ends_with(word.start, ": ") || text.before(word.start) == b'\'',
    }
}

fn is_alone(text: &Text<'_>, word: &Word) -> bool {
    !is_token_byte(text.before(word.start)) && !is_token_byte(word.next)
}

/// `o` of `Unexpected token o in JSON at position 1`.
fn bad_token(text: &Text<'_>, word: &Word) -> Option<usize> {
    let is_one = word.len() == 1 && text.ends_with(word.start, "token ");
    (is_one && text.starts_with(word.end, " in JSON")).then_some(word.end)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_apart, assert_kept, assert_same};

    #[test]
    fn ids_of_any_kind_are_one_value() {
        assert_same(&[
            (
                &[
                    "user 12345678 is gone",
                    "user 9ec79c33-ec99-42ab-8353-589fcb2e04dc is gone",
                    "user 12345678-1234-1234-1234-123456789012 is gone",
                    "user 3c59dc048e8850243be8079a5c74d079 is gone",
                    "user 068265df349ec7e843c2636b44bfab7c2a48c95e is gone",
                    "user 507f1f77bcf86cd799439011 is gone",
                    "user deadbeef is gone",
                    "user 01ARZ3NDEKTSV4RRFFQ69G5FAV is gone",
                    "user k9Mtd2gDcgG is gone",
                    "user V1StGXR8_Z5jdHi6B-myT is gone",
                    "user DkTuXzQq is gone",
                    "user eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.TJVA95OrM7E2c is gone",
                    "user ZGV2ZWxvcGVyMTIz== is gone",
                    "user Zm9vL2Jhcis+Zm9vMTIz is gone",
                    "user 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 is gone",
                    "user 1-5759e988-bd862e3fe1be46a994272793 is gone",
                    "user [creditcard] is gone",
                    "user [iban] is gone",
                    "user [us-ssn] is gone",
                    "user [bearer] is gone",
                    "user [Filtered] is gone",
                    "user 4111111111111112 is gone",
                ],
                "user <value> is gone",
            ),
            (
                &[
                    "{9ec79c33-ec99-42ab-8353-589fcb2e04dc} lost",
                    "{12345678-1234-1234-1234-123456789012} lost",
                ],
                "{<value>} lost",
            ),
        ]);
    }

    #[test]
    fn words_in_front_of_an_id_stay() {
        assert_same(&[
            (
                &[
                    "inv_1MtHbELkdIwHu7ixl4OzzPMv unpaid",
                    "inv_1NAbcXKkdIwHu7ix9QrZzPMw unpaid",
                ],
                "inv_<value> unpaid",
            ),
            (
                &[
                    "sk_live_4eC39HqLyjWDarjtT1zdp7dc used",
                    "sk_live_9bF28KxMwkQRtyUiP3asd6fg used",
                ],
                "sk_live_<value> used",
            ),
            (
                &["req_8a7sd6f8a7 failed", "req_9b8f7e6d5c failed"],
                "req_<value> failed",
            ),
            (
                &[
                    "req-9ec79c33-ec99-42ab-8353-589fcb2e04dc x",
                    "req-19c79c33-ec99-42ab-8353-589fcb2e04dc x",
                ],
                "req-<value> x",
            ),
            (
                &[
                    "user_uploads_avatar_550e8400-e29b-41d4-a716-446655440000.png",
                    "user_uploads_avatar_650e8400-e29b-41d4-a716-446655440000.png",
                ],
                "user_uploads_avatar_<value>.png",
            ),
            (
                &["index-DkT3xZ9q.js", "index-Bz8kQ2Wl.js"],
                "index-<value>.js",
            ),
            (
                &["SKU123456 sold out", "SKU998877 sold out"],
                "SKU<value> sold out",
            ),
            (
                &["COVID-19 and F-16", "COVID-20 and F-35"],
                "COVID-<value> and F-<value>",
            ),
        ]);
        assert_apart(&[(
            "inv_1MtHbELkdIwHu7ixl4OzzPMv",
            "cus_1MtHbELkdIwHu7ixl4OzzPMv",
        )]);
    }

    #[test]
    fn short_parts_joined_to_an_id_go_with_it() {
        assert_same(&[
            (
                &[
                    "pod web-7d4b9c6f5d-x2x7k down",
                    "pod web-66b6c48dd5-xzkqp down",
                ],
                "pod web-<value>-<value> down",
            ),
            (
                &["report_2026-11-21_8f3a.csv", "report_2026-11-22_b41c.csv"],
                "report_<value>_<value>.csv",
            ),
        ]);
    }

    #[test]
    fn words_stay() {
        assert_kept(&[
            "plain",
            "a face in a cafe",
            "getURLForJSON of XMLHttpRequest",
            "my-very-long-name of TLS_AES_GCM",
            "IllegalArgumentException in OrderService",
            "k8s-prod-eu1 is down",
            "Donaudampfschifffahrtsgesellschaft",
            "it's broken, isn't it?",
        ]);
        assert_apart(&[
            ("utf8 is bad", "utf8mb4 is bad"),
            ("v1beta1", "v1beta2"),
            ("abc1 x", "def2 x"),
        ]);
    }
}
