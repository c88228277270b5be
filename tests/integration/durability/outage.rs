//! In: a database that goes away and comes back. Out: ingest goes on from what it knows, and nothing is lost.

use serde_json::Value;

use crate::harness::database::{Backend, backend};
use crate::harness::proxy::Proxy;
use crate::harness::sdk::message;
use crate::harness::{App, poll};

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
    poll::until("health tells that the database is away", || {
        let answer = app.anonymous().get("/health/ready");
        answer.status == 200 && answer.json()["status"] == "degraded"
    });

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
