//! In: what a person does with an issue, and the error coming again. Out: its status, regressions included.

use serde_json::json;

use crate::harness::sdk::error;
use crate::harness::{App, poll};

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
