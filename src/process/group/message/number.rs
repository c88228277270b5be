//! Numbers with all that belongs to them: sign, currency, separators, exponent, unit, and chains of numbers such as
//! versions, ranges, ratios, dates and times.
//! In: a text and where a number may start. Out: where it ends, or nothing if it is part of a word such as `12A`.

use super::text::{Text, is_one_of};
use super::{date, unit};

/// What a version may end with, before a number.
const STAGES: [&str; 16] = [
    "alpha", "beta", "rc", "dev", "snapshot", "preview", "pre", "post", "canary", "next", "final",
    "release", "nightly", "a", "b", "ga",
];

/// Reads from a sign, a currency, a point or a digit on.
pub(super) fn end(text: &Text<'_>, at: usize) -> Option<usize> {
    let start = digits_start(text, at)?;
    if let Some(end) = hexadecimal(text, start) {
        return Some(end);
    }
    if let Some(end) = date::day_first(text, start) {
        return Some(end);
    }
    let chain = Chain::read(text, start)?;
    if chain.is_moment() {
        return Some(with_unit(text, date::after_clock(text, chain.end)));
    }
    if chain.is_date()
        && let Some(clock) = date::clock_after(text, chain.end)
    {
        return Some(date::after_clock(text, clock));
    }
    Some(with_unit(text, chain.end))
}

/// Whether a number may start with the byte, if with no digit: a sign, a point or the first byte of `€`, `£` and `¥`.
pub(super) fn may_start(byte: u8) -> bool {
    matches!(byte, b'-' | b'+' | b'$' | b'.' | 0xe2 | 0xc2)
}

/// The first digit, behind what may stand before it.
fn digits_start(text: &Text<'_>, at: usize) -> Option<usize> {
    let mut at = at;
    if matches!(text.byte(at), b'+' | b'-') {
        at += 1;
    }
    at += currency(text, at);
    if text.byte(at) == b'.' {
        at += 1;
    }
    text.is_digit(at).then_some(at)
}

fn currency(text: &Text<'_>, at: usize) -> usize {
    ["$", "€", "£", "¥"]
        .into_iter()
        .find(|sign| text.starts_with(at, sign))
        .map_or(0, str::len)
}

fn hexadecimal(text: &Text<'_>, at: usize) -> Option<usize> {
    if !(text.byte(at) == b'0' && matches!(text.byte(at + 1), b'x' | b'X')) {
        return None;
    }
    let end = text.run(at + 2, |byte| byte.is_ascii_hexdigit());
    (end > at + 2 && text.ends_word(end)).then_some(end)
}

/// Numbers joined by `.`, `:`, `/`, `-`, and by `x` or `T` as in `1920x1080` and `20261121T100000`.
struct Chain {
    end: usize,
    points: usize,
    colons: usize,
    /// `-` and `/`.
    dashes: usize,
    has_time_mark: bool,
}

impl Chain {
    /// The longest chain that ends where a word may end.
    fn read(text: &Text<'_>, at: usize) -> Option<Self> {
        let mut chain = Self {
            end: 0,
            points: 0,
            colons: 0,
            dashes: 0,
            has_time_mark: false,
        };
        let mut end = amount(text, at);
        loop {
            if let Some(finish) = chain.finish(text, end) {
                chain.end = finish;
            }
            if !text.is_digit(end + 1) {
                break;
            }
            match text.byte(end) {
                b'.' => chain.points += 1,
                b':' => chain.colons += 1,
                b'-' | b'/' => chain.dashes += 1,
                b'T' => chain.has_time_mark = true,
                b'x' => {}
                _ => break,
            }
            end = amount(text, end + 1);
        }
        (chain.end > 0).then_some(chain)
    }

    /// Where the number is whole if it ends here, with what is glued to it.
    fn finish(&self, text: &Text<'_>, end: usize) -> Option<usize> {
        if self.points > 0
            && let Some(end) = stage(text, end)
        {
            return Some(end);
        }
        let is_zulu = text.byte(end) == b'Z' && self.is_moment();
        let is_whole = text.ends_word(end) || is_zulu && date::zone(text, end).is_some();
        glued_units(text, end).or(is_whole.then_some(end))
    }

    /// A time of day, perhaps with a date before.
    fn is_moment(&self) -> bool {
        self.colons > 0 || self.has_time_mark
    }

