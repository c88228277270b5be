//! Paths: files in folders for temporary ones, the names of users in home folders, queries behind paths.
//! In: a text and where a path may start. Out: the part of it that varies.

use super::Replacement;
use super::text::{Text, words};

/// Folders whose files are made by programs and have names by chance.
const TEMPORARY: [&str; 9] = words(
    "/tmp/ /var/tmp/ /private/tmp/ /var/folders/ /private/var/folders/ /dev/shm/ /data/local/tmp/ \
     /run/user/ /var/run/user/",
);

/// Folders with one folder for each user.
const HOMES: [&str; 3] = ["/home/", "/Users/", "/export/home/"];

/// An absolute path that starts with a slash.
pub(super) fn absolute(text: &Text<'_>, at: usize) -> Option<Replacement> {
    if !starts_path(text, at) {
        return None;
    }
    if TEMPORARY.iter().any(|folder| text.starts_with(at, folder)) {
        return Some(Replacement::path(at, path_end(text, at)));
    }
    let home = HOMES.iter().find(|home| text.starts_with(at, home))?;
    user(text, at + home.len())
}

/// A path that starts with a drive: `C:\` or `C:/`.
pub(super) fn with_drive(text: &Text<'_>, at: usize) -> Option<Replacement> {
    let is_separator = |at| matches!(text.byte(at), b'\\' | b'/');
    if text.byte(at + 1) != b':' || !is_separator(at + 2) {
        return None;
    }
    // In some texts each backslash is escaped with another.
    let start = text.short_run(at + 2, 2, |byte| matches!(byte, b'\\' | b'/'));
    let end = path_end(text, start);
    let has_folder = |name: &str| {
        text.bytes[start..end]
            .split(|byte| matches!(byte, b'\\' | b'/'))
            .any(|folder| folder.eq_ignore_ascii_case(name.as_bytes()))
    };
    if has_folder("temp") || has_folder("tmp") {
        return Some(Replacement::path(at, end));
    }
    if !text.starts_with_ignoring_case(start, "users") || !is_separator(start + 5) {
        return None;
    }
    user(
        text,
        text.short_run(start + 5, 2, |byte| matches!(byte, b'\\' | b'/')),
    )
}

/// The folder of a user.
fn user(text: &Text<'_>, at: usize) -> Option<Replacement> {
    let end = text.run(at, |byte| {
        is_path_byte(byte) && !matches!(byte, b'/' | b'\\')
    });
    (end > at).then(|| Replacement::value(at, end))
}

/// What stands behind `?` in a path with a query.
pub(super) fn query(text: &Text<'_>, at: usize) -> Option<Replacement> {
    const LONGEST_PATH: usize = 96;
    const LONGEST_KEY: usize = 32;
    let key = text.short_run(at + 1, LONGEST_KEY, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'[' | b']' | b'%')
    });
    if key == at + 1 || text.byte(key) != b'=' {
        return None;
    }
    let start = at.saturating_sub(LONGEST_PATH);
    let path = text.bytes[start..at]
        .rsplit(|&byte| byte <= b' ' || matches!(byte, b'"' | b'\''))
        .next()
        .unwrap_or_default();
    let end = text.run(key, |byte| byte > b' ' && !is_stop(byte));
    path.contains(&b'/')
        .then(|| Replacement::value(at + 1, end))
}

/// Any path, for the skeleton: absolute, below `.`, `..` or `~`, or with two slashes and more or with the end of a
/// file's name.
pub(super) fn any(text: &Text<'_>, at: usize) -> Option<Replacement> {
    const LONGEST: usize = 128;
    let is_drive = text.byte(at).is_ascii_alphabetic()
        && text.byte(at + 1) == b':'
        && matches!(text.byte(at + 2), b'\\' | b'/');
    if is_drive && text.starts_word(at) {
        return Some(Replacement::path(at, path_end(text, at + 2)));
    }
    if !starts_path(text, at) {
        return None;
    }
    let end = text.short_run(at, LONGEST, is_path_byte);
    let end = end - usize::from(text.before(end) == b'.');
    let path = &text.bytes[at..end.max(at)];
    let starts = |start: &[u8]| path.starts_with(start);
    let is_path = match path.split(|&byte| byte == b'/').count() {
        0 | 1 => false,
        2 => {
            starts(b"/") && path.len() > 1 || starts(b"./") || starts(b"~/") || has_file_name(path)
        }
        _ => true,
    };
    is_path.then(|| Replacement::path(at, end))
}

