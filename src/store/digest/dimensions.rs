//! Environments and releases as rows. In: their names in a batch. Out: numbers for environments, which counters are
//! kept by; first and last use of releases.

use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;

use super::NewEvent;
use super::cache::Known;
use super::place::Placed;
use crate::store::dialect::{self, Bind, Change, Upsert, upsert_rows};
use crate::store::schema::{environments, releases};
use crate::store::{Conn, StoreError};

/// Counts of events without an environment.
pub const NO_ENVIRONMENT: i64 = 0;

/// The environment number of each event, in order; unknown environments are created.
pub(super) fn environment_ids(
    conn: &mut Conn,
    known: &mut Known<'_>,
    events: &[NewEvent<'_>],
) -> Result<Vec<i64>, StoreError> {
    let mut numbers = HashMap::<(i64, &str), i64>::new();
    let mut found = Vec::with_capacity(events.len());
    for new in events {
        let Some(name) = &new.event.environment else {
            found.push(NO_ENVIRONMENT);
            continue;
        };
        let project_id = new.item.project_id;
        let number = match numbers.get(&(project_id, name.as_str())) {
            Some(number) => *number,
            None => environment_id(conn, known, project_id, name)?,
        };
        numbers.insert((project_id, name), number);
        found.push(number);
    }
    Ok(found)
}

/// The number of an environment, which is created if it is unknown.
pub(super) fn environment_id(
    conn: &mut Conn,
    known: &mut Known<'_>,
    project_id: i64,
    name: &str,
) -> Result<i64, StoreError> {
    let key = (project_id, name.to_owned());
    if let Some(id) = known.of(project_id).environments.get(&key) {
        return Ok(*id);
    }
    let stored: Option<i64> = environments::table
        .filter(environments::project_id.eq(project_id))
        .filter(environments::name.eq(name))
        .select(environments::id)
        .first(conn)
        .optional()?;
    let id = if let Some(id) = stored {
        id
    } else {
        let id = dialect::next_ids(conn, "environment", 1)?;
        diesel::insert_into(environments::table)
            .values((
                environments::id.eq(id),
                environments::project_id.eq(project_id),
                environments::name.eq(name),
            ))
            .execute(conn)?;
        id
    };
    known.of(project_id).environments.insert(key, id);
    Ok(id)
}

const RELEASES: Upsert = Upsert {
    table: "releases",
    columns: &["id", "project_id", "version", "first_seen", "last_seen"],
    key: &["project_id", "version"],
    changes: &[("first_seen", Change::Min), ("last_seen", Change::Max)],
};

/// When the releases of a batch were first and last seen, by project and version.
pub(super) type Seen<'a> = BTreeMap<(i64, &'a str), (i64, i64)>;

/// Notes that a release was seen at a time.
pub(super) fn see<'a>(seen: &mut Seen<'a>, project_id: i64, version: &'a str, time: i64) {
    let range = seen.entry((project_id, version)).or_insert((time, time));
    *range = (range.0.min(time), range.1.max(time));
}

/// The releases that events name.
pub(super) fn releases_of<'a>(placed: &[Placed<'a>]) -> Seen<'a> {
    let mut seen = Seen::new();
    for event in placed {
        if let Some(version) = &event.new.event.release {
            let time = event.new.event.timestamp_ms;
            see(&mut seen, event.new.item.project_id, version, time);
        }
    }
    seen
}

/// Writes when releases were first and last seen; gives their numbers.
pub(super) fn note_releases<'a>(
    conn: &mut Conn,
    known: &mut Known<'_>,
    seen: &Seen<'a>,
) -> Result<HashMap<(i64, &'a str), i64>, StoreError> {
    let mut rows = Vec::with_capacity(seen.len());
    let mut numbers = HashMap::with_capacity(seen.len());
    for ((project_id, version), (first, last)) in seen {
        let number = release_id(conn, known, *project_id, version)?;
        numbers.insert((*project_id, *version), number);
        rows.push(vec![
            Bind::I64(number),
            Bind::I64(*project_id),
            Bind::Str(version),
            Bind::I64(*first),
            Bind::I64(*last),
        ]);
    }
    upsert_rows(conn, &RELEASES, &rows)?;
    Ok(numbers)
}

/// The number of a release, or one for a new row.
fn release_id(
    conn: &mut Conn,
    known: &mut Known<'_>,
    project_id: i64,
    version: &str,
) -> Result<i64, StoreError> {
    let key = (project_id, version.to_owned());
    if let Some(id) = known.of(project_id).releases.get(&key) {
        return Ok(*id);
    }
    let stored: Option<i64> = releases::table
        .filter(releases::project_id.eq(project_id))
        .filter(releases::version.eq(version))
        .select(releases::id)
        .first(conn)
        .optional()?;
    let id = match stored {
        Some(id) => id,
        None => dialect::next_ids(conn, "release", 1)?,
    };
    known.of(project_id).releases.insert(key, id);
    Ok(id)
}
