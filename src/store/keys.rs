//! What ingest has to know about keys. In: nothing. Out: every active or disabled key with its project, the limits of
//! keys, projects and organizations, and the version of the settings they belong to.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::schema::{organizations, project_keys, projects};
use super::{Conn, StoreError, dialect};

/// One key as ingest keeps it in memory and in its snapshot on disk.
#[derive(Debug, Clone, Queryable, Serialize, Deserialize, PartialEq, Eq)]
pub struct KeyRow {
    pub id: i64,
    pub public_key: String,
    pub project_id: i64,
    pub organization_id: i64,
    pub is_active: bool,
    #[serde(default)]
    pub minute_limit: Option<i64>,
    #[serde(default)]
    pub month_limit: Option<i64>,
    /// Milliseconds; from then on the key counts as switched off.
    #[serde(default)]
    pub expires_at: Option<i64>,
}

/// A project or an organization with its limits.
#[derive(Debug, Clone, Queryable, Serialize, Deserialize, PartialEq, Eq)]
pub struct LimitRow {
    pub id: i64,
    #[serde(default)]
    pub minute_limit: Option<i64>,
    #[serde(default)]
    pub month_limit: Option<i64>,
}

/// All of it. A snapshot of a release that knew keys only has no projects and no organizations.
#[derive(Debug, Clone, Default, Serialize, Deserialize, PartialEq, Eq)]
pub struct Settings {
    pub version: i64,
    pub keys: Vec<KeyRow>,
    /// Every project, also those without a limit.
    #[serde(default)]
    pub projects: Vec<LimitRow>,
    /// Organizations with a limit.
    #[serde(default)]
    pub organizations: Vec<LimitRow>,
}

/// Everything, with the settings version read first, so that a change in between is seen next time.
pub fn load(conn: &mut Conn) -> Result<Settings, StoreError> {
    let version = version(conn)?;
    let keys = project_keys::table
        .inner_join(projects::table.on(projects::id.eq(project_keys::project_id)))
        .select((
            project_keys::id,
            project_keys::public_key,
            project_keys::project_id,
            projects::organization_id,
            project_keys::is_active,
            project_keys::minute_limit,
            project_keys::month_limit,
            project_keys::expires_at,
        ))
        .load(conn)?;
    let projects = projects::table
        .select((projects::id, projects::minute_limit, projects::month_limit))
        .load(conn)?;
    let has_limit = organizations::minute_limit
        .is_not_null()
        .or(organizations::month_limit.is_not_null());
    let organizations = organizations::table
        .filter(has_limit)
        .select((
            organizations::id,
            organizations::minute_limit,
            organizations::month_limit,
        ))
        .load(conn)?;
    Ok(Settings {
        version,
        keys,
        projects,
        organizations,
    })
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
