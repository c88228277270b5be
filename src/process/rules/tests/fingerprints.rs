//! Which fingerprint rule applies to which event, and what it gives.

use crate::process::event::Event;
use crate::process::rules::sample::event;
use crate::process::rules::{FingerprintRules, builtin, fingerprint};

/// A payment that failed because the network did.
const CHAIN: &str = r#"{
    "platform": "python", "level": "warning", "logger": "shop.Pay", "release": "shop@1.2.0", "transaction": "/pay",
    "environment": "prod", "sdk": {"name": "sentry.python.flask", "version": "2"},
    "tags": {"server_name": "canary-3", "my:tag": "x", "environment": "ignored"},
    "logentry": {"formatted": "Payment 17 failed", "message": "Payment %s failed"},
    "threads": {"values": [{"id": 7, "name": "worker-1", "current": true, "state": "RUNNABLE"}, {"id": 8, "name": "main"}]},
    "exception": {"values": [
        {"type": "OSError", "value": "Connection RESET by peer", "stacktrace": {"frames": [
            {"function": "send", "module": "net.socket", "filename": "net/socket.py", "abs_path": "/lib/net/socket.py", "in_app": false}
        ]}},
        {"type": "PaymentError", "value": "no answer\nfrom bank", "mechanism": {"type": "flask", "handled": false},
         "stacktrace": {"frames": [
            {"function": "run", "module": "wsgi", "filename": "wsgi.py", "abs_path": "/lib/wsgi.py", "in_app": false},
            {"function": "pay", "module": "shop.pay", "filename": "Shop/Pay.py", "abs_path": "/srv/Shop/Pay.py", "in_app": true, "package": "/opt/Shop.so"},
            {"filename": "nameless.py", "in_app": true}
        ]}}
    ]}
}"#;

const BARE: &str = r#"{"platform": "java", "message": "hello", "fingerprint": ["mine"]}"#;

fn applies(conditions: &str, event: &Event<'_>) -> bool {
    let (rules, problems) = FingerprintRules::parse(&format!("{conditions} -> x"));
    assert_eq!(problems, [], "{conditions}");
    fingerprint(&rules, event).is_some_and(|found| found.line == Some(1))
}

#[test]
fn every_key_looks_where_it_should() {
    let event = event(CHAIN);
    for (conditions, expected) in [
        ("error.type:PaymentError", true),
        ("type:OSError", true),
        ("type:paymenterror", false),
        ("type:*Error", true),
        ("error.value:*reset*", true),
        ("value:\"NO ANSWER?from bank\"", true),
        ("value:\"no answer*\"", true),
        ("value:\"no answer\"", false),
        ("error.mechanism:flask", true),
        ("mechanism:django", false),
        ("message:\"payment * FAILED\"", true),
        ("message:*reset*", true),
        // The template is not what people see.
        ("message:\"Payment %s failed\"", false),
        ("logger:shop.*", true),
        ("logger:Shop.*", false),
        ("level:WARNING", true),
        ("level:warn", false),
        ("release:shop@1.*", true),
        ("release:Shop@1.*", false),
        ("sdk:sentry.python", false),
        ("sdk:sentry.python*", true),
        ("sdk:sentry.java,sentry.python.flask", true),
        ("sdk:{sentry.java,sentry.python}*", true),
        ("sdk:all", true),
        ("tags.server_name:canary-*", true),
        ("\"tags.my:tag\":x", true),
        ("tags.transaction:/pay", true),
        ("tags.environment:prod", true),
        ("tags.level:warning", true),
        ("tags.nothing:*", false),
        ("!tags.nothing:*", true),
        ("thread.id:7", true),
        ("thread.name:worker-*", true),
        ("thread.name:main", false),
        ("thread.state:RUNNABLE", true),
        ("path:/srv/shop/pay.py", true),
        ("path:**/pay.py", true),
        ("path:*/pay.py", true),
        ("path:shop/pay.py", true),
        ("path:pay.py", false),
        ("stack.abs_path:/srv/*.py", false),
        ("stack.module:shop.*", true),
        ("module:Shop.*", false),
        ("stack.function:pay", true),
        ("function:Pay", false),
        ("function:<unknown>", true),
        ("stack.package:**/shop.so", true),
        ("package:shop.so", false),
        ("app:yes", true),
        ("family:other", true),
        ("family:javascript,other", true),
        ("family:all", true),
        ("family:native", false),
        ("!family:native", true),
    ] {
        assert_eq!(applies(conditions, &event), expected, "{conditions}");
    }
}

