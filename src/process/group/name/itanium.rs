//! The names in symbols that C++ compilers mangle by the Itanium rules.
//! In: a symbol without its `_Z`. Out: the path of the function without types and template arguments, or nothing.
//!
//! General demanglers build all types of a symbol, and some short symbols keep them busy for seconds or make them write
//! gigabytes. Here types are only skipped, each byte is read once, and what is referred to is never copied.

/// Reads a symbol; a name and types nest no deeper than [`Reader::DEEPEST`].
pub(super) struct Reader<'s> {
    pub text: &'s str,
    pub at: usize,
    pub depth: u8,
}

/// A path as it is read.
#[derive(Debug, Default)]
pub(super) struct Path {
    text: String,
    /// Where its last name begins, for constructors.
    last: usize,
    /// It refers to what was not kept.
    is_unknown: bool,
}

impl Path {
    const LONGEST: usize = 2048;

    fn add(&mut self, name: &str) {
        // A constructor repeats the name of its class, however often it is written.
        if self.text.len() > Self::LONGEST {
            self.is_unknown = true;
            return;
        }
        if !self.text.is_empty() {
            self.text.push_str("::");
        }
        self.last = self.text.len();
        self.text.push_str(name);
    }

    pub(super) fn mark_unknown(&mut self) {
        self.is_unknown = true;
    }
}

const OPERATORS: [(&str, &str); 51] = [
    ("nw", " new"),
    ("na", " new[]"),
    ("dl", " delete"),
    ("da", " delete[]"),
    ("aw", " co_await"),
    ("ps", "+"),
    ("ng", "-"),
    ("ad", "&"),
    ("de", "*"),
    ("co", "~"),
    ("pl", "+"),
    ("mi", "-"),
    ("ml", "*"),
    ("dv", "/"),
    ("rm", "%"),
    ("an", "&"),
    ("or", "|"),
    ("eo", "^"),
    ("aS", "="),
    ("pL", "+="),
    ("mI", "-="),
    ("mL", "*="),
    ("dV", "/="),
    ("rM", "%="),
    ("aN", "&="),
    ("oR", "|="),
    ("eO", "^="),
    ("ls", "<<"),
    ("rs", ">>"),
    ("lS", "<<="),
    ("rS", ">>="),
    ("eq", "=="),
    ("ne", "!="),
    ("lt", "<"),
    ("gt", ">"),
    ("le", "<="),
    ("ge", ">="),
    ("ss", "<=>"),
    ("nt", "!"),
    ("aa", "&&"),
    ("oo", "||"),
    ("pp", "++"),
    ("mm", "--"),
    ("cm", ","),
    ("pm", "->*"),
    ("pt", "->"),
    ("cl", "()"),
    ("ix", "[]"),
    ("qu", "?"),
    ("li", "\"\""),
    ("cv", " "),
];

/// The types that conversions are named after; other types would have to be built.
const CONVERSIONS: [(&str, &str); 16] = [
    ("b", "bool"),
    ("c", "char"),
    ("a", "signed char"),
    ("h", "unsigned char"),
    ("s", "short"),
    ("t", "unsigned short"),
    ("i", "int"),
    ("j", "unsigned int"),
    ("l", "long"),
    ("m", "unsigned long"),
    ("x", "long long"),
    ("y", "unsigned long long"),
    ("f", "float"),
    ("d", "double"),
    ("Ss", "std::string"),
    ("PKc", "char const*"),
];

pub(super) fn path(symbol: &str) -> Option<String> {
    let mut reader = Reader {
        text: symbol,
        at: 0,
        depth: 0,
    };
    let mut path = Path::default();
    reader.encoding(&mut path, true)?;
    (!path.is_unknown && !path.text.is_empty()).then_some(path.text)
}

