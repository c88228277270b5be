//! A trial beside the old tracker. In: a project whose events are copied elsewhere. Out: the share that was asked for
//! arrives there, under the other DSN, and whatever the other side does, nothing is lost or slowed here.

use std::net::TcpListener;

use serde_json::Value;

use crate::harness::sdk::{envelope, error, message};
use crate::harness::tracker::{Manners, Tracker};
use crate::harness::{App, Visitor, poll};

const KEY: &str = "0123456789abcdef0123456789abcdef";

fn app() -> App {
    App::with()
        .env("BUGLE_ALLOW_OUTGOING", "127.0.0.0/8")
        .start()
}

fn mirror(app: &App, arguments: &[&str]) {
    let fixed = ["project", "mirror", "--org", "acme", "--project", "shop"];
    app.cli(&[&fixed, arguments].concat()).success();
}

/// What the project's page says beside a name.
fn shown(user: &Visitor, name: &str) -> String {
    let words = user.open("/acme/projects/shop/mirror").expect(200).words();
    let rest = words
        .split_once(&format!("{name} "))
        .unwrap_or_else(|| panic!("no {name} in {words}"))
        .1;
    rest.split_whitespace()
        .next()
        .unwrap_or_default()
        .to_owned()
}

fn count_shown(user: &Visitor, name: &str, count: usize) {
    poll::until(&format!("the page shows {count} beside {name}"), || {
        shown(user, name) == count.to_string()
    });
}

/// The ids of the events that a tracker was sent.
fn ids(tracker: &Tracker) -> Vec<String> {
    let mut ids: Vec<String> = tracker
        .requests()
        .iter()
        .filter_map(|request| {
            let header = request.envelope_header();
            header["event_id"].as_str().map(str::to_owned)
        })
        .collect();
    ids.sort();
    ids
}

#[test]
fn every_event_arrives_under_the_other_dsn() {
    let tracker = Tracker::open();
    let app = app();
    let dsn = tracker.dsn(KEY, 77);
    mirror(&app, &["--dsn", &dsn]);
    let sdk = app.sdk();
    let mut sent = Vec::new();
    for number in 0..10 {
        sent.push(sdk.send(&error("KeyError", "'price'", &format!("total_{number}"))));
    }
    let old = message("over the old endpoint");
    sdk.post("store/", &[], old.to_string().as_bytes())
        .expect(200);
    sent.push(old["event_id"].as_str().expect("an id").to_owned());
    sent.sort();
    // What is refused here does not go there.
    sdk.envelope(b"nothing").expect(400);
    // Another project's events do not.
    app.sdk_of(&app.world().web_dsn)
        .send(&message("not mirrored"));
    poll::until("all copies arrived", || tracker.requests().len() == 11);
    app.wait_idle();
    assert_eq!(ids(&tracker), sent);
    for request in tracker.requests() {
        assert_eq!(request.path, "/api/77/envelope/");
        let auth = request.header("x-sentry-auth").expect("it names the key");
        assert!(auth.contains(&format!("sentry_key={KEY}")), "{auth}");
        assert_eq!(request.header("x-bugle-mirrored"), Some("1"));
        assert_eq!(request.envelope_header()["dsn"], dsn);
        let text = String::from_utf8_lossy(&request.body).into_owned();
        let event = text.lines().nth(2).expect("an item with a payload");
        let event: Value = serde_json::from_str(event).expect("the event is whole");
        assert_eq!(event["platform"], "python");
    }
    let user = app.user();
    count_shown(&user, "Sent", 11);

    mirror(&app, &["--off"]);
    sdk.send(&message("after the end"));
    app.wait_idle();
    assert_eq!(tracker.requests().len(), 11);
    assert!(shown(&user, "Failed") == "0" && shown(&user, "unsent") == "0");
}

