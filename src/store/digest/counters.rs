//! Counts that pages read. In: events with their issues. Out: events by issue, environment, hour and day, by project
//! and hour, and distinct users by issue.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use md5::{Digest, Md5};

use super::issues::Placed;
use crate::store::dialect::{Bind, Change, Upsert, insert_rows, upsert_rows};
use crate::store::schema::{issue_users, issues};
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
    upsert_rows(conn, &PROJECT_HOURS, &rows(project_hours))?;
    add_users(conn, placed)
}

fn rows(sums: BTreeMap<(i64, i64, i64), i64>) -> Vec<Vec<Bind>> {
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

fn add_users(conn: &mut Conn, placed: &[Placed<'_>]) -> Result<(), StoreError> {
    let mut users = BTreeMap::<i64, BTreeMap<Vec<u8>, i64>>::new();
    for event in placed {
        if let Some(key) = &event.new.event.user_key {
            let hash = Md5::digest(key.as_bytes()).to_vec();
            users
                .entry(event.issue_id)
                .or_default()
                .entry(hash)
                .or_insert(event.new.event.timestamp_ms);
        }
    }
    for (issue_id, seen) in users {
        let hashes: Vec<Vec<u8>> = seen.keys().cloned().collect();
        let known: Vec<Vec<u8>> = issue_users::table
            .filter(issue_users::issue_id.eq(issue_id))
            .filter(issue_users::user_hash.eq_any(hashes))
            .select(issue_users::user_hash)
            .load(conn)?;
        let known: BTreeSet<Vec<u8>> = known.into_iter().collect();
        let new: Vec<Vec<Bind>> = seen
            .into_iter()
            .filter(|(hash, _)| !known.contains(hash))
            .map(|(hash, time)| vec![Bind::I64(issue_id), Bind::Bytes(hash), Bind::I64(time)])
            .collect();
        if new.is_empty() {
            continue;
        }
        insert_rows(
            conn,
            "issue_users",
            &["issue_id", "user_hash", "first_seen"],
            &new,
        )?;
        diesel::update(issues::table.find(issue_id))
            .set(issues::users_seen.eq(issues::users_seen + new.len() as i64))
            .execute(conn)?;
    }
    Ok(())
}
