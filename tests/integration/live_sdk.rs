//! In: applications that fail, with the unmodified Python, Node, browser and Rust SDKs; a build
//! with `sentry-cli`. Out: their errors, in the JSON API and on the pages, with what the SDK knew about them; its uploads.

use std::process::Command;

use serde_json::{Value, json};

use crate::harness::{App, live};

/// What an application reports: title, culprit, level.
type Reported = (&'static str, &'static str, &'static str);

fn dsn(app: &App) -> String {
    let sdk = app.sdk();
    format!(
        "http://{}@{}/{}",
        sdk.key,
        app.base().trim_start_matches("http://"),
        sdk.project
    )
}

/// Runs it, waits, and gives the newest event of each issue, in the order asked for.
fn run(app: &App, command: &mut Command, reported: &[Reported]) -> Vec<Value> {
    let output = command
        .env("SENTRY_DSN", dsn(app))
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    app.wait_idle();
    let issues = app.api().issues("");
    let seen: Vec<_> = issues
        .iter()
        .map(|issue| (&issue["title"], &issue["culprit"], &issue["level"]))
        .collect();
    assert_eq!(
        issues.len(),
        reported.len(),
        "{seen:#?}\n{}",
        live::said(&output)
    );
    let list = app.user().open("/acme/issues/").expect(200);
    let mut events = Vec::new();
    for (title, culprit, level) in reported {
        let issue = issues.iter().find(|issue| issue["title"] == *title);
        let issue = issue
            .unwrap_or_else(|| panic!("no issue {title:?} in {seen:#?}\n{}", live::said(&output)));
        assert_eq!(issue["level"], *level, "{issue:#}");
        assert!(
            issue["culprit"]
                .as_str()
                .is_some_and(|shown| shown.contains(culprit)),
            "{issue:#}"
        );
        assert_eq!(issue["count"], "1", "{issue:#}");
        list.shows(title.split(": ").last().expect("a title"));
        let id = issue["id"].as_str().expect("an id");
        app.user()
            .open(&format!("/acme/issues/{id}/"))
            .expect(200)
            .shows(title.split(": ").last().expect("a title"));
        events.push(
            app.api()
                .get(&format!("/organizations/acme/issues/{id}/events/latest/")),
        );
    }
    for event in &events {
        assert_eq!(tag(event, "environment"), "live", "{event:#}");
    }
    events
}

fn tag(event: &Value, key: &str) -> Value {
    let tags = event["tags"].as_array().expect("an event has tags");
    tags.iter()
        .find(|tag| tag["key"] == key)
        .map(|tag| tag["value"].clone())
        .unwrap_or_default()
}

#[test]
fn python() {
    if !live::wanted() {
        return;
    }
    let app = App::start();
    let events = run(
        &app,
        &mut live::python_app(),
        &[
            (
                "ZeroDivisionError: division by zero",
                "__main__ in average_price",
                "error",
            ),
            (
                "ValueError: cannot price cup",
                "__main__ in place_order",
                "error",
            ),
            ("Nightly import finished", "", "info"),
        ],
    );
    let crash = &events[0];
    assert_eq!(crash["user"]["email"], "jane@example.com");
    assert_eq!(
        (tag(crash, "region"), tag(crash, "release")),
        (json!("eu-central"), json!("shop@1.4.2"))
    );
    let page = app
        .user()
        .open(&format!(
            "/acme/issues/{}/",
            crash["groupID"].as_str().expect("an id")
        ))
        .expect(200);
    for text in ["average_price", "total", "jane signed in", "CPython"] {
        page.shows(text);
    }
}

#[test]
fn node() {
    if !live::wanted() {
        return;
    }
    let app = App::start();
    let events = run(
        &app,
        &mut live::node_app(),
        &[
            (
                "TypeError: Cannot read properties of undefined (reading 'toFixed')",
                "unitPrice",
                "fatal",
            ),
            ("PriceError: unknown article cup", "lookup", "error"),
            ("Cache warmed", "", "info"),
        ],
    );
    assert_eq!(events[1]["user"]["id"], "u-17");
    assert_eq!(tag(&events[0], "release"), "node-shop@2.0.1");
}

#[test]
fn browser() {
    if !live::wanted() {
        return;
    }
    let app = App::start();
    let events = run(
        &app,
        &mut live::browser_script("sdk/browser", "run.mjs"),
        &[
            (
                "TypeError: Cannot read properties of undefined (reading 'amount')",
                "page.js",
                "error",
            ),
            (
                "BasketError: order rejected with status 500",
                "page.js",
                "error",
            ),
            ("Payment form opened", "", "info"),
        ],
    );
    assert_eq!(tag(&events[0], "region"), "eu-central");
}

#[test]
fn rust() {
    if !live::wanted() {
        return;
    }
    let app = App::start();
    let events = run(
        &app,
        &mut live::rust_app(),
        &[
            ("panic: article must exist", "reserve", "fatal"),
            ("import skipped 17 rows", "", "warning"),
        ],
    );
    assert_eq!(tag(&events[0], "release"), "rust-shop@0.3.1");
    assert_eq!(events[0]["user"]["id"], "4711");
}

#[test]
fn sentry_cli_uploads_source_maps() {
    let app = App::start();
    let upload = || {
        let mut command = live::sentry_cli();
        command
            .env("SENTRY_URL", app.base())
            .env("SENTRY_AUTH_TOKEN", &app.world().token)
            .args(["sourcemaps", "upload", "--org", "acme", "--project", "web"])
            .args(["--release", "web@1.0", "--dist", "42", "--wait"])
            .args(["app.min.js", "app.min.js.map"]);
        live::said(&live::run(&mut command))
    };
    let said = upload();
    assert!(said.contains("File processing complete"), "{said}");
    let said = upload();
    assert!(said.contains("Nothing to upload"), "{said}");
    let page = app
        .user()
        .open("/acme/projects/web/source-maps")
        .expect(200);
    page.shows("web@1.0");
    page.shows("stored");
}
