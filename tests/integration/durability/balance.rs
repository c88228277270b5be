//! In: kills and damage. Out: the System page still accounts for every record that was ever accepted.

use std::path::PathBuf;

use super::load::{Book, Load};
use crate::harness::cli::run_with_input;
use crate::harness::sdk::message;
use crate::harness::visitor::Page;
use crate::harness::{App, PASSWORD, Visitor, poll};

const ROOT: &str = "root@example.com";

/// A browser of somebody who may see the pages about the instance.
pub fn superuser(app: &App) -> Visitor {
    let arguments = [
        "user",
        "create",
        "--email",
        ROOT,
        "--name",
        "Rita Root",
        "--superuser",
        "--password-stdin",
    ];
    // A second call finds the account, and says so.
    let _ = run_with_input(&app.environment, &arguments, PASSWORD);
    let visitor = app.visitor();
    visitor.sign_in(ROOT, PASSWORD);
    visitor
}

/// The System page of a server whose balance holds.
#[track_caller]
pub fn holds(app: &App) -> Page {
    let root = superuser(app);
    // Just after a start the journal is still being read.
    let page = poll::value("the balance is known", || {
        let page = root.open("/admin/").expect(200);
        (!page.words().contains("Balance not known yet")).then_some(page)
    });
    page.shows("Balance OK");
    page
}

#[test]
fn the_balance_holds_across_kills() {
    let mut app = App::start();
    let book = Book::default();
    for _ in 0..3 {
        let before = book.acknowledged();
        let load = Load::start(&app, &book, 3);
        poll::until("the server acknowledges", || {
            book.acknowledged() > before + 20
        });
        app.kill();
        drop(load);
        app.boot();
        holds(&app);
    }
    book.check(&app);
    holds(&app).shows("Waiting in the journal, not digested yet 0");
    // Other nodes and the doctor know it from the heartbeat.
    let doctor = poll::value("the heartbeat tells the balance", || {
        let report = app.cli(&["doctor"]).success();
        report.contains("+ 0 waiting").then_some(report)
    });
    assert!(doctor.contains("ok       balance"), "{doctor}");
}

fn segments(app: &App) -> Vec<PathBuf> {
    let folder = std::fs::read_dir(app.data().join("journal")).expect("the journal's folder");
    let mut paths: Vec<PathBuf> = folder
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "log"))
        .collect();
    paths.sort();
    paths
}

#[test]
fn a_damaged_record_is_counted_for_good() {
    let mut app = App::with()
        .errors_expected()
        .env("BUGLE_WORKERS", "0")
        .start();
    let texts = ["the first", "the second", "the third"];
    let ids: Vec<String> = texts
        .iter()
        .map(|text| app.sdk().send(&message(text)))
        .collect();
    app.kill();
    for path in segments(&app) {
        let mut bytes = std::fs::read(&path).expect("a segment");
        if let Some(at) = memchr::memmem::find(&bytes, b"the second") {
            bytes[at] ^= 0xff;
            std::fs::write(&path, &bytes).expect("damage it");
        }
    }
    app.environment.remove("BUGLE_WORKERS");
    for _ in 0..2 {
        app.boot();
        app.wait_idle();
        let found: Vec<bool> = ids
            .iter()
            .map(|id| app.api().event("acme", "shop", id).is_some())
            .collect();
        assert_eq!(found, [true, false, true], "only what is damaged is lost");
        let page = holds(&app);
        page.shows("Accepted acknowledged to SDKs, counted by the journal 3");
        page.shows("Damaged lost on the disk after they were acknowledged 1");
        app.server_mut().terminate();
    }
}
