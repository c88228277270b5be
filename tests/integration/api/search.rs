//! In: queries in the search language. Out: how many of a few known issues each one finds, the same on every database.

use serde_json::json;

use crate::harness::App;
use crate::harness::api::{Api, encode, next_cursor};
use crate::harness::sdk::{error, message, with};

/// Six issues: four errors of `shop` with different levels, tags and releases, one of them three times, a message, and
/// one of `web`.
fn filled() -> App {
    let app = App::start();
    let sdk = app.sdk();
    for number in 0..4 {
        let kind = if number == 0 {
            "TimeoutError"
        } else {
            "KeyError"
        };
        let event = error(
            kind,
            &format!("100%_{number}"),
            &format!("function_{number}"),
        );
        let more = json!({
            "level": if number % 2 == 0 { "error" } else { "warning" },
            "environment": if number < 2 { "staging" } else { "production" },
            "release": format!("shop@1.{number}"),
            "tags": {"plan": format!("gold {number}"), "shard": number.to_string()},
        });
        sdk.send(&with(event, &more));
    }
    for _ in 0..2 {
        sdk.send(&with(
            error("KeyError", "100%_3", "function_3"),
            &json!({"level": "warning", "release": "shop@1.3"}),
        ));
    }
    sdk.send(&message("Cache warmed"));
    app.sdk_of(&app.world().web_dsn)
        .send(&error("TypeError", "x is undefined", "click"));
    app.wait_idle();
    app
}

#[test]
fn every_term_means_what_it_says() {
    let app = filled();
    let api = app.api();
    let first = api.issues("TimeoutError").remove(0);
    let short_id = first["shortId"].as_str().expect("a short id");
    for (query, found) in [
        ("", 6),
        ("is:unresolved", 6),
        ("!is:resolved", 6),
        ("is:resolved", 0),
        ("is:new", 6),
        ("!is:new", 0),
        ("is:ongoing", 0),
        ("is:regressed", 0),
        ("is:assigned", 0),
        ("is:unassigned", 6),
        ("level:warning", 2),
        ("!level:warning", 4),
        ("level:[info, warning]", 3),
        ("level:>=error", 3),
        ("project:shop", 5),
        ("!project:shop", 1),
        ("project:[shop, web]", 6),
        ("project:nowhere", 0),
        ("environment:staging", 2),
        ("!environment:staging", 4),
        ("release:shop@1.2", 1),
        ("release:shop@*", 4),
        ("!release:shop@*", 2),
        ("firstRelease:shop@1.2", 1),
        ("!firstRelease:shop@1.2", 5),
        ("first-release:shop*", 4),
        ("!first-release:shop*", 2),
        ("shard:2", 1),
        ("shard:[0, 1]", 2),
        ("!shard:[0, 1]", 4),
        ("plan:\"gold 1\"", 1),
        ("plan:GOLD*", 4),
        ("plan:\"\"", 2),
        ("has:plan", 4),
        ("!has:plan", 2),
        ("tags[shard]:3", 1),
        ("timesSeen:3", 1),
        ("timesSeen:>2", 1),
        ("!timesSeen:>2", 5),
        ("timesSeen:<=1k", 6),
        ("age:-1h", 6),
        ("age:+1h", 0),
        ("lastSeen:-1h", 6),
        ("lastSeen:>2020-01-01T00:00:00", 6),
        ("firstSeen:<2020-01-01", 0),
        ("event.timestamp:>2020-01-01T00:00:00.123456789Z", 6),
        ("title:*value*", 0),
        ("title:*100%_*", 4),
        ("title:*100x*", 0),
        ("error.type:KeyError", 3),
        ("!error.type:Key*", 3),
        ("error.value:100%_0", 1),
        ("event.type:default", 1),
        ("issue.priority:medium", 2),
        ("assigned:none", 6),
        ("assigned:me", 0),
        ("100%_", 4),
        ("%_%_%", 0),
        ("KEYERROR", 3),
        ("!KeyError", 3),
        ("\"Cache warmed\"", 1),
        ("Cache warmed", 1),
        ("warmed Cache", 0),
        ("KeyError level:warning shard:1", 1),
        (&format!("issue:{short_id}"), 1),
        (&format!("!issue:{short_id}"), 5),
    ] {
        assert_eq!(api.issues(query).len(), found, "{query}");
    }
    for query in [
        "is:odd",
        "level:loud",
        "a OR b",
        "(a)",
        "\"open",
        "timesSeen:x",
        "age:1",
        "user.email:a@b",
        "is:",
        "level:",
        "release:latest",
        "plan:[a*, b]",
    ] {
        let path = format!("/organizations/acme/issues/?query={}", encode(query));
        let answer = api.raw("GET", &path, None).expect(400).json();
        assert!(answer["detail"].is_string(), "{query}: {answer}");
    }
}

