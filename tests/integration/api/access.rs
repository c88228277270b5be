//! In: tokens of all kinds, and paths in both forms. Out: who gets in, and the words and headers of a refusal.

use serde_json::json;

use crate::harness::App;
use crate::harness::api::Api;
use crate::harness::world::OWNER;

#[test]
fn tokens_open_what_their_scopes_say() {
    let app = App::start();
    let anonymous = app.anonymous();
    let refused = |headers: &[(&str, &str)], status: u16| {
        let path = "/api/0/organizations/";
        let answer = anonymous.request("GET", path, headers, None).expect(status);
        assert!(answer.json()["detail"].is_string(), "{answer}");
    };
    refused(&[], 401);
    refused(&[("authorization", "Bearer nonsense")], 401);
    refused(
        &[("authorization", &format!("Basic {}", app.world().token))],
        401,
    );
    let unknown = [("authorization", "Bearer nonsense")];
    anonymous
        .request("GET", "/api/0/", &unknown, None)
        .expect(401);

    let who = app.api().get("/");
    assert_eq!(who["user"]["email"], OWNER);
    assert!(
        who["auth"]["scopes"]
            .as_array()
            .is_some_and(|scopes| scopes.contains(&json!("event:admin")))
    );

    let token = |scopes: &str| {
        let made = app.cli(&["token", "create", "--user", OWNER, "--scopes", scopes]);
        Api::new(app.base(), &made.success())
    };
    let reader = token("event:read");
    reader.get("/organizations/acme/issues/");
    reader.raw("GET", "/organizations/", None).expect(403);
    let body = json!({"status": "resolved"});
    reader
        .raw("PUT", "/organizations/acme/issues/", Some(&body))
        .expect(403);
    token("event:admin")
        .raw("PUT", "/organizations/acme/issues/", Some(&body))
        .expect(204);
    token("org:ci")
        .raw("GET", "/organizations/acme/issues/", None)
        .expect(403);
}

#[test]
fn both_forms_of_a_path_answer_and_refusals_are_json() {
    let app = App::start();
    let api = app.api();
    for path in [
        "/organizations",
        "/organizations/acme",
        "/organizations/acme/projects",
        "/organizations/acme/environments",
        "/organizations/acme/issues",
        "/projects/acme/shop",
        "/projects/acme/shop/keys",
        "/projects/acme/shop/issues",
        "/projects/acme/shop/events",
        "/internal/health",
        "/auth",
    ] {
        for form in [path.to_owned(), format!("{path}/")] {
            let answer = api.raw("GET", &form, None).expect(200);
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{form}");
            assert_eq!(
                answer.header("x-content-type-options"),
                Some("nosniff"),
                "{form}"
            );
        }
    }
    for (method, path, status) in [
        ("GET", "/nowhere/", 404),
        ("GET", "/organizations/nowhere/", 404),
        ("GET", "/organizations/umbrella/", 404),
        ("GET", "/projects/umbrella/secret/", 404),
        ("POST", "/organizations/acme/issues/", 405),
    ] {
        let answer = api.raw(method, path, None).expect(status);
        assert!(answer.json()["detail"].is_string(), "{path}: {answer}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    }
    let key = &api.list("/projects/acme/shop/keys/")[0];
    let public = key["public"].as_str().expect("a text");
    assert!(
        key["dsn"]["public"]
            .as_str()
            .is_some_and(|dsn| dsn.contains(public))
    );
    assert!(key["projectId"].is_i64());
    assert_eq!(
        api.list("/organizations/acme/projects/?per_page=1").len(),
        1
    );
    assert_eq!(api.all("/organizations/acme/projects/").len(), 2);
}

#[test]
fn statistics_count_what_was_accepted() {
    let app = App::start();
    for _ in 0..3 {
        app.sdk().send(&crate::harness::sdk::message("hello"));
    }
    app.wait_idle();
    let path = "/organizations/acme/stats_v2/?field=sum(quantity)&groupBy=outcome&category=error&interval=1h&statsPeriod=2h";
    let stats = app.api().get(path);
    assert_eq!(stats["groups"][0]["by"]["outcome"], "accepted", "{stats:#}");
    assert_eq!(stats["groups"][0]["totals"]["sum(quantity)"], 3);
}
