//! In: a server that is told to report its own errors to itself, and something that goes wrong. Out: an issue about it,
//! and never a report about a report.

use crate::harness::relay::Relay;
use crate::harness::scrape::{Scrape, TOKEN};
use crate::harness::sdk::message;
use crate::harness::{App, poll};

/// Reports of `shop`'s server go to the project `web` of the same server.
fn reporting(relay: &Relay) -> App {
    let mut app = App::with()
        .env("BUGLE_METRICS_TOKEN", TOKEN)
        .env("BUGLE_SELF_ENVIRONMENT", "staging")
        .errors_expected()
        .prepare();
    let dsn = relay.dsn(&app.world().web_dsn);
    app.environment.insert("BUGLE_SELF_DSN".to_owned(), dsn);
    app.boot();
    relay.lead_to(app.base());
    app
}

fn reports(app: &App, outcome: &str) -> f64 {
    Scrape::of(app).value(&format!(
        "bugle_self_reports_total{{outcome=\"{outcome}\"}}"
    ))
}

#[test]
fn an_error_becomes_an_issue_without_secrets() {
    let relay = Relay::open();
    let app = reporting(&relay);
    // A task whose arguments nobody can read fails for good, which the log calls an error.
    app.database.execute(
        "INSERT INTO tasks (id, kind, args, state, attempts, run_at, claimed_until, created_at) \
         VALUES (900000001, 'notify_issue', 'password=hunter2', 0, 0, 0, 0, 0)",
    );
    poll::until("the report is sent", || reports(&app, "sent") >= 1.0);
    app.wait_idle();
    let issue = app.only_issue("");
    assert_eq!(issue["project"]["slug"], "web");
    assert!(
        issue["title"]
            .as_str()
            .is_some_and(|title| title.contains("a task failed for good")),
        "{issue:#}"
    );
    let id = issue["id"].as_str().expect("an id");
    let event = app.api().get(&format!("/issues/{id}/events/latest/"));
    let text = event.to_string();
    for part in [
        "bugle.self",
        "bugle@",
        "staging",
        "notify_issue",
        "bugle::tasks",
    ] {
        assert!(text.contains(part), "{part} in {event:#}");
    }
    assert!(!text.contains("hunter2"), "{event:#}");
    let key = app.world().web_dsn.clone();
    let key = key
        .split("://")
        .nth(1)
        .and_then(|rest| rest.split('@').next());
    assert!(!text.contains(key.expect("a key")), "{event:#}");
}

/// What is reported cannot be stored either: without a guard each failure would bring the next.
#[test]
fn a_failure_that_hits_reports_too_does_not_loop() {
    let relay = Relay::open();
    let app = reporting(&relay);
    // From now on no event can be stored, and nobody can say that the database is away.
    app.database
        .execute("ALTER TABLE issue_tags RENAME TO issue_tags_away");
    app.sdk().send(&message("cannot be stored"));
    poll::until("the event is set aside", || dead(&app) >= 1);
    poll::until("reports arrived and failed as well", || {
        dead(&app) >= 2 && app.health()["backlog"] == 0
    });
    app.wait_idle();
    let sent = reports(&app, "sent");
    assert!(sent >= 1.0 && sent <= 10.0, "{sent} reports");
    let muted = reports(&app, "muted");
    assert!(muted >= 1.0, "errors of handling reports were muted");
    // Every report failed, and none of those failures was reported: what is dead is the event and its reports.
    poll::until("nothing moves any more", || {
        reports(&app, "sent") + 1.0 == dead(&app) as f64
    });
    app.database
        .execute("ALTER TABLE issue_tags_away RENAME TO issue_tags");
}

fn dead(app: &App) -> i64 {
    app.database
        .number("SELECT COUNT(*) AS number FROM dead_records")
}

#[test]
fn a_dsn_that_nobody_answers_costs_nothing() {
    let relay = Relay::open();
    let mut app = App::with()
        .env("BUGLE_METRICS_TOKEN", TOKEN)
        .errors_expected()
        .prepare();
    let dsn = relay.dsn(&app.world().web_dsn);
    app.environment.insert("BUGLE_SELF_DSN".to_owned(), dsn);
    app.boot();
    app.database.execute(
        "INSERT INTO tasks (id, kind, args, state, attempts, run_at, claimed_until, created_at) \
         VALUES (900000001, 'notify_issue', 'x', 0, 0, 0, 0, 0)",
    );
    poll::until("the report failed", || reports(&app, "failed") >= 1.0);
    let id = app.sdk().send(&message("all the same"));
    app.wait_idle();
    assert!(app.api().event("acme", "shop", &id).is_some());
}
