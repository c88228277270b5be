//! In: errors of an application, and what a person does with the issues. Out: which issue an error lands in, its counts
//! and times, its status, and what lists find.

use serde_json::{Value, json};

use crate::harness::sdk::{error, message, with};
use crate::harness::{App, poll};

#[test]
fn a_new_error_is_an_issue_and_repeats_count() {
    let app = App::start();
    let sdk = app.sdk();
    let id = sdk.send(&error("KeyError", "'price'", "total"));
    app.wait_idle();
    let issue = app.only_issue("is:unresolved");
    for (field, value) in [
        ("title", json!("KeyError: 'price'")),
        ("culprit", json!("checkout.cart in total")),
        ("status", json!("unresolved")),
        ("level", json!("error")),
        ("platform", json!("python")),
        ("count", json!("1")),
        ("userCount", json!(0)),
        ("isUnhandled", json!(true)),
    ] {
        assert_eq!(issue[field], value, "{field} of {issue:#}");
    }
    assert_eq!(issue["shortId"], "SHOP-1");
    assert_eq!(issue["project"]["slug"], "shop");
    let event = app
        .api()
        .event("acme", "shop", &id)
        .expect("the event is there");
    assert_eq!(event["groupID"], issue["id"]);

    for (value, line) in [("'price'", 88), ("'tax'", 91), ("'price'", 95)] {
        let mut again = error("KeyError", value, "total");
        again["exception"]["values"][0]["stacktrace"]["frames"][1]["lineno"] = json!(line);
        sdk.send(&again);
    }
    app.wait_idle();
    let issue = app.only_issue("is:unresolved");
    assert_eq!(
        issue["count"], "4",
        "the same place with other lines and values is the same issue"
    );
}

#[test]
fn users_and_times() {
    let app = App::start();
    let sdk = app.sdk();
    let minutes_ago = |minutes: i64| {
        (jiff::Timestamp::now() - jiff::SignedDuration::from_mins(minutes)).to_string()
    };
    let sent = [
        (json!({"id": "1"}), minutes_ago(50)),
        (
            json!({"id": "1", "email": "jane@example.com"}),
            minutes_ago(180),
        ),
        (json!({"email": "joe@example.com"}), minutes_ago(20)),
        (json!({"ip_address": "203.0.113.9"}), minutes_ago(30)),
        (Value::Null, minutes_ago(40)),
    ];
    for (user, timestamp) in &sent {
        let more = json!({"user": user, "timestamp": timestamp});
        sdk.send(&with(error("KeyError", "'price'", "total"), &more));
    }
    app.wait_idle();
    let issue = app.only_issue("");
    assert_eq!(issue["count"], "5");
    assert_eq!(
        issue["userCount"], 3,
        "id, e-mail and address are three people, the second event is the first's"
    );
    assert_eq!(
        second(&issue["firstSeen"]),
        second(&json!(sent[1].1)),
        "{issue:#}"
    );
    assert_eq!(
        second(&issue["lastSeen"]),
        second(&json!(sent[2].1)),
        "{issue:#}"
    );
}

fn second(time: &Value) -> i64 {
    let text = time
        .as_str()
        .unwrap_or_else(|| panic!("{time} is not a time"));
    text.parse::<jiff::Timestamp>()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
        .as_second()
}

