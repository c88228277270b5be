//! Names that a minifier or an obfuscator made up, which differ from build to build.
//! In: a frame, or a class and its method. Out: whether short names in it say nothing.

use crate::process::event::Frame;

use super::family::Family;
use super::generated::has_hash;
use super::place::bare_base_name;

/// Code that people wrote has no such columns.
const WIDEST: i64 = 300;

/// What SDKs put where they cut a line that is too long to send.
pub(super) const CUT_MARK: &str = "{snip}";

/// Whether a script was minified and no source map was applied to the frame.
pub(in crate::process) fn is_minified(frame: &Frame<'_>) -> bool {
    if has_source_map(frame) {
        return false;
    }
    frame.colno.is_some_and(|column| column > WIDEST)
        || frame
            .context_line
            .as_deref()
            .is_some_and(|line| line.contains(CUT_MARK))
        || frame.file().is_some_and(|path| {
            let base = bare_base_name(path, Family::Script);
            base.contains(".min.") || has_hash(base)
        })
}

/// Whether file, function and line are those of the source, by a source map.
pub(in crate::process) fn has_source_map(frame: &Frame<'_>) -> bool {
    frame.data.get("sourcemap").is_some()
}

/// Whether a minifier may have made up the name of a function of a minified script: two letters, or three of which
/// not all are small (`tX0`), since small ones make words such as `add`.
pub(in crate::process) fn is_short_name(name: &str) -> bool {
    match name.len() {
        0..=2 => true,
        3 => !name.bytes().all(|byte| byte.is_ascii_lowercase()),
        _ => false,
    }
}

/// Whether an obfuscator of the JVM made up both names: `a.b.c.e` and `b`.
pub(in crate::process) fn is_obfuscated(module: &str, function: &str) -> bool {
    is_obfuscated_class(module) && is_made_up(function)
}

/// Whether an obfuscator made up the name of a class; its package may have been left as it was.
pub(in crate::process) fn is_obfuscated_class(module: &str) -> bool {
    let class = module.rsplit(['.', '$']).next().unwrap_or(module);
    is_made_up(class)
}

/// One or two letters, the second perhaps a digit. Two capitals are more likely an abbreviation, such as `IO`.
fn is_made_up(name: &str) -> bool {
    match name.as_bytes() {
        [one] => one.is_ascii_alphabetic(),
        [one, two] => {
            one.is_ascii_alphabetic()
                && two.is_ascii_alphanumeric()
                && !(one.is_ascii_uppercase() && two.is_ascii_uppercase())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::json::{Json, Object};
    use std::borrow::Cow;

    #[test]
    fn scripts() {
        for (path, column, line, expected) in [
            ("https://a.example/static/app.min.js", 4, "", true),
            ("https://a.example/static/app.1a2b3c4d.js", 4, "", true),
            (
                "https://a.example/static/index-DkT3xZ9q.js?v=1",
                4,
                "",
                true,
            ),
            ("https://a.example/static/app.js", 301, "", true),
            (
                "https://a.example/static/app.js",
                4,
                "{snip} t.amount {snip}",
                true,
            ),
            (
                "https://a.example/static/app.js",
                300,
                "  return basket.total;",
                false,
            ),
            ("/srv/app/2024.js", 4, "", false),
            ("/srv/app/useAuth2.js", 4, "", false),
            ("/srv/app/minute.js", 4, "", false),
        ] {
            let mut frame = Frame {
                filename: Some(Cow::Borrowed(path)),
                colno: Some(column),
                context_line: (!line.is_empty()).then_some(Cow::Borrowed(line)),
                ..Frame::default()
            };
            assert_eq!(is_minified(&frame), expected, "{path} {column}");
            frame.data = Object(vec![(Cow::Borrowed("sourcemap"), Json::from("app.js.map"))]);
            assert!(!is_minified(&frame), "{path} with a source map");
        }
    }

    #[test]
    fn names_of_minifiers() {
        for (name, expected) in [
            ("t", true),
            ("$e", true),
            ("tX0", true),
            ("Abc", true),
            ("add", false),
            ("toggle", false),
            ("é", true),
        ] {
            assert_eq!(is_short_name(name), expected, "{name}");
        }
    }

    #[test]
    fn names_of_obfuscators() {
        for (module, function, expected) in [
            ("a.b.c.e", "b", true),
            ("a.b.c.e$a", "b", true),
            ("com.example.shop.a0", "aB", true),
            ("d1.b", "a", true),
            ("a.b.c.d", "onClick", false),
            ("com.example.Basket", "b", false),
            ("com.example.util.IO", "of", false),
            ("com.example.a", "<init>", false),
            ("", "a", false),
            ("a", "", false),
            ("com.example.é", "a", false),
        ] {
            assert_eq!(
                is_obfuscated(module, function),
                expected,
                "{module}.{function}"
            );
        }
    }
}
