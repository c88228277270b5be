//! In: issues resolved now, in a release or in the next one, and events of older, the same, newer and no release. Out: which of
//! them open the issue again, and that the API says what was chosen.

use serde_json::{Value, json};

use crate::harness::sdk::{error, message, with};
use crate::harness::{App, Mailbox};

/// Sends the event of the one issue, from a release.
fn send(app: &App, release: Option<&str>) {
    let event = with(
        error("KeyError", "'price'", "total"),
        &json!({"release": release}),
    );
    app.sdk().send(&event);
    app.wait_idle();
}

/// Makes releases known, the oldest first, by another issue.
fn releases(app: &App, versions: &[&str]) {
    for (at, version) in versions.iter().enumerate() {
        let seconds = (versions.len() - at) as i64;
        let time = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(seconds);
        app.sdk().send(&with(
            message("deployed"),
            &json!({"release": version, "timestamp": time.to_string()}),
        ));
    }
    app.wait_idle();
}

fn issue(app: &App) -> Value {
    app.only_issue("KeyError")
}

fn change(app: &App, body: &Value) -> Value {
    let id = issue(app)["id"].as_str().expect("an id").to_owned();
    app.api()
        .put(&format!("/organizations/acme/issues/{id}/"), body)
}

#[track_caller]
fn stays(app: &App, release: Option<&str>) {
    send(app, release);
    let issue = issue(app);
    assert_eq!(issue["status"], "resolved", "{release:?} opened {issue:#}");
}

#[track_caller]
fn reopens(app: &App, release: Option<&str>) {
    send(app, release);
    let issue = issue(app);
    assert_eq!(
        (
            &issue["status"],
            &issue["substatus"],
            &issue["statusDetails"]
        ),
        (&json!("unresolved"), &json!("regressed"), &json!({})),
        "after {release:?}"
    );
}

#[test]
fn in_the_next_release() {
    let app = App::start();
    releases(&app, &["shop@1.0.0", "shop@1.1.0", "shop@1.2.0"]);
    send(&app, Some("shop@1.1.0"));
    for body in [
        json!({"status": "resolved", "statusDetails": {"inNextRelease": true}}),
        json!({"status": "resolvedInNextRelease", "snoozeDuration": null}),
    ] {
        let changed = change(&app, &body);
        assert_eq!(
            (&changed["status"], &changed["statusDetails"]),
            (&json!("resolved"), &json!({"inNextRelease": true}))
        );
        for older in [
            Some("shop@1.1.0"),
            Some("shop@1.2.0"),
            Some("shop@1.1.9"),
            None,
        ] {
            stays(&app, older);
        }
        let next = if changed["count"] == "1" {
            "shop@1.3.0"
        } else {
            "shop@1.10.0"
        };
        reopens(&app, Some(next));
    }
    let history = app.api().get(&format!(
        "/issues/{}/activities/",
        issue(&app)["id"].as_str().expect("an id")
    ));
    let rows = history["activity"].as_array().expect("rows");
    assert_eq!(rows[0]["type"], "set_regression");
    assert_eq!(rows[0]["data"]["release"], "shop@1.10.0");
    assert_eq!(rows[1]["type"], "set_resolved_in_release");
    assert_eq!(
        rows[1]["data"],
        json!({"version": "shop@1.3.0", "inNextRelease": true})
    );
    assert_eq!(rows[1]["user"]["email"], "owner@example.com");
    assert_eq!(
        rows.iter()
            .filter(|row| row["type"] == "set_regression")
            .count(),
        2,
        "one row for each return: {rows:#?}"
    );
}

#[test]
fn in_a_release_by_version() {
    let app = App::start();
    // A fix of the old line came out last: the newest is still the highest.
    releases(&app, &["shop@1.9.0", "shop@2.0.0", "shop@1.10.0"]);
    send(&app, Some("shop@1.9.0"));
    let changed = change(
        &app,
        &json!({"status": "resolved", "statusDetails": {"inRelease": "shop@1.10.0"}}),
    );
    assert_eq!(
        changed["statusDetails"],
        json!({"inRelease": "shop@1.10.0"})
    );
    assert_eq!(
        app.only_issue("is:resolved")["statusDetails"],
        json!({"inRelease": "shop@1.10.0"}),
        "lists say it too"
    );
    stays(&app, Some("shop@1.9.0"));
    stays(&app, Some("shop@1.9.99+3"));
    stays(&app, Some("shop@1.10.0-rc.1"));
    stays(&app, None);
    reopens(&app, Some("shop@1.10.0"));

    let changed = change(
        &app,
        &json!({"status": "resolved", "statusDetails": {"inRelease": "latest"}}),
    );
    assert_eq!(changed["statusDetails"], json!({"inRelease": "shop@2.0.0"}));
    stays(&app, Some("shop@1.99.0"));
    reopens(&app, Some("shop@2.0.0+1"));

    // A release that no event has named yet.
    change(
        &app,
        &json!({"status": "resolved", "statusDetails": {"inRelease": "shop@3.0.0"}}),
    );
    stays(&app, Some("shop@2.5.0"));
    reopens(&app, Some("shop@3.0.1"));
}

