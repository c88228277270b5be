//! In: events full of secrets, and what projects and organizations say about them. Out: no secret anywhere once an event is
//! digested, and a page that shows what was taken out and what would be.

use std::path::Path;

use serde_json::{Value, json};

use crate::harness::sdk::{error, message, with};
use crate::harness::{App, Mailbox, poll};

/// Values that stand under names which speak of secrets.
const NEEDLE: &str = "Nadel-im-Heu-7";

fn read(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/scrubbing");
    std::fs::read_to_string(folder.join(name)).expect("a fixture")
}

/// Events with each secret in each place.
fn corpus(secrets: &[&str]) -> Vec<Value> {
    let (places, named) = (read("places.jsonl"), read("named.json"));
    let filled = |text: &str, secret: &str| -> Value {
        serde_json::from_str(&text.replace('◆', secret)).expect("JSON")
    };
    let looked_at = secrets.iter().flat_map(|secret| {
        let lines = places.lines();
        lines.map(move |line| filled(line, secret)["event"].take())
    });
    looked_at.chain([filled(&named, NEEDLE)]).collect()
}

/// Files below a folder that hold one of the texts.
fn files_with(folder: &Path, texts: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_with(&path, texts));
        } else if let Ok(bytes) = std::fs::read(&path) {
            // A file may go while the folder is read.
            let holds = |text: &&str| memchr::memmem::find(&bytes, text.as_bytes()).is_some();
            if texts.iter().any(holds) {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

#[test]
fn no_secret_is_left_anywhere_once_an_event_is_digested() {
    let secrets = read("secrets.txt");
    let secrets: Vec<&str> = secrets.lines().collect();
    let mailbox = Mailbox::open();
    let app = App::with()
        .mail_to(&mailbox)
        .env("BUGLE_LOG", "debug")
        .start();
    let ids: Vec<String> = corpus(&secrets)
        .iter()
        .map(|event| app.sdk().send(event))
        .collect();
    app.wait_idle();
    assert_eq!(app.database.event_ids().len(), ids.len());
    poll::until("mail about issues", || !mailbox.mails().is_empty());

    let mut needles = secrets.clone();
    needles.push(NEEDLE);
    assert_eq!(app.database.columns_with(&needles), [""; 0]);
    let user = app.user();
    for id in &ids {
        let event = app.api().get(&format!("/projects/acme/shop/events/{id}/"));
        let group = event["groupID"].as_str().expect("an issue");
        let page = user
            .open(&format!("/acme/issues/{group}/events/{id}/json"))
            .expect(200);
        for (shown, text) in [("API", event.to_string()), ("page", page.text().clone())] {
            let leak = needles.iter().find(|needle| text.contains(**needle));
            assert_eq!(leak, None, "{shown}: {text}");
        }
    }
    for mail in mailbox.mails() {
        let text = format!(
            "{} {} {}",
            mail.message.subject(),
            mail.message.text(),
            mail.message.html()
        );
        let leak = needles.iter().find(|needle| text.contains(**needle));
        assert_eq!(leak, None, "{text}");
    }
    let log = app.server().log.text();
    let leak = needles.iter().find(|needle| log.contains(**needle));
    assert_eq!(leak, None, "the log");
    // The journal keeps what it was sent until it is digested, and no longer than it takes to notice that.
    poll::until("the journal is rid of it", || {
        files_with(app.data(), &needles).is_empty()
    });
}

#[test]
fn a_project_and_its_organization_say_what_else_is_secret() {
    let app = App::start();
    let more = json!({
        "extra": {"customer_no": "C-4711", "note": "of K-77123", "password": "hunter2"},
        "user": {"id": "1", "ip_address": "198.51.100.7"},
    });
    let event = || with(error("KeyError", "no price for K-77123", "total"), &more);
    let first = app.sdk().send(&event());
    app.wait_idle();
    let user = app.user();

    let path = "/acme/projects/shop/scrubbing";
    let page = user.open(path).expect(200);
    let form = page.form_with("name=\"expressions\"");
    let typed = [
        ("expressions", "K-\\d{5}"),
        ("event", first.as_str()),
        ("do", "preview"),
    ];
    let preview = user.submit(&page, &form, &typed).expect(200);
    preview.shows("extra.note");
    preview.shows("of [Filtered]");
    let untouched = user.open(path).expect(200);
    assert!(
        !untouched.text().contains("K-\\d{5}"),
        "a preview saves nothing"
    );
    let wrong = [("expressions", "K-(\\d"), ("do", "save")];
    user.submit(&page, &form, &wrong)
        .expect(200)
        .shows("unclosed group");
    user.submit(&page, &form, &[("expressions", "K-\\d{5}"), ("do", "save")])
        .expect(200)
        .shows("Saved.");

    let page = user.open("/acme/scrubbing").expect(200);
    let form = page.form_with("name=\"expressions\"");
    let wanted = [("fields", "customer"), ("remove_ips", "on"), ("do", "save")];
    user.submit(&page, &form, &wanted)
        .expect(200)
        .shows("Saved.");
    user.open(path).expect(200).shows("customer");

    // Nodes hear of it within a second; until then events are processed as before.
    let scrubbed = poll::value("an event without what the settings name", || {
        let id = app.sdk().send(&event());
        app.wait_idle();
        let stored = app.api().get(&format!("/projects/acme/shop/events/{id}/"));
        let text = stored.to_string();
        (!text.contains("C-4711") && !text.contains("K-77123")).then_some(stored)
    });
    let text = scrubbed.to_string();
    assert!(
        !text.contains("198.51.100.7") && !text.contains("hunter2"),
        "{text}"
    );
    assert_eq!(scrubbed["context"]["note"], "of [Filtered]");
    assert_eq!(
        app.api().list("/projects/acme/shop/issues/").len(),
        1,
        "still one issue"
    );

    let issue = app.only_issue("")["id"].as_str().expect("an id").to_owned();
    let page = user.open(&format!("/acme/issues/{issue}/")).expect(200);
    page.shows("its name speaks of a secret");
    page.shows("an expression of the project");
    assert!(
        page.text().contains("class=\"scrubbed\""),
        "marks stand out"
    );
}

#[test]
fn a_project_may_keep_everything_unless_its_organization_forbids() {
    let app = App::start();
    let user = app.user();
    let save = |path: &str, value: &str| {
        let page = user.open(path).expect(200);
        let form = page.form_with("name=\"expressions\"");
        user.submit(&page, &form, &[("built_in", value), ("do", "save")])
            .expect(200)
            .shows("Saved.");
    };
    let event = || with(message("plain"), &json!({"extra": {"password": "hunter2"}}));
    let is_kept = || {
        let id = app.sdk().send(&event());
        app.wait_idle();
        let stored = app.api().get(&format!("/projects/acme/shop/events/{id}/"));
        stored.to_string().contains("hunter2")
    };
    save("/acme/projects/shop/scrubbing", "off");
    poll::until("all is kept", is_kept);
    save("/acme/scrubbing", "always");
    poll::until("the organization's word counts", || !is_kept());
}
