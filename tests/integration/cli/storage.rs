//! In: what is stored. Out: what `bugle doctor` and the admin page say about it.

use crate::harness::sdk::error;
use crate::harness::{App, PASSWORD, cli};

const ADMIN: &str = "admin@example.com";

#[test]
fn doctor_and_the_admin_page_show_what_is_kept_and_where() {
    let app = App::start();
    for _ in 0..30 {
        app.sdk().send(&error("KeyError", "'price'", "total"));
    }
    app.sdk_of(&app.world().web_dsn)
        .send(&error("TypeError", "x is undefined", "click"));
    app.wait_idle();
    let report = app.cli(&["doctor"]).success();
    for text in [
        "31 of 31 events kept",
        "acme/shop",
        "acme/web",
        "30 of         30 events  SHOP-1  KeyError",
        "times less",
        "oldest event kept: received 20",
    ] {
        assert!(report.contains(text), "{text:?} is missing:\n{report}");
    }
    // The largest project comes first, and the tables have sizes.
    assert!(report.find("acme/shop") < report.find("acme/web"));
    let events = report
        .lines()
        .find(|line| line.ends_with("  events"))
        .unwrap_or_else(|| panic!("no size of the table of events:\n{report}"));
    assert!(events.contains("KiB") || events.contains("MiB"), "{events}");

    let mut environment = app.environment.clone();
    environment.insert("BUGLE_RETENTION_BYTES".to_owned(), "1kB".to_owned());
    let over = cli::run(&environment, &["doctor"]).failed();
    assert!(over.contains("of at most 1000 B"), "{over}");
    environment.insert("BUGLE_RETENTION_BYTES".to_owned(), "much".to_owned());
    let mistake = cli::run(&environment, &["doctor"]).failure();
    assert!(mistake.contains("20GB"), "{mistake}");

    let owner = app.user();
    owner.open("/admin/storage/").expect(404);
    let arguments = [
        "user",
        "create",
        "--email",
        ADMIN,
        "--superuser",
        "--password-stdin",
    ];
    cli::run_with_input(&app.environment, &arguments, PASSWORD).success();
    let admin = app.visitor();
    admin.sign_in(ADMIN, PASSWORD);
    let page = admin.open("/admin/storage/").expect(200);
    for text in [
        "31 kept of 31 counted",
        "acme/shop",
        "SHOP-1",
        "By table",
        "times less",
    ] {
        page.shows(text);
    }
}
