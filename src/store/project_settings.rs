//! How a project's events are processed. In: the rules and filters that its members wrote. Out: the same for the nodes that
//! digest, and for the pages where they are changed.

use diesel::prelude::*;

use super::accounts::Project;
use super::schema::project_settings;
use super::{Conn, StoreError, dialect, keys, now_ms};
use crate::store::dialect::{Bind, Change, Upsert};

/// The texts of one project. Empty ones stand for what is built in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = project_settings)]
pub struct ProjectSettings {
    pub project_id: i64,
    /// In the language of fingerprint rules, one a line.
    pub fingerprint_rules: String,
    /// In the language of stack trace rules, one a line.
    pub stack_rules: String,
    /// JSON of [`crate::process::filter::Filters`].
    pub filters: String,
    pub updated_at: i64,
    pub updated_by: Option<i64>,
}

const PLAN: Upsert = Upsert {
    table: "project_settings",
    columns: &[
        "project_id",
        "fingerprint_rules",
        "stack_rules",
        "filters",
        "updated_at",
        "updated_by",
    ],
    key: &["project_id"],
    changes: &[
        ("fingerprint_rules", Change::Replace),
        ("stack_rules", Change::Replace),
        ("filters", Change::Replace),
        ("updated_at", Change::Replace),
        ("updated_by", Change::Replace),
    ],
};

/// All projects that have settings of their own.
pub fn all(conn: &mut Conn) -> Result<Vec<ProjectSettings>, StoreError> {
    Ok(project_settings::table
        .select(ProjectSettings::as_select())
        .load(conn)?)
}

/// The settings of a project, which comes out of a scope.
pub fn of_project(conn: &mut Conn, project: &Project) -> Result<ProjectSettings, StoreError> {
    let found = project_settings::table
        .find(project.id)
        .select(ProjectSettings::as_select())
        .first(conn)
        .optional()?;
    Ok(found.unwrap_or_else(|| ProjectSettings {
        project_id: project.id,
        ..ProjectSettings::default()
    }))
}

/// Keeps the settings of a project; nodes follow within a second.
pub fn set(conn: &mut Conn, settings: &ProjectSettings, user_id: i64) -> Result<(), StoreError> {
    let row = vec![
        Bind::I64(settings.project_id),
        Bind::Str(&settings.fingerprint_rules),
        Bind::Str(&settings.stack_rules),
        Bind::Str(&settings.filters),
        Bind::I64(now_ms()),
        Bind::I64(user_id),
    ];
    dialect::upsert_rows(conn, &PLAN, &[row])?;
    keys::touch(conn)
}
