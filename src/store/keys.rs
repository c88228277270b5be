//! What ingest has to know about keys. In: nothing. Out: every active or disabled key with its project, and the
//! version of the settings they belong to.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::schema::{project_keys, projects};
use super::{Conn, StoreError, dialect};

/// One key as ingest keeps it in memory and in its snapshot on disk.
#[derive(Debug, Clone, Queryable, Serialize, Deserialize, PartialEq, Eq)]
pub struct KeyRow {
    pub id: i64,
    pub public_key: String,
    pub project_id: i64,
    pub organization_id: i64,
    pub is_active: bool,
}

/// All keys, with the settings version read first, so that a change in between is seen next time.
pub fn load(conn: &mut Conn) -> Result<(i64, Vec<KeyRow>), StoreError> {
    let version = version(conn)?;
    let rows = project_keys::table
        .inner_join(projects::table.on(projects::id.eq(project_keys::project_id)))
        .select((
            project_keys::id,
            project_keys::public_key,
            project_keys::project_id,
            projects::organization_id,
            project_keys::is_active,
        ))
        .load(conn)?;
    Ok((version, rows))
}

/// The version of keys and project settings.
pub fn version(conn: &mut Conn) -> Result<i64, StoreError> {
    dialect::current(conn, "settings")
}

/// Says that keys or project settings changed; nodes poll for it each second.
pub fn touch(conn: &mut Conn) -> Result<(), StoreError> {
    dialect::next_ids(conn, "settings", 1)?;
    Ok(())
}
