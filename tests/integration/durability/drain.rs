//! In: the journal of a node that is retired or died. Out: an empty one, with everything stored, once; or a word on what is
//! missing.

use std::time::Instant;

use super::load::{Book, tell};
use crate::harness::{App, cli, poll, redis_keys};

const KEY: &str = "a secret that all of the nodes know, and nobody else";

#[test]
fn a_retired_nodes_journal_is_emptied() {
    let mut app = App::with()
        .env("BUGLE_SECRET_KEY", KEY)
        .env("BUGLE_WORKERS", "0")
        .start();
    let book = Book::default();
    for number in 0..50 {
        book.send(&app.sdk(), &format!("number {number}"))
            .expect(200);
    }
    let refused = app.cli(&["journal", "drain"]).failure();
    assert!(refused.contains("another bugle serve"), "{refused}");
    app.server_mut().terminate();
    app.environment.remove("BUGLE_WORKERS");

    // The folder as it is found on a dead machine's disk: nothing but the journal.
    let rescued = app.data().join("rescued");
    std::fs::create_dir(&rescued).expect("make a folder");
    std::fs::rename(app.data().join("journal"), rescued.join("journal")).expect("move the journal");
    let mut environment = app.environment.clone();
    environment.insert("BUGLE_DATA_DIR".to_owned(), rescued.display().to_string());
    app.boot();
    assert!(app.api().issues("").is_empty(), "nothing is digested yet");
    let start = Instant::now();
    let said = cli::run(&environment, &["journal", "drain"]).success();
    tell(&format!(
        "a journal of {} records drained in {:.1} s",
        book.acknowledged(),
        start.elapsed().as_secs_f64()
    ));
    assert!(said.starts_with("50 records in "), "{said}");
    assert!(said.contains("the journal is empty"), "{said}");
    book.check(&app);

    let again = cli::run(&environment, &["journal", "drain"]).success();
    assert!(again.starts_with("0 records"), "{again}");
    book.check(&app);
}

#[test]
fn a_folder_without_a_journal_is_no_success() {
    let app = App::with().env("BUGLE_SECRET_KEY", KEY).prepare();
    let said = app.cli(&["journal", "drain"]).failure();
    assert!(said.contains("no journal"), "{said}");
}

/// What damage took is told, and is no success.
#[test]
fn damage_is_told() {
    let mut app = App::with()
        .errors_expected()
        .env("BUGLE_SECRET_KEY", KEY)
        .env("BUGLE_WORKERS", "0")
        .start();
    for text in ["first", "second", "third"] {
        app.sdk().send(&crate::harness::sdk::message(text));
    }
    app.server_mut().terminate();
    app.environment.remove("BUGLE_WORKERS");
    let journal = app.data().join("journal");
    let mut damaged = 0;
    for entry in std::fs::read_dir(&journal).expect("the journal") {
        let path = entry.expect("an entry").path();
        let mut bytes = std::fs::read(&path).expect("a segment");
        let found = bytes.windows(6).position(|window| window == b"second");
        if let Some(at) = found {
            bytes[at] ^= 0xff;
            std::fs::write(&path, bytes).expect("damage it");
            damaged += 1;
        }
    }
    assert!(damaged > 0, "the record was found");
    // With Redis somebody else has to digest.
    let worker = redis_keys::wanted().then(|| {
        let mut environment = app.environment.clone();
        let data = app.data().join("another").display().to_string();
        environment.insert("BUGLE_DATA_DIR".to_owned(), data);
        crate::harness::server::Server::start(&[], &environment)
    });
    let said = app.cli(&["journal", "drain"]).failure();
    assert!(said.contains("could not be read"), "{said}");
    poll::until("the others are stored", || {
        app.database.number("SELECT COUNT(*) AS number FROM events") == 2
    });
    if let Some(mut worker) = worker {
        assert_eq!(worker.terminate().code(), Some(0));
    }
}
