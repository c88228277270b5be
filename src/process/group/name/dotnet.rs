//! Names of C#, F# and Visual Basic, also as Unity's IL2CPP writes them.
//! In: a method or type of the runtime, or a signature made readable. Out: the name without numbers of lambdas, state
//! machines, closures and generated assemblies.

use std::borrow::Cow;

use super::super::token::is_random;
use super::{changed, is_digits, is_hash, run_end};

pub(super) fn function(name: &str) -> Cow<'_, str> {
    if name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
    {
        return Cow::Borrowed(name);
    }
    // Unity appends a parameter list: `Player:Update (int)`. A signature with blanks before is another form.
    let bare = match name.split_once(" (") {
        Some((front, _)) if !front.is_empty() && !front.contains(' ') => front,
        _ => without_ordinal(name),
    };
    changed(name, without_numbers(bare))
}

pub(super) fn module(name: &str) -> Cow<'_, str> {
    if name
        .bytes()
        .all(|byte| byte.is_ascii_alphabetic() || byte == b'.')
    {
        return Cow::Borrowed(name);
    }
    let mut bare = name;
    if let Some(version) = name.find(", Version=") {
        // Before it stands the assembly: `Shop.Basket, Shop, Version=1.0.0.0`. Arguments of generic types have their own.
        let end = name.find([',', '[']).unwrap_or(version);
        bare = &name[..end];
    }
    let stable = without_numbers(bare);
    if stable.contains(['_', '.']) && stable.bytes().any(|byte| byte.is_ascii_digit()) {
        return changed(name, without_hashes(&stable));
    }
    changed(name, stable)
}

pub(super) fn is_closure(name: &str) -> bool {
    name.ends_with(">b") || name.ends_with("_Lambda") || name.ends_with("=> { }")
}

/// Of several lambdas of one method: `Pay()+() => { } [2]`.
fn without_ordinal(name: &str) -> &str {
    name.strip_suffix(']')
        .and_then(|front| front.rsplit_once(" ["))
        .filter(|(_, number)| is_digits(number))
        .map_or(name, |(front, _)| front)
}

fn without_numbers(name: &str) -> String {
    let mut stable = String::with_capacity(name.len());
    let mut at = 0;
    while let Some(c) = name[at..].chars().next() {
        let rest = &name[at..];
        let end = match c {
            '>' => generated(rest, &mut stable),
            // The number of type parameters.
            '`' => numbers_end(rest, rest.len() - rest.trim_start_matches('`').len()),
            // F# appends the line of a closure: `pay@12-3`.
            '@' => numbers_end(rest, 1),
            // Visual Basic: `_Lambda$__1-0`.
            '$' if rest.starts_with("$__") => numbers_end(rest, "$__".len()),
            'S' if rest.starts_with("StateMachine_") => {
                let number = "StateMachine_".len();
                stable.push_str(&rest[..number]);
                let end = run_end(rest, number, |byte| byte.is_ascii_digit());
                Some(run_end(rest, end, |byte| byte == b'_'))
            }
            'l' if rest.starts_with("lambda_method") => {
                let number = "lambda_method".len();
                stable.push_str(&rest[..number]);
                Some(run_end(rest, number, |byte| byte.is_ascii_digit()))
            }
            // The token of a method in IL2CPP.
            '_' if rest.starts_with("_m") => {
                let end = run_end(rest, 2, |byte| {
                    byte.is_ascii_digit() || matches!(byte, b'A'..=b'F')
                });
                (end >= 2 + 8).then_some(end)
            }
            _ => None,
        };
        match end {
            Some(end) if end > 0 => at += end,
            _ => {
                stable.push(c);
                at += c.len_utf8();
            }
        }
    }
    stable
}

/// Digits with dashes from `from` on; nothing if there are none.
fn numbers_end(text: &str, from: usize) -> Option<usize> {
    let end = run_end(text, from, |byte| byte.is_ascii_digit() || byte == b'-');
    (end > from).then_some(end)
}

/// What the C# compiler makes: `>b__0_1` a lambda, `>d__5` a state machine, `>c__DisplayClass3_0` its variables,
/// `>g__Local|0_0` a local function.
fn generated(rest: &str, stable: &mut String) -> Option<usize> {
    let bytes = rest.as_bytes();
    if !matches!(bytes, [b'>', b'a'..=b'z', b'_', b'_', ..]) {
        return None;
    }
    let word = ">b__".len();
    if bytes[1] == b'g' {
        let end = word + rest[word..].find('|')?;
        stable.push_str(&rest[..end]);
        return Some(run_end(rest, end + 1, is_number));
    }
    let word_end = run_end(rest, word, |byte| byte.is_ascii_alphabetic());
    let kept = if word_end == word { 2 } else { word_end };
    stable.push_str(&rest[..kept]);
    Some(run_end(rest, word_end, is_number))
}

const fn is_number(byte: u8) -> bool {
    byte.is_ascii_digit() || byte == b'_'
}