/// A point with letters behind it, as in `lib/a.rs` and not in `HTTP/1.1`.
fn has_file_name(path: &[u8]) -> bool {
    let end = path.rsplit(|&byte| byte == b'.').next().unwrap_or_default();
    end.len() < path.len()
        && !end.contains(&b'/')
        && end.first().is_some_and(u8::is_ascii_alphabetic)
}

fn starts_path(text: &Text<'_>, at: usize) -> bool {
    let before = text.before(at);
    before <= b' '
        || matches!(
            before,
            b'"' | b'\'' | b'`' | b'(' | b'[' | b'{' | b'<' | b'=' | b':' | b',' | b'|'
        )
}

/// The end of a path without blanks; a point at the end is the sentence's.
fn path_end(text: &Text<'_>, at: usize) -> usize {
    let mut end = text.run(at, is_path_byte);
    while end > at && text.before(end) == b'.' {
        end -= 1;
    }
    end
}

fn is_path_byte(byte: u8) -> bool {
    byte > b' ' && !is_stop(byte) && !matches!(byte, b':' | b'?')
}

/// What no path holds in a sentence. A colon is taken for that before a line number, too.
fn is_stop(byte: u8) -> bool {
    matches!(
        byte,
        b'"' | b'\''
            | b'`'
            | b'<'
            | b'>'
            | b'|'
            | b','
            | b';'
            | b'('
            | b')'
            | b'['
            | b']'
            | b'{'
            | b'}'
    )
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_apart, assert_kept, assert_same};

    #[test]
    fn temporary_files_are_paths() {
        assert_same(&[
            (
                &[
                    "cannot open /tmp/upload_8f3a/a.png: gone",
                    "cannot open /tmp/x: gone",
                    "cannot open /var/folders/zz/q1/T/b.csv: gone",
                    "cannot open /private/var/folders/zz/x: gone",
                    r"cannot open C:\Users\jane\AppData\Local\Temp\x.tmp: gone",
                    r"cannot open C:\\Users\\bob\\AppData\\Local\\Temp\\y.tmp: gone",
                    r"cannot open D:/tmp/y.tmp: gone",
                ],
                "cannot open <path>: gone",
            ),
            (
                &["open '/tmp/upload_8f3a/a.png'", "open '/tmp/b'"],
                "open '<path>'",
            ),
            (&["saved /tmp/a.", "saved /tmp/b/c."], "saved <path>."),
        ]);
    }

    #[test]
    fn names_of_users_go() {
        assert_same(&[
            (
                &["no /home/jane/x/y", "no /home/bob/x/y"],
                "no /home/<value>/x/y",
            ),
            (
                &["no '/Users/jane/x'", "no '/Users/bob/x'"],
                "no '/Users/<value>/x'",
            ),
            (
                &[r"no C:\Users\jane\x", r"no C:\Users\bob\x"],
                r"no C:\Users\<value>\x",
            ),
            (
                &["no /proc/123/fd/7", "no /proc/9/fd/12"],
                "no /proc/<value>/fd/<value>",
            ),
        ]);
    }

    #[test]
    fn other_folders_stay() {
        assert_kept(&[
            "no /etc/a.conf",
            "no src/lib/a.rs",
            r"no C:\app\a.ini",
            "and/or",
            "no /tmp",
            "no /srv/tmp/x",
        ]);
        assert_apart(&[
            ("no /etc/a.conf", "no /etc/b.conf"),
            ("no /home/jane/x", "no /home/jane/y"),
            ("GET /users/5 failed", "GET /orders/5 failed"),
        ]);
    }

    #[test]
    fn queries_are_values() {
        assert_same(&[(
            &[
                "GET /search/7?q=shoes&p=2 failed",
                "GET /search/12?q=hats failed",
            ],
            "GET /search/<value>?<value> failed",
        )]);
        assert_kept(&["really?a=b", "what? a=b", "/a?"]);
    }
}
