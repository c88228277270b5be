//! Mangled symbols of Rust and C++.
//! In: a symbol as the linker knows it. Out: its path as people write it, or nothing where it is not mangled, too long
//! or beyond what is read: a mangled name is as stable as another.

use std::borrow::Cow;
use std::fmt::{self, Write};

use super::{itanium, run_end};

/// Longer symbols are left as they are.
const LONGEST: usize = 2048;

/// Back references let a short symbol stand for a very long name.
const LONGEST_OUTPUT: usize = 2 * LONGEST;

pub(super) fn demangle(symbol: &str) -> Option<String> {
    if symbol.len() > LONGEST || !symbol.starts_with('_') {
        return None;
    }
    let bare = symbol.trim_start_matches('_');
    match bare.as_bytes() {
        [b'R', ..] => rust(symbol),
        // Older Rust borrows the scheme of C++ and appends a hash.
        [b'Z', b'N', ..] if symbol.contains("17h") => {
            rust(symbol).or_else(|| itanium::path(&bare[1..]))
        }
        [b'Z', ..] => itanium::path(&bare[1..]),
        _ => None,
    }
}

fn rust(symbol: &str) -> Option<String> {
    let demangled = rustc_demangle::try_demangle(symbol).ok()?;
    let mut out = Bounded(String::new());
    // The alternate form leaves hashes out.
    write!(out, "{demangled:#}").ok()?;
    Some(out.0)
}

struct Bounded(String);

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.0.len() + text.len() > LONGEST_OUTPUT {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

/// Symbols of MSVC stay mangled but for the two names in them that are hashes: `?A0x1b2c3d4e@` and `<lambda_1b2c…>`.
pub(super) fn without_msvc_hashes(symbol: &str) -> Option<Cow<'_, str>> {
    const MARKS: [&str; 2] = ["?A0x", "<lambda_"];
    if !symbol.starts_with('?') || symbol.starts_with(MARKS[0]) {
        return None;
    }
    let mut stable = String::with_capacity(symbol.len());
    let mut rest = symbol;
    while let Some((at, mark)) = MARKS
        .iter()
        .filter_map(|mark| rest.find(mark).map(|at| (at, *mark)))
        .min()
    {
        let hash = at + mark.len();
        let kept = if mark == MARKS[0] { hash - 2 } else { hash - 1 };
        stable.push_str(&rest[..kept]);
        rest = &rest[run_end(rest, hash, |byte| byte.is_ascii_hexdigit())..];
    }
    stable.push_str(rest);
    (rest.len() < symbol.len()).then_some(Cow::Owned(stable))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_are_read() {
        for (symbol, expected) in [
            (
                "_ZN4shop5stock7reserve17h0123456789abcdefE",
                Some("shop::stock::reserve"),
            ),
            (
                "__ZN4shop5stock7reserve17h0123456789abcdefE",
                Some("shop::stock::reserve"),
            ),
            (
                "_ZN4shop4main28_$u7b$$u7b$closure$u7d$$u7d$17h0123456789abcdefE",
                Some("shop::main::{{closure}}"),
            ),
            ("_RNvCs1234_7mycrate3foo", Some("mycrate::foo")),
            (
                "_RNCNvCs1234_7mycrate3foo0B3_",
                Some("mycrate::foo::{closure#0}"),
            ),
            ("_ZN4shop6Basket5totalEv", Some("shop::Basket::total")),
            ("_Reset", None),
            ("_start", None),
            ("_", None),
            ("_Z", None),
            ("main", None),
        ] {
            assert_eq!(demangle(symbol).as_deref(), expected, "{symbol}");
        }
        assert_eq!(demangle(&format!("_ZN4shop{}E", "1a".repeat(2000))), None);
    }

    #[test]
    fn hostile_symbols_take_neither_stack_nor_time() {
        for nested in [
            "I", "PF", "N1aI", "Z1aI", "SsI", "X", "Xad", "IL_Z1aI", "C1", "M1a", "UlN", "DTcl",
        ] {
            for start in ["_Z3pay", "_ZN3pay", "_Z3payI", "_Z3payIX", "_RNv", "_RI"] {
                let symbol = format!("{start}{}", nested.repeat(2000 / nested.len()));
                let length = demangle(&symbol).map_or(0, |name| name.len());
                assert!(length <= LONGEST_OUTPUT, "{symbol}");
            }
        }
    }

    #[test]
    fn symbols_of_msvc_lose_their_hashes() {
        for (symbol, expected) in [
            ("?pay@?A0x1b2c3d4e@@YAXXZ", Some("?pay@?A@@YAXXZ")),
            (
                "??R<lambda_0a1b2c3d4e5f60718293a4b5c6d7e8f9>@@QEBAXXZ",
                Some("??R<lambda>@@QEBAXXZ"),
            ),
            ("?pay@Basket@@QEAAXXZ", None),
        ] {
            assert_eq!(without_msvc_hashes(symbol).as_deref(), expected);
        }
    }
}