#[test]
fn in_a_release_by_date() {
    let app = App::start();
    releases(&app, &["9f3a", "1b2c", "77aa", "c0de", "beef"]);
    send(&app, Some("77aa"));
    let body = json!({"status": "resolved", "statusDetails": {"inRelease": "c0de"}});
    change(&app, &body);
    for older in [Some("9f3a"), Some("1b2c"), Some("77aa"), None] {
        stays(&app, older);
    }
    reopens(&app, Some("c0de"));
    change(&app, &body);
    reopens(&app, Some("beef"));
    change(&app, &body);
    reopens(&app, Some("f00d"));

    let changed = change(&app, &json!({"status": "resolvedInNextRelease"}));
    assert_eq!(changed["statusDetails"], json!({"inNextRelease": true}));
    stays(&app, Some("f00d"));
    stays(&app, Some("beef"));
    reopens(&app, Some("cafe"));
}

#[test]
fn plainly() {
    let app = App::start();
    releases(&app, &["shop@1.0.0", "shop@1.1.0"]);
    for release in [Some("shop@1.0.0"), Some("shop@1.1.0"), None] {
        send(&app, release);
        let changed = change(&app, &json!({"status": "resolved"}));
        assert_eq!(changed["statusDetails"], json!({}));
        reopens(&app, release);
    }
}

/// However many events come at once, an issue comes back once.
#[test]
fn a_flood_of_the_next_release_is_one_return() {
    let mailbox = Mailbox::open();
    let app = App::with().mail_to(&mailbox).start();
    send(&app, Some("shop@1.0.0"));
    mailbox.expect(1);
    change(&app, &json!({"status": "resolvedInNextRelease"}));
    for number in 0..40 {
        let release = ["shop@1.0.0", "shop@1.1.0"][number % 2];
        app.sdk().send(&with(
            error("KeyError", "'price'", "total"),
            &json!({"release": release}),
        ));
    }
    app.wait_idle();
    mailbox.expect(2);
    assert_eq!(issue(&app)["substatus"], "regressed");
    let rows = "SELECT COUNT(*) AS number FROM activity WHERE kind = 'set_regression'";
    assert_eq!(app.database.number(rows), 1);
}

#[test]
fn without_releases_nothing_can_be_the_next() {
    let app = App::start();
    send(&app, None);
    let id = issue(&app)["id"].as_str().expect("an id").to_owned();
    for body in [
        json!({"status": "resolvedInNextRelease"}),
        json!({"status": "resolved", "statusDetails": {"inRelease": "latest"}}),
        json!({"status": "resolved", "statusDetails": {"inCommit": {"commit": "c", "repository": "r"}}}),
    ] {
        let path = format!("/organizations/acme/issues/?id={id}");
        let answer = app.api().raw("PUT", &path, Some(&body)).expect(400).json();
        assert!(answer["detail"].is_string(), "{answer}");
    }
    assert_eq!(issue(&app)["status"], "unresolved");
}

#[test]
fn the_menus_resolve_in_releases() {
    let app = App::start();
    releases(&app, &["shop@1.0.0", "shop@1.1.0"]);
    send(&app, Some("shop@1.0.0"));
    let user = app.user();
    let path = format!(
        "/acme/issues/{}/",
        issue(&app)["id"].as_str().expect("an id")
    );
    for (button, fields, details, note) in [
        (
            "In the next release",
            &[][..],
            json!({"inNextRelease": true}),
            "Resolved in the release after shop@1.1.0",
        ),
        (
            "In the current release",
            &[],
            json!({"inRelease": "shop@1.1.0"}),
            "Resolved in shop@1.1.0",
        ),
        (
            "Resolve in it",
            &[("release", "shop@1.2.0")],
            json!({"inRelease": "shop@1.2.0"}),
            "Resolved in shop@1.2.0",
        ),
    ] {
        let page = user.open(&path).expect(200);
        let page = user
            .submit(&page, &page.form_of_button(button), fields)
            .expect(200);
        page.shows(note);
        page.shows(&format!("resolved it in {}", &note["Resolved in ".len()..]));
        assert_eq!(issue(&app)["statusDetails"], details, "after {button}");
        let page = user
            .submit(&page, &page.form_of_button("Undo"), &[])
            .expect(200);
        page.shows("Taken back.");
        let issue = issue(&app);
        assert_eq!(
            (&issue["status"], &issue["statusDetails"]),
            (&json!("unresolved"), &json!({})),
            "after the undo of {button}"
        );
    }
}
