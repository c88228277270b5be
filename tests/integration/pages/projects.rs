//! In: organizations and projects. Out: a first project with its DSN, and other people's as if they did not exist.

use regex::Regex;
use serde_json::json;

use crate::harness::sdk::error;
use crate::harness::{Api, App, PASSWORD, STRANGER};

#[test]
fn the_first_project() {
    let app = App::start();
    let user = app.user();
    let page = user.open("/acme/projects/new").expect(200);
    let form = page.form_with("name=\"name\"");
    let page = user
        .submit(
            &page,
            &form,
            &[("name", "Back office"), ("platform", "python")],
        )
        .expect(200);
    page.shows("sentry_sdk.init");
    let dsn = Regex::new(r"http://[0-9a-f]{32}@[^/\s&]+/\d+").expect("a fixed pattern");
    let words = page.words();
    let dsn = dsn
        .find(&words)
        .unwrap_or_else(|| panic!("no DSN: {words}"))
        .as_str();
    assert!(
        words.to_lowercase().contains("waiting for the first event"),
        "{words}"
    );
    app.sdk_of(dsn).send(&error("KeyError", "'price'", "total"));
    app.wait_idle();
    assert_eq!(app.only_issue("")["shortId"], "BACK-OFFICE-1");
}

#[test]
fn other_organizations_look_like_nothing() {
    let app = App::start();
    let secret = app.sdk_of(&app.world().secret_dsn);
    let event_id = secret.send(&error("SecretError", "nobody's business", "total"));
    app.wait_idle();
    let strangers = Api::new(app.base(), &app.world().stranger_token);
    let issue = strangers.list("/organizations/umbrella/issues/").remove(0)["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let user = app.user();
    let mut paths = vec!["/umbrella/issues/".to_owned()];
    for org in ["umbrella", "acme"] {
        paths.push(format!("/{org}/issues/{issue}/"));
        paths.push(format!("/{org}/issues/{issue}/events/{event_id}/"));
    }
    for path in &paths {
        let page = user.open(path).expect(404);
        assert!(!page.text().contains("SecretError"), "{page}");
    }
    let api = app.api();
    for path in [
        "/organizations/umbrella/issues/",
        "/organizations/umbrella/projects/",
        "/projects/umbrella/secret/issues/",
    ] {
        api.raw("GET", path, None).expect(404);
    }
    for org in ["umbrella", "acme"] {
        api.raw(
            "GET",
            &format!("/organizations/{org}/issues/{issue}/"),
            None,
        )
        .expect(404);
        api.raw(
            "PUT",
            &format!("/organizations/{org}/issues/{issue}/"),
            Some(&json!({"status": "resolved"})),
        )
        .expect(404);
    }
    api.raw(
        "GET",
        &format!("/projects/acme/shop/events/{event_id}/"),
        None,
    )
    .expect(404);
    assert_eq!(
        strangers.list("/organizations/umbrella/issues/")[0]["status"],
        "unresolved"
    );
    let visitor = app.visitor();
    visitor.sign_in(STRANGER, PASSWORD);
    visitor.open("/acme/issues/").expect(404);
}
