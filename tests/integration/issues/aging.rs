//! In: issues with a history, and projects that resolve by age. Out: what time and numbers do to a status.

use serde_json::json;

use crate::harness::sdk::error;
use crate::harness::{App, poll};

const HOUR_MS: i64 = 3_600_000;

fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// Lets a periodic task run once more.
fn run(app: &App, task: &str) {
    app.database.execute(&format!(
        "UPDATE leases SET expires_at = 0 WHERE name = 'slot:{task}'"
    ));
}

/// An issue that is a month old and had so many events in each hour of the last week, and so many in this one.
fn seed(app: &App, function: &str, usual: i64, this_hour: i64) -> String {
    app.sdk().send(&error("KeyError", "'price'", function));
    app.wait_idle();
    let id = app.only_issue(function)["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let month_ago = now_ms() - 30 * 24 * HOUR_MS;
    app.database.execute(&format!(
        "UPDATE issues SET first_seen = {month_ago}, status_changed_at = {month_ago}, times_seen = 10000 WHERE id = {id}"
    ));
    history(app, &id, usual, this_hour);
    id
}

fn history(app: &App, id: &str, usual: i64, this_hour: i64) {
    app.database
        .execute(&format!("DELETE FROM issue_hours WHERE issue_id = {id}"));
    let hour = now_ms() / HOUR_MS;
    let mut values: Vec<String> = (1..=168)
        .map(|back| format!("({id}, {}, 0, {usual})", hour - back))
        .collect();
    // The hour may end while the test runs.
    values.extend((0..2).map(|on| format!("({id}, {}, 0, {this_hour})", hour + on)));
    app.database.execute(&format!(
        "INSERT INTO issue_hours (issue_id, hour, environment_id, events) VALUES {}",
        values.join(", ")
    ));
}

#[test]
fn what_happens_much_more_often_escalates() {
    let app = App::start();
    let api = app.api();
    let calm = seed(&app, "calm", 10, 60);
    let loud = seed(&app, "loud", 10, 120);
    let archived = seed(&app, "archived", 10, 120);
    let forever = seed(&app, "forever", 10, 120);
    let change = |id: &str, body| api.put(&format!("/organizations/acme/issues/{id}/"), &body);
    change(&archived, json!({"status": "ignored"}));
    change(
        &forever,
        json!({"status": "ignored", "substatus": "archived_forever"}),
    );
    // Ignored long before this hour, and not in the midst of its spike.
    app.database
        .execute("UPDATE issue_details SET set_at = 1, events_before = 0");
    let substatus = |id: &str| api.get(&format!("/issues/{id}/"))["substatus"].clone();
    assert_eq!(substatus(&loud), "ongoing");
    run(&app, "escalation");
    poll::until("both escalate", || {
        [&loud, &archived]
            .iter()
            .all(|id| substatus(id) == "escalating")
    });
    app.wait_idle();
    assert_eq!(substatus(&calm), "ongoing");
    assert_eq!(substatus(&forever), "archived_forever");
    let history = api.get(&format!("/issues/{archived}/activities/"));
    assert_eq!(history["activity"][0]["type"], "set_escalating");
    assert_eq!(
        history["activity"][0]["data"],
        json!({"events": 120, "limit": 90})
    );
    assert_eq!(api.issues("is:escalating").len(), 2);
    let user = app.user();
    user.open("/acme/issues/").expect(200).shows("escalating");
    user.open(&format!("/acme/issues/{loud}/"))
        .expect(200)
        .shows("with 120 events in an hour");

    // After a week it is ongoing again, without anybody doing anything.
    let week_ago = now_ms() - 8 * 24 * HOUR_MS;
    app.database.execute(&format!(
        "UPDATE issues SET status_changed_at = {week_ago} WHERE id = {loud}"
    ));
    assert_eq!(substatus(&loud), "ongoing");
    assert_eq!(api.issues("is:escalating").len(), 1);
    assert_eq!(api.issues("is:ongoing").len(), 2);
}

/// Who ignores an issue in its spike knows of it.
#[test]
fn a_spike_that_was_ignored_is_no_escalation() {
    let app = App::start();
    let id = seed(&app, "spike", 10, 120);
    app.api().put(
        &format!("/organizations/acme/issues/{id}/"),
        &json!({"status": "ignored"}),
    );
    let other = seed(&app, "other", 10, 120);
    run(&app, "escalation");
    let substatus = |id: &str| app.api().get(&format!("/issues/{id}/"))["substatus"].clone();
    poll::until("the other one escalates", || {
        substatus(&other) == "escalating"
    });
    app.wait_idle();
    assert_eq!(substatus(&id), "archived_until_escalating");
}

#[test]
fn what_is_not_seen_any_more_is_resolved() {
    let app = App::start();
    let (old, recent) = (seed(&app, "old", 0, 0), seed(&app, "recent", 0, 0));
    let long_ago = now_ms() - 50 * HOUR_MS;
    let last_seen = |id: &str, time: i64| {
        app.database.execute(&format!(
            "UPDATE issues SET last_seen = {time} WHERE id = {id}"
        ));
    };
    last_seen(&old, long_ago);
    let status = |id: &str| app.api().get(&format!("/issues/{id}/"))["status"].clone();
    let user = app.user();
    let page = user.open("/acme/projects/shop/").expect(200);
    user.submit(
        &page,
        &page.form_of_button("Save hours"),
        &[("hours", "two")],
    )
    .expect(400);
    assert_eq!(status(&old), "unresolved", "off by default");
    let page = user
        .submit(
            &page,
            &page.form_of_button("Save hours"),
            &[("hours", "48")],
        )
        .expect(200);
    assert!(page.text().contains("value=\"48\""), "{page}");
    assert_eq!(app.api().get("/projects/acme/shop/")["resolveAge"], 48);
    run(&app, "auto_resolve");
    poll::until("the old one is resolved", || status(&old) == "resolved");
    app.wait_idle();
    assert_eq!(status(&recent), "unresolved");
    let history = app.api().get(&format!("/issues/{old}/activities/"));
    assert_eq!(history["activity"][0]["type"], "set_resolved_by_age");
    assert_eq!(history["activity"][0]["data"], json!({"age": 48}));
    user.open(&format!("/acme/issues/{old}/"))
        .expect(200)
        .shows("not seen for 48 hours");

    app.sdk().send(&error("KeyError", "'price'", "old"));
    app.wait_idle();
    assert_eq!(status(&old), "unresolved", "it came again");

    let off = [
        "project",
        "resolve-age",
        "--org",
        "acme",
        "--slug",
        "shop",
        "--hours",
        "0",
    ];
    app.cli(&off).success();
    let page = user.open("/acme/projects/shop/").expect(200);
    assert!(!page.text().contains("value=\"48\""), "{page}");
}
