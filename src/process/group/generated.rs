//! File names without what bundlers, template engines and notebooks generate into them.
//! In: the base name of a file, or a segment of a script's module. Out: what of it stays the same from build to build.

use std::borrow::Cow;

/// What may be generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expect {
    /// Only long hashes, since people write numbers into names as well: `0001_initial.py`, `test_2024.py`.
    Hashes,
    /// Numbers, versions and random tokens too: the name was made by a bundler, or lies where generated files lie.
    Anything,
}

/// Drops the generated parts of a name: `main.1a2b3c4d.js` → `main.js`, `8f14e45fceea.php` → `.php`.
pub(super) fn without_generated(name: &str, expect: Expect) -> Cow<'_, str> {
    if !may_hold_generated(name, expect) {
        return Cow::Borrowed(name);
    }
    let (stem, extension) = split_extension(name);
    let bare = match expect {
        Expect::Anything => without_token_at_end(stem),
        Expect::Hashes => stem,
    };
    let mut kept = kept_parts(bare, expect);
    if kept.len() == stem.len() {
        return Cow::Borrowed(name);
    }
    kept.push_str(extension);
    Cow::Owned(kept)
}

/// Whether a hash stands in the name of a script, which tells that a bundler made it.
pub(super) fn has_hash(name: &str) -> bool {
    if !may_hold_generated(name, Expect::Anything) {
        return false;
    }
    let (stem, _) = split_extension(name);
    without_token_at_end(stem).len() < stem.len()
        || stem
            .split(is_separator)
            .any(|part| !is_number(part) && is_generated(part, Expect::Anything))
}

fn may_hold_generated(name: &str, expect: Expect) -> bool {
    let by_case = expect == Expect::Anything;
    name.bytes()
        .any(|byte| byte.is_ascii_digit() || (by_case && byte.is_ascii_uppercase()))
}

const fn is_separator(c: char) -> bool {
    matches!(c, '.' | '-' | '_' | '~' | '^')
}

/// The extension begins with its dot, and is empty if what follows the last dot looks like anything else.
fn split_extension(name: &str) -> (&str, &str) {
    const LONGEST: usize = 10;
    let Some(dot) = name.rfind('.') else {
        return (name, "");
    };
    let extension = &name[dot + 1..];
    let is_extension = extension.len() <= LONGEST
        && extension.starts_with(|c: char| c.is_ascii_lowercase())
        && extension
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        && !is_generated(extension, Expect::Anything);
    if is_extension {
        name.split_at(dot)
    } else {
        (name, "")
    }
}

/// Rollup, Vite and esbuild append eight characters, among which may be the ones that separate parts.
fn without_token_at_end(stem: &str) -> &str {
    const LENGTH: usize = 8;
    let Some(start) = stem.len().checked_sub(LENGTH) else {
        return stem;
    };
    let (Some(before), Some(token)) = (stem.get(..start), stem.get(start..)) else {
        return stem;
    };
    let is_appended = before.is_empty() || before.ends_with(['-', '.']);
    if is_appended && is_bundler_token(token, before.is_empty()) {
        &before[..before.len().saturating_sub(1)]
    } else {
        stem
    }
}

/// `alone` asks for more proof, as nothing but the token names the file.
fn is_bundler_token(token: &str, alone: bool) -> bool {
    let has = |kind: fn(&u8) -> bool| token.as_bytes().iter().any(kind);
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if !token.bytes().all(is_allowed) || !has(u8::is_ascii_uppercase) {
        return false;
    }
    if !has(u8::is_ascii_lowercase) {
        return token.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && (has(u8::is_ascii_digit) || !alone);
    }
    let humps = Humps::of(token);
    !humps.has_word && (humps.bad * 2 > humps.count || (!alone && humps.bad * 2 == humps.count))
}

/// Puts the parts that stay together again, each with the separator before it.
fn kept_parts(stem: &str, expect: Expect) -> String {
    let mut kept = String::with_capacity(stem.len() + 10);
    let mut none_kept = true;
    let mut previous_dropped = false;
    let mut start = 0;
    loop {
        let length = stem[start..]
            .bytes()
            .position(|byte| is_separator(byte.into()));
        let end = length.map_or(stem.len(), |length| start + length);
        let part = &stem[start..end];
        let rest = stem.get(end + 1..);
        let drop = is_generated(part, expect)
            || (is_number(part)
                && (previous_dropped
                    || (expect == Expect::Anything && counts_up(stem, start, rest))));
        if !drop {
            if !none_kept {
                kept.push_str(&stem[start - 1..start]);
            }
            kept.push_str(part);
            none_kept = false;
        }
        previous_dropped = drop;
        if rest.is_none() {
            return kept;
        }
        start = end + 1;
    }
}

