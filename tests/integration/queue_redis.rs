//! In: events on a queue in Redis that is emptied, shared by two nodes, or left behind by a dead one. Out: nothing lost,
//! nothing twice. Without `TEST_REDIS_URL` there is nothing to test here.

use std::time::Duration;

use crate::durability::{Book, Load};
use crate::harness::sdk::error;
use crate::harness::server::{Environment, Server};
use crate::harness::{App, poll, redis_keys};

const KEY: &str = "a secret that both of the nodes know";

#[test]
fn an_emptied_redis_loses_nothing() {
    if !redis_keys::wanted() {
        return;
    }
    let app = App::with().errors_expected().start();
    let redis = app.redis.as_ref().expect("the tests run with Redis");
    let book = Book::default();
    let load = Load::start(&app, &book, 3);
    let mut removed = 0;
    for round in 1..=5 {
        poll::until("the server acknowledges", || {
            book.acknowledged() > round * 20
        });
        removed += redis.flush();
    }
    drop(load);
    assert!(removed > 0, "there were keys to remove");
    book.check(&app);
}

#[test]
fn two_nodes_share_the_work() {
    if !redis_keys::wanted() || on_sqlite() {
        return;
    }
    let app = App::with().env("BUGLE_SECRET_KEY", KEY).start();
    let second = node(&app, "worker,web", "second");
    let book = Book::default();
    let load = Load::start(&app, &book, 4);
    poll::until("enough for both", || book.acknowledged() > 150);
    drop(load);
    book.check(&app);
    finish(second);
}

/// The node that receives has no worker; the node that digests is killed in the middle; a third one takes over.
#[test]
fn a_dead_workers_share_is_claimed() {
    if !redis_keys::wanted() || on_sqlite() {
        return;
    }
    let app = App::with()
        .env("BUGLE_SECRET_KEY", KEY)
        .env("BUGLE_ROLES", "ingest,web,scheduler")
        .start();
    let mut first = node(&app, "worker", "first");
    let book = Book::default();
    let load = Load::start(&app, &book, 3);
    poll::until("some are digested", || {
        book.acknowledged() > 60 && !app.api().issues("").is_empty()
    });
    first.kill();
    poll::until("more arrive", || book.acknowledged() > 120);
    drop(load);
    let third = node(&app, "worker", "third");
    let acknowledged = book.acknowledged() as i64;
    poll::until_within(
        Duration::from_secs(75),
        "the dead worker's share is digested",
        || app.database.number("SELECT COUNT(*) AS number FROM events") >= acknowledged,
    );
    book.check(&app);
    finish(third);
}

/// A node whose Redis is away from the start still takes events.
#[test]
fn without_redis_events_wait_in_the_journal() {
    if !redis_keys::wanted() {
        return;
    }
    let mut app = App::with().errors_expected().prepare();
    let real = app.environment["BUGLE_REDIS_URL"].clone();
    app.environment.insert(
        "BUGLE_REDIS_URL".to_owned(),
        "redis://127.0.0.1:1/".to_owned(),
    );
    app.boot();
    let id = app.sdk().send(&error("KeyError", "'price'", "total"));
    app.kill();
    app.environment.insert("BUGLE_REDIS_URL".to_owned(), real);
    app.boot();
    app.wait_idle();
    assert!(app.api().event("acme", "shop", &id).is_some());
}

fn on_sqlite() -> bool {
    use crate::harness::database::{Backend, backend};
    backend() == Backend::Sqlite
}

/// Another node of the same system, with a data folder of its own.
fn node(app: &App, roles: &str, name: &str) -> Server {
    let mut environment: Environment = app.environment.clone();
    let data = app.data().join(name);
    environment.insert("BUGLE_DATA_DIR".to_owned(), data.display().to_string());
    environment.insert("BUGLE_ROLES".to_owned(), roles.to_owned());
    Server::start(&[], &environment)
}

fn finish(mut node: Server) {
    let status = node.terminate();
    assert_eq!(status.code(), Some(0), "{}", node.log.text());
    assert!(node.log.complaints().is_empty(), "{}", node.log.text());
}
