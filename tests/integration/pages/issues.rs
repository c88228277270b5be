//! In: what applications reported. Out: the list, the issue and its events as a person reads them.

use regex::Regex;
use serde_json::json;

use crate::harness::App;
use crate::harness::sdk::{error, with};
use crate::harness::visitor::Page;

#[test]
fn the_list_shows_filters_and_links() {
    let app = App::start();
    for number in 0..3 {
        app.sdk().send(&error("KeyError", "'price'", "total"));
        app.sdk().send(&error(
            "TimeoutError",
            "no answer",
            &format!("call_{number}"),
        ));
    }
    app.sdk_of(&app.world().web_dsn)
        .send(&error("TypeError", "x is undefined", "click"));
    app.wait_idle();
    let user = app.user();
    let page = user.open("/acme/issues/").expect(200);
    for text in [
        "KeyError",
        "'price'",
        "TimeoutError",
        "TypeError",
        "SHOP-1",
        "checkout.cart in total",
    ] {
        page.shows(text);
    }
    let rows = |page: &Page| {
        page.links()
            .into_iter()
            .filter(|link| is_issue(link))
            .collect::<std::collections::BTreeSet<_>>()
            .len()
    };
    assert_eq!(rows(&page), 5);
    assert_eq!(
        rows(
            &user
                .open("/acme/issues/?query=is%3Aunresolved+TimeoutError")
                .expect(200)
        ),
        3
    );
    assert_eq!(
        rows(&user.open("/acme/issues/?query=is%3Aresolved").expect(200)),
        0
    );
    let issue = page
        .links()
        .into_iter()
        .find(|link| is_issue(link))
        .expect("a link to an issue");
    user.open(&issue).expect(200);
}

fn is_issue(link: &str) -> bool {
    Regex::new(r"^/acme/issues/\d+/?$")
        .expect("a fixed pattern")
        .is_match(link)
}

#[test]
fn an_issue_shows_what_broke_for_whom_and_where() {
    let app = App::start();
    let mut event = with(
        error("CheckoutError", "cannot price basket", "total"),
        &json!({
            "release": "shop@1.4.2", "server_name": "app-1", "transaction": "POST /pay",
            "user": {"id": "4711", "email": "jane@example.com"},
            "tags": {"region": "eu-central"},
            "request": {"url": "https://shop.example.com/pay", "method": "POST", "headers": {"X-Request": "r-17"}},
            "contexts": {"runtime": {"name": "CPython", "version": "3.11.7"}},
            "breadcrumbs": {"values": [{"category": "auth", "message": "jane signed in", "timestamp": "2026-01-01T00:00:00Z"}]},
        }),
    );
    let cause = json!({"type": "KeyError", "value": "'cup'", "mechanism": {"type": "generic", "handled": true}});
    event["exception"]["values"]
        .as_array_mut()
        .expect("a list")
        .insert(0, cause);
    app.sdk().send(&event);
    app.wait_idle();
    let user = app.user();
    let issue = app.only_issue("");
    let page = user
        .open(&format!(
            "/acme/issues/{}/",
            issue["id"].as_str().expect("an id")
        ))
        .expect(200);
    let expected = [
        "CheckoutError",
        "cannot price basket",
        "KeyError",
        "'cup'",
        "SHOP-1",
        "total",
        "88",
        "web",
        "item",
        "{'sku': 'cup'}",
        "jane signed in",
        "https://shop.example.com/pay",
        "POST",
        "jane@example.com",
        "region",
        "eu-central",
        "CPython",
        "3.11.7",
        "shop@1.4.2",
        "production",
    ];
    for text in expected {
        page.shows(text);
    }
    let line = "total += item[\"price\"]".replace(' ', "");
    assert!(
        page.words().replace(' ', "").contains(&line),
        "the source line: {}",
        page.words()
    );
    let json = page
        .links()
        .into_iter()
        .find(|link| link.contains("json"))
        .expect("a link to the raw JSON");
    let raw = user.open(&json).expect(200);
    assert_eq!(raw.response.json()["event_id"], event["event_id"]);
}

#[test]
fn next_and_previous_event() {
    let app = App::start();
    let ids: Vec<String> = (0..3)
        .map(|number| {
            let time = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(60 - number * 10);
            let id = app.sdk().send(&with(
                error("KeyError", "'price'", "total"),
                &json!({"timestamp": time.to_string()}),
            ));
            app.wait_idle();
            id
        })
        .collect();
    let issue = app.only_issue("")["id"].as_str().expect("an id").to_owned();
    let user = app.user();
    let page = user
        .open(&format!("/acme/issues/{issue}/events/{}/", ids[1]))
        .expect(200);
    for id in [&ids[0], &ids[2]] {
        let link = page
            .links()
            .into_iter()
            .find(|link| link.contains(id.as_str()));
        user.open(&link.unwrap_or_else(|| panic!("no link to {id} on {page}")))
            .expect(200);
    }
}

#[test]
fn hostile_texts_are_shown_as_text() {
    let app = App::start();
    let markup = "<script>alert(1)</script><img src=x onerror=alert(2)>";
    let mut event = with(
        error(markup, markup, markup),
        &json!({
            "transaction": markup, "user": {"id": markup}, "tags": {"evil": markup}, "environment": "x<b>y",
            "request": {"url": "javascript:alert(3)", "headers": {"X": markup}}, "extra": {"a": markup}, "contexts": {"c": {"d": markup}},
            "breadcrumbs": [{"message": markup, "category": markup}],
        }),
    );
    event["exception"]["values"][0]["stacktrace"]["frames"][1]["context_line"] = json!(markup);
    app.sdk().send(&event);
    app.wait_idle();
    let user = app.user();
    let issue = app.only_issue("")["id"].as_str().expect("an id").to_owned();
    for path in ["/acme/issues/".to_owned(), format!("/acme/issues/{issue}/")] {
        let page = user.open(&path).expect(200);
        let html = page.text();
        assert!(
            !html.contains("<script>alert") && !html.contains("<img src=x"),
            "{html}"
        );
        assert!(
            !page
                .links()
                .iter()
                .any(|link| link.starts_with("javascript:")),
            "{html}"
        );
        page.shows("<script>alert(1)</script>");
    }
}
