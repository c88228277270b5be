//! In: SIGTERM under load, and a second server on the same data folder. Out: a clean leave, and a refusal that says why.

use std::time::{Duration, Instant};

use super::load::{Book, Load};
use crate::harness::server::Server;
use crate::harness::{App, poll};

#[test]
fn sigterm_under_load_answers_flushes_and_leaves() {
    let mut app = App::start();
    let book = Book::default();
    let load = Load::start(&app, &book, 4);
    poll::until("the server acknowledges", || book.acknowledged() > 30);
    let start = Instant::now();
    let status = app.server_mut().terminate();
    assert_eq!(status.code(), Some(0), "{}", app.server().log.text());
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "it took {:?}",
        start.elapsed()
    );
    drop(load);
    app.boot();
    book.check(&app);
}

#[test]
fn ready_turns_over_to_not_ready_while_stopping() {
    let mut app = App::start();
    let health = app.anonymous().get("/health/live").expect(200);
    assert!(!health.body.is_empty());
    app.health();
    let status = app.server_mut().terminate();
    assert_eq!(status.code(), Some(0));
    assert!(
        std::net::TcpStream::connect(app.base().trim_start_matches("http://")).is_err(),
        "nobody listens any more"
    );
}

#[test]
fn a_second_server_on_the_data_folder_refuses() {
    let app = App::start();
    let Err((status, log)) = Server::try_start(&[], &app.environment) else {
        panic!("the second server started");
    };
    assert_eq!(status.code(), Some(1), "{}", log.text());
    let text = log.text().to_lowercase();
    assert!(
        text.contains("data")
            && (text.contains("another") || text.contains("already") || text.contains("in use")),
        "{text}"
    );
    app.anonymous().get("/health/ready").expect(200);
}
