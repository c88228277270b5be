//! In: what people write, in the form of today and in the older one. Out: the list, the error that it is about, and what is done.

use serde_json::{Value, json};

use super::envelope;
use crate::harness::App;
use crate::harness::sdk::{error, new_id};

fn feedback(id: &str, message: &str, about: Option<&str>) -> Vec<u8> {
    let mut said =
        json!({"message": message, "contact_email": "jane@example.com", "name": "Jane Doe"});
    if let Some(about) = about {
        said["associated_event_id"] = json!(about);
    }
    let event = json!({
        "event_id": id, "type": "feedback", "platform": "javascript", "level": "info",
        "release": "web@5.0.0", "environment": "production",
        "request": {"url": "https://shop.example.com/checkout"}, "contexts": {"feedback": said},
    });
    event.to_string().into_bytes()
}

fn send(app: &App, id: &str, message: &str, about: Option<&str>) {
    let items = [
        (json!({"type": "feedback"}), feedback(id, message, about)),
        (
            json!({"type": "attachment", "filename": "screen.png"}),
            b"\x89PNG\r\n\x1a\n".to_vec(),
        ),
    ];
    app.sdk().envelope(&envelope(Some(id), &items)).expect(200);
}

fn listed(app: &App) -> Vec<Value> {
    app.api().list("/projects/acme/shop/user-feedback/")
}

#[test]
fn feedback_leads_to_the_error_it_is_about() {
    let app = App::start();
    let event = app.sdk().send(&error("KeyError", "'price'", "total"));
    let id = new_id();
    send(
        &app,
        &id,
        "The <b>pay</b> button does nothing",
        Some(&event),
    );
    app.wait_idle();
    let found = &listed(&app)[0];
    assert_eq!(found["comments"], "The <b>pay</b> button does nothing");
    assert_eq!(
        (&found["name"], &found["email"]),
        (&json!("Jane Doe"), &json!("jane@example.com"))
    );
    assert_eq!(found["eventID"], event.as_str());
    let issue = app.only_issue("")["id"].as_str().expect("an id").to_owned();
    assert_eq!(found["issue"]["id"], issue.as_str());
    assert_eq!(found["release"], "web@5.0.0");

    let user = app.user();
    let page = user.open(&format!("/acme/issues/{issue}/")).expect(200);
    page.shows("User feedback All 1 of this issue The <b>pay</b> button does nothing Jane Doe · jane@example.com");
    let list = user.open("/acme/feedback/").expect(200);
    list.shows("Jane Doe jane@example.com");
    list.shows("screen.png");
    list.shows("Open the error");
    assert!(
        list.text()
            .contains(&format!("/acme/issues/{issue}/events/{event}/"))
    );
    user.open(&format!("/acme/feedback/?issue={issue}"))
        .expect(200)
        .shows("The <b>pay</b> button");

    // Done is out of the way, and can be opened again.
    let done = user.submit(
        &list,
        &list.form_with("Mark as done"),
        &[("status", "done")],
    );
    done.shows("No open feedback");
    let all = user.open("/acme/feedback/?status=done").expect(200);
    let open = user.submit(&all, &all.form_with("Reopen"), &[("status", "open")]);
    open.shows("No feedback like that");
    assert_eq!(
        app.api()
            .list("/organizations/acme/user-feedback/?status=unresolved")
            .len(),
        1
    );
}

#[test]
fn an_old_report_may_come_before_its_event_and_be_written_again() {
    let app = App::start();
    let event = error("KeyError", "'price'", "total");
    let id = event["event_id"].as_str().expect("an id").to_owned();
    let report = |text: &str| {
        let report = json!({"event_id": id, "email": "jane@example.com", "name": "Jane Doe", "comments": text});
        let items = [(
            json!({"type": "user_report"}),
            report.to_string().into_bytes(),
        )];
        app.sdk().envelope(&envelope(Some(&id), &items)).expect(200);
        app.wait_idle();
    };
    report("Nothing happened.");
    app.sdk().send(&event);
    app.wait_idle();
    report("Nothing happened.\nTwice.");
    let found = listed(&app);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["comments"], "Nothing happened.\nTwice.");
    assert_eq!(found[0]["issue"]["id"], app.only_issue("")["id"]);
}

#[test]
fn what_says_nothing_is_none_and_secrets_are_scrubbed() {
    let app = App::start();
    send(&app, &new_id(), " ", None);
    send(
        &app,
        &new_id(),
        "my card 4111 1111 1111 1111 was refused",
        None,
    );
    let report = [(json!({"type": "user_report"}), b"no json".to_vec())];
    app.sdk().envelope(&envelope(None, &report)).expect(200);
    app.wait_idle();
    let found = listed(&app);
    assert_eq!(found.len(), 1);
    let text = found[0]["comments"].as_str().expect("a text");
    assert!(
        text.starts_with("my card") && !text.contains("4111"),
        "{text}"
    );
    assert!(found[0]["issue"].is_null() && found[0]["eventID"].is_null());
    app.user()
        .open("/acme/feedback/")
        .expect(200)
        .shows("was refused");
}

#[test]
fn strangers_see_and_change_nothing() {
    let app = App::start();
    send(&app, &new_id(), "for members only", None);
    app.wait_idle();
    app.anonymous()
        .get("/api/0/organizations/acme/user-feedback/")
        .expect(401);
    let visitor = app.visitor();
    assert_eq!(
        visitor.request("GET", "/acme/feedback/", &[], None).status,
        303
    );
    let id = listed(&app)[0]["id"].as_str().expect("an id").to_owned();
    let forged = app.user().request(
        "POST",
        &format!("/acme/feedback/{id}"),
        &[
            ("content-type", "application/x-www-form-urlencoded"),
            ("origin", app.base()),
        ],
        Some(b"status=done"),
    );
    assert_eq!(forged.status, 403);
    assert_eq!(
        app.api()
            .list("/organizations/acme/user-feedback/?status=unresolved")
            .len(),
        1
    );
}