/// Assemblies of pages and views have random names: `App_Web_x1y2z3w4`, `RazorEngine_8f14e45f…`.
fn without_hashes(name: &str) -> String {
    let mut stable = String::with_capacity(name.len());
    for (at, segment) in name.split('.').enumerate() {
        let segment = if segment.starts_with("App_Web_") {
            "App_Web"
        } else {
            segment
        };
        let kept: Vec<&str> = segment
            .split('_')
            .filter(|part| !is_hash(part) && !is_random(part))
            .collect();
        let segment = kept.join("_");
        if at > 0 && !segment.is_empty() {
            stable.push('.');
        }
        stable.push_str(&segment);
    }
    if stable.is_empty() {
        name.to_owned()
    } else {
        stable
    }
}

#[cfg(test)]
mod tests {
    use super::super::{function, is_numbered_closure, module};

    #[test]
    fn functions_lose_numbers() {
        for (name, expected) in [
            ("Pay", "Pay"),
            ("Pay2", "Pay2"),
            ("<Main>b__0_1", "<Main>b"),
            ("<Main>b__3", "<Main>b"),
            ("<.ctor>b__12_0", "<.ctor>b"),
            ("<Pay>b__0_1", "<Pay>b"),
            ("<Pay>m__0", "<Pay>m"),
            ("<Main>g__Local|0_0", "<Main>g__Local"),
            ("<Main>g__Local2|3_1", "<Main>g__Local2"),
            ("<Main>g__Other|0_0", "<Main>g__Other"),
            ("_Lambda$__1-0", "_Lambda"),
            ("_Lambda$__R12-3", "_Lambda$__R12-3"),
            ("pay@12-3", "pay"),
            ("lambda_method17", "lambda_method"),
            ("Player_Update_m1A2B3C4D5E6F", "Player_Update"),
            ("Player_Update_mC0FFEE", "Player_Update_mC0FFEE"),
            ("Player:Update (int)", "Player:Update"),
            ("Player.Update ()", "Player.Update"),
            (
                "int StockService.Parse(string line)",
                "int StockService.Parse(string line)",
            ),
            (
                "(int a, string b) Shop.Pay(int id)",
                "(int a, string b) Shop.Pay(int id)",
            ),
            (
                "Task<(int, string)> Shop.Pay(int id)",
                "Task<(int, string)> Shop.Pay(int id)",
            ),
            (
                "async Task<int> StockService.Load(string slug)+(?) => { }",
                "async Task<int> StockService.Load(string slug)+(?) => { }",
            ),
            ("void Shop.Pay()+() => { } [2]", "void Shop.Pay()+() => { }"),
            ("Shop[int]", "Shop[int]"),
            ("MoveNext", "MoveNext"),
        ] {
            assert_eq!(
                function(name, "csharp").as_deref(),
                Some(expected),
                "{name}"
            );
        }
    }

    #[test]
    fn types_lose_numbers_versions_and_hashes() {
        for (name, expected) in [
            ("Shop.Basket", "Shop.Basket"),
            ("Shop.Basket`1", "Shop.Basket"),
            ("Shop.Program+<Pay>d__5", "Shop.Program+<Pay>d"),
            ("Shop.Program+<Pay>d__12`1", "Shop.Program+<Pay>d"),
            ("Shop.Program+<Other>d__5", "Shop.Program+<Other>d"),
            (
                "Shop.Program+<>c__DisplayClass3_0",
                "Shop.Program+<>c__DisplayClass",
            ),
            (
                "Shop.Program+<>c__DisplayClass3_0+<<Pay>b__0>d",
                "Shop.Program+<>c__DisplayClass+<<Pay>b>d",
            ),
            (
                "Shop.Program+<Pay>c__Iterator0",
                "Shop.Program+<Pay>c__Iterator",
            ),
            ("<>f__AnonymousType0`2", "<>f__AnonymousType"),
            (
                "Shop.Form+VB$StateMachine_5_Pay",
                "Shop.Form+VB$StateMachine_Pay",
            ),
            (
                "Shop.Basket, Shop, Version=1.2.3.4, Culture=neutral",
                "Shop.Basket",
            ),
            (
                "Shop.List`1[[Shop.Item, Shop, Version=1.0.0.0]], Shop, Version=1.0.0.0",
                "Shop.List",
            ),
            ("App_Web_x1y2z3w4", "App_Web"),
            ("App_Web_b3k9qz1w", "App_Web"),
            ("App_Web_index.cshtml.a8d08dba.k3j9x2w1", "App_Web.cshtml"),
            (
                "CompiledRazor.RazorEngine_8f14e45fceea167a",
                "CompiledRazor.RazorEngine",
            ),
            ("Shop.V2.Basket", "Shop.V2.Basket"),
            ("Shop.Utf8Reader_Old", "Shop.Utf8Reader_Old"),
        ] {
            assert_eq!(module(name, "csharp").as_deref(), Some(expected), "{name}");
        }
    }

    #[test]
    fn lambdas_are_known() {
        for (name, expected) in [
            ("<Main>b__0_1", true),
            ("_Lambda$__1-0", true),
            ("void Shop.Pay()+() => { } [2]", true),
            ("<Main>g__Local|0_0", false),
            ("Pay", false),
        ] {
            let normalized = function(name, "csharp").expect("a name");
            assert_eq!(
                is_numbered_closure(&normalized, "csharp"),
                expected,
                "{name}"
            );
        }
    }
}
