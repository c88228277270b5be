//! In: reports that browsers send by themselves. Out: issues with a title, tags and a section of their own; the answers
//! that browsers expect; nothing counted twice and nothing lost silently.

use serde_json::{Value, json};

use crate::harness::{App, Response};

fn send(app: &App, query: &str, kind: &str, report: &Value) -> Response {
    let sdk = app.sdk();
    let path = sdk.path(&format!("security/?sentry_key={}{query}", sdk.key));
    let headers = [("content-type", kind), ("user-agent", FIREFOX)];
    app.anonymous()
        .post(&path, &headers, report.to_string().as_bytes())
}

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";

fn csp(directive: &str, blocked: &str) -> Value {
    json!({"csp-report": {"document-uri": "https://shop.example.com/cart?step=2", "effective-directive": directive,
        "blocked-uri": blocked}})
}

/// The event of the only issue whose title begins so.
fn event_titled(app: &App, title: &str) -> Value {
    let issues = app.api().issues("");
    let mut found = issues
        .iter()
        .filter(|issue| issue["title"].as_str().is_some_and(|text| text == title));
    let (Some(issue), None) = (found.next(), found.next()) else {
        panic!("not one issue is titled {title}: {issues:?}");
    };
    let id = issue["id"].as_str().expect("an id");
    app.api()
        .get(&format!("/organizations/acme/issues/{id}/events/latest/"))
}

