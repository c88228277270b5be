//! In: issues that are one problem, merged in the list or through the API. Out: one issue that has all that they had and gets
//! what either would have got; the old names lead to it.

use serde_json::{Value, json};

use crate::harness::sdk::{error, with};
use crate::harness::{Api, App, STRANGER, poll};

/// An event of a user, in an environment, with a tag.
fn event(function: &str, user: &str, region: &str) -> Value {
    let more = json!({"user": {"id": user}, "tags": {"region": region}, "release": "shop@1"});
    with(error("KeyError", "'price'", function), &more)
}

pub fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    let found = value[name].as_str();
    found.unwrap_or_else(|| panic!("{name} of {value:#}"))
}

/// How often a tag of an issue has each value, by value.
pub fn values(api: &Api, issue: &str, key: &str) -> Vec<(String, i64)> {
    let path = format!("/organizations/acme/issues/{issue}/tags/{key}/values/");
    let mut values: Vec<(String, i64)> = api
        .list(&path)
        .iter()
        .map(|value| {
            let count = value["count"].as_i64().expect("a count");
            (text(value, "value").to_owned(), count)
        })
        .collect();
    values.sort();
    values
}

/// Events of an issue in the last 24 hours, as its counters say.
pub fn in_a_day(api: &Api, issue: &str) -> i64 {
    let issue = api.get(&format!("/organizations/acme/issues/{issue}/"));
    let points = issue["stats"]["24h"].as_array().expect("points").iter();
    points
        .map(|point| point[1].as_i64().expect("a count"))
        .sum()
}

#[test]
fn merging_through_the_api_adds_everything_up() {
    let app = App::start();
    let (sdk, api) = (app.sdk(), app.api());
    // The first has most events; two of the second's three users are the first's too.
    for (function, user, region) in [
        ("total", "1", "eu"),
        ("total", "2", "eu"),
        ("total", "3", "us"),
        ("total", "3", "us"),
        ("tax", "2", "us"),
        ("tax", "3", "asia"),
        ("tax", "4", "asia"),
    ] {
        sdk.send(&event(function, user, region));
    }
    app.wait_idle();
    let issues = api.issues("");
    let of = |count: &str| {
        let found = issues.iter().find(|issue| issue["count"] == count);
        found.unwrap_or_else(|| panic!("{issues:#?}"))
    };
    let (large, small) = (of("4"), of("3"));
    let (parent, child) = (text(large, "id"), text(small, "id"));
    let path = format!("/projects/acme/shop/issues/?id={child}&id={parent}");
    let answer = api.put(&path, &json!({"merge": 1}));
    assert_eq!(
        answer,
        json!({"merge": {"parent": parent, "children": [child]}})
    );
    app.wait_idle();

    let merged = app.only_issue("");
    assert_eq!(
        (text(&merged, "id"), text(&merged, "count")),
        (parent, "7"),
        "{merged:#}"
    );
    assert_eq!(merged["userCount"], 4);
    assert_eq!(merged["shortId"], large["shortId"]);
    let earliest = text(large, "firstSeen").min(text(small, "firstSeen"));
    let latest = text(large, "lastSeen").max(text(small, "lastSeen"));
    assert_eq!(text(&merged, "firstSeen"), earliest);
    assert_eq!(text(&merged, "lastSeen"), latest);
    assert_eq!(in_a_day(&api, parent), 7);
    assert_eq!(
        values(&api, parent, "region"),
        [("asia".into(), 2), ("eu".into(), 2), ("us".into(), 3)]
    );
    let events = api.list(&format!("/organizations/acme/issues/{parent}/events/"));
    assert_eq!(events.len(), 7);

    // Later events of both go there; nothing new is opened.
    sdk.send(&event("total", "1", "eu"));
    sdk.send(&event("tax", "5", "eu"));
    app.wait_idle();
    let merged = app.only_issue("");
    assert_eq!(
        (text(&merged, "count"), &merged["userCount"]),
        ("9", &json!(5))
    );
    for (table, rows) in [("issue_moves", 0), ("issue_redirects", 1)] {
        let query = format!("SELECT COUNT(*) AS number FROM {table}");
        assert_eq!(app.database.number(&query), rows, "{table}");
    }
    let stored = "SELECT stored_events AS number FROM issues";
    assert_eq!(app.database.number(stored), 9);

    let whole = api.get(&format!("/organizations/acme/issues/{parent}/activities/"));
    let activity = whole["activity"].as_array().expect("a list");
    let merge = activity.iter().find(|row| row["type"] == "merge");
    let merge = merge.unwrap_or_else(|| panic!("{activity:#?}"));
    assert_eq!(
        merge["data"]["issues"],
        json!([{"id": child, "shortId": small["shortId"]}])
    );
    assert_eq!(merge["user"]["name"], "Olga Owner");
}

