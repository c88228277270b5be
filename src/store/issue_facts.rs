//! What can be told about an issue to one person. In: that person, the issue and one of its events.
//! Out: the rows as the person may see them now, or nothing where there is nothing left to tell.

use diesel::prelude::*;

use super::accounts::{self, Organization, Project, User};
use super::schema::{events, issues, projects};
use super::{Conn, StoreError, dictionaries, merging::redirect, scope};
use crate::protocol::event_id::EventId;

/// An issue with its surroundings, read in one go.
#[derive(Debug, Clone)]
pub struct IssueFacts {
    pub reader: User,
    pub organization: Organization,
    pub project: Project,
    pub issue: IssueRow,
    /// The stored form of the event, if it is still kept.
    pub event: Option<Vec<u8>>,
}

#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = issues)]
pub struct IssueRow {
    pub project_id: i64,
    pub short_number: i64,
    pub level: i32,
    pub title: String,
    pub culprit: String,
    pub times_seen: i64,
    pub users_seen: i64,
    pub first_seen: i64,
    pub last_seen: i64,
}

fn organization_of(conn: &mut Conn, issue_id: i64) -> Result<Option<i64>, StoreError> {
    let found = issues::table
        .find(issue_id)
        .select(issues::organization_id)
        .first(conn);
    Ok(found.optional()?)
}

/// Reads as `user_id`: who left the organization, and what was deleted, give nothing. An issue that was merged away gives
/// the one that took its place.
pub fn load(
    conn: &mut Conn,
    user_id: i64,
    issue_id: i64,
    event_id: &EventId,
) -> Result<Option<IssueFacts>, StoreError> {
    let issue_id = redirect::current(conn, issue_id)?;
    let Some(organization_id) = organization_of(conn, issue_id)? else {
        return Ok(None);
    };
    match try_load(conn, user_id, organization_id, issue_id, event_id) {
        Ok(facts) => Ok(Some(facts)),
        Err(StoreError::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

fn try_load(
    conn: &mut Conn,
    user_id: i64,
    organization_id: i64,
    issue_id: i64,
    event_id: &EventId,
) -> Result<IssueFacts, StoreError> {
    let scope = scope::authorize(conn, user_id, &organization_id.to_string())?;
    let issue: IssueRow = issues::table
        .find(issue_id)
        .filter(issues::organization_id.eq(scope.organization_id()))
        .select(IssueRow::as_select())
        .first(conn)?;
    let project = projects::table
        .find(issue.project_id)
        .select(Project::as_select())
        .first(conn)?;
    let event = events::table
        .filter(events::project_id.eq(issue.project_id))
        .filter(events::event_id.eq(event_id.as_bytes().to_vec()))
        .select(events::data)
        .first::<Vec<u8>>(conn)
        .optional()?;
    dictionaries::make_readable(conn, event.as_deref())?;
    Ok(IssueFacts {
        reader: accounts::user_by_id(conn, user_id)?,
        organization: scope.organization().clone(),
        project,
        issue,
        event,
    })
}
