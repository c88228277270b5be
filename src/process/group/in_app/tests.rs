//! Decisions on single frames and on whole events.

use super::*;
use crate::model::event::Level;
use crate::process::event::{Exception, Request, Thread, User};
use crate::protocol::json::Object;
use std::borrow::Cow;

fn frame<'a>(path: &'a str, package: &'a str, in_app: Option<bool>) -> Frame<'a> {
    let given = |text: &'a str| (!text.is_empty()).then_some(Cow::Borrowed(text));
    Frame {
        abs_path: given(path),
        package: given(package),
        in_app,
        ..Frame::default()
    }
}

#[test]
fn libraries_then_the_sdk_then_what_the_platform_knows() {
    const FLASK: &str = "/x/site-packages/flask/app.py";
    for (platform, path, package, flag, is_silent, expected) in [
        ("python", "/srv/app/a.py", "", Some(true), false, true),
        ("python", "/srv/app/a.py", "", Some(false), false, false),
        ("python", "/srv/app/a.py", "", None, false, false),
        ("python", "/srv/app/a.py", "", None, true, true),
        ("python", FLASK, "", Some(true), false, false),
        ("python", FLASK, "", None, true, false),
        ("python", FLASK, "", Some(false), false, false),
        (
            "javascript",
            "https://unpkg.com/react.js",
            "",
            Some(true),
            false,
            false,
        ),
        (
            "javascript",
            "webpack:///./node_modules/a.js",
            "",
            Some(true),
            false,
            false,
        ),
        (
            "javascript",
            "https://shop.example.com/app.js",
            "",
            Some(true),
            false,
            true,
        ),
        (
            "javascript",
            "https://shop.example.com/app.js",
            "",
            None,
            true,
            true,
        ),
        ("php", "/srv/vendor/x/y.php", "", Some(true), false, false),
        ("ruby", "/srv/app/models/a.rb", "", None, true, true),
        ("other", "/srv/a.lua", "", None, true, true),
        ("other", "/srv/a.lua", "", None, false, false),
        // Binaries need no flag.
        ("native", "", "/opt/shop/bin/shop", None, false, true),
        ("native", "", "/opt/shop/bin/shop", None, true, true),
        (
            "native",
            "",
            "/opt/shop/bin/shop",
            Some(false),
            false,
            false,
        ),
        (
            "native",
            "",
            "/lib/x86_64-linux-gnu/libc.so.6",
            None,
            true,
            false,
        ),
        (
            "native",
            "",
            r"C:\Windows\System32\ntdll.dll",
            None,
            true,
            false,
        ),
        ("native", "", r"C:\Shop\shop.exe", None, false, true),
        ("native", "", "rust_shop", None, false, false),
        ("native", "", "rust_shop", None, true, true),
        ("native", "/srv/app/hook.sh", "", None, true, true),
        ("cocoa", "", "/System/Library/UIKitCore", None, false, false),
        (
            "cocoa",
            "",
            "/private/var/containers/Bundle/Application/6B/Shop.app/Shop",
            None,
            false,
            true,
        ),
    ] {
        let decided = decide(&frame(path, package, flag), platform, is_silent);
        assert_eq!(
            decided, expected,
            "{platform} {path}{package} {flag:?} {is_silent}"
        );
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
        ("std::panicking::begin_panic", false),
        ("shop::stock::reserve", true),
    ] {
        let frame = Frame {
            function: Some(Cow::Borrowed(function)),
            in_app: Some(true),
            ..Frame::default()
        };
        assert_eq!(decide(&frame, "native", false), expected, "{function}");
    }
}

