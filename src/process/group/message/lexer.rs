//! One pass over a text that asks the rules in turn: at each place the first that finds something decides.
//! In: a text. Out: the text with placeholders, or nothing if none of it varies.

use super::quoted::{Quoted, Quotes};
use super::text::Text;
use super::word::{self, Word};
use super::{Placeholder, Replacement, code, ip, number, path, sql};

/// How much is replaced.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Detail {
    /// What varies.
    Full,
    /// Whatever is no plain word.
    Skeleton,
}

/// What a rule found at a place.
pub(super) enum Step {
    /// All up to there stays.
    Keep(usize),
    Replace(Replacement),
}

/// What the scrubber left in place of a secret, and what the secret would have become.
const SCRUBBED: [(&str, Placeholder); 6] = [
    ("[Filtered]", Placeholder::Value),
    ("[creditcard]", Placeholder::Value),
    ("[iban]", Placeholder::Value),
    ("[us-ssn]", Placeholder::Value),
    ("[bearer]", Placeholder::Value),
    ("[email]", Placeholder::Address),
];

/// How many words that statements of SQL start with are looked at.
const MOST_VERBS: usize = 4;

pub(super) struct Lexer<'t> {
    text: Text<'t>,
    detail: Detail,
    quotes: Quotes,
    /// Whether a statement of SQL has started.
    is_sql: bool,
    verbs: usize,
    out: String,
    /// Up to where the text went into `out`: the end of the last replacement.
    copied: usize,
    last: Option<Placeholder>,
}

impl<'t> Lexer<'t> {
    pub fn new(text: &'t str, detail: Detail) -> Self {
        Self {
            text: Text::new(text),
            detail,
            quotes: Quotes::default(),
            is_sql: false,
            verbs: 0,
            out: String::new(),
            copied: 0,
            last: None,
        }
    }

    pub fn run(mut self) -> Option<String> {
        let mut at = 0;
        while at < self.text.bytes.len() {
            at = match self.step(at) {
                Step::Keep(end) => end.max(at + 1),
                Step::Replace(replacement) => {
                    self.replace(replacement);
                    replacement.end.max(at + 1)
                }
            };
        }
        self.last?;
        self.out.push_str(self.text.slice(self.copied, at));
        if self.is_sql {
            sql::join_rows(&mut self.out);
        }
        Some(self.out)
    }

    /// A list of values varies in its length, too: it becomes one.
    fn replace(&mut self, replacement: Replacement) {
        let between = self.text.slice(self.copied, replacement.start);
        let continues_list = self.last == Some(replacement.with) && matches!(between, "," | ", ");
        if self.last.is_none() {
            self.out.reserve(self.text.bytes.len() + 16);
        }
        if !continues_list {
            self.out.push_str(between);
            self.out.push_str(replacement.with.text());
        }
        self.copied = replacement.end;
        self.last = Some(replacement.with);
    }

    fn step(&mut self, at: usize) -> Step {
        let byte = self.text.byte(at);
        if byte.is_ascii_alphanumeric() {
            return self.word(at);
        }
        let found = match byte {
            b'\'' | b'"' | b'`' => self.quote(at),
            b'/' | b'.' | b'~' => self.path(at),
            b'=' | b':' => self.after_key(at),
            b'[' => self.bracket(at),
            b'(' => key_value(&self.text, at),
            b'?' | b'%' if self.is_sql => sql::parameter(&self.text, at),
            b'?' => path::query(&self.text, at),
            0xe2 => self.curly_quote(at),
            _ => None,
        };
        match found {
            Some(found) => Step::Replace(found),
            None if number::may_start(byte) => self.signed(at),
            None => Step::Keep(at + 1),
        }
    }

    fn word(&mut self, at: usize) -> Step {
        let word = Word::read(&self.text, at);
        if !self.is_sql && self.verbs < MOST_VERBS && word.may_start_statement(&self.text) {
            self.verbs += 1;
            self.is_sql = sql::starts_statement(&self.text, at, word.end);
        }
        if self.detail == Detail::Skeleton {
            return word::skeleton(&self.text, &word);
        }
        if self.is_sql
            && let Some(parameter) = sql::parameter(&self.text, at)
        {
            return Step::Replace(parameter);
        }
        let follows_value = self.last.is_some() && at > 0 && self.copied == at - 1;
        word::read(&self.text, &word, follows_value)
    }

    fn quote(&mut self, at: usize) -> Option<Replacement> {
        match self.quotes.read(&self.text, at, self.is_sql) {
            Quoted::Value(end) => Some(Replacement::value(at, end)),
            Quoted::Open(close) if self.detail == Detail::Skeleton => {
                Some(Replacement::value(at, close + 1))
            }
            Quoted::Open(_) | Quoted::Sign => None,
        }
    }

    /// Curly quotes are those of translated texts, about files and apps.
    fn curly_quote(&self, at: usize) -> Option<Replacement> {
        const LONGEST: usize = 256;
        if !self.text.starts_with(at, "“") {
            return None;
        }
        let start = at + "“".len();
        let end = self
            .text
            .short_run(start, LONGEST, |byte| byte != 0xe2 && byte != b'\n');
        let close = self.text.starts_with(end, "”");
        close.then(|| Replacement::value(at, end + "”".len()))
    }

    fn path(&self, at: usize) -> Option<Replacement> {
        if self.detail == Detail::Skeleton {
            path::any(&self.text, at)
        } else {
            path::absolute(&self.text, at)
        }
    }

    /// A number with what stands before it.
    fn signed(&self, at: usize) -> Step {
        let text = &self.text;
        if !text.has_digit || !text.starts_word(at) {
            return Step::Keep(at + 1);
        }
        if self.detail == Detail::Full
            && text.byte(at) == b'-'
            && let Some(end) = code::number(text, at)
        {
            return Step::Keep(end);
        }
        match number::end(text, at) {
            Some(end) => Step::Replace(Replacement::value(at, end)),
            None => Step::Keep(at + 1),
        }
    }

    /// `=True`, `"ok": false`, and addresses that start with colons.
    fn after_key(&self, at: usize) -> Option<Replacement> {
        let text = &self.text;
        if text.starts_with(at, "::") {
            return ip::after_colons(text, at).map(|end| Replacement::address(at, end));
        }
        let is_json = text.byte(at) == b':' && matches!(text.before(at), b'"' | b'\'');
        if text.byte(at) == b':' && !is_json {
            return None;
        }
        let start = text.run(at + 1, |byte| is_json && byte == b' ');
        let end = text.short_run(start, 6, |byte| byte.is_ascii_alphabetic());
        let varies = match text.slice(start, end) {
            "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => true,
            "null" | "None" => is_json,
            _ => false,
        };
        (varies && text.ends_word(end)).then(|| Replacement::value(start, end))
    }

    fn bracket(&self, at: usize) -> Option<Replacement> {
        let scrubbed = SCRUBBED
            .iter()
            .find(|(mark, _)| self.text.starts_with(at, mark));
        if let Some(&(mark, with)) = scrubbed {
            return Some(Replacement::new(at, at + mark.len(), with));
        }
        ip::in_brackets(&self.text, at).map(|end| Replacement::address(at, end))
    }
}

/// `(a@b.c)` of `Key (email)=(a@b.c) already exists`, as databases say it.
fn key_value(text: &Text<'_>, at: usize) -> Option<Replacement> {
    if !text.ends_with(at, ")=") {
        return None;
    }
    let end = text.run(at + 1, |byte| byte != b')' && byte != b'\n');
    (text.byte(end) == b')').then(|| Replacement::value(at + 1, end))
}
