//! In: more events than may be kept. Out: the noisiest issues lose some, first and latest of each stay, and every count is what it
//! was; the sums that the storage report shows are those of the rows.

use std::collections::BTreeSet;
use std::thread;

use serde_json::json;

use crate::harness::App;
use crate::harness::cli;
use crate::harness::database::integer;
use crate::harness::sdk::{error, with};

/// Sends events of one issue in turn to several releases; the ids, oldest first.
fn flood(app: &App, function: &str, count: usize) -> Vec<String> {
    let sdk = app.sdk();
    (0..count)
        .map(|number| {
            let event = error("KeyError", "'price'", function);
            // One in fifty comes from somewhere else.
            let environment = if number % 50 == 20 {
                "staging"
            } else {
                "production"
            };
            sdk.send(&with(event, &json!({"environment": environment})))
        })
        .collect()
}

/// `bugle retention` with a limit.
fn retention(app: &App, setting: &str, value: &str) -> String {
    let mut environment = app.environment.clone();
    environment.insert(setting.to_owned(), value.to_owned());
    cli::run(&environment, &["retention"]).success()
}

/// Events kept of the issues that have been seen so often.
fn kept(app: &App, seen: usize) -> i64 {
    app.database.number(&format!(
        "SELECT COUNT(*) AS number FROM events JOIN issues ON issues.id = events.issue_id WHERE issues.times_seen = {seen}"
    ))
}

/// Events ever counted.
fn seen(app: &App) -> i64 {
    app.database.number(&format!(
        "SELECT CAST(SUM(times_seen) AS {}) AS number FROM issues",
        integer()
    ))
}

fn kept_ids(app: &App) -> BTreeSet<String> {
    app.database.event_ids().into_iter().collect()
}

#[track_caller]
fn sums_are_those_of_the_rows(app: &App) {
    let wrong = app.database.number(
        "SELECT COUNT(*) AS number FROM issues WHERE stored_events <> (SELECT COUNT(*) FROM events WHERE events.issue_id = issues.id) \
         OR stored_bytes <> (SELECT COALESCE(SUM(LENGTH(events.data)), 0) FROM events WHERE events.issue_id = issues.id)",
    );
    assert_eq!(wrong, 0, "issues whose sums are not those of their rows");
}

#[test]
fn the_noisiest_issues_give_way_to_a_limit_in_events() {
    let app = App::start();
    let loud = flood(&app, "loud", 300);
    let noisy = flood(&app, "noisy", 60);
    let quiet = flood(&app, "quiet", 5);
    app.wait_idle();
    sums_are_those_of_the_rows(&app);

    let nothing = retention(&app, "BUGLE_RETENTION_EVENTS", "365");
    assert!(nothing.contains(" 0 events (0 bytes"), "{nothing}");
    retention(&app, "BUGLE_RETENTION_EVENTS", "120");

    let ids = kept_ids(&app);
    assert!((110..=120).contains(&ids.len()), "{} are kept", ids.len());
    assert_eq!(kept(&app, 5), 5, "the quiet issue keeps all");
    let (most, more) = (kept(&app, 300), kept(&app, 60));
    assert!((54..=60).contains(&more) && (49..=60).contains(&most));
    for events in [&loud, &noisy, &quiet] {
        for end in [&events[0], &events[events.len() - 1]] {
            assert!(ids.contains(end), "first and latest stay");
        }
    }
    sums_are_those_of_the_rows(&app);
    assert_eq!(seen(&app), 365, "counts are what they were");
    // Of the loud issue's six events from elsewhere most are still there: they tell more than their neighbours.
    let api = app.api();
    let issue = app.only_issue("loud");
    let page = api.get(&format!(
        "/organizations/acme/issues/{}/events/?per_page=100",
        issue["id"].as_str().expect("an id")
    ));
    let staging = page
        .as_array()
        .expect("a list")
        .iter()
        .filter(|event| event.to_string().contains("staging"))
        .count();
    assert!(staging >= 4, "{staging} of 6 events from staging stay");
}

