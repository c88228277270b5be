//! Counts that pages read. In: events with their issues. Out: events by issue, environment, hour and day, and by project
//! and hour.

use std::collections::BTreeMap;

use super::place::Placed;
use crate::store::dialect::{Bind, Change, Upsert, upsert_rows};
use crate::store::{Conn, StoreError};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

const fn plan(table: &'static str, columns: &'static [&'static str]) -> Upsert {
    Upsert {
        table,
        columns,
        key: columns.split_at(3).0,
        changes: &[("events", Change::Add)],
    }
}

const ISSUE_HOURS: Upsert = plan(
    "issue_hours",
    &["issue_id", "hour", "environment_id", "events"],
);
const ISSUE_DAYS: Upsert = plan(
    "issue_days",
    &["issue_id", "day", "environment_id", "events"],
);
const PROJECT_HOURS: Upsert = plan(
    "project_hours",
    &["project_id", "hour", "environment_id", "events"],
);

pub(super) fn add(conn: &mut Conn, placed: &[Placed<'_>]) -> Result<(), StoreError> {
    let mut issue_hours = BTreeMap::new();
    let mut issue_days = BTreeMap::new();
    let mut project_hours = BTreeMap::new();
    for event in placed {
        let time = event.new.event.timestamp_ms;
        *issue_hours
            .entry((event.issue_id, time / HOUR_MS, event.environment_id))
            .or_insert(0) += 1;
        *issue_days
            .entry((event.issue_id, time / DAY_MS, event.environment_id))
            .or_insert(0) += 1;
        *project_hours
            .entry((
                event.new.item.project_id,
                time / HOUR_MS,
                event.environment_id,
            ))
            .or_insert(0) += 1;
    }
    upsert_rows(conn, &ISSUE_HOURS, &rows(issue_hours))?;
    upsert_rows(conn, &ISSUE_DAYS, &rows(issue_days))?;
    upsert_rows(conn, &PROJECT_HOURS, &rows(project_hours))
}

fn rows(sums: BTreeMap<(i64, i64, i64), i64>) -> Vec<Vec<Bind<'static>>> {
    sums.into_iter()
        .map(|((id, bucket, environment_id), events)| {
            vec![
                Bind::I64(id),
                Bind::I64(bucket),
                Bind::I64(environment_id),
                Bind::I64(events),
            ]
        })
        .collect()
}
