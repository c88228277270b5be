//! What is kept, by project and by issue, and the rows of one issue. In: where to go on reading. Out: sums and pages, each read in
//! a few milliseconds: events are found through the index by issue, never by looking through the table.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use serde::Deserialize;

use super::schema::{events, issues, projects};
use super::{Backend, Conn, StoreError, dictionaries, payload};
use crate::model::thinning::{Kept, Trait};

/// A project with what it keeps and the limits it has of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProjectKeeps {
    pub project_id: i64,
    pub issues: i64,
    /// Events ever counted.
    pub seen: i64,
    pub kept: Kept,
    /// None: as the server's setting says; 0: no limit.
    pub events_limit: Option<i64>,
    pub bytes_limit: Option<i64>,
}

#[derive(QueryableByName)]
struct Sum {
    #[diesel(sql_type = BigInt)]
    project_id: i64,
    #[diesel(sql_type = BigInt)]
    issues: i64,
    #[diesel(sql_type = BigInt)]
    seen: i64,
    #[diesel(sql_type = BigInt)]
    events: i64,
    #[diesel(sql_type = BigInt)]
    bytes: i64,
}

/// All projects that have issues.
pub fn projects(conn: &mut Conn) -> Result<Vec<ProjectKeeps>, StoreError> {
    let number = match conn.backend() {
        Backend::Mysql => "SIGNED",
        _ => "BIGINT",
    };
    let sums: Vec<Sum> = diesel::sql_query(format!(
        "SELECT project_id, COUNT(*) AS issues, CAST(SUM(times_seen) AS {number}) AS seen, CAST(SUM(stored_events) AS {number}) AS events, \
         CAST(SUM(stored_bytes) AS {number}) AS bytes FROM issues GROUP BY project_id ORDER BY project_id"
    ))
    .load(conn)?;
    let limits: Vec<(i64, Option<i64>, Option<i64>)> = projects::table
        .filter(
            projects::retention_events
                .is_not_null()
                .or(projects::retention_bytes.is_not_null()),
        )
        .select((
            projects::id,
            projects::retention_events,
            projects::retention_bytes,
        ))
        .load(conn)?;
    Ok(sums
        .into_iter()
        .map(|sum| {
            let own = limits.iter().find(|(id, _, _)| *id == sum.project_id);
            ProjectKeeps {
                project_id: sum.project_id,
                issues: sum.issues,
                seen: sum.seen,
                kept: Kept {
                    events: sum.events,
                    bytes: sum.bytes,
                },
                events_limit: own.and_then(|(_, events, _)| *events),
                bytes_limit: own.and_then(|(_, _, bytes)| *bytes),
            }
        })
        .collect())
}

/// The number of a project.
pub fn project(
    conn: &mut Conn,
    organization_id: i64,
    slug: &str,
) -> Result<Option<i64>, StoreError> {
    Ok(projects::table
        .filter(projects::organization_id.eq(organization_id))
        .filter(projects::slug.eq(slug))
        .select(projects::id)
        .first(conn)
        .optional()?)
}

/// Whether a project has a limit of its own.
pub fn any_limits(conn: &mut Conn) -> Result<bool, StoreError> {
    let limited: Option<i64> = projects::table
        .filter(
            projects::retention_events
                .gt(0)
                .or(projects::retention_bytes.gt(0)),
        )
        .select(projects::id)
        .first(conn)
        .optional()?;
    Ok(limited.is_some())
}

/// Gives a project a limit of its own in events: 0 for no limit, none for the server's.
pub fn limit_events(
    conn: &mut Conn,
    project_id: i64,
    limit: Option<i64>,
) -> Result<(), StoreError> {
    diesel::update(projects::table.find(project_id))
        .set(projects::retention_events.eq(limit))
        .execute(conn)?;
    Ok(())
}

/// The same in bytes.
pub fn limit_bytes(conn: &mut Conn, project_id: i64, limit: Option<i64>) -> Result<(), StoreError> {
    diesel::update(projects::table.find(project_id))
        .set(projects::retention_bytes.eq(limit))
        .execute(conn)?;
    Ok(())
}

/// An issue with what it keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IssueKeeps {
    pub id: i64,
    pub kept: Kept,
}

const ISSUES_PER_PAGE: i64 = 5_000;

/// A page of the issues that keep more than `least` events, those with a number above `after`; `None` when there is no further page.
pub fn issues(
    conn: &mut Conn,
    project_id: Option<i64>,
    least: i64,
    after: i64,
) -> Result<Option<Vec<IssueKeeps>>, StoreError> {
    let page = issues::table
        .filter(issues::id.gt(after))
        .filter(issues::stored_events.gt(least))
        .order(issues::id)
        .limit(ISSUES_PER_PAGE)
        .select((issues::id, issues::stored_events, issues::stored_bytes))
        .into_boxed();
    let page = match project_id {
        Some(project_id) => page.filter(issues::project_id.eq(project_id)),
        None => page,
    };
    let rows: Vec<(i64, i64, i64)> = page.load(conn)?;
    let found: Vec<IssueKeeps> = rows
        .into_iter()
        .map(|(id, events, bytes)| IssueKeeps {
            id,
            kept: Kept { events, bytes },
        })
        .collect();
    Ok((!found.is_empty()).then_some(found))
}

/// The row numbers of the first and the latest event that an issue keeps.
pub fn ends(conn: &mut Conn, issue_id: i64) -> Result<Option<(i64, i64)>, StoreError> {
    let own = || {
        events::table
            .filter(events::issue_id.eq(issue_id))
            .select(events::id)
    };
    let first: Option<i64> = own().order(events::id.asc()).first(conn).optional()?;
    let latest: Option<i64> = own().order(events::id.desc()).first(conn).optional()?;
    Ok(first.zip(latest))
}

/// A page of the row numbers between two, without them.
pub fn between(
    conn: &mut Conn,
    issue_id: i64,
    after: i64,
    before: i64,
    size: i64,
) -> Result<Vec<i64>, StoreError> {
    Ok(events::table
        .filter(events::issue_id.eq(issue_id))
        .filter(events::id.gt(after))
        .filter(events::id.lt(before))
        .order(events::id)
        .select(events::id)
        .limit(size)
        .load(conn)?)
}

/// What tells an event from others of its issue.
#[derive(Deserialize)]
struct Facts {
    #[serde(default)]
    release: Option<String>,
    #[serde(default)]
    environment: Option<String>,
}

/// Release and environment of events, in the order of the list; none for what is gone or cannot be read.
pub fn traits(conn: &mut Conn, ids: &[i64]) -> Result<Vec<Option<Trait>>, StoreError> {
    let rows: Vec<(i64, Vec<u8>)> = events::table
        .filter(events::id.eq_any(ids.to_vec()))
        .select((events::id, events::data))
        .load(conn)?;
    dictionaries::make_readable(conn, rows.iter().map(|(_, data)| data.as_slice()))?;
    let known: std::collections::HashMap<i64, Trait> = rows
        .into_iter()
        .filter_map(|(id, data)| {
            let facts: Facts = serde_json::from_slice(&payload::unpack(&data)?).ok()?;
            Some((
                id,
                (
                    facts.release.unwrap_or_default(),
                    facts.environment.unwrap_or_default(),
                ),
            ))
        })
        .collect();
    Ok(ids.iter().map(|id| known.get(id).cloned()).collect())
}
