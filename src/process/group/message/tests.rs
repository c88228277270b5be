//! What all tables of messages are checked with, and what holds for any text.

use super::*;

/// Texts of one problem, and what is left of each.
pub(super) type Family = (&'static [&'static str], &'static str);

/// All texts of a family become the expected one, which has nothing left to replace.
pub(super) fn assert_same(families: &[Family]) {
    for (texts, expected) in families {
        for text in *texts {
            assert_eq!(parameterize(text), *expected, "{text}");
        }
        assert_eq!(parameterize(expected), *expected, "a second time");
    }
}

/// The texts of a pair are of two problems.
pub(super) fn assert_apart(pairs: &[(&str, &str)]) {
    for (one, other) in pairs {
        assert_ne!(parameterize(one), parameterize(other), "{one}");
    }
}

/// Nothing in the texts varies.
pub(super) fn assert_kept(texts: &[&str]) {
    for text in texts {
        assert_eq!(parameterize(text), *text);
        assert!(matches!(parameterize(text), Cow::Borrowed(_)), "{text}");
    }
}

#[test]
fn two_lines_count() {
    for (text, expected) in [
        ("one\n\ntwo\nthree", "one\ntwo..."),
        ("one\r\n\r\ntwo\r\n", "one\ntwo"),
        ("  plain \n", "plain"),
        ("\n\n  one 1\n 2", "one <value>\n <value>"),
        ("", ""),
        (" \n ", ""),
    ] {
        assert_eq!(parameterize(text), expected, "{text:?}");
    }
}

#[test]
fn long_texts_are_cut_between_characters() {
    let long = "ü".repeat(LONGEST);
    assert_eq!(parameterize(&long).len(), LONGEST);
    let odd = format!("a{long}");
    assert_eq!(parameterize(&odd).len(), LONGEST - 1);
}

#[test]
fn lists_become_one() {
    assert_same(&[
        (
            &[
                "ids [1, 2, 3] missing",
                "ids [17] missing",
                "ids [1,2] missing",
            ],
            "ids [<value>] missing",
        ),
        (
            &["hosts 10.0.0.1, 10.0.0.2 down", "hosts ::1 down"],
            "hosts <address> down",
        ),
    ]);
    assert_apart(&[("5 of 3, a", "5 of a, 3")]);
}

/// Texts as runtimes, drivers and clients write them.
#[test]
fn known_texts_group() {
    assert_same(&[
        (
            &[
                "Timed out waiting for 10.1.1.4:27017 after 30000ms",
                "Timed out waiting for 10.1.1.5:27017 after 29987ms",
                "Timed out waiting for 192.168.0.9:27018 after 30s",
                "Timed out waiting for [::1]:27017 after 1m30s",
                "Timed out waiting for db-1.example.com after 30 seconds",
            ],
            "Timed out waiting for <address> after <value>",
        ),
        (
            &["bad sku 5", "bad sku 98", "bad sku 160"],
            "bad sku <value>",
        ),
        (&["tray 2 empty", "tray 13 empty"], "tray <value> empty"),
        (
            &["Loading chunk 5 failed.", "Loading chunk 17 failed."],
            "Loading chunk <value> failed.",
        ),
        (
            &["ANR for at least 5000 ms.", "ANR for at least 8123 ms."],
            "ANR for at least <value>.",
        ),
        (
            &[
                "HTTPSConnectionPool(host='a.example.com', port=443): Max retries exceeded with url: /v1/users/42",
                "HTTPSConnectionPool(host='10.0.0.1', port=80): Max retries exceeded with url: /v1/users/7",
            ],
            "HTTPSConnectionPool(host=<value>, port=<value>): Max retries exceeded with url: /v1/users/<value>",
        ),
        (
            &[
                "listen EADDRINUSE: address already in use :::3000",
                "listen EADDRINUSE: address already in use 0.0.0.0:8080",
            ],
            "listen EADDRINUSE: address already in use <address>",
        ),
        (
            &[
                "Index 5 out of bounds for length 3",
                "Index 12 out of bounds for length 10",
            ],
            "Index <value> out of bounds for length <value>",
        ),
        (
            &[
                "#PID<0.123.0> of #<User:0x000055d0>",
                "#PID<0.9.1> of #<User:0x00007f12>",
            ],
            "#PID<<value>> of #<User:<value>>",
        ),
        (
            &[
                "Container abc123def456 exited with code 137",
                "Container 0af765191600 exited with code 137",
            ],
            "Container <value> exited with code 137",
        ),
        (
            &[
                "Server error: tx1b2c3d4e5f6a7b8c9d0e1-005a2b3c4d (txn)",
                "Server error: txaf2c3d4e5f6a7b8c9d0ff-0059ab3c4e (txn)",
            ],
            "Server error: <value>-<value> (txn)",
        ),
        (
            &[
                "(Service: S3; Status Code: 404; Request ID: 7D0C5A1E3F2B4A6C)",
                "(Service: S3; Status Code: 404; Request ID: 8E1D6B2F4A3C5B7D)",
            ],
            "(Service: S3; Status Code: 404; Request ID: <value>)",
        ),
        (
            &[
                "E11000 duplicate key index: email_1 dup key: { email: \"a@b.c\" }",
                "E11000 duplicate key index: email_2 dup key: { email: \"jane\" }",
            ],
            "E11000 duplicate key index: email_<value> dup key: { email: <value> }",
        ),
        (
            &[
                "Task pay[9ec79c33-ec99-42ab-8353-589fcb2e04dc] lost",
                "Task pay[19c79c33-ec99-42ab-8353-589fcb2e04dd] lost",
            ],
            "Task pay[<value>] lost",
        ),
    ]);
    assert_kept(&[
        "printer jammed",
        "key not found: :zip",
        "Could not assign seat %s to passenger %s",
        "Script error.",
        "Cannot read properties of undefined (reading 'map')",
        "Object captured as promise rejection with keys: code, message",
        "SSL routines: wrong version",
    ]);
}

