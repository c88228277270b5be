//! Names of Swift and Objective-C.
//! In: a symbol as Swift's demangler, the linker or the Objective-C runtime writes it. Out: the bare name; closures,
//! blocks and thunks of one function get one name.

use std::borrow::Cow;

use super::brackets::{find_outside, group_end};
use super::{changed, demangle, is_digits, native, run_end, scope};

const CLOSURE: &str = "closure";

/// What Swift's demangler writes before the name of a function that it is derived from.
const DERIVED: [&str; 15] = [
    "@objc ",
    "@nonobjc ",
    "static ",
    "class ",
    "specialized ",
    "merged ",
    "dispatch thunk of ",
    "vtable thunk for ",
    "protocol witness for ",
    "method lookup function for ",
    "variable initialization expression of ",
    "property wrapper backing initializer of ",
    "distributed thunk ",
    "outlined ",
    "back deployment thunk for ",
];

/// As before, with something in between that changes: `generic specialization <Swift.Int> of `.
const DERIVED_WITH: [(&str, &str); 4] = [
    ("generic ", "> of "),
    ("function signature specialization ", "> of "),
    ("(", " resume partial function for "),
    ("(extension in ", "):"),
];

pub(super) fn function(name: &str) -> Option<Cow<'_, str>> {
    if native::is_plain(name) {
        return native::function(name);
    }
    if let Some(mangled) = mangled_swift(name) {
        return Some(mangled);
    }
    let bare = name.split(" [clone").next().unwrap_or(name);
    let bare = native::without_offset(bare.trim_end());
    let has_structure = bare.contains(['(', '<', ' ']);
    if !has_structure || bare.starts_with(['-', '+', '_', '?']) || !may_be_swift(bare) {
        return native::symbol(name);
    }
    Some(changed(name, swift(bare)))
}

/// Whether a name from any native platform is of Swift.
pub(super) fn looks_like_swift(name: &str) -> bool {
    const MARKS: [&str; 11] = [
        "closure #",
        " in ",
        " -> ",
        ".getter",
        ".setter",
        "@objc ",
        "(extension in ",
        "partial apply ",
        " infix",
        " prefix",
        " postfix",
    ];
    is_mangled_swift(name)
        || name.contains(' ') && may_be_swift(name) && MARKS.iter().any(|mark| name.contains(mark))
}

/// Swift writes no `::`, and the other languages hardly a name with structure without it.
fn may_be_swift(name: &str) -> bool {
    !["::", "operator", "(*"]
        .iter()
        .any(|mark| name.contains(mark))
        && !name.contains(['`', '{', '\''])
}

fn is_mangled_swift(name: &str) -> bool {
    let name = name.trim_start_matches('_');
    name.starts_with("$s") || name.starts_with("$S")
}

/// `…fU_`, `…fU0_`: closures by number. There is no demangler of Swift in Rust, so the rest stays.
fn mangled_swift(name: &str) -> Option<Cow<'_, str>> {
    if !is_mangled_swift(name) {
        return None;
    }
    let mut bare = name.trim_start_matches('_');
    bare = bare.split('.').next().unwrap_or(bare);
    loop {
        let before = bare.len();
        for thunk in ["TA", "To", "Tm", "TR"] {
            bare = bare.strip_suffix(thunk).unwrap_or(bare);
        }
        // The parts of an asynchronous function between two suspensions.
        if let Some(front) = bare.strip_suffix('_') {
            let front = front.trim_end_matches(|c: char| c.is_ascii_digit());
            if front.ends_with("TY") || front.ends_with("TQ") {
                bare = &front[..front.len() - "TY".len()];
            }
        }
        if bare.len() == before {
            break;
        }
    }
    let mut stable = String::with_capacity(bare.len());
    let mut rest = bare;
    while let Some(at) = rest.find("fU") {
        let number = at + "fU".len();
        let end = run_end(rest, number, |byte| byte.is_ascii_digit());
        stable.push_str(&rest[..number]);
        let is_closure = rest.as_bytes().get(end) == Some(&b'_');
        rest = &rest[if is_closure { end } else { number }..];
    }
    stable.push_str(rest);
    Some(changed(name, stable))
}

/// The name of a block: `__41-[Basket pay:]_block_invoke_2` is `-[Basket pay:] block`.
pub(super) fn block(name: &str) -> Option<Cow<'_, str>> {
    if name.ends_with("] block") {
        return Some(Cow::Borrowed(name));
    }
    let helper = name.trim_start_matches('_');
    for prefix in ["copy_helper_block", "destroy_helper_block"] {
        if helper.starts_with(prefix) {
            return Some(Cow::Borrowed(prefix));
        }
    }
    let (front, end) = name.split_once("_block_invoke")?;
    if !end
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'_' | b'.'))
    {
        return None;
    }
    let method = front.trim_start_matches('_');
    let method = method.trim_start_matches(|c: char| c.is_ascii_digit());
    if method.starts_with(['-', '+']) {
        return Some(Cow::Owned(format!("{method} block")));
    }
    // The compiler puts two underscores before the function's symbol.
    let function = front.strip_prefix("__").unwrap_or(front);
    let function = match demangle::demangle(function) {
        Some(demangled) => scope::bare(&demangled),
        None => function.to_owned(),
    };
    Some(Cow::Owned(format!("{function}::{{block}}")))
}

