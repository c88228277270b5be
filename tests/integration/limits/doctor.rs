//! In: senders that do something wrong, and a test event. Out: the owner reads what went wrong and what to do; numbers on
//! the Usage page are those of what was sent.

use serde_json::json;

use crate::harness::sdk::{error, new_id, with};
use crate::harness::{App, poll};
use crate::limits::{attempt, limit_key, until_counted, usage};

#[test]
fn refusals_are_explained_to_the_owner() {
    let app = App::start();
    let (shop, web) = (app.sdk(), app.sdk_of(&app.world().web_dsn));
    attempt(&web.with_key(&shop.key)).expect(403);
    for number in 0..300 {
        attempt(&web.with_key(&format!("{number:08x}{}", "a".repeat(24)))).expect(403);
    }
    shop.envelope(b"garbage").expect(400);
    app.anonymous()
        .post(&shop.path("envelope/"), &[], b"{}\n")
        .expect(401);
    // Nobody's project has no owner.
    let nowhere = app.sdk_of("http://0123456789abcdef0123456789abcdef@h/999999");
    attempt(&nowhere).expect(403);
    until_counted(&app, "reason = 'unknown_key'", 300);
    until_counted(&app, "reason = 'malformed'", 1);
    until_counted(&app, "reason = 'missing_key'", 1);
    until_counted(&app, "reason = 'wrong_project'", 1);
    let rows = app
        .database
        .number("SELECT COUNT(*) AS number FROM refusals");
    assert_eq!(rows, 4, "one row for each project, key and reason");

    let user = app.user();
    let page = user.open("/acme/usage/doctor/").expect(200);
    page.shows("The key belongs to another project");
    page.shows(&format!(
        "the SDK sends to project {} with project {}'s key",
        web.project, shop.project
    ));
    page.shows("The key is of no project 300 times");
    page.shows("the key begins with 00000");
    page.shows("No key was sent");
    page.shows("The request could not be read");
    page.shows("Sent by test/1.0");
    page.shows("What to do");
    let page = user.open("/acme/usage/doctor/?project=web").expect(200);
    assert!(!page.words().contains("could not be read"), "{page}");
    app.wait_idle();
}

#[test]
fn a_test_event_arrives() {
    let app = App::start();
    let user = app.user();
    let page = user.open("/acme/usage/doctor/?project=shop").expect(200);
    let form = page.form_of_button("Send a test event");
    let page = user.submit(&page, &form, &[]).expect(200);
    let path = format!(
        "{}?{}",
        page.url.path(),
        page.url.query().unwrap_or_default()
    );
    poll::until("the page says that it arrived", || {
        let words = user.open(&path).expect(200).words();
        words.contains("The test event arrived.")
    });
    let issue = app.only_issue("");
    assert_eq!(issue["project"]["slug"], "shop");
    assert!(
        issue["title"]
            .as_str()
            .unwrap_or_default()
            .contains("ingest doctor")
    );

    // A key that cannot send says why.
    let key = app.sdk().key;
    app.cli(&["key", "disable", "--org", "acme", "--project", "shop", &key])
        .success();
    let page = user.open("/acme/usage/doctor/?project=shop").expect(200);
    let form = page.form_of_button("Send a test event");
    let page = user.submit(&page, &form, &[]).expect(200);
    page.shows("The test event was refused: 403");
    app.wait_idle();
}

#[test]
fn the_usage_page_shows_what_was_sent() {
    let app = App::start();
    limit_key(&app, &["--per-month", "4"]);
    let sdk = app.sdk();
    let event = with(
        error("KeyError", "'price'", "total"),
        &json!({"event_id": new_id()}),
    );
    sdk.send(&event);
    app.wait_idle();
    sdk.send(&event);
    sdk.send(&error("KeyError", "'price'", "total"));
    sdk.send(&error("KeyError", "'price'", "total"));
    for _ in 0..6 {
        attempt(&sdk).expect(429);
    }
    let others = "{}\n{\"type\":\"transaction\"}\n{}\n{\"type\":\"client_report\"}\n{\"discarded_events\":[{\"reason\":\"before_send\",\"category\":\"error\",\"quantity\":7}]}\n";
    sdk.envelope(others.as_bytes()).expect(200);
    attempt(&app.sdk_of(&app.world().web_dsn)).expect(200);
    sdk.envelope(b"garbage").expect(400);
    until_counted(&app, "outcome = 'invalid'", 1);
    until_counted(&app, "outcome = 'client_discard'", 7);
    until_counted(&app, "outcome = 'rate_limited'", 6);
    until_counted(&app, "outcome = 'not_kept'", 1);
    app.wait_idle();
    assert_eq!(usage(&app, "outcome = 'accepted'"), 4);
    let user = app.user();
    for period in ["24h", "7d", "30d"] {
        let page = user
            .open(&format!("/acme/usage/?period={period}"))
            .expect(200);
        page.shows("accepted error 4");
        page.shows("sent twice error 1");
        page.shows("rate limited error The key's limit a month was reached 6");
        page.shows("refused error The request could not be read 1");
        page.shows("discarded by SDKs error Dropped by the application's own filter 7");
        page.shows("not kept transaction transaction 1");
        page.shows("5 events taken");
        page.shows("14 events not taken");
        page.shows("shop Default 3 1 0 0 6 1 1 7");
        page.shows("web Default 1 0 0 0 0 0 0 0");
        page.shows("shop · Default key used up 4 4");
    }
    let page = user.open("/acme/usage/?project=web").expect(200);
    page.shows("1 events taken 0 events not taken");
    assert!(!page.words().contains("rate limited error"), "{page}");
    // The API tells the same.
    let stats = app.api().get(
        "/organizations/acme/stats_v2/?field=sum(quantity)&groupBy=outcome&groupBy=reason&category=error&statsPeriod=1d",
    );
    let groups = stats["groups"].as_array().expect("groups");
    let of = |outcome: &str, reason: &str| {
        groups
            .iter()
            .find(|group| group["by"] == json!({"outcome": outcome, "reason": reason}))
            .map(|group| group["totals"]["sum(quantity)"].clone())
    };
    assert_eq!(of("rate_limited", "key_month"), Some(json!(6)));
    assert_eq!(of("accepted", ""), Some(json!(4)));
}
