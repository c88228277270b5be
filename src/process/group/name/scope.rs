//! Paths of C++ and Rust as they are written for people: `void shop::Basket<int>::total(int) const`.
//! In: a signature, balanced or not. Out: its path, without types, arguments and numbers.

use super::brackets::{find_outside, group_end, is_word_start};
use super::operator::operator;
use super::{is_digits, run_end};

/// How Itanium compilers name what is in an anonymous namespace.
pub(super) const ANONYMOUS_SYMBOL: &str = "_GLOBAL__N_";

const ANONYMOUS: &str = "{anon}";
const UNNAMED: &str = "{unnamed}";
const LAMBDA: &str = "{lambda}";

/// Types within types within names; deeper ones are dropped.
const DEEPEST: u8 = 6;

pub(super) fn bare(text: &str) -> String {
    Scanner::new(text, 0).run()
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
    out: String,
    depth: u8,
}

impl<'t> Scanner<'t> {
    fn new(text: &'t str, depth: u8) -> Self {
        Self {
            text,
            at: 0,
            out: String::with_capacity(text.len().min(256)),
            depth,
        }
    }

    fn run(mut self) -> String {
        while let Some(c) = self.rest().chars().next() {
            let goes_on = match c {
                ' ' => self.blank(),
                '(' => self.round(),
                '<' => self.angle(),
                '{' => self.curly(),
                '[' => self.square(),
                '`' => self.quoted(),
                '\'' | '$' | '?' | '_' | 'o' => self.maybe_word(c),
                // Left over from a declarator: `(*pay(int))(char)`.
                ')' => false,
                '*' | '&' if self.out.is_empty() => self.skip(1),
                _ => self.push(c),
            };
            if !goes_on {
                break;
            }
        }
        let path = self.out.trim().trim_end_matches("::");
        if path.is_empty() && self.depth == 0 {
            self.text.trim().to_owned()
        } else {
            path.to_owned()
        }
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn push(&mut self, c: char) -> bool {
        self.out.push(c);
        self.skip(c.len_utf8())
    }

    fn skip(&mut self, length: usize) -> bool {
        self.at += length;
        true
    }

    /// Replaces what ends at `end` by a name.
    fn name(&mut self, name: &str, end: usize) -> bool {
        self.out.push_str(name);
        self.at = end;
        true
    }

    fn is_segment_start(&self) -> bool {
        self.out.is_empty() || self.out.ends_with("::")
    }

    /// What stands before a blank is a return type or a specifier; what stands behind may qualify the function.
    fn blank(&mut self) -> bool {
        let rest = self.rest().trim_start();
        let is_end = ["-> ", "[", "requires "]
            .iter()
            .any(|end| rest.starts_with(end))
            || matches!(rest, "const" | "volatile" | "noexcept" | "&" | "&&" | "");
        if is_end && !self.out.is_empty() {
            return false;
        }
        // `operator<< <char>` is written with a blank, so that no sign runs into the next, and so are the arguments of
        // thunks of MSVC.
        let is_name = ["(anonymous", "(unnamed", "(lambda", "(*", "(&"]
            .iter()
            .any(|name| rest.starts_with(name));
        let is_arguments = rest.starts_with('(') && !is_name && !self.out.is_empty();
        if is_arguments || rest.starts_with('<') && self.out.contains("operator") {
            self.at = self.text.len() - rest.len();
            return true;
        }
        self.out.clear();
        self.at = self.text.len() - rest.len();
        true
    }

    /// The argument list ends the name, but for functions inside of functions and function objects.
    fn round(&mut self) -> bool {
        let rest = self.rest();
        if rest.starts_with("(anonymous namespace)") {
            return self.name(ANONYMOUS, self.at + "(anonymous namespace)".len());
        }
        let Some(end) = group_end(self.text, self.at) else {
            return false;
        };
        if self.is_segment_start() {
            if rest.starts_with("(lambda") {
                return self.name(LAMBDA, end);
            }
            if rest.starts_with("(anonymous") || rest.starts_with("(unnamed") {
                return self.name(UNNAMED, end);
            }
            // A function that gives a pointer to a function: `void (*pay(int))(char)`.
            if rest.starts_with("(*") || rest.starts_with("(&") {
                self.out.clear();
                return self.skip(2);
            }
        }
        let is_type = ["decltype", "typeof", "noexcept", "__attribute__", "alignas"]
            .iter()
            .any(|word| self.out.ends_with(word));
        self.at = end;
        if is_type {
            self.out.clear();
            return true;
        }
        // What is inside of a member function stands behind its qualifiers: `pay() const::{lambda()#1}`.
        let mut rest = self.rest();
        for qualifier in [" const", " volatile", " &&", " &", " noexcept"] {
            rest = rest.strip_prefix(qualifier).unwrap_or(rest);
        }
        if rest.starts_with("::") {
            self.at = self.text.len() - rest.len();
        }
        self.out.is_empty()
            || self
                .rest()
                .starts_with([':', '(', '[', '\'', '.', '`', '{'])
    }

    fn angle(&mut self) -> bool {
        let Some(end) = group_end(self.text, self.at) else {
            return false;
        };
        let inside = &self.text[self.at + 1..(end - 1).max(self.at + 1)];
        if self.is_segment_start() {
            if inside.starts_with("lambda") {
                return self.name(LAMBDA, end);
            }
            if inside == "unnamed" {
                return self.name(ANONYMOUS, end);
            }
            if inside.starts_with("unnamed") {
                return self.name(UNNAMED, end);
            }
            // Older Rust: `shop::<impl Display for shop::Basket>::fmt`, which newer compilers call `<shop::Basket as …>::fmt`.
            if let Some(of) = inside.strip_prefix("impl ") {
                let own = find_outside(of, " for ", 0).map_or(of, |at| &of[at + " for ".len()..]);
                self.out = self.type_name(own);
                self.at = end;
                return true;
            }
            if self.out.is_empty() {
                self.out = self.self_type(inside);
                self.at = end;
                return true;
            }
            // The turbofish of Rust: `take::<u8>`.
            let path = self.out.len() - "::".len();
            self.out.truncate(path);
        }
        self.at = end;
        true
    }

    /// Of `<Type as Trait>` the type, unless it only stands for any type.
    fn self_type(&self, inside: &str) -> String {
        let Some(at) = find_outside(inside, " as ", 0) else {
            return self.type_name(inside);
        };
        let own = self.type_name(&inside[..at]);
        let is_any = own.len() <= 1 || is_digits(&own[1..]) && own.starts_with(char::is_uppercase);
        if is_any {
            self.type_name(&inside[at + " as ".len()..])
        } else {
            own
        }
    }

    fn type_name(&self, text: &str) -> String {
        let mut named = text.trim();
        loop {
            let before = named.len();
            for prefix in ["&", "*const ", "*mut ", "mut ", "dyn ", "impl "] {
                named = named.strip_prefix(prefix).unwrap_or(named);
            }
            if named.starts_with("for<")
                && let Some(end) = group_end(named, "for".len())
            {
                named = named[end..].trim_start();
            }
            if let Some(lifetime) = named.strip_prefix('\'')
                && let Some((_, after)) = lifetime.split_once(' ')
            {
                named = after;
            }
            if named.len() == before {
                break;
            }
        }
        if self.depth >= DEEPEST || named.starts_with('(') {
            return String::new();
        }
        if named.starts_with('[') {
            return "[]".to_owned();
        }
        let end = find_outside(named, " + ", 0).unwrap_or(named.len());
        Scanner::new(&named[..end], self.depth + 1).run()
    }

    /// `{closure#0}`, `{{closure}}`, `{lambda(int)#1}`, `{closure_env#0}`, `{anonymous}`, `{impl#2}`.
    fn curly(&mut self) -> bool {
        let Some(end) = group_end(self.text, self.at) else {
            return false;
        };
        let word = self.text[self.at..end].trim_matches(['{', '}']);
        let word = word.split(['#', '(', '{']).next().unwrap_or_default();
        let word = word.trim();
        let word = word.strip_suffix("_env").unwrap_or(word);
        match word {
            "anonymous" | "anon" => self.name(ANONYMOUS, end),
            "unnamed" | "unnamed type" => self.name(UNNAMED, end),
            // The offset of a thunk of MSVC: `vcall'{8}`.
            _ if word.is_empty() || word.starts_with(|c: char| c.is_ascii_digit()) => {
                self.at = end;
                true
            }
            _ => self.name(&format!("{{{word}}}"), end),
        }
    }

    fn square(&mut self) -> bool {
        for mark in ["[abi:", "[thunk]:"] {
            if self.rest().starts_with(mark) {
                self.at += if mark.ends_with("]:") {
                    mark.len()
                } else {
                    group_end(self.rest(), 0).unwrap_or(self.rest().len())
                };
                return true;
            }
        }
        self.push('[')
    }

    /// MSVC quotes what has no identifier: scopes, namespaces and functions of its own.
    fn quoted(&mut self) -> bool {
        let mut depth = 0_usize;
        let close = self.rest().bytes().position(|byte| {
            match byte {
                b'`' => depth += 1,
                b'\'' => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        let Some(close) = close else {
            return self.push('`');
        };
        let end = self.at + close + 1;
        let inside = &self.text[self.at + 1..end - 1];
        if matches!(inside, "anonymous namespace" | "anonymous-namespace") {
            return self.name(ANONYMOUS, end);
        }
        if inside.starts_with("adjustor{") {
            self.at = end;
            return true;
        }
        // The number of a block in its function.
        if is_digits(inside) {
            self.at = end;
            if self.rest().starts_with("::") {
                self.at += "::".len();
            }
            return true;
        }
        if inside.contains('(') && self.depth < DEEPEST {
            let function = Scanner::new(inside, self.depth + 1).run();
            return self.name(&function, end);
        }
        self.name(&self.text[self.at..end], end)
    }

    /// Words and signs that are names only in some places.
    fn maybe_word(&mut self, c: char) -> bool {
        let rest = self.rest();
        let digits_after = |length: usize| run_end(rest, length, |byte| byte.is_ascii_digit());
        match c {
            'o' if is_word_start(self.text.as_bytes(), self.at) => {
                if let Some((operator, end)) = operator(self.text, self.at) {
                    return self.name(&operator, end);
                }
            }
            '\'' if self.is_segment_start() => {
                for (word, name) in [("'lambda", LAMBDA), ("'unnamed", UNNAMED)] {
                    if rest.starts_with(word)
                        && let Some(end) = rest[1..].find('\'')
                    {
                        return self.name(name, self.at + end + 2);
                    }
                }
            }
            // Clang numbers lambdas.
            '$' if self.is_segment_start() && rest.starts_with("$_") => {
                let end = digits_after("$_".len());
                if end > "$_".len() {
                    return self.name(LAMBDA, self.at + end);
                }
            }
            // Rust for Windows: `closure$0`, `impl$3`, `async_fn_env$0`.
            '$' => {
                let end = digits_after(1);
                let start = self.out.rfind(':').map_or(0, |at| at + 1);
                let word = self.out[start..].to_owned();
                let word = word.strip_suffix("_env").unwrap_or(&word);
                if end > 1 && is_generated_by_rustc(word) {
                    self.out.truncate(start);
                    return self.name(&format!("{{{word}}}"), self.at + end);
                }
            }
            '?' if rest.starts_with("?A0x") => {
                let end = run_end(rest, "?A0x".len(), |byte| byte.is_ascii_hexdigit());
                return self.name(ANONYMOUS, self.at + end);
            }
            '_' if self.is_segment_start() && rest.starts_with(ANONYMOUS_SYMBOL) => {
                let end = run_end(rest, 0, |byte| byte.is_ascii_alphanumeric() || byte == b'_');
                return self.name(ANONYMOUS, self.at + end);
            }
            _ => {}
        }
        self.push(c)
    }
}

fn is_generated_by_rustc(word: &str) -> bool {
    matches!(
        word,
        "closure"
            | "impl"
            | "async_fn"
            | "async_block"
            | "async_closure"
            | "coroutine"
            | "coroutine_closure"
            | "gen_fn"
            | "gen_block"
            | "constant"
            | "shim"
    )
}
