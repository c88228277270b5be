//! Environments and releases as rows. In: their names in a batch. Out: numbers for environments, which counters are
//! kept by; first and last use of releases.

use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;

use super::NewEvent;
use super::issues::Placed;
use crate::store::dialect::{self, Bind, Change, Upsert, upsert_rows};
use crate::store::schema::{environments, releases};
use crate::store::{Conn, StoreError};

/// Counts of events without an environment.
pub const NO_ENVIRONMENT: i64 = 0;

/// The environment number of each event, in order; unknown environments are created.
pub(super) fn environment_ids(
    conn: &mut Conn,
    events: &[NewEvent<'_>],
) -> Result<Vec<i64>, StoreError> {
    let mut wanted = BTreeMap::<i64, Vec<&str>>::new();
    for new in events {
        if let Some(name) = &new.event.environment {
            let names = wanted.entry(new.item.project_id).or_default();
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
    }
    let mut ids = HashMap::<(i64, String), i64>::new();
    for (project_id, names) in wanted {
        let rows: Vec<(String, i64)> = environments::table
            .filter(environments::project_id.eq(project_id))
            .filter(environments::name.eq_any(&names))
            .select((environments::name, environments::id))
            .load(conn)?;
        ids.extend(rows.into_iter().map(|(name, id)| ((project_id, name), id)));
        for name in names {
            let key = (project_id, name.to_owned());
            if let std::collections::hash_map::Entry::Vacant(e) = ids.entry(key) {
                let id = dialect::next_ids(conn, "environment", 1)?;
                diesel::insert_into(environments::table)
                    .values((
                        environments::id.eq(id),
                        environments::project_id.eq(project_id),
                        environments::name.eq(name),
                    ))
                    .execute(conn)?;
                e.insert(id);
            }
        }
    }
    Ok(events
        .iter()
        .map(|new| match &new.event.environment {
            Some(name) => ids
                .get(&(new.item.project_id, name.clone()))
                .copied()
                .unwrap_or(NO_ENVIRONMENT),
            None => NO_ENVIRONMENT,
        })
        .collect())
}

const RELEASES: Upsert = Upsert {
    table: "releases",
    columns: &["id", "project_id", "version", "first_seen", "last_seen"],
    key: &["project_id", "version"],
    changes: &[("first_seen", Change::Min), ("last_seen", Change::Max)],
};

/// Notes when releases were first and last seen.
pub(super) fn note_releases(conn: &mut Conn, placed: &[Placed<'_>]) -> Result<(), StoreError> {
    let mut seen = BTreeMap::<(i64, &str), (i64, i64)>::new();
    for event in placed {
        if let Some(version) = &event.new.event.release {
            let time = event.new.event.timestamp_ms;
            let range = seen
                .entry((event.new.item.project_id, version))
                .or_insert((time, time));
            *range = (range.0.min(time), range.1.max(time));
        }
    }
    let mut rows = Vec::with_capacity(seen.len());
    for ((project_id, version), (first, last)) in seen {
        let known: Option<i64> = releases::table
            .filter(releases::project_id.eq(project_id))
            .filter(releases::version.eq(version))
            .select(releases::id)
            .first(conn)
            .optional()?;
        let id = match known {
            Some(id) => id,
            None => dialect::next_ids(conn, "release", 1)?,
        };
        rows.push(vec![
            Bind::I64(id),
            Bind::I64(project_id),
            Bind::Text(version.to_owned()),
            Bind::I64(first),
            Bind::I64(last),
        ]);
    }
    upsert_rows(conn, &RELEASES, &rows)
}
