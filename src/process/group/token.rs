//! Tells tokens that come from chance (ids, hashes, keys) from words that people chose, digits in them or not.
//! In: a token of letters, digits, `_` and `-`. Out: what it is. Digits alone are a number and neither.

mod letters;

use letters::{is_wordlike, rare_pairs};

/// Names with a number that says which of a family of standards is meant, as in `utf-8` or `iso-8859-1`.
const STANDARDS: [&str; 15] = [
    "utf", "ucs", "iso", "cp", "windows", "latin", "koi", "sha", "md", "crc", "aes", "rsa", "rfc",
    "ipv", "x86",
];

/// The same, where a joint before the number would make it a name with a number, as in `web-1`.
const GLUED_STANDARDS: [&str; 10] = [
    "ed", "base", "gb", "big", "win", "tls", "ssl", "http", "mp", "oauth",
];

/// Whether a token looks like an id, a hash or a key. One or two words in front, as in `sk_live_…`, are not looked at.
pub fn is_random(token: &str) -> bool {
    let start = prefix_words(token.as_bytes());
    token.get(start..).is_some_and(is_random_whole)
}

/// The same for a token of which all is looked at.
pub fn is_random_whole(token: &str) -> bool {
    let core = token.trim_end_matches('=').as_bytes();
    if core.iter().any(|byte| matches!(byte, b'_' | b'-')) {
        return is_random_joined(core);
    }
    is_random_run(core)
}

/// Whether letters and digits are those of a hexadecimal id: in one case, and not a word or a number.
pub fn is_hex_id(token: &str) -> bool {
    is_hex(token.as_bytes())
}

/// Whether a token is a UUID, in its form with dashes.
pub fn is_uuid(token: &str) -> bool {
    token.len() == 36
        && token.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Whether a token names one of a family of standards, whose number says something.
pub fn is_standard(token: &str) -> bool {
    let behind = |stems: &[&str]| {
        let stem = stems
            .iter()
            .find(|stem| starts_with_ignoring_case(token, stem))?;
        Some(&token[stem.len()..])
    };
    let has_number = |number: &str, longest: usize| {
        let digits = number.bytes().take_while(u8::is_ascii_digit).count();
        (1..=longest).contains(&digits) && number.len() <= digits + 6
    };
    behind(&STANDARDS).is_some_and(|number| has_number(number.trim_start_matches(['-', '_']), 4))
        || behind(&GLUED_STANDARDS).is_some_and(|number| has_number(number, 5))
}

fn starts_with_ignoring_case(token: &str, stem: &str) -> bool {
    token
        .get(..stem.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(stem))
}

/// How long the words in front are that say what an id is of: up to two, in lower case, each joined with `_` or `-`.
pub fn prefix_words(token: &[u8]) -> usize {
    let mut end = 0;
    for _ in 0..2 {
        let word = token[end..]
            .iter()
            .take_while(|byte| byte.is_ascii_lowercase())
            .count();
        let joined = matches!(token.get(end + word), Some(b'_' | b'-'));
        if !joined || !(2..=10).contains(&word) {
            break;
        }
        end += word + 1;
    }
    end
}

/// From six characters on with two digits, from eight on with one or none. No longer words are written with `a` to `f`
/// alone.
fn is_hex(token: &[u8]) -> bool {
    let digits = token.iter().filter(|byte| byte.is_ascii_digit()).count();
    let is_long_enough = token.len() >= 8 || token.len() >= 6 && digits >= 2;
    is_long_enough
        && digits < token.len()
        && (token
            .iter()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
            || token
                .iter()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F')))
}

/// Runs joined with `-` or `_`: hexadecimal ones such as those of a UUID or a trace, or letters of both cases and digits.
fn is_random_joined(token: &[u8]) -> bool {
    const SHORTEST: usize = 16;
    let joints = token
        .iter()
        .filter(|byte| matches!(byte, b'_' | b'-'))
        .count();
    if token.len() < SHORTEST + joints {
        return false;
    }
    let has = |is: fn(&u8) -> bool| token.iter().any(is);
    if !has(u8::is_ascii_digit) {
        return false;
    }
    if token
        .iter()
        .all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'_' | b'-'))
    {
        return true;
    }
    let shape = Shape::of(token);
    has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
        && shape.in_words * 3 < shape.letters
        && shape.switches + shape.humps >= joints + 4
}