#[test]
fn a_share_is_chosen_by_the_event() {
    let tracker = Tracker::open();
    let app = app();
    let sdk = app.sdk();
    mirror(&app, &["--dsn", &tracker.dsn(KEY, 1), "--percent", "0"]);
    sdk.send(&message("none of these"));
    mirror(&app, &["--dsn", &tracker.dsn(KEY, 1), "--percent", "50"]);
    let mut expected = Vec::new();
    for number in 0..60 {
        let event = message(&format!("number {number}"));
        let id = sdk.send(&event);
        let bytes = hex::decode(&id).expect("ids are hex");
        if crc32fast::hash(&bytes) % 100 < 50 {
            // The same event again is chosen again.
            sdk.send(&event);
            expected.extend([id.clone(), id]);
        }
    }
    expected.sort();
    assert!(!expected.is_empty() && expected.len() < 120);
    poll::until("the share arrived", || {
        ids(&tracker).len() >= expected.len()
    });
    app.wait_idle();
    assert_eq!(ids(&tracker), expected);
}

#[test]
fn a_target_that_hangs_holds_nothing_up() {
    let tracker = Tracker::with(Manners::Hangs);
    let app = app();
    mirror(&app, &["--dsn", &tracker.dsn(KEY, 1)]);
    let sdk = app.sdk();
    let mut sent = vec![sdk.send(&message("the first"))];
    poll::until("the target was called", || !tracker.requests().is_empty());
    for number in 0..40 {
        sent.push(sdk.send(&message(&format!("meanwhile {number}"))));
    }
    // All are digested before the target has said a word.
    app.wait_idle();
    for id in &sent {
        assert!(app.api().event("acme", "shop", id).is_some(), "{id}");
    }
    let user = app.user();
    poll::until("the page says what is wrong", || {
        user.open("/acme/projects/shop/mirror")
            .words()
            .contains("no answer in time")
    });
}

#[test]
fn a_target_that_refuses_costs_only_its_copies() {
    let tracker = Tracker::with(Manners::Answers(
        "429 Too Many Requests\r\nretry-after: 600\r\nx-sentry-rate-limits: 600:error:key\r\n"
            .to_owned(),
    ));
    let app = app();
    mirror(&app, &["--dsn", &tracker.dsn(KEY, 1)]);
    let sdk = app.sdk();
    let mut sent = vec![sdk.send(&message("refused"))];
    let user = app.user();
    count_shown(&user, "Failed", 1);
    for number in 0..5 {
        sent.push(sdk.send(&message(&format!("not even tried {number}"))));
    }
    app.wait_idle();
    count_shown(&user, "unsent", 5);
    assert_eq!(tracker.requests().len(), 1, "the pause was kept");
    for id in &sent {
        assert!(app.api().event("acme", "shop", id).is_some(), "{id}");
    }
    let page = user.open("/acme/projects/shop/mirror").expect(200);
    page.shows("the other tracker answered 429");
}

#[test]
fn nobody_there_is_no_trouble() {
    let app = app();
    let port = TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
        .port();
    mirror(
        &app,
        &["--dsn", &format!("http://{KEY}@127.0.0.1:{port}/1")],
    );
    let id = app.sdk().send(&message("kept here"));
    app.wait_idle();
    assert!(app.api().event("acme", "shop", &id).is_some());
    count_shown(&app.user(), "Failed", 1);
}

#[test]
fn private_addresses_are_refused_by_default() {
    let tracker = Tracker::open();
    let app = App::start();
    mirror(&app, &["--dsn", &tracker.dsn(KEY, 1)]);
    app.sdk().send(&message("stays here"));
    let user = app.user();
    count_shown(&user, "Failed", 1);
    let page = user.open("/acme/projects/shop/mirror").expect(200);
    page.shows("has no public address");
    let form = page.form_with("name=\"dsn\"");
    let tried = user
        .submit(&page, &form, &[("do", "test"), ("active", "on")])
        .expect(200);
    tried.shows("BUGLE_ALLOW_OUTGOING");
    assert_eq!(tracker.connections(), 0, "nobody was called");
}

