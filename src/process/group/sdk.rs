//! Frames of the SDK that reported the event: they tell that something was reported, and never what.
//! In: one frame. Out: whether it is of an SDK.

use crate::process::event::Frame;

use super::family::Family;
use super::image::binary_name;
use super::libraries::{beam, jvm};
use super::path::{full_path, has_segment, host, npm_package_of, segments};
use super::table::Table;

/// Functions of crates by the names of these, because applications like to have a module of their own called `sentry`.
static NATIVE_FUNCTIONS: Table = Table::new(&[
    "+[Sentry",
    "-[Sentry",
    "SentryCrash",
    "crashpad::",
    "google_breakpad::",
    "sentry::",
    "sentry__",
    "sentry_actix::",
    "sentry_anyhow::",
    "sentry_backtrace::",
    "sentry_capture_",
    "sentry_contexts::",
    "sentry_core::",
    "sentry_debug_images::",
    "sentry_handle_exception",
    "sentry_log::",
    "sentry_panic::",
    "sentry_slog::",
    "sentry_tower::",
    "sentry_tracing::",
    "sentry_types::",
    "sentrycrash",
]);

/// Binaries, without directory and extension.
static BINARIES: Table = Table::new(&[
    "KSCrash",
    "Sentry",
    "SentryPrivate",
    "SentrySwift",
    "SentrySwiftUI",
    "libsentry",
    "libsentry-android",
    "libsentry-cocoa",
    "sentry",
]);

static DART_PACKAGES: Table = Table::new(&[
    "package:sentry/",
    "package:sentry_dio/",
    "package:sentry_drift/",
    "package:sentry_file/",
    "package:sentry_flutter/",
    "package:sentry_hive/",
    "package:sentry_isar/",
    "package:sentry_logging/",
    "package:sentry_sqflite/",
]);

pub(super) fn is_sdk(frame: &Frame<'_>, family: Family) -> bool {
    let module = frame.module.as_deref().unwrap_or_default();
    match family {
        Family::Script => is_script(frame, npm_package_of(frame)),
        Family::Jvm => module.starts_with("io.sentry.") && !jvm::is_own(module),
        Family::Python => module == "sentry_sdk" || module.starts_with("sentry_sdk."),
        Family::Php => {
            has_function(frame, "Sentry\\") || follows(frame, "vendor", |next| next == "sentry")
        }
        Family::Ruby => follows(frame, "gems", |next| next.starts_with("sentry-")),
        Family::Go => module.starts_with("github.com/getsentry/sentry-go"),
        Family::Dotnet => module.starts_with("Sentry."),
        Family::Dart => full_path(frame).is_some_and(|path| DART_PACKAGES.holds_beginning_of(path)),
        Family::Beam => {
            let module = beam::bare(module);
            module == "Sentry" || module.starts_with("Sentry.")
        }
        Family::Native => is_native(frame),
        Family::Other => false,
    }
}

fn has_function(frame: &Frame<'_>, front: &str) -> bool {
    frame
        .function
        .as_deref()
        .is_some_and(|function| function.starts_with(front))
}

/// Whether a folder is followed by one of the SDK.
fn follows(frame: &Frame<'_>, folder: &str, is_wanted: fn(&str) -> bool) -> bool {
    full_path(frame).is_some_and(|path| {
        has_segment(path, |previous, segment| {
            previous == folder && is_wanted(segment)
        })
    })
}

/// `package` is the npm package of the script, if it is of one.
pub(super) fn is_script(frame: &Frame<'_>, package: Option<&str>) -> bool {
    package.is_some_and(is_sdk_package)
        || matches!(frame.function.as_deref(), Some("sentryWrapped"))
        || frame
            .module
            .as_deref()
            .is_some_and(|module| module.starts_with("@sentry"))
        || full_path(frame)
            .and_then(host)
            .is_some_and(|host| host.ends_with(".sentry-cdn.com"))
}

fn is_sdk_package(package: &str) -> bool {
    package.starts_with("@sentry/")
        || package.starts_with("@sentry-internal/")
        || matches!(package, "raven-js" | "sentry-expo")
}

