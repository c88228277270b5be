//! In: limits by minute and month, of keys, projects and organizations. Out: the last event that fits, the first that
//! does not, what goes on all the same, and the count over a restart.

use crate::harness::sdk::{envelope, message};
use crate::harness::{App, Response, poll};
use crate::limits::{attempt, limit_key, until_counted};

#[track_caller]
fn limited(answer: Response, scope: &str, reason: &str) {
    let answer = answer.expect(429);
    let seconds: i64 = answer
        .header("retry-after")
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| panic!("no Retry-After: {answer}"));
    assert!((1..=600).contains(&seconds), "{answer}");
    let limits = answer
        .header("x-sentry-rate-limits")
        .unwrap_or_else(|| panic!("no limits: {answer}"));
    assert!(
        limits.ends_with(&format!(":error:{scope}:{reason}")),
        "{limits}"
    );
    assert!(answer.json()["detail"].is_string(), "{answer}");
}

#[test]
fn a_month_of_a_key_ends_with_the_last_event_that_fits() {
    let app = App::start();
    limit_key(&app, &["--per-month", "3"]);
    let sdk = app.sdk();
    for _ in 0..2 {
        let answer = attempt(&sdk).expect(200);
        assert_eq!(answer.header("x-sentry-rate-limits"), None, "{answer}");
    }
    // The last one is taken, and says that no more are.
    let last = attempt(&sdk).expect(200);
    let announced = last.header("x-sentry-rate-limits").unwrap_or_default();
    assert!(announced.ends_with(":error:key:key_month"), "{last}");
    limited(attempt(&sdk), "key", "key_month");
    let event = message("the old way").to_string();
    limited(
        sdk.post("store/", &[], event.as_bytes()),
        "key",
        "key_month",
    );

    // What is no event goes on, and so does everything beside an event that is refused.
    let report = "{\"type\":\"client_report\"}\n{\"discarded_events\":[{\"reason\":\"before_send\",\"category\":\"error\",\"quantity\":7}]}\n";
    sdk.envelope(format!("{{}}\n{report}").as_bytes())
        .expect(200);
    let mut both = envelope(&message("refused"));
    both.extend_from_slice(report.as_bytes());
    let partly = sdk.envelope(&both).expect(200);
    assert!(partly.header("x-sentry-rate-limits").is_some(), "{partly}");
    assert_eq!(sdk.post("minidump/", &[], b"MDMP").status, 200);
    let cron = app
        .anonymous()
        .get(&format!("/api/{}/cron/nightly/{}/", sdk.project, sdk.key));
    assert_eq!(cron.status, 202, "{cron}");

    // The minidump among them: it is an event as well.
    until_counted(&app, "outcome = 'rate_limited' AND reason = 'key_month'", 4);
    until_counted(&app, "outcome = 'client_discard'", 14);
    app.wait_idle();
    assert_eq!(app.only_issue("")["count"], "3");
    // Another key of the same project is not concerned.
    let other = app
        .cli(&[
            "key",
            "create",
            "--org",
            "acme",
            "--project",
            "shop",
            "--name",
            "other",
        ])
        .success();
    attempt(&app.sdk_of(&other)).expect(200);
    // A limit that is raised is raised at once.
    limit_key(&app, &["--per-month", "4"]);
    attempt(&sdk).expect(200);
    limited(attempt(&sdk), "key", "key_month");
    app.wait_idle();
}