impl Reader<'_> {
    pub(super) const DEEPEST: u8 = 64;

    pub(super) fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    pub(super) fn eat(&mut self, mark: &str) -> bool {
        let is_there = self.rest().starts_with(mark);
        if is_there {
            self.at += mark.len();
        }
        is_there
    }

    pub(super) fn expect(&mut self, mark: &str) -> Option<()> {
        self.eat(mark).then_some(())
    }

    /// Skips bytes that `belongs`.
    pub(super) fn eat_while(&mut self, belongs: fn(u8) -> bool) {
        self.at = super::run_end(self.text, self.at.min(self.text.len()), belongs);
    }

    /// A function with its types, or a variable. The outermost ends with the symbol, an inner one with `E`.
    pub(super) fn encoding(&mut self, path: &mut Path, is_outermost: bool) -> Option<()> {
        if self.peek() == b'T' {
            self.thunk()?;
        }
        let is_operator = self.peek().is_ascii_lowercase();
        self.name(path)?;
        let is_end = |reader: &Self| {
            if is_outermost {
                reader.at >= reader.text.len()
            } else {
                reader.peek() == b'E'
            }
        };
        // `_Zoo` is no operator: those have operands.
        if is_operator && is_end(self) {
            return None;
        }
        while !is_end(self) {
            self.skip_type()?;
        }
        Some(())
    }

    /// `Th16_`, `Tv0_n24_`: the function behind a thunk is what counts.
    fn thunk(&mut self) -> Option<()> {
        let offsets = if self.eat("Tc") {
            2
        } else if matches!(self.rest().as_bytes(), [b'T', b'h' | b'v', ..]) {
            self.at += 1;
            1
        } else {
            return None;
        };
        for _ in 0..offsets {
            let is_virtual = self.eat("v");
            if !is_virtual {
                self.expect("h")?;
            }
            for _ in 0..=u8::from(is_virtual) {
                self.eat_while(|byte| byte.is_ascii_digit() || byte == b'n');
                self.expect("_")?;
            }
        }
        if self.peek() == b'T' { None } else { Some(()) }
    }

    pub(super) fn name(&mut self, path: &mut Path) -> Option<()> {
        match self.peek() {
            b'N' => self.nested(path),
            b'Z' => self.local(path),
            b'S' => {
                self.substitution(path)?;
                if !self.at_arguments_or_end() {
                    self.unqualified(path)?;
                }
                self.skip_arguments()
            }
            _ => {
                self.unqualified(path)?;
                self.skip_arguments()
            }
        }
    }

    fn at_arguments_or_end(&self) -> bool {
        matches!(self.peek(), 0 | b'I' | b'E')
    }

    /// `St` is the one abbreviation that begins a name; the others stand for types of the library.
    pub(super) fn substitution(&mut self, path: &mut Path) -> Option<()> {
        for (mark, name) in [
            ("St", "std"),
            ("Sa", "std::allocator"),
            ("Sb", "std::basic_string"),
            ("Ss", "std::basic_string"),
            ("Si", "std::basic_istream"),
            ("So", "std::basic_ostream"),
            ("Sd", "std::basic_iostream"),
        ] {
            if self.eat(mark) {
                path.add(name);
                path.last += name.len() - name.rsplit(':').next().unwrap_or_default().len();
                return Some(());
            }
        }
        self.expect("S")?;
        self.eat_while(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
        self.expect("_")?;
        path.mark_unknown();
        Some(())
    }

    pub(super) fn nested(&mut self, path: &mut Path) -> Option<()> {
        self.expect("N")?;
        self.eat("H");
        self.eat_while(|byte| matches!(byte, b'r' | b'V' | b'K'));
        self.eat_while(|byte| matches!(byte, b'R' | b'O'));
        while !self.eat("E") {
            match self.peek() {
                b'I' => self.skip_arguments()?,
                b'S' => self.substitution(path)?,
                b'T' => {
                    self.skip_parameter()?;
                    path.mark_unknown();
                }
                b'D' if matches!(self.rest().as_bytes(), [_, b't' | b'T', ..]) => {
                    self.skip_type()?;
                    path.mark_unknown();
                }
                // The member whose initial value holds a lambda.
                b'M' => self.at += 1,
                _ => self.unqualified(path)?,
            }
        }
        Some(())
    }

    /// What is inside of a function.
    pub(super) fn local(&mut self, path: &mut Path) -> Option<()> {
        self.deeper(|reader| {
            reader.expect("Z")?;
            reader.encoding(path, false)?;
            reader.expect("E")?;
            if !reader.eat("s") {
                if reader.eat("d") {
                    reader.eat_while(|byte| byte.is_ascii_digit());
                    reader.expect("_")?;
                }
                reader.name(path)?;
            }
            if reader.eat("__") {
                reader.eat_while(|byte| byte.is_ascii_digit());
                reader.expect("_")?;
            } else if reader.eat("_") {
                reader.eat_while(|byte| byte.is_ascii_digit());
            }
            Some(())
        })
    }

    pub(super) fn unqualified(&mut self, path: &mut Path) -> Option<()> {
        while self.eat("L") || self.eat("W") && self.source().is_some() {}
        match self.rest().as_bytes() {
            [b'0'..=b'9', ..] => {
                let name = self.source()?.to_owned();
                let is_anonymous = name.starts_with("_GLOBAL__N");
                path.add(if is_anonymous { "{anon}" } else { &name });
            }
            [b'C', b'1'..=b'5', ..] => {
                self.at += 2;
                let class = path.text.get(path.last..)?.to_owned();
                path.add(&class);
            }
            [b'C', b'I', b'1'..=b'5', ..] => {
                self.at += 3;
                self.skip_type()?;
                let class = path.text.get(path.last..)?.to_owned();
                path.add(&class);
            }
            [b'D', b'0'..=b'5', ..] => {
                self.at += 2;
                let class = format!("~{}", path.text.get(path.last..)?);
                path.add(&class);
            }
            [b'U', b'l', ..] => {
                self.at += 2;
                self.skip_lambda_types()?;
                self.eat_while(|byte| byte.is_ascii_digit());
                self.expect("_")?;
                path.add("{lambda}");
            }
            [b'U', b't', ..] => {
                self.at += 2;
                self.eat_while(|byte| byte.is_ascii_digit());
                self.expect("_")?;
                path.add("{unnamed}");
            }
            _ => self.operator(path)?,
        }
        while self.eat("B") {
            self.source()?;
        }
        Some(())
    }

    fn operator(&mut self, path: &mut Path) -> Option<()> {
        let (code, sign) = OPERATORS.iter().find(|(code, _)| self.eat(code))?;
        let mut name = format!("operator{sign}");
        match *code {
            "cv" => {
                let start = self.at;
                self.skip_type()?;
                let target = self.text.get(start..self.at)?;
                match CONVERSIONS.iter().find(|(code, _)| *code == target) {
                    Some((_, target)) => name.push_str(target),
                    None => path.mark_unknown(),
                }
            }
            "li" => name.push_str(self.source()?),
            _ => {}
        }
        path.add(&name);
        Some(())
    }

    /// An identifier, which its length precedes.
    pub(super) fn source(&mut self) -> Option<&str> {
        let start = self.at;
        self.eat_while(|byte| byte.is_ascii_digit());
        let length: usize = self.text.get(start..self.at)?.parse().ok()?;
        let start = self.at;
        let name = self.text.get(start..start.checked_add(length)?)?;
        self.at += length;
        (!name.is_empty()).then_some(name)
    }

    /// Nesting takes stack.
    pub(super) fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        if self.depth >= Self::DEEPEST {
            return None;
        }
        self.depth += 1;
        let found = read(self);
        self.depth -= 1;
        found
    }
}
