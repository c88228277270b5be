//! Whose code a frame is. The SDK decides first; where it says nothing, the platform's rules do.
//! In: a frame with its paths. Out: whether it counts as the application's own.

use crate::process::event::{Frame, SdkFlag};

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
    // What the SDK said: later versions decide otherwise.
    let said = frame.orig_in_app.map_or(frame.in_app, SdkFlag::flag);
    match said {
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
