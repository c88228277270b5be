//! In: more of the same, and more different things, than anybody can read. Out: exact counts, a sample of payloads, a list
//! that stays short, and payloads that take little room and can be read for good.

use serde_json::json;

use crate::harness::database::{Backend, backend};
use crate::harness::sdk::{error, with};
use crate::harness::{App, poll};

/// A server that took events while digestion was paused, and digests them together now.
fn digested_together(mut app: App) -> App {
    app.server_mut().terminate();
    app.environment.remove("BUGLE_WORKERS");
    app.boot();
    app.wait_idle();
    app
}

#[test]
fn a_flooding_issue_keeps_a_sample_and_exact_counts() {
    const SENT: i64 = 120;
    let app = App::with()
        .env("BUGLE_WORKERS", "0")
        .env("BUGLE_SPIKE_LIMIT", "10")
        .start();
    for number in 0..SENT {
        let user = json!({"user": {"id": format!("{}", number % 7)}, "tags": {"turn": format!("{}", number % 3)}});
        app.sdk()
            .send(&with(error("KeyError", "'price'", "total"), &user));
    }
    let app = digested_together(app);
    let issue = app.only_issue("is:unresolved");
    assert_eq!(issue["count"], "120");
    assert_eq!(issue["userCount"], 7);
    // Ten in a minute, then one of ten, then one of a hundred; sending may have gone over the end of a minute.
    let kept = app.database.event_ids().len() as i64;
    assert!((10..=40).contains(&kept), "{kept} payloads are kept");
    let id = issue["id"].as_str().expect("a number");
    let path = format!("/organizations/acme/issues/{id}/tags/turn/");
    poll::until("the counts of tags are exact as well", || {
        let answer = app.api().raw("GET", &path, None);
        answer.status == 200 && answer.json()["totalValues"] == SENT
    });
    let page = app.user().open(&format!("/acme/issues/{id}/")).expect(200);
    page.shows(&format!(
        "{} of its events are counted, but only a sample of their payloads is kept",
        SENT - kept
    ));
    let sum = |outcome: &str| {
        app.database.number(&format!(
            "SELECT quantity AS number FROM ledger WHERE outcome = '{outcome}'"
        ))
    };
    assert_eq!((sum("stored"), sum("sampled")), (kept, SENT - kept));
}

#[test]
fn a_flood_of_different_issues_ends_in_one() {
    const SENT: i64 = 180;
    let app = App::with()
        .env("BUGLE_WORKERS", "0")
        .env("BUGLE_NEW_ISSUE_LIMIT", "4")
        .start();
    for number in 0..SENT {
        app.sdk().send(&error(
            "KeyError",
            "'price'",
            &format!("random_{number}_name"),
        ));
    }
    let app = digested_together(app);
    // 25 minutes' worth at once, four in each further minute that sending took, and the one that collects the rest.
    let issues = app.database.number("SELECT COUNT(*) AS number FROM issues");
    assert!((101..=141).contains(&issues), "{issues} issues");
    let collected = app
        .database
        .number("SELECT times_seen AS number FROM issues WHERE title_type = 'Too many new issues'");
    assert_eq!(collected, SENT - (issues - 1), "nothing is lost");
    let page = app
        .user()
        .open("/acme/issues/?query=is%3Aunresolved+%22Too+many+new+issues%22")
        .expect(200);
    page.shows("Too many new issues");
}

#[test]
fn payloads_are_read_with_the_dictionary_that_was_learned() {
    let mut app = App::with().env("BUGLE_WORKERS", "0").start();
    for number in 0..520 {
        let extra = json!({"extra": {"order": format!("{:08}", number * 7919)}});
        app.sdk().send(&with(
            error("KeyError", "'price'", &format!("total_{}", number % 20)),
            &extra,
        ));
    }
    app = digested_together(app);
    poll::until("a dictionary was learned", || {
        app.database
            .number("SELECT COUNT(*) AS number FROM payload_dictionaries")
            > 0
    });
    let mark = "with-the-dictionary";
    let extra = json!({"extra": {"order": mark}});
    // A node takes a new dictionary over within a second; an event that came before that needs none.
    let mut id = String::new();
    let mark_of_a_dictionary = match backend() {
        Backend::Sqlite | Backend::Mysql => "x'02'",
        Backend::Postgres => "'\\x02'::bytea",
    };
    let with_dictionary = format!(
        "SELECT COUNT(*) AS number FROM events WHERE SUBSTR(data, 1, 1) = {mark_of_a_dictionary}"
    );
    poll::until("an event is compressed with it", || {
        id = app
            .sdk()
            .send(&with(error("KeyError", "'price'", "total_1"), &extra));
        app.wait_idle();
        app.database.number(&with_dictionary) > 0
    });
    let order = |app: &App| {
        app.api().event("acme", "shop", &id).expect("the event")["context"]["order"].clone()
    };
    assert_eq!(order(&app), mark);
    // Another process has met no dictionary yet.
    app.server_mut().terminate();
    app.boot();
    assert_eq!(order(&app), mark);
}
