//! In: kill -9 at random moments under load, again and again. Out: acknowledged events are all stored, each once.

use std::env;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::load::{Book, Load};
use crate::harness::sdk::{error, message};
use crate::harness::{App, poll};

/// Ten kills; `script/test --soak` asks for 200.
fn kills() -> usize {
    env::var("TEST_KILLS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(10)
}

/// Some time after the first acknowledgement, at most half a second, so that kills hit every stage of the way.
fn random_moment() -> Duration {
    let mut bytes = [0; 2];
    getrandom::fill(&mut bytes).expect("the system has randomness");
    Duration::from_millis(u64::from(u16::from_le_bytes(bytes)) % 500)
}

#[test]
fn kill_9_under_load_loses_and_doubles_nothing() {
    // Every payload is kept: this much of one error in a minute would be sampled.
    let mut app = App::with().env("BUGLE_SPIKE_LIMIT", "0").start();
    let book = Book::default();
    for _ in 0..kills() {
        let before = book.acknowledged();
        let load = Load::start(&app, &book, 3);
        poll::until("the server acknowledges", || book.acknowledged() > before);
        let moment = Instant::now() + random_moment();
        poll::until("the moment has come", || Instant::now() >= moment);
        app.kill();
        drop(load);
        app.boot();
    }
    assert!(book.acknowledged() >= kills(), "there was load");
    book.check(&app);
}

/// What was acknowledged just before the kill is delivered after the restart without anybody sending it again.
#[test]
fn a_restart_delivers_what_was_waiting() {
    let mut app = App::with().env("BUGLE_WORKERS", "0").start();
    let ids: Vec<_> = (0..20)
        .map(|number| {
            app.sdk()
                .send(&error("E", "v", &format!("f{}", number % 3)))
        })
        .collect();
    assert!(app.api().issues("").is_empty(), "digestion is paused");
    app.kill();
    app.environment.remove("BUGLE_WORKERS");
    app.boot();
    app.wait_idle();
    for id in &ids {
        assert!(
            app.api().event("acme", "shop", id).is_some(),
            "{id} is missing"
        );
    }
    assert_eq!(app.api().issues("").len(), 3);
}

/// Bytes at the end of the log that a crash tore do not keep the server from starting, nor what lies before them.
#[test]
fn a_torn_log_starts_and_keeps_the_rest() {
    let mut app = App::with().env("BUGLE_WORKERS", "0").start();
    let id = app.sdk().send(&message("before the tear"));
    app.kill();
    let journal = newest_file(&app.data().join("journal"));
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .open(&journal)
        .expect("open the newest segment");
    std::io::Write::write_all(&mut file, &[0x5a; 37]).expect("tear it");
    app.environment.remove("BUGLE_WORKERS");
    app.boot();
    let after = app.sdk().send(&message("after the tear"));
    app.wait_idle();
    for id in [id, after] {
        assert!(
            app.api().event("acme", "shop", &id).is_some(),
            "{id} is missing"
        );
    }
}

fn newest_file(folder: &Path) -> PathBuf {
    let files = std::fs::read_dir(folder).expect("the journal's folder");
    let mut files: Vec<_> = files
        .map(|file| file.expect("a folder can be read").path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    let written = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "log");
    files
        .into_iter()
        .rfind(written)
        .expect("a segment with something in it")
}
