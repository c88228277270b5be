//! In: events that make what works on them fail, panic, crash or loop, among hundreds of good ones. Out: the good ones
//! stored once, the bad one among the dead letters with its error, every record accounted for; and stored in the end,
//! when whatever was wrong with it is mended.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use crate::harness::database::{Backend, backend};
use crate::harness::sdk::{error, message, with};
use crate::harness::{App, poll};
use serde_json::json;

use super::balance::{holds, superuser};

const HOOK: &str = "BUGLE_TEST_POISON";
/// What must not lie readable in any file.
const SECRET: &str = "Tr0ub4dor-and-3";

struct Sent {
    good: BTreeSet<String>,
    bad: String,
}

/// A server with digestion paused that took `good` events, a bad one in their middle.
fn loaded(good: usize, poison: &str) -> (App, Sent) {
    let mut app = App::with()
        .errors_expected()
        .env("BUGLE_WORKERS", "0")
        .env(HOOK, "1")
        .start();
    let mut ids = BTreeSet::new();
    let send_good = |count: usize, ids: &mut BTreeSet<String>| {
        for number in 0..count {
            ids.insert(
                app.sdk()
                    .send(&error("E", "v", &format!("f{}", number % 5))),
            );
        }
    };
    send_good(good / 2, &mut ids);
    let text = format!("bugle-test-poison:{poison}");
    let bad = with(message(&text), &json!({"extra": {"password": SECRET}}));
    let bad = app.sdk().send(&bad);
    send_good(good - good / 2, &mut ids);
    app.server_mut().terminate();
    app.environment
        .insert("BUGLE_WORKERS".to_owned(), "2".to_owned());
    (app, Sent { good: ids, bad })
}

fn wait_for_the_dead_letter(app: &App, sent: &Sent) -> String {
    let mut list = String::new();
    // Three trials that take too long, and a batch that did.
    poll::until_within(
        Duration::from_secs(120),
        "the bad event is among the dead letters",
        || {
            list = app.cli(&["dead-letters", "list"]).success();
            list.contains(&sent.bad)
        },
    );
    list
}

#[track_caller]
fn check_aside(app: &App, sent: &Sent, reason: &str) {
    let list = wait_for_the_dead_letter(app, sent);
    assert!(list.contains(reason), "the reason is {reason:?}: {list}");
    app.wait_idle();
    let stored = app.database.event_ids();
    assert_eq!(
        stored.len(),
        sent.good.len(),
        "each good event is stored once"
    );
    assert_eq!(stored.into_iter().collect::<BTreeSet<_>>(), sent.good);
    assert_eq!(
        list.matches("event ").count(),
        1,
        "nobody else is blamed: {list}"
    );
    let page = holds(app);
    page.shows(&format!("Stored events written {}", sent.good.len()));
    page.shows("Dead set aside, see the dead letters 1");
}

/// What was wrong is mended: the event is stored and nothing is left.
fn check_retry(app: &mut App, sent: &Sent) {
    let left = app.server_mut().terminate();
    assert_eq!(left.code(), Some(0), "it leaves in good order");
    app.environment.remove(HOOK);
    app.boot();
    app.cli(&["dead-letters", "retry", "--all"]).success();
    poll::until("the event is stored", || {
        app.api().event("acme", "shop", &sent.bad).is_some()
    });
    app.wait_idle();
    let list = app.cli(&["dead-letters", "list"]).success();
    assert!(list.contains("no dead letters"), "{list}");
    assert_eq!(app.database.event_ids().len(), sent.good.len() + 1);
    let page = holds(app);
    page.shows("Dead set aside, see the dead letters 0");
}

/// Whether a text lies in any file of a folder.
fn lies_in(folder: &Path, text: &str) -> bool {
    let entries = std::fs::read_dir(folder).expect("a folder can be read");
    entries.flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return lies_in(&path, text);
        }
        // A file that is gone meanwhile holds nothing.
        std::fs::read(path)
            .is_ok_and(|bytes| memchr::memmem::find(&bytes, text.as_bytes()).is_some())
    })
}

#[test]
fn an_event_that_panics_is_set_aside_sealed() {
    let (mut app, sent) = loaded(300, "panic");
    app.boot();
    check_aside(&app, &sent, "panic: a marked event");
    if backend() == Backend::Sqlite {
        poll::until("what the SDK sent is nowhere to be read", || {
            !lies_in(app.data(), SECRET)
        });
    }
    let root = superuser(&app);
    let page = root.open("/admin/dead-letters/").expect(200);
    page.shows("panic: a marked event");
    let link = page
        .links()
        .into_iter()
        .find(|link| link.contains("/admin/dead-letters/e"))
        .expect("a link to the event");
    let page = root.open(&link).expect(200);
    assert!(!page.text().contains(SECRET), "not without a click: {page}");
    let raw = root.submit(&page, &page.form_of_button("Show it unscrubbed"), &[]);
    assert!(raw.text().contains(SECRET), "after the click: {raw}");
    check_retry(&mut app, &sent);
}

#[test]
fn an_event_that_the_store_refuses_is_set_aside_scrubbed() {
    let (mut app, sent) = loaded(300, "store");
    app.boot();
    check_aside(&app, &sent, "a marked event");
    let root = superuser(&app);
    let page = root.open("/admin/dead-letters/").expect(200);
    let link = page
        .links()
        .into_iter()
        .find(|link| link.contains("/admin/dead-letters/e"))
        .expect("a link to the event");
    let page = root.open(&link).expect(200);
    page.shows("bugle-test-poison:store");
    assert!(!page.text().contains(SECRET), "it is scrubbed: {page}");
    check_retry(&mut app, &sent);
}

/// One crash is all it takes: after it, suspects are tried where they do no harm.
#[test]
fn an_event_that_ends_the_process_does_so_once() {
    let (mut app, sent) = loaded(300, "abort");
    app.boot_to_crash();
    app.boot();
    check_aside(&app, &sent, "signal 6");
    assert!(app.server_mut().running());
    check_retry(&mut app, &sent);
}

#[test]
fn an_event_that_loops_is_set_aside_and_the_server_goes_on() {
    let (mut app, sent) = loaded(300, "loop");
    app.boot();
    check_aside(&app, &sent, "did not end within");
    assert!(app.server_mut().running());
    check_retry(&mut app, &sent);
}

/// What no trial shows is found by halving: only the record that crashed alone is blamed.
#[test]
fn an_event_that_crashes_the_store_is_found_by_halving() {
    let (mut app, sent) = loaded(20, "crash-in-store");
    let mut crashes = 0;
    loop {
        app.boot_unsteady();
        let mut aside = false;
        poll::until("it crashes again, or sets the event aside", || {
            aside = app
                .cli(&["dead-letters", "list"])
                .success()
                .contains(&sent.bad);
            aside || !app.server_mut().running()
        });
        if aside {
            break;
        }
        crashes += 1;
        assert!(crashes < 15, "the culprit is not found");
    }
    check_aside(&app, &sent, "it ended the process 3 times");
    check_retry(&mut app, &sent);
}
