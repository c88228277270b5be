//! In: kill -9 while the rows of a merged or split issue are on their way, and several nodes that digest. Out: after the
//! restart all is where it belongs, counted once; no node sends an event to an issue that is gone.

use std::time::Duration;

use serde_json::{Value, json};

use super::nodes::Cluster;
use crate::harness::sdk::{error, with};
use crate::harness::{Api, App, Sdk, poll};

/// A killed server's task is taken up when its lease ends.
const TAKEN_UP: Duration = Duration::from_secs(150);
const ISSUES: i64 = 20;
const EVENTS: i64 = 6;

fn event(function: i64, user: i64) -> Value {
    let more =
        json!({"user": {"id": format!("{user}")}, "tags": {"turn": format!("{}", user % 3)}});
    with(error("KeyError", "'price'", &format!("f{function}")), &more)
}

fn moves(app: &App) -> i64 {
    app.database
        .number("SELECT COUNT(*) AS number FROM issue_moves")
}

fn id(issue: &Value) -> String {
    issue["id"].as_str().expect("an id").to_owned()
}

/// A call that the digest's grip on the database may make wait.
fn merge_all(api: &Api) -> String {
    let ids: Vec<String> = api
        .all("/organizations/acme/issues/?query=")
        .iter()
        .map(|issue| format!("id={}", id(issue)))
        .collect();
    let path = format!("/organizations/acme/issues/?{}", ids.join("&"));
    let answer = api.put(&path, &json!({"merge": 1}));
    answer["merge"]["parent"]
        .as_str()
        .expect("an issue")
        .to_owned()
}

/// Everything that is counted of the events, added up over all issues and rows.
fn sums(app: &App) -> [i64; 7] {
    let integer = crate::harness::database::integer();
    [
        format!("SELECT CAST(SUM(times_seen) AS {integer}) AS number FROM issues"),
        format!("SELECT CAST(SUM(stored_events) AS {integer}) AS number FROM issues"),
        format!("SELECT CAST(SUM(events) AS {integer}) AS number FROM issue_hours"),
        format!("SELECT CAST(SUM(events) AS {integer}) AS number FROM issue_days"),
        format!(
            "SELECT CAST(SUM(events) AS {integer}) AS number FROM issue_tags WHERE tag_key = 'turn'"
        ),
        "SELECT COUNT(*) AS number FROM events".to_owned(),
        "SELECT COUNT(*) AS number FROM events INNER JOIN issues ON issues.id = events.issue_id"
            .to_owned(),
    ]
    .map(|query| app.database.number(&query))
}

/// Users of each issue: as its row says, and as there are rows.
fn users_agree(app: &App) {
    let wrong = "SELECT COUNT(*) AS number FROM issues WHERE users_seen <> \
                 (SELECT COUNT(*) FROM issue_users WHERE issue_users.issue_id = issues.id)";
    assert_eq!(app.database.number(wrong), 0);
}

fn send_all(sdk: &Sdk) {
    for function in 0..ISSUES {
        for user in 0..EVENTS {
            sdk.send(&event(function, function * 3 + user));
        }
    }
}

#[test]
fn a_server_killed_in_mid_merge_finishes_it() {
    let mut app = App::with().env("BUGLE_SPIKE_LIMIT", "0").start();
    send_all(&app.sdk());
    // The survivor.
    app.sdk().send(&event(0, 0));
    app.wait_idle();
    let parent = merge_all(&app.api());
    poll::until("the move is half done", || moves(&app) < ISSUES - 6);
    app.kill();
    let left = moves(&app);
    assert!(left > 0, "nothing was left to do");
    app.boot();
    // Those whose rows are still elsewhere go on meanwhile.
    for function in 0..ISSUES {
        app.sdk().send(&event(function, 1_000));
    }
    poll::until_within(TAKEN_UP, "the merge is finished", || moves(&app) == 0);
    app.wait_idle();
    let all = ISSUES * EVENTS + 1 + ISSUES;
    let issue = app.only_issue("");
    assert_eq!(
        (id(&issue), &issue["count"]),
        (parent, &json!(all.to_string()))
    );
    // Users 0 to 3 × 19 + 5, and the one who came meanwhile.
    assert_eq!(issue["userCount"], (ISSUES - 1) * 3 + EVENTS + 1);
    assert_eq!(sums(&app), [all; 7]);
    users_agree(&app);
}

#[test]
fn a_server_killed_in_mid_split_finishes_it() {
    let mut app = App::with().env("BUGLE_SPIKE_LIMIT", "0").start();
    send_all(&app.sdk());
    app.wait_idle();
    let parent = merge_all(&app.api());
    app.wait_idle();
    let path = format!("/organizations/acme/issues/{parent}/hashes/");
    let half: Vec<String> = app
        .api()
        .all(&path)
        .iter()
        .filter(|hash| hash["eventCount"] == EVENTS)
        .take(ISSUES as usize / 2)
        .map(|hash| format!("id={}", id(hash)))
        .collect();
    let split = format!("{path}?{}", half.join("&"));
    let answer = app.api().raw("DELETE", &split, None).expect(202).json();
    poll::until("the move is half done", || {
        let events = "SELECT times_seen AS number FROM issues ORDER BY id DESC LIMIT 1";
        app.database.number(events) > 0 || moves(&app) == 0
    });
    app.kill();
    app.boot();
    poll::until_within(TAKEN_UP, "the split is finished", || moves(&app) == 0);
    app.wait_idle();
    let all = ISSUES * EVENTS;
    assert_eq!(sums(&app), [all; 7]);
    users_agree(&app);
    for issue in [parent, id(&answer)] {
        let issue = app
            .api()
            .get(&format!("/organizations/acme/issues/{issue}/"));
        assert_eq!(issue["count"], (all / 2).to_string(), "{issue:#}");
    }
}

/// Two workers know where events go; a merge and a split through a third node teach both.
#[test]
fn every_node_learns_of_a_merge() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let app = &cluster.pages;
    let sdks = cluster.sdks();
    let round = |user: i64| {
        for number in 0..40 {
            let sdk = &sdks[number as usize % sdks.len()];
            sdk.send(&event(number % 4, user));
        }
        cluster.wait_idle();
    };
    round(1);
    let count = |query: &str| app.api().issues(query).len();
    assert_eq!(count(""), 4);
    let parent = merge_all(&app.api());
    round(2);
    poll::until("the merge is finished", || moves(app) == 0);
    let issue = app.only_issue("");
    assert_eq!(
        (id(&issue), &issue["count"]),
        (parent.clone(), &json!("80"))
    );
    assert_eq!(issue["userCount"], 2);
    let path = format!("/organizations/acme/issues/{parent}/hashes/");
    let hash = id(&app.api().list(&path)[0]);
    app.api()
        .raw("DELETE", &format!("{path}?id={hash}"), None)
        .expect(202);
    round(3);
    poll::until("the split is finished", || moves(app) == 0);
    let counts: Vec<Value> = app
        .api()
        .issues("")
        .iter()
        .map(|issue| issue["count"].clone())
        .collect();
    assert!(
        counts.contains(&json!("90")) && counts.contains(&json!("30")),
        "{counts:?}"
    );
    assert_eq!(sums(app), [120; 7]);
    users_agree(app);
    cluster.stop();
}
