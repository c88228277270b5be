//! Names of functions in JavaScript.
//! In: a name as engines write it. Out: its last part: minifiers and bundlers change what stands before. Nothing for the
//! names that engines and bundlers make up for functions without one.

use std::borrow::Cow;

use super::{is_digits, native, without_end_digits};

pub(super) fn function(name: &str) -> Option<Cow<'_, str>> {
    let is_plain = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    if name.bytes().all(is_plain) {
        return (!is_made_up(name)).then(|| Cow::Borrowed(stable(name)));
    }
    if name.contains("wasm-function[") {
        return Some(Cow::Borrowed("wasm-function"));
    }
    // Of a program in WebAssembly that was compiled from C++ or Rust.
    if name.contains("::") {
        return native::function(name);
    }
    let called = name.split(" [as ").next().unwrap_or(name);
    if called.starts_with("eval at ") || called.starts_with("anonymous(") {
        return None;
    }
    let mut bare = called.trim();
    // Firefox writes how a function was scheduled before its name: `async*pay`.
    bare = bare.rsplit('*').next().unwrap_or(bare);
    for word in ["async ", "new ", "get ", "set ", "static ", "bound "] {
        bare = bare.strip_prefix(word).unwrap_or(bare);
    }
    // Bundlers wrap each module into a function named after its file or number, and old Firefox describes where a
    // nameless function was made: `pay/<`.
    if bare.contains('/') {
        return None;
    }
    let last = last_part(bare);
    (!is_made_up(last) && !is_digits(last)).then(|| Cow::Borrowed(stable(last)))
}

/// Computed names hold dots of their own: `Basket.[Symbol.iterator]`.
fn last_part(name: &str) -> &str {
    if name.ends_with(']')
        && let Some(at) = name.find('[')
    {
        return &name[at..];
    }
    name.rsplit('.').next().unwrap_or(name)
}

fn is_made_up(name: &str) -> bool {
    matches!(
        name,
        "" | "?"
            | "<anonymous>"
            | "<anonymous function>"
            | "<computed>"
            | "<unknown>"
            | "(anonymous)"
            | "(anonymous function)"
            | "{anonymous}"
            | "anonymous"
            | "Anonymous"
            | "Anonymous function"
            | "anonymous function"
            | "function"
            | "global code"
            | "Global code"
            | "module code"
            | "eval code"
    ) || name.starts_with("?anon")
        || name.ends_with('<')
}

/// Without the numbers that bundlers and transpilers append to tell equal names apart: `pay$1`, `_callee2$`, `_loop3`.
fn stable(name: &str) -> &str {
    if let Some((front, number)) = name.rsplit_once('$')
        && is_digits(number)
        && !front.is_empty()
    {
        return front;
    }
    let bare = without_end_digits(name.trim_end_matches('$')).trim_end_matches('_');
    if matches!(bare, "_callee" | "_loop" | "_temp" | "_marked" | "_ref") {
        bare
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use super::super::function;

    #[test]
    fn the_last_part_counts() {
        for (name, expected) in [
            ("pay", Some("pay")),
            ("pay2", Some("pay2")),
            ("Object.toggleMenu", Some("toggleMenu")),
            ("r.toggleMenu", Some("toggleMenu")),
            ("async pay", Some("pay")),
            ("async*pay", Some("pay")),
            ("new Basket", Some("Basket")),
            ("get total", Some("total")),
            ("async Basket.pay", Some("pay")),
            ("Object.pay [as onClick]", Some("pay")),
            (
                "Function.executeUserEntryPoint [as runMain]",
                Some("executeUserEntryPoint"),
            ),
            ("Basket.#pay", Some("#pay")),
            ("Basket.[Symbol.iterator]", Some("[Symbol.iterator]")),
            ("wasm-function[12]", Some("wasm-function")),
            (
                "shop::cart::total::h0123456789abcdef",
                Some("shop::cart::total"),
            ),
            ("shop.wasm:wasm-function[345]:0x1f", Some("wasm-function")),
            ("pay$1", Some("pay")),
            ("pay$12", Some("pay")),
            ("$1", Some("$1")),
            ("_callee$", Some("_callee")),
            ("_callee2$", Some("_callee")),
            ("_loop_1", Some("_loop")),
            ("größe", Some("größe")),
        ] {
            for platform in ["javascript", "node"] {
                assert_eq!(function(name, platform).as_deref(), expected, "{name}");
            }
        }
    }

    #[test]
    fn made_up_names_are_none() {
        for name in [
            "?",
            "",
            "<anonymous>",
            "Object.<anonymous>",
            "HTMLButtonElement.<anonymous>",
            "Object.?",
            "IncomingMessage.?",
            "<anonymous function>",
            "(anonymous function)",
            "anonymous",
            "Anonymous function",
            "?anon_0_",
            "foo/<",
            "dispatch/e.handle",
            "./src/app.js",
            "Object../src/app.js",
            "Object.5324",
            "5324",
            "global code",
            "module code",
            "eval code",
            "eval at pay (https://shop.example/a.js:1:2)",
            "Object.<computed> [as pay]",
            "/",
        ] {
            assert_eq!(function(name, "javascript"), None, "{name}");
        }
    }
}
