//! Numbers that name a kind of failure, and so are a part of it: `status 404`, `errno 111`, `exit code 137`, `E1001`.
//! In: a text and where a number or a word starts. Out: where what has to stay ends.

use super::super::token;
use super::text::{Text, is_one_of, words};

/// Words right before a code.
const CODE_WORDS: [&str; 21] = words(
    "status httpstatus errno err signal exit exited rc ret retval hr hresult ntstatus winerror sqlstate \
     sqlcode http oserror errornumber closecode exitstatus",
);

/// Words that end with `code` but announce something else.
const OTHER_CODES: [&str; 24] = words(
    "zip postal post promo coupon discount voucher product item order verification security country area \
     currency tracking access invite referral bar gift login customer source",
);

/// Words between a word for a code and the code.
const FILLERS: [&str; 5] = ["of", "is", "was", "with", "number"];

/// Between what was asked for and the status it answered with.
const ANSWERS: [&str; 13] = words(
    "returned responded answered replied returns responds answers replies got received failed fails rejected",
);

const HTTP_METHODS: [&str; 6] = ["GET ", "POST ", "PUT ", "PATCH ", "DELETE ", "HEAD "];

/// Longer numbers are ids.
const LONGEST: usize = 5;

/// A number in the place of a code, from its sign on. Hexadecimal ones are those of Windows.
pub(super) fn number(text: &Text<'_>, at: usize) -> Option<usize> {
    if let Some(end) = http_version(text, at) {
        return Some(end);
    }
    let end = code_end(text, at)?;
    let place = Place::before(text, at);
    (place.is_for_codes(text, end) || is_driver_code(text, at, end)).then_some(end)
}

/// The end of digits that may be a code.
fn code_end(text: &Text<'_>, at: usize) -> Option<usize> {
    let start = at + usize::from(matches!(text.byte(at), b'-' | b'+'));
    let is_windows = text.byte(start) == b'0' && matches!(text.byte(start + 1), b'x' | b'X');
    let end = if is_windows {
        text.short_run(start + 2, 9, |byte| byte.is_ascii_hexdigit())
    } else {
        text.short_run(start, 11, |byte| byte.is_ascii_digit())
    };
    let is_short = match end - start {
        length if is_windows => matches!(length, 3..=10),
        length => matches!(length, 1..=LONGEST) || is_windows_status(text.slice(at, end)),
    };
    let goes_on = matches!(text.byte(end), b'%' | b'_' | b'/')
        || matches!(text.byte(end), b'.' | b':' | b'-' | b',') && text.is_digit(end + 1);
    (is_short && text.ends_word(end) && !goes_on).then_some(end)
}

/// The codes of Windows with their highest bit set, written in decimals.
fn is_windows_status(digits: &str) -> bool {
    let number = digits.parse::<i64>().unwrap_or(0);
    let lowest = i64::from(i32::MIN);
    (lowest..lowest + 0x7000_0000).contains(&number) || (0x8000_0000..1 << 32).contains(&number)
}

/// What stands before a number.
struct Place<'t> {
    /// Between the word and the number.
    separator: &'t str,
    word: &'t str,
    /// The word before that one.
    previous: &'t str,
    start: usize,
}

impl<'t> Place<'t> {
    fn before(text: &Text<'t>, at: usize) -> Self {
        const LONGEST_SEPARATOR: usize = 5;
        let separated = separator_start(text, at, LONGEST_SEPARATOR);
        let mut end = separated;
        let mut word = text.word_before(end);
        if is_one_of(word, &FILLERS) {
            end = separator_start(text, end - word.len(), 2);
            word = text.word_before(end);
        }
        let start = end - word.len();
        let previous = text.word_before(separator_start(text, start, 1));
        Self {
            separator: text.slice(separated, at),
            word,
            previous,
            start,
        }
    }

