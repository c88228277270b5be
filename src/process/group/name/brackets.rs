//! Reading text with nested brackets, as types and parameter lists have them.
//! In: any text, balanced or not. Out: where a bracket closes, where something stands outside of all brackets.

use super::operator;

/// The index behind the bracket that closes the one at `at`; nothing if none does.
///
/// A `>` closes only a `<` on top: in `f<(a < b)>` the inner one is no bracket.
pub(super) fn group_end(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut open: Vec<u8> = Vec::new();
    // How many of each kind are open, so that a stray closing bracket costs no search.
    let mut counts = [0_usize; 3];
    let mut here = at;
    while let Some(&byte) = bytes.get(here) {
        match byte {
            b'<' => open.push(byte),
            b'(' | b'[' | b'{' => {
                open.push(byte);
                counts[kind(byte)] += 1;
            }
            b'>' if here > at && matches!(bytes[here - 1], b'-' | b'=') => {}
            b'>' if open.last() == Some(&b'<') => {
                open.pop();
            }
            b')' | b']' | b'}' if counts[kind(byte)] > 0 => {
                while let Some(top) = open.pop() {
                    if top != b'<' {
                        counts[kind(top)] -= 1;
                        if kind(top) == kind(byte) {
                            break;
                        }
                    }
                }
            }
            b'o' if is_word_start(bytes, here) => {
                if let Some((_, end)) = operator::symbol(text, here) {
                    here = end;
                    continue;
                }
            }
            _ => {}
        }
        here += 1;
        if open.is_empty() {
            return Some(here);
        }
    }
    None
}

/// Where `needle` first stands outside of all brackets, from `from` on.
pub(super) fn find_outside(text: &str, needle: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut here = from;
    // A bracket that never closes is none, and neither is one before it that is still open.
    let mut has_groups = true;
    while here < bytes.len() {
        if bytes[here..].starts_with(needle.as_bytes()) {
            return Some(here);
        }
        if has_groups && matches!(bytes[here], b'<' | b'(' | b'[' | b'{') {
            match group_end(text, here) {
                Some(end) => {
                    here = end;
                    continue;
                }
                None => has_groups = false,
            }
        }
        here += 1;
    }
    None
}

pub(super) fn is_word_start(bytes: &[u8], at: usize) -> bool {
    at == 0 || !(bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_')
}

const fn kind(bracket: u8) -> usize {
    match bracket {
        b'(' | b')' => 0,
        b'[' | b']' => 1,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_end_where_their_bracket_closes() {
        for (text, expected) in [
            ("<a<b>>c", Some(6)),
            ("(fn() -> T)x", Some(11)),
            ("<(a < b)>x", Some(9)),
            ("(a]b)c", Some(5)),
            ("<&A::operator->>x", Some(16)),
            ("{a(}b", Some(4)),
            ("((a)", None),
            ("<", None),
        ] {
            assert_eq!(group_end(text, 0), expected, "{text}");
        }
    }

    #[test]
    fn brackets_hide_what_they_hold() {
        assert_eq!(find_outside("(a in b) in c", " in ", 0), Some(8));
        assert_eq!(find_outside("f<A -> B>", " -> ", 0), None);
        assert_eq!(find_outside("(a in b", " in ", 0), Some(2));
        // Linear also where nothing closes.
        assert_eq!(find_outside(&"(<[{".repeat(50_000), "x", 0), None);
        assert_eq!(group_end(&"<]".repeat(50_000), 0), None);
    }
}
