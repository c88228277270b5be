//! In: keys created, rotated, disabled, limited and deleted, on the page, in the API and on the command line. Out: what
//! ingest takes from then on, on the node that answers.

use serde_json::json;

use crate::harness::cli::run_with_input;
use crate::harness::{Api, App, OWNER, PASSWORD, STRANGER, Sdk, poll};
use crate::limits::{attempt, limit_key};

const PAGE: &str = "/acme/projects/shop/keys/";

fn dsns(app: &App) -> Vec<String> {
    let list = app
        .cli(&["key", "list", "--org", "acme", "--project", "shop"])
        .success();
    list.lines()
        .map(|line| line.rsplit(' ').next().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn a_key_is_rotated_on_its_page() {
    let app = App::start();
    let user = app.user();
    let old = app.sdk();
    limit_key(&app, &["--per-minute", "0", "--per-month", "5000"]);
    let page = user.open(PAGE).expect(200);
    page.shows("Keys of shop");
    assert!(page.text().contains("value=\"5,000\""), "{page}");
    let page = user
        .submit(&page, &page.form_of_button("Make a new key"), &[])
        .expect(200);
    page.shows("New key made.");
    page.shows("Default (old)");
    let [_, new] = dsns(&app).try_into().expect("two keys");
    let new: Sdk = app.sdk_of(&new);
    assert!(page.words().contains(&new.key), "{page}");
    attempt(&old).expect(200);
    attempt(&new).expect(200);
    let limits = app
        .api()
        .get(&format!("/projects/acme/shop/keys/{}/", new.key));
    assert_eq!(limits["limits"], json!({"minute": 0, "month": 5000}));

    // The page comes back once the node knows.
    let page = user
        .submit(&page, &page.form_of_button("Disable"), &[])
        .expect(200);
    page.shows("Key disabled.");
    attempt(&old).expect(403);
    attempt(&new).expect(200);
    let page = user
        .submit(&page, &page.form_of_button("Enable"), &[])
        .expect(200);
    attempt(&old).expect(200);

    // No time left for the old one.
    let form = page.form_of_button("Make a new key");
    let page = user.submit(&page, &form, &[("grace", "0")]).expect(200);
    attempt(&old).expect(403);
    let form = page.form_of_button("Delete for good");
    let page = user.submit(&page, &form, &[]).expect(200);
    page.shows("Key deleted.");
    assert!(!page.words().contains(&old.key), "{page}");
    attempt(&old).expect(403);
    attempt(&new).expect(200);
    let form = page.form_of_button("Create key");
    let page = user
        .submit(&page, &form, &[("label", "CI <b>&")])
        .expect(200);
    page.shows("CI <b>&");
    let form = page.form_of_button("Save");
    let values = [("label", "Renamed"), ("minute", "1,000"), ("month", "")];
    user.submit(&page, &form, &values)
        .expect(200)
        .shows("Renamed");
    app.wait_idle();
}

#[test]
fn members_see_keys_and_change_none() {
    let app = App::start();
    let member = "member@example.com";
    let create = ["user", "create", "--email", member, "--password-stdin"];
    run_with_input(&app.environment, &create, PASSWORD).success();
    app.cli(&["org", "member", "add", "--org", "acme", "--email", member])
        .success();
    let visitor = app.visitor();
    visitor.sign_in(member, PASSWORD);
    let owner = app.user();
    let wanted = owner.open(PAGE).expect(200).form_of_button("Disable");
    let page = visitor.open(PAGE).expect(200);
    assert!(!page.text().contains("Make a new key"), "{page}");
    page.shows(&app.sdk().key);
    for (action, value) in [
        (wanted.action.as_str(), "disable"),
        (wanted.action.as_str(), "delete"),
        (PAGE, "create"),
        ("/acme/usage/limits", ""),
        ("/acme/projects/shop/limits", ""),
    ] {
        let mut form = page.form_with("data-theme-switch");
        action.clone_into(&mut form.action);
        let values = [("action", value), ("label", "mine"), ("month", "1")];
        visitor.submit(&page, &form, &values).expect(403);
    }
    attempt(&app.sdk()).expect(200);
    let visitor = app.visitor();
    visitor.sign_in(STRANGER, PASSWORD);
    for path in [PAGE, "/acme/usage/", "/acme/usage/doctor/"] {
        visitor.open(path).expect(404);
    }
    app.wait_idle();
}

#[test]
fn the_api_changes_keys() {
    let app = App::start();
    let api = app.api();
    let path = "/projects/acme/shop/keys/";
    let body = json!({"name": "backend", "rateLimit": {"window": 60, "count": 100}});
    let made = api.raw("POST", path, Some(&body)).expect(201).json();
    assert_eq!(made["name"], "backend");
    assert_eq!(made["rateLimit"], json!({"window": 60, "count": 100}));
    let own = format!("{path}{}/", made["id"].as_str().expect("an id"));
    let sdk = app.sdk_of(made["dsn"]["public"].as_str().expect("a DSN"));
    poll::until("the key works", || attempt(&sdk).status == 200);
    let changed = api.put(
        &own,
        &json!({"isActive": false, "rateLimit": null, "name": "front"}),
    );
    assert_eq!(changed["isActive"], false);
    assert_eq!(changed["rateLimit"], json!(null));
    assert_eq!(changed["label"], "front");
    assert_eq!(api.get(&own), changed);
    assert_eq!(api.list(path).len(), 2);
    poll::until("the key is refused", || attempt(&sdk).status == 403);
    api.raw(
        "PUT",
        &own,
        Some(&json!({"rateLimit": {"window": 7, "count": 1}})),
    )
    .expect(400);

    let reader = app
        .cli(&[
            "token",
            "create",
            "--user",
            OWNER,
            "--scopes",
            "project:read",
        ])
        .success();
    let reader = Api::new(app.base(), &reader);
    reader.get(&own);
    for (method, path) in [("POST", path), ("PUT", &own), ("DELETE", &own)] {
        reader.raw(method, path, Some(&json!({}))).expect(403);
    }
    let stranger = Api::new(app.base(), &app.world().stranger_token);
    stranger.raw("DELETE", &own, None).expect(404);
    api.raw("DELETE", &own, None).expect(204);
    api.raw("GET", &own, None).expect(404);
    app.wait_idle();
}

#[test]
fn the_command_line_changes_keys() {
    let app = App::start();
    let run = |arguments: &[&str]| {
        let mut all = vec!["key", arguments[0], "--org", "acme", "--project", "shop"];
        all.extend_from_slice(&arguments[1..]);
        app.cli(&all)
    };
    let old = app.sdk();
    let new = app.sdk_of(&run(&["rotate", &old.key, "--grace", "24"]).success());
    attempt(&old).expect(200);
    attempt(&new).expect(200);
    let list = run(&["list"]).success();
    assert!(
        list.contains("until 2") && list.contains("Default (old)"),
        "{list}"
    );
    // Commands come back once every node knows.
    assert!(run(&["disable", &old.key]).success().contains("disabled"));
    attempt(&old).expect(403);
    run(&["enable", &old.key]).success();
    attempt(&old).expect(200);
    let line = run(&["limit", &new.key, "--per-minute", "7"]).success();
    assert!(line.contains("a minute: 7, a month: no limit"), "{line}");
    for wrong in [
        &["disable", "nonsense"][..],
        &["limit", &new.key],
        &["limit", &new.key, "--per-month", "many"],
        &["limit", &new.key, "--per-month", "-5"],
    ] {
        run(wrong).failure();
    }
    let elsewhere = app.cli(&[
        "key",
        "disable",
        "--org",
        "umbrella",
        "--project",
        "secret",
        &new.key,
    ]);
    elsewhere.failure();
    attempt(&new).expect(200);
    app.wait_idle();
}
