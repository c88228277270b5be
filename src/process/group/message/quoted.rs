//! Quoted texts: values go, names stay, and messages in quotes are read like the text around them.
//! In: a text and the place of a quote. Out: where the quoted text ends and what to do with it.

use super::super::token;
use super::announce::{self, Announced};
use super::host;
use super::text::Text;

/// Longer texts are no names.
const LONGEST_NAME: usize = 120;

/// What a quote turns out to be.
#[derive(Debug, PartialEq)]
pub(super) enum Quoted {
    /// All up to there, with both quotes, varies.
    Value(usize),
    /// What follows is read like any text, up to the closing quote there.
    Open(usize),
    /// No quote, or none that is closed.
    Sign,
}

/// The closing quotes found last, one for each kind. As one is valid for all places before it, the text is searched once.
#[derive(Default)]
pub(super) struct Quotes {
    next: [Option<usize>; 3],
    /// Where quotes that were left open close, which so do not open others.
    open: [usize; 3],
}

impl Quotes {
    pub fn read(&mut self, text: &Text<'_>, at: usize, is_sql: bool) -> Quoted {
        let quote = text.byte(at);
        let kind = kind(quote);
        if self.open[kind] == at && at > 0 || !opens(text, at) {
            return Quoted::Sign;
        }
        if let Some(close) = old_style_end(text, at) {
            self.open[0] = close;
            return Quoted::Open(close);
        }
        let Some(close) = self.close(text, at, kind) else {
            return Quoted::Sign;
        };
        if varies(text, at, close, is_sql) {
            let doubled = is_sql && text.byte(close + 1) == quote;
            return Quoted::Value(if doubled {
                sql_end(text, close, quote)
            } else {
                excerpt_end(text, at, close + 1)
            });
        }
        self.open[kind] = close;
        Quoted::Open(close)
    }

    /// The closing quote after an opening one, on the same line.
    fn close(&mut self, text: &Text<'_>, at: usize, kind: usize) -> Option<usize> {
        let known = self.next[kind].filter(|&next| next > at);
        let next = known.unwrap_or_else(|| {
            let quote = text.byte(at);
            let mut end = at + 1;
            while end < text.bytes.len() && !closes(text, end, quote) {
                end += 1;
            }
            end
        });
        self.next[kind] = Some(next);
        (next < text.bytes.len() && text.byte(next) != b'\n').then_some(next)
    }
}

fn kind(quote: u8) -> usize {
    match quote {
        b'\'' => 0,
        b'"' => 1,
        _ => 2,
    }
}

/// Ruby and GNU programs used to quote a name with a backtick in front and an apostrophe behind.
fn old_style_end(text: &Text<'_>, at: usize) -> Option<usize> {
    const LONGEST: usize = 64;
    if text.byte(at) != b'`' {
        return None;
    }
    let end = text.short_run(at + 1, LONGEST, |byte| {
        !matches!(byte, b'`' | b'\'' | b' ' | b'\n')
    });
    (text.byte(end) == b'\'' && end > at + 1).then_some(end)
}

/// Not behind a word, where it is an apostrophe, but behind the letter that marks bytes or raw text.
fn opens(text: &Text<'_>, at: usize) -> bool {
    text.starts_word(at) && text.before(at) != b'\\'
        || at > 0
            && matches!(text.before(at), b'b' | b'u' | b'r' | b'f' | b'B')
            && text.starts_word(at - 1)
}

/// A quote that is not escaped and, as an apostrophe would, has no word behind it; or the end of the line.
fn closes(text: &Text<'_>, at: usize, quote: u8) -> bool {
    match text.byte(at) {
        b'\n' => true,
        byte if byte == quote => {
            (quote == b'"' || text.ends_word(at + 1)) && text.before(at) != b'\\'
        }
        _ => false,
    }
}

/// The end of a literal of SQL, in which a quote is written twice.
fn sql_end(text: &Text<'_>, close: usize, quote: u8) -> usize {
    let mut end = close + 1;
    while text.byte(end) == quote {
        end = 1 + text.run(end + 1, |byte| byte != quote && byte != b'\n');
    }
    end.min(text.bytes.len())
}

/// Engines show what they could not parse in excerpts, with quotes of its own and dots where it was cut:
/// `token 'x', ..."a": x"... is not valid JSON`.
fn excerpt_end(text: &Text<'_>, at: usize, end: usize) -> usize {
    const LONGEST: usize = 96;
    const BEHIND: &str = " is not valid JSON";
    let is_sign = text.ends_with(at, "token ") && text.byte(end) == b',';
    if !is_sign && !text.starts_with(end, "...") {
        return end;
    }
    let last = text.bytes.len().min(end + LONGEST);
    (end..last)
        .find(|&at| text.starts_with(at, BEHIND))
        .unwrap_or(end)
}

fn is_host(text: &Text<'_>, at: usize, close: usize) -> bool {
    text.slice(at + 1, close) == "localhost" || host::end(text, at + 1) == Some(close)
}

