//! In: rows from before and after a cutoff, on the backend under test. Out: the older ones go, in steps, and no other.

use bugle::store::dialect::{Bind, insert_rows};
use bugle::store::digest::events::row_id;
use bugle::store::{Conn, StoreError, now_ms, retention, sessions};
use diesel::prelude::*;

use crate::task_store::{Fresh, fresh};

const HOUR_MS: i64 = 60 * 60 * 1000;
const DAY_MS: i64 = 24 * HOUR_MS;

fn insert(
    fresh: &Fresh,
    table: &'static str,
    columns: &'static [&'static str],
    rows: Vec<Vec<Bind<'static>>>,
) {
    fresh.write(move |conn| insert_rows(conn, table, columns, &rows));
}

fn count(fresh: &Fresh, table: &'static str) -> i64 {
    use bugle::store::schema::{events, issue_hours, sessions, usage_hours};
    let count = move |conn: &mut Conn| -> Result<i64, StoreError> {
        Ok(match table {
            "events" => events::table.count().get_result(conn)?,
            "sessions" => sessions::table.count().get_result(conn)?,
            "usage_hours" => usage_hours::table.count().get_result(conn)?,
            _ => issue_hours::table.count().get_result(conn)?,
        })
    };
    fresh.write(count)
}

#[test]
fn events_before_the_cutoff_go_in_steps() {
    let fresh = fresh();
    let cutoff = now_ms() - 90 * DAY_MS;
    let event = |number: i64, received_ms: i64| {
        vec![
            Bind::I64(row_id(received_ms, 1, number as u64)),
            Bind::I64(1),
            Bind::I64(1),
            Bind::Bytes([&[0; 8][..], &number.to_be_bytes()].concat()),
            Bind::I64(received_ms),
            Bind::Bytes(vec![0]),
        ]
    };
    let old = (0..1_500).map(|number| event(number, cutoff - 1 - number));
    let kept = (1_500..1_510).map(|number| event(number, cutoff + number - 1_500));
    let columns = &[
        "id",
        "project_id",
        "issue_id",
        "event_id",
        "timestamp",
        "data",
    ];
    insert(&fresh, "events", columns, old.chain(kept).collect());
    let step = || fresh.write(move |conn| retention::delete_events(conn, cutoff));
    assert_eq!([step(), step(), step()], [1_000, 500, 0]);
    assert_eq!(count(&fresh, "events"), 10);
}

#[test]
fn counters_and_sessions_go_when_their_time_is_over() {
    let fresh = fresh();
    let now = now_ms();
    let hour = |issue: i64, days: i64| {
        [issue, (now - days * DAY_MS) / HOUR_MS, 0, 1]
            .map(Bind::I64)
            .to_vec()
    };
    let columns = &["issue_id", "hour", "environment_id", "events"];
    insert(
        &fresh,
        "issue_hours",
        columns,
        vec![hour(1, 100), hour(1, 10), hour(300, 100)],
    );
    let usage = |days: i64| {
        let mut row = [1, 1, (now - days * DAY_MS) / HOUR_MS]
            .map(Bind::I64)
            .to_vec();
        row.extend(["error", "accepted", ""].map(|text| Bind::Text(text.to_owned())));
        row.push(Bind::I64(1));
        row
    };
    let columns = &[
        "project_id",
        "key_id",
        "hour",
        "category",
        "outcome",
        "reason",
        "quantity",
    ];
    insert(&fresh, "usage_hours", columns, vec![usage(500), usage(100)]);
    let cutoff = now - 91 * DAY_MS;
    assert_eq!(
        fresh.write(move |conn| retention::delete_issue_counters(conn, 0..200, cutoff)),
        1
    );
    assert_eq!(count(&fresh, "issue_hours"), 2);
    let usage_cutoff = now - 400 * DAY_MS;
    assert_eq!(
        fresh.write(move |conn| retention::delete_project_counters(
            conn,
            0..200,
            cutoff,
            usage_cutoff
        )),
        1
    );
    assert_eq!(count(&fresh, "usage_hours"), 1);

    let session = |number: u8, begun_days: i64, idle_days: i64| {
        vec![
            Bind::Bytes(vec![number; 32]),
            Bind::I64(1),
            Bind::Text("token".to_owned()),
            Bind::I64(now - begun_days * DAY_MS),
            Bind::I64(now - idle_days * DAY_MS),
        ]
    };
    let user = vec![
        Bind::I64(1),
        Bind::Text("ada@example.com".to_owned()),
        Bind::Text("Ada".to_owned()),
        Bind::Text("-".to_owned()),
        Bind::Bool(false),
        Bind::Bool(true),
        Bind::I64(now),
    ];
    let columns = &[
        "id",
        "email",
        "name",
        "password_hash",
        "is_superuser",
        "is_active",
        "created_at",
    ];
    insert(&fresh, "users", columns, vec![user]);
    let columns = &[
        "token_hash",
        "user_id",
        "csrf_token",
        "created_at",
        "last_seen_at",
    ];
    insert(
        &fresh,
        "sessions",
        columns,
        vec![session(1, 20, 13), session(2, 20, 15), session(3, 31, 0)],
    );
    assert_eq!(
        fresh.write(move |conn| sessions::delete_expired(conn, now)),
        2
    );
    assert_eq!(count(&fresh, "sessions"), 1);
    assert_eq!(fresh.write(retention::last_ids), (0, 0));
}
