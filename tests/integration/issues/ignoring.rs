//! In: issues that are ignored until something is so. Out: quiet until then, and unresolved afterwards, with the reason.

use serde_json::{Value, json};

use crate::harness::sdk::{error, with};
use crate::harness::{App, Mailbox, poll};

fn send(app: &App, user: Option<&str>) {
    let mut event = error("KeyError", "'price'", "total");
    if let Some(user) = user {
        event = with(event, &json!({"user": {"id": user}}));
    }
    app.sdk().send(&event);
    app.wait_idle();
}

fn ignore(app: &App, body: &Value) -> Value {
    let id = app.only_issue("")["id"].as_str().expect("an id").to_owned();
    let path = format!("/organizations/acme/issues/{id}/");
    let mut whole = json!({"status": "ignored"});
    for (key, value) in body.as_object().expect("an object") {
        whole[key] = value.clone();
    }
    app.api().put(&path, &whole)
}

/// The only issue, if it has this substatus and the search finds it by that and by nothing else.
#[track_caller]
fn is(app: &App, substatus: &str) -> Value {
    let api = app.api();
    let issue = app.only_issue("");
    assert_eq!(issue["substatus"], substatus, "{issue:#}");
    for word in [
        "new",
        "ongoing",
        "regressed",
        "escalating",
        "archived_until_escalating",
        "archived_until_condition_met",
        "archived_forever",
    ] {
        let expected = usize::from(word == substatus);
        assert_eq!(api.issues(&format!("is:{word}")).len(), expected, "{word}");
        let others = api.issues(&format!("!is:{word}")).len();
        assert_eq!(others, 1 - expected, "not {word}");
    }
    issue
}

#[track_caller]
fn last_reason(app: &App) -> Value {
    let id = app.only_issue("")["id"].as_str().expect("an id").to_owned();
    let history = app.api().get(&format!("/issues/{id}/activities/"));
    assert_eq!(history["activity"][0]["type"], "unignored", "{history:#}");
    history["activity"][0]["data"]["reason"].clone()
}

#[test]
fn until_more_events() {
    let app = App::start();
    send(&app, None);
    is(&app, "new");
    for body in [
        json!({"ignoreCount": 2}),
        json!({"statusDetails": {"ignoreCount": 2, "ignoreWindow": 60}}),
    ] {
        let changed = ignore(&app, &body);
        assert_eq!(changed["statusDetails"]["ignoreCount"], 2);
        is(&app, "archived_until_condition_met");
        send(&app, None);
        is(&app, "archived_until_condition_met");
        send(&app, None);
        let issue = is(&app, "ongoing");
        assert_eq!(issue["statusDetails"], json!({}));
        assert_eq!(last_reason(&app), "events");
    }
}

/// What lies outside the window does not count.
#[test]
fn until_more_events_in_a_window() {
    let app = App::start();
    send(&app, None);
    ignore(&app, &json!({"ignoreCount": 2, "ignoreWindow": 60}));
    send(&app, None);
    let earlier = "[[0,1]]";
    app.database.execute(&format!(
        "UPDATE issue_details SET recent_events = '{earlier}'"
    ));
    send(&app, None);
    is(&app, "archived_until_condition_met");
    send(&app, None);
    is(&app, "ongoing");
}

#[test]
fn until_more_users() {
    let app = App::start();
    send(&app, Some("ada"));
    for (body, users) in [
        (json!({"ignoreUserCount": 2}), ["bob", "cat"]),
        (
            json!({"ignoreUserCount": 2, "ignoreUserWindow": 1440}),
            ["dan", "eve"],
        ),
    ] {
        ignore(&app, &body);
        send(&app, Some("ada"));
        send(&app, None);
        send(&app, Some(users[0]));
        send(&app, Some(users[0]));
        is(&app, "archived_until_condition_met");
        send(&app, Some(users[1]));
        is(&app, "ongoing");
        assert_eq!(last_reason(&app), "users");
    }
}

