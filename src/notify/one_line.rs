//! Text from events made fit for a header or one line of a mail.
//! In: any text an SDK sent. Out: one line without control or direction-changing characters, cut to a length.

/// One line of at most `longest` characters; a cut is marked with `…`.
pub fn one_line(text: &str, longest: usize) -> String {
    let mut line: String = squeezed(text).take(longest + 1).collect();
    if let Some((cut, _)) = line.char_indices().nth(longest) {
        line.truncate(cut);
        line.pop();
        line.truncate(line.trim_end().len());
        line.push('…');
    }
    line
}

/// The characters of `text` with every run of white space and control characters folded into one space.
fn squeezed(text: &str) -> impl Iterator<Item = char> {
    let mut pending_space = false;
    let mut started = false;
    text.chars()
        .filter(|character| !changes_direction_or_hides(*character))
        .flat_map(move |character| {
            if character.is_whitespace() || character.is_control() {
                pending_space = started;
                return [None, None];
            }
            started = true;
            let space = std::mem::take(&mut pending_space).then_some(' ');
            [space, Some(character)]
        })
        .flatten()
}

/// Characters that make a reader see another text than was sent: bidirectional controls, zero-width marks, tags.
fn changes_direction_or_hides(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn text_becomes_one_honest_line() {
        for (text, line) in [
            ("KeyError: 'price'", "KeyError: 'price'"),
            ("a\r\nBcc: victim@example.com", "a Bcc: victim@example.com"),
            ("  two\t\twords \n", "two words"),
            ("null\0byte\u{7f}", "null byte"),
            ("\u{202e}gnp.exe\u{202c}", "gnp.exe"),
            ("line\u{2028}separator", "line separator"),
            ("", ""),
        ] {
            assert_eq!(one_line(text, 100), line, "{text:?}");
        }
    }

    #[test]
    fn a_long_text_is_cut_at_a_character() {
        assert_eq!(one_line("abcdef", 6), "abcdef");
        assert_eq!(one_line("abcdefg", 6), "abcde…");
        assert_eq!(one_line("äöüäöüä", 6), "äöüäö…");
        assert_eq!(one_line("abcd efg", 6), "abcd…");
    }
}
