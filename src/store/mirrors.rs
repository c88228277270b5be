//! Projects whose envelopes are copied to another tracker. In: what an administrator set, and what nodes sent.
//! Out: the settings that ingest nodes keep in memory, and the counts that the project's page shows.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::accounts::Project;
use super::schema::project_mirrors;
use super::{Conn, StoreError, keys, now_ms};

/// Longer errors are cut.
const LONGEST_ERROR: usize = 500;

/// One project's mirror.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = project_mirrors)]
pub struct ProjectMirror {
    pub project_id: i64,
    pub dsn: String,
    pub percent: i32,
    pub is_active: bool,
    pub sent: i64,
    pub failed: i64,
    pub dropped: i64,
    pub last_sent_at: Option<i64>,
    pub last_error: Option<String>,
    pub last_error_at: Option<i64>,
    pub updated_at: i64,
}

/// What an ingest node has to know, in memory and in its snapshot on disk.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Serialize, Deserialize)]
pub struct MirrorRow {
    pub project_id: i64,
    pub dsn: String,
    pub percent: i32,
}

/// What a node did since it last said so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    pub project_id: i64,
    pub sent: i64,
    pub failed: i64,
    pub dropped: i64,
    pub last_sent_at: Option<i64>,
    pub last_error: Option<(String, i64)>,
}

/// The mirrors that are switched on.
pub fn active(conn: &mut Conn) -> Result<Vec<MirrorRow>, StoreError> {
    Ok(project_mirrors::table
        .filter(project_mirrors::is_active.eq(true))
        .filter(project_mirrors::percent.gt(0))
        .order(project_mirrors::project_id)
        .select((
            project_mirrors::project_id,
            project_mirrors::dsn,
            project_mirrors::percent,
        ))
        .load(conn)?)
}

/// The mirror of a project, which comes out of a scope.
pub fn of_project(conn: &mut Conn, project: &Project) -> Result<Option<ProjectMirror>, StoreError> {
    Ok(project_mirrors::table
        .find(project.id)
        .select(ProjectMirror::as_select())
        .first(conn)
        .optional()?)
}

/// Sets where a project's envelopes are copied to; nodes follow within a second. Another target begins to count anew.
pub fn set(
    conn: &mut Conn,
    project: &Project,
    dsn: &str,
    percent: i32,
    is_active: bool,
) -> Result<(), StoreError> {
    let before = of_project(conn, project)?;
    let kept = before.filter(|mirror| mirror.dsn == dsn);
    diesel::delete(project_mirrors::table.find(project.id)).execute(conn)?;
    let mirror = ProjectMirror {
        project_id: project.id,
        dsn: dsn.to_owned(),
        percent,
        is_active,
        updated_at: now_ms(),
        ..kept.unwrap_or(ProjectMirror {
            project_id: project.id,
            dsn: String::new(),
            percent: 0,
            is_active: false,
            sent: 0,
            failed: 0,
            dropped: 0,
            last_sent_at: None,
            last_error: None,
            last_error_at: None,
            updated_at: 0,
        })
    };
    diesel::insert_into(project_mirrors::table)
        .values(&mirror)
        .execute(conn)?;
    keys::touch(conn)
}

/// Switches a project's mirror off; its counts stay to be read.
pub fn switch_off(conn: &mut Conn, project: &Project) -> Result<(), StoreError> {
    diesel::update(project_mirrors::table.find(project.id))
        .set((
            project_mirrors::is_active.eq(false),
            project_mirrors::updated_at.eq(now_ms()),
        ))
        .execute(conn)?;
    keys::touch(conn)
}

/// Adds what a node did. A project whose mirror is gone counts no more.
pub fn add(conn: &mut Conn, progress: &[Progress]) -> Result<(), StoreError> {
    use project_mirrors::{dropped, failed, last_error, last_error_at, last_sent_at, sent};
    // Always in the same order, so that two nodes do not wait for each other.
    for one in progress {
        let target = || project_mirrors::table.find(one.project_id);
        diesel::update(target())
            .set((
                sent.eq(sent + one.sent),
                failed.eq(failed + one.failed),
                dropped.eq(dropped + one.dropped),
            ))
            .execute(conn)?;
        if let Some(at) = one.last_sent_at {
            diesel::update(target())
                .set(last_sent_at.eq(at))
                .execute(conn)?;
        }
        if let Some((error, at)) = &one.last_error {
            let error: String = error.chars().take(LONGEST_ERROR).collect();
            diesel::update(target())
                .set((last_error.eq(error), last_error_at.eq(*at)))
                .execute(conn)?;
        }
    }
    Ok(())
}