/// Whether a short number is the id of a chunk (`2.chunk.js`, `5.js`), begins a version (`app-1.2.3.js`) or counts
/// what a hash follows.
fn counts_up(stem: &str, start: usize, rest: Option<&str>) -> bool {
    let Some(rest) = rest else {
        return start == 0;
    };
    let next = rest.split(is_separator).next().unwrap_or(rest);
    let before_dot = stem.as_bytes()[stem.len() - rest.len() - 1] == b'.';
    (before_dot && (start == 0 || is_number(next))) || is_generated(next, Expect::Anything)
}

/// Digits, as in versions also after a `v`.
fn is_number(part: &str) -> bool {
    let digits = part.strip_prefix('v').unwrap_or(part);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_generated(part: &str, expect: Expect) -> bool {
    let (shortest_number, shortest_hash) = match expect {
        Expect::Hashes => (usize::MAX, 8),
        Expect::Anything => (3, 6),
    };
    let (mut digits, mut hex) = (0, 0);
    for byte in part.bytes() {
        if !byte.is_ascii_alphanumeric() {
            return false;
        }
        digits += usize::from(byte.is_ascii_digit());
        hex += usize::from(byte.is_ascii_hexdigit());
    }
    if digits == part.len() {
        return digits >= shortest_number;
    }
    if digits > 0 && hex == part.len() && hex >= shortest_hash {
        return true;
    }
    expect == Expect::Anything && part.len() >= 8 && looks_random(part, digits)
}

/// Letters and digits that change places often, or letters whose case makes no words.
fn looks_random(part: &str, digits: usize) -> bool {
    let has = |kind: fn(&u8) -> bool| part.as_bytes().iter().any(kind);
    if has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase) {
        let humps = Humps::of(part);
        return !humps.has_word && humps.bad * 2 > humps.count;
    }
    let switches = part
        .as_bytes()
        .windows(2)
        .filter(|pair| pair[0].is_ascii_digit() != pair[1].is_ascii_digit())
        .count();
    digits > 0 && switches >= 3 && !has_word(part)
}

/// A run of four or more letters with a vowel among them.
fn has_word(part: &str) -> bool {
    part.split(|c: char| !c.is_ascii_alphabetic())
        .any(|run| run.len() >= 4 && run.bytes().any(is_vowel))
}

const fn is_vowel(byte: u8) -> bool {
    matches!(
        byte.to_ascii_lowercase(),
        b'a' | b'e' | b'i' | b'o' | b'u' | b'y'
    )
}

/// The humps of a name in camel case: `getURLForJSON` has `get`, `URL`, `For` and `JSON`.
struct Humps {
    count: usize,
    /// Too short for a word, or without a vowel.
    bad: usize,
    /// One is so long a word that chance would hardly make it.
    has_word: bool,
}

impl Humps {
    fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut humps = Self {
            count: 0,
            bad: 0,
            has_word: false,
        };
        let mut start = 0;
        for at in 0..=bytes.len() {
            if at == bytes.len() || begins_hump(bytes, at) {
                humps.add(&bytes[start..at]);
                start = at;
            }
        }
        humps
    }

    fn add(&mut self, hump: &[u8]) {
        const WORD: usize = 5;
        let letters = hump
            .iter()
            .filter(|byte| byte.is_ascii_alphabetic())
            .count();
        if letters == 0 {
            return;
        }
        let has_vowel = hump.iter().any(|byte| is_vowel(*byte));
        let is_acronym = !hump.iter().any(u8::is_ascii_lowercase);
        self.count += 1;
        self.bad += usize::from(letters <= 2 || !(has_vowel || is_acronym));
        self.has_word |= letters >= WORD && has_vowel && !is_acronym;
    }
}

