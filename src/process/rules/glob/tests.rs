//! Patterns against texts, by hand and at random against a slow matcher that does what the rules say.

use super::pattern::{Token, alternatives};
use super::*;
use crate::process::rules::sample::Random;

fn matches(pattern: &str, mode: Mode, text: &str) -> bool {
    let glob = Glob::new(pattern, mode).expect("a pattern");
    glob.matches(&mode.prepare(text), &Effort::new())
}

#[test]
fn texts_match_as_a_whole() {
    for (pattern, yes, no) in [
        ("", &[""][..], &["a"][..]),
        ("*", &["", "a/b\nc"], &[]),
        ("**", &["", "a/b"], &[]),
        (
            "Value?rror",
            &["ValueError"],
            &["Valueerro", "valueError", "ValueErrorr"],
        ),
        ("Value*", &["Value", "ValueError"], &["value", "aValue"]),
        ("*Error", &["Error", "KeyError"], &["Errors", "KeyErrOr"]),
        ("*time*", &["time", "timeout", "a time"], &["Time", "tim"]),
        (
            "a*b*c",
            &["abc", "aXbYc", "abbcc", "abcbc"],
            &["ab", "acb", "abcd"],
        ),
        ("a*ab", &["aab", "aabab"], &["ab", "aba"]),
        ("std::*", &["std::panicking"], &["core::std"]),
        ("[ab]x[!0-9]", &["axz", "bx-"], &["cxz", "ax7", "ax"]),
        ("[^a]", &["b"], &["a", ""]),
        ("[]]", &["]"], &["["]),
        ("[a-]", &["a", "-"], &["b"]),
        ("[z-a]", &[], &["z", "m", "-"]),
        (r"[\]x]", &["]", "x"], &["\\"]),
        ("[", &["["], &[""]),
        ("a[b", &["a[b"], &["ab"]),
        (r"\*", &["*"], &["a", "\\*"]),
        (r"a\", &[r"a\"], &["a"]),
        (r"\[slug\]", &["[slug]"], &["s"]),
        ("{a,b}c", &["ac", "bc"], &["c", "{a,b}c"]),
        ("{a,b{1,2}}", &["a", "b1", "b2"], &["b", "a1"]),
        ("x{,s}", &["x", "xs"], &["x,"]),
        (r"\{a,b\}", &["{a,b}"], &["a"]),
        // Without a comma there is nothing to choose from, so a message means what it says.
        ("object {}", &["object {}"], &["object "]),
        ("{0} of {1}", &["{0} of {1}"], &["0 of 1"]),
        ("token } in {", &["token } in {"], &[]),
        ("[{,}]", &["{", ",", "}"], &["[{]"]),
        ("ä?ü", &["äöü", "äxü"], &["äü", "ÄÖÜ"]),
    ] {
        for text in yes {
            assert!(
                matches(pattern, Mode::Exact, text),
                "{pattern:?} must match {text:?}"
            );
        }
        for text in no {
            assert!(
                !matches(pattern, Mode::Exact, text),
                "{pattern:?} must not match {text:?}"
            );
        }
    }
}

#[test]
fn case_counts_only_where_it_should() {
    for (pattern, text, expected) in [
        ("*Timeout*", "read TIMEOUT", true),
        ("ÄRGER*", "ärger überall", true),
        ("[A-F]*", "beef", true),
        ("[a-f]*", "BEEF", true),
        ("[!A-F]*", "beef", false),
        ("İx", "İX", true),
        ("ΟΔΟΣ", "οδοσ", true),
        ("a/*", "A/b/c", true),
        (r"a\*", "A*", true),
    ] {
        let found = matches(pattern, Mode::AnyCase, text);
        assert_eq!(found, expected, "{pattern} {text}");
    }
}

#[test]
fn paths_have_folders() {
    for (pattern, yes, no) in [
        (
            "**/node_modules/**",
            &[
                "webpack:///./node_modules/react/index.js",
                "node_modules/a.js",
                "/x/Node_Modules/a/b",
                r"C:\shop\node_modules\a.js",
            ][..],
            &["/x/my_node_modules/a.js", "/x/node_modules"][..],
        ),
        (
            "**/*.gen.c",
            &["foo.gen.c", "foo/bar.gen.c", "/foo.gen.c"],
            &["foo.c"],
        ),
        (
            "**/project/**.c",
            &["project/a/b.c", "/x/project/a.c"],
            &["/projects/a.c"],
        ),
        (
            "**/vendor/foo/*.c",
            &["/x/vendor/foo/a.c"],
            &["/x/vendor/foo/bar/a.c"],
        ),
        (
            "*/b.js",
            &["a/b.js", "b.js", "/b.js"],
            &["/a/b.js", "x/a/b.js"],
        ),
        (
            "/app/*.py",
            &["/app/a.py", "app/a.py"],
            &["/x/app/a.py", "/app/b/a.py"],
        ),
        ("app/?.py", &["app/a.py"], &["app//.py", "/app/a.py"]),
        ("app/[!a].py", &["app/b.py"], &["app//.py", "app/a.py"]),
        ("a/**/b", &["a/b", "a/x/b", "a/x/y/b"], &["a/xb", "ab"]),
        ("a/**/**/b", &["a/b", "a/x/b"], &["ab"]),
        ("a**/b", &["a/b", "ax/y/b"], &["ab"]),
        ("**", &["", "a/b"], &[]),
        ("*", &["a"], &["/a", "a/b"]),
        (
            r"C:\Users\*\app.exe",
            &[r"c:\users\jane\App.exe", "C:/Users/x/app.exe"],
            &[r"C:\Users\a\b\app.exe"],
        ),
        // Next.js names folders so.
        (
            r"**/app/\[slug\]/page.tsx",
            &["src/app/[slug]/page.tsx"],
            &["app/s/page.tsx"],
        ),
        (
            "**/{dist,build}/**",
            &["/x/dist/a.js", "build/a.js"],
            &["/x/distant/a.js"],
        ),
        (
            "**src/shop/**",
            &["/home/jane/src/shop/a.py", "websrc/shop/a.py"],
            &["src/shopping/a"],
        ),
        ("/**", &["/a/b", "a/b"], &[]),
    ] {
        for text in yes {
            assert!(
                matches(pattern, Mode::Path, text),
                "{pattern:?} must match {text:?}"
            );
        }
        for text in no {
            assert!(
                !matches(pattern, Mode::Path, text),
                "{pattern:?} must not match {text:?}"
            );
        }
    }
}

#[test]
fn what_is_too_much_is_refused() {
    assert!(Glob::new(&"a".repeat(LONGEST), Mode::Exact).is_some());
    assert!(Glob::new(&"a".repeat(LONGEST + 1), Mode::Exact).is_none());
    assert!(Glob::new(&"?".repeat(LONGEST), Mode::Path).is_some());
    assert!(Glob::new(&"{a,b}".repeat(6), Mode::Exact).is_some());
    assert!(Glob::new(&"{a,b}".repeat(7), Mode::Exact).is_none());
    assert!(Glob::new(&"{a,".repeat(300), Mode::Exact).is_some());
    let long = "x".repeat(900);
    assert!(Glob::new(&format!("{{a,b}}{long}"), Mode::Exact).is_some());
    assert!(Glob::new(&format!("{{a,b,c}}{long}"), Mode::Exact).is_none());
}

#[test]
fn a_bad_pattern_takes_no_longer_than_a_good_one() {
    let glob = Glob::new(&"*a?".repeat(300), Mode::Exact).expect("a pattern");
    let text = "a".repeat(8192);
    let start = std::time::Instant::now();
    assert!(glob.matches(&Mode::Exact.prepare(&text), &Effort::new()));
    assert!(!glob.matches(&Mode::Exact.prepare(&text[..500]), &Effort::new()));
    assert!(start.elapsed().as_millis() < 500);
}

/// What the tokens mean, tried one way after the other.
fn slowly(tokens: &[Token], text: &[char], mode: Mode) -> bool {
    let Some((token, rest)) = tokens.split_first() else {
        return text.is_empty();
    };
    let takes = |take: &dyn Fn(char) -> bool| {
        text.first().is_some_and(|c| take(*c)) && slowly(rest, &text[1..], mode)
    };
    let crosses = |c: char| !(mode.is_path() && c == '/');
    match token {
        Token::Char(wanted) => takes(&|c| c == *wanted),
        Token::One => takes(&crosses),
        Token::Class(class) => takes(&|c| crosses(c) && class.contains(c, mode)),
        Token::Anything => (0..=text.len()).any(|at| slowly(rest, &text[at..], mode)),
        Token::WithinFolder => (0..=text.len())
            .take_while(|at| !text[..*at].contains(&'/'))
            .any(|at| slowly(rest, &text[at..], mode)),
        Token::Folders => (0..=text.len())
            .filter(|at| *at == 0 || text[at - 1] == '/')
            .any(|at| slowly(rest, &text[at..], mode)),
    }
}

#[test]
fn the_quick_way_finds_what_the_slow_way_finds() {
    let mut random = Random::new(7);
    let mut matched = 0;
    for _ in 0..20_000 {
        let pattern = random.text(
            &[
                "a", "b", "/", "*", "**", "?", "[ab]", "[!a]", "{a,b}", "ä", "\\",
            ],
            8,
        );
        let text = random.text(&["a", "b", "/", "B", "ä", "\\"], 8);
        let mode = *random.pick(&[Mode::Exact, Mode::AnyCase, Mode::Path]);
        let prepared = mode.prepare(&text);
        let text = &prepared.text;
        let rooted = format!("/{text}");
        let mut candidates = vec![&**text];
        if mode == Mode::Path && !text.starts_with('/') {
            candidates.push(&rooted);
        }
        let alternatives = alternatives(&pattern, mode).expect("few alternatives");
        let expected = candidates.iter().any(|text| {
            let text: Vec<char> = text.chars().collect();
            alternatives
                .iter()
                .any(|tokens| slowly(tokens, &text, mode))
        });
        let glob = Glob::new(&pattern, mode).expect("a pattern");
        assert_eq!(
            glob.matches(&prepared, &Effort::new()),
            expected,
            "{pattern:?} {text:?} {mode:?}"
        );
        matched += usize::from(expected);
    }
    assert!(matched > 1000, "{matched}");
}

#[test]
fn preparing_twice_changes_nothing() {
    let mut random = Random::new(8);
    for _ in 0..2000 {
        let text = random.any_text(20);
        for mode in [Mode::Exact, Mode::AnyCase, Mode::Path] {
            let once = mode.prepare(&text).text.into_owned();
            assert_eq!(mode.prepare(&once).text, once);
        }
    }
}
