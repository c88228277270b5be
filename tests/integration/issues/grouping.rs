//! In: rules, filters and an earlier version of grouping. Out: events in the issues where people expect them, or left out and
//! counted.

use serde_json::json;

use bugle::process::{Incoming, Settings, older_hashes, process};
use bugle::protocol::event_id::EventId;

use crate::harness::database::{Backend, backend};
use crate::harness::sdk::{error, message, with};
use crate::harness::visitor::{Page, Visitor};
use crate::harness::{App, poll};

/// A hash as the database writes it in a statement.
fn literal(hash: &[u8]) -> String {
    let digits = hex::encode(hash);
    match backend() {
        Backend::Postgres => format!("decode('{digits}', 'hex')"),
        Backend::Sqlite | Backend::Mysql => format!("X'{digits}'"),
    }
}

#[test]
fn an_upgrade_of_grouping_keeps_events_in_their_issues() {
    let mut app = App::start();
    let event = message("Order 17 took 23 seconds");
    app.sdk().send(&event);
    app.wait_idle();
    let text = event.to_string();
    let incoming = Incoming {
        payload: text.as_bytes(),
        event_id: EventId::from_bytes([1; 16]),
        received_ms: 1_795_256_700_000,
        sent_at_ms: None,
        remote_addr: None,
        sdk_client: None,
    };
    let processed = process(&incoming, &Settings::default()).expect("an event");
    let older = older_hashes(&processed.payload);
    assert!(!processed.hashes.contains(&older[0]), "versions differ");
    // As the release before left it.
    let hash = literal(&older[0]);
    app.database
        .execute(&format!("UPDATE issue_hashes SET hash = {hash}"));
    app.database
        .execute("UPDATE projects SET grouping_version = 1");
    app.server_mut().terminate();
    app.boot();
    app.sdk().send(&message("Order 18 took 5 seconds"));
    app.wait_idle();
    assert_eq!(app.only_issue("")["count"], "2");
    app.sdk().send(&message("Order 19 took 1.5 minutes"));
    app.wait_idle();
    assert_eq!(app.only_issue("")["count"], "3", "it learned today's hash");
    let hashes = "SELECT COUNT(*) AS number FROM issue_hashes";
    assert_eq!(app.database.number(hashes), 2);
}

fn fill(user: &Visitor, page: &Page, marker: &str, values: &[(&str, &str)]) -> Page {
    user.submit(page, &page.form_with(marker), values)
        .expect(200)
}

#[test]
fn rules_are_tried_rehearsed_and_saved() {
    let app = App::start();
    let user = app.user();
    for (kind, function) in [
        ("DbError", "read"),
        ("DbError", "write"),
        ("KeyError", "total"),
    ] {
        app.sdk().send(&error(kind, "no connection", function));
    }
    app.wait_idle();
    let project = user.open("/acme/projects/shop/").expect(200);
    assert!(
        project
            .links()
            .iter()
            .any(|link| link.ends_with("/grouping"))
    );
    let page = user.open("/acme/projects/shop/grouping").expect(200);
    let marker = "name=\"fingerprint_rules\"";
    let typed = |rules: &str, what: &str| {
        let values = [("fingerprint_rules", rules), ("do", what)];
        fill(&user, &page, marker, &values)
    };
    typed("error.type:DbError database", "save").shows("line 1");
    let rule = "error.type:DbError -> database title=\"Database: {{ error.value }}\"";
    let run = typed(rule, "dry-run");
    run.shows("3 events of 3 issues looked at");
    run.shows("Merge");
    typed("error.type:Other -> other", "dry-run").shows("None of these events");
    let tried = typed("error.type:KeyError -> keys", "try");
    tried.shows("line 1:");
    tried.shows("a new issue");
    typed(rule, "save").shows("Rules saved");
    poll::until("the nodes follow", || {
        app.sdk().send(&error("DbError", "no connection", "delete"));
        app.wait_idle();
        app.api()
            .issues("")
            .iter()
            .any(|issue| issue["title"] == "Database: no connection")
    });
    app.sdk().send(&error("DbError", "no connection", "read"));
    app.wait_idle();
    let issues = app.api().issues("");
    let of_rule = issues
        .iter()
        .find(|issue| issue["title"] == "Database: no connection")
        .expect("the rule's issue");
    let count: i64 = of_rule["count"]
        .as_str()
        .and_then(|text| text.parse().ok())
        .expect("a count");
    assert!(count >= 2, "both functions are one issue: {count}");
}

