//! Whose code a frame is. The SDK decides first; where it says nothing, the platform's rules do.
//! In: a frame with its paths. Out: whether it counts as the application's own.

use crate::process::event::Frame;

/// Parts of a source path that only libraries and runtimes have.
const LIBRARY_PATHS: [&str; 3] = ["/rustc/", ".cargo/registry/", "/vendor/"];

const SYSTEM_FOLDERS: [&str; 8] = [
    "/usr/lib",
    "/lib/",
    "/lib64/",
    "/usr/local/lib",
    "/System/",
    "/Library/",
    "/Developer/",
    "/apex/",
];

const RUST_FUNCTIONS: [&str; 9] = [
    "std::",
    "core::",
    "alloc::",
    "backtrace::",
    "<core::",
    "<alloc::",
    "<std::",
    "__rust",
    "rust_begin_unwind",
];

/// What reports a panic stands above the frame that panicked, and the Rust SDK takes its own part of that for the
/// application's.
const PANIC_REPORTERS: [&str; 6] = [
    "sentry_panic::",
    "sentry_core::",
    "sentry_backtrace::",
    "<sentry_panic::",
    "__rustc::",
    "rust_begin_unwind",
];

const CDN_HOSTS: [&str; 4] = [
    "cdn.jsdelivr.net",
    "unpkg.com",
    "cdnjs.cloudflare.com",
    "ajax.googleapis.com",
];

/// Decides for one frame of an event of the given platform.
pub(super) fn decide(frame: &Frame<'_>, platform: &str) -> bool {
    let platform = frame.platform.as_deref().unwrap_or(platform);
    match frame.in_app {
        // Browser SDKs say "in-app" of everything, so libraries are told apart here.
        Some(true) if platform == "javascript" => !is_library_script(frame),
        Some(true) if platform == "native" => !has_function_of(frame, &PANIC_REPORTERS),
        Some(decided) => decided,
        None => by_platform(frame, platform),
    }
}

fn is_library_script(frame: &Frame<'_>) -> bool {
    let path = frame.abs_path.as_deref().unwrap_or_default();
    path.contains("node_modules/")
        || frame
            .filename
            .as_deref()
            .is_some_and(|filename| filename.contains("node_modules/"))
        || path
            .split_once("://")
            .is_some_and(|(_, rest)| CDN_HOSTS.iter().any(|host| rest.starts_with(host)))
}

/// Only binaries are told to be the application's without the SDK saying so: by where they lie.
fn by_platform(frame: &Frame<'_>, platform: &str) -> bool {
    if !matches!(
        platform,
        "native" | "cocoa" | "objc" | "c" | "swift" | "rust"
    ) || is_library(frame)
    {
        return false;
    }
    frame.package.as_deref().is_some_and(|package| {
        let windows = package.as_bytes().get(1) == Some(&b':');
        (package.starts_with('/') || windows)
            && !package
                .get(2..)
                .is_some_and(|path| path.to_ascii_lowercase().starts_with("\\windows\\"))
    })
}

fn is_library(frame: &Frame<'_>) -> bool {
    let paths = [&frame.abs_path, &frame.filename, &frame.package];
    paths.into_iter().flatten().any(|path| {
        SYSTEM_FOLDERS.iter().any(|folder| path.starts_with(folder))
            || LIBRARY_PATHS.iter().any(|part| path.contains(part))
    }) || has_function_of(frame, &RUST_FUNCTIONS)
}

fn has_function_of(frame: &Frame<'_>, prefixes: &[&str]) -> bool {
    frame
        .function
        .as_deref()
        .is_some_and(|function| prefixes.iter().any(|prefix| function.starts_with(prefix)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::Cow;

    fn frame<'a>(path: &'a str, package: &'a str, in_app: Option<bool>) -> Frame<'a> {
        Frame {
            abs_path: (!path.is_empty()).then_some(Cow::Borrowed(path)),
            package: (!package.is_empty()).then_some(Cow::Borrowed(package)),
            in_app,
            ..Frame::default()
        }
    }

    #[test]
    fn the_sdk_decides_then_the_platform() {
        for (path, package, flag, platform, expected) in [
            ("/srv/app/a.py", "", Some(true), "python", true),
            ("/srv/app/a.py", "", None, "python", false),
            (
                "/x/site-packages/flask/app.py",
                "",
                Some(true),
                "python",
                true,
            ),
            (
                "https://unpkg.com/react.js",
                "",
                Some(true),
                "javascript",
                false,
            ),
            (
                "webpack:///./node_modules/a.js",
                "",
                Some(true),
                "javascript",
                false,
            ),
            (
                "https://shop.example.com/app.js",
                "",
                Some(true),
                "javascript",
                true,
            ),
            ("", "/opt/shop/bin/shop", None, "native", true),
            ("", "/lib/x86_64-linux-gnu/libc.so.6", None, "native", false),
            (
                "",
                "C:\\Windows\\System32\\ntdll.dll",
                None,
                "native",
                false,
            ),
            ("", "C:\\Shop\\shop.exe", None, "native", true),
            ("", "/System/Library/UIKitCore", None, "cocoa", false),
        ] {
            let decided = decide(&frame(path, package, flag), platform);
            assert_eq!(decided, expected, "{path} {package} {flag:?}");
        }
    }

    #[test]
    fn what_reports_a_panic_is_not_the_application() {
        for (function, expected) in [
            (
                "sentry_panic::PanicIntegration::event_from_panic_info",
                false,
            ),
            ("__rustc::rust_begin_unwind", false),
            ("shop::stock::reserve", true),
        ] {
            let frame = Frame {
                function: Some(Cow::Borrowed(function)),
                in_app: Some(true),
                ..Frame::default()
            };
            assert_eq!(decide(&frame, "native"), expected, "{function}");
        }
    }
}
