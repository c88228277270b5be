//! What names may look like. In: what a person typed. Out: the form that is stored, or a sentence that says why not.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Names that would collide with pages of the dashboard.
const RESERVED: &[&str] = &[
    "account", "admin", "api", "health", "login", "logout", "metrics", "setup", "static", "new",
    "settings",
];

/// A slug: lower-case letters, digits, `-` and `_`, starting with a letter or digit, not only digits, at most 50.
pub fn slug(text: &str) -> Result<String, String> {
    let text = text.trim();
    let fits = !text.is_empty()
        && text.len() <= 50
        && text.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_')
        })
        && text.as_bytes()[0].is_ascii_alphanumeric();
    if !fits {
        return Err(format!(
            "'{text}' is not a slug: use at most 50 of a-z, 0-9, - and _, starting with a letter or digit"
        ));
    }
    // Paths take a slug or a number, so a slug of digits could not be told from an id.
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!(
            "'{text}' is not a slug: it needs at least one letter"
        ));
    }
    if RESERVED.contains(&text) {
        return Err(format!("'{text}' is reserved; choose another slug"));
    }
    Ok(text.to_owned())
}

/// A slug made from a name, for forms that do not ask for one.
pub fn slug_from(name: &str) -> String {
    let mut slug = String::new();
    for letter in name.trim().to_lowercase().chars() {
        if letter.is_ascii_alphanumeric() {
            slug.push(letter);
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
        if slug.len() >= 50 {
            break;
        }
    }
    slug.trim_end_matches('-').to_owned()
}

/// A name shown to people: 1 to 200 characters, no line breaks or other control characters.
pub fn display(text: &str) -> Result<String, String> {
    let text: String = text
        .trim()
        .chars()
        .filter(|letter| !letter.is_control())
        .collect();
    if text.is_empty() {
        return Err("a name is needed".to_owned());
    }
    if text.chars().count() > 200 {
        return Err("a name has at most 200 characters".to_owned());
    }
    Ok(text)
}

/// An e-mail address in the form that identifies an account.
pub fn email(text: &str) -> Result<String, String> {
    let text = text.trim().to_lowercase();
    let plausible = text.len() <= 190
        && text.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty() && !domain.is_empty() && !domain.contains('@')
        })
        && !text.chars().any(|letter| {
            letter.is_whitespace()
                || letter.is_control()
                || matches!(letter, '<' | '>' | ',' | ';' | '"')
        });
    if plausible {
        Ok(text)
    } else {
        Err(format!("'{text}' is not an e-mail address"))
    }
}

/// A role of a member.
pub fn role(text: &str) -> Result<&'static str, String> {
    ["member", "admin", "manager", "owner"]
        .into_iter()
        .find(|role| *role == text)
        .ok_or_else(|| format!("'{text}' is not a role: use member, admin, manager or owner"))
}

/// A platform as SDKs name it; anything unusual becomes `other`.
pub fn platform(text: &str) -> String {
    let text = text.trim().to_lowercase();
    let fits = !text.is_empty()
        && text.len() <= 64
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    if fits { text } else { "other".to_owned() }
}

/// A `Content-Disposition` that saves a file under its name; RFC 5987, section 3.2.1, tells how names are written.
pub fn as_download(name: &str) -> String {
    const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_');
    format!(
        "attachment; filename*=UTF-8''{}",
        utf8_percent_encode(name, PLAIN)
    )
}

/// The first `most` characters of a text, for columns that hold no more.
pub fn fit(text: &str, most: usize) -> &str {
    // Nearly every text is shorter, and has no more characters than bytes.
    if text.len() <= most {
        return text;
    }
    match text.char_indices().nth(most) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

/// The prefix of a project's short ids: its slug in upper case, at most 16 characters.
pub fn short_prefix(slug: &str) -> String {
    let prefix: String = slug.to_uppercase().chars().take(16).collect();
    prefix.trim_end_matches(['-', '_']).to_owned()
}

/// Crockford's base 32 without I, L, O and U, as short ids use it.
const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A short id such as `SHOP-4F`.
pub fn short_id(prefix: &str, number: i64) -> String {
    let mut rest = number.max(0).unsigned_abs();
    let mut digits = Vec::new();
    loop {
        digits.push(CROCKFORD[(rest % 32) as usize]);
        rest /= 32;
        if rest == 0 {
            break;
        }
    }
    digits.reverse();
    format!(
        "{prefix}-{}",
        String::from_utf8(digits).expect("the alphabet is ASCII")
    )
}

/// Splits a short id into its upper-case prefix and number; O reads as 0, I and L as 1.
pub fn parse_short_id(text: &str) -> Option<(String, i64)> {
    let (prefix, digits) = text.trim().rsplit_once('-')?;
    if prefix.is_empty() || digits.is_empty() || digits.len() > 12 {
        return None;
    }
    let mut number: i64 = 0;
    for letter in digits.to_uppercase().bytes() {
        let letter = match letter {
            b'O' => b'0',
            b'I' | b'L' => b'1',
            other => other,
        };
        let value = CROCKFORD.iter().position(|digit| *digit == letter)?;
        number = number * 32 + value as i64;
    }
    Some((prefix.to_uppercase(), number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_plain_and_not_numbers() {
        assert_eq!(slug(" shop-web_2 "), Ok("shop-web_2".to_owned()));
        for text in ["", "Shop", "a b", "-x", "42", "api", "ä"] {
            assert!(slug(text).is_err(), "{text}");
        }
        assert_eq!(slug_from("My Web  Shop!"), "my-web-shop");
    }

    #[test]
    fn short_ids_go_both_ways() {
        assert_eq!(short_id("SHOP", 143), "SHOP-4F");
        assert_eq!(short_id("SHOP", 0), "SHOP-0");
        assert_eq!(parse_short_id("shop-4f"), Some(("SHOP".to_owned(), 143)));
        assert_eq!(
            parse_short_id("SHOP-WEB-1O"),
            Some(("SHOP-WEB".to_owned(), 32))
        );
        assert_eq!(parse_short_id("SHOP-U"), None);
        assert_eq!(parse_short_id("SHOP"), None);
    }

    #[test]
    fn addresses_are_lower_case_and_one_line() {
        assert_eq!(
            email(" Jane@Example.com "),
            Ok("jane@example.com".to_owned())
        );
        for text in ["", "jane", "@x", "a@b@c", "a\r\n@b", "a <a@b>"] {
            assert!(email(text).is_err(), "{text}");
        }
    }
}