#[test]
fn projects_and_organizations_have_limits_of_their_own() {
    let app = App::start();
    let user = app.user();
    let page = user.open("/acme/projects/shop/").expect(200);
    let form = page.form_of_button("Save limits");
    let page = user.submit(&page, &form, &[("month", "2")]).expect(200);
    page.shows("Saved.");
    assert!(page.text().contains("name=\"month\" value=\"2\""), "{page}");
    poll::until("the node knows the limit", || {
        let answer = attempt(&app.sdk());
        answer.status == 429
    });
    limited(attempt(&app.sdk()), "project", "project_month");
    attempt(&app.sdk_of(&app.world().web_dsn)).expect(200);

    let page = user.open("/acme/usage/").expect(200);
    let form = page.form_of_button("Save limits");
    user.submit(&page, &form, &[("month", "1")]).expect(200);
    poll::until("the node knows the limit", || {
        attempt(&app.sdk_of(&app.world().web_dsn)).status == 429
    });
    let web = app.sdk_of(&app.world().web_dsn);
    limited(attempt(&web), "organization", "org_month");
    attempt(&app.sdk_of(&app.world().secret_dsn)).expect(200);
    app.wait_idle();
    user.open("/acme/usage/").expect(200).shows("used up");

    // Without limits all is as before.
    for path in ["/acme/usage/", "/acme/projects/shop/"] {
        let page = user.open(path).expect(200);
        let form = page.form_of_button("Save limits");
        user.submit(&page, &form, &[("month", "")]).expect(200);
    }
    poll::until("the node knows that there is no limit", || {
        attempt(&app.sdk()).status == 200
    });
    let bad = user.open("/acme/usage/").expect(200);
    let form = bad.form_of_button("Save limits");
    user.submit(&bad, &form, &[("minute", "many")]).expect(400);
}

#[test]
fn a_month_is_remembered_over_a_kill() {
    let mut app = App::start();
    limit_key(&app, &["--per-month", "2"]);
    attempt(&app.sdk()).expect(200);
    attempt(&app.sdk()).expect(200);
    app.wait_idle();
    app.kill();
    app.boot();
    poll::until("the database is there", || app.health()["status"] == "ok");
    limited(attempt(&app.sdk()), "key", "key_month");
}

/// Keys, limits and counts come from the snapshots; wrong keys cost no query, as there is nothing to query.
#[test]
fn limits_hold_from_a_start_without_a_database() {
    let mut app = App::with().errors_expected().start();
    limit_key(&app, &["--per-month", "2"]);
    attempt(&app.sdk()).expect(200);
    attempt(&app.sdk()).expect(200);
    app.wait_idle();
    app.server_mut().terminate();
    let away = "postgres://nobody@127.0.0.1:1/nothing".to_owned();
    app.environment
        .insert("BUGLE_DATABASE_URL".to_owned(), away);
    app.boot();
    assert_eq!(app.health()["status"], "degraded");
    limited(attempt(&app.sdk()), "key", "key_month");
    attempt(&app.sdk_of(&app.world().web_dsn)).expect(200);
    for number in 0..200 {
        let key = format!("{number:032x}");
        attempt(&app.sdk().with_key(&key)).expect(403);
    }
}

#[test]
fn the_servers_default_is_for_keys_without_their_own() {
    let app = App::with().env("BUGLE_KEY_RATE_LIMIT", "5").start();
    // Should a minute end in between, another five are taken.
    let answers: Vec<Response> = (0..11).map(|_| attempt(&app.sdk())).collect();
    let taken = answers.iter().filter(|answer| answer.status == 200).count();
    assert!((5..=10).contains(&taken), "{taken} were taken");
    let refused = answers.into_iter().find(|answer| answer.status != 200);
    limited(refused.expect("one is refused"), "key", "key_minute");
    limit_key(&app, &["--per-minute", "0"]);
    for _ in 0..11 {
        attempt(&app.sdk()).expect(200);
    }
}

#[test]
fn a_full_journal_says_how_long_to_stay_away() {
    let app = App::with()
        .errors_expected()
        .env("BUGLE_WORKERS", "0")
        .env("BUGLE_JOURNAL_LIMIT", "50000")
        .start();
    let full = poll::value("the journal is full", || {
        let answer = attempt(&app.sdk());
        (answer.status != 200).then_some(answer)
    });
    let full = full.expect(503);
    assert_eq!(full.header("retry-after"), Some("30"), "{full}");
    let limits = full.header("x-sentry-rate-limits");
    assert_eq!(limits, Some("30::organization:overload"), "{full}");
}
