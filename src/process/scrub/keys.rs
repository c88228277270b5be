//! Names that speak of a secret. In: a key, the name of a cookie. Out: whether what it holds is secret.

/// Parts of names; the same words as Sentry's default rules, and some that its users add.
const fn words_from(letter: u8) -> &'static [&'static [u8]] {
    match letter.to_ascii_lowercase() {
        b'p' => &[
            b"password",
            b"passwd",
            b"passphrase",
            b"privatekey",
            b"private_key",
            b"private-key",
        ],
        b's' => &[b"secret"],
        b'a' => &[
            b"auth",
            b"api_key",
            b"api-key",
            b"apikey",
            b"access_key",
            b"accesskey",
        ],
        b't' => &[b"token", b"two-factor", b"two_factor"],
        b'c' => &[
            b"credentials",
            b"csrf",
            b"creditcard",
            b"credit_card",
            b"cardnumber",
            b"card_number",
        ],
        b'm' => &[b"mysql_pwd"],
        b'x' => &[b"xsrf"],
        _ => &[],
    }
}

/// Whether one of [`words_from`] begins with the two letters.
const fn begins_word(first: u8, second: u8) -> bool {
    matches!(
        (first.to_ascii_lowercase(), second.to_ascii_lowercase()),
        (b'p', b'a' | b'r')
            | (b's', b'e')
            | (b'a', b'u' | b'p' | b'c')
            | (b't', b'o' | b'w')
            | (b'c', b'r' | b's' | b'a')
            | (b'm', b'y')
            | (b'x', b's')
    )
}

/// Whole names, all of three letters.
const WHOLE: [&str; 6] = ["otp", "pwd", "cvv", "cvc", "ssn", "jwt"];

/// What only starts like one of the words.
const INNOCENT: [&str; 7] = [
    "author",
    "authenticated",
    "tokens",
    "tokenize",
    "tokenise",
    "secretar",
    "token_count",
];

/// Whether a name speaks of a secret. Called for every variable of every frame, hence no regular expression:
/// only letters that begin one of the words are looked at twice.
pub(super) fn is_secret(key: &str) -> bool {
    let bytes = key.as_bytes();
    if bytes.len() < 4 {
        return WHOLE.iter().any(|word| key.eq_ignore_ascii_case(word));
    }
    bytes.windows(2).enumerate().any(|(at, pair)| {
        if !begins_word(pair[0], pair[1]) {
            return false;
        }
        let rest = &bytes[at..];
        words_from(pair[0])
            .iter()
            .any(|word| starts_with(rest, word) && !is_innocent(rest))
    })
}

/// `author` is none, but `authorization` is a secret.
fn is_innocent(rest: &[u8]) -> bool {
    INNOCENT
        .iter()
        .any(|word| starts_with(rest, word.as_bytes()))
        && !starts_with(rest, b"authoriz")
        && !starts_with(rest, b"authoris")
}

pub(super) fn starts_with(bytes: &[u8], word: &[u8]) -> bool {
    bytes
        .get(..word.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(word))
}

/// Headers that hold cookies, all of which are secret where they stand in one text.
pub(super) fn is_cookie_header(name: &str) -> bool {
    name.eq_ignore_ascii_case("cookie") || name.eq_ignore_ascii_case("set-cookie")
}

/// Cookies that log somebody in.
pub(super) fn is_secret_cookie(name: &str) -> bool {
    const PARTS: [&str; 6] = ["sess", "csrf", "xsrf", "symfony", "sid", "remember"];
    let lower = name.to_ascii_lowercase();
    PARTS.iter().any(|part| lower.contains(part)) || is_secret(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_looked_for() {
        for letter in b'a'..=b'z' {
            for word in words_from(letter) {
                assert!(word[0] == letter && begins_word(word[0], word[1]));
            }
        }
    }

    #[test]
    fn keys_are_matched_anywhere_in_any_case() {
        for key in [
            "password",
            "Passwd2",
            "client_secret",
            "X-Api-Key",
            "Authorization",
            "Proxy-Authorization",
            "mysql_pwd",
            "otp",
            "OTP",
            "credentials",
            "PrivateKey",
            "two-factor",
            "access_token",
            "AWS_SECRET_ACCESS_KEY",
            "X-CSRF-Token",
            "stripeToken",
            "auth",
            "pwd",
            "cvv",
        ] {
            assert!(is_secret(key), "{key}");
        }
        for key in [
            "option",
            "user",
            "path",
            "status",
            "pass",
            "camera",
            "note",
            "",
            "to",
            "é",
            "author",
            "authority",
            "authors",
            "is_authenticated",
            "tokens_used",
            "max_tokens",
            "tokenizer",
            "secretary",
        ] {
            assert!(!is_secret(key), "{key}");
        }
        for cookie in [
            "sessionid",
            "PHPSESSID",
            "csrftoken",
            "_csrf",
            "connect.sid",
            "laravel_session",
            "remember_me",
        ] {
            assert!(is_secret_cookie(cookie), "{cookie}");
        }
        assert!(!is_secret_cookie("theme"));
    }
}