fn varies(text: &Text<'_>, at: usize, close: usize, is_sql: bool) -> bool {
    let inner = text.slice(at + 1, close);
    if is_sql && text.byte(at) == b'\'' {
        return true;
    }
    match announce::before(text, at) {
        Announced::Value => true,
        Announced::Name | Announced::Message => false,
        // The sign that a parser did not expect.
        Announced::Nothing if inner.len() == 1 && text.ends_with(at, "token ") => true,
        Announced::Nothing => match announce::behind(text, close + 1) {
            Announced::Value => true,
            Announced::Name => false,
            // What stands in backticks is code.
            _ if text.byte(at) == b'`' => false,
            _ if is_sign(inner) => false,
            _ => is_host(text, at, close) || !is_name(inner) && !is_absolute_path(inner),
        },
    }
}

/// What a parser missed or met, as in `Expecting ',' delimiter`.
fn is_sign(text: &str) -> bool {
    matches!(text.len(), 1..=3) && text.bytes().all(|byte| byte.is_ascii_punctuation())
}

/// What people call things in programs, without digits; and the names of standards.
fn is_name(text: &str) -> bool {
    let is_name_byte = |byte: u8| {
        byte.is_ascii_alphabetic()
            || matches!(
                byte,
                b'_' | b'$'
                    | b'.'
                    | b'-'
                    | b':'
                    | b'#'
                    | b'\\'
                    | b'('
                    | b')'
                    | b'['
                    | b']'
                    | b'%'
                    | b'{'
                    | b'}'
                    | b'<'
                    | b'>'
            )
    };
    let starts_well = text
        .starts_with(|first: char| first.is_ascii_alphabetic() || "_$:%{.#<-".contains(first))
        && text.bytes().any(|byte| byte.is_ascii_alphabetic());
    let is_short = text.len() <= LONGEST_NAME;
    is_short && starts_well && text.bytes().all(is_name_byte) || token::is_standard(text)
}

/// Paths are read by their own rules, whether quoted or not.
fn is_absolute_path(text: &str) -> bool {
    let bytes = text.as_bytes();
    let starts = match bytes {
        [b'/', next, ..] => next.is_ascii_alphanumeric() || matches!(next, b'.' | b'_'),
        [b'\\', b'\\', ..] => true,
        [drive, b':', b'\\' | b'/', ..] => drive.is_ascii_alphabetic(),
        _ => false,
    };
    starts && !text.contains(' ')
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_apart, assert_kept, assert_same};

    #[test]
    fn quoted_texts_that_are_no_names_are_values() {
        assert_same(&[
            (
                &[
                    "key 'x y' is bad",
                    "key '17' is bad",
                    "key 'a@b' is bad",
                    "key 'é' is bad",
                    "key '' is bad",
                    "key 'user_5' is bad",
                    "key 'a/b' is bad",
                ],
                "key <value> is bad",
            ),
            (
                &["KeyError: 'abc-123'", "KeyError: 42"],
                "KeyError: <value>",
            ),
            (
                &["got b'abc def' here", "got b'12' here"],
                "got b<value> here",
            ),
            (
                &[r#"got "a \" b" here"#, r#"got "c d" here"#],
                "got <value> here",
            ),
            (
                &[
                    "The file \u{201c}a.txt\u{201d} is gone",
                    "The file \u{201c}b c.txt\u{201d} is gone",
                ],
                "The file <value> is gone",
            ),
            (
                &[
                    "Unexpected token '<', \"<!DOCTYPE \"... is not valid JSON",
                    "Unexpected token 'h', \"hello\" is not valid JSON",
                    "Unexpected token 'x', ...\"\"a\": x\"... is not valid JSON",
                ],
                "Unexpected token <value> is not valid JSON",
            ),
            (
                &[
                    "Unexpected token o in JSON at position 1",
                    "Unexpected token u in JSON at position 0",
                ],
                "Unexpected token <value> in JSON at position <value>",
            ),
            (
                &["\"abc\" is not valid JSON", "\"x y\" is not valid JSON"],
                "<value> is not valid JSON",
            ),
        ]);
    }

    #[test]
    fn quoted_names_stay() {
        assert_kept(&[
            "'foo' is not defined",
            "missing 'price' and \"users.email\" and `Result::unwrap()`",
            "'utf-8' codec can't decode",
            "unknown charset 'utf8mb4' or 'latin1'",
            "'App\\Models\\User' is gone",
            "unsupported operand type(s) for +: 'int' and 'str'",
            "undefined method `name' for nil",
            "assertion `left == right` failed",
            "format '%Y' of '#<Object>'",
            "don't, can't and users' 'x'",
            "an 'open quote",
            "Expecting ',' delimiter or '}'",
            "unknown option '--dry-run'",
            "methods `a?' and `b!' are gone",
            "it's 'a",
            r#"body {\"name\":\"x\"}"#,
        ]);
        assert_apart(&[
            ("'foo' is not defined", "'bar' is not defined"),
            ("Expecting ',' delimiter", "Expecting ':' delimiter"),
            ("Unexpected token 'export'", "Unexpected token 'import'"),
            ("'utf-8' codec", "'utf-16' codec"),
            ("open '/etc/a.conf'", "open '/etc/b.conf'"),
        ]);
    }
}
