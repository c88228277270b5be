//! Replaces what differs from one occurrence to the next (numbers, ids, times, addresses, values) in a message.
//! In: a text. Out: its first lines with placeholders such as `<value>`, the same for all occurrences.
//!
//! There are few placeholders on purpose: whether an id is of digits or letters, or a host has a name or only an
//! address, does not make another problem. A number that names a kind of failure, such as a status, stays.

mod address;
mod announce;
mod code;
mod date;
mod host;
mod ip;
mod lexer;
mod minified;
mod number;
mod path;
mod quoted;
mod sql;
mod text;
mod unit;
mod word;

use std::borrow::Cow;

use lexer::{Detail, Lexer};

/// Longer texts are cut before they are looked at.
const LONGEST: usize = 4096;

/// What stands for a part that varies.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Placeholder {
    /// A number, a date, a duration, an id, a hash, a quoted text.
    Value,
    /// A URL, a host, an IP address or a mail address, with its port.
    Address,
    Path,
    /// A name that a minifier made.
    Name,
}

impl Placeholder {
    fn text(self) -> &'static str {
        match self {
            Self::Value => "<value>",
            Self::Address => "<address>",
            Self::Path => "<path>",
            Self::Name => "<name>",
        }
    }
}

/// A part of a text and what takes its place.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Replacement {
    start: usize,
    end: usize,
    with: Placeholder,
}

impl Replacement {
    fn new(start: usize, end: usize, with: Placeholder) -> Self {
        Self { start, end, with }
    }

    fn value(start: usize, end: usize) -> Self {
        Self::new(start, end, Placeholder::Value)
    }

    fn address(start: usize, end: usize) -> Self {
        Self::new(start, end, Placeholder::Address)
    }

    fn path(start: usize, end: usize) -> Self {
        Self::new(start, end, Placeholder::Path)
    }

    fn name(start: usize, end: usize) -> Self {
        Self::new(start, end, Placeholder::Name)
    }
}

/// The part of a text that is the same for all its occurrences.
pub fn parameterize(text: &str) -> Cow<'_, str> {
    rewrite(first_two_lines(text), Detail::Full)
}

/// The words of the first line alone: all quoted texts, tokens with digits, paths and addresses are replaced, codes too.
/// It tells errors apart whose type and stack are those of a helper.
pub fn skeleton(text: &str) -> Cow<'_, str> {
    let text = cut(text.trim());
    let line = text.lines().next().unwrap_or_default().trim_end();
    rewrite(Cow::Borrowed(line), Detail::Skeleton)
}

fn rewrite(text: Cow<'_, str>, detail: Detail) -> Cow<'_, str> {
    match Lexer::new(&text, detail).run() {
        Some(rewritten) => Cow::Owned(rewritten),
        None => text,
    }
}

/// The first two lines that are not blank; an ellipsis tells that there was more.
fn first_two_lines(text: &str) -> Cow<'_, str> {
    let text = cut(text.trim());
    if !text.contains('\n') {
        return Cow::Borrowed(text);
    }
    let mut lines = text
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty());
    let mut kept = lines.by_ref().take(2).collect::<Vec<_>>().join("\n");
    if lines.next().is_some() {
        kept.push_str("...");
    }
    Cow::Owned(kept)
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests;
