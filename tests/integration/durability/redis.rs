//! In: a Redis that goes away, restarts, forgets, hangs, is full or read-only, and comes back. Out: ingest goes on, nothing is
//! lost, nothing is stored twice, and no stream keeps anything. Without `TEST_REDIS_URL` there is nothing to test here.

use std::time::Instant;

use serde_json::Value;

use super::load::{Book, Load};
use super::outage::until_degraded;
use crate::harness::database::{Backend, backend};
use crate::harness::redis_server::RedisServer;
use crate::harness::{App, poll};

fn start_with(redis: &RedisServer) -> App {
    App::with()
        .errors_expected()
        .env("BUGLE_REDIS_URL", &redis.url)
        .start()
}

fn redis_row(health: &Value) -> String {
    let rows = health["components"].as_array().expect("rows");
    let row = rows.iter().find(|row| row["name"] == "redis");
    row.and_then(|row| row["status"].as_str())
        .expect("a row for Redis")
        .to_owned()
}

/// Load, then the fault, load meanwhile, then its end: everything is there, once, and the streams are empty.
fn survives(what: &str, begin: impl FnOnce(&mut RedisServer), end: impl FnOnce(&mut RedisServer)) {
    let Some(mut redis) = RedisServer::start() else {
        return;
    };
    let app = start_with(&redis);
    assert_eq!(redis_row(&app.health()), "ok");
    let book = Book::default();
    let load = Load::start(&app, &book, 3);
    poll::until("the server acknowledges", || book.acknowledged() > 50);
    begin(&mut redis);
    until_degraded(&app);
    poll::until("health names Redis", || redis_row(&app.health()) == "away");
    let before = book.acknowledged();
    poll::until("it goes on acknowledging", || {
        book.acknowledged() > before + 50
    });
    end(&mut redis);
    let start = Instant::now();
    drop(load);
    book.check_recovery(&app, what, start);
    let health = app.health();
    assert_eq!(health["status"], "ok", "{health:#}");
    assert_eq!(
        redis.entries(),
        0,
        "what is acknowledged leaves the streams"
    );
}

#[test]
fn a_redis_that_is_gone_and_back_loses_nothing() {
    survives(
        "Redis killed and back with its file",
        RedisServer::kill,
        RedisServer::boot,
    );
}

#[test]
fn a_redis_that_comes_back_empty_loses_nothing() {
    let end = |redis: &mut RedisServer| {
        redis.forget();
        redis.boot();
    };
    survives("Redis killed and back with nothing", RedisServer::kill, end);
}

#[test]
fn a_frozen_redis_loses_nothing() {
    survives(
        "Redis frozen and back",
        |redis| redis.freeze(),
        |redis| redis.thaw(),
    );
}

#[test]
fn a_read_only_redis_loses_nothing() {
    let become_replica = |redis: &mut RedisServer| {
        let answer: String = redis.ask(&["REPLICAOF", "127.0.0.1", "1"]);
        assert_eq!(answer, "OK");
    };
    let become_master = |redis: &mut RedisServer| {
        let answer: String = redis.ask(&["REPLICAOF", "NO", "ONE"]);
        assert_eq!(answer, "OK");
    };
    survives("Redis read-only and back", become_replica, become_master);
}

#[test]
fn a_full_redis_loses_nothing() {
    let fill = |redis: &mut RedisServer| {
        let answer: String = redis.ask(&["CONFIG", "SET", "maxmemory", "100000"]);
        assert_eq!(answer, "OK");
    };
    let empty = |redis: &mut RedisServer| {
        let answer: String = redis.ask(&["CONFIG", "SET", "maxmemory", "0"]);
        assert_eq!(answer, "OK");
    };
    survives("Redis out of memory and back", fill, empty);
}

/// Little memory, and no more to come: the streams fill it, and workers that make room by digesting get everything through.
#[test]
fn a_small_redis_passes_everything_on() {
    let Some(redis) = RedisServer::start() else {
        return;
    };
    let mut app = App::with()
        .errors_expected()
        .env("BUGLE_REDIS_URL", &redis.url)
        .env("BUGLE_WORKERS", "0")
        .start();
    let book = Book::default();
    let load = Load::start(&app, &book, 4);
    poll::until("there is more than fits", || book.acknowledged() > 1_500);
    drop(load);
    let used: String = redis.ask(&["INFO", "memory"]);
    let used: u64 = used
        .lines()
        .find_map(|line| line.strip_prefix("used_memory:")?.trim().parse().ok())
        .expect("Redis tells its memory");
    let limit = (used + 700_000).to_string();
    let answer: String = redis.ask(&["CONFIG", "SET", "maxmemory", &limit]);
    assert_eq!(answer, "OK");
    app.server_mut().terminate();
    app.environment.remove("BUGLE_WORKERS");
    app.boot();
    book.check_recovery(&app, "a Redis with too little memory", Instant::now());
    let errors: String = redis.ask(&["INFO", "errorstats"]);
    assert!(errors.contains("OOM"), "it was never full: {errors}");
    assert_eq!(redis.entries(), 0);
}

/// A node that restarts finds its own entries and sends none of them a second time.
#[test]
fn restarts_leave_no_copies_in_the_streams() {
    if backend() == Backend::Sqlite {
        return;
    }
    let Some(redis) = RedisServer::start() else {
        return;
    };
    let mut app = App::with()
        .errors_expected()
        .env("BUGLE_REDIS_URL", &redis.url)
        .env(
            "BUGLE_SECRET_KEY",
            "a secret that all of the nodes know, and no others",
        )
        .env("BUGLE_ROLES", "ingest,web,scheduler")
        .start();
    let book = Book::default();
    for round in 1..=5 {
        for number in 0..20 {
            book.send(&app.sdk(), &format!("{round} {number}"))
                .expect(200);
        }
        let expected = app.health()["backlog"].as_u64().expect("a backlog");
        assert!(expected >= round * 20);
        poll::until("all are in the streams", || {
            redis.entries() == app.health()["backlog"].as_u64().expect("a backlog")
        });
        app.kill();
        app.boot();
    }
    poll::until("the node is at work again", || {
        redis_row(&app.health()) == "ok"
    });
    book.send(&app.sdk(), "the last one").expect(200);
    poll::until("the last one has arrived", || redis.entries() >= 101);
    assert_eq!(
        redis.entries(),
        app.health()["backlog"].as_u64().expect("a backlog"),
        "each waiting record stands in Redis once"
    );
    // Somebody to digest them.
    app.server_mut().terminate();
    app.environment.remove("BUGLE_ROLES");
    app.boot();
    book.check(&app);
    assert_eq!(redis.entries(), 0);
}