#[test]
fn for_a_time() {
    let mailbox = Mailbox::open();
    let app = App::with().mail_to(&mailbox).start();
    send(&app, None);
    mailbox.expect(1);
    let over = |app: &App| {
        // The clock cannot be moved; the end of the time can.
        app.database
            .execute("UPDATE issue_details SET ignore_until = 1");
    };
    let changed = ignore(&app, &json!({"ignoreDuration": 30}));
    let until = changed["statusDetails"]["ignoreUntil"]
        .as_str()
        .expect("a time");
    let minutes = until
        .parse::<jiff::Timestamp>()
        .expect("a time")
        .duration_since(jiff::Timestamp::now())
        .as_mins();
    assert!((28..=30).contains(&minutes), "{until}");
    send(&app, None);
    is(&app, "archived_until_condition_met");
    over(&app);
    send(&app, None);
    is(&app, "ongoing");
    assert_eq!(last_reason(&app), "time");
    let mail = mailbox.expect(2).remove(1);
    let subject = mail.message.subject();
    assert!(subject.starts_with("No longer ignored: "), "{subject}");

    // Without an event it is the task that sees it.
    ignore(&app, &json!({"snoozeDuration": 30}));
    over(&app);
    app.database
        .execute("UPDATE leases SET expires_at = 0 WHERE name = 'slot:end_ignoring'");
    poll::until("the time is over", || {
        app.only_issue("")["substatus"] == "ongoing"
    });
    assert_eq!(last_reason(&app), "time");
    app.wait_idle();
    mailbox.expect(3);
}

#[test]
fn until_it_escalates_and_forever() {
    let app = App::start();
    send(&app, None);
    ignore(&app, &json!({}));
    is(&app, "archived_until_escalating");
    send(&app, None);
    is(&app, "archived_until_escalating");
    ignore(&app, &json!({"substatus": "archived_forever"}));
    is(&app, "archived_forever");
    send(&app, None);
    assert_eq!(is(&app, "archived_forever")["count"], "3");
    let changed = ignore(
        &app,
        &json!({"ignoreUntil": "2099-01-31T12:00:00Z", "ignoreCount": 5}),
    );
    assert_eq!(
        changed["statusDetails"]["ignoreCount"], 5,
        "{:#}",
        changed["statusDetails"]
    );
}

#[test]
fn what_is_reviewed_is_ongoing() {
    let app = App::start();
    send(&app, None);
    is(&app, "new");
    let id = app.only_issue("")["id"].as_str().expect("an id").to_owned();
    let user = app.user();
    let page = user.open(&format!("/acme/issues/{id}/")).expect(200);
    let page = user
        .submit(&page, &page.form_of_button("Mark reviewed"), &[])
        .expect(200);
    page.shows("reviewed it");
    is(&app, "ongoing");
}

#[test]
fn the_menus_ignore() {
    let app = App::start();
    send(&app, None);
    let id = app.only_issue("")["id"].as_str().expect("an id").to_owned();
    let user = app.user();
    let path = format!("/acme/issues/{id}/");
    let tomorrow = (jiff::Zoned::now() + jiff::Span::new().hours(48))
        .strftime("%Y-%m-%d")
        .to_string();
    for (button, fields, substatus, note) in [
        (
            "Until it escalates",
            &[][..],
            "archived_until_escalating",
            "Ignored until it escalates",
        ),
        ("2 h", &[], "archived_until_condition_met", "Ignored until "),
        (
            "Ignore until then",
            &[("until", tomorrow.as_str())],
            "archived_until_condition_met",
            "00:00 UTC",
        ),
        (
            "Ignore until so many events",
            &[("events", "10"), ("events_window", "60")],
            "archived_until_condition_met",
            "Ignored until 10 more events within 1 hour",
        ),
        (
            "Ignore until so many users",
            &[("users", "1")],
            "archived_until_condition_met",
            "Ignored until 1 more user",
        ),
        ("For good", &[], "archived_forever", "Ignored for good"),
    ] {
        let page = user.open(&path).expect(200);
        let page = user
            .submit(&page, &page.form_of_button(button), fields)
            .expect(200);
        page.shows(note);
        is(&app, substatus);
        user.submit(&page, &page.form_of_button("Reopen"), &[])
            .expect(200);
        is(&app, "ongoing");
    }
    let page = user.open(&path).expect(200);
    for (button, fields) in [
        ("Ignore until then", &[("until", "")]),
        ("Ignore until so many events", &[("events", "many")]),
        ("Resolve in it", &[("release", " ")]),
    ] {
        user.submit(&page, &page.form_of_button(button), fields)
            .expect(400);
    }
    is(&app, "ongoing");

    // In bulk, from the list.
    let page = user.open("/acme/issues/").expect(200);
    let form = page.form_of_button("For good");
    user.submit(&page, &form, &[("id", &id)]).expect(200);
    is(&app, "archived_forever");
}