#[test]
fn all_conditions_hold_for_one_and_the_same() {
    let event = event(CHAIN);
    for (conditions, expected, reason) in [
        ("type:OSError value:*reset*", true, "one exception"),
        ("type:PaymentError value:*reset*", false, "two exceptions"),
        (
            "type:PaymentError function:send",
            true,
            "frames of any exception",
        ),
        ("function:pay module:shop.pay app:yes", true, "one frame"),
        ("function:pay module:wsgi", false, "two frames"),
        ("function:send app:yes", false, "the frame is a library's"),
        ("message:*17* message:*failed", true, "one message"),
        ("message:*17* message:*reset*", false, "two messages"),
        (
            "type:OSError logger:shop.Pay level:warning",
            true,
            "all of the event",
        ),
        ("type:OSError logger:other", false, "one is wrong"),
        ("!type:PaymentError", true, "the cause is of another type"),
        ("!type:*Error", false, "all are of it"),
        (
            "!function:send !function:run !function:pay",
            true,
            "the nameless frame",
        ),
        ("!path:**", false, "all frames have a path"),
        ("!module:*", true, "the nameless frame has no module"),
        ("[ function:run ] | function:pay", true, "its caller"),
        (
            "[ function:send ] | function:pay",
            false,
            "not of this stack",
        ),
        (
            "[ app:yes ] | function:pay",
            false,
            "the caller is a library",
        ),
        ("function:pay | [ !function:run ]", true, "what it called"),
        (
            "function:run | [ function:pay app:yes ]",
            true,
            "what it called",
        ),
        ("[ function:* ] | function:run", false, "nothing called it"),
        (
            "[ !function:x ] | function:run",
            false,
            "nothing called it, so nothing can be said",
        ),
        (
            "function:<unknown> | [ !function:x ]",
            false,
            "it called nothing",
        ),
        (
            "[ function:run ] | function:pay | [ function:<unknown> ]",
            true,
            "both",
        ),
        (
            "[ family:other ] | app:yes",
            true,
            "the family of the frame",
        ),
    ] {
        assert_eq!(
            applies(conditions, &event),
            expected,
            "{conditions}: {reason}"
        );
    }
}

#[test]
fn events_without_exceptions_have_messages_and_stacks() {
    for (payload, conditions, expected) in [
        (BARE, "message:hello", true),
        (BARE, "!message:hello", false),
        (BARE, "!message:other", true),
        (BARE, "type:*", false),
        (BARE, "!type:Foo", false),
        (BARE, "!function:foo", false),
        (BARE, "!logger:foo", true),
        (BARE, "!release:*", true),
        (BARE, "thread.name:*", false),
        (BARE, "family:other", true),
        (
            r#"{"platform":"node","message":"x"}"#,
            "family:javascript",
            true,
        ),
        (
            r#"{"platform":"cocoa","message":"x"}"#,
            "family:native",
            true,
        ),
        (
            r#"{"message":"x","stacktrace":{"frames":[{"function":"f"}]}}"#,
            "function:f",
            true,
        ),
        (
            r#"{"message":"x","threads":[{"id":1,"stacktrace":{"frames":[{"function":"f"}]}}]}"#,
            "function:f",
            true,
        ),
        (
            r#"{"message":"x","threads":[{"id":1,"stacktrace":{"frames":[{"function":"f"}]}},{"id":2,"crashed":true,"name":"b","stacktrace":{"frames":[{"function":"g"}]}}]}"#,
            "function:g thread.name:b",
            true,
        ),
        (
            r#"{"message":"x","threads":[{"id":1,"stacktrace":{"frames":[{"function":"f"}]}},{"id":2}]}"#,
            "function:f",
            false,
        ),
        // A stack with frames of two platforms: the family is that of the event, but of a neighbour that of the frame.
        (
            r#"{"platform":"javascript","stacktrace":{"frames":[{"function":"f","platform":"native"},{"function":"g"}]}}"#,
            "[ family:native ] | function:g family:javascript",
            true,
        ),
    ] {
        assert_eq!(
            applies(conditions, &event(payload)),
            expected,
            "{conditions} {payload}"
        );
    }
}

#[test]
fn the_first_rule_that_applies_decides() {
    let text = "type:Nothing -> a\n# comment\ntype:OSError -> b, {{ default }} title=\"B\"\ntype:PaymentError -> c";
    let (rules, _) = FingerprintRules::parse(text);
    let found = event(CHAIN);
    let found = fingerprint(&rules, &found).expect("a rule");
    assert_eq!(found.line, Some(3));
    assert_eq!(found.rule.values(), ["b", "{{ default }}"]);
    // Also over what the SDK sent.
    let (rules, _) = FingerprintRules::parse("message:hello -> greeting");
    let found = event(BARE);
    let found = fingerprint(&rules, &found).expect("a rule");
    assert_eq!(found.rule.values(), ["greeting"]);
    assert_eq!(found.rule.title(&event(BARE)), None);
}

