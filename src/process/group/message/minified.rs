//! Names that a minifier or an obfuscator chose: `t` of `t.map is not a function`, `a.b.c.e.a`.
//! In: a text and a word of one or two letters. Out: where the made name ends.

use super::text::{Text, is_one_of};

/// What engines say of an expression.
const COMPLAINTS: [&str; 8] = [
    " is not a function",
    " is not a constructor",
    " is not iterable",
    " is not defined",
    " is not an object",
    " is undefined",
    " is null",
    " is not an Object",
];

/// Short names that people choose, and words of English.
const CHOSEN: [&str; 22] = [
    "it", "id", "db", "fs", "os", "io", "el", "fn", "cb", "ev", "vm", "ui", "is", "in", "on", "to",
    "of", "my", "me", "we", "he", "ga",
];

/// How many links of a chain are looked at.
const MOST_LINKS: usize = 12;

/// A short name that is complained about, or the short start of a longer chain.
pub(super) fn end(text: &Text<'_>, at: usize, word_end: usize) -> Option<usize> {
    let joins = matches!(
        text.before(at),
        b'.' | b'$' | b'_' | b'@' | b'/' | b'-' | b'\\'
    );
    if joins || is_one_of(text.slice(at, word_end), &CHOSEN) {
        return None;
    }
    let chain = Chain::read(text, at)?;
    let is_blamed = is_complained_about(text, chain.end)
        || text.ends_with(at, "evaluating '")
        || text.ends_with(at, "find variable: ");
    let is_obfuscated = chain.short_links >= 3 && chain.short_links == chain.links;
    (is_blamed || is_obfuscated).then_some(chain.short_end)
}

/// Names joined by points.
struct Chain {
    end: usize,
    links: usize,
    /// Links of one or two letters at the start.
    short_links: usize,
    short_end: usize,
}

impl Chain {
    fn read(text: &Text<'_>, at: usize) -> Option<Self> {
        const LONGEST_NAME: usize = 48;
        let mut chain = Self {
            end: at,
            links: 0,
            short_links: 0,
            short_end: at,
        };
        while chain.links < MOST_LINKS {
            let start = chain.end + usize::from(chain.links > 0);
            let end = text.short_run(start, LONGEST_NAME, |byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$')
            });
            if end == start {
                break;
            }
            let is_short = end - start <= 2 && text.byte(start).is_ascii_alphabetic();
            if is_short && chain.short_links == chain.links {
                chain.short_links += 1;
                chain.short_end = end;
            }
            chain.links += 1;
            chain.end = end;
            if text.byte(end) != b'.' {
                break;
            }
        }
        (chain.short_links > 0).then_some(chain)
    }
}

/// Perhaps behind calls and more names, as in `t(...).then is not a function`.
fn is_complained_about(text: &Text<'_>, at: usize) -> bool {
    const MOST_STEPS: usize = 4;
    const LONGEST: usize = 32;
    let mut end = at;
    for _ in 0..MOST_STEPS {
        end = match text.byte(end) {
            b'(' => text.short_run(end, LONGEST, |byte| byte != b')' && byte != b'\n'),
            b')' => end + 1,
            b'.' => text.short_run(end + 1, LONGEST, |byte| byte.is_ascii_alphanumeric()),
            _ => break,
        };
    }
    COMPLAINTS.iter().any(|words| text.starts_with(end, words))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_apart, assert_kept, assert_same};

    #[test]
    fn made_names_are_one() {
        assert_same(&[
            (
                &[
                    "t.map is not a function",
                    "e.map is not a function",
                    "Zt.map is not a function",
                    "t.e.map is not a function",
                ],
                "<name>.map is not a function",
            ),
            (
                &["t is not defined", "e is not defined"],
                "<name> is not defined",
            ),
            (
                &[
                    "t(...).then is not a function",
                    "n(...).then is not a function",
                ],
                "<name>(...).then is not a function",
            ),
            (
                &[
                    "undefined is not an object (evaluating 't.amount')",
                    "undefined is not an object (evaluating 'n.e.amount')",
                ],
                "undefined is not an object (evaluating '<name>.amount')",
            ),
            (
                &[
                    "(0 , r.useX) is not a function",
                    "(0 , o.useX) is not a function",
                ],
                "(<value> , <name>.useX) is not a function",
            ),
            (
                &["Can't find variable: t", "Can't find variable: n"],
                "Can't find variable: <name>",
            ),
            (
                &["cannot call a.b.c.e.a()", "cannot call b.a.f.d()"],
                "cannot call <name>()",
            ),
        ]);
    }

    #[test]
    fn chosen_names_stay() {
        assert_kept(&[
            "user.map is not a function",
            "id is not defined",
            "it is not a function of x",
            "$ is not defined",
            "gtag is not defined",
            "this.t is not a function",
            "e.g. this is null",
            "a.b is gone",
            "fs.readX is not a function",
        ]);
        assert_apart(&[
            ("t.map is not a function", "t.get is not a function"),
            ("$ is not defined", "_ is not defined"),
        ]);
    }
}
