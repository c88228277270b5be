//! In: events by issue, project and id. Out: the same event on every way to it, and its neighbours.

use serde_json::{Value, json};

use crate::harness::App;
use crate::harness::api::next_cursor;
use crate::harness::sdk::{error, with};

#[test]
fn an_event_is_found_on_every_way() {
    let app = App::start();
    let (sdk, api) = (app.sdk(), app.api());
    let one_more = || {
        let event = error("KeyError", "'price'", "total");
        sdk.send(&with(
            event,
            &json!({"release": "shop@1.0", "tags": {"shard": "7"}}),
        ))
    };
    let sent: Vec<String> = (0..3).map(|_| one_more()).collect();
    app.wait_idle();
    let issue = app.only_issue("");
    let id = issue["id"].as_str().expect("ids are texts");
    let base = format!("/organizations/acme/issues/{id}");

    let listed = api.list(&format!("{base}/events/"));
    let order: Vec<&str> = listed
        .iter()
        .filter_map(|event| event["eventID"].as_str())
        .collect();
    assert_eq!(
        order,
        [sent[2].as_str(), &sent[1], &sent[0]],
        "newest first"
    );
    let page = api
        .raw("GET", &format!("/issues/{id}/events?per_page=2"), None)
        .expect(200);
    let cursor = next_cursor(page.header("link").expect("a Link header")).expect("one is left");
    let rest = api.list(&format!("{base}/events/?per_page=2&cursor={cursor}"));
    assert_eq!(rest.len(), 1);
    assert_eq!(rest[0]["eventID"], sent[0].as_str());

    let middle = api.get(&format!("/projects/acme/shop/events/{}/", sent[1]));
    assert_eq!(middle["groupID"], id);
    assert_eq!(middle["previousEventID"], sent[0].as_str());
    assert_eq!(middle["nextEventID"], sent[2].as_str());
    assert_eq!(middle["release"]["version"], "shop@1.0");
    assert!(
        middle.get("project").is_none(),
        "one client expects a number there"
    );
    assert!(
        middle["dateCreated"]
            .as_str()
            .is_some_and(|time| time.ends_with('Z'))
    );
    let exception = entry(&middle, "exception");
    let frames = &exception["values"][0]["stacktrace"]["frames"];
    assert_eq!(frames[1]["lineNo"], 88);
    assert_eq!(frames[1]["inApp"], true);
    assert_eq!(
        frames[1]["context"][1],
        json!([88, "        total += item[\"price\"]"])
    );

    for (path, event) in [
        (format!("{base}/events/latest/"), &sent[2]),
        (format!("{base}/events/recommended/"), &sent[2]),
        (format!("{base}/events/oldest/"), &sent[0]),
        (format!("{base}/events/{}/", sent[1]), &sent[1]),
        (
            format!("/issues/{id}/events/{}", sent[1].to_uppercase()),
            &sent[1],
        ),
    ] {
        assert_eq!(api.get(&path)["id"], event.as_str(), "{path}");
    }
    let located = api.get(&format!("/organizations/acme/eventids/{}/", sent[1]));
    assert_eq!(
        (&located["groupId"], &located["projectSlug"]),
        (&json!(id), &json!("shop"))
    );
    let short_id = issue["shortId"].as_str().expect("a short id");
    let located = api.get(&format!("/organizations/acme/shortids/{short_id}/"));
    assert_eq!(located["group"]["id"], id);
    assert_eq!(
        api.get(&format!("/organizations/acme/issues/{short_id}/"))["id"],
        id
    );

    let hit = api
        .raw(
            "GET",
            &format!("/organizations/acme/issues/?query={}", sent[0]),
            None,
        )
        .expect(200);
    assert_eq!(hit.header("x-sentry-direct-hit"), Some("1"));
    assert_eq!(hit.json()[0]["id"], id);
    assert!(
        api.list(&format!("/projects/acme/web/issues/?query={}", sent[0]))
            .is_empty()
    );

    let tag = api.get(&format!("{base}/tags/shard/"));
    assert_eq!(
        (&tag["totalValues"], &tag["topValues"][0]["value"]),
        (&json!(3), &json!("7"))
    );
    assert!(
        api.list(&format!("{base}/hashes/"))
            .iter()
            .any(|hash| hash["latestEvent"]["id"] == sent[2].as_str())
    );
    for path in [
        format!("{base}/events/{}/", "0".repeat(32)),
        format!("{base}/events/first/"),
        format!("{base}/tags/none/"),
        format!("/projects/acme/web/events/{}/", sent[0]),
        format!("/issues/{short_id}/"),
    ] {
        api.raw("GET", &path, None).expect(404);
    }
}

fn entry(event: &Value, kind: &str) -> Value {
    let entries = event["entries"].as_array().expect("a list");
    let found = entries.iter().find(|entry| entry["type"] == kind);
    found.unwrap_or_else(|| panic!("no {kind} in {event:#}"))["data"].clone()
}