fn is_native(frame: &Frame<'_>) -> bool {
    let is_function = frame.function.as_deref().is_some_and(|function| {
        NATIVE_FUNCTIONS.holds_beginning_of(function.trim_start_matches('<'))
    });
    is_function
        || match frame.package.as_deref() {
            Some(package) => is_binary(package),
            // Inlined functions come without their crate, but with their source.
            None => frame.abs_path.as_deref().is_some_and(is_of_crate),
        }
}

/// The executable of an application may be called `Sentry`, too.
fn is_binary(package: &str) -> bool {
    let name = binary_name(package);
    let stem = name.split('.').next().unwrap_or(name);
    BINARIES.holds(stem)
        && (name.len() == package.len()
            || name.len() > stem.len()
            || package.contains(".framework"))
}

/// `…/registry/…/sentry-core-0.49.5/src/hub.rs`.
fn is_of_crate(path: &str) -> bool {
    let mut is_in_registry = false;
    segments(path).any(|segment| {
        is_in_registry |= segment == "registry";
        is_in_registry && segment.starts_with("sentry-")
    })
}

#[cfg(test)]
mod tests {
    use super::super::libraries::tests::{function, module, package, path};
    use super::*;

    #[test]
    fn tables_are_sorted() {
        NATIVE_FUNCTIONS.assert_beginnings();
        DART_PACKAGES.assert_beginnings();
        BINARIES.assert_sorted();
    }

    #[test]
    fn sdks_and_what_is_called_alike() {
        let cases = vec![
            (
                "node",
                path("/srv/node_modules/@sentry/core/build/x.js"),
                true,
            ),
            ("node", path("/srv/app/sentry/server.js"), false),
            ("node", module("@sentry.core.build.cjs:exports"), true),
            (
                "javascript",
                path("https://browser.sentry-cdn.com/8.0.0/bundle.min.js"),
                true,
            ),
            (
                "javascript",
                path("https://shop.example.com/sentry.client.js"),
                false,
            ),
            ("javascript", function("sentryWrapped"), true),
            ("javascript", function("wrapped"), false),
            ("java", module("io.sentry.SentryClient"), true),
            ("java", module("io.sentry.samples.Main"), false),
            ("java", module("com.example.SentryService"), false),
            ("python", module("sentry_sdk.integrations.wsgi"), true),
            ("python", module("shop.sentry_sdk"), false),
            (
                "php",
                path("/srv/vendor/sentry/sentry/src/Client.php"),
                true,
            ),
            ("php", function("Sentry\\captureException"), true),
            ("php", path("/srv/app/sentry/Client.php"), false),
            (
                "ruby",
                path("/usr/local/bundle/gems/sentry-ruby-5.22.4/lib/sentry.rb"),
                true,
            ),
            ("ruby", path("/srv/app/lib/sentry-helper.rb"), false),
            ("go", module("github.com/getsentry/sentry-go"), true),
            ("go", module("example.com/sentry"), false),
            ("csharp", module("Sentry.SentrySdk"), true),
            ("csharp", module("SentryGun.Turret"), false),
            ("dart", path("package:sentry_flutter/src/x.dart"), true),
            ("dart", path("package:sentry_shop/main.dart"), false),
            ("elixir", module("Elixir.Sentry.Client"), true),
            ("elixir", module("SentryShop.Client"), false),
            (
                "native",
                function("<sentry_panic::PanicIntegration as X>::setup"),
                true,
            ),
            ("native", function("sentry_core::hub::Hub::with"), true),
            ("native", function("shop::sentry::init"), false),
            ("native", function("sentry"), false),
            ("cocoa", function("-[SentryClient captureEvent:]"), true),
            (
                "cocoa",
                package("/x/Shop.app/Frameworks/Sentry.framework/Sentry"),
                true,
            ),
            ("cocoa", package("/x/Sentry.app/Sentry"), false),
            (
                "native",
                package("/data/app/x/base.apk!libsentry-android.so"),
                true,
            ),
            (
                "native",
                path("/cargo/registry/src/x/sentry-core-0.49.5/src/hub.rs"),
                true,
            ),
            ("native", path("/srv/sentry-shop/src/main.rs"), false),
            ("other", module("io.sentry.X"), false),
        ];
        for (platform, frame, expected) in cases {
            let family = Family::of(&frame, platform);
            assert_eq!(is_sdk(&frame, family), expected, "{platform}: {frame:?}");
        }
    }
}
