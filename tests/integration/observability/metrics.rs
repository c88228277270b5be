//! In: requests of SDKs and people. Out: `/metrics` that counts exactly those, for whoever may see it.

use crate::harness::database::{Backend, backend};
use crate::harness::http::Anonymous;
use crate::harness::proxy::Proxy;
use crate::harness::scrape::{Scrape, TOKEN};
use crate::harness::sdk::{error, message, new_id, with};
use crate::harness::{App, poll};

#[test]
fn counts_are_what_was_sent() {
    let app = App::with().env("BUGLE_METRICS_TOKEN", TOKEN).start();
    let sdk = app.sdk();
    for number in 0..3 {
        sdk.send(&message(&format!("number {number}")));
    }
    let event = error("KeyError", "'price'", "total");
    sdk.send(&event);
    sdk.post(
        "store/",
        &[],
        with(event, &serde_json::json!({"event_id": new_id()}))
            .to_string()
            .as_bytes(),
    )
    .expect(200);
    let repeated = message("twice");
    sdk.send(&repeated);
    app.wait_idle();
    sdk.send(&repeated);
    sdk.envelope(b"{}\n{\"type\":\"event\"}\nno json at all\n")
        .expect(200);
    sdk.envelope(b"no envelope").expect(400);
    sdk.with_key(&"f".repeat(32)).envelope(b"{}").expect(403);
    sdk.post("envelope/", &[("content-encoding", "lzma")], b"x")
        .expect(415);
    app.wait_idle();
    app.user().open("/acme/issues/").expect(200);

    // What was refused is journalled each second, so how many records that makes depends on the clock.
    let scrape = poll::value("all that was journalled is digested", || {
        let scrape = Scrape::of(&app);
        let counts = scrape.value("bugle_digest_records_total{outcome=\"counts\"}") as u64;
        let appended = scrape.value("bugle_journal_appended_records_total") as u64;
        let backlog = scrape.value("bugle_journal_backlog_records") as u64;
        (counts >= 1 && appended == 8 + counts && backlog == 0).then_some(scrape)
    });
    let requests = |endpoint: &str, outcome: &str| {
        scrape.value(&format!(
            "bugle_ingest_requests_total{{endpoint=\"{endpoint}\",outcome=\"{outcome}\"}}"
        ))
    };
    assert_eq!(requests("envelope", "accepted") as u64, 7);
    assert_eq!(requests("store", "accepted") as u64, 1);
    assert_eq!(requests("envelope", "malformed") as u64, 1);
    assert_eq!(requests("envelope", "unknown_key") as u64, 1);
    assert_eq!(requests("envelope", "encoding") as u64, 1);
    assert_eq!(requests("envelope", "other") as u64, 0);
    let count = |series: &str| scrape.value(series) as u64;
    assert_eq!(
        count("bugle_ingest_request_duration_seconds_count{endpoint=\"envelope\"}"),
        10
    );
    assert_eq!(
        count("bugle_ingest_request_duration_seconds_bucket{endpoint=\"envelope\",le=\"+Inf\"}"),
        10
    );
    assert!(count("bugle_ingest_wire_bytes_total") > 1_000);
    assert_eq!(
        count("bugle_ingest_wire_bytes_total"),
        count("bugle_ingest_unpacked_bytes_total"),
        "nothing was packed"
    );
    let records = |outcome: &str| {
        count(&format!(
            "bugle_digest_records_total{{outcome=\"{outcome}\"}}"
        ))
    };
    assert_eq!(records("stored"), 6);
    assert_eq!(records("duplicate"), 1);
    assert_eq!(records("invalid"), 1);
    assert_eq!(records("dead"), 0);
    assert_eq!(
        count("bugle_digest_claimed_records_total"),
        8 + records("counts") + records("redelivered")
    );
    assert!(count("bugle_journal_sync_duration_seconds_count") >= 2);
    assert!(scrape.value("bugle_digest_lag_seconds") < f64::EPSILON);
    assert_eq!(count("bugle_journal_writable"), 1);
    let page = "bugle_http_requests_total{route=\"/{org}/issues/\",method=\"GET\",status=\"2xx\"}";
    assert!(count(page) >= 1);
    assert!(scrape.value("process_resident_memory_bytes") > 1e6);
    assert!(count("bugle_http_open_connections") >= 1);
    assert!(
        scrape
            .find("bugle_tasks_waiting{kind=\"retention\"}")
            .is_some()
    );
    poll::until("the periodic tasks have run", || {
        let scrape = Scrape::of(&app);
        scrape.value("bugle_tasks_started_total{kind=\"retention\"}") >= 1.0
            && scrape.value("bugle_task_duration_seconds_count{kind=\"retention\"}") >= 1.0
    });
}

