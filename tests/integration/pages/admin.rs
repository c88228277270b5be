//! In: superusers and others on the pages about the instance. Out: pages for the former, nothing for the latter.

use crate::durability::superuser;
use crate::harness::App;
use crate::harness::sdk::error;

const PAGES: [&str; 4] = [
    "/admin/",
    "/admin/dead-letters/",
    "/admin/dead-letters/all?action=retry",
    "/admin/dead-letters/e1/",
];

#[test]
fn only_superusers_find_the_pages_about_the_instance() {
    let app = App::start();
    let user = app.user();
    for path in PAGES {
        user.open(path).expect(404);
        let stranger = app.visitor().open(path);
        assert!(
            stranger.text().contains("type=\"password\""),
            "one signs in first: {stranger}"
        );
    }
    let account = user.open("/account").expect(200);
    assert!(!account.text().contains("/admin/"), "nothing leads there");
    let form = account.form_of_button("Sign out");
    let token = form
        .fields
        .iter()
        .find(|(name, _)| name == "csrf")
        .map(|(_, value)| value.clone())
        .expect("the form has a token");
    let urlencoded = ("content-type", "application/x-www-form-urlencoded");
    for path in ["all", "chosen", "e1/raw"] {
        let path = format!("{}/admin/dead-letters/{path}", app.base());
        let body = format!("csrf={token}&action=delete&letter=e1");
        let answer = user.request("POST", &path, &[urlencoded], Some(body.as_bytes()));
        assert_eq!(answer.status, 404, "{path}: {answer}");
    }
}

#[test]
fn the_system_page_accounts_for_what_was_sent() {
    let app = App::start();
    let event = error("E", "v", "f");
    app.sdk().send(&event);
    app.sdk().send(&event);
    app.sdk().send(&error("E", "v", "g"));
    app.wait_idle();
    let root = superuser(&app);
    let page = root.open("/admin/").expect(200);
    page.shows("Balance OK");
    page.shows("Stored events written 2");
    page.shows("Duplicate sent again by an SDK 1");
    page.shows("Waiting in the journal, not digested yet 0");
    page.shows("none: nothing waits");
    page.shows("this one");
    page.shows(env!("CARGO_PKG_VERSION"));
    let empty = root.open("/admin/dead-letters/").expect(200);
    empty.shows("No dead letters");
}

#[test]
fn dead_letters_are_retried_and_deleted_on_the_page() {
    let app = App::with().errors_expected().start();
    // Not long ago, or the retention time would be over.
    let now = bugle::store::now_ms();
    for id in [1001, 1002, 1003] {
        app.database.execute(&format!(
            "INSERT INTO tasks (id, kind, args, state, attempts, run_at, claimed_until, last_error, created_at) \
             VALUES ({id}, 'expired_sessions', '{{}}', 1, 5, 0, 0, 'it broke {id}', {now})"
        ));
    }
    let root = superuser(&app);
    let list = root.open("/admin/dead-letters/").expect(200);
    list.shows("3 set aside");
    list.shows("it broke 1002");
    let letter = root.open("/admin/dead-letters/t1001/").expect(200);
    letter.shows("it broke 1001");
    let after = root.submit(&letter, &letter.form_of_button("Delete"), &[]);
    after.shows("Deleted.");
    after.shows("2 set aside");
    let letter = root.open("/admin/dead-letters/t1002/").expect(200);
    root.submit(&letter, &letter.form_of_button("Retry"), &[])
        .shows("1 set aside");
    app.wait_idle();
    let ask = root
        .open("/admin/dead-letters/all?action=delete")
        .expect(200);
    ask.shows("Delete 1 dead letter?");
    root.submit(&ask, &ask.form_of_button("Delete them"), &[])
        .shows("No dead letters");
    let left = app
        .database
        .number("SELECT COUNT(*) AS number FROM tasks WHERE id IN (1001, 1002, 1003)");
    assert_eq!(left, 0);
}
