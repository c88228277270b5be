//! In: the task and lease tables on the backend under test, and several threads that want the same rows.
//! Out: each task is held by one of them at a time, each slot is taken once.

use std::collections::HashSet;
use std::thread;
use std::time::Duration;

use bugle::store::leases;
use bugle::store::tasks::{self, Claimed, NewTask};
use bugle::store::{DatabaseUrl, Store, StoreError, dialect, migrate};
use tempfile::TempDir;

use crate::harness::database::Database;

const KINDS: &[&str] = &["one", "other"];
const LEASE_MS: i64 = 60_000;

/// A database with this release's schema and nothing in it.
pub struct Fresh {
    pub store: Store,
    _database: Database,
    _data: TempDir,
}

pub fn fresh() -> Fresh {
    let data = TempDir::new().expect("a temporary folder");
    let database = Database::empty(data.path());
    let url = DatabaseUrl::parse(&database.url).expect("a valid URL");
    migrate::run(&url).expect("migrations run");
    Fresh {
        store: Store::new(url),
        _database: database,
        _data: data,
    }
}

impl Fresh {
    pub fn write<T: Send + 'static>(
        &self,
        work: impl Fn(&mut bugle::store::Conn) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        self.store.write_blocking(work).expect("writes")
    }

    fn enqueue(&self, rows: Vec<NewTask>) {
        self.write(move |conn| tasks::enqueue(conn, &rows));
    }

    fn due(&self) -> Vec<i64> {
        self.write(|conn| tasks::due(conn, KINDS, 0, 1_000))
            .into_iter()
            .map(|(id, _)| id)
            .collect()
    }

    fn claim(&self, ids: &[i64], holder: &'static str, lease_ms: i64) -> Vec<Claimed> {
        let ids = ids.to_vec();
        self.write(move |conn| tasks::claim(conn, &ids, KINDS, holder, lease_ms))
    }
}

fn task(kind: &'static str, key: Option<&str>) -> NewTask {
    NewTask {
        kind,
        args: "{}".to_owned(),
        unique_key: key.map(str::to_owned),
        run_at: 0,
    }
}

#[test]
fn a_task_is_held_by_one_runner_until_it_is_done() {
    let fresh = fresh();
    fresh.enqueue(vec![task("one", Some("key")), task("one", None)]);
    fresh.enqueue(vec![task("one", Some("key"))]);
    let ids = fresh.due();
    assert_eq!(ids.len(), 2, "the key was taken");

    let claimed = fresh.claim(&ids, "a", LEASE_MS);
    assert_eq!(claimed.len(), 2);
    assert!(claimed.iter().all(|task| task.attempts == 1));
    assert!(fresh.claim(&ids, "b", LEASE_MS).is_empty());
    assert!(fresh.due().is_empty());
    assert_eq!(fresh.write(|conn| tasks::count_active(conn, KINDS)), 2);

    let id = ids[0];
    assert!(fresh.write(move |conn| tasks::renew(conn, id, "a", LEASE_MS)));
    assert!(!fresh.write(move |conn| tasks::renew(conn, id, "b", LEASE_MS)));
    fresh.write(move |conn| tasks::finish(conn, id, "b"));
    assert_eq!(fresh.write(|conn| tasks::count_active(conn, KINDS)), 2);
    for id in ids {
        fresh.write(move |conn| tasks::finish(conn, id, "a"));
    }
    assert_eq!(fresh.write(|conn| tasks::count_active(conn, KINDS)), 0);
    fresh.enqueue(vec![task("one", Some("key"))]);
    assert_eq!(fresh.due().len(), 1, "a finished task frees its key");
}

#[test]
fn a_lease_that_ran_out_is_taken_over_and_the_late_holder_changes_nothing() {
    let fresh = fresh();
    fresh.enqueue(vec![task("one", None)]);
    let ids = fresh.due();
    let id = ids[0];
    assert_eq!(fresh.claim(&ids, "a", -1).len(), 1);
    let again = fresh.claim(&ids, "b", LEASE_MS);
    assert_eq!(again[0].attempts, 2, "the lost attempt counts");
    fresh.write(move |conn| tasks::finish(conn, id, "a"));
    fresh.write(move |conn| tasks::bury(conn, id, "a", "too late"));
    assert!(fresh.write(move |conn| tasks::renew(conn, id, "b", LEASE_MS)));
}

