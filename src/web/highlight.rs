//! Source lines with colours. In: the lines around a frame and its file or platform. Out: pieces of each line with
//! their class. The grammars are Sublime Text's and bat's, through `syntect` and `two-face`.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use syntect::parsing::{ParseState, Scope, ScopeStack, SyntaxReference, SyntaxSet};

/// A piece of a line; the class is empty for plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    pub class: &'static str,
    pub text: String,
}

/// Unpacked when the first page with source lines is opened.
static SYNTAXES: LazyLock<SyntaxSet> = LazyLock::new(two_face::syntax::extra_no_newlines);

/// Scopes that have a colour, and their class in `static/css/event.css`.
static CLASSES: LazyLock<Vec<(Scope, &'static str)>> = LazyLock::new(|| {
    [
        ("comment", "hl-c"),
        ("string", "hl-s"),
        ("constant.numeric", "hl-n"),
        ("constant.language", "hl-k"),
        ("keyword.operator.logical", "hl-k"),
        ("keyword.operator", ""),
        ("keyword", "hl-k"),
        ("storage", "hl-k"),
        ("variable.language", "hl-k"),
    ]
    .into_iter()
    .map(|(name, class)| (Scope::new(name).expect("the names are well formed"), class))
    .collect()
});

/// The lines in colours; joined again, the pieces of a line are the line. Lines of no known language stay plain.
pub fn lines(file: &str, platform: &str, lines: &[String]) -> Vec<Vec<Piece>> {
    let Some(syntax) = syntax_of(file, platform) else {
        return lines.iter().map(|line| plain(line)).collect();
    };
    let key = (syntax.name.as_str(), lines.join("\n"));
    if let Some(coloured) = KNOWN.with(|known| known.of.get(&key).cloned()) {
        return coloured;
    }
    let coloured = coloured(syntax, lines);
    KNOWN.with(|known| known.keep(key, &coloured));
    coloured
}

fn coloured(syntax: &SyntaxReference, lines: &[String]) -> Vec<Vec<Piece>> {
    let mut state = ParseState::new(syntax);
    let mut scopes = ScopeStack::new();
    lines
        .iter()
        .map(|line| colour(&mut state, &mut scopes, line).unwrap_or_else(|| plain(line)))
        .collect()
}

/// What was coloured already. The events of an issue show the same lines again and again, and colouring them is a third of
/// the cost of a page.
static KNOWN: Shared = Shared(LazyLock::new(Mutex::default));
/// Bytes of source lines that are remembered; with their pieces they take about five times as much.
const MOST_KNOWN: usize = 1024 * 1024;

struct Shared(LazyLock<Mutex<Known>>);

#[derive(Default)]
struct Known {
    /// By the name of the grammar and the lines.
    of: HashMap<(&'static str, String), Vec<Vec<Piece>>>,
    bytes: usize,
}

impl Shared {
    fn with<T>(&self, work: impl FnOnce(&mut Known) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Known {
    fn keep(&mut self, key: (&'static str, String), coloured: &[Vec<Piece>]) {
        if self.bytes + key.1.len() > MOST_KNOWN {
            *self = Self::default();
        }
        if key.1.len() <= MOST_KNOWN / 16 {
            self.bytes += key.1.len();
            self.of.insert(key, coloured.to_vec());
        }
    }
}

/// What SDKs report from. Every grammar costs some ten megabytes once it is used, and an event may name any file: so only
/// these are used.
const ENDINGS: &[&str] = &[
    "c", "cpp", "cs", "dart", "ex", "go", "java", "js", "kt", "php", "pl", "py", "rb", "rs",
    "swift", "ts", "tsx", "vue",
];

/// By the file's ending, else by the platform.
fn syntax_of(file: &str, platform: &str) -> Option<&'static SyntaxReference> {
    let ending = file
        .rsplit(['/', '\\'])
        .next()
        .and_then(|name| name.rsplit_once('.'))
        .map_or("", |(_, ending)| ending);
    let ending = match ending {
        "mjs" | "cjs" | "jsx" => "js",
        "h" | "cc" | "cxx" | "hpp" | "m" | "mm" => "cpp",
        "exs" => "ex",
        "erb" | "rake" => "rb",
        known => known,
    };
    let by_platform = match platform {
        "python" => "py",
        "javascript" | "node" => "js",
        "ruby" => "rb",
        "rust" => "rs",
        "csharp" => "cs",
        "elixir" => "ex",
        "perl" => "pl",
        "cocoa" => "swift",
        "native" => "cpp",
        other => other,
    };
    let find = |ending: &str| {
        ENDINGS
            .contains(&ending)
            .then(|| SYNTAXES.find_syntax_by_extension(ending))
            .flatten()
    };
    find(ending).or_else(|| find(by_platform))
}

fn plain(line: &str) -> Vec<Piece> {
    vec![Piece {
        class: "",
        text: line.to_owned(),
    }]
}

fn colour(state: &mut ParseState, scopes: &mut ScopeStack, line: &str) -> Option<Vec<Piece>> {
    let changes = state.parse_line(line, &SYNTAXES).ok()?;
    let mut pieces = Vec::new();
    let mut from = 0;
    for (at, change) in changes {
        push(&mut pieces, class_of(scopes), line.get(from..at)?);
        from = at;
        scopes.apply(&change).ok()?;
    }
    push(&mut pieces, class_of(scopes), line.get(from..)?);
    Some(pieces)
}

/// The innermost scope that has a colour decides.
fn class_of(scopes: &ScopeStack) -> &'static str {
    scopes
        .as_slice()
        .iter()
        .rev()
        .find_map(|scope| {
            CLASSES
                .iter()
                .find(|(known, _)| known.is_prefix_of(*scope))
                .map(|(_, class)| *class)
        })
        .unwrap_or("")
}

fn push(pieces: &mut Vec<Piece>, class: &'static str, text: &str) {
    if text.is_empty() {
        return;
    }
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

    fn marked(file: &str, platform: &str, line: &str) -> String {
        lines(file, platform, &[line.to_owned()])[0]
            .iter()
            .map(|piece| match piece.class {
                "" => piece.text.clone(),
                class => format!("<{}:{}>", &class[3..], piece.text),
            })
            .collect()
    }

    #[test]
    fn words_strings_numbers_and_comments_are_told_apart() {
        let python = marked(
            "shop/cart.py",
            "",
            r#"for item in get("quantity", 1):  # euros"#,
        );
        assert!(
            python.starts_with("<k:for>") && python.contains(r#"<s:"quantity">"#),
            "{python}"
        );
        assert!(
            python.contains("<n:1>") && python.contains("<c:# euros>"),
            "{python}"
        );
        for (file, platform, word) in [
            ("a.ts", "", "const"),
            ("app.min", "node", "const"),
            ("a.rs", "", "let"),
            ("A.java", "", "return"),
        ] {
            let line = format!("{word} x = 12;");
            assert!(
                marked(file, platform, &line).starts_with(&format!("<k:{word}>")),
                "{file}"
            );
        }
        assert_eq!(marked("notes", "other", "const x"), "const x");
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
            for file in ["a.py", "a.rs", "a.js", "a.php", "a.rb", "a.go", "a.cs"] {
                let joined: String = lines(file, "", &[line.to_owned()])[0]
                    .iter()
                    .map(|piece| piece.text.as_str())
                    .collect();
                assert_eq!(joined, line);
            }
        }
    }
}
