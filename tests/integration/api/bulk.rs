//! In: one change for many issues, named by number or by query. Out: exactly those changed, each with its history.

use serde_json::{Value, json};

use crate::harness::App;
use crate::harness::sdk::error;

#[test]
fn many_issues_change_at_once() {
    let app = App::start();
    let (sdk, api) = (app.sdk(), app.api());
    for number in 0..5 {
        sdk.send(&error("KeyError", "'price'", &format!("function_{number}")));
    }
    app.sdk_of(&app.world().web_dsn)
        .send(&error("TypeError", "x", "click"));
    app.wait_idle();
    let ids: Vec<Value> = api
        .list("/projects/acme/shop/issues/?query=&sort=new")
        .iter()
        .map(|issue| issue["id"].clone())
        .collect();
    let id = |at: usize| ids[at].as_str().expect("ids are texts");
    let count = |query: &str| api.issues(query).len();

    let path = format!("/organizations/acme/issues/?id={}&id={}", id(0), id(1));
    let answer = api.put(
        &path,
        &json!({"status": "resolved", "snoozeDuration": null}),
    );
    assert_eq!(
        answer,
        json!({"status": "resolved", "statusDetails": {}, "substatus": null})
    );
    assert_eq!(count("is:resolved"), 2);
    let history = api.get(&format!("/issues/{}/activities/", id(0)));
    assert_eq!(history["activity"][0]["type"], "set_resolved");
    assert_eq!(history["activity"][0]["user"]["email"], "owner@example.com");

    // Of another project, of another organization, and none at all: nothing matches.
    let elsewhere = format!("/projects/acme/web/issues/?id={}", id(2));
    for path in [&elsewhere, "/organizations/acme/issues/?id=999999"] {
        api.raw("PUT", path, Some(&json!({"status": "resolved"})))
            .expect(204);
    }
    assert_eq!(count("is:resolved"), 2);

    api.put(
        "/projects/acme/shop/issues/?status=resolved",
        &json!({"status": "muted"}),
    );
    assert_eq!((count("is:resolved"), count("is:ignored")), (0, 2));
    api.put(
        "/organizations/acme/issues/?query=TypeError",
        &json!({"status": "ignored"}),
    );
    assert_eq!(count("is:ignored"), 3);
    api.put(
        "/projects/acme/shop/issues/?",
        &json!({"status": "resolved"}),
    );
    assert_eq!(
        (count("is:resolved"), count("is:ignored")),
        (5, 1),
        "all of one project"
    );

    for (path, body) in [
        (path.as_str(), json!({"status": "gone"})),
        (&path, json!({})),
        (&path, json!({"status": "ignored", "ignoreWindow": 30})),
        (
            &path,
            json!({"status": "resolved", "statusDetails": {"inNextRelease": true}}),
        ),
        (
            "/organizations/acme/issues/?id=x",
            json!({"status": "resolved"}),
        ),
        (
            "/organizations/acme/issues/?query=is:odd",
            json!({"status": "resolved"}),
        ),
    ] {
        let answer = api.raw("PUT", path, Some(&body)).expect(400).json();
        assert!(answer["detail"].is_string(), "{answer}");
    }
}
