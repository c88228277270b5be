//! One line of rules, read from left to right.
//! In: the line. Out: its words and quoted texts, and what was expected where something else stands.

use std::fmt;

/// Why a line is no rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Both count from 1; columns are characters.
    pub line: u32,
    pub column: u32,
    pub expected: &'static str,
    /// The word that stands there, or nothing at the end of the line.
    pub found: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "line {}, column {}: expected {}",
            self.line, self.column, self.expected
        )?;
        if self.found.is_empty() {
            out.write_str(", found the end of the line")
        } else {
            write!(out, ", found `{}`", self.found)
        }
    }
}

pub(super) struct Scanner<'t> {
    text: &'t str,
    line: u32,
    at: usize,
}

impl<'t> Scanner<'t> {
    pub fn new(text: &'t str, line: u32) -> Self {
        Self { text, line, at: 0 }
    }

    /// Where the next character is, to point to it later.
    pub fn at(&self) -> usize {
        self.at
    }

    pub fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    pub fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Whether nothing but blanks and a comment is left.
    pub fn is_done(&mut self) -> bool {
        self.skip_blanks();
        matches!(self.peek(), None | Some('#'))
    }

    pub fn skip_blanks(&mut self) {
        self.take_while(char::is_whitespace);
    }

    /// Whether a word ends here.
    pub fn is_at_blank(&self) -> bool {
        self.peek().is_none_or(char::is_whitespace)
    }

    pub fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    pub fn take_while(&mut self, mut belongs: impl FnMut(char) -> bool) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// All up to and with the next `token`; nothing if there is none.
    pub fn take_through(&mut self, token: &str) -> Option<&'t str> {
        let rest = self.rest();
        let end = rest.find(token)? + token.len();
        self.at += end;
        Some(&rest[..end])
    }

    /// What stands between quotes. Only quotes and backslashes are escaped, so that globs keep their own escapes.
    pub fn quoted(&mut self) -> Result<String, Problem> {
        let start = self.at;
        self.eat("\"");
        let mut text = String::new();
        let mut chars = self.rest().char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.at += at + 1;
                    return Ok(text);
                }
                '\\' => match chars.clone().next() {
                    Some((_, escaped @ ('"' | '\\'))) => {
                        chars.next();
                        text.push(escaped);
                    }
                    _ => text.push(c),
                },
                _ => text.push(c),
            }
        }
        Err(self.problem_at(start, "a closing quote on the same line"))
    }

    pub fn problem(&self, expected: &'static str) -> Problem {
        self.problem_at(self.at, expected)
    }

    pub fn problem_at(&self, at: usize, expected: &'static str) -> Problem {
        const SHOWN: usize = 40;
        let word = self.text[at..]
            .split_whitespace()
            .next()
            .unwrap_or_default();
        Problem {
            line: self.line,
            column: self.text[..at].chars().count() as u32 + 1,
            expected,
            found: word
                .chars()
                .filter(|c| !c.is_control())
                .take(SHOWN)
                .collect(),
        }
    }
}

/// A text as it has to be written so that it is read back as one word: bare if nothing in it could end it.
pub(super) struct Quoted<'t> {
    pub text: &'t str,
    /// What may stand in a bare word besides letters and digits; nothing if it must be quoted.
    pub bare: Option<&'static str>,
}

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_bare =
            |c: char| c.is_alphanumeric() || self.bare.is_some_and(|bare| bare.contains(c));
        if self.bare.is_some() && !self.text.is_empty() && self.text.chars().all(is_bare) {
            return out.write_str(self.text);
        }
        out.write_str("\"")?;
        for c in self.text.chars() {
            if matches!(c, '"' | '\\') {
                out.write_str("\\")?;
            }
            write!(out, "{c}")?;
        }
        out.write_str("\"")
    }
}
