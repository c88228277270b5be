//! Names of functions, modules and files without what compilers, frameworks and template engines generate into them.
//! In: a name as the SDK sent it and the platform of its frame. Out: the name that stays the same from build to build
//! and from process to process, or nothing if it says nothing.
//!
//! A number or hash that a generator appended says when or in which order something was generated, not what it is.
//! It goes, and the name of what encloses it stays.

mod apple;
mod brackets;
mod demangle;
mod dotnet;
mod go;
mod itanium;
mod itanium_skip;
mod jvm;
mod native;
mod operator;
mod other;
mod php;
mod ruby;
mod scope;
mod script;

use std::borrow::Cow;

/// Whose compilers made the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Jvm,
    /// C, C++, Rust, Swift and Objective-C: one process holds names of all of them.
    Native,
    /// The same, where Swift is the more likely reading of a name that could be either.
    Apple,
    Script,
    DotNet,
    Go,
    Php,
    Ruby,
    Python,
    Other,
}

impl Family {
    fn of(platform: &str) -> Self {
        match platform {
            "java" | "kotlin" | "scala" | "clojure" | "groovy" => Self::Jvm,
            "native" | "c" | "rust" => Self::Native,
            "cocoa" | "objc" | "swift" => Self::Apple,
            "javascript" | "node" => Self::Script,
            "csharp" => Self::DotNet,
            "go" => Self::Go,
            "php" => Self::Php,
            "ruby" => Self::Ruby,
            "python" => Self::Python,
            _ => Self::Other,
        }
    }
}

/// A mangled symbol of C++ or Rust as people write it, for showing it; nothing for any other name.
pub fn readable_symbol(name: &str, platform: &str) -> Option<String> {
    let is_native = matches!(Family::of(platform), Family::Native | Family::Apple);
    is_native.then(|| demangle::demangle(name)).flatten()
}

/// What is longer is cut before it is read. Normalisation keeps far less of a name, but may ask before it cuts.
const LONGEST: usize = 8192;

/// The stable part of a function's name.
pub fn function<'n>(name: &'n str, platform: &str) -> Option<Cow<'n, str>> {
    let name = bounded(name);
    if matches!(name, "" | "?" | "??" | "<unknown>" | "<redacted>") {
        return None;
    }
    let stable = match Family::of(platform) {
        Family::Jvm => Some(jvm::function(name)),
        Family::Native => native::function(name),
        Family::Apple => apple::function(name),
        Family::Script => script::function(name),
        Family::DotNet => Some(dotnet::function(name)),
        Family::Go => Some(go::function(name)),
        Family::Php => php::function(name),
        Family::Ruby => Some(ruby::function(name)),
        Family::Python => Some(other::python_function(name)),
        Family::Other => Some(other::function(name)),
    };
    stable.filter(|name| !name.is_empty())
}

/// The stable part of the name of a module, class or package.
pub fn module<'n>(name: &'n str, platform: &str) -> Option<Cow<'n, str>> {
    let name = bounded(name);
    if matches!(name, "" | "?" | "<unknown>") {
        return None;
    }
    let stable = match Family::of(platform) {
        Family::Jvm => jvm::class(name),
        Family::DotNet => Some(dotnet::module(name)),
        Family::Php => php::class(name),
        Family::Ruby => Some(ruby::module(name)),
        Family::Python => Some(other::python_module(name)),
        _ => Some(Cow::Borrowed(name)),
    };
    stable.filter(|name| !name.is_empty())
}

/// The stable part of a file's base name, where compilers name files after generated classes.
pub fn file<'n>(base_name: &'n str, platform: &str) -> Cow<'n, str> {
    match Family::of(platform) {
        Family::Jvm => jvm::file(base_name),
        _ => Cow::Borrowed(base_name),
    }
}

/// Whether a name that [`function`] gave is of a closure that had only a number: the closures of one function cannot
/// be told apart by it. Not so where the source line counts and tells them apart.
pub fn is_numbered_closure(normalized: &str, platform: &str) -> bool {
    match Family::of(platform) {
        Family::Jvm => normalized == "lambda" || normalized.ends_with("$lambda"),
        Family::Native | Family::Apple => native::is_closure(normalized),
        Family::DotNet => dotnet::is_closure(normalized),
        Family::Go => go::is_closure(normalized),
        Family::Other => other::is_closure(normalized),
        Family::Script | Family::Php | Family::Ruby | Family::Python => false,
    }
}

/// Whether a module as the SDK sent it is a class without a name of its own, such as `Basket$1`: its methods have names,
/// but those of a second such class have the same.
pub fn is_numbered_class(module: &str, platform: &str) -> bool {
    Family::of(platform) == Family::Jvm && jvm::is_numbered_class(module)
}

/// Whether a name is of the rarely run part that a compiler split off a function: one call gives two frames then.
pub fn is_cold_part(name: &str, platform: &str) -> bool {
    matches!(Family::of(platform), Family::Native | Family::Apple)
        && name.rsplit_once(".cold").is_some_and(|(_, end)| {
            // Behind it may stand a number, and the bracket of a demangler.
            end.bytes()
                .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b']' | b')'))
        })
}

fn bounded(name: &str) -> &str {
    let name = name.trim();
    if name.len() <= LONGEST {
        return name;
    }
    let end = (0..=LONGEST).rev().find(|at| name.is_char_boundary(*at));
    &name[..end.unwrap_or(0)]
}

/// Borrowed if nothing changed, so that plain names cost no memory.
fn changed(before: &str, after: String) -> Cow<'_, str> {
    if before == after {
        Cow::Borrowed(before)
    } else {
        Cow::Owned(after)
    }
}

/// Hexadecimal digits of one case as digests are written. Words such as `facade` and dates such as `20241122` are none.
fn is_hash(token: &str) -> bool {
    let bytes = token.as_bytes();
    let is_hex = bytes
        .iter()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'))
        || bytes
            .iter()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'A'..=b'F'));
    if bytes.len() < 7 || !is_hex {
        return false;
    }
    let switches = bytes
        .windows(2)
        .filter(|pair| pair[0].is_ascii_digit() != pair[1].is_ascii_digit())
        .count();
    // One switch may be a word and a year: `cafe2024`.
    switches >= 2 || bytes.len() >= 32 || (switches == 1 && bytes.len() >= 12)
}

/// Where a run of bytes that `belongs` ends.
fn run_end(text: &str, at: usize, belongs: impl Fn(u8) -> bool) -> usize {
    let bytes = text.as_bytes();
    at + bytes[at..]
        .iter()
        .take_while(|byte| belongs(**byte))
        .count()
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Without the digits at its end.
fn without_end_digits(text: &str) -> &str {
    text.trim_end_matches(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests;
