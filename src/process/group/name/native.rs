//! Names of C, C++ and Rust, mangled or not, and of what else a native process holds.
//! In: a symbol as linkers, debuggers and debug information write it. Out: the bare name, without argument lists,
//! template arguments, hashes, clone suffixes and numbers of closures.

use std::borrow::Cow;

use super::{apple, changed, demangle, is_digits, run_end, scope};

pub(super) fn function(name: &str) -> Option<Cow<'_, str>> {
    if is_plain(name) {
        return Some(Cow::Borrowed(without_rust_hash(name)));
    }
    if apple::looks_like_swift(name) {
        return apple::function(name);
    }
    symbol(name)
}

/// A path of identifiers, which nothing but Rust's hash can be part of.
pub(super) fn is_plain(name: &str) -> bool {
    let bytes = name.as_bytes();
    let is_identifier = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':');
    bytes.iter().all(is_identifier)
        && bytes.first() != Some(&b'_')
        && !bytes.windows(2).any(|pair| pair == b"__")
        && name != "unknown"
}

/// The bare name of a symbol that is not of Swift.
pub(super) fn symbol(name: &str) -> Option<Cow<'_, str>> {
    if matches!(name, "unknown" | "<unknown symbol>") {
        return None;
    }
    let bare = without_end(name);
    if bare.starts_with("-[") || bare.starts_with("+[") {
        return Some(Cow::Borrowed(bare));
    }
    if let Some(block) = apple::block(bare) {
        return Some(block);
    }
    if bare.contains("__")
        && let Some(unnumbered) = without_unnamed_types(bare)
    {
        return Some(Cow::Owned(scope::bare(&unnumbered)));
    }
    let is_symbol = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':' | b'.');
    if bare.starts_with(['_', '?']) {
        if let Some(demangled) = demangle::demangle(bare) {
            return Some(Cow::Owned(scope::bare(&demangled)));
        }
        if let Some(unnumbered) = demangle::without_msvc_hashes(bare) {
            return Some(unnumbered);
        }
        if bare.starts_with('?') && !bare.starts_with("?A0x") {
            return Some(Cow::Borrowed(bare));
        }
    }
    if bare.bytes().all(is_symbol) && !bare.contains(scope::ANONYMOUS_SYMBOL) {
        return (!bare.is_empty()).then_some(Cow::Borrowed(bare));
    }
    let stable = scope::bare(bare);
    (!stable.is_empty()).then(|| changed(name, stable))
}

/// Whether a bare name is that of a closure without a name.
pub(super) fn is_closure(name: &str) -> bool {
    let outer = name
        .trim_end_matches("::__invoke")
        .trim_end_matches("::operator()")
        .trim_end_matches("::call_once")
        .trim_end_matches("::call_mut")
        .trim_end_matches("::call");
    outer.ends_with("{closure}")
        || outer.ends_with("{lambda}")
        || outer.ends_with("{async_block}")
        || outer.ends_with("{async_closure}")
        || outer.ends_with("{block}")
        || outer.ends_with("] block")
        || outer == "closure"
        || outer.starts_with("closure in ")
        || outer.starts_with("$s") && outer.ends_with("fU_")
}

/// Without what linkers, clones and debuggers append.
fn without_end(name: &str) -> &str {
    let mut bare = name;
    for mark in [" [clone", " (.", " [with "] {
        bare = bare.split(mark).next().unwrap_or(bare);
    }
    bare = without_offset(bare.trim_end());
    bare = without_version(bare);
    bare = without_clones(bare);
    without_rust_hash(bare)
}

/// `pay + 52` and `pay+0x34`: a position inside of the function.
pub(super) fn without_offset(name: &str) -> &str {
    let Some((front, offset)) = name.rsplit_once('+') else {
        return name;
    };
    let offset = offset.trim_start();
    let is_offset = match offset.strip_prefix("0x") {
        Some(hex) => !hex.is_empty() && hex.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => is_digits(offset),
    };
    let front = front.trim_end();
    // `operator+0` is no offset, but nobody writes that.
    if is_offset && !front.is_empty() {
        front
    } else {
        name
    }
}

/// `memcpy@@GLIBC_2.14`, `memcpy@plt`, and the size of the arguments that Windows appends: `_pay@8`, `@pay@8`.
fn without_version(name: &str) -> &str {
    let is_plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let start = usize::from(name.starts_with('@'));
    let Some(at) = name[start..].find('@').map(|at| at + start) else {
        return name;
    };
    let (front, end) = (&name[start..at], name[at..].trim_start_matches('@'));
    if front.is_empty() || !is_plain(front) {
        return name;
    }
    if !is_digits(end) {
        let is_version = end == "plt" || end.starts_with(|c: char| c.is_ascii_uppercase());
        return if is_version { front } else { name };
    }
    let is_stdcall = start == 0 && !name[at..].starts_with("@@");
    match front.strip_prefix('_') {
        Some(bare) if is_stdcall && !bare.is_empty() => bare,
        _ => front,
    }
}

/// Copies of a function that optimisers make: `pay.isra.0`, `pay.constprop.1.cold`, `pay.llvm.1234`, `pay.resume.0`.
fn without_clones(name: &str) -> &str {
    let mut bare = name;
    while let Some((front, end)) = bare.rsplit_once('.') {
        let is_clone = is_digits(end)
            || matches!(
                end,
                "isra"
                    | "constprop"
                    | "part"
                    | "cold"
                    | "warm"
                    | "llvm"
                    | "lto_priv"
                    | "localalias"
                    | "resume"
                    | "destroy"
                    | "cleanup"
                    | "__uniq"
            );
        if !is_clone || front.is_empty() {
            break;
        }
        bare = front;
    }
    bare
}

/// Without `::h` and sixteen hexadecimal digits.
fn without_rust_hash(name: &str) -> &str {
    match name.rsplit_once("::h") {
        Some((front, hash))
            if hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) =>
        {
            front
        }
        _ => name,
    }
}

/// Zig numbers generic functions and types: `pay__anon_123`, `List__struct_45.append`.
fn without_unnamed_types(name: &str) -> Option<String> {
    let mut stable = String::new();
    let mut copied = 0;
    for (at, _) in name.match_indices("__") {
        let word_end = run_end(name, at + 2, |byte| byte.is_ascii_lowercase());
        let word = &name[at + 2..word_end];
        if !matches!(word, "anon" | "struct" | "enum" | "union")
            || !name[word_end..].starts_with('_')
        {
            continue;
        }
        let end = run_end(name, word_end + 1, |byte| byte.is_ascii_digit());
        if end == word_end + 1 {
            continue;
        }
        stable.push_str(&name[copied..if word == "anon" { at } else { word_end }]);
        copied = end;
    }
    (copied > 0).then(|| stable + &name[copied..])
}

#[cfg(test)]
mod tests;
