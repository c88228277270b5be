//! In: a server that is told to report its own errors to itself, and something that goes wrong. Out: an issue about it,
//! and never a report about a report.

use crate::harness::relay::Relay;
use crate::harness::scrape::{Scrape, TOKEN};
use crate::harness::sdk::message;
use crate::harness::tracker::Tracker;
use crate::harness::{App, poll};

/// A task whose arguments nobody can read: it fails for good, which the log calls an error that quotes them.
const UNREADABLE: &str = "INSERT INTO tasks (id, kind, args, state, attempts, run_at, claimed_until, created_at) \
    VALUES (900000001, 'notify_issue', '\"password=hunter2\"', 0, 0, 0, 0, 0)";

/// Reports of `shop`'s server go to the project `web` of the same server.
fn reporting(relay: &Relay) -> App {
    let mut app = App::with()
        .env("BUGLE_METRICS_TOKEN", TOKEN)
        .env("BUGLE_SELF_ENVIRONMENT", "staging")
        // An event that fails is set aside within seconds instead of minutes.
        .env("BUGLE_TEST_POISON", "1")
        .errors_expected()
        .prepare();
    let dsn = relay.dsn(&app.world().web_dsn);
    app.environment.insert("BUGLE_SELF_DSN".to_owned(), dsn);
    app.boot();
    relay.lead_to(app.base());
    app
}

fn reports(app: &App, outcome: &str) -> i64 {
    let series = format!("bugle_self_reports_total{{outcome=\"{outcome}\"}}");
    Scrape::of(app).value(&series) as i64
}

#[test]
fn an_error_becomes_an_issue() {
    let relay = Relay::open();
    let app = reporting(&relay);
    app.database.execute(UNREADABLE);
    poll::until("the report is sent", || reports(&app, "sent") >= 1);
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
}

/// Secrets are taken out before a report leaves, not only where it arrives.
#[test]
fn another_tracker_gets_no_secrets() {
    const KEY: &str = "0123456789abcdef0123456789abcdef";
    let tracker = Tracker::open();
    let app = App::with()
        .env("BUGLE_SELF_DSN", &tracker.dsn(KEY, 7))
        .errors_expected()
        .start();
    app.database.execute(UNREADABLE);
    poll::until("the report arrived", || !tracker.requests().is_empty());
    let request = tracker.requests().remove(0);
    assert_eq!(request.path, "/api/7/envelope/");
    let auth = request.header("x-sentry-auth").expect("it names the key");
    assert!(
        auth.contains(KEY) && auth.contains("sentry_client=bugle.self/"),
        "{auth}"
    );
    let text = String::from_utf8_lossy(&request.body).into_owned();
    assert!(text.contains("invalid type: string"), "{text}");
    assert!(text.contains("[hidden]"), "{text}");
    assert!(!text.contains("hunter2") && !text.contains(KEY), "{text}");
}

/// What is reported cannot be stored either: without a guard each failure would bring the next.
#[test]
fn a_failure_that_hits_reports_too_does_not_loop() {
    let relay = Relay::open();
    let app = reporting(&relay);
    // From now on no event can be stored, and nobody can say that the database is away.
    app.database
        .execute("ALTER TABLE issue_hours RENAME TO issue_hours_away");
    app.sdk().send(&message("cannot be stored"));
    poll::until("the event is set aside", || dead(&app) >= 1);
    poll::until("reports arrived and failed as well", || {
        dead(&app) >= 2 && app.health()["backlog"] == 0
    });
    app.wait_idle();
    let sent = reports(&app, "sent");
    assert!((1..=10).contains(&sent), "{sent} reports");
    let muted = reports(&app, "muted");
    assert!(muted >= 1, "errors of handling reports were muted");
    // Every report failed, and none of those failures was reported: what is dead is the event and its reports.
    poll::until("nothing moves any more", || {
        reports(&app, "sent") + 1 == dead(&app)
    });
    app.database
        .execute("ALTER TABLE issue_hours_away RENAME TO issue_hours");
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
    app.database.execute(UNREADABLE);
    poll::until("the report failed", || reports(&app, "failed") >= 1);
    let id = app.sdk().send(&message("all the same"));
    app.wait_idle();
    assert!(app.api().event("acme", "shop", &id).is_some());
}
