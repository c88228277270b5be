//! What a sentence says about the quoted text that follows: that it is a value, a name or a message of its own.
//! In: a text and the place of an opening quote. Out: what the words before announce.

use super::text::{Text, is_one_of, words};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Announced {
    /// It varies.
    Value,
    /// It says what failed.
    Name,
    /// It is a text like the one around it.
    Message,
    Nothing,
}

/// Before values. Some stand in the sentences of runtimes: `For input string: "x"`, `parsing "x": invalid syntax`.
const VALUES: [&str; 34] = words(
    "entry value values input string text data literal character char parsing parse got received actual \
     was user username login email account customer role id uuid date time timestamp isoformat password \
     sku host hostname server",
);

/// Types that a value was to become, as in `to float: 'x'` and `syntax for type uuid: "x"`.
const TYPES: [&str; 18] = words(
    "float int integer uuid date time timestamp boolean bool json string decimal double number numeric \
     bigint bytes long",
);

/// Before names, which stay even with digits, blanks or slashes in them.
const NAMES: [&str; 48] = words(
    "module package class interface function method property properties field column table relation index \
     constraint attribute variable import importing specifier resolve reading setting evaluating calling \
     type template view component element service bean command option database schema named code status \
     sqlstate errno library dependency plugin encoding charset parameter assembly invoke",
);

/// Keys of messages, alone or after another word as in `error_message`.
const MESSAGES: [&str; 12] =
    words("error err msg message reason cause detail details description exception warning fault");

/// What is announced right before a quote.
pub(super) fn before(text: &Text<'_>, quote: usize) -> Announced {
    let blank = text.before_blanks(quote);
    match text.before(blank) {
        b'=' => assigned(text, blank - 1),
        b':' => after_colon(text, blank),
        b'(' | b',' => argument(text, blank),
        _ if blank == quote => Announced::Nothing,
        _ => by_word(text, blank),
    }
}

/// `key='x'`.
fn assigned(text: &Text<'_>, equals: usize) -> Announced {
    if matches!(text.before(equals), b'=' | b'!' | b'<' | b'>') {
        return Announced::Nothing;
    }
    let key = text.word_before(text.before_blanks(equals));
    if is_message_key(key) {
        Announced::Message
    } else {
        Announced::Value
    }
}

/// `"key": "x"`, `'key': 'x'`, `reason: "x"`, `base 10: 'x'`, `Integer(): "x"`.
fn after_colon(text: &Text<'_>, colon: usize) -> Announced {
    let end = colon - 1;
    if matches!(text.before(end), b'"' | b'\'') {
        let key = text.word_before(end - 1);
        return if is_message_key(key) {
            Announced::Message
        } else if is_one_of(key, &NAMES) {
            Announced::Name
        } else {
            Announced::Value
        };
    }
    if text.ends_with(end, "Integer()") || text.ends_with(end, "Float()") {
        return Announced::Value;
    }
    let digits = end - trailing_digits(text, end, 3);
    if digits < end {
        let word = text.word_before(text.before_blanks(digits));
        return if word == "base" {
            Announced::Value
        } else {
            Announced::Nothing
        };
    }
    let word = text.word_before(end);
    let previous = text.word_before(text.before_blanks(end - word.len()));
    let becomes = is_one_of(previous, &["to", "for", "type"]) && is_one_of(word, &TYPES);
    if becomes || previous == "enum" {
        return Announced::Value;
    }
    if is_message_key(word) {
        return Announced::Message;
    }
    match by_word(text, end) {
        Announced::Nothing if is_key(text, end - word.len()) => Announced::Value,
        announced => announced,
    }
}

/// Whether a word before a colon is a key among others, as in `{ name: "x", sku: "y" }`.
fn is_key(text: &Text<'_>, at: usize) -> bool {
    matches!(text.before(text.before_blanks(at)), b'{' | b',')
}

fn trailing_digits(text: &Text<'_>, end: usize, most: usize) -> usize {
    let mut start = end;
    while end - start < most && start > 0 && text.is_digit(start - 1) {
        start -= 1;
    }
    end - start
}

/// The arguments of an error, as Python and others show it: `OSError(113, 'No route to host')`, `('Aborted.', …)`.
fn argument(text: &Text<'_>, end: usize) -> Announced {
    let mut open = end;
    if text.before(end) == b',' {
        open = end - 1 - trailing_digits(text, end - 1, 5);
    }
    if text.before(open) != b'(' {
        return Announced::Nothing;
    }
    let name = text.word_before(open - 1);
    let is_error = name.ends_with("Error")
        || name.ends_with("Exception")
        || name.ends_with("Warning")
        || open == 1
        || text.ends_with(open - 1, "Error) ");
    if is_error {
        Announced::Message
    } else {
        Announced::Nothing
    }
}

