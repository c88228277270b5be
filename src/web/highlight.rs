//! Source lines with colours. In: one line of code and its file or platform. Out: pieces with the class of each.
//! A line is all there is, so this tells words, strings, numbers and notes apart and does not parse a language.

/// A piece of a line; the class is empty for plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    pub class: &'static str,
    pub text: String,
}

/// How a language writes notes and which words it keeps for itself.
#[derive(Debug, Clone, Copy)]
pub struct Language {
    pub(super) notes: &'static [&'static str],
    pub(super) words: &'static [&'static str],
    /// A lone `'` may start something else than a string (a lifetime, a character).
    pub(super) quote_is_char: bool,
}

impl Language {
    /// Cuts a line into pieces; joined again they are the line.
    pub fn pieces(&self, line: &str) -> Vec<Piece> {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut rest = line;
        while let Some(letter) = rest.chars().next() {
            let (class, length) = self.next(
                letter,
                rest,
                pieces.last().is_some_and(|last| ends_in_word(&last.text)),
            );
            push(&mut pieces, class, &rest[..length]);
            rest = &rest[length..];
        }
        pieces
    }

    fn next(&self, letter: char, rest: &str, inside_word: bool) -> (&'static str, usize) {
        if self.notes.iter().any(|note| rest.starts_with(note)) {
            return ("hl-c", rest.len());
        }
        if matches!(letter, '"' | '\'' | '`') {
            return match string_end(letter, rest) {
                Some(end) if letter != '\'' || !self.quote_is_char || end <= 8 => ("hl-s", end),
                None if letter != '\'' || !self.quote_is_char => ("hl-s", rest.len()),
                _ => ("", letter.len_utf8()),
            };
        }
        if letter.is_ascii_digit() && !inside_word {
            let end = rest
                .find(|other: char| !(other.is_ascii_alphanumeric() || matches!(other, '_' | '.')))
                .unwrap_or(rest.len());
            return ("hl-n", end);
        }
        if letter.is_alphabetic() || matches!(letter, '_' | '$' | '@') {
            let end = rest[letter.len_utf8()..]
                .find(|other: char| !(other.is_alphanumeric() || other == '_'))
                .map_or(rest.len(), |end| end + letter.len_utf8());
            return (
                if self.words.contains(&&rest[..end]) {
                    "hl-k"
                } else {
                    ""
                },
                end,
            );
        }
        ("", letter.len_utf8())
    }
}

fn ends_in_word(text: &str) -> bool {
    text.chars()
        .next_back()
        .is_some_and(|letter| letter.is_alphanumeric() || letter == '_')
}

/// Where a string that starts with `quote` ends, after the closing quote.
fn string_end(quote: char, text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if letter == '\\' {
            escaped = true;
        } else if letter == quote {
            return Some(at + letter.len_utf8());
        }
    }
    None
}

fn push(pieces: &mut Vec<Piece>, class: &'static str, text: &str) {
    match pieces.last_mut() {
        Some(last) if last.class == class => last.text.push_str(text),
        _ => pieces.push(Piece {
            class,
            text: text.to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(file: &str, line: &str) -> String {
        Language::of(file, "")
            .pieces(line)
            .iter()
            .map(|piece| match piece.class {
                "" => piece.text.clone(),
                class => format!("<{}:{}>", &class[3..], piece.text),
            })
            .collect()
    }

    #[test]
    fn words_strings_numbers_and_notes_are_told_apart() {
        assert_eq!(
            marked(
                "cart.py",
                r#"    total += item["price"] * item.get("quantity", 1)  # euros"#
            ),
            r#"    total += item[<s:"price">] * item.get(<s:"quantity">, <n:1>)  <c:# euros>"#
        );
        assert_eq!(
            marked("a.py", "for item in items2:"),
            "<k:for> item <k:in> items2:"
        );
        assert_eq!(
            marked("a.ts", "const a = `x` // y"),
            "<k:const> a = <s:`x`> <c:// y>"
        );
        assert_eq!(
            marked("a.rs", "fn f<'a>(x: &'a str) -> u8 { b'x' }"),
            "<k:fn> f<'a>(x: &'a str) -> u8 { b<s:'x'> }"
        );
    }

    #[test]
    fn nothing_is_lost() {
        for line in [
            "",
            "  ",
            "\"open",
            "é 'ü",
            "0x1f_u8.",
            "日本 # 語",
            "a\\\"b\"c",
        ] {
            for file in ["a.py", "a.rs", "a.js", "a.php", "a.rb"] {
                let joined: String = Language::of(file, "")
                    .pieces(line)
                    .into_iter()
                    .map(|piece| piece.text)
                    .collect();
                assert_eq!(joined, line);
            }
        }
    }
}
