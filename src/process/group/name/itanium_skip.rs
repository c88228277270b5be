//! Types and expressions in mangled symbols, which are not part of the name.
//! In: a reader that stands before one. Out: the same behind it, or nothing if it is not understood.

use super::itanium::{Path, Reader};

const UNARY: [&str; 15] = [
    "ps", "ng", "ad", "de", "co", "nt", "dl", "da", "te", "sz", "az", "nx", "sp", "tw", "aw",
];

const BINARY: [&str; 38] = [
    "pl", "mi", "ml", "dv", "rm", "an", "or", "eo", "aS", "pL", "mI", "mL", "dV", "rM", "aN", "oR",
    "eO", "ls", "rs", "lS", "rS", "eq", "ne", "lt", "gt", "le", "ge", "ss", "aa", "oo", "cm", "pm",
    "pt", "dt", "ds", "ix", "dX", "di",
];

impl Reader<'_> {
    pub(super) fn skip_type(&mut self) -> Option<()> {
        self.deeper(Self::skip_any_type)
    }

    fn skip_any_type(&mut self) -> Option<()> {
        loop {
            let bytes = self.rest().as_bytes();
            match *bytes {
                [b'r' | b'V' | b'K' | b'P' | b'R' | b'O' | b'C' | b'G', ..] => self.at += 1,
                [b'D', b'o' | b'x' | b'p', ..] => self.at += 2,
                [b'D', b'O', ..] => {
                    self.at += 2;
                    self.skip_expression()?;
                    self.expect("E")?;
                }
                [b'D', b'w', ..] => {
                    self.at += 2;
                    self.skip_types_to_end()?;
                }
                [b'U', next, ..] if !matches!(next, b'l' | b't') => {
                    self.at += 1;
                    self.source()?;
                    self.skip_arguments()?;
                }
                [b'D', ..] => return self.skip_special_type(),
                [b'N', ..] => return self.nested(&mut Path::default()),
                [b'Z', ..] => return self.local(&mut Path::default()),
                [b'F', ..] => {
                    self.at += 1;
                    self.eat("Y");
                    return self.skip_types_to_end();
                }
                [b'A', ..] => {
                    self.at += 1;
                    self.eat_while(|byte| byte.is_ascii_digit());
                    if self.peek() != b'_' {
                        self.skip_expression()?;
                    }
                    self.expect("_")?;
                }
                [b'M', ..] => {
                    self.at += 1;
                    self.skip_type()?;
                }
                [b'T', b's' | b'u' | b'e', ..] => {
                    self.at += 2;
                    return self.name(&mut Path::default());
                }
                [b'T', ..] => {
                    self.skip_parameter()?;
                    return self.skip_arguments();
                }
                [b'S', next, ..] => {
                    self.substitution(&mut Path::default())?;
                    if next == b't' {
                        self.unqualified(&mut Path::default())?;
                    }
                    return self.skip_arguments();
                }
                [b'u', ..] => {
                    self.at += 1;
                    self.source()?;
                    return self.skip_arguments();
                }
                [b'0'..=b'9' | b'L' | b'W' | b'U', ..] => {
                    self.unqualified(&mut Path::default())?;
                    return self.skip_arguments();
                }
                [b'a'..=b'z', ..] => {
                    self.at += 1;
                    return Some(());
                }
                _ => return None,
            }
        }
    }

    /// Types whose letter follows a `D`.
    fn skip_special_type(&mut self) -> Option<()> {
        self.expect("D")?;
        let kind = self.peek();
        self.at += 1;
        match kind {
            b't' | b'T' => {
                self.skip_expression()?;
                self.expect("E")
            }
            b'v' => {
                self.eat_while(|byte| byte.is_ascii_digit());
                if self.peek() == b'_' && self.text.as_bytes().get(self.at - 1) == Some(&b'v') {
                    self.at += 1;
                    self.skip_expression()?;
                }
                self.expect("_")?;
                self.skip_type()
            }
            b'F' | b'B' | b'U' => {
                self.eat_while(|byte| byte.is_ascii_digit());
                (self.eat("_") || self.eat("x") || self.eat("b")).then_some(())
            }
            b'a'..=b'z' | b'S' => Some(()),
            _ => None,
        }
    }

    fn skip_types_to_end(&mut self) -> Option<()> {
        loop {
            let is_qualified = matches!(self.rest().as_bytes(), [b'R' | b'O', b'E', ..]);
            self.at += usize::from(is_qualified);
            if self.eat("E") {
                return Some(());
            }
            self.skip_type()?;
        }
    }

    /// The parameters of a lambda, which may have declarations of template parameters before them.
    pub(super) fn skip_lambda_types(&mut self) -> Option<()> {
        while self.eat("Ty") || self.eat("Tp") || self.eat("Tn") && self.skip_type().is_some() {}
        self.skip_types_to_end()
    }

    /// `T_`, `T0_`, `TL0__`.
    pub(super) fn skip_parameter(&mut self) -> Option<()> {
        self.expect("T")?;
        if self.eat("L") {
            self.eat_while(|byte| byte.is_ascii_digit());
            self.expect("_")?;
        }
        self.eat_while(|byte| byte.is_ascii_digit());
        self.expect("_")
    }

    /// Template arguments, if there are any.
    pub(super) fn skip_arguments(&mut self) -> Option<()> {
        if !self.eat("I") {
            return Some(());
        }
        self.deeper(Self::skip_arguments_to_end)
    }

    fn skip_arguments_to_end(&mut self) -> Option<()> {
        while !self.eat("E") {
            match *self.rest().as_bytes() {
                [b'X', ..] => {
                    self.at += 1;
                    self.skip_expression()?;
                    self.expect("E")?;
                }
                [b'L', ..] => self.skip_literal()?,
                [b'J' | b'I', ..] => {
                    self.at += 1;
                    self.deeper(Self::skip_arguments_to_end)?;
                }
                // Arguments of templates with declared parameters.
                [b'T', b'y', ..] => self.at += 2,
                [b'T', b'n', ..] => {
                    self.at += 2;
                    self.skip_type()?;
                }
                _ => self.skip_type()?,
            }
        }
        Some(())
    }

    fn skip_literal(&mut self) -> Option<()> {
        self.expect("L")?;
        if self.eat("_Z") {
            self.deeper(|reader| reader.encoding(&mut Path::default(), false))?;
        } else {
            self.skip_type()?;
            self.eat_while(|byte| byte != b'E' && (byte.is_ascii_alphanumeric() || byte == b'_'));
        }
        self.expect("E")
    }

    fn skip_expression(&mut self) -> Option<()> {
        self.deeper(Self::skip_any_expression)
    }

    fn skip_expressions_to(&mut self, end: &str) -> Option<()> {
        while !self.eat(end) {
            self.skip_expression()?;
        }
        Some(())
    }

    fn skip_any_expression(&mut self) -> Option<()> {
        self.eat("gs");
        match self.peek() {
            b'L' => return self.skip_literal(),
            b'T' => return self.skip_parameter(),
            b'f' => return self.skip_function_parameter(),
            b'0'..=b'9' => return self.skip_base_name(),
            b'u' => {
                self.at += 1;
                self.source()?;
                return self.skip_expressions_to("E");
            }
            _ => {}
        }
        let code = self.text.get(self.at..self.at + 2)?.to_owned();
        if matches!(code.as_str(), "on" | "dn") {
            return self.skip_base_name();
        }
        self.at += code.len();
        match code.as_str() {
            "sr" => self.skip_scoped(),
            "cl" | "cp" | "il" => self.skip_expressions_to("E"),
            "tl" => {
                self.skip_type()?;
                self.skip_expressions_to("E")
            }
            "cv" => {
                self.skip_type()?;
                if self.eat("_") {
                    self.skip_expressions_to("E")
                } else {
                    self.skip_expression()
                }
            }
            "nw" | "na" => {
                self.skip_expressions_to("_")?;
                self.skip_type()?;
                if self.eat("pi") {
                    self.skip_expressions_to("E")
                } else {
                    self.expect("E")
                }
            }
            "ti" | "st" | "at" => self.skip_type(),
            "dc" | "sc" | "cc" | "rc" => {
                self.skip_type()?;
                self.skip_expression()
            }
            "sZ" => self.skip_expression(),
            "sP" => self.skip_arguments_to_end(),
            "tr" => Some(()),
            "pp" | "mm" => {
                self.eat("_");
                self.skip_expression()
            }
            "qu" => {
                self.skip_expression()?;
                self.skip_expression()?;
                self.skip_expression()
            }
            unary if UNARY.contains(&unary) => self.skip_expression(),
            binary if BINARY.contains(&binary) => {
                self.skip_expression()?;
                self.skip_expression()
            }
            _ => None,
        }
    }

    /// `fp_`, `fpK0_`, `fL0p_`, `fpT`; else a fold: `fl`, `fr`, `fL` and `fR` with an operator.
    fn skip_function_parameter(&mut self) -> Option<()> {
        let rest = self.rest().as_bytes();
        let is_fold = matches!(*rest, [_, b'l' | b'r' | b'R', ..])
            || matches!(*rest, [_, b'L', next, ..] if !next.is_ascii_digit());
        if is_fold {
            let has_start = matches!(*rest, [_, b'L' | b'R', ..]);
            self.at += "fl".len() + "pl".len();
            self.skip_expression()?;
            return if has_start {
                self.skip_expression()
            } else {
                Some(())
            };
        }
        if self.eat("fpT") {
            return Some(());
        }
        self.expect("f")?;
        if self.eat("L") {
            self.eat_while(|byte| byte.is_ascii_digit());
        }
        self.expect("p")?;
        self.eat_while(|byte| matches!(byte, b'r' | b'V' | b'K') || byte.is_ascii_digit());
        self.expect("_")
    }

    /// `sr` and a type, or names up to an `E`, before the name in them.
    fn skip_scoped(&mut self) -> Option<()> {
        if self.eat("N") {
            self.skip_type()?;
            while !self.eat("E") {
                self.skip_base_name()?;
            }
        } else if self.peek().is_ascii_digit() {
            while !self.eat("E") {
                self.skip_base_name()?;
                // A single type needs no end.
                if !self.peek().is_ascii_digit() && self.peek() != b'E' {
                    return self.skip_base_name();
                }
            }
        } else {
            self.skip_type()?;
        }
        self.skip_base_name()
    }

    fn skip_base_name(&mut self) -> Option<()> {
        self.eat("on");
        if self.eat("dn") && !self.peek().is_ascii_digit() {
            return self.skip_type();
        }
        self.unqualified(&mut Path::default())?;
        self.skip_arguments()
    }
}