fn stack(frames: Vec<Frame<'_>>) -> Stacktrace<'_> {
    Stacktrace {
        frames,
        ..Stacktrace::default()
    }
}

fn event<'a>(platform: &'a str, frames: Vec<Frame<'a>>) -> Event<'a> {
    Event {
        timestamp_us: 0,
        platform: Cow::Borrowed(platform),
        level: Level::Error,
        logger: None,
        transaction: None,
        culprit: None,
        server_name: None,
        site: None,
        release: None,
        dist: None,
        environment: None,
        logentry: None,
        exceptions: vec![Exception {
            stacktrace: Some(stack(frames)),
            ..Exception::default()
        }],
        threads: Vec::new(),
        stacktrace: None,
        report: None,
        user: User::default(),
        request: Request::default(),
        contexts: Object::default(),
        breadcrumbs: Vec::new(),
        tags: Vec::new(),
        extra: Object::default(),
        modules: Object::default(),
        sdk: Object::default(),
        debug_meta: Object::default(),
        fingerprint: Vec::new(),
        checksum: None,
        errors: Vec::new(),
        meta: Object::default(),
    }
}

type Decision = (Option<bool>, Option<SdkFlag>);
type Maker<'m> = &'m dyn Fn(&'static str) -> Frame<'static>;

fn decisions(event: &Event<'_>) -> Vec<Decision> {
    let threads = event.threads.iter().filter_map(|it| it.stacktrace.as_ref());
    let exceptions = event
        .exceptions
        .iter()
        .filter_map(|it| it.stacktrace.as_ref());
    exceptions
        .chain(threads)
        .chain(&event.stacktrace)
        .flat_map(|stack| &stack.frames)
        .map(|frame| (frame.in_app, frame.orig_in_app))
        .collect()
}

const OWN: &str = "/srv/app/a.py";
const LIBRARY: &str = "/x/site-packages/b.py";
const UNSET: Option<SdkFlag> = Some(SdkFlag::Unset);

#[test]
fn without_any_flag_all_but_libraries_is_own() {
    let mut event = event(
        "python",
        vec![frame(OWN, "", None), frame(LIBRARY, "", None)],
    );
    decide_all(&mut event);
    assert_eq!(
        decisions(&event),
        [(Some(true), UNSET), (Some(false), UNSET)]
    );
    assert_eq!(event.platform, "python");
}

#[test]
fn one_flag_anywhere_leaves_the_rest_to_the_sdk() {
    let mut event = event(
        "python",
        vec![frame(OWN, "", None), frame(LIBRARY, "", None)],
    );
    event.threads = vec![Thread {
        stacktrace: Some(stack(vec![frame(LIBRARY, "", Some(false))])),
        ..Thread::default()
    }];
    event.stacktrace = Some(stack(vec![frame(OWN, "", None)]));
    decide_all(&mut event);
    let unset = (Some(false), UNSET);
    assert_eq!(
        decisions(&event),
        [unset, unset, (Some(false), None), unset]
    );
}

#[test]
fn the_flag_of_the_sdk_is_kept_only_where_it_was_changed() {
    let mut event = event(
        "python",
        vec![
            frame(OWN, "", Some(true)),
            frame(OWN, "", Some(false)),
            frame(LIBRARY, "", Some(true)),
            frame(LIBRARY, "", Some(false)),
        ],
    );
    decide_all(&mut event);
    assert_eq!(
        decisions(&event),
        [
            (Some(true), None),
            (Some(false), None),
            (Some(false), Some(SdkFlag::Own)),
            (Some(false), None),
        ]
    );
}

#[test]
fn deciding_twice_changes_nothing() {
    let flags = [None, Some(false), Some(true)];
    let places = [
        ("python", OWN, ""),
        ("python", LIBRARY, ""),
        ("native", "", "/opt/shop/bin/shop"),
        ("native", "", "/usr/lib/libc.so"),
        ("native", "a.c", ""),
    ];
    for (platform, path, package) in places {
        for one in flags {
            for (_, other_path, other_package) in places {
                for other in flags {
                    let mut event = event(
                        platform,
                        vec![
                            frame(path, package, one),
                            frame(other_path, other_package, other),
                        ],
                    );
                    decide_all(&mut event);
                    let once = decisions(&event);
                    decide_all(&mut event);
                    assert_eq!(decisions(&event), once, "{path}{package} {one:?} {other:?}");
                }
            }
        }
    }
}

/// An application with frames of a framework, as clients of one platform flag them: all as their own, all but the
/// framework's, or none.
#[test]
fn what_is_own_does_not_depend_on_who_flags_frameworks() {
    let by_path = |path: &'static str| frame(path, "", None);
    let by_module = |module: &'static str| Frame {
        module: Some(Cow::Borrowed(module)),
        ..Frame::default()
    };
    let by_package = |package: &'static str| frame("", package, None);
    let cases: [(&str, Maker<'_>, &str, &str); 13] = [
        ("python", &by_path, OWN, LIBRARY),
        (
            "python",
            &by_path,
            "/srv/app/a.py",
            "/usr/lib/python3.12/json/decoder.py",
        ),
        (
            "javascript",
            &by_path,
            "webpack:///./src/a.js",
            "webpack:///./node_modules/vue/v.js",
        ),
        (
            "node",
            &by_path,
            "/srv/app/a.js",
            "/srv/app/node_modules/express/e.js",
        ),
        (
            "php",
            &by_path,
            "/srv/src/A.php",
            "/srv/vendor/symfony/http-kernel/K.php",
        ),
        (
            "ruby",
            &by_path,
            "/srv/app/a.rb",
            "/usr/local/bundle/gems/rack-3.0.0/lib/rack.rb",
        ),
        ("go", &by_module, "example.com/shop", "net/http"),
        (
            "java",
            &by_module,
            "com.example.Shop",
            "org.springframework.web.Filter",
        ),
        (
            "csharp",
            &by_module,
            "Shop.Web.Pay",
            "Microsoft.AspNetCore.Mvc.Filter",
        ),
        (
            "dart",
            &by_path,
            "package:shop/a.dart",
            "package:flutter/src/a.dart",
        ),
        ("elixir", &by_module, "Shop.Pay", "Phoenix.Router"),
        (
            "native",
            &by_package,
            "/opt/shop/bin/shop",
            "/usr/lib/libgtk-3.so.0",
        ),
        (
            "cocoa",
            &by_package,
            "/var/containers/Bundle/Application/1/Shop.app/Shop",
            "/System/Library/UIKitCore",
        ),
    ];
    for (platform, make, own, library) in cases {
        for (flag_of_own, flag_of_library) in [
            (Some(true), Some(true)),
            (Some(true), Some(false)),
            (Some(true), None),
            (None, None),
        ] {
            let mut frames = vec![make(library), make(own)];
            frames[0].in_app = flag_of_library;
            frames[1].in_app = flag_of_own;
            let mut event = event(platform, frames);
            decide_all(&mut event);
            let decided: Vec<_> = decisions(&event)
                .into_iter()
                .map(|(flag, _)| flag)
                .collect();
            assert_eq!(
                decided,
                [Some(false), Some(true)],
                "{platform} {flag_of_own:?} {flag_of_library:?}"
            );
        }
    }
}

#[test]
fn frames_of_another_platform_have_its_rules() {
    let mut java = frame("", "", Some(true));
    java.module = Some(Cow::Borrowed("com.facebook.react.bridge.JavaMethodWrapper"));
    java.platform = Some(Cow::Borrowed("java"));
    let mut event = event("javascript", vec![java]);
    decide_all(&mut event);
    assert_eq!(decisions(&event), [(Some(false), Some(SdkFlag::Own))]);
}

#[test]
fn what_the_sdk_said_is_stored_as_a_number() {
    for (said, number) in [
        (SdkFlag::Unset, -1),
        (SdkFlag::Library, 0),
        (SdkFlag::Own, 1),
    ] {
        let frame = Frame {
            orig_in_app: Some(said),
            ..Frame::default()
        };
        let stored = serde_json::to_value(&frame).expect("JSON");
        assert_eq!(stored["orig_in_app"], number);
        assert_eq!(SdkFlag::from_number(number), Some(said));
        assert_eq!(SdkFlag::of(said.flag()), said);
    }
    assert_eq!(SdkFlag::from_number(2), None);
    let stored = serde_json::to_value(Frame::default()).expect("JSON");
    assert!(stored.get("orig_in_app").is_none());
}