    fn is_date(&self) -> bool {
        self.dashes == 2 || self.points == 2
    }
}

/// Digits, in groups of three perhaps, with an exponent perhaps.
fn amount(text: &Text<'_>, at: usize) -> usize {
    let digits = |from| text.run(from, |byte| byte.is_ascii_digit());
    let mut end = digits(at);
    if end - at <= 3 {
        while matches!(text.byte(end), b',' | b'\'') && is_group(text, end + 1) {
            end += 4;
        }
    }
    if matches!(text.byte(end), b'e' | b'E') {
        let signed = usize::from(matches!(text.byte(end + 1), b'+' | b'-'));
        let exponent = digits(end + 1 + signed);
        if exponent > end + 1 + signed && text.ends_word(exponent) {
            end = exponent;
        }
    }
    end
}

/// Three digits and no more.
fn is_group(text: &Text<'_>, at: usize) -> bool {
    (at..at + 3).all(|at| text.is_digit(at)) && !text.is_digit(at + 3)
}

/// `5ms`, `1h2m3s`.
fn glued_units(text: &Text<'_>, at: usize) -> Option<usize> {
    if text.byte(at) == b'%' {
        return unit::glued(text, at);
    }
    let mut at = at;
    loop {
        let end = text.run(at, |byte| byte.is_ascii_alphabetic() || byte >= 0x80);
        if !text.is_digit(end) {
            return unit::glued(text, at);
        }
        // A unit between digits: `m` of `1h2m3s`.
        if end == at || !matches!(text.slice(at, end), "d" | "h" | "m" | "s" | "ms" | "w") {
            return None;
        }
        at = text.run(end, |byte| byte.is_ascii_digit() || byte == b'.');
        if at == end || text.ends_word(at) && text.byte(at) < 0x80 {
            return None;
        }
    }
}

/// Units after a blank, more numbers with units as in `2 minutes 30 seconds`, and what they are counted by.
fn with_unit(text: &Text<'_>, at: usize) -> usize {
    let mut end = unit::after_blank(text, at).unwrap_or(at);
    let has_unit = |end: usize| text.before(end).is_ascii_alphabetic();
    while has_unit(end) && text.byte(end) == b' ' && text.is_digit(end + 1) {
        let digits = text.run(end + 1, |byte| byte.is_ascii_digit() || byte == b'.');
        let next = unit::glued(text, digits).or_else(|| unit::after_blank(text, digits));
        let Some(next) = next else { break };
        end = next;
    }
    unit::rate(text, end).unwrap_or(end)
}