#[test]
fn lag_shows_while_nobody_digests() {
    let app = App::with()
        .env("BUGLE_METRICS_TOKEN", TOKEN)
        .env("BUGLE_WORKERS", "0")
        .start();
    for number in 0..4 {
        app.sdk().send(&message(&format!("number {number}")));
    }
    let scrape = Scrape::of(&app);
    assert!(scrape.value("bugle_journal_backlog_records") >= 4.0);
    assert!(scrape.value("bugle_journal_bytes") > 0.0);
    assert!(scrape.value("bugle_journal_limit_bytes") > 1e9);
    poll::until("the lag grows", || {
        Scrape::of(&app).value("bugle_digest_lag_seconds") > 0.2
    });
}

#[test]
fn without_settings_there_are_no_metrics() {
    let app = App::start();
    app.anonymous().get("/metrics").expect(404);
    app.user().open("/metrics").expect(404);
}

#[test]
fn the_token_opens_and_nothing_else_does() {
    let app = App::with().env("BUGLE_METRICS_TOKEN", TOKEN).start();
    let refused = app.anonymous().get("/metrics").expect(401);
    assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
    for wrong in ["Bearer wrong", "Bearer", "Basic c2NyYXBpbmc6", TOKEN] {
        let headers = [("authorization", wrong)];
        app.anonymous()
            .request("GET", "/metrics", &headers, None)
            .expect(401);
    }
    Scrape::of(&app);
}

#[test]
fn an_address_of_its_own_needs_no_token() {
    let app = App::with()
        .env("BUGLE_METRICS_LISTEN", "127.0.0.1:0")
        .start();
    app.anonymous().get("/metrics").expect(404);
    let line = poll::value("the address of the metrics is told", || {
        app.server().log.find("metrics on http://")
    });
    let url = line.split_once("metrics on ").expect("just found").1;
    let base = url.trim().trim_end_matches("/metrics");
    let scrape = Scrape::read(&Anonymous::new(base).get("/metrics").expect(200));
    assert!(scrape.find("bugle_journal_backlog_records").is_some());
    // Nothing else is answered there.
    Anonymous::new(base).get("/health/ready").expect(404);
}

#[test]
fn mistakes_in_the_settings_are_told() {
    let app = App::with()
        .env("BUGLE_METRICS_TOKEN", "short")
        .env("BUGLE_SELF_DSN", "http://localhost/without-a-key")
        .env("BUGLE_STATSD", "localhost")
        .env("BUGLE_ALLOW_OUTGOING", "10.0.0.0/8,everything")
        .prepare();
    let said = app.cli(&["serve", "--listen", "127.0.0.1:0"]).failure();
    for part in [
        "BUGLE_METRICS_TOKEN needs at least 16",
        "BUGLE_SELF_DSN: a DSN looks like",
        "BUGLE_STATSD 'localhost'",
        "BUGLE_ALLOW_OUTGOING: 'everything'",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
}

/// A scrape goes on while the database is away: it only misses what the database knows.
#[test]
fn a_scrape_does_not_need_the_database() {
    if backend() == Backend::Sqlite {
        return;
    }
    let mut app = App::with()
        .env("BUGLE_METRICS_TOKEN", TOKEN)
        .errors_expected()
        .prepare();
    let proxy = Proxy::to(&app.database.url);
    app.environment
        .insert("BUGLE_DATABASE_URL".to_owned(), proxy.url.clone());
    app.boot();
    let series = "bugle_tasks_waiting{kind=\"retention\"}";
    assert!(Scrape::of(&app).find(series).is_some());
    proxy.cut();
    app.sdk().send(&message("meanwhile"));
    poll::until("what the database knows is missing", || {
        let scrape = Scrape::of(&app);
        assert!(scrape.value("bugle_journal_appended_records_total") >= 1.0);
        scrape.find(series).is_none()
    });
    proxy.mend();
    poll::until("what the database knows is back", || {
        Scrape::of(&app).find(series).is_some()
    });
}