fn begins_hump(bytes: &[u8], at: usize) -> bool {
    if at == 0 {
        return false;
    }
    let (before, here) = (bytes[at - 1], bytes[at]);
    if !here.is_ascii_uppercase() {
        return before.is_ascii_alphabetic() != here.is_ascii_alphabetic();
    }
    let ends_acronym = bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase);
    !before.is_ascii_uppercase() || ends_acronym
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_bundles_lose_hashes_versions_and_chunk_ids() {
        for (name, expected) in [
            ("main.1a2b3c4d.js", "main.js"),
            ("main.1a2b3c4d5e6f7a8b9c0d.chunk.js", "main.chunk.js"),
            ("index-DkT3xZ9q.js", "index.js"),
            // Rollup's alphabet has the separators in it.
            (
                "asyncContextStrategy-BR-l9zjD.js",
                "asyncContextStrategy.js",
            ),
            ("index-B_x-3kQ9.mjs", "index.mjs"),
            ("index-DkTuXzQq.js", "index.js"),
            ("chunk-2B3C4D5E.js", "chunk.js"),
            ("chunk-XKQWZJRT.js", "chunk.js"),
            ("DkT3xZ9q.js", ".js"),
            ("0.DkT3xZ9q.js", ".js"),
            ("runtime~main.1a2b3c4d.js", "runtime~main.js"),
            ("2.1a2b3c4d.chunk.js", "chunk.js"),
            ("2.chunk.js", "chunk.js"),
            ("123.js", ".js"),
            ("5.js", ".js"),
            ("123-1a2b3c4d5e6f7a8b.js", ".js"),
            (
                "component---src-pages-index-js-1a2b3c4d5e6f7a8b9c0d.js",
                "component---src-pages-index-js.js",
            ),
            ("main-es2015.99887766aa.js", "main-es2015.js"),
            ("app-1.2.3.js", "app.js"),
            ("app-v1.2.3.js", "app.js"),
            ("jquery-3.7.1.min.js", "jquery.min.js"),
            ("0123456789abcdef0123456789abcdef01234567.js", ".js"),
            ("k9Mtd2gDcgGq.js", ".js"),
            ("ipython-input-1-2345.py", "ipython-input.py"),
        ] {
            assert_eq!(
                without_generated(name, Expect::Anything),
                expected,
                "{name}"
            );
        }
    }

    #[test]
    fn names_that_people_wrote_stay() {
        for name in [
            "app.js",
            "MyWidget.tsx",
            "use-MyWidget.js",
            "page-settings.js",
            "useAuth2.js",
            "oauth2client.js",
            "utf8mb4-words.js",
            "XMLHttpRequest.js",
            "getURLForJSON.js",
            "index.android.bundle",
            "main.jsbundle",
            "i18n.ts",
            "base64.js",
            "GraphQLClient.ts",
            "user-callback.js",
            "BasketVM.js",
            "Order2.vue",
            "_app.tsx",
            "[slug].tsx",
            "é.js",
            "-",
            "",
        ] {
            assert_eq!(without_generated(name, Expect::Anything), name);
        }
    }

    #[test]
    fn elsewhere_only_long_hashes_go() {
        for (name, expected) in [
            ("8f14e45fceea167a5a36dedd4bea2543.php", ".php"),
            ("1a2b3c4d5e6f_add_users.py", "add_users.py"),
            (
                "0123456789abcdef0123456789abcdef01234567_0.file.index.tpl.php",
                "file.index.tpl.php",
            ),
            ("test_2024.py", "test_2024.py"),
            ("0001_initial.py", "0001_initial.py"),
            (
                "20240101120000_create_users.rb",
                "20240101120000_create_users.rb",
            ),
            ("sha256.c", "sha256.c"),
            ("abc123.go", "abc123.go"),
            ("Basket.kt", "Basket.kt"),
            ("DkT3xZ9q.cs", "DkT3xZ9q.cs"),
        ] {
            assert_eq!(without_generated(name, Expect::Hashes), expected, "{name}");
        }
    }

    #[test]
    fn hashes_tell_bundles() {
        for (name, expected) in [
            ("vendor.1a2b3c4d.js", true),
            ("index-DkT3xZ9q.js", true),
            ("app.js", false),
            ("2024.js", false),
            ("useAuth2.js", false),
        ] {
            assert_eq!(has_hash(name), expected, "{name}");
        }
    }

    #[test]
    fn what_was_cleaned_stays_clean() {
        for name in [
            "main.1a2b3c4d.js",
            "app-1.2.3.js",
            "2.1a2b.chunk.js",
            "a-12-DkT3xZ9q.js",
        ] {
            let once = without_generated(name, Expect::Anything).into_owned();
            assert_eq!(without_generated(&once, Expect::Anything), once, "{name}");
        }
    }
}
