//! What holds for the names of all platforms.

use std::borrow::Cow;

use proptest::prelude::*;

use super::*;

const PLATFORMS: [&str; 14] = [
    "native",
    "cocoa",
    "javascript",
    "java",
    "csharp",
    "go",
    "php",
    "ruby",
    "python",
    "elixir",
    "dart",
    "other",
    "swift",
    "",
];

#[test]
fn plain_names_cost_no_memory() {
    for platform in PLATFORMS {
        for name in ["pay", "toggleMenu", "_private_name", "größe"] {
            assert!(
                matches!(function(name, platform), Some(Cow::Borrowed(found)) if found == name)
            );
            assert!(matches!(module(name, platform), Some(Cow::Borrowed(found)) if found == name));
        }
        assert_eq!(function("  ", platform), None);
        assert_eq!(function("<unknown>", platform), None);
        assert_eq!(module("", platform), None);
    }
    for (name, platform) in [
        ("shop::Basket::total", "native"),
        ("App\\Order::pay", "php"),
        ("(*Parser).ReadLine", "go"),
        ("-[Basket pay:]", "cocoa"),
        ("Object.toggleMenu", "javascript"),
    ] {
        assert!(
            matches!(function(name, platform), Some(Cow::Borrowed(_))),
            "{name}"
        );
    }
}

#[test]
fn names_of_numbers_are_no_hashes() {
    for (word, expected) in [
        ("da39a3ee5e6b4b0d3255bfef95601890afd80709", true),
        ("8f14e45f", true),
        ("1A2B3C4D", true),
        ("1a2B3c4D", false),
        ("20241122", false),
        ("cafe2024", false),
        ("deadbeef", false),
        ("facade", false),
        ("1a2b", false),
    ] {
        assert_eq!(is_hash(word), expected, "{word}");
    }
}

#[test]
fn long_names_are_read_in_bounded_time() {
    for text in [
        "(",
        "<",
        "`",
        "`'",
        "a<",
        "::<",
        "{",
        " in (",
        "$_1",
        "? ",
        "a$1",
        "__struct_1",
        ".1",
        "> of ",
    ] {
        let name = text.repeat(300_000 / text.len());
        for platform in PLATFORMS {
            let _ = function(&name, platform);
            let _ = module(&name, platform);
        }
    }
}

#[test]
fn cold_parts_are_known() {
    for (name, platform, expected) in [
        ("run.cold", "native", true),
        ("run.cold.3", "native", true),
        ("run.constprop.0.cold", "c", true),
        ("run(int) [clone .cold]", "native", true),
        ("-[Basket pay:].cold.1", "cocoa", true),
        ("Basket.coldStart()", "cocoa", false),
        ("run", "native", false),
        ("run.cold", "python", false),
    ] {
        assert_eq!(is_cold_part(name, platform), expected, "{name}");
    }
}

fn names() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "pay",
        "Basket",
        "::",
        ".",
        "$",
        "<",
        ">",
        "(",
        ")",
        "{",
        "}",
        "[",
        "]",
        "`",
        "'",
        "#1",
        " in ",
        " -> ",
        " : ",
        "closure",
        "lambda",
        "operator",
        "operator<",
        "$_0",
        "__",
        "_Z",
        "_R",
        "N",
        "E",
        "I",
        "S_",
        "3pay",
        "$s",
        "fU0_",
        "@",
        "12",
        "0x1f",
        "1a2b3c4d",
        "-",
        "+",
        " as ",
        "impl ",
        "&",
        "*",
        "?A0x1",
        "_block_invoke",
        "{closure:",
        "b__",
        "d__",
        "|",
        "\u{e9}",
        "\u{1f600}",
        " ",
        "/",
        "\\",
        "=",
        ",",
        "fun",
        "-fun-",
        "func1",
        "Lambda",
        "%",
        "~",
        "\0",
    ]);
    prop_oneof![
        prop::collection::vec(pieces, 0..24).prop_map(|pieces| pieces.concat()),
        "\\PC{0,60}",
        "_Z[NEISTLZKPRF0-9a-z_]{0,60}",
        "_R[NCvtsBpI0-9a-z_]{0,60}",
        "\\$s[0-9A-Za-z_]{0,40}",
    ]
}

proptest! {
    #[test]
    fn no_name_panics(name in names()) {
        for platform in PLATFORMS {
            if let Some(normalized) = function(&name, platform) {
                prop_assert!(!normalized.is_empty(), "{} gave nothing", platform);
                let _ = is_numbered_closure(&normalized, platform);
            }
            let _ = module(&name, platform);
            let _ = file(&name, platform);
            let _ = is_numbered_class(&name, platform);
        }
    }
}
