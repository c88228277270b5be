//! In: a database that goes away, hangs or is slow, and comes back. Out: ingest goes on from what it knows, and nothing is lost.

use std::time::{Duration, Instant};

use diesel::SqliteConnection;
use serde_json::Value;

use super::load::{Book, Load};
use crate::harness::database::{Backend, backend};
use crate::harness::proxy::Proxy;
use crate::harness::sdk::message;
use crate::harness::{App, Plan, poll};

/// A database that a test can take away, on each backend in its way.
pub struct Outage {
    pub app: App,
    proxy: Option<Proxy>,
    lock: Option<SqliteConnection>,
}

impl Outage {
    pub fn prepare(plan: Plan) -> Self {
        let mut app = plan.errors_expected().prepare();
        let proxy = (backend() != Backend::Sqlite).then(|| Proxy::to(&app.database.url));
        if let Some(proxy) = &proxy {
            app.environment
                .insert("BUGLE_DATABASE_URL".to_owned(), proxy.url.clone());
        }
        app.boot();
        Self {
            app,
            proxy,
            lock: None,
        }
    }

    /// `SQLite` is a file of this machine: what can go away is only what others lock.
    pub fn begin(&mut self) {
        match &self.proxy {
            Some(proxy) => proxy.cut(),
            None => self.lock = Some(self.app.database.lock()),
        }
    }

    pub fn end(&mut self) {
        self.lock = None;
        if let Some(proxy) = &self.proxy {
            proxy.mend();
        }
    }
}

#[test]
fn events_are_kept_while_the_database_is_away() {
    if backend() == Backend::Sqlite {
        return events_are_kept_from_a_start_without_sqlite();
    }
    let mut app = App::with().errors_expected().prepare();
    let proxy = Proxy::to(&app.database.url);
    app.environment
        .insert("BUGLE_DATABASE_URL".to_owned(), proxy.url.clone());
    app.boot();
    let mut ids = vec![app.sdk().send(&message("before"))];
    app.wait_idle();

    proxy.cut();
    for number in 0..5 {
        ids.push(app.sdk().send(&message(&format!("meanwhile {number}"))));
    }
    until_degraded(&app);

    // Also a start knows the keys, from the snapshot of the last run.
    app.kill();
    app.boot();
    ids.push(app.sdk().send(&message("after a start without a database")));
    let unknown = app.sdk().with_key(&"f".repeat(32));
    let refused = unknown.envelope(&crate::harness::sdk::envelope(&message("unknown key")));
    assert!(matches!(refused.status, 401 | 403 | 503), "{refused}");

    proxy.mend();
    app.wait_idle();
    for id in ids {
        assert!(
            app.api().event("acme", "shop", &id).is_some(),
            "{id} is missing"
        );
    }
    let health: Value = app.health();
    assert_eq!(health["status"], "ok", "{health:#}");
}

/// `SQLite` is a file of this machine: what can go away is only what others lock.
fn events_are_kept_from_a_start_without_sqlite() {
    let app = App::with().start();
    let lock = app.database.lock();
    let id = app
        .sdk()
        .send(&message("while another program holds the database"));
    drop(lock);
    app.wait_idle();
    assert!(app.api().event("acme", "shop", &id).is_some());
}

/// Away under load, again and again, and back.
#[test]
fn a_database_that_comes_and_goes_loses_nothing() {
    let mut outage = Outage::prepare(App::with());
    let book = Book::default();
    let load = Load::start(&outage.app, &book, 3);
    for round in 1..=3 {
        poll::until("the server acknowledges", || {
            book.acknowledged() > round * 60 - 30
        });
        outage.begin();
        poll::until("it goes on acknowledging", || {
            book.acknowledged() > round * 60
        });
        outage.end();
    }
    drop(load);
    book.check_recovery(&outage.app, "database away and back", Instant::now());
}

/// Connections stay open and nobody answers: the worst way for a server to be away.
#[test]
fn a_frozen_database_stops_neither_ingest_nor_health() {
    if backend() == Backend::Sqlite {
        return;
    }
    let outage = Outage::prepare(App::with());
    let (app, proxy) = (&outage.app, outage.proxy.as_ref().expect("a server"));
    let book = Book::default();
    let load = Load::start(app, &book, 3);
    poll::until("the server acknowledges", || book.acknowledged() > 30);
    proxy.freeze();
    until_degraded(app);
    let before = book.acknowledged();
    poll::until("it goes on acknowledging", || {
        book.acknowledged() > before + 60
    });
    proxy.mend();
    drop(load);
    book.check_recovery(app, "database frozen and back", Instant::now());
}

/// The order to stop is obeyed although a worker waits for an answer that does not come.
#[test]
fn a_frozen_database_does_not_keep_the_server_from_stopping() {
    if backend() == Backend::Sqlite {
        return;
    }
    let mut outage = Outage::prepare(App::with());
    let book = Book::default();
    let load = Load::start(&outage.app, &book, 3);
    poll::until("the server acknowledges", || book.acknowledged() > 30);
    outage.proxy.as_ref().expect("a server").freeze();
    let before = book.acknowledged();
    poll::until("some wait", || book.acknowledged() > before + 30);
    let start = Instant::now();
    let status = outage.app.server_mut().terminate();
    let took = start.elapsed();
    assert_eq!(status.code(), Some(0), "{}", outage.app.server().log.text());
    assert!(took < Duration::from_secs(12), "it took {took:?}");
    drop(load);
    outage.end();
    outage.app.boot();
    book.check_recovery(
        &outage.app,
        "stopped while the database was frozen",
        Instant::now(),
    );
}

#[test]
fn a_slow_database_delays_and_loses_nothing() {
    if backend() == Backend::Sqlite {
        return;
    }
    let outage = Outage::prepare(App::with());
    let (app, proxy) = (&outage.app, outage.proxy.as_ref().expect("a server"));
    proxy.slow_down(Duration::from_millis(30));
    let book = Book::default();
    let load = Load::start(app, &book, 3);
    poll::until("acknowledging does not wait for it", || {
        book.acknowledged() > 200
    });
    drop(load);
    proxy.mend();
    book.check_recovery(app, "slow database", Instant::now());
}

/// 200 all the same: what can be kept is kept.
pub fn until_degraded(app: &App) {
    poll::until("health tells that something is away", || {
        let answer = app.anonymous().get("/health/ready");
        answer.status == 200 && answer.json()["status"] == "degraded"
    });
}
