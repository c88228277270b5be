//! Names of Python, Elixir, Erlang, Dart and of platforms without rules.
//! In: a name as the SDK sent it. Out: the same name but for what a generator put into it.

use std::borrow::Cow;

use super::{changed, is_digits, is_hash, native, run_end};

/// Names stay as they are: numbers in them are of their authors. Notebooks name the code of a cell after its line.
pub(super) fn python_function(name: &str) -> Cow<'_, str> {
    match name.strip_prefix("<cell line: ") {
        Some(number) if number.strip_suffix('>').is_some_and(is_digits) => {
            Cow::Borrowed("<cell line>")
        }
        _ => Cow::Borrowed(name),
    }
}

/// Modules that are loaded by the hash of their path: `unusual_prefix_<sha1>_dag`.
pub(super) fn python_module(name: &str) -> Cow<'_, str> {
    // The program itself, in a child of `multiprocessing` and as text.
    if matches!(name, "__mp_main__" | "<string>") {
        return Cow::Borrowed("__main__");
    }
    // A template of Mako without a file, by its address.
    if name.starts_with("memory:0x") || name.starts_with("memory_0x") {
        return Cow::Borrowed("memory");
    }
    if !name.bytes().any(|byte| byte.is_ascii_digit()) {
        return Cow::Borrowed(name);
    }
    let mut stable = String::with_capacity(name.len());
    for segment in name.split('.') {
        let parts = segment.split('_').filter(|part| !is_hash(part));
        for (at, part) in parts.enumerate() {
            match at {
                0 if stable.is_empty() => {}
                0 => stable.push('.'),
                _ => stable.push('_'),
            }
            stable.push_str(part);
        }
    }
    if stable.is_empty() {
        return Cow::Borrowed(name);
    }
    changed(name, stable)
}

/// Elixir and Erlang, Dart, and all that has no rules: the marks of the first three are found nowhere else.
pub(super) fn function(name: &str) -> Cow<'_, str> {
    if !name.contains(['@', '<', '-', '+', '$']) {
        return Cow::Borrowed(name);
    }
    // Of Lua: a function without a name, by the line where it begins.
    if let Some(place) = name
        .strip_prefix('<')
        .and_then(|rest| rest.strip_suffix('>'))
        && let Some((file, line)) = place.rsplit_once(':')
        && is_digits(line)
    {
        return Cow::Owned(format!("<{file}>"));
    }
    // With the number of arguments behind it, or without.
    let closed = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let closed = closed.strip_suffix('/').unwrap_or(name);
    if name.starts_with('-') && closed.ends_with('-') {
        return changed(name, beam(closed) + &name[closed.len()..]);
    }
    changed(name, dart(native::without_offset(name)))
}

pub(super) fn is_closure(name: &str) -> bool {
    name.ends_with("-fun-") || name.ends_with("{closure}")
}

/// `-pay/2-fun-0-` is a function without a name in `pay/2`, `-pay/2-lc$^1/1-0-` a comprehension.
fn beam(name: &str) -> String {
    let mut stable = String::with_capacity(name.len());
    let mut rest = name;
    while let Some((at, mark)) = ["-fun-", "-lc$^", "-lbc$^", "-anonymous-"]
        .iter()
        .filter_map(|mark| rest.find(mark).map(|at| (at, *mark)))
        .min()
    {
        let word = mark.trim_end_matches("$^").trim_end_matches('-');
        stable.push_str(&rest[..at]);
        stable.push_str(word);
        let number = at + mark.len();
        let end = run_end(rest, number, |byte| {
            byte.is_ascii_digit() || matches!(byte, b'/' | b'-')
        });
        // The dash behind the number closes the name.
        rest = &rest[if end > number { end } else { number }..];
        if end > number || mark.ends_with("$^") {
            stable.push('-');
        } else {
            stable.push_str(&mark[word.len()..]);
        }
    }
    stable.push_str(rest);
    stable
}

/// Private names carry the key of their library: `_Basket@12345678._pay`.
fn dart(name: &str) -> String {
    let mut stable = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(at) = rest.find('@') {
        let end = run_end(rest, at + 1, |byte| byte.is_ascii_digit());
        let is_key = end > at + 1 && at > 0;
        stable.push_str(&rest[..if is_key { at } else { at + 1 }]);
        rest = &rest[if is_key { end } else { at + 1 }..];
    }
    stable.push_str(rest);
    for closure in ["<anonymous closure>", "<fn>"] {
        if stable.contains(closure) {
            stable = stable.replace(closure, "{closure}");
        }
    }
    stable
}