/// Letters and digits without a joint.
fn is_random_run(token: &[u8]) -> bool {
    let length = token.len();
    let shortest = if token.first().is_some_and(u8::is_ascii_digit) {
        5
    } else {
        6
    };
    if length < shortest {
        return false;
    }
    if is_hex(token) || is_ulid(token) || is_extension_id(token) {
        return true;
    }
    let shape = Shape::of(token);
    let has = |is: fn(&u8) -> bool| token.iter().any(is);
    let mixes_cases = has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase);
    if shape.letters == length {
        return if mixes_cases {
            // The parts of a name in camel case have two and a half letters and more on average.
            let is_rise =
                |pair: &&[u8]| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase();
            let parts = 1 + token.windows(2).filter(is_rise).count();
            length >= 8 && length * 2 < parts * 5 && shape.in_words * 2 < length
        } else {
            let (rare, pairs) = rare_pairs(token);
            length >= 16 && rare * 2 > pairs
        };
    }
    if shape.letters == 0 || shape.in_words >= 3 && shape.in_words * 2 >= shape.letters {
        return false;
    }
    let breaks = shape.switches + if mixes_cases { shape.touching } else { 0 };
    match breaks {
        0 | 1 => false,
        2 => length >= 10 && shape.letters >= 4 && shape.in_words * 4 < shape.letters,
        3 => length >= 8,
        _ => length >= 6 || shape.letters >= 2,
    }
}

/// 26 digits of Crockford's base 32, of which the first three bits are the highest.
fn is_ulid(token: &[u8]) -> bool {
    token.len() == 26
        && matches!(token[0], b'0'..=b'7')
        && token.iter().all(|byte| {
            matches!(byte, b'0'..=b'9' | b'A'..=b'Z') && !matches!(byte, b'I' | b'L' | b'O' | b'U')
        })
}

/// Browser extensions are named by 32 letters up to `p`.
fn is_extension_id(token: &[u8]) -> bool {
    token.len() == 32 && token.iter().all(|byte| matches!(byte, b'a'..=b'p'))
}

/// What a token looks like.
#[derive(Default)]
struct Shape {
    letters: usize,
    /// Letters in humps that look like words.
    in_words: usize,
    /// How often digits follow letters or letters digits.
    switches: usize,
    /// Runs of letters in one case, perhaps with a capital in front, as camel case has them.
    humps: usize,
    /// Humps that follow another without a digit between.
    touching: usize,
}

impl Shape {
    fn of(token: &[u8]) -> Self {
        let mut shape = Self::default();
        let mut at = 0;
        while at < token.len() {
            if token[at].is_ascii_alphabetic() {
                let end = hump_end(token, at);
                shape.letters += end - at;
                shape.humps += 1;
                if is_wordlike(&token[at..end]) {
                    shape.in_words += end - at;
                }
                match at.checked_sub(1).map(|before| token[before]) {
                    Some(b'0'..=b'9') => shape.switches += 1,
                    Some(before) if before.is_ascii_alphabetic() => shape.touching += 1,
                    _ => {}
                }
                at = end;
            } else {
                let is_digit = token[at].is_ascii_digit();
                let after_letter = at > 0 && token[at - 1].is_ascii_alphabetic();
                shape.switches += usize::from(is_digit && after_letter);
                at += 1;
            }
        }
        shape
    }
}

