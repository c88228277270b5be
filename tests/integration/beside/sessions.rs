//! In: sessions as SDKs tell of them, one by one and in sums, in any order and twice. Out: the health of a release, each session counted once.

use serde_json::{Value, json};

use super::envelope;
use crate::harness::App;
use crate::harness::database::integer;
use crate::harness::poll;
use crate::harness::sdk::{new_id, now};

const RELEASE: &str = "shop@1.0";

fn update(sid: &str, status: &str, errors: u32, more: &Value) -> Value {
    let mut session = json!({
        "sid": sid, "started": now(), "timestamp": now(), "status": status, "errors": errors,
        "attrs": {"release": RELEASE, "environment": "production"},
    });
    let (Value::Object(session_map), Value::Object(more)) = (&mut session, more) else {
        panic!("sessions are objects")
    };
    session_map.extend(more.clone());
    session
}

fn send(app: &App, sessions: &[Value]) {
    let items: Vec<(Value, Vec<u8>)> = sessions
        .iter()
        .map(|session| {
            let kind = if session.get("aggregates").is_some() {
                "sessions"
            } else {
                "session"
            };
            (json!({"type": kind}), session.to_string().into_bytes())
        })
        .collect();
    app.sdk().envelope(&envelope(None, &items)).expect(200);
    app.wait_idle();
}

fn health(app: &App) -> Value {
    app.api().get("/organizations/acme/releases/shop%401.0/")["healthData"].clone()
}

fn sums(health: &Value) -> [i64; 5] {
    [
        "totalSessions",
        "sessionsCrashed",
        "sessionsUnhandled",
        "sessionsAbnormal",
        "sessionsErrored",
    ]
    .map(|name| {
        health[name]
            .as_i64()
            .unwrap_or_else(|| panic!("{name} in {health}"))
    })
}

#[test]
fn a_session_counts_once_and_as_the_worst_that_was_told() {
    let app = App::start();
    let (one, two, three) = (new_id(), new_id(), new_id());
    let first = json!({"init": true, "did": "jane"});
    send(&app, &[update(&one, "ok", 0, &first)]);
    assert_eq!(sums(&health(&app)), [1, 0, 0, 0, 0]);
    send(&app, &[update(&one, "ok", 2, &json!({"did": "jane"}))]);
    assert_eq!(sums(&health(&app)), [1, 0, 0, 0, 1]);
    // Told twice, in one request and in another, and better than before.
    let crash = update(&one, "crashed", 2, &json!({"did": "jane"}));
    send(&app, &[crash.clone(), crash.clone()]);
    send(&app, &[crash, update(&one, "exited", 0, &json!({}))]);
    assert_eq!(sums(&health(&app)), [1, 1, 0, 0, 0]);
    // The end before the beginning, as browsers do.
    send(
        &app,
        &[update(&two, "unhandled", 1, &json!({"did": "yuki"}))],
    );
    send(
        &app,
        &[update(&two, "ok", 0, &json!({"init": true, "did": "yuki"}))],
    );
    // All of it at once, and again because nobody answered.
    let whole = update(&three, "exited", 0, &json!({"init": true, "did": "jane"}));
    send(&app, std::slice::from_ref(&whole));
    send(&app, &[whole]);
    let health = health(&app);
    assert_eq!(sums(&health), [3, 1, 1, 0, 0]);
    assert_eq!(health["totalUsers"], 2);
    assert_eq!(health["crashFreeUsers"], 50.0);
    assert_eq!(health["sessionsAdoption"], 100.0);
}

#[test]
fn sums_of_servers_and_their_release_are_shown() {
    let app = App::start();
    let sums_of = |release: &str, exited: u32, crashed: u32| {
        json!({"aggregates": [
            {"started": now(), "exited": exited, "errored": 2, "crashed": crashed},
            {"started": now(), "abnormal": 1, "did": "worker-1"},
        ], "attrs": {"release": release}})
    };
    send(&app, &[sums_of(RELEASE, 96, 1), sums_of("shop@0.9", 50, 0)]);
    let health = health(&app);
    assert_eq!(sums(&health), [100, 1, 0, 1, 2]);
    assert_eq!(health["crashFreeSessions"], 99.0);
    let user = app.user();
    let page = user.open("/acme/releases/shop%401.0/").expect(200);
    page.shows("Release health the last 14 days");
    page.shows("Crash-free sessions 99.00%");
    page.shows("Crash-free users 100%");
    page.shows("1 crashed, 0 with an unhandled error, 1 ended abnormally, 2 with handled errors");
    let list = user.open("/acme/releases/").expect(200);
    list.shows("shop@1.0 shop");
    list.shows("99.00%");
    list.shows("100%");
    let quiet = json!({"version": "shop@2.0", "projects": ["shop"]});
    app.api()
        .raw("POST", "/organizations/acme/releases/", Some(&quiet))
        .expect(201);
    let none = app.api().get("/organizations/acme/releases/shop%402.0/");
    assert!(none["healthData"].is_null());
    assert!(
        !user
            .open("/acme/releases/shop%402.0/")
            .expect(200)
            .words()
            .contains("Release health")
    );
}

#[test]
fn what_is_no_session_is_counted_by_reason() {
    let app = App::start();
    let mixed = json!({"aggregates": [
        {"started": now(), "exited": 3}, {"started": "2020-01-01T00:00:00Z", "exited": 2},
    ], "attrs": {"release": "shop@1.1"}});
    send(&app, &[mixed]);
    let mut old = update(&new_id(), "ok", 0, &json!({"init": true}));
    old["started"] = json!("2020-01-01T00:00:00Z");
    let mut nameless = update(&new_id(), "ok", 0, &json!({}));
    nameless["attrs"] = json!({});
    send(
        &app,
        &[old, nameless, update("nonsense", "ok", 0, &json!({}))],
    );
    let many: Vec<Value> = (0..105)
        .map(|_| update(&new_id(), "exited", 0, &json!({"init": true})))
        .collect();
    send(&app, &many);
    let usage = |condition: &str| {
        app.database.number(&format!(
            "SELECT CAST(COALESCE(SUM(quantity), 0) AS {}) AS number FROM usage_hours WHERE category = 'session' AND {condition}",
            integer()
        ))
    };
    poll::until("everything is counted", || {
        usage("reason = 'too_large'") == 5
            && usage("reason = 'too_old'") == 3
            && usage("reason = 'no_release'") == 1
            && usage("reason = 'no_session_id'") == 1
    });
    assert_eq!(usage("outcome = 'accepted'"), 103);
    assert_eq!(sums(&health(&app)), [100, 0, 0, 0, 0]);
}
