//! Whole stacks, oldest frame first, of each platform.

use super::*;
use std::borrow::Cow;

/// `module|function`, or only a function.
fn stack<'a>(frames: &[&'a str]) -> Vec<Frame<'a>> {
    frames
        .iter()
        .map(|text| {
            let (module, function) = text.split_once('|').unwrap_or(("", text));
            Frame {
                module: (!module.is_empty()).then_some(Cow::Borrowed(module)),
                function: Some(Cow::Borrowed(function)),
                in_app: Some(module.starts_with("shop") || function.starts_with("shop")),
                ..Frame::default()
            }
        })
        .collect()
}

fn counted<'a>(platform: &str, frames: &[&'a str]) -> Vec<&'a str> {
    let marks = marks(&stack(frames), platform);
    assert_eq!(marks.len(), frames.len());
    let kept = frames.iter().zip(marks).filter(|(_, mark)| mark.is_none());
    kept.map(|(text, _)| *text).collect()
}

#[test]
fn what_counts_of_a_stack() {
    let cases: [(&str, &[&str], &[&str]); 17] = [
        (
            "native",
            &[
                "_start",
                "__libc_start_main",
                "main",
                "shop::total",
                "__cxa_throw",
                "std::terminate()",
                "abort",
                "raise",
            ],
            &["main", "shop::total"],
        ),
        (
            "native",
            &[
                "clone",
                "start_thread",
                "shop::run",
                "_sigtramp",
                "shop::on_signal",
            ],
            &["shop::run"],
        ),
        (
            "native",
            &[
                "std::rt::lang_start_internal",
                "std::panicking::catch_unwind::<isize, F>",
                "std::sys::backtrace::__rust_begin_short_backtrace::<fn(), ()>",
                "shop::main",
                "core::option::Option<T>::map",
                "shop::main::{closure#0}",
                "core::option::Option<T>::expect",
                "core::panicking::panic_fmt",
                "shop::hook::report",
            ],
            &[
                "shop::main",
                "core::option::Option<T>::map",
                "shop::main::{closure#0}",
            ],
        ),
        // `main` says nothing of an application with a user interface.
        (
            "cocoa",
            &[
                "shop main",
                "UIApplicationMain",
                "CFRunLoopRunSpecific",
                "-[UIControl sendAction:to:forEvent:]",
                "shop pay",
                "objc_exception_throw",
                "abort",
            ],
            &["-[UIControl sendAction:to:forEvent:]", "shop pay"],
        ),
        (
            "cocoa",
            &[
                "start_wqthread",
                "_pthread_wqthread",
                "_dispatch_client_callout",
                "shop load",
            ],
            &["shop load"],
        ),
        // The reporter of a crash throws again: the oldest throw is the cause.
        (
            "native",
            &["shop::a", "abort", "shop::b", "abort", "shop::c"],
            &["shop::a"],
        ),
        // Nothing is left.
        ("native", &["start_thread", "abort"], &[]),
        (
            "java",
            &[
                "java.lang.Thread|run",
                "java.util.concurrent.ThreadPoolExecutor|runWorker",
                "java.util.concurrent.FutureTask|run",
                "org.acme.Pool|call",
                "java.lang.reflect.Method|invoke",
                "shop.Pay|charge",
            ],
            &["org.acme.Pool|call", "shop.Pay|charge"],
        ),
        (
            "java",
            &[
                "com.android.internal.os.ZygoteInit|main",
                "android.app.ActivityThread|main",
                "android.os.Looper|loop",
                "android.os.Handler|dispatchMessage",
                "shop.Main|onClick",
            ],
            &["shop.Main|onClick"],
        ),
        (
            "java",
            &["shop.Main|main", "shop.Pay|charge"],
            &["shop.Main|main", "shop.Pay|charge"],
        ),
        (
            "go",
            &[
                "runtime|goexit",
                "runtime|main",
                "main|main",
                "shop/pay|Charge",
                "runtime|gopanic",
                "shop/web|recover",
            ],
            &["main|main", "shop/pay|Charge"],
        ),
        (
            "go",
            &["main|main", "shop/pay|throw"],
            &["main|main", "shop/pay|throw"],
        ),
        (
            "csharp",
            &[
                "shop.Web|Pay",
                "System.Runtime.CompilerServices.TaskAwaiter|ThrowForNonSuccess",
                "System.Int32|Parse",
                "shop.Stock|Load",
            ],
            &["shop.Web|Pay", "System.Int32|Parse", "shop.Stock|Load"],
        ),
        (
            "dart",
            &["shop", "<asynchronous suspension>", "shop.pay"],
            &["shop", "shop.pay"],
        ),
        (
            "python",
            &[
                "shop.web|index",
                "sentry_sdk.integrations.wsgi|__call__",
                "shop.pay|charge",
            ],
            &["shop.web|index", "shop.pay|charge"],
        ),
        (
            "node",
            &[
                "process.processTicksAndRejections",
                "shop.pay",
                "sentryWrapped",
                "eval",
                "pay",
            ],
            &["shop.pay", "pay"],
        ),
        // Names of one platform mean nothing on another.
        (
            "ruby",
            &["abort", "raise", "clone", "eval"],
            &["abort", "raise", "clone", "eval"],
        ),
    ];
    for (platform, frames, expected) in cases {
        assert_eq!(
            counted(platform, frames),
            expected,
            "{platform}: {frames:?}"
        );
    }
}

