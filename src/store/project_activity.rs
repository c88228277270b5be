//! How busy projects are. In: a scope. Out: events of each project in each of the last 24 hours.

use std::collections::HashMap;

use diesel::prelude::*;

use super::schema::{project_hours, projects};
use super::scope::OrgScope;
use super::{Conn, StoreError};

const HOUR_MS: i64 = 3_600_000;

/// When the first of these hours begins.
pub fn day_start(now: i64) -> i64 {
    (now / HOUR_MS - 23) * HOUR_MS
}

/// Events by hour, the current hour last; projects without events are missing.
pub fn last_day(
    conn: &mut Conn,
    scope: &OrgScope,
    now: i64,
) -> Result<HashMap<i64, [i64; 24]>, StoreError> {
    let first = now / HOUR_MS - 23;
    let rows: Vec<(i64, i64, i64)> = project_hours::table
        .inner_join(projects::table.on(projects::id.eq(project_hours::project_id)))
        .filter(projects::organization_id.eq(scope.organization_id()))
        .filter(project_hours::hour.ge(first))
        .select((
            project_hours::project_id,
            project_hours::hour,
            project_hours::events,
        ))
        .load(conn)?;
    let mut found: HashMap<i64, [i64; 24]> = HashMap::new();
    for (project, hour, events) in rows {
        if let Some(at) = usize::try_from(hour - first).ok().filter(|at| *at < 24) {
            found.entry(project).or_insert([0; 24])[at] += events;
        }
    }
    Ok(found)
}
