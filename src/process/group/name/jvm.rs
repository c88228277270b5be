//! Names of Java, Kotlin, Scala, Groovy and Clojure.
//! In: a class, method or file as the virtual machine names it. Out: the name without what compilers and class
//! generators (proxies, CGLIB, Byte Buddy, Javassist, Guice, lambdas) put into it.

use std::borrow::Cow;

use super::super::token::is_random;
use super::{changed, is_digits, is_hash, without_end_digits};

/// Behind these names of generated classes stands a hash, whatever it looks like.
const BEFORE_HASH: [&str; 9] = [
    "HibernateProxy",
    "HibernateBasicProxy",
    "ByteBuddy",
    "MockitoMock",
    "auxiliary",
    "SpringCGLIB",
    "EnhancerBy",
    "FastClassBy",
    "KeyFactoryBy",
];

/// Names that generators number.
const NUMBERED: [&str; 13] = [
    "Proxy",
    "Lambda",
    "ExternalSynthetic",
    "Owb",
    "closure",
    "eval",
    "anonfun",
    "anon",
    "lambda",
    "MockitoMock",
    "ByteBuddy",
    "FastClassBy",
    "EnhancerBy",
];

/// A class: `org.example.StockService$$EnhancerBySpringCGLIB$$1c2d3e4f` is `org.example.StockService$EnhancerBySpringCGLIB`.
pub(super) fn class(name: &str) -> Option<Cow<'_, str>> {
    let is_plain = |byte: u8| byte != b'$' && !byte.is_ascii_digit();
    if name.bytes().all(is_plain) {
        return Some(Cow::Borrowed(name));
    }
    let named = without_hidden_class(name);
    let (package, simple) = match named.rsplit_once('.') {
        Some((package, simple)) => (Some(package), simple),
        None => (None, named),
    };
    let simple = simple_name(simple);
    let stable = match package.map(stable_package) {
        Some(package) if simple.is_empty() => package.into_owned(),
        Some(package) => format!("{package}.{simple}"),
        None => simple,
    };
    (!stable.is_empty()).then(|| changed(name, stable))
}

/// A source file, which Javassist names after the class.
pub(super) fn file(name: &str) -> Cow<'_, str> {
    if !name.contains('$') {
        return Cow::Borrowed(name);
    }
    match name.rsplit_once('.') {
        Some((stem, ending)) => changed(name, format!("{}.{ending}", simple_name(stem))),
        None => changed(name, simple_name(name)),
    }
}

pub(super) fn is_numbered_class(name: &str) -> bool {
    let named = without_hidden_class(name);
    let last = named.rsplit('$').next().unwrap_or_default();
    last.len() < named.len()
        && (is_digits(last)
            || without_end_digits(last).ends_with("SyntheticLambda")
            || named.contains("$$Lambda"))
}

/// `A$$Lambda$14/0x0000000800066840`, `LambdaForm$MH.0x00000008`: classes that are hidden carry their address.
fn without_hidden_class(name: &str) -> &str {
    let is_address =
        |part: &str| part.starts_with("0x") || part.starts_with(|c: char| c.is_ascii_digit());
    let mut named = name;
    if let Some((front, address)) = named.rsplit_once('/')
        && is_address(address)
    {
        named = front;
    }
    while let Some((front, address)) = named.rsplit_once('.')
        && is_address(address)
    {
        named = front;
    }
    named
}

/// The package of proxies is numbered since Java 16.
fn stable_package(package: &str) -> Cow<'_, str> {
    match package.strip_prefix("jdk.proxy") {
        Some(number) if is_digits(number) => Cow::Borrowed("jdk.proxy"),
        _ => Cow::Borrowed(package),
    }
}

fn simple_name(simple: &str) -> String {
    let mut stable = String::with_capacity(simple.len());
    if simple.starts_with('$') {
        stable.push('$');
    }
    let mut is_first = true;
    let mut hash_follows = false;
    for (at, segment) in simple.split('$').enumerate() {
        let is_marker = BEFORE_HASH.iter().any(|marker| segment.starts_with(marker));
        let is_generated = at > 0 && (is_hash(segment) || is_random(segment) && !has_word(segment));
        if segment.is_empty() || is_digits(segment) && at > 0 {
            continue;
        }
        let was_hash = std::mem::replace(&mut hash_follows, is_marker) && !is_marker;
        if was_hash || is_generated && !is_marker {
            continue;
        }
        if !is_first {
            stable.push('$');
        }
        is_first = false;
        stable.push_str(&stable_segment(segment, at));
    }
    stable
}

/// `Base64Util2` has as many digits as an id, but words between.
fn has_word(segment: &str) -> bool {
    segment
        .split(|c: char| !c.is_ascii_alphabetic())
        .any(|run| run.len() >= 4 && run[1..].bytes().all(|byte| byte.is_ascii_lowercase()))
}