/// A large batch leaves its counts of tags to be added up later, by the issue that it knew.
#[test]
fn counts_of_tags_that_wait_are_not_lost() {
    const EACH: i64 = 90;
    let mut app = App::with()
        .env("BUGLE_WORKERS", "0")
        .env("BUGLE_SPIKE_LIMIT", "0")
        .start();
    for number in 0..EACH {
        for function in ["total", "tax"] {
            app.sdk().send(&event(function, &format!("{number}"), "eu"));
        }
    }
    app.server_mut().terminate();
    app.environment.remove("BUGLE_WORKERS");
    app.boot();
    let api = app.api();
    let counted = |issues: &[Value]| {
        let counts = issues
            .iter()
            .map(|issue| text(issue, "count").parse::<i64>());
        counts.map(|count| count.expect("a number")).sum::<i64>()
    };
    poll::until("all is digested", || counted(&api.issues("")) == 2 * EACH);
    let ids: Vec<String> = api
        .issues("")
        .iter()
        .map(|issue| format!("id={}", text(issue, "id")))
        .collect();
    let path = format!("/organizations/acme/issues/?{}", ids.join("&"));
    let answer = api.put(&path, &json!({"merge": 1}));
    app.wait_idle();
    let parent = text(&answer["merge"], "parent");
    assert_eq!(values(&api, parent, "region"), [("eu".into(), 2 * EACH)]);
    let rows = "SELECT COUNT(DISTINCT issue_id) AS number FROM issue_tags";
    assert_eq!(app.database.number(rows), 1);
    assert_eq!(app.only_issue("")["userCount"], EACH);
}

#[test]
fn old_names_lead_to_the_survivor() {
    let app = App::start();
    let (sdk, api) = (app.sdk(), app.api());
    let ids = [
        sdk.send(&event("total", "1", "eu")),
        sdk.send(&event("tax", "1", "eu")),
        sdk.send(&event("tip", "1", "eu")),
    ];
    app.wait_idle();
    let issue_of = |event: &str| {
        let event = api.event("acme", "shop", event).expect("the event");
        text(&event, "groupID").to_owned()
    };
    let issues = ids.clone().map(|id| issue_of(&id));
    let short_ids = issues.clone().map(|id| {
        let issue = api.get(&format!("/organizations/acme/issues/{id}/"));
        text(&issue, "shortId").to_owned()
    });
    // Of equal ones the oldest survives; then it is merged into another itself.
    let put = |one: &str, other: &str| {
        let path = format!("/organizations/acme/issues/?id={one}&id={other}");
        api.put(&path, &json!({"merge": 1}))
    };
    let first = put(&issues[1], &issues[2]);
    sdk.send(&event("total", "2", "us"));
    sdk.send(&event("total", "3", "us"));
    app.wait_idle();
    // A name of an issue that is gone stands for where it went.
    let gone = first["merge"]["children"][0].as_str().expect("a child");
    let second = put(gone, &issues[0]);
    assert_eq!(second["merge"]["parent"], json!(issues[0]));
    app.wait_idle();
    let survivor = &issues[0];
    assert_eq!(app.only_issue("")["count"], "5");
    let user = app.user();
    for name in issues.iter().chain(&short_ids) {
        let found = api.get(&format!("/organizations/acme/issues/{name}/"));
        assert_eq!(found["id"], json!(survivor), "{name}");
        let page = user.open(&format!("/acme/issues/{name}/")).expect(200);
        page.shows(&short_ids[0]);
        if name != survivor && name != &short_ids[0] {
            assert_eq!(page.url.path(), format!("/acme/issues/{survivor}/"));
        }
        let found = api.issues(&format!("issue:{name}"));
        assert_eq!(found.len(), 1, "issue:{name}");
    }
    for (issue, event) in issues.iter().zip(&ids) {
        let page = user
            .open(&format!("/acme/issues/{issue}/events/{event}/"))
            .expect(200);
        assert_eq!(
            page.url.path(),
            format!("/acme/issues/{survivor}/events/{event}/")
        );
        let numbered = api.get(&format!("/issues/{issue}/"));
        assert_eq!(numbered["id"], json!(survivor));
    }
    let changed = api.put(
        &format!("/organizations/acme/issues/?id={}", issues[2]),
        &json!({"status": "resolved"}),
    );
    assert_eq!(changed["status"], "resolved");
    assert_eq!(app.only_issue("")["status"], "resolved");
    // Numbers are not given again.
    sdk.send(&event("refund", "1", "eu"));
    app.wait_idle();
    assert_eq!(app.only_issue("is:unresolved")["shortId"], "SHOP-4");
}

