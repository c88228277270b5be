//! What storage is used for. In: how many issues to name. Out: bytes and events by project and by issue, the size of the
//! database and its tables, how well payloads are compressed. Sums come from the issues' own columns: no event is counted.

use std::collections::HashMap;

use diesel::prelude::*;

use super::dialect::{self, TableSize};
use super::schema::{events, issues, organizations, projects};
use super::thinning::{self, ProjectKeeps};
use super::{Backend, Conn, StoreError, dictionaries, payload};
use crate::model::names;
use crate::model::thinning::Kept;

/// Payloads that are unpacked to see how well they are compressed.
const SAMPLE: i64 = 200;

/// Everything a report shows.
#[derive(Debug, Clone)]
pub struct Storage {
    pub backend: Backend,
    /// The whole database, and what of it is empty and used again.
    pub database: i64,
    pub free: Option<i64>,
    /// None where it would take reading the whole database.
    pub tables: Option<Vec<TableSize>>,
    pub kept: Kept,
    /// Events that were ever counted in the issues.
    pub seen: i64,
    /// When the oldest kept event was received, in milliseconds.
    pub oldest_ms: Option<i64>,
    pub compression: Option<Compression>,
    pub projects: Vec<ProjectStorage>,
    pub issues: Vec<IssueStorage>,
}

/// Of a sample of the latest payloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compression {
    pub events: i64,
    pub json: i64,
    pub stored: i64,
}

#[derive(Debug, Clone)]
pub struct ProjectStorage {
    pub organization: String,
    pub slug: String,
    pub keeps: ProjectKeeps,
}

#[derive(Debug, Clone)]
pub struct IssueStorage {
    pub id: i64,
    pub organization: String,
    pub project: String,
    pub short_id: String,
    pub title: String,
    pub seen: i64,
    pub kept: Kept,
}

/// Reads the report with the `top` issues that keep the most; `most_read` bounds what may be read for the tables' sizes.
pub fn report(conn: &mut Conn, top: i64, most_read: i64) -> Result<Storage, StoreError> {
    let database = dialect::database_bytes(conn)?;
    let projects = by_project(conn)?;
    let kept = projects.iter().fold(Kept::default(), |sum, project| Kept {
        events: sum.events + project.keeps.kept.events,
        bytes: sum.bytes + project.keeps.kept.bytes,
    });
    let oldest: Option<i64> = events::table
        .order(events::id)
        .select(events::id)
        .first(conn)
        .optional()?;
    Ok(Storage {
        backend: conn.backend(),
        database,
        free: dialect::free_bytes(conn)?,
        tables: dialect::table_sizes(conn, database, most_read)?,
        kept,
        seen: projects.iter().map(|project| project.keeps.seen).sum(),
        oldest_ms: oldest.map(super::digest::events::received_at),
        compression: compression(conn)?,
        issues: by_issue(conn, top)?,
        projects,
    })
}

/// Projects that keep anything, the largest first.
fn by_project(conn: &mut Conn) -> Result<Vec<ProjectStorage>, StoreError> {
    let names: Vec<(i64, String, String)> = projects::table
        .inner_join(organizations::table.on(organizations::id.eq(projects::organization_id)))
        .select((projects::id, organizations::slug, projects::slug))
        .load(conn)?;
    let names: HashMap<i64, (String, String)> = names
        .into_iter()
        .map(|(id, organization, slug)| (id, (organization, slug)))
        .collect();
    let mut found: Vec<ProjectStorage> = thinning::projects(conn)?
        .into_iter()
        .filter_map(|keeps| {
            let (organization, slug) = names.get(&keeps.project_id)?.clone();
            Some(ProjectStorage {
                organization,
                slug,
                keeps,
            })
        })
        .collect();
    found.sort_by_key(|project| std::cmp::Reverse(project.keeps.kept.size()));
    Ok(found)
}

type IssueRow = (i64, String, String, String, i64, String, i64, i64, i64);

fn by_issue(conn: &mut Conn, top: i64) -> Result<Vec<IssueStorage>, StoreError> {
    let rows: Vec<IssueRow> = issues::table
        .inner_join(projects::table.on(projects::id.eq(issues::project_id)))
        .inner_join(organizations::table.on(organizations::id.eq(issues::organization_id)))
        .filter(issues::stored_events.gt(0))
        .order((issues::stored_bytes.desc(), issues::id))
        .limit(top)
        .select((
            issues::id,
            organizations::slug,
            projects::slug,
            projects::short_prefix,
            issues::short_number,
            issues::title,
            issues::times_seen,
            issues::stored_events,
            issues::stored_bytes,
        ))
        .load(conn)?;
    let issue = |row: IssueRow| {
        let (id, organization, project, prefix, number, title, seen, events, bytes) = row;
        IssueStorage {
            id,
            organization,
            project,
            short_id: names::short_id(&prefix, number),
            title,
            seen,
            kept: Kept { events, bytes },
        }
    };
    Ok(rows.into_iter().map(issue).collect())
}

fn compression(conn: &mut Conn) -> Result<Option<Compression>, StoreError> {
    let sample: Vec<Vec<u8>> = events::table
        .order(events::id.desc())
        .limit(SAMPLE)
        .select(events::data)
        .load(conn)?;
    dictionaries::make_readable(conn, sample.iter().map(Vec::as_slice))?;
    let mut sum = Compression {
        events: 0,
        json: 0,
        stored: 0,
    };
    for data in sample {
        if let Some(json) = payload::unpack(&data) {
            sum.events += 1;
            sum.json += json.len() as i64;
            sum.stored += data.len() as i64;
        }
    }
    Ok((sum.events > 0).then_some(sum))
}
