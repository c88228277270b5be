//! In: more than the journal may hold. Out: a refusal that says when to come back, memory within its bound, and acceptance again as
//! soon as there is room, by itself.

use std::thread;
use std::time::Instant;

use serde_json::json;

use super::load::{Book, tell};
use super::outage::Outage;
use crate::harness::sdk::{envelope, error, message, with};
use crate::harness::{App, poll};

/// What the process may use, whatever is sent (MB).
const MEMORY_BOUND: u64 = 512;

#[test]
fn a_full_journal_refuses_and_recovers_by_itself() {
    let plan = App::with().env("BUGLE_JOURNAL_LIMIT", "60000");
    let mut outage = Outage::prepare(plan);
    let book = Book::default();
    book.send(&outage.app.sdk(), "before").expect(200);
    outage.app.wait_idle();
    outage.begin();
    let mut refused = None;
    poll::until("the journal is full", || {
        let answer = book.send(&outage.app.sdk(), &"meanwhile ".repeat(400));
        if answer.status != 200 {
            refused = Some(answer);
        }
        refused.is_some()
    });
    let refused = refused.expect("it was full").expect(503);
    let wait = refused
        .header("retry-after")
        .and_then(|text| text.parse().ok());
    assert!(wait.is_some_and(|seconds: u64| seconds > 0), "{refused}");
    let health = outage.app.anonymous().get("/health/ready").expect(503);
    assert_eq!(health.json()["status"], "unavailable");

    outage.end();
    let start = Instant::now();
    poll::until("it accepts again", || {
        book.send(&outage.app.sdk(), "after").status == 200
    });
    tell(&format!(
        "recovery, a full journal: accepting again after {:.1} s",
        start.elapsed().as_secs_f64()
    ));
    book.check(&outage.app);
}

/// Large events, more of them than the journal takes, from many senders at once.
#[test]
fn overload_stays_within_its_memory() {
    let mut app = App::with()
        .errors_expected()
        .env("BUGLE_WORKERS", "0")
        .env("BUGLE_JOURNAL_LIMIT", "60000000")
        .start();
    let senders: Vec<_> = (0..16)
        .map(|number| {
            let sdk = app.sdk();
            thread::spawn(move || {
                let large = "x".repeat(1_000);
                let extra: Vec<&str> = vec![&large; 700];
                let mut refused = 0;
                for _ in 0..20 {
                    let event = with(
                        error("KeyError", "v", &format!("f{number}")),
                        &json!({"extra": {"large": extra}}),
                    );
                    let answer = sdk.envelope(&envelope(&event));
                    assert!(matches!(answer.status, 200 | 503), "{answer}");
                    refused += usize::from(answer.status == 503);
                }
                refused
            })
        })
        .collect();
    let refused: usize = senders
        .into_iter()
        .map(|sender| sender.join().expect("only 200 and 503"))
        .sum();
    assert!(refused > 0, "it was too little to fill the journal");
    within_memory(&app, "refusing large events");
    // Then it digests what it took.
    app.server_mut().terminate();
    app.environment.remove("BUGLE_WORKERS");
    app.boot();
    app.wait_idle_within(poll::DEADLINE * 4);
    within_memory(&app, "digesting large events");
    let id = app.sdk().send(&message("after"));
    poll::until("it is at work", || {
        app.api().event("acme", "shop", &id).is_some()
    });
}

fn within_memory(app: &App, when: &str) {
    if let Some(peak) = app.server().peak_memory_mb() {
        tell(&format!("memory, {when}: {peak} MB at most"));
        assert!(peak <= MEMORY_BOUND, "{when}: {peak} MB");
    }
}