fn swift(name: &str) -> String {
    let mut labels: Vec<Cow<'_, str>> = Vec::new();
    let mut rest = name;
    if let Some(witness) = rest.strip_prefix("protocol witness for ") {
        let end = find_outside(witness, " in conformance ", 0).unwrap_or(witness.len());
        rest = &witness[..end];
    }
    // Closures and local functions stand before what they are in.
    loop {
        let (named, is_closure) = without_derivation(rest);
        if is_closure {
            add_label(&mut labels, Cow::Borrowed(CLOSURE));
        }
        rest = named;
        let Some(at) = find_outside(rest, " in ", 0) else {
            break;
        };
        let inner = &rest[..at];
        let is_closure = ["closure", "implicit closure", "autoclosure"]
            .iter()
            .any(|word| inner.strip_prefix(word).is_some_and(is_numbered_or_empty));
        let label = if is_closure {
            Cow::Borrowed(CLOSURE)
        } else {
            Cow::Owned(path(inner))
        };
        add_label(&mut labels, label);
        rest = &rest[at + " in ".len()..];
    }
    let is_thunk = ["thunk for ", "reabstraction thunk "]
        .iter()
        .any(|thunk| rest.starts_with(thunk));
    let place = if is_thunk {
        CLOSURE.to_owned()
    } else {
        path(rest)
    };
    add_label(&mut labels, Cow::Owned(place));
    labels.join(" in ")
}

fn is_numbered_or_empty(text: &str) -> bool {
    text.is_empty() || text.starts_with(" #")
}

/// Closures inside of closures are one.
fn add_label<'n>(labels: &mut Vec<Cow<'n, str>>, label: Cow<'n, str>) {
    if !label.is_empty() && labels.last() != Some(&label) {
        labels.push(label);
    }
}

/// Without the words before the name, and whether they made a closure of it.
fn without_derivation(name: &str) -> (&str, bool) {
    let mut rest = name;
    let mut is_closure = false;
    loop {
        let before = rest.len();
        for prefix in DERIVED {
            rest = rest.strip_prefix(prefix).unwrap_or(rest);
        }
        for (prefix, end) in DERIVED_WITH {
            if rest.starts_with(prefix)
                && let Some(at) = rest.find(end)
            {
                rest = &rest[at + end.len()..];
            }
        }
        for prefix in ["partial apply for ", "partial apply forwarder for "] {
            if let Some(applied) = rest.strip_prefix(prefix) {
                rest = applied;
                is_closure = true;
            }
        }
        if let Some(argument) = rest.strip_prefix("default argument ")
            && let Some((number, of)) = argument.split_once(" of ")
            && is_digits(number)
        {
            rest = of;
            is_closure = true;
        }
        if rest.len() == before {
            return (rest, is_closure);
        }
    }
}

/// `Shop.Basket.pay(amount: Swift.Int) throws -> ()` without types.
fn path(signature: &str) -> String {
    // An operator is a name of signs, and may be a bracket.
    for fix in [" infix", " prefix", " postfix"] {
        if let Some(at) = signature.find(fix)
            && matches!(
                signature.as_bytes().get(at + fix.len()),
                None | Some(b'(' | b'<')
            )
        {
            return signature[..at + fix.len()].to_owned();
        }
    }
    let end = [" -> ", " : "]
        .iter()
        .filter_map(|mark| find_outside(signature, mark, 0))
        .min()
        .unwrap_or(signature.len());
    let signature = &signature[..end];
    let mut out = String::with_capacity(signature.len());
    let mut at = 0;
    while let Some(c) = signature[at..].chars().next() {
        match c {
            '(' | '<' => {
                let Some(end) = group_end(signature, at) else {
                    break;
                };
                // Private names carry a digest of their file: `(Basket in _3F25…)`, local ones a number: `(Basket #1 in …)`.
                let inside = &signature[at + 1..end - 1];
                let is_name = c == '(' && (out.is_empty() || out.ends_with('.'));
                if is_name && let Some((name, _)) = inside.split_once(" in ") {
                    out.push_str(name.split(' ').next().unwrap_or(name));
                } else if c == '(' && !signature[end..].starts_with(['.', '(', '<']) {
                    break;
                }
                at = end;
                continue;
            }
            // `inner #1`: the number of a local function.
            ' ' if signature[at..].starts_with(" #") => break,
            ' ' => out.clear(),
            _ => out.push(c),
        }
        at += c.len_utf8();
    }
    match out.trim_start_matches(['*', '&']) {
        "" => signature.trim().to_owned(),
        path => path.to_owned(),
    }
}

#[cfg(test)]
mod tests;