#[test]
fn merging_in_the_list() {
    let app = App::start();
    for function in ["total", "total", "tax", "tip"] {
        app.sdk().send(&event(function, "1", "eu"));
    }
    app.wait_idle();
    let user = app.user();
    let page = user.open("/acme/issues/").expect(200);
    let mut form = page.form_of_button("Merge");
    let ids: Vec<String> = app
        .api()
        .issues("")
        .iter()
        .map(|issue| text(issue, "id").to_owned())
        .collect();
    let fields = ids.iter().map(|id| ("id".to_owned(), id.clone()));
    form.fields.extend(fields.take(1));
    user.submit(&page, &form, &[])
        .expect(400)
        .shows("Choose at least two issues to merge");
    let others = ids.iter().skip(1).map(|id| ("id".to_owned(), id.clone()));
    form.fields.extend(others);
    let after = user.submit(&page, &form, &[]).expect(200);
    after.shows("Merged 3 issues into one.");
    app.wait_idle();
    let merged = app.only_issue("is:unresolved");
    assert_eq!(merged["count"], "4");
    let page = user
        .open(&format!("/acme/issues/{}/", text(&merged, "id")))
        .expect(200);
    page.shows("Olga Owner merged");
    page.shows("into it");
}

#[test]
fn what_cannot_be_merged_is_refused() {
    let app = App::start();
    let (shop, web) = (app.sdk(), app.sdk_of(&app.world().web_dsn));
    for function in ["total", "tax"] {
        shop.send(&event(function, "1", "eu"));
    }
    web.send(&error("TypeError", "x", "click"));
    app.sdk_of(&app.world().secret_dsn)
        .send(&error("E", "x", "f"));
    app.wait_idle();
    let api = app.api();
    let stranger = Api::new(app.base(), &app.world().stranger_token);
    let ids = |path: &str| -> Vec<String> {
        api.list(path)
            .iter()
            .map(|issue| text(issue, "id").to_owned())
            .collect()
    };
    let shop = ids("/projects/acme/shop/issues/");
    let web = ids("/projects/acme/web/issues/");
    let foreign = stranger.list("/organizations/umbrella/issues/");
    let foreign = text(&foreign[0], "id");
    let refuse = |api: &Api, path: String, body: Value, status: u16, detail: &str| {
        let answer = api.raw("PUT", &path, Some(&body)).expect(status);
        assert!(
            text(&answer.json(), "detail").contains(detail),
            "{path}: {answer}"
        );
    };
    let merge = json!({"merge": 1});
    let all = "/organizations/acme/issues/";
    let of = |path: &str, one: &str, other: &str| format!("{path}?id={one}&id={other}");
    let across = "Merging across multiple projects is not supported";
    refuse(&api, of(all, &shop[0], &web[0]), merge.clone(), 400, across);
    let in_shop = "/projects/acme/shop/issues/";
    refuse(
        &api,
        of(in_shop, &shop[0], &web[0]),
        merge.clone(),
        400,
        across,
    );
    let in_web = "/projects/acme/web/issues/";
    refuse(
        &api,
        of(in_web, &shop[0], &shop[1]),
        merge.clone(),
        400,
        "not of the project web",
    );
    let missing = format!("There is no issue {foreign}");
    refuse(
        &api,
        of(all, &shop[0], foreign),
        merge.clone(),
        400,
        &missing,
    );
    refuse(
        &api,
        of(all, &shop[0], &shop[0]),
        merge.clone(),
        400,
        "at least two",
    );
    refuse(
        &api,
        of(all, &shop[0], &shop[1]),
        json!({"merge": 1, "status": "resolved"}),
        400,
        "together with status",
    );
    refuse(
        &api,
        format!("{all}{}/", shop[0]),
        merge.clone(),
        400,
        "merge needs several issues",
    );
    stranger
        .raw("PUT", &of(all, &shop[0], &shop[1]), Some(&merge))
        .expect(404);
    let reader = app
        .cli(&[
            "token",
            "create",
            "--user",
            "owner@example.com",
            "--scopes",
            "event:read",
        ])
        .success();
    let reader = Api::new(app.base(), &reader);
    reader
        .raw("PUT", &of(all, &shop[0], &shop[1]), Some(&merge))
        .expect(403);
    // The pages know no other rules.
    let visitor = app.visitor();
    visitor.sign_in(STRANGER, crate::harness::PASSWORD);
    let page = visitor.open("/umbrella/issues/").expect(200);
    let mut form = page.form_of_button("Merge");
    form.fields.push(("id".to_owned(), shop[0].clone()));
    form.fields.push(("id".to_owned(), shop[1].clone()));
    visitor
        .submit(&page, &form, &[])
        .expect(400)
        .shows("There is no issue");
    form.action = "/acme/issues/merge".to_owned();
    visitor.submit(&page, &form, &[]).expect(404);
    assert_eq!(api.issues("").len(), 3);
}