#[test]
fn a_limit_of_an_issue_spreads_what_stays_over_its_time() {
    let app = App::start();
    let ids = flood(&app, "loud", 200);
    flood(&app, "quiet", 12);
    app.wait_idle();
    retention(&app, "BUGLE_RETENTION_ISSUE_EVENTS", "20");
    assert_eq!(kept(&app, 200), 19, "a twentieth less than the limit");
    assert_eq!(kept(&app, 12), 12);
    let stay = kept_ids(&app);
    let places: Vec<usize> = (0..ids.len())
        .filter(|place| stay.contains(&ids[*place]))
        .collect();
    assert_eq!((places[0], places[places.len() - 1]), (0, 199));
    for half in [0..100, 100..200] {
        let in_half = places.iter().filter(|place| half.contains(*place)).count();
        assert!(in_half >= 4, "{places:?}");
    }
    sums_are_those_of_the_rows(&app);

    // The page of the issue goes from one kept event to the next.
    let user = app.user();
    let issue = app.only_issue("loud");
    let base = format!("/acme/issues/{}/", issue["id"].as_str().expect("an id"));
    let oldest = user.open(&format!("{base}events/{}/", ids[0])).expect(200);
    oldest.shows("oldest kept");
    let next = format!("{base}events/{}/", ids[places[1]]);
    assert!(oldest.links().contains(&next), "{:?}", oldest.links());
    user.open(&base).expect(200).shows("200");
    let gone = (0..200)
        .find(|place| !places.contains(place))
        .expect("some are gone");
    user.open(&format!("{base}events/{}/", ids[gone]))
        .expect(404);
}

#[test]
fn a_limit_in_bytes_is_kept_while_events_come_in() {
    let app = App::start();
    flood(&app, "loud", 400);
    flood(&app, "quiet", 3);
    app.wait_idle();
    let size = format!(
        "SELECT CAST(SUM(stored_bytes + 150 * stored_events) AS {}) AS number FROM issues",
        integer()
    );
    let limit = app.database.number(&size) / 3;
    thread::scope(|scope| {
        let sending = scope.spawn(|| flood(&app, "meanwhile", 150));
        retention(&app, "BUGLE_RETENTION_BYTES", &limit.to_string());
        sending.join().expect("sends");
    });
    app.wait_idle();
    sums_are_those_of_the_rows(&app);
    retention(&app, "BUGLE_RETENTION_BYTES", &limit.to_string());
    let now = app.database.number(&size);
    assert!(
        now <= limit && now > limit * 3 / 4,
        "{now} of at most {limit}"
    );
    assert_eq!(kept(&app, 3), 3);
    assert_eq!(seen(&app), 553);
    sums_are_those_of_the_rows(&app);
}

#[test]
fn a_project_can_have_limits_of_its_own() {
    let app = App::start();
    flood(&app, "loud", 60);
    app.sdk_of(&app.world().web_dsn)
        .send(&error("TypeError", "x is undefined", "click"));
    app.wait_idle();
    let own = |value: &str| {
        let arguments = [
            "project",
            "retention",
            "--org",
            "acme",
            "--slug",
            "shop",
            "--events",
            value,
        ];
        app.cli(&arguments).success();
    };
    own("none");
    retention(&app, "BUGLE_RETENTION_EVENTS", "30");
    assert_eq!(kept(&app, 60), 60, "the project has no limit");
    own("40");
    app.cli(&["retention"]).success();
    assert_eq!(kept(&app, 60), 38, "its own limit");
    own("default");
    retention(&app, "BUGLE_RETENTION_EVENTS", "30");
    assert_eq!(kept(&app, 60), 29, "the server's limit");
    assert_eq!(kept(&app, 1), 1);
    let unknown = [
        "project",
        "retention",
        "--org",
        "acme",
        "--slug",
        "none",
        "--events",
        "1",
    ];
    assert!(app.cli(&unknown).failure().contains("no project"));

    let hopeless = {
        let mut environment = app.environment.clone();
        environment.insert("BUGLE_RETENTION_EVENTS".to_owned(), "1".to_owned());
        cli::run(&environment, &["retention"]).failure()
    };
    assert!(hopeless.contains("first and latest"), "{hopeless}");
    assert_eq!(kept(&app, 60), 2);
    sums_are_those_of_the_rows(&app);
}

#[test]
fn what_is_too_old_leaves_the_sums_as_well() {
    let app = App::start();
    let ids = flood(&app, "loud", 30);
    app.wait_idle();
    let fresh = app.sdk().send(&error("KeyError", "'price'", "loud"));
    app.wait_idle();
    // All but the latest were received a hundred days earlier.
    let back = (100_i64 * 24 * 60 * 60 * 1000) << 22;
    let latest = app.database.number("SELECT MAX(id) AS number FROM events");
    app.database.execute(&format!(
        "UPDATE events SET id = id - {back} WHERE id < {latest}"
    ));
    let done = app.cli(&["retention"]).success();
    assert!(done.contains("deleted 30 events"), "{done}");
    assert_eq!(kept_ids(&app), BTreeSet::from([fresh]));
    assert_eq!(kept(&app, ids.len() + 1), 1);
    sums_are_those_of_the_rows(&app);
}
