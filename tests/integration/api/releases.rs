//! In: what builds say of releases, in the words of sentry-cli. Out: releases with commits and deploys, beside what events say.

use serde_json::json;

use crate::harness::App;
use crate::harness::sdk::{error, with};

const RELEASES: &str = "/organizations/acme/releases/";

#[test]
fn a_build_makes_a_release_and_finishes_it() {
    let app = App::start();
    let api = app.api();
    let body = json!({"version": "shop@1.0", "projects": ["shop"], "dateStarted": "2026-01-31T12:00:00.123456789Z"});
    let made = api.raw("POST", RELEASES, Some(&body)).expect(201).json();
    assert_eq!(made["version"], "shop@1.0");
    assert_eq!(made["shortVersion"], "1.0");
    assert!(made["id"].is_number());
    assert!(made["dateReleased"].is_null());
    assert_eq!(made["projects"][0]["slug"], "shop");
    // Every step of a pipeline makes it again.
    api.raw("POST", RELEASES, Some(&body)).expect(208);
    let below_project = "/projects/acme/shop/releases/";
    api.raw("POST", below_project, Some(&json!({"version": "shop@1.0"})))
        .expect(208);

    let one = format!("{RELEASES}shop%401.0/");
    let released =
        json!({"dateReleased": "2026-02-01T00:00:00Z", "url": "https://ci.example.com/1"});
    let done = api.put(&one, &released);
    assert_eq!(done["dateReleased"], "2026-02-01T00:00:00.000000Z");
    assert_eq!(done["url"], "https://ci.example.com/1");
    assert_eq!(api.get(&one)["dateStarted"], done["dateStarted"]);
    for list in [RELEASES, below_project] {
        let versions: Vec<_> = api
            .list(list)
            .iter()
            .map(|one| one["version"].clone())
            .collect();
        assert_eq!(versions, ["shop@1.0"], "{list}");
    }
    assert_eq!(api.list(&format!("{RELEASES}?query=shop%40")).len(), 1);
    assert_eq!(api.list(&format!("{RELEASES}?query=100%25")).len(), 0);
    api.raw("DELETE", &one, None).expect(204);
    api.raw("GET", &one, None).expect(404);
    api.raw("PUT", &one, Some(&released)).expect(404);
}

#[test]
fn commits_and_deploys_belong_to_a_release() {
    let app = App::start();
    let api = app.api();
    for version in ["shop@1", "shop@2"] {
        let body = json!({"version": version, "projects": ["shop"]});
        api.raw("POST", RELEASES, Some(&body)).expect(201);
    }
    let commits = json!({"commits": [
        {"id": "b2", "message": "second", "author_name": "Yuki", "author_email": "yuki@example.com", "timestamp": "2026-02-01T00:00:00Z",
         "repository": "acme/shop", "patch_set": [{"path": "src/cart.ts", "type": "M"}]},
        {"id": "a1", "message": "first", "author_name": "Yuki", "author_email": "yuki@example.com", "timestamp": "2026-01-31T00:00:00Z",
         "repository": "acme/shop", "patch_set": []},
    ]});
    let first = format!("{RELEASES}shop%401/");
    let release = api.put(&first, &commits);
    assert_eq!(release["commitCount"], 2);
    assert_eq!(release["lastCommit"]["id"], "b2");
    let yuki = json!({"name": "Yuki", "email": "yuki@example.com"});
    assert_eq!(release["authors"], json!([yuki]));
    let listed = api.list(&format!("{first}commits/"));
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[1]["message"], "first");
    assert_eq!(listed[0]["author"]["email"], "yuki@example.com");
    let previous = api.get(&format!("{RELEASES}shop%402/previous-with-commits/"));
    assert_eq!(previous["version"], "shop@1");
    assert_eq!(
        api.get(&format!("{first}previous-with-commits/")),
        json!({})
    );

    let deploys = format!("{first}deploys/");
    let made = api
        .raw(
            "POST",
            &deploys,
            Some(&json!({"environment": "production", "name": "blue"})),
        )
        .expect(201)
        .json();
    assert!(made["id"].is_string());
    assert_eq!(made["environment"], "production");
    assert_eq!(api.list(&deploys).len(), 1);
    assert_eq!(api.get(&first)["lastDeploy"]["name"], "blue");
    assert_eq!(api.get(&first)["deployCount"], 1);
    let refused = api
        .raw("POST", &deploys, Some(&json!({"environment": "a/b"})))
        .expect(400);
    assert!(refused.json()["environment"][0].is_string());
    assert_eq!(api.list("/organizations/acme/repos/").len(), 0);
}

#[test]
fn what_events_say_and_what_builds_say_are_one_release() {
    let app = App::start();
    let api = app.api();
    let event = error("ValueError", "no", "pay");
    app.sdk().send(&with(event, &json!({"release": "shop@3"})));
    app.wait_idle();
    let one = format!("{RELEASES}shop%403/");
    let seen = api.get(&one);
    assert_eq!(seen["newGroups"], 1);
    assert!(seen["firstEvent"].is_string());
    let body = json!({"version": "shop@3", "projects": ["shop"], "status": "archived"});
    api.raw("POST", RELEASES, Some(&body)).expect(201);
    assert_eq!(api.list(RELEASES).len(), 0);
    assert_eq!(api.list(&format!("{RELEASES}?status=archived")).len(), 1);
    let both = api.get(&one);
    assert_eq!(both["firstEvent"], seen["firstEvent"]);
    assert_eq!(both["projects"].as_array().map(Vec::len), Some(1));
    // Its events would be left without it.
    api.raw("DELETE", &one, None).expect(409);
}

