//! In: commits with the files they touched, as sentry-cli sends them, and an error. Out: the commits that may have brought it, for
//! people and programs; no guess where none touched its files.

use serde_json::{Value, json};

use crate::harness::App;
use crate::harness::sdk::{error, with};

const RELEASES: &str = "/organizations/acme/releases/";

fn commit(id: &str, day: u32, files: &Value) -> Value {
    json!({"id": id, "message": format!("Change {id}\n\nat length"), "author_name": "Yuki", "author_email": "yuki@example.com",
        "timestamp": format!("2026-02-{day:02}T00:00:00Z"), "repository": "https://git.example.com/acme/shop.git", "patch_set": files})
}

fn put(app: &App, version: &str, commits: &[Value]) {
    let body = json!({"version": version, "projects": ["shop"], "commits": commits});
    app.api().raw("POST", RELEASES, Some(&body)).expect(201);
}

fn suspects(app: &App, event: &str) -> Vec<String> {
    let found = app
        .api()
        .get(&format!("/projects/acme/shop/events/{event}/committers/"));
    let authors = found["committers"].as_array().expect("a list");
    let commits = authors
        .iter()
        .flat_map(|one| one["commits"].as_array().expect("commits"));
    commits
        .map(|one| one["id"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn the_commits_that_touched_its_files_are_named() {
    let app = App::start();
    let cart = json!([{"path": "backend/checkout/cart.py", "type": "M"}]);
    let other =
        json!([{"path": "backend/cart.py", "type": "M"}, {"path": "lib/web.py", "type": "A"}]);
    let commits = [
        commit("e5e5e5e5e5", 5, &other),
        commit("a1a1a1a1a1", 1, &cart),
        commit("d4d4d4d4d4", 4, &cart),
        commit("c3c3c3c3c3", 3, &cart),
        commit("b2b2b2b2b2", 2, &cart),
    ];
    put(&app, "shop@1", &commits);
    put(&app, "shop@2", &[commit("f6f6f6f6f6", 6, &other)]);
    let sent = |kind: &str, release: &str| {
        let event = with(error(kind, "no", kind), &json!({"release": release}));
        app.sdk().send(&event)
    };
    let (event, quiet, bare) = (
        sent("Price", "shop@1"),
        sent("Stock", "shop@2"),
        sent("Bare", "shop@3"),
    );
    app.wait_idle();
    assert_eq!(
        suspects(&app, &event),
        ["d4d4d4d4d4", "c3c3c3c3c3", "b2b2b2b2b2"]
    );
    let found = app
        .api()
        .get(&format!("/projects/acme/shop/events/{event}/committers/"));
    let committer = &found["committers"][0];
    assert_eq!(committer["author"]["email"], "yuki@example.com");
    assert_eq!(
        committer["commits"][0]["file"],
        json!({"path": "backend/checkout/cart.py", "type": "M"})
    );
    for event in [quiet, bare] {
        assert!(suspects(&app, &event).is_empty());
    }

    let user = app.user();
    let issue = app.only_issue("is:unresolved Price");
    let page = user
        .open(&format!(
            "/acme/issues/{}/",
            issue["id"].as_str().unwrap_or_default()
        ))
        .expect(200);
    for text in [
        "Suspect commits",
        "Change d4d4d4d4d4",
        "d4d4d4d",
        "Yuki changed backend/checkout/cart.py",
    ] {
        page.shows(text);
    }
    assert!(
        page.text()
            .contains("https://git.example.com/acme/shop/commit/d4d4d4d4d4")
    );
    assert!(!page.words().contains("a1a1a1a"), "three are enough");
    let issue = app.only_issue("is:unresolved Stock");
    let page = user
        .open(&format!(
            "/acme/issues/{}/",
            issue["id"].as_str().unwrap_or_default()
        ))
        .expect(200);
    assert!(!page.words().contains("Suspect commits"));
}

#[test]
fn where_it_came_back_the_commits_of_that_release_count() {
    let app = App::start();
    let cart = json!([{"path": "checkout/cart.py", "type": "M"}]);
    put(&app, "shop@1", &[commit("a1a1a1a1a1", 1, &cart)]);
    put(&app, "shop@2", &[commit("b2b2b2b2b2", 2, &cart)]);
    let sent = |release: &str| {
        let event = with(error("Price", "no", "pay"), &json!({"release": release}));
        let id = app.sdk().send(&event);
        app.wait_idle();
        id
    };
    let first = sent("shop@1");
    assert_eq!(suspects(&app, &first), ["a1a1a1a1a1"]);
    let id = app.only_issue("is:unresolved")["id"].clone();
    let issue = format!("/issues/{}/", id.as_str().unwrap_or_default());
    app.api().put(&issue, &json!({"status": "resolved"}));
    let again = sent("shop@2");
    assert_eq!(suspects(&app, &again), ["b2b2b2b2b2"]);

    // What a build says anew replaces what was known.
    let body = json!({"commits": [commit("c3c3c3c3c3", 3, &json!([{"path": "", "type": "M"}, {"path": "checkout/cart.py", "type": "X"}]))]});
    app.api().put(&format!("{RELEASES}shop%402/"), &body);
    assert!(suspects(&app, &again).is_empty());
}

#[test]
fn long_lists_of_files_are_cut() {
    let app = App::start();
    let files: Vec<Value> = (0..600)
        .map(|number| json!({"path": format!("src/{number}.py"), "type": "A"}))
        .collect();
    let commits: Vec<Value> = (1..=45)
        .map(|number| commit(&format!("{number:010}"), 1, &json!(files)))
        .collect();
    put(&app, "shop@1", &commits);
    let kept = app
        .database
        .number("SELECT COUNT(*) AS number FROM commit_files");
    assert_eq!(kept, 20_000);
    let one = format!("{RELEASES}shop%401/");
    app.api().raw("DELETE", &one, None).expect(204);
    let kept = app
        .database
        .number("SELECT COUNT(*) AS number FROM commit_files");
    assert_eq!(kept, 0);
}
