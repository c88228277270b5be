//! How a project's events are processed. In: the rules and filters that its members wrote. Out: the same for the nodes that
//! digest, and for the pages where they are changed.

use diesel::prelude::*;

use super::accounts::Project;
use super::schema::{organization_settings, project_settings, projects};
use super::{Conn, StoreError, dialect, keys, now_ms};
use crate::process::scrub::Scrubbing;
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
    /// JSON of [`crate::process::scrub::Scrubbing`].
    pub scrubbing: Option<String>,
    /// Whether the public source maps of scripts are fetched.
    pub fetch_source_maps: bool,
}

impl ProjectSettings {
    /// What cannot be read any more counts as never said: the built-in rules hold then.
    pub fn scrubbing(&self) -> Scrubbing {
        let text = self.scrubbing.as_deref().unwrap_or_default();
        serde_json::from_str(text).unwrap_or_default()
    }
}

/// The settings of a project that has any, of its own or by its organization.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct Settled {
    pub project_id: i64,
    pub organization_id: i64,
    pub own: Option<ProjectSettings>,
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
        "scrubbing",
        "fetch_source_maps",
    ],
    key: &["project_id"],
    changes: &[
        ("fingerprint_rules", Change::Replace),
        ("stack_rules", Change::Replace),
        ("filters", Change::Replace),
        ("updated_at", Change::Replace),
        ("updated_by", Change::Replace),
        ("scrubbing", Change::Replace),
        ("fetch_source_maps", Change::Replace),
    ],
};

/// All projects that are not processed by what is built in.
pub fn all(conn: &mut Conn) -> Result<Vec<Settled>, StoreError> {
    let own = project_settings::project_id.eq(projects::id);
    let organizations = organization_settings::organization_id.eq(projects::organization_id);
    Ok(projects::table
        .left_join(project_settings::table.on(own))
        .left_join(organization_settings::table.on(organizations))
        .filter(
            project_settings::project_id
                .is_not_null()
                .or(organization_settings::organization_id.is_not_null()),
        )
        .select((
            projects::id,
            projects::organization_id,
            Option::<ProjectSettings>::as_select(),
        ))
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

/// Keeps the settings of a project, which a person or a token without one changed; nodes follow within a second.
pub fn set(
    conn: &mut Conn,
    settings: &ProjectSettings,
    user_id: Option<i64>,
) -> Result<(), StoreError> {
    let row = vec![
        Bind::I64(settings.project_id),
        Bind::Str(&settings.fingerprint_rules),
        Bind::Str(&settings.stack_rules),
        Bind::Str(&settings.filters),
        Bind::I64(now_ms()),
        Bind::OptI64(user_id),
        Bind::OptStr(settings.scrubbing.as_deref()),
        Bind::Bool(settings.fetch_source_maps),
    ];
    dialect::upsert_rows(conn, &PLAN, &[row])?;
    keys::touch(conn)
}
