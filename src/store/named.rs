//! What events name: releases and environments. In: a scope. Out: their rows.

use diesel::prelude::*;

use super::schema::{environments, projects, releases};
use super::scope::OrgScope;
use super::{Conn, StoreError};

/// A release that events named, with the times of the first and the last one.
#[derive(Debug, Clone, Queryable, PartialEq, Eq)]
pub struct SeenRelease {
    pub id: i64,
    pub version: String,
    pub first_seen: i64,
    pub last_seen: i64,
}

/// A release of a project of the organization.
pub fn release(
    conn: &mut Conn,
    scope: &OrgScope,
    project_id: i64,
    version: &str,
) -> Result<Option<SeenRelease>, StoreError> {
    Ok(releases::table
        .inner_join(projects::table.on(projects::id.eq(releases::project_id)))
        .filter(projects::organization_id.eq(scope.organization_id()))
        .filter(releases::project_id.eq(project_id))
        .filter(releases::version.eq(version))
        .select((
            releases::id,
            releases::version,
            releases::first_seen,
            releases::last_seen,
        ))
        .first(conn)
        .optional()?)
}

/// An environment of a project.
#[derive(Debug, Clone, Queryable, PartialEq, Eq)]
pub struct Environment {
    pub project_id: i64,
    pub id: i64,
    pub name: String,
}

/// The environments of an organization, by project and name.
pub fn environments(conn: &mut Conn, scope: &OrgScope) -> Result<Vec<Environment>, StoreError> {
    Ok(environments::table
        .inner_join(projects::table.on(projects::id.eq(environments::project_id)))
        .filter(projects::organization_id.eq(scope.organization_id()))
        .filter(environments::name.ne(""))
        .order((environments::project_id, environments::name))
        .select((
            environments::project_id,
            environments::id,
            environments::name,
        ))
        .load(conn)?)
}