#[test]
fn stack_rules_say_what_counts() {
    let app = App::start();
    let user = app.user();
    let page = user.open("/acme/projects/shop/grouping").expect(200);
    let values = [
        ("stack_rules", "stack.function:lookup_* -group"),
        ("do", "save"),
    ];
    fill(&user, &page, "name=\"stack_rules\"", &values).shows("Rules saved");
    let event = |helper: &str| {
        let frame =
            |function: &str| json!({"function": function, "module": "shop", "in_app": true});
        json!({"platform": "python", "exception": {"values": [{"type": "E", "value": "v",
            "stacktrace": {"frames": [frame("pay"), frame(helper)]}}]}})
    };
    poll::until("the node follows", || {
        app.sdk().send(&event("lookup_a"));
        app.sdk().send(&event("lookup_b"));
        app.wait_idle();
        app.api().issues("").iter().any(|issue| {
            let count = issue["count"]
                .as_str()
                .and_then(|text| text.parse::<i64>().ok());
            count.is_some_and(|count| count > 1)
        })
    });
}

#[test]
fn filters_leave_out_what_they_say_and_count_it() {
    let app = App::start();
    let user = app.user();
    let crawler = with(
        error("TypeError", "x is undefined", "render"),
        &json!({"request": {"headers": {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"}}}),
    );
    app.sdk().send(&crawler);
    app.sdk().send(&with(
        error("E", "old", "f"),
        &json!({"release": "shop@1.4.0"}),
    ));
    app.wait_idle();
    assert_eq!(
        app.api().issues("").len(),
        2,
        "nothing is filtered unless somebody says so"
    );
    let page = user.open("/acme/projects/shop/filters").expect(200);
    let marker = "name=\"releases\"";
    let wrong = [("ip_addresses", "10.0.0.0/99"), ("do", "save")];
    fill(&user, &page, marker, &wrong).shows("10.0.0.0/99");
    let values = |what| {
        [
            ("web_crawlers", "on"),
            ("releases", "shop@1.*"),
            ("do", what),
        ]
    };
    let run = fill(&user, &page, marker, &values("dry-run"));
    run.shows("2 issues would get no events any more");
    fill(&user, &page, marker, &values("save")).shows("Filters saved");
    let before = |name: &str| {
        let issue = app.api().issues(name);
        issue.first().map(|issue| issue["count"].clone())
    };
    let query = "SELECT COUNT(*) AS number FROM ledger WHERE outcome = 'filtered' AND quantity > 0";
    poll::until("the node follows", || {
        app.sdk().send(&crawler);
        app.wait_idle();
        app.database.number(query) > 0
    });
    let count = before("TypeError");
    app.sdk().send(&crawler);
    app.sdk().send(&error("Wanted", "stays", "g"));
    app.wait_idle();
    assert_eq!(before("TypeError"), count);
    assert_eq!(app.api().issues("Wanted").len(), 1);
    let usage = user.open("/acme/usage/").expect(200);
    usage.shows("Robots are filtered");
}

#[test]
fn the_page_and_the_api_say_why_an_event_is_in_its_issue() {
    let app = App::start();
    let event = with(
        error("KeyError", "'price'", "total"),
        &json!({"exception": {"values": [{"type": "KeyError", "value": "'price'", "stacktrace": {"frames": [
            {"function": "handler", "module": "django.core", "filename": "django/core.py", "lineno": 4},
            {"function": "total", "module": "checkout.cart", "filename": "checkout/cart.py", "lineno": 88, "in_app": true},
            {"function": "total", "module": "checkout.cart", "filename": "checkout/cart.py", "lineno": 88, "in_app": true},
        ]}}]}}),
    );
    let id = app.sdk().send(&event);
    app.wait_idle();
    let issue = app.only_issue("");
    let path = format!(
        "/acme/issues/{}/events/{id}/grouping",
        issue["id"].as_str().expect("an id")
    );
    let user = app.user();
    let page = user.open(&path).expect(200);
    for text in [
        "Own code",
        "Whole stack",
        "checkout.cart · total",
        "a recursion counts once",
        issue["shortId"].as_str().expect("a short id"),
    ] {
        page.shows(text);
    }

    let info = app
        .api()
        .get(&format!("/projects/acme/shop/events/{id}/grouping-info/"));
    let stored = app
        .api()
        .get(&format!("/projects/acme/shop/events/{id}/json/"));
    assert_eq!(
        info["app"]["hash"],
        stored["grouping"]["variants"][0]["hash"]
    );
    assert_eq!(
        info["system"]["hash"],
        stored["grouping"]["variants"][1]["hash"]
    );
    let of_app = info["app"]["component"].to_string();
    assert!(of_app.contains("a library's frame"), "{of_app}");

    // A rule changes what would become of it, and the page says which.
    let settings = user
        .open(&format!("/acme/projects/shop/grouping?event={id}"))
        .expect(200);
    let rules = [
        ("stack_rules", "stack.function:total -group"),
        ("fingerprint_rules", "error.type:KeyError -> prices"),
        ("do", "save"),
    ];
    fill(&user, &settings, "name=\"stack_rules\"", &rules);
    let page = user.open(&path).expect(200);
    page.shows("left out by line 1 of the stack trace rules");
    page.shows("error.type:KeyError -> prices");
    page.shows("have changed");
}
