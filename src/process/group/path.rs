//! Paths of source files and binaries, on any system, and addresses of scripts.
//! In: a path. Out: its segments, its last one, or whether it is an address of the web.

use crate::process::event::Frame;

use super::table::Table;

/// The absolute path, else the file name.
pub(super) fn full_path<'f>(frame: &'f Frame<'_>) -> Option<&'f str> {
    frame.abs_path.as_deref().or(frame.filename.as_deref())
}

/// The parts between slashes and backslashes.
pub(super) fn segments(path: &str) -> impl Iterator<Item = &str> {
    Segments { rest: Some(path) }
}

/// Whether any segment is as wanted, given the one before it and itself.
pub(super) fn has_segment(path: &str, is_wanted: impl Fn(&str, &str) -> bool) -> bool {
    let mut previous = "";
    segments(path).any(|segment| {
        let found = is_wanted(previous, segment);
        previous = segment;
        found
    })
}

/// Bytes are enough to find the separators, and faster than characters.
struct Segments<'p> {
    rest: Option<&'p str>,
}

impl<'p> Iterator for Segments<'p> {
    type Item = &'p str;

    fn next(&mut self) -> Option<&'p str> {
        let rest = self.rest?;
        match rest.bytes().position(|byte| matches!(byte, b'/' | b'\\')) {
            Some(end) => {
                self.rest = Some(&rest[end + 1..]);
                Some(&rest[..end])
            }
            None => self.rest.take(),
        }
    }
}

pub(super) fn last_segment(path: &str) -> &str {
    let start = path.bytes().rposition(|byte| matches!(byte, b'/' | b'\\'));
    start.map_or(path, |at| &path[at + 1..])
}

/// Where bundlers and runtimes keep sources; every other address with a scheme is one of the web, whose path and
/// file change with the deploy: also of apps in web views (`capacitor:`) and of browser extensions.
static SOURCE_SCHEMES: Table = Table::new(&[
    "app",
    "bun",
    "deno",
    "electron",
    "ext",
    "file",
    "metro",
    "ng",
    "node",
    "rollup",
    "rsc",
    "turbopack",
    "vite",
    "webpack",
    "webpack-internal",
]);

/// What stands before `://`, if that can be a scheme.
pub(super) fn scheme(address: &str) -> Option<&str> {
    let end = address
        .bytes()
        .position(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'+' | b'-' | b'.'))?;
    (end > 0 && address[end..].starts_with("://")).then(|| &address[..end])
}

pub(super) fn is_web_address(address: &str) -> bool {
    match scheme(address) {
        Some(scheme) => !SOURCE_SCHEMES.holds(scheme),
        None => ["blob:", "data:", "applewebdata:", "about:", "javascript:"]
            .iter()
            .any(|scheme| address.starts_with(scheme)),
    }
}

/// The host of an address, without port.
pub(super) fn host(address: &str) -> Option<&str> {
    let rest = address.strip_prefix("blob:").unwrap_or(address);
    let rest = &rest[scheme(rest)?.len() + "://".len()..];
    let end = rest
        .bytes()
        .position(|byte| matches!(byte, b'/' | b':' | b'?' | b'#'));
    Some(&rest[..end.unwrap_or(rest.len())])
}

/// The npm package of a script, by its address or by its file name, where that is no part of the address.
pub(super) fn npm_package_of<'f>(frame: &'f Frame<'_>) -> Option<&'f str> {
    let address = frame.abs_path.as_deref().unwrap_or_default();
    npm_package(address).or_else(|| {
        let filename = frame.filename.as_deref()?;
        let is_part = address.ends_with(filename);
        if is_part { None } else { npm_package(filename) }
    })
}

/// The npm package a script belongs to, `vue` or `@babel/runtime`: what follows the last `node_modules`, which
/// webpack once wrote as `~`.
fn npm_package(path: &str) -> Option<&str> {
    let mut rest = path;
    let mut package = None;
    while let Some(end) = rest.bytes().position(|byte| matches!(byte, b'/' | b'\\')) {
        let segment = &rest[..end];
        rest = &rest[end + 1..];
        if matches!(segment, "node_modules" | "~" | "bower_components") {
            package = Some(rest);
        }
    }
    package.map(|rest| {
        let separators = if rest.starts_with('@') { 2 } else { 1 };
        rest.bytes()
            .enumerate()
            .filter(|(_, byte)| matches!(byte, b'/' | b'\\'))
            .nth(separators - 1)
            .map_or(rest, |(end, _)| &rest[..end])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_slashes_separate() {
        let parts: Vec<_> = segments(r"C:\app/src\é.c").collect();
        assert_eq!(parts, ["C:", "app", "src", "é.c"]);
        assert_eq!(segments("").count(), 1);
        assert_eq!(last_segment(r"/a/b\c.js"), "c.js");
        assert_eq!(last_segment("c.js"), "c.js");
        assert_eq!(last_segment("a/"), "");
    }

    #[test]
    fn tables_are_sorted() {
        SOURCE_SCHEMES.assert_sorted();
    }

    #[test]
    fn addresses_of_the_web() {
        for (address, expected) in [
            ("https://shop.example.com/app.js", true),
            ("http://localhost:8081/index.bundle?platform=ios", true),
            ("blob:https://shop.example.com/1a2b", true),
            ("applewebdata://1A2B/", true),
            ("capacitor://localhost/main.js", true),
            ("ionic://localhost/main.js", true),
            ("chrome-extension://abcdef/content.js", true),
            ("moz-extension://0f-1a/content.js", true),
            ("safari-web-extension://0f/content.js", true),
            ("wasm://wasm/00ab12cd", true),
            ("data:text/javascript;base64,YQ==", true),
            ("app:///main.js", false),
            ("file:///Applications/Shop.app/main.js", false),
            ("webpack:///./src/app.js", false),
            ("webpack-internal:///(ssr)/./src/app.js", false),
            ("node:internal/timers", false),
            ("node://internal", false),
            ("/srv/app/server.js", false),
            (r"C:\app\server.js", false),
            ("src/app.js", false),
            ("://x", false),
            ("", false),
        ] {
            assert_eq!(is_web_address(address), expected, "{address}");
        }
    }

    #[test]
    fn hosts() {
        for (address, expected) in [
            ("https://unpkg.com/react.js", Some("unpkg.com")),
            ("http://localhost:8081/a.js", Some("localhost")),
            ("blob:https://a.example/1", Some("a.example")),
            ("https://a.example", Some("a.example")),
            ("/srv/app.js", None),
            ("blob:", None),
        ] {
            assert_eq!(host(address), expected, "{address}");
        }
    }

    #[test]
    fn npm_packages() {
        for (path, expected) in [
            ("/srv/node_modules/express/lib/router.js", Some("express")),
            (
                "/srv/node_modules/@sentry/node/node_modules/@sentry/core/build/x.js",
                Some("@sentry/core"),
            ),
            ("webpack:///./~/lodash/lodash.js", Some("lodash")),
            (r"C:\app\node_modules\vue\dist\vue.js", Some("vue")),
            (
                "app:///node_modules/.pnpm/a@1.0.0/node_modules/a/i.js",
                Some("a"),
            ),
            ("/srv/node_modules/@types", Some("@types")),
            ("/srv/src/my_node_modules/a.js", None),
            ("/srv/app/server.js", None),
        ] {
            assert_eq!(npm_package(path), expected, "{path}");
        }
    }
}