#[test]
fn the_skeleton_has_words_alone() {
    for (texts, expected) in [
        (
            &[
                "dial tcp 10.0.0.1:5432: connect: connection refused",
                "dial tcp [::1]:80: connect: connection refused",
                "dial tcp db-1.example.com:5432: connect: connection refused\nmore",
            ][..],
            "dial tcp <address>: connect: connection refused",
        ),
        (
            &[
                r#"Get "https://a.example/x": context deadline exceeded"#,
                r#"Get "http://b.example": context deadline exceeded"#,
            ],
            "Get <value>: context deadline exceeded",
        ),
        (
            &[
                "open /etc/a.conf: no such file or directory",
                "open ./b/c.yaml: no such file or directory",
                "open conf/d.json: no such file or directory",
                r"open C:\app\e.ini: no such file or directory",
                "open ~/f: no such file or directory",
            ],
            "open <path>: no such file or directory",
        ),
        (
            &[
                "user user42 has no plan p1",
                "user u-9f3 has no plan basic-2024",
            ],
            "user <value> has no plan <value>",
        ),
        (
            &[
                "unexpected status 404",
                "unexpected status 500",
                "unexpected status E1001",
            ],
            "unexpected status <value>",
        ),
        (
            &[
                "field 'price' of `Order` is \"empty\"",
                "field 'x' of `Item` is \"y z\"",
            ],
            "field <value> of <value> is <value>",
        ),
        (&["\n  payment declined \n second"], "payment declined"),
        (&["read/write of and/or"], "read/write of and/or"),
        (
            &["got Sat Nov 21 10:00:00 2026", "got 9:08 PM", "got -5"],
            "got <value>",
        ),
        (&[""], ""),
    ] {
        for text in texts {
            assert_eq!(skeleton(text), expected, "{text}");
        }
        assert_eq!(skeleton(expected), expected, "a second time");
    }
}

/// Pieces that the rules look for, to be put together at random.
const PIECES: [&str; 72] = [
    "a",
    "Z",
    "0",
    "17",
    " ",
    "  ",
    "\n",
    ".",
    ":",
    "::",
    "/",
    "//",
    "\\",
    "-",
    "_",
    "+",
    "=",
    "'",
    "\"",
    "`",
    "“",
    "”",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "<",
    ">",
    ",",
    ";",
    "@",
    "#",
    "$",
    "€",
    "£",
    "%",
    "?",
    "!",
    "µ",
    "°",
    "ü",
    "\u{1f600}",
    "e",
    "x",
    "T",
    "0x",
    "Nov",
    "Sat",
    "May",
    "GMT",
    "http://",
    "/tmp/",
    "/home/",
    "C:\\",
    "Users",
    "SELECT",
    "FROM",
    "NULL",
    "status",
    "code",
    "HTTP",
    "entry",
    "token",
    " is not defined",
    "eyJ",
    "localhost",
    "SQLSTATE[",
    "error",
    "ms",
    "datetime.date(",
];

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,200}") {
        let _ = (parameterize(&text), skeleton(&text));
    }

    #[test]
    fn no_mix_of_pieces_panics(pieces in proptest::collection::vec(0..PIECES.len(), 0..40)) {
        let text: String = pieces.iter().map(|&piece| PIECES[piece]).collect();
        let _ = (parameterize(&text), skeleton(&text));
    }
}
