//! What an organization wants for all of its projects. In: the settings that its admins wrote. Out: the same, for the nodes
//! that digest and for the page where they are changed.

use diesel::prelude::*;

use super::schema::organization_settings;
use super::scope::OrgScope;
use super::{Conn, StoreError, dialect, keys, now_ms};
use crate::process::scrub::Scrubbing;
use crate::store::dialect::{Bind, Change, Upsert};

/// The texts of one organization.
#[derive(Debug, Clone, Default, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = organization_settings)]
pub struct OrganizationSettings {
    pub organization_id: i64,
    /// JSON of [`crate::process::scrub::Scrubbing`].
    pub scrubbing: String,
    pub updated_at: i64,
    pub updated_by: Option<i64>,
}

impl OrganizationSettings {
    /// What cannot be read any more counts as never said.
    pub fn scrubbing(&self) -> Scrubbing {
        serde_json::from_str(&self.scrubbing).unwrap_or_default()
    }
}

const PLAN: Upsert = Upsert {
    table: "organization_settings",
    columns: &["organization_id", "scrubbing", "updated_at", "updated_by"],
    key: &["organization_id"],
    changes: &[
        ("scrubbing", Change::Replace),
        ("updated_at", Change::Replace),
        ("updated_by", Change::Replace),
    ],
};

/// All organizations that have settings.
pub fn all(conn: &mut Conn) -> Result<Vec<OrganizationSettings>, StoreError> {
    Ok(organization_settings::table
        .select(OrganizationSettings::as_select())
        .load(conn)?)
}

/// The settings of the organization that somebody may see.
pub fn of(conn: &mut Conn, scope: &OrgScope) -> Result<OrganizationSettings, StoreError> {
    let found = organization_settings::table
        .find(scope.organization_id())
        .select(OrganizationSettings::as_select())
        .first(conn)
        .optional()?;
    Ok(found.unwrap_or_else(|| OrganizationSettings {
        organization_id: scope.organization_id(),
        ..OrganizationSettings::default()
    }))
}

/// Keeps what an organization wants scrubbed; nodes follow within a second.
pub fn set_scrubbing(
    conn: &mut Conn,
    scope: &OrgScope,
    scrubbing: &str,
    user_id: i64,
) -> Result<(), StoreError> {
    let row = vec![
        Bind::I64(scope.organization_id()),
        Bind::Str(scrubbing),
        Bind::I64(now_ms()),
        Bind::I64(user_id),
    ];
    dialect::upsert_rows(conn, &PLAN, &[row])?;
    keys::touch(conn)
}