    fn is_for_codes(&self, text: &Text<'_>, end: usize) -> bool {
        if self.separator.is_empty() {
            return false;
        }
        let word = self.word;
        if word.is_empty() {
            return follows_http_version(text, self.start) || follows_sqlstate(text, self.start);
        }
        if is_one_of(word, &CODE_WORDS) {
            return true;
        }
        if let Some(kind) = strip_ending(word, "code") {
            let kind = if kind.is_empty() { self.previous } else { kind };
            return !is_one_of(kind, &OTHER_CODES);
        }
        if is_one_of(word, &ANSWERS) && self.is_failed_status(text, end) {
            return true;
        }
        if strip_ending(word, "status").is_some() || strip_ending(word, "errno").is_some() {
            return true;
        }
        // The exceptions of Windows have eight hexadecimal digits.
        let is_windows = text.starts_with(end - end.min(10), "0x");
        // A number behind a type, as in `KeyError: 42`, is what the error is about.
        let is_error = strip_ending(word, "error")
            .is_some_and(|kind| kind.is_empty() || word.as_bytes()[kind.len()] == b'_');
        is_error && self.names_an_error(text, end)
            || strip_ending(word, "exception").is_some() && is_windows
    }

    /// `404` of `GET https://example.com/ returned 404`: after a method or a URL, and nothing is counted.
    fn is_failed_status(&self, text: &Text<'_>, end: usize) -> bool {
        const LONGEST: usize = 512;
        let start = end - end.min(3);
        let is_status = matches!(text.byte(start), b'4' | b'5')
            && self.start + self.word.len() < start
            && text.starts_word(start);
        let closes = matches!(text.byte(end), 0 | b'\n' | b')' | b'.' | b',' | b';' | b':');
        is_status && closes && self.start <= LONGEST && {
            let asked = text.slice(0, self.start);
            asked.contains("://") || HTTP_METHODS.iter().any(|method| asked.contains(method))
        }
    }

    /// `error 5`, `Error 1062:`, `error #185`, `"error": 5}`, but not `error: 5 rows failed`.
    fn names_an_error(&self, text: &Text<'_>, end: usize) -> bool {
        let closes = matches!(text.byte(end), 0 | b'\n' | b')' | b']' | b'}' | b',' | b';')
            || text.byte(end) == b'.' && text.ends_word(end + 1);
        match self.separator {
            " " | "#" | " #" | ": #" | "=" => true,
            _ => closes,
        }
    }
}

/// A word without its ending and what joins them.
fn strip_ending<'t>(word: &'t str, ending: &str) -> Option<&'t str> {
    let start = word.len().checked_sub(ending.len())?;
    let has_ending = word.get(start..)?.eq_ignore_ascii_case(ending);
    has_ending.then(|| word[..start].trim_end_matches('_'))
}

fn separator_start(text: &Text<'_>, at: usize, longest: usize) -> usize {
    let mut start = at;
    while at - start < longest
        && matches!(
            text.before(start),
            b' ' | b':' | b'=' | b'#' | b'(' | b'[' | b'"' | b'\''
        )
    {
        start -= 1;
    }
    start
}

/// `1.1` of `HTTP/1.1`.
fn http_version(text: &Text<'_>, at: usize) -> Option<usize> {
    let name = at.checked_sub(5)?;
    if !text.starts_with_ignoring_case(name, "http/") {
        return None;
    }
    let end = text.run(at, |byte| byte.is_ascii_digit() || byte == b'.');
    (end - at <= 3 && text.ends_word(end)).then_some(end)
}

/// Whether a place is right behind `HTTP/1.1`.
fn follows_http_version(text: &Text<'_>, at: usize) -> bool {
    ["HTTP/1.1", "HTTP/1.0", "HTTP/2", "HTTP/2.0", "HTTP/3"]
        .iter()
        .any(|version| text.ends_with(at, version))
}

/// Whether a place is behind the state of `SQLSTATE[HY000] [2002]`, at its closing bracket.
fn follows_sqlstate(text: &Text<'_>, at: usize) -> bool {
    text.before(at) == b']'
        && at
            .checked_sub(15)
            .is_some_and(|start| text.starts_with(start, "SQLSTATE["))
}

