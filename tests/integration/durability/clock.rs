//! In: a clock that jumps between two runs. Out: every event stored once, and the order of receipt kept.

use std::time::Instant;

use super::load::{Book, Load};
use crate::harness::{App, poll};

/// Back by an hour, forward by two, back again: each time with events that wait in the journal, and with load after it.
#[test]
fn a_clock_that_jumps_loses_and_doubles_nothing() {
    let mut app = App::with()
        .errors_expected()
        .env("BUGLE_WORKERS", "0")
        .start();
    let book = Book::default();
    let mut sent = 0;
    for hours in [0_i64, -1, 1, 0] {
        let offset = (hours * 3_600_000).to_string();
        app.environment
            .insert("BUGLE_TEST_CLOCK_OFFSET_MS".to_owned(), offset);
        app.kill();
        app.boot();
        for _ in 0..10 {
            sent += 1;
            book.send(&app.sdk(), &format!("number {sent:03}"))
                .expect(200);
        }
    }
    app.kill();
    app.environment.remove("BUGLE_WORKERS");
    app.boot();
    let start = Instant::now();
    let load = Load::start(&app, &book, 2);
    poll::until("it goes on", || book.acknowledged() > 100);
    drop(load);
    book.check_recovery(&app, "a clock that jumped", start);
}