#[test]
fn titles_take_the_values_of_the_event() {
    let event_of = event(CHAIN);
    for (title, expected) in [
        ("Bank", "Bank"),
        (
            "{{ error.type }} in {{transaction}}",
            "PaymentError in /pay",
        ),
        (
            "{{ type }}: {{ value }}",
            "PaymentError: no answer\nfrom bank",
        ),
        ("{{ message }}", "Payment 17 failed"),
        (
            "{{ stack.function }} {{ module }} {{ package }}",
            "pay shop.pay /opt/Shop.so",
        ),
        (
            "{{ path }} {{ stack.filename }}",
            "/srv/Shop/Pay.py Shop/Pay.py",
        ),
        (
            "{{ logger }}/{{ level }}/{{ tags.server_name }}",
            "shop.Pay/warning/canary-3",
        ),
        ("{{ tags.unset }}", "<no-tags-unset>"),
        ("a {{ b", "a {{ b"),
        ("}} { {{ level }}{{ level }}", "}} { warningwarning"),
    ] {
        let (rules, problems) = FingerprintRules::parse(&format!("type:* -> x title=\"{title}\""));
        assert_eq!(problems, []);
        let found = rules.rules()[0].rule.title(&event_of);
        assert_eq!(found.as_deref(), Some(expected));
    }
    let (rules, _) =
        FingerprintRules::parse("message:* -> x title=\"{{ error.type }} {{ function }}\"");
    let title = rules.rules()[0].rule.title(&event(BARE));
    assert_eq!(
        title.as_deref(),
        Some("<no-error-type> <no-stack-function>")
    );
}

#[test]
fn what_is_built_in_can_be_read_and_shown() {
    let (rules, problems) = FingerprintRules::parse(&builtin::text());
    assert_eq!(problems, []);
    assert_eq!(rules.rules().len(), 15);
}

#[test]
fn chunks_and_hydration_have_rules_built_in() {
    let none = FingerprintRules::default();
    let values = |kind: &str, value: &str, more: &str| {
        let exception = serde_json::json!({"type": kind, "value": value}).to_string();
        let payload = format!(r#"{{"platform":"javascript","exception":[{exception}]{more}}}"#);
        let event = event(&payload);
        fingerprint(&none, &event).map(|found| {
            assert_eq!(found.line, None);
            found.rule.values().join(" ")
        })
    };
    let page = r#","transaction":"/cart""#;
    for (kind, value, more, expected) in [
        ("ChunkLoadError", "anything", "", Some("chunkloaderror")),
        (
            "Error",
            "Loading chunk 487 failed.\n(error: https://a.example/487.js)",
            "",
            Some("chunkloaderror"),
        ),
        (
            "Error",
            "Loading CSS chunk cart failed.",
            "",
            Some("chunkloaderror"),
        ),
        ("Error", "ChunkLoadError: no", "", Some("chunkloaderror")),
        (
            "TypeError",
            "Failed to fetch dynamically imported module: https://a.example/x.js",
            "",
            Some("chunkloaderror"),
        ),
        (
            "TypeError",
            "error loading dynamically imported module",
            "",
            Some("chunkloaderror"),
        ),
        (
            "TypeError",
            "Importing a module script failed.",
            "",
            Some("chunkloaderror"),
        ),
        (
            "Error",
            "Unable to preload CSS for /assets/x.css",
            "",
            Some("chunkloaderror"),
        ),
        ("Error", "Loading chunks", "", None),
        (
            "ChunkLoadError",
            "x",
            r#","fingerprint":["{{ default }}"]"#,
            Some("chunkloaderror"),
        ),
        (
            "ChunkLoadError",
            "x",
            r#","fingerprint":["{{default}}","{{ default }}"]"#,
            Some("chunkloaderror"),
        ),
        (
            "ChunkLoadError",
            "x",
            r#","fingerprint":["{{ default }}","mine"]"#,
            None,
        ),
        ("ChunkLoadError", "x", r#","platform":"java""#, None),
        (
            "Error",
            "Hydration failed because the initial UI does not match what was rendered on the server.",
            page,
            Some("hydrationerror {{ transaction }}"),
        ),
        (
            "Error",
            "Hydration failed because the server rendered HTML didn't match the client.",
            page,
            Some("hydrationerror {{ transaction }}"),
        ),
        (
            "Error",
            "Hydration failed because the server rendered text didn't match",
            "",
            None,
        ),
        (
            "Error",
            "There was an error while hydrating this Suspense boundary.",
            page,
            Some("hydrationerror {{ transaction }}"),
        ),
        (
            "Error",
            "Text content does not match server-rendered HTML.",
            page,
            Some("hydrationerror {{ transaction }}"),
        ),
        (
            "Error",
            "Minified React error #418; visit https://react.dev/errors/418",
            page,
            Some("hydrationerror {{ transaction }}"),
        ),
        (
            "Error",
            "Minified React error #425",
            page,
            Some("hydrationerror {{ transaction }}"),
        ),
        ("Error", "Minified React error #4180; visit", page, None),
        ("Error", "Minified React error #185; visit", page, None),
    ] {
        assert_eq!(
            values(kind, value, more).as_deref(),
            expected,
            "{kind} {value} {more}"
        );
    }
}