/// The number that drivers put before their text: `(1062, "Duplicate entry")` at the start or behind an error's name.
fn is_driver_code(text: &Text<'_>, at: usize, end: usize) -> bool {
    let quote = text.byte(end + 2);
    if text.before(at) != b'(' || !text.starts_with(end, ", ") || !matches!(quote, b'"' | b'\'') {
        return false;
    }
    let before = at - 1;
    let word = text.word_before(before);
    before == 0
        || strip_ending(word, "error").is_some()
        || strip_ending(word, "exception").is_some()
        || text.ends_with(before, "Error) ")
}

/// A word that stays with its digits: the code of an error, a state of SQL, or one of a family of standards.
pub(super) fn word(text: &Text<'_>, at: usize) -> Option<usize> {
    if let Some(end) = sqlstate(text, at).or_else(|| lettered(text, at)) {
        return Some(end);
    }
    if !text.starts_token(at) {
        return None;
    }
    let end = text.token_end(at);
    token::is_standard(text.slice(at, end)).then_some(end)
}

/// `SQLSTATE[42S02]` and `SQLSTATE 42P01`.
fn sqlstate(text: &Text<'_>, at: usize) -> Option<usize> {
    if !text.starts_with(at, "SQLSTATE") {
        return None;
    }
    let start = text.short_run(at + 8, 3, |byte| matches!(byte, b'[' | b':' | b'=' | b' '));
    let end = text.short_run(start, 6, |byte| byte.is_ascii_alphanumeric());
    (end - start == 5 && start > at + 8).then_some(end)
}