#[test]
fn the_same_failure_is_the_same_however_it_was_thrown() {
    let reference = counted("native", &["start_thread", "shop::run", "shop::total"]);
    for frames in [
        &[
            "clone3",
            "start_thread",
            "shop::run",
            "shop::total",
            "abort",
        ][..],
        &[
            "_pthread_start",
            "shop::run",
            "shop::total",
            "__assert_rtn",
            "abort",
            "raise",
        ],
        &[
            "BaseThreadInitThunk",
            "shop::run",
            "shop::total",
            "_CxxThrowException",
            "RaiseException",
        ],
    ] {
        assert_eq!(counted("native", frames), reference, "{frames:?}");
    }
}

#[test]
fn the_marks_tell_why() {
    let frames = stack(&["main", "start_thread", "shop::a", "abort", "shop::b"]);
    let (start, throwing) = (Some(Machinery::ThreadStart), Some(Machinery::Throwing));
    assert_eq!(
        marks(&frames, "native"),
        [start, start, None, throwing, throwing]
    );
}

#[test]
fn an_empty_stack_has_no_marks() {
    assert!(marks(&[], "native").is_empty());
}

/// Whatever a client sends: every table and every cut, on every platform.
#[test]
fn no_text_panics() {
    const PIECES: [&str; 40] = [
        "a",
        "Z",
        "9",
        "é",
        "😀",
        "/",
        "\\",
        ":",
        "::",
        "://",
        ".",
        ".so.",
        ".dll",
        "-",
        "_",
        "<",
        ">",
        "(",
        "[",
        "]",
        "&",
        "!",
        "@v1",
        " ",
        "core::",
        "std::",
        "std::panicking::",
        "__rust",
        "__CFRunLoop",
        "node_modules/",
        "vendor/",
        "gems/",
        "registry/",
        "@sentry/",
        "sentry-",
        "C:\\windows\\",
        "x.framework/",
        "-[Sentry",
        "specialized ",
        "Elixir.",
    ];
    const PLATFORMS: [&str; 12] = [
        "javascript",
        "java",
        "python",
        "php",
        "ruby",
        "go",
        "csharp",
        "dart",
        "elixir",
        "native",
        "cocoa",
        "other",
    ];
    let mut state = 11_u64;
    let mut next = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for _ in 0..20_000 {
        let mut text = || -> Option<Cow<'static, str>> {
            let length = next(6);
            (length > 0).then(|| {
                (0..length)
                    .map(|_| PIECES[next(PIECES.len())])
                    .collect::<String>()
                    .into()
            })
        };
        let mut frame = Frame {
            function: text(),
            module: text(),
            filename: text(),
            abs_path: text(),
            package: text(),
            ..Frame::default()
        };
        for platform in PLATFORMS {
            let decided = super::super::in_app::decide(&frame, platform, true);
            frame.in_app = Some(decided);
            let _ = marks(std::slice::from_ref(&frame), platform);
            let _ = super::super::image::binary(&frame);
            frame.in_app = None;
        }
    }
}