/// Two Bugles, each the other's mirror: an event goes once from one to the other and no further.
#[test]
fn another_bugle_takes_the_copies_and_does_not_send_them_back() {
    let first = app();
    let second = app();
    let there = |app: &App, dsn: &str| {
        let (key, place) = dsn.split_once('@').expect("a DSN");
        let project = place.rsplit('/').next().expect("a project");
        let address = app.base().trim_start_matches("http://");
        format!("{key}@{address}/{project}")
    };
    // With a key of its own: the worlds of both are copies of one.
    let create = ["project", "create", "--org", "acme", "--slug", "copies"];
    let copies = second.cli(&create).success();
    mirror(&first, &["--dsn", &there(&second, &copies)]);
    let back = there(&first, &first.world().web_dsn);
    let fixed = [
        "project",
        "mirror",
        "--org",
        "acme",
        "--project",
        "copies",
        "--dsn",
        &back,
    ];
    second.cli(&fixed).success();
    let events: Vec<Value> = (0..5)
        .map(|number| error("KeyError", "'price'", &format!("total_{number}")))
        .collect();
    for event in &events {
        first.sdk().envelope(&envelope(event)).expect(200);
    }
    for event in &events {
        let id = event["event_id"].as_str().expect("an id");
        poll::until("the copy is stored over there", || {
            second.api().event("acme", "copies", id).is_some()
        });
    }
    count_shown(&first.user(), "Sent", 5);
    first.wait_idle();
    second.wait_idle();
    let sent_back = "SELECT sent + failed + dropped AS number FROM project_mirrors";
    assert_eq!(second.database.number(sent_back), 0);
    for event in &events {
        let id = event["event_id"].as_str().expect("an id");
        assert!(first.api().event("acme", "web", id).is_none());
    }
}

#[test]
fn the_page_sets_a_mirror_up() {
    let tracker = Tracker::open();
    let app = app();
    let user = app.user();
    let project = user.open("/acme/projects/shop/").expect(200);
    assert!(project.links().iter().any(|link| link.ends_with("/mirror")));
    let page = user.open("/acme/projects/shop/mirror").expect(200);
    page.shows("not scrubbed");
    let form = page.form_with("name=\"dsn\"");
    let fill = |dsn: &str, percent: &str, what: &str| {
        let values = [
            ("dsn", dsn),
            ("percent", percent),
            ("active", "on"),
            ("do", what),
        ];
        user.submit(&page, &form, &values).expect(200)
    };
    fill("no dsn", "100", "save").shows("A DSN looks like");
    fill(&tracker.dsn(KEY, 1), "101", "save").shows("a whole number from 0 to 100");
    fill(&app.world().dsn, "100", "save").shows("very project");
    fill(&tracker.dsn(KEY, 1), "100", "test").shows("answered 200");
    assert_eq!(tracker.requests().len(), 1);
    assert!(
        !tracker.requests()[0]
            .body
            .windows(5)
            .any(|part| part == b"event"),
        "a test makes no event"
    );
    fill(&tracker.dsn(KEY, 1), "100", "save").shows("Mirror saved");
    user.open("/acme/projects/shop/")
        .expect(200)
        .shows("100 % of the events");
    poll::until("the node follows", || {
        app.sdk().send(&message("copied"));
        tracker.requests().len() > 1
    });

    // Members see that there is a mirror, not its key, and change nothing.
    let add = [
        "org",
        "member",
        "add",
        "--org",
        "acme",
        "--email",
        crate::harness::STRANGER,
    ];
    app.cli(&add).success();
    let member = app.visitor();
    member.sign_in(crate::harness::STRANGER, crate::harness::PASSWORD);
    member.open("/acme/projects/shop/mirror").expect(403);
    let settings = member.open("/acme/projects/shop/").expect(200);
    assert!(!settings.text().contains(KEY), "{settings}");
}

#[test]
fn the_command_refuses_what_cannot_be() {
    let app = app();
    let with = |arguments: &[&str]| {
        let fixed = ["project", "mirror", "--org", "acme", "--project"];
        app.cli(&[&fixed, arguments].concat())
    };
    let dsn = app.world().dsn.clone();
    assert!(
        with(&["shop", "--dsn", &dsn])
            .failure()
            .contains("very project")
    );
    assert!(
        with(&["shop", "--dsn", "x"])
            .failure()
            .contains("a DSN looks like")
    );
    assert!(
        with(&["nothing", "--off"])
            .failure()
            .contains("no project nothing")
    );
    with(&["shop"]).failure();
    with(&["shop", "--off"]).success();
}
