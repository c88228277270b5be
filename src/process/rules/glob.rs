//! Globs: `*`, `?`, `[…]`, `{a,b}` and escapes, matched in linear time whatever the pattern is.
//! In: a pattern once, then texts as [`Mode::prepare`] leaves them. Out: whether the whole text matches.

mod automaton;
mod pattern;

use std::borrow::Cow;
use std::cell::Cell;

use super::effort::Effort;

use automaton::Automaton;
use pattern::Token;

/// The longest pattern, in bytes.
const LONGEST: usize = 1024;
/// How many tokens all its alternatives may have together, since rules stay in memory.
const MOST_TOKENS: usize = 2048;

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
    pub fn prepare(self, text: &str) -> Prepared<'_> {
        Prepared {
            text: self.fold(text),
            pairs: Cell::new(0),
        }
    }

    fn fold(self, text: &str) -> Cow<'_, str> {
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

/// A text to match, with a sketch of it that tells for most patterns that they cannot match.
#[derive(Debug, Clone)]
pub(in crate::process) struct Prepared<'t> {
    text: Cow<'t, str>,
    /// One bit for each pair of neighbouring bytes; nothing as long as nobody asked.
    pairs: Cell<u128>,
}

impl Prepared<'_> {
    fn may_contain(&self, part: &Part) -> bool {
        // Long texts have nearly all pairs.
        const LONGEST: usize = 256;
        if self.pairs.get() == 0 {
            let is_short = self.text.len() <= LONGEST;
            self.pairs.set(if is_short {
                pairs(&self.text)
            } else {
                u128::MAX
            });
        }
        self.pairs.get() & part.pairs == part.pairs
    }
}

/// Which pairs of bytes a text has. Different pairs may share a bit.
fn pairs(text: &str) -> u128 {
    let bit = |pair: &[u8]| (usize::from(pair[0]) * 5 + usize::from(pair[1]) * 29) % 128;
    text.as_bytes()
        .windows(2)
        .fold(0, |pairs, pair| pairs | (1 << bit(pair)))
}

/// Something that must be somewhere in the text.
#[derive(Debug, Clone, PartialEq)]
struct Part {
    text: String,
    pairs: u128,
}

impl Part {
    fn new(text: String) -> Self {
        let pairs = pairs(&text);
        Self { text, pairs }
    }

    fn is_in(&self, text: &Prepared<'_>, effort: &Effort) -> bool {
        text.may_contain(self)
            && effort.spend(1 + text.text.len() / 64)
            && text.text.contains(self.text.as_str())
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
    Contains(Part),
    General(Box<General>),
}

/// Everything else, with what must be there in any case and is looked for first.
#[derive(Debug, Clone, PartialEq)]
struct General {
    prefix: String,
    suffix: String,
    inside: Part,
    automaton: Automaton,
}

impl Glob {
    /// Nothing if the pattern is too long or its braces stand for too much.
    pub fn new(pattern: &str, mode: Mode) -> Option<Self> {
        if pattern.len() > LONGEST {
            return None;
        }
        let alternatives = pattern::alternatives(pattern, mode)?;
        if alternatives.iter().map(Vec::len).sum::<usize>() > MOST_TOKENS {
            return None;
        }
        let mut choices = Vec::with_capacity(alternatives.len());
        for tokens in alternatives {
            if let Some(rest) = pattern::below_root(&tokens, mode) {
                choices.push(Choice::new(rest, mode, true)?);
            }
            choices.push(Choice::new(&tokens, mode, false)?);
        }
        Some(Self { choices })
    }

    /// Whether the whole text matches. What it says with the effort spent means nothing.
    pub fn matches(&self, text: &Prepared<'_>, effort: &Effort) -> bool {
        self.choices
            .iter()
            .any(|choice| choice.matches(text, effort))
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

    fn matches(&self, prepared: &Prepared<'_>, effort: &Effort) -> bool {
        let text = &*prepared.text;
        if !effort.spend(1) || (self.only_relative && text.starts_with('/')) {
            return false;
        }
        match &self.shape {
            Shape::Anything => true,
            Shape::Exactly(whole) => text == whole,
            Shape::Prefix(prefix) => text.starts_with(prefix.as_str()),
            Shape::Suffix(suffix) => text.ends_with(suffix.as_str()),
            Shape::Contains(part) => part.is_in(prepared, effort),
            Shape::General(general) => general.matches(prepared, effort),
        }
    }
}

impl Shape {
    fn of(tokens: &[Token], mode: Mode) -> Option<Self> {
        let (starts_open, rest) = match tokens {
            [Token::Anything, rest @ ..] => (true, rest),
            _ => (false, tokens),
        };
        let (ends_open, middle) = match rest {
            [middle @ .., Token::Anything] => (true, middle),
            _ => (false, rest),
        };
        let literal: Option<String> = middle.iter().map(Token::as_char).collect();
        Some(match (starts_open, literal, ends_open) {
            (_, None, _) => Self::General(Box::new(General::of(tokens, mode)?)),
            (false, Some(whole), false) => Self::Exactly(whole),
            (_, Some(nothing), _) if nothing.is_empty() => Self::Anything,
            (false, Some(prefix), true) => Self::Prefix(prefix),
            (true, Some(suffix), false) => Self::Suffix(suffix),
            (true, Some(part), true) => Self::Contains(Part::new(part)),
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
            inside: Part::new(inside.unwrap_or_default()),
            automaton: Automaton::new(tokens, mode)?,
        })
    }

    fn matches(&self, prepared: &Prepared<'_>, effort: &Effort) -> bool {
        let text = &*prepared.text;
        // Comparing with nothing is slower than comparing with something, and the sketch is quicker than both.
        prepared.may_contain(&self.inside)
            && (self.prefix.is_empty() || text.starts_with(self.prefix.as_str()))
            && (self.suffix.is_empty() || text.ends_with(self.suffix.as_str()))
            && self.inside.is_in(prepared, effort)
            && effort.spend(text.len() * self.automaton.width() / 2)
            && self.automaton.matches(text)
    }
}

#[cfg(test)]
mod tests;
