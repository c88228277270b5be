//! In: an issue of several fingerprints, some of which do not belong. Out: an issue of their own, with their events and all
//! that was counted of them; later events know where they go.

use serde_json::{Value, json};

use super::merging::{in_a_day, text, values};
use crate::harness::sdk::{error, with};
use crate::harness::{Api, App};

fn event(function: &str, user: &str, region: &str) -> Value {
    let more = json!({"user": {"id": user}, "tags": {"region": region}, "release": format!("shop@{function}")});
    with(error("KeyError", &format!("'{function}'"), function), &more)
}

/// Two issues merged into one, of which the larger has four events of three users and the smaller three of two.
fn merged(app: &App) -> String {
    for (function, user, region) in [
        ("total", "1", "eu"),
        ("total", "2", "eu"),
        ("total", "3", "us"),
        ("total", "3", "us"),
        ("tax", "3", "us"),
        ("tax", "4", "asia"),
        ("tax", "4", "asia"),
    ] {
        app.sdk().send(&event(function, user, region));
    }
    app.wait_idle();
    let api = app.api();
    let ids: Vec<String> = api
        .issues("")
        .iter()
        .map(|issue| format!("id={}", text(issue, "id")))
        .collect();
    assert_eq!(ids.len(), 2);
    let path = format!("/organizations/acme/issues/?{}", ids.join("&"));
    let answer = api.put(&path, &json!({"merge": true}));
    app.wait_idle();
    answer["merge"]["parent"]
        .as_str()
        .expect("an issue")
        .to_owned()
}

/// The hash that placed so many events.
fn hash_of(api: &Api, issue: &str, events: i64) -> String {
    let hashes = api.list(&format!("/organizations/acme/issues/{issue}/hashes/"));
    assert_eq!(hashes.len(), 4, "two of each kind of event: {hashes:#?}");
    let found = hashes.iter().find(|hash| hash["eventCount"] == events);
    text(found.unwrap_or_else(|| panic!("{hashes:#?}")), "id").to_owned()
}

fn issue(api: &Api, id: &str) -> Value {
    api.get(&format!("/organizations/acme/issues/{id}/"))
}

fn check_apart(app: &App, old: &str, new: &str) {
    let api = app.api();
    let (old, new) = (issue(&api, old), issue(&api, new));
    for (issue, count, users, title, release) in [
        (&old, "4", 3, "KeyError: 'total'", "shop@total"),
        (&new, "3", 2, "KeyError: 'tax'", "shop@tax"),
    ] {
        assert_eq!(
            (text(issue, "count"), issue["userCount"].as_i64()),
            (count, Some(users)),
            "{issue:#}"
        );
        assert_eq!(text(issue, "title"), title);
        for name in ["firstRelease", "lastRelease"] {
            assert_eq!(issue[name]["version"], release, "{name} of {issue:#}");
        }
        let id = text(issue, "id");
        assert_eq!(in_a_day(&api, id).to_string(), count);
        let events = api.list(&format!("/organizations/acme/issues/{id}/events/"));
        assert!(events.iter().all(|event| event["title"] == title));
        assert_eq!(events.len().to_string(), count);
        let seen: Vec<&str> = events
            .iter()
            .map(|event| text(event, "dateCreated"))
            .collect();
        // The API gives issues milliseconds, and events what the SDK sent.
        let millis = |time: &str| time.chars().take(23).collect::<String>();
        let first = seen.iter().min().expect("an event");
        let last = seen.iter().max().expect("an event");
        assert_eq!(millis(text(issue, "firstSeen")), millis(first));
        assert_eq!(millis(text(issue, "lastSeen")), millis(last));
    }
    let (old, new) = (text(&old, "id"), text(&new, "id"));
    assert_eq!(
        values(&api, old, "region"),
        [("eu".into(), 2), ("us".into(), 2)]
    );
    assert_eq!(
        values(&api, new, "region"),
        [("asia".into(), 2), ("us".into(), 1)]
    );
    let sums = "SELECT COUNT(*) AS number FROM issues WHERE stored_events = times_seen AND stored_bytes > 0";
    assert_eq!(app.database.number(sums), 2);
    let negative = "SELECT COUNT(*) AS number FROM issue_tags WHERE events < 1";
    assert_eq!(app.database.number(negative), 0);
    let moves = "SELECT COUNT(*) AS number FROM issue_moves";
    assert_eq!(app.database.number(moves), 0);
}

