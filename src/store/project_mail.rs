//! Whom a project's mail goes to, and how much of it there is. In: a project, and an occasion to write.
//! Out: the recipients, and the how-manieth occasion it is in its hour.

use diesel::prelude::*;

use super::accounts;
use super::schema::{projects, usage_hours};
use super::usage::{self, OutcomeKey};
use super::{Conn, StoreError};

const CATEGORY: &str = "mail";
const OUTCOME: &str = "occasion";

/// Counts an occasion of an hour (since 1970). Counting comes first: it holds the row until the transaction ends, so
/// that every occasion gets a number of its own.
pub fn count(conn: &mut Conn, project_id: i64, hour: i64) -> Result<i64, StoreError> {
    let key = OutcomeKey {
        project_id,
        key_id: 0,
        hour,
        category: CATEGORY.to_owned(),
        outcome: OUTCOME.to_owned(),
        reason: String::new(),
    };
    usage::add(conn, &[(key, 1)])?;
    Ok(usage_hours::table
        .find((project_id, 0, hour, CATEGORY, OUTCOME, ""))
        .select(usage_hours::quantity)
        .first(conn)?)
}

/// The active members of the organization that the project belongs to; none when the project is gone.
pub fn recipients(conn: &mut Conn, project_id: i64) -> Result<Vec<i64>, StoreError> {
    let organization_id: Option<i64> = projects::table
        .find(project_id)
        .select(projects::organization_id)
        .first(conn)
        .optional()?;
    let Some(organization_id) = organization_id else {
        return Ok(Vec::new());
    };
    let members = accounts::members(conn, organization_id)?;
    Ok(members.into_iter().map(|(user, _)| user.id).collect())
}
