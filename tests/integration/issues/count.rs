//! In: errors of an application. Out: which issue an error lands in, with its counts, users and times.

use serde_json::{Value, json};

use crate::harness::App;
use crate::harness::sdk::{error, message, with};

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
