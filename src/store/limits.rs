//! Limits of projects and organizations. In: a scope, and limits. Out: rows; each change moves the settings version on.

use std::collections::HashMap;

use diesel::prelude::*;

use super::accounts::Project;
use super::project_keys::Limits;
use super::schema::{organizations, projects};
use super::scope::OrgScope;
use super::{Conn, StoreError, keys};

fn limits((minute, month): (Option<i64>, Option<i64>)) -> Limits {
    Limits { minute, month }
}

pub fn of_organization(conn: &mut Conn, scope: &OrgScope) -> Result<Limits, StoreError> {
    Ok(organizations::table
        .find(scope.organization_id())
        .select((organizations::minute_limit, organizations::month_limit))
        .first(conn)
        .map(limits)?)
}

/// The limits of the organization's projects, by number.
pub fn of_projects(conn: &mut Conn, scope: &OrgScope) -> Result<HashMap<i64, Limits>, StoreError> {
    type Row = (i64, (Option<i64>, Option<i64>));
    let rows: Vec<Row> = projects::table
        .filter(projects::organization_id.eq(scope.organization_id()))
        .select((
            projects::id,
            (projects::minute_limit, projects::month_limit),
        ))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(id, row)| (id, limits(row)))
        .collect())
}

pub fn set_organization(
    conn: &mut Conn,
    scope: &OrgScope,
    limits: Limits,
) -> Result<(), StoreError> {
    let limits = limits.checked()?;
    diesel::update(organizations::table.find(scope.organization_id()))
        .set((
            organizations::minute_limit.eq(limits.minute),
            organizations::month_limit.eq(limits.month),
        ))
        .execute(conn)?;
    keys::touch(conn)
}

/// `project` comes from the scope of somebody who may change it.
pub fn set_project(conn: &mut Conn, project: &Project, limits: Limits) -> Result<(), StoreError> {
    let limits = limits.checked()?;
    diesel::update(projects::table.find(project.id))
        .set((
            projects::minute_limit.eq(limits.minute),
            projects::month_limit.eq(limits.month),
        ))
        .execute(conn)?;
    keys::touch(conn)
}
