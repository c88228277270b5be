//! In: resent events, unknown items and items that are not kept. Out: what counts once, what counts as not kept, what costs nothing.

use serde_json::json;

use crate::harness::database::integer;
use crate::harness::sdk::{envelope, error, message, new_id, with};
use crate::harness::{App, poll};

#[test]
fn the_same_id_again_counts_once() {
    let app = App::start();
    let sdk = app.sdk();
    let event = error("KeyError", "'price'", "total");
    let id = sdk.send(&event);
    // At once, in another form of the id, and again once it is stored.
    assert_eq!(sdk.send(&event), id);
    let dashed = format!(
        "{}-{}-{}-{}-{}",
        &id[..8],
        &id[8..12],
        &id[12..16],
        &id[16..20],
        &id[20..]
    )
    .to_uppercase();
    assert_eq!(
        sdk.send(&with(event.clone(), &json!({"event_id": dashed}))),
        id
    );
    app.wait_idle();
    assert_eq!(
        sdk.send(&with(event.clone(), &json!({"message": "something else"}))),
        id
    );
    app.wait_idle();
    let issue = app.only_issue("");
    assert_eq!(issue["count"], "1");
    assert_eq!(issue["title"], "KeyError: 'price'");

    // The same id in another project is another event.
    app.sdk_of(&app.world().web_dsn).send(&event);
    app.wait_idle();
    assert!(app.api().event("acme", "web", &id).is_some());
    assert_eq!(app.api().issues("").len(), 2);
}

#[test]
fn items_beside_the_event_do_not_harm_it() {
    let app = App::start();
    let sdk = app.sdk();
    let event = message("between strangers");
    let id = event["event_id"].as_str().expect("an id").to_owned();
    let body = [
        format!("{{\"event_id\":\"{id}\"}}\n"),
        "{\"type\":\"session\"}\n{\"sid\":\"x\"}\n".to_owned(),
        "{\"type\":\"something_new\",\"length\":3}\n\u{0}\n\n\n".to_owned(),
        format!("{{\"type\":\"event\"}}\n{event}\n"),
        "{\"type\":\"attachment\",\"length\":4,\"filename\":\"a.bin\"}\n{}\n}\n".to_owned(),
        "{\"type\":\"log\",\"item_count\":1}\n{\"items\":[]}".to_owned(),
    ]
    .concat();
    assert_eq!(sdk.envelope(body.as_bytes()).expect(200).json()["id"], id);
    app.wait_idle();
    assert_eq!(app.only_issue("")["title"], "between strangers");
    poll::until("two items counted as not kept", || not_kept(&app) == 2);
    let files = app
        .api()
        .list(&format!("/projects/acme/shop/events/{id}/attachments/"));
    assert_eq!(files[0]["name"], "a.bin");
}

#[test]
fn envelopes_without_an_event_are_acknowledged() {
    let app = App::start();
    let sdk = app.sdk();
    assert_eq!(sdk.envelope(b"{}").expect(200).json(), json!({}));
    let id = new_id();
    let transaction = json!({"type": "transaction", "transaction": "GET /", "spans": []});
    let body = format!("{{\"event_id\":\"{id}\"}}\n{{\"type\":\"transaction\"}}\n{transaction}\n");
    assert_eq!(
        sdk.envelope(body.as_bytes()).expect(200).json()["id"],
        id.as_str()
    );
    app.wait_idle();
    assert!(app.api().issues("").is_empty());
    poll::until("the transaction is counted as not kept", || {
        not_kept(&app) == 1
    });
}

fn not_kept(app: &App) -> i64 {
    app.database.number(&format!(
        "SELECT CAST(COALESCE(SUM(quantity), 0) AS {}) AS number FROM usage_hours WHERE outcome = 'not_kept'",
        integer()
    ))
}

/// An issue belongs to a project, also where two projects have the same error.
#[test]
fn projects_do_not_share_issues() {
    let app = App::start();
    let event = error("KeyError", "'price'", "total");
    app.sdk().send(&event);
    app.sdk_of(&app.world().web_dsn)
        .envelope(&envelope(&with(event, &json!({"event_id": new_id()}))))
        .expect(200);
    app.wait_idle();
    let mut projects: Vec<_> = app
        .api()
        .issues("")
        .iter()
        .map(|issue| issue["project"]["slug"].to_string())
        .collect();
    projects.sort();
    assert_eq!(projects, ["\"shop\"", "\"web\""]);
}
