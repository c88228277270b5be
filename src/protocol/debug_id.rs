//! The id that a build gives a script and its source map. In: a UUID in any form. Out: one form for all.

/// 32 hex digits in lower case, of any form of a UUID; nothing else counts.
pub fn canonical(text: &str) -> Option<String> {
    let digits: String = text
        .trim()
        .chars()
        .filter(|sign| *sign != '-')
        .map(|sign| sign.to_ascii_lowercase())
        .collect();
    (digits.len() == 32 && digits.chars().all(|sign| sign.is_ascii_hexdigit())).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_ids_are_read_in_every_form() {
        let plain = "83afbdf8c3315037bddf0b088950a56a";
        for text in [
            plain,
            "83afbdf8-c331-5037-bddf-0b088950a56a",
            "83AFBDF8-C331-5037-BDDF-0B088950A56A",
        ] {
            assert_eq!(canonical(text).as_deref(), Some(plain));
        }
        for text in ["", "83afbdf8", "83afbdf8-c331-5037-bddf-0b088950a56g"] {
            assert_eq!(canonical(text), None, "{text}");
        }
    }
}