/// `E1001`, `TS2304`, `ORA-00942`, in the places where only codes stand. Elsewhere they are ids: `Order ORD-10023`.
fn lettered(text: &Text<'_>, at: usize) -> Option<usize> {
    let letters = text.short_run(at, 7, |byte| byte.is_ascii_uppercase());
    let digits = letters + usize::from(text.byte(letters) == b'-');
    let end = text.short_run(digits, 6, |byte| byte.is_ascii_digit());
    let has_form = matches!(letters - at, 1..=6) && matches!(end - digits, 3..=5);
    if !has_form || !text.ends_word(end) || matches!(text.byte(end), b'-' | b'_') {
        return None;
    }
    let is_dashed = digits > letters;
    let colon = text.byte(end) == b':';
    let is_short = letters - at <= 2 && !is_dashed;
    let place = separator_start(text, at, 3);
    let word = text.word_before(place);
    let is_announced =
        strip_ending(word, "error").is_some() || strip_ending(word, "code").is_some();
    let is_open = match text.before(at) {
        0 | b'\n' => colon || is_short,
        b'[' | b'(' => is_short || colon && !is_dashed,
        b' ' => text.ends_with(at, ": ") && colon,
        _ => false,
    };
    (is_announced && place < at || is_open).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_apart, assert_kept, assert_same};

    #[test]
    fn numbers_that_name_a_failure_stay() {
        assert_kept(&[
            "Request failed with status code 404",
            "status: 404",
            "the server responded with a status of 500 ()",
            "response status is 503",
            "statusCode=404",
            "status_code: 404",
            "HTTP 404",
            "HTTP Error 404: Not Found",
            "HTTP/1.1 500 Internal Server Error",
            "HTTP/2 status 500",
            "response code 404",
            "error code: 1001",
            "errno 111",
            "errno = 104",
            "[Errno 2] No such file",
            "[WinError 10061] refused",
            "(OS Error: refused, errno = 111)",
            "No such file or directory (os error 2)",
            "exit code 137",
            "exit status 1",
            "exited with code 1",
            "exited with code -1073741819",
            "exit(1)",
            "signal 9",
            "signal: 11",
            "E1001 happened",
            "[E1001] happened",
            "error TS2304: no name",
            "ORA-00942: table or view does not exist",
            "java.sql.SQLException: ORA-00942: table",
            "SQLSTATE[42S02]: Base table",
            "SQLSTATE[HY000] [2002] Connection refused",
            "ERROR: gone (SQLSTATE 42P01)",
            "(Exception from HRESULT: 0x80070005 (E_ACCESSDENIED))",
            "error 0x80004005",
            "Minified React error #185; visit",
            "Error 1062: Duplicate",
            "ERROR 1045: Access denied",
            "cURL error 28: timed out",
            "(code: 21)",
            r#"{"code": 11000, "status": 404, "errno": "-2"}"#,
            "Error Domain=NSURLErrorDomain Code=-1009",
            "close code 1006",
            "rc=5",
            "'utf-8' or utf-16 or sha-1 or ISO-8859-1",
        ]);
    }

    #[test]
    fn kinds_of_failure_are_apart() {
        assert_apart(&[
            ("status code 404", "status code 500"),
            ("HTTP 404", "HTTP 500"),
            ("HTTP/1.1 404 x", "HTTP/1.1 500 x"),
            ("errno 111", "errno 104"),
            ("[Errno 2] x", "[Errno 13] x"),
            ("exit code 137", "exit code 139"),
            ("exited with code 1", "exited with code 2"),
            ("signal 9", "signal 11"),
            ("E1001 x", "E1002 x"),
            ("ORA-00942: x", "ORA-01017: x"),
            ("SQLSTATE[42S02]", "SQLSTATE[23000]"),
            ("HRESULT 0x80070005", "HRESULT 0x80004005"),
            ("Minified React error #185", "Minified React error #418"),
            ("utf-8 x", "utf-16 x"),
            ("(code: 21)", "(code: 22)"),
            (r#"{"code": 5}"#, r#"{"code": 7}"#),
            ("OSError(113, 'x')", "OSError(101, 'x')"),
            ("GET /x returned 404", "GET /x returned 500"),
            ("https://a.example got 502.", "https://a.example got 503."),
            (
                "GET https://a.example/x failed with 500",
                "GET https://a.example/x failed with 404",
            ),
        ]);
    }

    #[test]
    fn other_numbers_near_them_go() {
        assert_same(&[
            (
                &[
                    "process 1234 exited with code 1",
                    "process 7 exited with code 1",
                ],
                "process <value> exited with code 1",
            ),
            (
                &["Order ORD-10023 not found", "Order ORD-7 not found"],
                "Order ORD-<value> not found",
            ),
            (
                &["Ticket [PROJ-1234] failed", "Ticket [PROJ-17] failed"],
                "Ticket [PROJ-<value>] failed",
            ),
            (&["returned 500", "returned 404"], "returned <value>"),
            (
                &["GET /x returned 404 rows", "GET /x returned 500 rows"],
                "GET /x returned <value> rows",
            ),
            (&["failed (500)", "failed (404)"], "failed (<value>)"),
            (&["zip code 12345", "zip code 90210"], "zip code <value>"),
            (
                &["promo_code: 777", "promo_code: 12"],
                "promo_code: <value>",
            ),
            (
                &["error: 5 rows failed", "error: 17 rows failed"],
                "error: <value> rows failed",
            ),
            (
                &["Error (5 rows)", "Error (7 rows)"],
                "Error (<value> rows)",
            ),
            (
                &["status: 50% done", "status: 7% done"],
                "status: <value> done",
            ),
            (&["status 10:20:30", "status 11:00:00"], "status <value>"),
            (&["code 12345678", "code 99999999"], "code <value>"),
            (
                &["code=0x1 addr=0x7f0caac74307", "code=0x1 addr=0x0"],
                "code=0x1 addr=<value>",
            ),
            (&["(5, 17)", "(7, 4)"], "(<value>)"),
            (&["errors 5", "errors 7"], "errors <value>"),
            (&["KeyError: 42", "KeyError: 7"], "KeyError: <value>"),
        ]);
    }
}