#[test]
fn grouping() {
    let app = App::start();
    let sdk = app.sdk();
    let cases: &[(&str, &[Value])] = &[
        (
            "places in the application",
            &[
                error("KeyError", "'a'", "total"),
                error("KeyError", "'a'", "other"),
            ],
        ),
        (
            "types",
            &[
                error("ValueError", "x", "total"),
                error("TypeError", "x", "total"),
            ],
        ),
        (
            "fingerprints",
            &[
                with(error("A", "1", "f"), &json!({"fingerprint": ["payment"]})),
                with(error("B", "2", "g"), &json!({"fingerprint": ["refund"]})),
                with(
                    error("C", "3", "h"),
                    &json!({"fingerprint": ["refund", "3"]}),
                ),
            ],
        ),
        ("messages", &[message("disk full"), message("disk gone")]),
    ];
    let mut expected = 0;
    for (what, events) in cases {
        for event in *events {
            sdk.send(event);
        }
        expected += events.len();
        app.wait_idle();
        assert_eq!(
            app.api().issues("").len(),
            expected,
            "{what} tell issues apart"
        );
    }
    let same: &[(&str, Value)] = &[
        (
            "a fingerprint joins what has nothing else in common",
            with(error("Z", "9", "z"), &json!({"fingerprint": ["payment"]})),
        ),
        (
            "numbers and ids in a message are parameters",
            message("order 17 of 203.0.113.9 failed"),
        ),
        (
            "numbers and ids in a message are parameters",
            message("order 4711 of 198.51.100.1 failed"),
        ),
        (
            "the template of a message decides",
            json!({"logentry": {"message": "import of %s failed", "params": ["a.csv"]}}),
        ),
        (
            "the template of a message decides",
            json!({"logentry": {"message": "import of %s failed", "params": ["b.csv"]}}),
        ),
    ];
    for (_, event) in same {
        sdk.send(event);
    }
    app.wait_idle();
    let issues = app.api().issues("");
    let titles: Vec<_> = issues.iter().map(|issue| &issue["title"]).collect();
    assert_eq!(issues.len(), expected + 2, "{same:?}\n{titles:?}");
}

