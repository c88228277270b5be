//! In: queries and cursors. Out: the issues they stand for, each once.

use serde_json::json;

use crate::harness::App;
use crate::harness::api::next_cursor;
use crate::harness::sdk::{error, with};

#[test]
fn lists_find_and_turn_pages() {
    let app = App::start();
    let (sdk, api) = (app.sdk(), app.api());
    for number in 0..12 {
        let kind = if number % 3 == 0 {
            "TimeoutError"
        } else {
            "KeyError"
        };
        let level = if number % 2 == 0 { "error" } else { "warning" };
        let event = error(
            kind,
            &format!("value {number}"),
            &format!("function_{number}"),
        );
        sdk.send(&with(event, &json!({"level": level, "environment": if number < 4 { "staging" } else { "production" }})));
    }
    app.sdk_of(&app.world().web_dsn)
        .send(&error("TypeError", "x is undefined", "click"));
    app.wait_idle();
    let count = |path: &str| api.list(path).len();
    assert_eq!(count("/organizations/acme/issues/?query="), 13);
    assert_eq!(count("/projects/acme/shop/issues/?query="), 12);
    assert_eq!(
        api.issues("TimeoutError").len(),
        4,
        "free words look in titles"
    );
    assert_eq!(api.issues("timeouterror").len(), 4, "in any case");
    assert_eq!(api.issues("is:resolved").len(), 0);
    assert_eq!(api.issues("is:unresolved TimeoutError").len(), 4);
    assert_eq!(api.issues("no such words anywhere").len(), 0);

    let mut seen = Vec::new();
    let mut path = "/projects/acme/shop/issues/?query=&limit=5".to_owned();
    for page in 0..3 {
        let answer = api.raw("GET", &path, None).expect(200);
        let rows = answer.json().as_array().expect("a list").clone();
        assert_eq!(rows.len(), if page < 2 { 5 } else { 2 });
        seen.extend(
            rows.iter()
                .map(|row| row["id"].as_str().expect("an id").to_owned()),
        );
        let link = answer.header("link").expect("a Link header").to_owned();
        assert!(
            link.contains("rel=\"previous\"") && link.contains("rel=\"next\""),
            "{link}"
        );
        assert_eq!(next_cursor(&link).is_some(), page < 2, "{link}");
        let Some(cursor) = next_cursor(&link) else {
            break;
        };
        path = format!("/projects/acme/shop/issues/?query=&limit=5&cursor={cursor}");
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 12, "every issue once over the pages");
}