/// `-beta.2` of `1.3.0-beta.2`, `rc1` of `3.12.0rc1`.
fn stage(text: &Text<'_>, at: usize) -> Option<usize> {
    let start = at + usize::from(matches!(text.byte(at), b'-' | b'+' | b'.' | b'_'));
    let word = text.short_run(start, 9, |byte| byte.is_ascii_alphabetic());
    if !is_one_of(text.slice(start, word), &STAGES) {
        return None;
    }
    let mut end = text.run(word, |byte| byte.is_ascii_digit() || byte == b'.');
    if end > word && text.before(end) == b'.' {
        end -= 1;
    }
    text.ends_word(end).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_apart, assert_kept, assert_same};

    #[test]
    fn numbers_are_one_value_with_all_that_belongs_to_them() {
        assert_same(&[
            (
                &["took -23 tries", "took 17 tries", "took +7 tries"],
                "took <value> tries",
            ),
            (
                &["ratio -1.5", "ratio 1.5", "ratio .5", "ratio 2"],
                "ratio <value>",
            ),
            (
                &[
                    "12345678 rows",
                    "1234567 rows",
                    "4,150,908 rows",
                    "17 rows",
                    "1'000 rows",
                ],
                "<value> rows",
            ),
            (
                &[
                    "error rate 1e-5",
                    "error rate 0.2",
                    "error rate 2E+10",
                    "error rate 50%",
                ],
                "error rate <value>",
            ),
            (
                &[
                    "paid $7 twice",
                    "paid $12.50 twice",
                    "paid -€3 twice",
                    "paid £1,200 twice",
                    "paid 5 € twice",
                    "paid 12.50 EUR twice",
                ],
                "paid <value> twice",
            ),
            (
                &["at 0x7f0caac74307", "at 0x10", "at 140737488355327"],
                "at <value>",
            ),
            (
                &["size 1920x1080", "size 800x600", "size 10x20x24"],
                "size <value>",
            ),
            (
                &["2nd try of 3", "3rd try of 5", "11th try of 12"],
                "<value> try of <value>",
            ),
            (
                &["main.go:42: stop", "main.go:7:13: stop"],
                "main.go:<value>: stop",
            ),
            (&["range 5-10", "range 1-200", "range 1/3"], "range <value>"),
            (&["#17 failed", "#4 failed"], "#<value> failed"),
            (
                &["Größe 7 ungültig", "Größe 12,5 ungültig"],
                "Größe <value> ungültig",
            ),
        ]);
    }

    #[test]
    fn boundaries_are_all_but_letters_and_digits() {
        assert_same(&[
            (&["user_42 gone", "user_7 gone"], "user_<value> gone"),
            (
                &["maisey-908 gone", "maisey-17 gone"],
                "maisey-<value> gone",
            ),
            (&["id=5&n=17", "id=12&n=3"], "id=<value>&n=<value>"),
            (
                &["IMG_20261121_1000.jpg", "IMG_20251231_2359.jpg"],
                "IMG_<value>_<value>.jpg",
            ),
            (&["item5,item", "item5,item"], "item5,item"),
            (&["f(3) of (4)", "f(17) of (5)"], "f(<value>) of (<value>)"),
        ]);
    }

    #[test]
    fn a_candidate_that_is_refused_is_read_by_the_next_rule() {
        assert_same(&[
            (&["at 12:31:99", "at 12:31:59", "at 12:31"], "at <value>"),
            (&["ip 1.2.3.999", "ip 300.1.1.1"], "ip <value>"),
            (&["on Feb 3x7", "on Feb 3x8"], "on Feb <value>"),
        ]);
    }

    #[test]
    fn units_belong_to_the_number() {
        assert_same(&[
            (
                &[
                    "after 30000ms",
                    "after 30s",
                    "after 30 seconds",
                    "after 1m30s",
                    "after 1h2m3s",
                    "after 5 µs",
                    "after 00:00:12.3",
                    "after 2 minutes",
                    "after 2 minutes 30 seconds",
                    "after 1.5 h",
                    "after 3",
                ],
                "after <value>",
            ),
            (
                &[
                    "read 12 MB more",
                    "read 900KB more",
                    "read 3 bytes more",
                    "read 5 GiB more",
                    "read 7B more",
                    "read 10 MB/s more",
                    "read 4K more",
                ],
                "read <value> more",
            ),
            (&["5 req", "12 req"], "<value> req"),
            (&["at 2.4GHz", "at 800 MHz"], "at <value>"),
        ]);
        // Other words stay.
        assert_apart(&[
            ("5 rows", "5 files"),
            ("3 sets", "3 seats"),
            ("5 s-bahn", "5 u-bahn"),
        ]);
    }

    #[test]
    fn versions_are_one_value() {
        assert_same(&[
            (
                &[
                    "needs 1.2.3 or newer",
                    "needs 1.3.0-beta.2 or newer",
                    "needs 3.12.0rc1 or newer",
                    "needs 10.0.19041.1 or newer",
                    "needs 2.0.0-SNAPSHOT or newer",
                ],
                "needs <value> or newer",
            ),
            (&["got v1.2.3.", "got v2.0."], "got v<value>."),
            (
                &["lodash@4.17.21 is missing", "lodash@5.0.0 is missing"],
                "lodash@<value> is missing",
            ),
            (
                &["Chrome/120.0.0.0 on", "Chrome/119.0.6045.105 on"],
                "Chrome/<value> on",
            ),
        ]);
        assert_apart(&[("api v1 is gone", "api v2 is gone")]);
    }

    #[test]
    fn parts_of_words_stay() {
        assert_kept(&[
            "seat 12A and 3F",
            "abc1 and def2",
            "utf8mb4 x86_64 base64 h264 md5 ec2 s3 oauth2 ipv4 i18n",
            "v1beta1 of apps",
            "2FA and 3D",
            "4xx and 5xx",
        ]);
    }
}
