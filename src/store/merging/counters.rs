//! Events of an issue by hour and day. In: what goes from one issue to another. Out: more for the one, less for the other.

use std::collections::BTreeMap;

use diesel::prelude::*;

use crate::store::dialect::{Bind, Change, Upsert, upsert_rows};
use crate::store::schema::{issue_days, issue_hours};
use crate::store::{Conn, StoreError};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

pub(super) const HOURS: Upsert = Upsert {
    table: "issue_hours",
    columns: &["issue_id", "hour", "environment_id", "events"],
    key: &["issue_id", "hour", "environment_id"],
    changes: &[("events", Change::Add)],
};
pub(super) const DAYS: Upsert = Upsert {
    table: "issue_days",
    columns: &["issue_id", "day", "environment_id", "events"],
    key: &["issue_id", "day", "environment_id"],
    changes: &[("events", Change::Add)],
};

/// Counts events, given by time and environment, for another issue than before.
pub(super) fn shift(
    conn: &mut Conn,
    from: i64,
    to: i64,
    events: &[(i64, i64)],
) -> Result<(), StoreError> {
    for (plan, width) in [(&HOURS, HOUR_MS), (&DAYS, DAY_MS)] {
        // In key order, as every transaction writes them.
        let mut rows = BTreeMap::<(i64, i64, i64), i64>::new();
        for (time, environment_id) in events {
            for (issue_id, sign) in [(from, -1), (to, 1)] {
                let key = (issue_id, time / width, *environment_id);
                *rows.entry(key).or_default() += sign;
            }
        }
        let rows: Vec<Vec<Bind<'_>>> = rows
            .into_iter()
            .map(|((issue_id, bucket, environment_id), events)| {
                vec![
                    Bind::I64(issue_id),
                    Bind::I64(bucket),
                    Bind::I64(environment_id),
                    Bind::I64(events),
                ]
            })
            .collect();
        upsert_rows(conn, plan, &rows)?;
    }
    diesel::delete(
        issue_hours::table
            .filter(issue_hours::issue_id.eq(from))
            .filter(issue_hours::events.le(0)),
    )
    .execute(conn)?;
    diesel::delete(
        issue_days::table
            .filter(issue_days::issue_id.eq(from))
            .filter(issue_days::events.le(0)),
    )
    .execute(conn)?;
    Ok(())
}