#[test]
fn parameters_narrow_the_list() {
    let app = filled();
    let api = app.api();
    let path = "/organizations/acme/issues/?query=";
    let shop = api.get("/projects/acme/shop/")["id"].clone();
    let shop = shop.as_str().expect("ids are texts");
    for (more, found) in [
        (format!("&project={shop}"), 5),
        ("&project=shop&project=web".to_owned(), 6),
        ("&project=-1".to_owned(), 6),
        ("&environment=staging&environment=none".to_owned(), 2),
        ("&statsPeriod=1h".to_owned(), 6),
        (
            "&start=2020-01-01T00:00:00&end=2020-02-01T00:00:00".to_owned(),
            0,
        ),
        ("&limit=10000&cursor=".to_owned(), 6),
        ("&collapse=stats&expand=owners".to_owned(), 6),
    ] {
        assert_eq!(api.list(&format!("{path}{more}")).len(), found, "{more}");
    }
    for more in [
        "&sort=odd",
        "&cursor=odd",
        "&limit=odd",
        "&statsPeriod=odd",
        "&start=odd",
        "&groupStatsPeriod=9d",
    ] {
        api.raw("GET", &format!("{path}{more}"), None).expect(400);
    }
    api.raw("GET", &format!("{path}&project=nowhere"), None)
        .expect(404);
    let stats = |more: &str| api.list(&format!("{path}{more}")).remove(0)["stats"].clone();
    assert_eq!(
        stats("&groupStatsPeriod=14d")["14d"]
            .as_array()
            .map(Vec::len),
        Some(14)
    );
    assert_eq!(stats("")["24h"].as_array().map(Vec::len), Some(24));
    assert!(stats("&groupStatsPeriod=").is_null());
}

#[test]
fn pages_turn_both_ways_in_every_order() {
    let app = filled();
    let api = app.api();
    for sort in ["date", "new", "freq", "user"] {
        let path = format!("/organizations/acme/issues/?query=&sort={sort}&limit=4");
        let all = ids(
            &api,
            &format!("/organizations/acme/issues/?query=&sort={sort}"),
        );
        let first = api.raw("GET", &path, None).expect(200);
        let link = first.header("link").expect("a list has a Link header");
        let cursor = next_cursor(link).expect("there are more than four");
        let second = api
            .raw("GET", &format!("{path}&cursor={cursor}"), None)
            .expect(200);
        let link = second.header("link").expect("a list has a Link header");
        assert_eq!(next_cursor(link), None, "{sort}");
        let previous = link.split(", <").next().expect("there is a first part");
        assert!(previous.contains("results=\"true\""), "{link}");
        let (_, rest) = previous.split_once("cursor=\"").expect("an attribute");
        let back = rest.split('"').next().expect("it ends");
        let mut turned = ids(&api, &format!("{path}&cursor={back}"));
        turned.extend(ids(&api, &format!("{path}&cursor={cursor}")));
        assert_eq!(turned, all, "{sort}");
    }
}

fn ids(api: &Api, path: &str) -> Vec<String> {
    let rows = api.list(path);
    rows.iter()
        .map(|row| row["id"].as_str().expect("ids are texts").to_owned())
        .collect()
}
