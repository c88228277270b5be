//! Globs: `*`, `?`, `[…]`, `{a,b}` and escapes, matched in linear time whatever the pattern is.
//! In: a pattern once, then texts as [`Mode::prepare`] leaves them. Out: whether the whole text matches.

mod automaton;
mod pattern;

use std::borrow::Cow;

use automaton::Automaton;
use pattern::Token;

/// The longest pattern, in bytes.
pub(in crate::process) const LONGEST: usize = 1024;

/// How a pattern is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::process) enum Mode {
    /// Letter for letter: types, functions, modules.
    Exact,
    /// Upper and lower case are the same: messages, values.
    AnyCase,
    /// As `AnyCase`, and `\` is `/`, which `*` and `?` do not cross but `**` does. A relative path also counts as one
    /// below `/`.
    Path,
}

impl Mode {
    const fn folds_case(self) -> bool {
        !matches!(self, Self::Exact)
    }

    const fn is_path(self) -> bool {
        matches!(self, Self::Path)
    }

    /// The text as globs of this mode want it. Texts meet many globs, so this is done once for each.
    pub fn prepare(self, text: &str) -> Cow<'_, str> {
        let changes = |byte: u8| {
            byte.is_ascii_uppercase() || byte >= 0x80 || (byte == b'\\' && self.is_path())
        };
        if !self.folds_case() || !text.bytes().any(changes) {
            return Cow::Borrowed(text);
        }
        let separated = |c| if self.is_path() && c == '\\' { '/' } else { c };
        Cow::Owned(if text.is_ascii() {
            let lower = |c: char| separated(c.to_ascii_lowercase());
            text.chars().map(lower).collect()
        } else {
            let lower = text.chars().flat_map(char::to_lowercase);
            lower.map(separated).collect()
        })
    }
}

/// A compiled pattern.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::process) struct Glob {
    choices: Vec<Choice>,
}

#[derive(Debug, Clone, PartialEq)]
struct Choice {
    shape: Shape,
    /// What a pattern that begins with a slash says of paths that do not.
    only_relative: bool,
}

/// Most patterns are simple, and then a comparison is all it takes.
#[derive(Debug, Clone, PartialEq)]
enum Shape {
    Anything,
    Exactly(String),
    Prefix(String),
    Suffix(String),
    Contains(String),
    General(Box<General>),
}

/// Everything else, with what must be there in any case and is looked for first.
#[derive(Debug, Clone, PartialEq)]
struct General {
    prefix: String,
    suffix: String,
    inside: String,
    automaton: Automaton,
}

impl Glob {
    /// Nothing if the pattern is too long or its braces have too many alternatives.
    pub fn new(pattern: &str, mode: Mode) -> Option<Self> {
        if pattern.len() > LONGEST {
            return None;
        }
        let mut choices = Vec::new();
        for tokens in pattern::alternatives(pattern, mode)? {
            if let Some(rest) = pattern::below_root(&tokens, mode) {
                choices.push(Choice::new(rest, mode, true)?);
            }
            choices.push(Choice::new(&tokens, mode, false)?);
        }
        Some(Self { choices })
    }

    /// Whether the whole text, which is prepared, matches.
    pub fn matches(&self, text: &str) -> bool {
        self.choices.iter().any(|choice| choice.matches(text))
    }

    /// About how much work it is to match a text of this length, in tens of nanoseconds.
    pub fn cost(&self, length: usize) -> usize {
        let cost = |choice: &Choice| match &choice.shape {
            Shape::Anything | Shape::Exactly(_) | Shape::Prefix(_) | Shape::Suffix(_) => 1,
            Shape::Contains(_) => 1 + length / 64,
            Shape::General(general) => 1 + length * general.automaton.width() / 8,
        };
        self.choices.iter().map(cost).sum()
    }
}

impl Choice {
    fn new(tokens: &[Token], mode: Mode, only_relative: bool) -> Option<Self> {
        let shape = Shape::of(tokens, mode)?;
        Some(Self {
            shape,
            only_relative,
        })
    }

    fn matches(&self, text: &str) -> bool {
        if self.only_relative && text.starts_with('/') {
            return false;
        }
        match &self.shape {
            Shape::Anything => true,
            Shape::Exactly(whole) => text == whole,
            Shape::Prefix(prefix) => text.starts_with(prefix.as_str()),
            Shape::Suffix(suffix) => text.ends_with(suffix.as_str()),
            Shape::Contains(part) => text.contains(part.as_str()),
            Shape::General(general) => general.matches(text),
        }
    }
}

impl Shape {
    fn of(tokens: &[Token], mode: Mode) -> Option<Self> {
        let literal = |tokens: &[Token]| tokens.iter().map(Token::as_char).collect();
        let whole: Option<String> = literal(tokens);
        Some(match tokens {
            [Token::Anything] => Self::Anything,
            _ if whole.is_some() => Self::Exactly(whole?),
            [middle @ .., Token::Anything] if literal(middle).is_some() => {
                Self::Prefix(literal(middle)?)
            }
            [Token::Anything, middle @ ..] if literal(middle).is_some() => {
                Self::Suffix(literal(middle)?)
            }
            [Token::Anything, middle @ .., Token::Anything] if literal(middle).is_some() => {
                Self::Contains(literal(middle)?)
            }
            _ => Self::General(Box::new(General::of(tokens, mode)?)),
        })
    }
}

impl General {
    fn of(tokens: &[Token], mode: Mode) -> Option<Self> {
        let runs = || tokens.split(|token| token.as_char().is_none());
        let text = |run: &[Token]| run.iter().filter_map(Token::as_char).collect();
        let inside = runs().max_by_key(|run| run.len()).map(text);
        Some(Self {
            prefix: runs().next().map(text).unwrap_or_default(),
            suffix: runs().next_back().map(text).unwrap_or_default(),
            inside: inside.unwrap_or_default(),
            automaton: Automaton::new(tokens, mode)?,
        })
    }

    fn matches(&self, text: &str) -> bool {
        text.starts_with(self.prefix.as_str())
            && text.ends_with(self.suffix.as_str())
            && text.contains(self.inside.as_str())
            && self.automaton.matches(text)
    }
}

#[cfg(test)]
mod tests;