#[cfg(test)]
mod tests {
    use super::super::{function, is_numbered_closure, module};

    #[test]
    fn python_names_are_of_people() {
        for name in [
            "pay",
            "test_2024",
            "test_2025",
            "<lambda>",
            "<module>",
            "<genexpr>",
            "profile.<locals>.<genexpr>",
            "_wrap_run.<locals>.run",
            "step_1",
            "deadbeef",
        ] {
            assert_eq!(function(name, "python").as_deref(), Some(name));
        }
        for (name, expected) in [
            ("<cell line: 12>", "<cell line>"),
            ("<cell line: x>", "<cell line: x>"),
        ] {
            assert_eq!(function(name, "python").as_deref(), Some(expected));
        }
    }

    #[test]
    fn python_modules_lose_hashes_only() {
        for (name, expected) in [
            ("shop.basket", "shop.basket"),
            ("tests.test_2024", "tests.test_2024"),
            ("tests.test_2025", "tests.test_2025"),
            (
                "shop.migrations.0001_initial",
                "shop.migrations.0001_initial",
            ),
            ("shop.report_20241122", "shop.report_20241122"),
            ("shop.cafe2024", "shop.cafe2024"),
            ("__mp_main__", "__main__"),
            ("__main__", "__main__"),
            ("<string>", "__main__"),
            (
                "unusual_prefix_da39a3ee5e6b4b0d3255bfef95601890afd80709_dag",
                "unusual_prefix_dag",
            ),
            (
                "unusual_prefix_356a192b7913b04c54574d18c28d46e6395428ab_dag",
                "unusual_prefix_dag",
            ),
            ("plugins.8f14e45fceea167a.main", "plugins.main"),
        ] {
            assert_eq!(module(name, "python").as_deref(), Some(expected), "{name}");
        }
    }

    #[test]
    fn beam_and_dart_lose_numbers() {
        for (platform, name, expected) in [
            ("elixir", "-bar/2-fun-0-", "-bar/2-fun-"),
            ("erlang", "-bar/2-fun-13-", "-bar/2-fun-"),
            ("elixir", "-baz/2-fun-0-", "-baz/2-fun-"),
            ("elixir", "-bar/3-fun-0-", "-bar/3-fun-"),
            ("elixir", "-bar/3-fun-12-/2", "-bar/3-fun-/2"),
            ("lua", "<cart.lua:12>", "<cart.lua>"),
            ("elixir", "-pay/1-lc$^0/1-0-", "-pay/1-lc-"),
            ("elixir", "-pay/1-lc$^1/1-2-", "-pay/1-lc-"),
            ("elixir", "-pay/1-anonymous-0-", "-pay/1-anonymous-"),
            (
                "elixir",
                "anonymous fn/1 in Shop.pay/2",
                "anonymous fn/1 in Shop.pay/2",
            ),
            ("elixir", "Shop.pay/2", "Shop.pay/2"),
            ("dart", "_Basket@12345678._pay", "_Basket._pay"),
            ("dart", "_Basket@87654321._pay@99", "_Basket._pay"),
            ("dart", "_Other@12345678._pay", "_Other._pay"),
            (
                "dart",
                "Basket.pay.<anonymous closure>",
                "Basket.pay.{closure}",
            ),
            ("dart", "Basket.pay.<fn>", "Basket.pay.{closure}"),
            ("dart", "<asynchronous gap>", "<asynchronous gap>"),
            (
                "other",
                "_kDartIsolateSnapshotInstructions+0x1f2e",
                "_kDartIsolateSnapshotInstructions",
            ),
            ("perl", "Shop::Basket::pay", "Shop::Basket::pay"),
            ("", "pay", "pay"),
        ] {
            assert_eq!(
                function(name, platform).as_deref(),
                Some(expected),
                "{name}"
            );
        }
        for (platform, name, expected) in [
            ("elixir", "-bar/2-fun-0-", true),
            ("dart", "Basket.pay.<fn>", true),
            ("elixir", "Shop.pay/2", false),
        ] {
            let normalized = function(name, platform).expect("a name");
            assert_eq!(
                is_numbered_closure(&normalized, platform),
                expected,
                "{name}"
            );
        }
    }
}