#[test]
fn splitting_through_the_api_moves_what_belongs_to_the_hash() {
    let app = App::start();
    let api = app.api();
    let old = merged(&app);
    let hash = hash_of(&api, &old, 3);
    let path = format!("/organizations/acme/issues/{old}/hashes/?id={hash}");
    let answer = api.raw("DELETE", &path, None).expect(202).json();
    assert_eq!(answer["shortId"], "SHOP-3", "numbers are not given again");
    app.wait_idle();
    let new = text(&answer, "id");
    check_apart(&app, &old, new);

    for function in ["total", "tax"] {
        app.sdk().send(&event(function, "9", "eu"));
    }
    app.wait_idle();
    assert_eq!(app.api().issues("").len(), 2);
    for (id, count, users) in [(old.as_str(), "5", 4), (new, "4", 3)] {
        let issue = issue(&api, id);
        assert_eq!(issue["count"], count);
        assert_eq!(issue["userCount"], users);
    }
    // A user who went and comes back counts again, once.
    for _ in 0..2 {
        app.sdk().send(&event("total", "4", "eu"));
    }
    app.wait_idle();
    assert_eq!(issue(&api, &old)["userCount"], 5);

    let kinds = |id: &str| -> Vec<Value> {
        let activity = api.get(&format!("/organizations/acme/issues/{id}/activities/"));
        let rows = activity["activity"].as_array().expect("a list").clone();
        rows.into_iter()
            .filter(|row| text(row, "type").starts_with("unmerge"))
            .collect()
    };
    assert_eq!(kinds(&old)[0]["type"], "unmerge_source");
    assert_eq!(kinds(&old)[0]["data"]["destination"]["id"], new);
    assert_eq!(kinds(new)[0]["type"], "unmerge_destination");
    assert_eq!(kinds(new)[0]["user"]["name"], "Olga Owner");

    // And together again.
    let both = format!("/organizations/acme/issues/?id={old}&id={new}");
    api.put(&both, &json!({"merge": 1}));
    app.wait_idle();
    let all = app.only_issue("");
    assert_eq!((text(&all, "count"), &all["userCount"]), ("11", &json!(5)));
}

#[test]
fn splitting_on_the_page_of_fingerprints() {
    let app = App::start();
    let old = merged(&app);
    let user = app.user();
    let page = user.open(&format!("/acme/issues/{old}/")).expect(200);
    let link = format!("/acme/issues/{old}/hashes/");
    assert!(page.links().contains(&link), "{page}");
    let page = user.open(&link).expect(200);
    page.shows("KeyError: 'total'");
    page.shows("KeyError: 'tax'");
    let form = page.form_of_button("Split off");
    user.submit(&page, &form, &[])
        .expect(400)
        .shows("Choose the fingerprints to split off");
    let hash = hash_of(&app.api(), &old, 3);
    let after = user.submit(&page, &form, &[("hash", &hash)]).expect(200);
    after.shows("Split off into this new issue.");
    after.shows("SHOP-3");
    app.wait_idle();
    let new = after.url.path().split('/').nth(3).expect("an issue");
    check_apart(&app, &old, new);
    user.open(&format!("/acme/issues/{new}/hashes/"))
        .expect(200)
        .shows("nothing to split");
    user.open(&format!("/acme/issues/{old}/"))
        .expect(200)
        .shows("off into SHOP-3");
}

/// Rows of before the column have no hash; their payloads do.
#[test]
fn events_of_earlier_releases_can_be_split_off() {
    let app = App::start();
    let old = merged(&app);
    app.database.execute("UPDATE events SET hash = NULL");
    let api = app.api();
    let hash = hash_of(&api, &old, 3);
    let path = format!("/organizations/acme/issues/{old}/hashes/?id={hash}");
    let answer = api.raw("DELETE", &path, None).expect(202).json();
    app.wait_idle();
    check_apart(&app, &old, text(&answer, "id"));
}

#[test]
fn what_cannot_be_split_is_refused() {
    let app = App::start();
    let api = app.api();
    let old = merged(&app);
    let (total, tax) = (hash_of(&api, &old, 4), hash_of(&api, &old, 3));
    let path = format!("/organizations/acme/issues/{old}/hashes/");
    let refuse = |query: String, detail: &str| {
        let answer = api
            .raw("DELETE", &format!("{path}{query}"), None)
            .expect(400);
        assert!(
            text(&answer.json(), "detail").contains(detail),
            "{query}: {answer}"
        );
    };
    refuse(String::new(), "Choose the fingerprints");
    refuse(format!("?id={total}&id={tax}"), "At least one fingerprint");
    refuse("?id=zz".to_owned(), "'zz' is not a hash");
    let other = "00".repeat(16);
    refuse(format!("?id={other}"), "is not a fingerprint of this issue");
    let stranger = Api::new(app.base(), &app.world().stranger_token);
    stranger
        .raw("DELETE", &format!("{path}?id={tax}"), None)
        .expect(404);
    let writer = app
        .cli(&[
            "token",
            "create",
            "--user",
            "owner@example.com",
            "--scopes",
            "event:write",
        ])
        .success();
    Api::new(app.base(), &writer)
        .raw("DELETE", &format!("{path}?id={tax}"), None)
        .expect(403);
    assert_eq!(app.only_issue("")["count"], "7");
}
