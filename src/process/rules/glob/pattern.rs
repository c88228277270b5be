//! The parts of a pattern.
//! In: its text. Out: for each alternative of its braces the list of its tokens.

use super::Mode;

/// How many patterns one with braces may stand for.
const MOST_ALTERNATIVES: usize = 64;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Char(char),
    /// `?`: one character.
    One,
    /// `[…]`: one character of a set.
    Class(Class),
    /// `*` where it crosses everything, else `**`.
    Anything,
    /// `*` of a path.
    WithinFolder,
    /// `**/` of a path: any number of folders, also none.
    Folders,
}

impl Token {
    pub fn as_char(&self) -> Option<char> {
        match self {
            Self::Char(c) => Some(*c),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Class {
    negated: bool,
    ranges: Vec<(char, char)>,
}

impl Class {
    /// Texts come in lower case where case does not count, but what a set holds was left as it is.
    pub fn contains(&self, c: char, mode: Mode) -> bool {
        let within = |c: char| {
            self.ranges
                .iter()
                .any(|(from, to)| (*from..=*to).contains(&c))
        };
        let found = within(c) || (mode.folds_case() && c.to_uppercase().any(within));
        found != self.negated
    }
}

/// Nothing if there are too many.
pub(super) fn alternatives(pattern: &str, mode: Mode) -> Option<Vec<Vec<Token>>> {
    let mut done = Vec::new();
    let mut open: Vec<Vec<char>> = vec![pattern.chars().collect()];
    while let Some(pattern) = open.pop() {
        let Some(braces) = Braces::find(&pattern, mode) else {
            done.push(tokens(&pattern, mode));
            continue;
        };
        if done.len() + open.len() + braces.bounds.len() > MOST_ALTERNATIVES + 1 {
            return None;
        }
        let (front, back) = (&pattern[..braces.bounds[0]], &pattern[braces.end() + 1..]);
        let choices = braces.bounds.windows(2).rev();
        open.extend(choices.map(|pair| [front, &pattern[pair[0] + 1..pair[1]], back].concat()));
    }
    Some(done)
}

/// A pair of braces with commas in it. Others are braces that a message happens to have.
struct Braces {
    /// Where the opening brace, the commas and the closing brace are.
    bounds: Vec<usize>,
}

impl Braces {
    fn find(pattern: &[char], mode: Mode) -> Option<Self> {
        let mut open: Vec<Self> = Vec::new();
        let mut at = 0;
        while let Some(c) = pattern.get(at) {
            match c {
                '\\' if is_escape(pattern.get(at + 1), mode) => at += 1,
                '[' => at = class_end(pattern, at, mode).unwrap_or(at),
                '{' => open.push(Self { bounds: vec![at] }),
                ',' => {
                    if let Some(braces) = open.last_mut() {
                        braces.bounds.push(at);
                    }
                }
                '}' => {
                    if let Some(mut braces) = open.pop().filter(|braces| braces.bounds.len() > 1) {
                        braces.bounds.push(at);
                        return Some(braces);
                    }
                }
                _ => {}
            }
            at += 1;
        }
        None
    }

    fn end(&self) -> usize {
        self.bounds[self.bounds.len() - 1]
    }
}

/// In paths a backslash separates folders, but before a bracket or a brace it can only be meant to escape it.
fn is_escape(next: Option<&char>, mode: Mode) -> bool {
    next.is_some_and(|next| !mode.is_path() || matches!(next, '[' | ']' | '{' | '}'))
}

fn tokens(pattern: &[char], mode: Mode) -> Vec<Token> {
    let mut tokens = Vec::with_capacity(pattern.len());
    let mut at = 0;
    while let Some(&c) = pattern.get(at) {
        at += 1;
        match c {
            '?' => tokens.push(Token::One),
            '*' => {
                let stars = 1 + pattern[at..].iter().take_while(|c| **c == '*').count();
                at += stars - 1;
                push_stars(&mut tokens, stars, mode);
            }
            '\\' if is_escape(pattern.get(at), mode) => {
                push_char(&mut tokens, pattern[at], mode);
                at += 1;
            }
            '[' => match class_end(pattern, at - 1, mode) {
                Some(end) => {
                    tokens.push(Token::Class(class(&pattern[at..end], mode)));
                    at = end + 1;
                }
                None => tokens.push(Token::Char('[')),
            },
            '\\' | '/' if mode.is_path() => push_separator(&mut tokens),
            _ => push_char(&mut tokens, c, mode),
        }
    }
    tokens
}

fn push_char(tokens: &mut Vec<Token>, c: char, mode: Mode) {
    if mode.folds_case() {
        tokens.extend(c.to_lowercase().map(Token::Char));
    } else {
        tokens.push(Token::Char(c));
    }
}

fn push_stars(tokens: &mut Vec<Token>, stars: usize, mode: Mode) {
    let token = if mode.is_path() && stars == 1 {
        Token::WithinFolder
    } else {
        Token::Anything
    };
    if tokens.last() != Some(&token) {
        tokens.push(token);
    }
}

/// `**` between separators, or at the start, takes the separator that follows with it.
fn push_separator(tokens: &mut Vec<Token>) {
    match &tokens[..] {
        [Token::Anything] | [.., Token::Char('/') | Token::Folders, Token::Anything] => {
            tokens.pop();
            if tokens.last() != Some(&Token::Folders) {
                tokens.push(Token::Folders);
            }
        }
        _ => tokens.push(Token::Char('/')),
    }
}

/// Where the set that begins here ends. A bracket right after the opening one is part of it.
fn class_end(pattern: &[char], start: usize, mode: Mode) -> Option<usize> {
    let mut at = start + 1;
    at += usize::from(matches!(pattern.get(at), Some('!' | '^')));
    at += usize::from(pattern.get(at) == Some(&']'));
    loop {
        match pattern.get(at)? {
            ']' => return Some(at),
            '\\' if is_escape(pattern.get(at + 1), mode) => at += 2,
            _ => at += 1,
        }
    }
}

/// Reads what stands between the brackets.
fn class(inside: &[char], mode: Mode) -> Class {
    let negated = matches!(inside.first(), Some('!' | '^'));
    let mut members = Vec::with_capacity(inside.len());
    let mut at = usize::from(negated);
    while let Some(&c) = inside.get(at) {
        let escapes = c == '\\' && is_escape(inside.get(at + 1), mode);
        at += usize::from(escapes);
        members.push((inside[at], escapes));
        at += 1;
    }
    let mut ranges = Vec::new();
    let mut rest = &members[..];
    while let [(first, _), after @ ..] = rest {
        if let [('-', false), (last, _), after @ ..] = after {
            ranges.push((*first, *last));
            rest = after;
        } else {
            ranges.push((*first, *first));
            rest = after;
        }
    }
    Class { negated, ranges }
}

/// What a pattern that may begin with `/` asks of a path that is relative, and so has no slash in front.
pub(super) fn below_root(tokens: &[Token], mode: Mode) -> Option<&[Token]> {
    let may_be_nothing = |token: &&Token| {
        matches!(
            token,
            Token::Anything | Token::WithinFolder | Token::Folders
        )
    };
    let start = tokens.iter().take_while(may_be_nothing).count();
    match &tokens[start..] {
        [Token::Char('/'), rest @ ..] if mode.is_path() => Some(rest),
        _ => None,
    }
}