#[test]
fn all_kinds_of_reports_become_issues() {
    let app = App::start();
    let release = "&sentry_release=web%401.2&sentry_environment=staging";
    for (kind, report) in [
        (
            "application/csp-report",
            csp("font-src", "https://type.example.net/a.woff2"),
        ),
        (
            "application/json; charset=utf-8",
            json!({"hostname": "pins.example.com", "port": 443, "known-pins": ["pin-sha256=\"x\""], "include-subdomains": true}),
        ),
        (
            "application/expect-ct-report+json",
            json!({"expect-ct-report": {"hostname": "ct.example.com", "port": 443, "failure-mode": "enforce"}}),
        ),
        (
            "application/json",
            json!({"expect-staple-report": {"hostname": "staple.example.com", "response-status": "MISSING"}}),
        ),
    ] {
        let answer = send(&app, release, kind, &report).expect(200);
        assert!(answer.body.is_empty(), "{answer}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    }
    app.wait_idle();
    for (title, kind, tag, field) in [
        (
            "Blocked 'font' from 'type.example.net'",
            "csp",
            ("blocked-host", "type.example.net"),
            ("blocked_uri", json!("https://type.example.net/a.woff2")),
        ),
        (
            "Public key pinning validation failed for 'pins.example.com'",
            "hpkp",
            ("include-subdomains", "true"),
            ("known_pins", json!(["pin-sha256=\"x\""])),
        ),
        (
            "Expect-CT failed for 'ct.example.com'",
            "expectct",
            ("failure-mode", "enforce"),
            ("port", json!(443)),
        ),
        (
            "Expect-Staple failed for 'staple.example.com'",
            "expectstaple",
            ("response_status", "MISSING"),
            ("hostname", json!("staple.example.com")),
        ),
    ] {
        let event = event_titled(&app, title);
        assert_eq!(event["type"], kind, "{title}");
        let tags = event["tags"].as_array().expect("tags");
        for (key, value) in [
            tag,
            ("logger", kind),
            ("environment", "staging"),
            ("release", "web@1.2"),
        ] {
            let found = tags.iter().find(|found| found["key"] == key);
            assert_eq!(
                found.map(|tag| &tag["value"]),
                Some(&json!(value)),
                "{title}: {key}"
            );
        }
        let entries = event["entries"].as_array().expect("entries");
        let entry = entries.iter().find(|entry| entry["type"] == kind);
        let entry = entry.unwrap_or_else(|| panic!("{title}: no entry {kind}"));
        assert_eq!(entry["data"][field.0], field.1, "{title}");
        assert_eq!(event["user"]["ip_address"], "127.0.0.1", "{title}");
        let id = event["groupID"].as_str().expect("an issue");
        let page = app.user().open(&format!("/acme/issues/{id}/")).text();
        assert!(page.contains("Security report"), "{title}");
    }
}

#[test]
fn reports_of_one_cause_are_one_issue() {
    let app = App::start();
    for page in ["cart", "checkout"] {
        let report = json!([
            {"type": "csp-violation", "age": 100, "url": format!("https://shop.example.com/{page}"), "body":
                {"effectiveDirective": "img-src", "blockedURL": format!("https://ads.example.net/{page}.png"), "lineNumber": 7}},
            {"type": "csp-violation", "body": {"effectiveDirective": "img-src", "blockedURL": "https://other.example.net/"}},
            {"type": "deprecation", "body": {"id": "NavigatorVibrate"}},
        ]);
        send(&app, "", "application/reports+json", &report).expect(200);
    }
    app.wait_idle();
    let mut issues: Vec<(String, String)> = app
        .api()
        .issues("")
        .iter()
        .map(|issue| {
            let text = |name: &str| issue[name].as_str().expect("a text").to_owned();
            (text("title"), text("count"))
        })
        .collect();
    issues.sort();
    assert_eq!(
        issues,
        [
            (
                "Blocked 'image' from 'ads.example.net'".to_owned(),
                "2".to_owned()
            ),
            (
                "Blocked 'image' from 'other.example.net'".to_owned(),
                "2".to_owned()
            ),
        ]
    );
    let count = |outcome: &str| {
        let path = format!(
            "/organizations/acme/stats_v2/?field=sum(quantity)&category=security&outcome={outcome}&statsPeriod=1d&interval=1d"
        );
        let stats = app.api().get(&path);
        stats["groups"][0]["totals"]["sum(quantity)"].as_i64()
    };
    crate::harness::poll::until("the counts are there", || {
        (count("accepted"), count("not_kept")) == (Some(4), Some(2))
    });
}

#[test]
fn what_is_no_report_is_refused() {
    let app = App::start();
    let report = csp("img-src", "https://a.example/");
    send(&app, "", "text/html", &report).expect(415);
    for wrong in [json!({}), json!(7), json!({"csp-report": {}})] {
        let answer = send(&app, "", "application/csp-report", &wrong).expect(400);
        assert_eq!(
            answer.header("access-control-allow-origin"),
            Some("*"),
            "{answer}"
        );
    }
    let large = csp("img-src", &"x".repeat(1 << 20));
    send(&app, "", "application/csp-report", &large).expect(413);
    let sdk = app.sdk();
    let unknown = sdk.path(&format!("csp-report/?sentry_key={}", "f".repeat(32)));
    app.anonymous()
        .post(
            &unknown,
            &[("content-type", "application/csp-report")],
            report.to_string().as_bytes(),
        )
        .expect(403);
    app.wait_idle();
    assert!(app.api().issues("").is_empty());
}

#[test]
fn limits_hold_for_reports_too() {
    let app = App::with().env("BUGLE_KEY_RATE_LIMIT", "3").start();
    let report = json!([
        {"type": "csp-violation", "body": {"effectiveDirective": "img-src", "blockedURL": "https://a.example/"}},
        {"type": "csp-violation", "body": {"effectiveDirective": "img-src", "blockedURL": "https://b.example/"}},
    ]);
    send(&app, "", "application/reports+json", &report).expect(200);
    let partly = send(&app, "", "application/reports+json", &report).expect(200);
    let said = partly.header("x-sentry-rate-limits").unwrap_or_default();
    assert!(said.contains(":security:key:"), "{partly}");
    let refused = send(&app, "", "application/reports+json", &report).expect(429);
    assert!(refused.header("retry-after").is_some(), "{refused}");
    app.wait_idle();
    let counted: Vec<String> = app
        .api()
        .issues("")
        .iter()
        .map(|issue| issue["count"].as_str().expect("a count").to_owned())
        .collect();
    assert_eq!(counted.len(), 2);
    assert!(
        counted.contains(&"2".to_owned()) && counted.contains(&"1".to_owned()),
        "{counted:?}"
    );
}