fn by_word(text: &Text<'_>, end: usize) -> Announced {
    let word = text.word_before(end);
    if matches!(word, "at" | "with") {
        let previous = text.word_before(text.before_blanks(end - word.len()));
        return match previous {
            "panicked" | "exited" | "failed" => Announced::Message,
            _ => Announced::Nothing,
        };
    }
    if is_one_of(word, &NAMES) {
        Announced::Name
    } else if is_one_of(word, &VALUES) {
        Announced::Value
    } else {
        Announced::Nothing
    }
}

fn is_message_key(key: &str) -> bool {
    let last = key.rsplit('_').next().unwrap_or_default();
    is_one_of(last, &MESSAGES)
        || key.ends_with("Message")
        || key.ends_with("Reason")
        // The types of errors start with a capital.
        || key.ends_with("Error") && key.starts_with(|first: char| first.is_ascii_lowercase())
}

/// What is announced by the words behind the closing quote.
pub(super) fn behind(text: &Text<'_>, end: usize) -> Announced {
    const AFTER_NAMES: [&str; 8] = [
        " is not defined",
        " is undefined",
        " is not a function",
        " is not a constructor",
        " of undefined",
        " of null",
        " codec",
        " object has no attribute",
    ];
    const AFTER_VALUES: [&str; 8] = [
        " is not a valid",
        " is not valid JSON",
        " is not an integer",
        " is not a number",
        " could not be parsed",
        " cannot be parsed",
        " was not in a correct format",
        " was not present in the dictionary",
    ];
    if AFTER_NAMES.iter().any(|words| text.starts_with(end, words)) {
        Announced::Name
    } else if AFTER_VALUES
        .iter()
        .any(|words| text.starts_with(end, words))
    {
        Announced::Value
    } else {
        Announced::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_apart, assert_kept, assert_same};

    #[test]
    fn announced_values_go_with_their_quotes() {
        assert_same(&[
            (
                &[
                    "Duplicate entry 'jane' for key 'users.email'",
                    "Duplicate entry '5-x' for key 'users.email'",
                ],
                "Duplicate entry <value> for key 'users.email'",
            ),
            (
                &[
                    "invalid literal for int() with base 10: 'two'",
                    "invalid literal for int() with base 10: ''",
                    "invalid literal for int() with base 10: '1.5'",
                    "invalid literal for int() with base 10: 'x'",
                ],
                "invalid literal for int() with base <value>: <value>",
            ),
            (
                &[
                    "could not convert string to float: 'abc'",
                    "could not convert string to float: '1,x'",
                ],
                "could not convert string to float: <value>",
            ),
            (
                &[r#"For input string: "x""#, r#"For input string: "12a""#],
                "For input string: <value>",
            ),
            (
                &[
                    "Incorrect integer value: 'x' for column 'age' at row 1",
                    "Incorrect integer value: 'yz' for column 'age' at row 17",
                ],
                "Incorrect integer value: <value> for column 'age' at row <value>",
            ),
            (
                &[
                    r#"invalid input syntax for type integer: "abc""#,
                    r#"invalid input syntax for type integer: "x y""#,
                ],
                "invalid input syntax for type integer: <value>",
            ),
            (
                &[
                    r#"invalid input value for enum status: "paid""#,
                    r#"invalid input value for enum status: "x""#,
                ],
                "invalid input value for enum status: <value>",
            ),
            (
                &[
                    r#"strconv.Atoi: parsing "abc": invalid syntax"#,
                    r#"strconv.Atoi: parsing "": invalid syntax"#,
                ],
                "strconv.Atoi: parsing <value>: invalid syntax",
            ),
            (
                &[
                    r#"invalid value for Integer(): "abc""#,
                    r#"invalid value for Integer(): "x1""#,
                ],
                "invalid value for Integer(): <value>",
            ),
            (
                &[
                    "Text 'abc' could not be parsed",
                    "Text '2026-13-01' could not be parsed",
                ],
                "Text <value> could not be parsed",
            ),
            (
                &["time data 'abc' is bad", "time data '10' is bad"],
                "time data <value> is bad",
            ),
            (
                &[
                    "Access denied for user 'root'@'10.0.0.1'",
                    "Access denied for user 'jane'@'localhost'",
                    "Access denied for user 'app'@'db.example.com'",
                ],
                "Access denied for user <value>@<value>",
            ),
            (
                &[
                    r#"invalid type: string "abc", expected u32"#,
                    r#"invalid type: string "x y", expected u32"#,
                ],
                "invalid type: string <value>, expected u32",
            ),
        ]);
    }

    #[test]
    fn values_of_keys_go() {
        assert_same(&[
            (
                &["name='x y'", "name='price'", "name=\"z\""],
                "name=<value>",
            ),
            (&["ok=True", "ok=false", "ok=FALSE"], "ok=<value>"),
            (
                &[
                    r#"body {"ok": false, "n": 5, "s": "abc", "z": null}"#,
                    r#"body {"ok": true, "n": 17, "s": "x y", "z": "w"}"#,
                ],
                r#"body {"ok": <value>, "n": <value>, "s": <value>, "z": <value>}"#,
            ),
            (
                &[
                    "{'id': 5, 'name': 'jane', 'x': None}",
                    "{'id': 'a', 'name': 'bob', 'x': 7}",
                ],
                "{'id': <value>, 'name': <value>, 'x': <value>}",
            ),
            (
                &[
                    r#"dup key: { name: "jane", sku: "x" }"#,
                    r#"dup key: { name: "bob", sku: "y" }"#,
                ],
                "dup key: { name: <value>, sku: <value> }",
            ),
            (
                &[
                    "Key (email)=(jane@x.com) already exists.",
                    "Key (email)=(x y) already exists.",
                ],
                "Key (email)=(<value>) already exists.",
            ),
            (
                &[
                    "Pool(host='h', port=80)",
                    "Pool(host='x.example.com', port=443)",
                ],
                "Pool(host=<value>, port=<value>)",
            ),
        ]);
        assert_apart(&[
            (r#"{"price": "x"}"#, r#"{"name": "x"}"#),
            (
                "Key (email)=(a) already exists.",
                "Key (name)=(a) already exists.",
            ),
            ("assert a == 'paid'", "assert a == 'open'"),
            ("x = None", "x = 5"),
        ]);
    }

    #[test]
    fn announced_names_stay_with_all_their_signs() {
        assert_kept(&[
            "No module named 'foo.bar2'",
            "Cannot find module '../config/db'",
            "Cannot read properties of undefined (reading 'address1')",
            "Cannot set properties of null (setting 'open')",
            "Unknown column 'users.x1' in table",
            "Failed to convert value of type 'java.lang.String[]'",
            r#"Cannot invoke "com.acme.Order.get(java.lang.String, int)" now"#,
            "null value in column \"address2\" of relation \"orders\"",
            "'h1' is not defined",
            "'line2' of undefined",
        ]);
        assert_apart(&[
            ("Cannot find module './a'", "Cannot find module './b'"),
            ("No module named 'foo.a1'", "No module named 'foo.a2'"),
            (
                "Attempt to invoke virtual method 'int com.acme.B.c()' on null",
                "Attempt to invoke virtual method 'int com.acme.B.d()' on null",
            ),
        ]);
        assert_same(&[(
            &[
                "relation \"orders_2026_11\" does not exist",
                "relation \"orders_2025_3\" does not exist",
            ],
            "relation \"orders_<value>_<value>\" does not exist",
        )]);
    }

    #[test]
    fn quoted_messages_are_read_like_others() {
        assert_same(&[
            (
                &[
                    r#"error="dial tcp 10.0.0.1:5432: refused""#,
                    r#"error="dial tcp 10.0.0.2:80: refused""#,
                ],
                r#"error="dial tcp <address>: refused""#,
            ),
            (
                &[
                    r#"{"message": "user 5 is gone"}"#,
                    r#"{"message": "user 17 is gone"}"#,
                ],
                r#"{"message": "user <value> is gone"}"#,
            ),
            (
                &[
                    "thread 'main' panicked at 'the len is 3 but the index is 5', src/main.rs:5:10",
                    "thread 'main' panicked at 'the len is 1 but the index is 8', src/main.rs:7:1",
                ],
                "thread 'main' panicked at 'the len is <value> but the index is <value>', src/main.rs:<value>",
            ),
            (
                &[
                    "(1062, \"Duplicate entry 'jane' for key 'x'\")",
                    "(1062, \"Duplicate entry 'bob' for key 'x'\")",
                ],
                "(1062, \"Duplicate entry <value> for key 'x'\")",
            ),
            (
                &[
                    "NewConnectionError('<Connection object at 0x7f12>: [Errno 111] refused')",
                    "NewConnectionError('<Connection object at 0x7a99>: [Errno 111] refused')",
                ],
                "NewConnectionError('<Connection object at <value>>: [Errno 111] refused')",
            ),
        ]);
        assert_apart(&[
            (r#"error="disk is full""#, r#"error="disk is gone""#),
            (
                "ConnectionError('Connection aborted.', 1)",
                "ConnectionError('Read timed out.', 1)",
            ),
            (
                "OSError(113, 'No route to host')",
                "OSError(101, 'Network is unreachable')",
            ),
            (
                r#"(2006, "MySQL server has gone away")"#,
                r#"(2013, "Lost connection to server")"#,
            ),
            (
                "worker exited with 'signal 9 (SIGKILL)'",
                "worker exited with 'signal 11 (SIGSEGV)'",
            ),
            (r#"reason: "no such table""#, r#"reason: "no such column""#),
        ]);
    }
}