#[test]
fn failures_wait_and_dead_letters_come_back() {
    let fresh = fresh();
    fresh.enqueue(vec![task("one", None), task("other", None)]);
    let ids = fresh.due();
    fresh.claim(&ids, "a", LEASE_MS);
    let (later, dead) = (ids[0], ids[1]);
    fresh.write(move |conn| tasks::retry_later(conn, later, "a", 60_000, "not now\0"));
    fresh.write(move |conn| tasks::bury(conn, dead, "a", "never"));
    assert!(fresh.due().is_empty());
    assert_eq!(fresh.write(|conn| tasks::count_active(conn, KINDS)), 0);

    let letters = fresh.write(|conn| tasks::dead(conn, 0, 10));
    assert_eq!(letters.len(), 1);
    assert_eq!(
        (letters[0].id, letters[0].last_error.as_deref()),
        (dead, Some("never"))
    );
    assert_eq!(
        fresh.write(move |conn| tasks::revive(conn, &[dead, later])),
        1
    );
    assert_eq!(fresh.due(), [dead]);
    assert_eq!(fresh.claim(&[dead], "a", LEASE_MS)[0].attempts, 1);
    fresh.write(move |conn| tasks::bury(conn, dead, "a", "again"));
    assert_eq!(
        fresh.write(move |conn| tasks::delete_dead(conn, &[dead, later])),
        1
    );
    assert_eq!(fresh.write(tasks::count_dead), 0);
}

#[test]
fn a_shutdown_is_no_attempt_and_unknown_kinds_are_kept() {
    let fresh = fresh();
    fresh.enqueue(vec![task("one", None), task("of a newer release", None)]);
    let ids = fresh.due();
    assert_eq!(ids.len(), 1);
    fresh.claim(&ids, "a", LEASE_MS);
    let given = ids.clone();
    fresh.write(move |conn| tasks::release(conn, &given, "a"));
    assert_eq!(fresh.claim(&ids, "b", LEASE_MS)[0].attempts, 1);
    let newer = fresh.write(|conn| tasks::due(conn, &["of a newer release"], 0, 10));
    assert_eq!(newer.len(), 1);
}

#[test]
fn runners_that_race_never_hold_the_same_task() {
    const TASKS: usize = 120;
    let fresh = fresh();
    fresh.enqueue((0..TASKS).map(|_| task("one", None)).collect());
    let runners: Vec<_> = ["a", "b", "c", "d"]
        .into_iter()
        .map(|holder| {
            // A store of its own each, as in processes of their own.
            let store = Store::new(fresh.store.url().clone());
            thread::spawn(move || {
                let mut held = Vec::new();
                loop {
                    let due = store
                        .read_blocking(|conn| tasks::due(conn, KINDS, 0, 16))
                        .expect("reads");
                    if due.is_empty() {
                        return held;
                    }
                    let ids: Vec<i64> = due.into_iter().map(|(id, _)| id).collect();
                    let claimed = store
                        .write_blocking(move |conn| {
                            tasks::claim(conn, &ids, KINDS, holder, LEASE_MS)
                        })
                        .expect("claims");
                    held.extend(claimed.into_iter().map(|task| task.id));
                }
            })
        })
        .collect();
    let held: Vec<i64> = runners
        .into_iter()
        .flat_map(|runner| runner.join().expect("no panic"))
        .collect();
    assert_eq!(held.len(), TASKS);
    assert_eq!(held.into_iter().collect::<HashSet<_>>().len(), TASKS);
}

#[test]
fn a_lease_has_one_holder_and_passes_on_when_it_ends() {
    let fresh = fresh();
    let acquire = |holder: &'static str, lease_ms: i64| {
        fresh.write(move |conn| leases::acquire(conn, "scheduler", holder, lease_ms))
    };
    assert!(acquire("a", LEASE_MS));
    assert!(acquire("a", LEASE_MS));
    assert!(!acquire("b", LEASE_MS));
    fresh.write(|conn| leases::give_back(conn, "scheduler", "b"));
    assert!(!acquire("b", LEASE_MS));
    fresh.write(|conn| leases::give_back(conn, "scheduler", "a"));
    assert!(acquire("b", 1));
    thread::sleep(Duration::from_millis(20));
    assert!(acquire("a", LEASE_MS));
}

#[test]
fn a_slot_is_enqueued_once_whoever_asks() {
    let fresh = fresh();
    let askers: Vec<_> = ["a", "b", "c", "d"]
        .into_iter()
        .map(|holder| {
            let store = Store::new(fresh.store.url().clone());
            thread::spawn(move || {
                store
                    .write_blocking(move |conn| {
                        leases::enqueue_slot(conn, &task("one", None), 365 * 24 * 3_600_000, holder)
                    })
                    .expect("asks")
            })
        })
        .collect();
    let taken = askers
        .into_iter()
        .map(|asker| asker.join().expect("no panic"));
    assert_eq!(taken.filter(|taken| *taken).count(), 1);
    assert_eq!(fresh.due().len(), 1);
}

#[test]
fn the_databases_clock_shows_utc() {
    let fresh = fresh();
    let clock = fresh.write(dialect::clock_ms);
    assert!((clock - bugle::store::now_ms()).abs() < 10_000, "{clock}");
}