fn stable_segment(segment: &str, at: usize) -> Cow<'_, str> {
    if let Some(found) = segment.find("_javassist").or(segment.find("_jvst")) {
        let words = segment[found..].trim_end_matches(|c: char| c.is_ascii_digit() || c == '_');
        let end = if words.starts_with("_jvst") {
            found + "_jvst".len()
        } else {
            found + words.len()
        };
        return Cow::Borrowed(&segment[..end]);
    }
    let bare = without_end_digits(segment);
    if at == 0 {
        let is_numbered = matches!(bare, "Script" | "script")
            || bare.starts_with("Generated") && bare.ends_with("Accessor");
        return Cow::Borrowed(if is_numbered { bare } else { segment });
    }
    // Of Clojure: `fn__1234`, `reify__12`, `fn__12__auto____34`.
    for gensym in ["fn__", "reify__", "eval__"] {
        if segment.starts_with(gensym) {
            return Cow::Borrowed(gensym.trim_end_matches('_'));
        }
    }
    // Of a function's own name: `total__1234`.
    if let Some((named, number)) = segment.rsplit_once("__")
        && !named.is_empty()
        && is_digits(number)
    {
        return Cow::Borrowed(named);
    }
    // Of Groovy: `_pay_closure3_closure4`.
    if segment.starts_with('_') && segment.contains("closure") {
        return Cow::Owned(without_closure_numbers(segment));
    }
    if NUMBERED.iter().any(|marker| segment.starts_with(marker)) {
        return Cow::Borrowed(bare.trim_end_matches(['-', '_']));
    }
    // Classes inside of methods are numbered: `1Local`.
    Cow::Borrowed(segment.trim_start_matches(|c: char| c.is_ascii_digit()))
}

fn without_closure_numbers(segment: &str) -> String {
    let mut stable = String::with_capacity(segment.len());
    for (at, part) in segment.split("closure").enumerate() {
        if at > 0 {
            stable.push_str("closure");
            stable.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit()));
        } else {
            stable.push_str(part);
        }
    }
    stable
}

/// A method: `lambda$pay$0`, `pay$lambda$0` and `$anonfun$pay$1` are all `pay$lambda`.
pub(super) fn function(name: &str) -> Cow<'_, str> {
    if let Some(tag) = name.strip_prefix("_jspx_") {
        let end = name.len() - tag.len() + without_end_digits(tag).trim_end_matches('_').len();
        return Cow::Borrowed(&name[..end]);
    }
    if !name.contains(['$', '-']) {
        return Cow::Borrowed(name);
    }
    // What follows is a digest of the lambda's signature.
    if name.starts_with("$r8$lambda") {
        return Cow::Borrowed("$r8$lambda");
    }
    let mut kept: Vec<&str> = Vec::new();
    let mut is_lambda = false;
    for (at, segment) in name.split('$').enumerate() {
        match segment {
            "" | "adapted" => {}
            // Default arguments; of the first kind nothing else would be left.
            "default" if at > 0 => {}
            "lambda" | "anonfun" => is_lambda = true,
            // Specialised for primitive types: `apply$mcV$sp`.
            "sp" if kept.len() > 1 && kept.last().is_some_and(|last| is_specialised(last)) => {
                kept.pop();
            }
            _ if is_digits(segment) || segment.starts_with("lambda-") => {
                is_lambda |= segment.starts_with("lambda-");
            }
            // The class that D8 appends, and the enclosing method that javac does not know.
            _ if is_lambda && (segment.contains('-') || segment == "null") => {}
            _ => kept.push(without_signature(segment)),
        }
    }
    let mut stable = String::with_capacity(name.len());
    if name.starts_with('$') && !is_lambda {
        stable.push('$');
    }
    stable.push_str(&kept.join("$"));
    if is_lambda {
        stable.push_str(if kept.is_empty() { "lambda" } else { "$lambda" });
    }
    if stable.is_empty() {
        return Cow::Borrowed(name);
    }
    changed(name, stable)
}

fn is_specialised(segment: &str) -> bool {
    segment
        .strip_prefix("mc")
        .is_some_and(|types| !types.is_empty() && types.bytes().all(|b| b.is_ascii_uppercase()))
}

/// Kotlin appends a digest of the parameters where they hold a value class: `pay-0E7RQCE`, `pay-impl`.
fn without_signature(segment: &str) -> &str {
    const DIGEST: usize = 7;
    let Some((at, _)) = segment.match_indices('-').find(|(at, _)| *at > 0) else {
        // Of Scala: `liftedTree1`.
        let bare = without_end_digits(segment);
        return if bare == "liftedTree" { bare } else { segment };
    };
    let end = &segment[at + 1..];
    let is_digest = end.len() == DIGEST
        && end
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        // Names in back ticks may hold a dash and a word.
        && !end.bytes().all(|byte| byte.is_ascii_lowercase());
    if is_digest || without_end_digits(end) == "impl" {
        &segment[..at]
    } else {
        segment
    }
}

#[cfg(test)]
mod tests;