#[test]
fn what_makes_no_sense_is_refused_and_others_learn_nothing() {
    let app = App::start();
    let api = app.api();
    for version in [
        "",
        ".",
        "..",
        "latest",
        "a/b",
        "a\\b",
        "a\nb",
        " a",
        &"v".repeat(201),
    ] {
        let body = json!({"version": version});
        api.raw("POST", RELEASES, Some(&body)).expect(400);
    }
    for body in [
        json!({}),
        json!({"version": "a", "projects": ["nobodys"]}),
        json!({"version": "a", "status": "lost"}),
        json!({"version": "a", "url": "https://ci.example.com/\0"}),
        json!({"version": "a", "dateReleased": "soon"}),
        json!({"version": "a", "commits": "none"}),
    ] {
        api.raw("POST", RELEASES, Some(&body)).expect(400);
    }
    assert_eq!(api.list(RELEASES).len(), 0);
    api.raw("POST", RELEASES, Some(&json!({"version": "a"})))
        .expect(201);
    // Named twice is named once.
    let twice = json!({"version": "a", "projects": ["shop", "web", "shop"]});
    let release = api.raw("POST", RELEASES, Some(&twice)).expect(208).json();
    assert_eq!(release["projects"].as_array().map(Vec::len), Some(2));
    api.raw("GET", &format!("{RELEASES}%00/"), None).expect(404);
    assert_eq!(api.list(&format!("{RELEASES}?query=%00")).len(), 0);
    let foreign = "/organizations/elsewhere/releases/";
    api.raw("GET", foreign, None).expect(404);
    api.raw("POST", foreign, Some(&json!({"version": "a"})))
        .expect(404);
    let reader = app.cli(&[
        "token",
        "create",
        "--user",
        crate::harness::OWNER,
        "--scopes",
        "event:read",
    ]);
    let reader = crate::harness::api::Api::new(app.base(), reader.success().trim());
    reader.raw("GET", RELEASES, None).expect(403);
    reader
        .raw("POST", RELEASES, Some(&json!({"version": "b"})))
        .expect(403);
    reader
        .raw("DELETE", &format!("{RELEASES}a/"), None)
        .expect(403);
}

#[test]
fn an_organizations_token_is_for_builds_and_nothing_else() {
    let app = App::start();
    let made = app
        .api()
        .raw(
            "POST",
            "/organizations/acme/org-auth-tokens/",
            Some(&json!({"name": "CI"})),
        )
        .expect(201)
        .json();
    let secret = made["token"].as_str().expect("the secret, once").to_owned();
    let by_command = app.cli(&["token", "create", "--org", "acme", "--base-url", app.base()]);
    for secret in [secret.as_str(), by_command.success().trim()] {
        let parts: Vec<&str> = secret.split('_').collect();
        assert_eq!((parts.len(), parts[0]), (3, "sntrys"));
        let claims = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, parts[1])
            .expect("Base64 with padding");
        let claims: serde_json::Value = serde_json::from_slice(&claims).expect("JSON");
        assert_eq!(claims["org"], "acme");
        assert_eq!(claims["url"], app.base());
        let build = crate::harness::api::Api::new(app.base(), secret);
        assert_eq!(build.get("/")["user"], json!(null));
        assert_eq!(build.get("/")["auth"]["scopes"], json!(["org:ci"]));
        build.raw("POST", RELEASES, Some(&json!({"version": "a"})));
        assert_eq!(build.list(RELEASES).len(), 1);
        build.get("/organizations/acme/chunk-upload/");
        for closed in [
            "/organizations/acme/issues/",
            "/projects/acme/shop/keys/",
            "/organizations/acme/org-auth-tokens/",
        ] {
            build.raw("GET", closed, None).expect(403);
        }
        build
            .raw("GET", "/organizations/elsewhere/releases/", None)
            .expect(404);
    }
    let listed = app.api().list("/organizations/acme/org-auth-tokens/");
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().all(|token| token["token"].is_null()));
    let id = made["id"].as_str().expect("an id");
    app.api()
        .raw(
            "DELETE",
            &format!("/organizations/acme/org-auth-tokens/{id}/"),
            None,
        )
        .expect(204);
    let build = crate::harness::api::Api::new(app.base(), &secret);
    build.raw("GET", RELEASES, None).expect(401);
}

#[test]
fn the_pages_of_releases_show_what_they_brought() {
    let app = App::start();
    let api = app.api();
    let event = error("ValueError", "no price", "pay");
    app.sdk()
        .send(&with(event, &json!({"release": "shop@1.0+7"})));
    app.wait_idle();
    let one = format!("{RELEASES}shop%401.0%2B7/");
    let commits = json!({"commits": [{"id": "b2c3", "message": "Prices in cents\n\nLong story", "author_name": "Yuki <b>"}]});
    api.put(&one, &commits);
    let deploy = json!({"environment": "production", "name": "blue", "url": "javascript:alert(1)"});
    api.raw("POST", &format!("{one}deploys/"), Some(&deploy))
        .expect(201);
    api.raw("POST", RELEASES, Some(&json!({"version": "zebra-9"})))
        .expect(201);

    let user = app.user();
    let list = user.open("/acme/releases/").expect(200);
    list.shows("shop@1.0+7");
    list.shows("zebra-9");
    list.shows("not released");
    let found = user
        .open("/acme/releases/?query=1.0%2B&project=shop")
        .expect(200);
    found.shows("shop@1.0+7");
    assert!(!found.words().contains("zebra-9"));
    let page = user.open("/acme/releases/shop%401.0%2B7/").expect(200);
    for text in [
        "ValueError: no price",
        "Prices in cents",
        "Yuki <b>",
        "production",
        "blue",
    ] {
        page.shows(text);
    }
    assert!(!page.text().contains("javascript:"));
    user.open("/acme/releases/unheard-of/").expect(404);
}