/// `URLFor` is `URL` and `For`, `forURL` is `for` and `URL`.
fn hump_end(token: &[u8], start: usize) -> usize {
    let run = |from: usize, is: fn(&u8) -> bool| {
        from + token[from..].iter().take_while(|byte| is(byte)).count()
    };
    let capitals = run(start, u8::is_ascii_uppercase);
    let small = run(capitals, u8::is_ascii_lowercase);
    match capitals - start {
        0 | 1 => small,
        _ if small > capitals => capitals - 1,
        _ => capitals,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANDOM: [&str; 40] = [
        "068265df349ec7e843c2636b44bfab7c2a48c95e",
        "3c59dc048e8850243be8079a5c74d079",
        "507f1f77bcf86cd799439011",
        "1b6d3586",
        "8f14e45f",
        "a1b2c3",
        "deadbeef",
        "DEADBEEF",
        "068265d",
        "7d4b9c6f5d",
        "9ec79c33-ec99-42ab-8353-589fcb2e04dc",
        "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "1-5759e988-bd862e3fe1be46a994272793",
        "req-9ec79c33-ec99-42ab-8353-589fcb2e04dc",
        "k9Mtd2gDcgG",
        "inv_1MtHbELkdIwHu7ixl4OzzPMv",
        "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
        "cus_9s6XKzkNRiz8i3",
        "req_8a7sd6f8a7",
        "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "V1StGXR8_Z5jdHi6B-myT",
        "ckpfn8skk0000j29z3l9l4d1z",
        "dQw4w9WgXcQ",
        "U024BE7LH",
        "AKIAQ7XKZ3BWTNPDF4HM",
        "eyJhbGciOiJIUzI1NiJ9",
        "DkTuXzQq",
        "kMtdgDcgG",
        "4f3aZ9q",
        "2g8k1",
        "xvkjqwzrtplmnbdc",
        "cjpalhdlnbpafiamejdnhcphjbkeiagm",
        "ZGV2ZWxvcGVyMTIz==",
        "9XbQ2vLm",
        "5e8ff9bf55ba3508199d22e984129be6",
        "e3b0c44298fc1c14",
        "tx1b2c3d4e5f6a7b8c9d0e1",
        "Wl3kQ7Zt",
        "8a7sd6f8a7",
        "Ab3dE5fG7h",
    ];

    const WORDS: [&str; 63] = [
        "",
        "a",
        "user",
        "user_id",
        "12345678",
        "2026-11-21",
        "v1beta1",
        "v1beta1alpha2",
        "utf8",
        "utf8mb4",
        "utf-8",
        "utf-16",
        "x86",
        "x86_64",
        "base64",
        "md5",
        "sha256",
        "ec2",
        "s3",
        "ipv4",
        "h264",
        "oauth2",
        "oauth2client",
        "i18n",
        "l10n",
        "a11y",
        "k8s",
        "log4j2",
        "arm64",
        "arm64-v8a",
        "win32",
        "python3",
        "12A",
        "3F",
        "40C",
        "abc1",
        "def2",
        "line2",
        "h1",
        "3des",
        "getURLForJSON",
        "iOSAppId",
        "XMLHttpRequest",
        "IllegalArgumentException",
        "isNaN",
        "Utf8CheckAlgorithm",
        "AnsiToWin32",
        "Base64Decoder",
        "Sha256Digest",
        "mp3player",
        "my-very-long-feature-name-2",
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_AES_128_GCM_SHA256",
        "facade",
        "decade",
        "defaced",
        "antidisestablishment",
        "INTERNALSERVERERROR",
        "camelCaseNameWithManyWords",
        "snake_case_name_with_words_2",
        "HttpURLConnection2",
        "Order2Item",
        "k8s-prod-eu1-node7",
    ];

    #[test]
    fn ids_are_random() {
        let missed: Vec<_> = RANDOM.iter().filter(|it| !is_random(it)).collect();
        assert!(missed.is_empty(), "{missed:?}");
    }

    #[test]
    fn words_are_not_random() {
        let taken: Vec<_> = WORDS.iter().filter(|it| is_random(it)).collect();
        assert!(taken.is_empty(), "{taken:?}");
    }

    #[test]
    fn standards_are_known_with_their_number() {
        for token in [
            "utf-8",
            "UTF8",
            "utf8mb4",
            "utf-16-le",
            "sha-1",
            "SHA256",
            "iso-8859-1",
            "ISO8859",
            "x86_64",
            "cp1252",
            "windows-1252",
            "base64",
            "latin1",
            "ipv4",
        ] {
            assert!(is_standard(token), "{token}");
        }
        for token in [
            "utf",
            "user-8",
            "sha",
            "base64encoded",
            "md12345",
            "",
            "é8",
            "isolated",
            "web-1",
            "base-64",
        ] {
            assert!(!is_standard(token), "{token}");
        }
    }

    #[test]
    fn uuids_and_hashes_have_their_forms() {
        assert!(is_uuid("9ec79c33-ec99-42ab-8353-589fcb2e04dc"));
        assert!(!is_uuid("9ec79c33-ec99-42ab-8353-589fcb2e04d"));
        assert!(!is_uuid("9ec79c33ec9942ab8353589fcb2e04dc"));
        for (token, expected) in [
            ("1b6d3586", true),
            ("abc123", true),
            ("abcde1", false),
            ("12345678", false),
            ("DeadBeef", false),
            ("facade", false),
        ] {
            assert_eq!(is_hex_id(token), expected, "{token}");
        }
    }

    #[test]
    fn words_in_front_are_found() {
        for (token, expected) in [
            ("sk_live_4eC3", 8),
            ("req-8a7", 4),
            ("a_b", 0),
            ("one_two_three_4", 8),
            ("Inv_1", 0),
            ("", 0),
        ] {
            assert_eq!(prefix_words(token.as_bytes()), expected, "{token}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_token_is_judged(token in "\\PC{0,60}") {
            let _ = (is_random(&token), is_hex_id(&token), is_uuid(&token), is_standard(&token));
        }
    }
}