#[test]
fn resolve_regress_ignore_reopen() {
    let app = App::start();
    let (sdk, api) = (app.sdk(), app.api());
    sdk.send(&error("KeyError", "'price'", "total"));
    app.wait_idle();
    let id = app.only_issue("is:unresolved")["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let path = format!("/organizations/acme/issues/{id}/");

    assert_eq!(
        api.put(&path, &json!({"status": "resolved"}))["status"],
        "resolved"
    );
    assert!(api.issues("is:unresolved").is_empty());
    assert_eq!(app.only_issue("is:resolved")["id"], id.as_str());

    sdk.send(&error("KeyError", "'price'", "total"));
    app.wait_idle();
    let back = app.only_issue("is:unresolved");
    assert_eq!(
        (&back["id"], &back["count"]),
        (&json!(id), &json!("2")),
        "a regression is the same issue"
    );
    assert_eq!(back["substatus"], "regressed");

    assert_eq!(
        api.put(&path, &json!({"status": "ignored"}))["status"],
        "ignored"
    );
    sdk.send(&error("KeyError", "'price'", "total"));
    app.wait_idle();
    assert!(
        api.issues("is:unresolved").is_empty(),
        "an ignored issue stays quiet"
    );
    assert_eq!(
        app.only_issue("is:ignored")["count"],
        "3",
        "but it is counted"
    );

    assert_eq!(
        api.put(&path, &json!({"status": "unresolved"}))["status"],
        "unresolved"
    );
    assert_eq!(app.only_issue("is:unresolved")["id"], id.as_str());
}

/// What had been received before the resolution, and was digested after it, is no regression.
#[test]
fn a_late_digest_is_no_regression() {
    let mut app = App::start();
    app.sdk().send(&error("KeyError", "'price'", "total"));
    app.wait_idle();
    let id = app.only_issue("")["id"].as_str().expect("an id").to_owned();
    app.server_mut().terminate();
    app.environment
        .insert("BUGLE_WORKERS".to_owned(), "0".to_owned());
    app.boot();
    app.sdk().send(&error("KeyError", "'price'", "total"));
    app.api().put(
        &format!("/organizations/acme/issues/{id}/"),
        &json!({"status": "resolved"}),
    );
    app.server_mut().terminate();
    app.environment.remove("BUGLE_WORKERS");
    app.boot();
    app.wait_idle();
    let issue = app.only_issue("");
    assert_eq!(
        (&issue["status"], &issue["count"]),
        (&json!("resolved"), &json!("2")),
        "{issue:#}"
    );
}

#[test]
fn lists_find_and_turn_pages() {
    let app = App::start();
    let (sdk, api) = (app.sdk(), app.api());
    for number in 0..12 {
        let kind = if number % 3 == 0 {
            "TimeoutError"
        } else {
            "KeyError"
        };
        let level = if number % 2 == 0 { "error" } else { "warning" };
        let event = error(
            kind,
            &format!("value {number}"),
            &format!("function_{number}"),
        );
        sdk.send(&with(event, &json!({"level": level, "environment": if number < 4 { "staging" } else { "production" }})));
    }
    app.sdk_of(&app.world().web_dsn)
        .send(&error("TypeError", "x is undefined", "click"));
    app.wait_idle();
    let count = |path: &str| api.list(path).len();
    assert_eq!(count("/organizations/acme/issues/?query="), 13);
    assert_eq!(count("/projects/acme/shop/issues/?query="), 12);
    assert_eq!(
        api.issues("TimeoutError").len(),
        4,
        "free words look in titles"
    );
    assert_eq!(api.issues("timeouterror").len(), 4, "in any case");
    assert_eq!(api.issues("is:resolved").len(), 0);
    assert_eq!(api.issues("is:unresolved TimeoutError").len(), 4);
    assert_eq!(api.issues("no such words anywhere").len(), 0);

    let mut seen = Vec::new();
    let mut path = "/projects/acme/shop/issues/?query=&limit=5".to_owned();
    for page in 0..3 {
        let answer = api.raw("GET", &path, None).expect(200);
        let rows = answer.json().as_array().expect("a list").clone();
        assert_eq!(rows.len(), if page < 2 { 5 } else { 2 });
        seen.extend(
            rows.iter()
                .map(|row| row["id"].as_str().expect("an id").to_owned()),
        );
        let link = answer.header("link").expect("a Link header").to_owned();
        assert!(
            link.contains("rel=\"previous\"") && link.contains("rel=\"next\""),
            "{link}"
        );
        assert_eq!(
            crate::harness::api::next_cursor(&link).is_some(),
            page < 2,
            "{link}"
        );
        let Some(cursor) = crate::harness::api::next_cursor(&link) else {
            break;
        };
        path = format!("/projects/acme/shop/issues/?query=&limit=5&cursor={cursor}");
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 12, "every issue once over the pages");
}

#[test]
fn the_web_form_resolves() {
    let app = App::start();
    app.sdk().send(&error("KeyError", "'price'", "total"));
    app.wait_idle();
    let issue = app.only_issue("is:unresolved");
    let user = app.user();
    let path = format!("/acme/issues/{}/", issue["id"].as_str().expect("an id"));
    let page = user.open(&path).expect(200);
    let page = user
        .submit(&page, &page.form_of_button("Resolve"), &[])
        .expect(200);
    page.shows("KeyError");
    assert_eq!(app.only_issue("")["status"], "resolved");
    app.sdk().send(&error("KeyError", "'price'", "total"));
    poll::until("the regression shows in the API", || {
        app.only_issue("")["status"] == "unresolved"
    });
    let page = user.open(&path).expect(200);
    assert!(
        page.words().to_lowercase().contains("regressed"),
        "{}",
        page.words()
    );
    for (button, status) in [("Ignore", "ignored"), ("Reopen", "unresolved")] {
        let page = user.open(&path).expect(200);
        user.submit(&page, &page.form_of_button(button), &[])
            .expect(200);
        assert_eq!(app.only_issue("")["status"], status, "after {button}");
    }
}

/// A flood of one issue from many clients at once is one issue with the right count.
#[test]
fn parallel_senders_make_one_issue() {
    let app = App::start();
    let senders: Vec<_> = (0..4)
        .map(|sender| {
            let sdk = app.sdk();
            std::thread::spawn(move || {
                for number in 0..25 {
                    let user = json!({"user": {"id": format!("{sender}-{}", number % 5)}});
                    sdk.send(&with(
                        error("KeyError", "'price'", &format!("function_{}", number % 2)),
                        &user,
                    ));
                }
            })
        })
        .collect();
    for sender in senders {
        sender.join().expect("every event is acknowledged");
    }
    app.wait_idle();
    let issues = app.api().issues("");
    assert_eq!(issues.len(), 2, "{issues:#?}");
    let counts: Vec<_> = issues
        .iter()
        .map(|issue| {
            issue["count"]
                .as_str()
                .expect("a count")
                .parse::<u64>()
                .expect("a number")
        })
        .collect();
    assert_eq!(counts.iter().sum::<u64>(), 100, "{counts:?}");
    assert!(
        issues.iter().all(|issue| issue["userCount"] == 20),
        "{issues:#?}"
    );
}
