//! What a project's summary of an hour says to one person. In: that person, the project and the hour.
//! Out: the issues that were new or came back, the most frequent first, as the person may see them now.

use diesel::prelude::*;

use super::accounts::{self, Organization, Project, User};
use super::schema::{issues, projects};
use super::{Conn, StoreError, scope};
use crate::model::issue::{Status, Substatus};

const HOUR_MS: i64 = 60 * 60 * 1000;
/// Issues that are named; the rest are a number.
const NAMED: i64 = 30;

#[derive(Debug, Clone)]
pub struct SummaryFacts {
    pub reader: User,
    pub organization: Organization,
    pub project: Project,
    pub total: i64,
    pub issues: Vec<SummaryRow>,
}

#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = issues)]
pub struct SummaryRow {
    pub id: i64,
    pub short_number: i64,
    pub level: i32,
    pub title: String,
    pub culprit: String,
    pub substatus: i32,
    pub times_seen: i64,
}

fn find(conn: &mut Conn, project_id: i64) -> Result<Option<Project>, StoreError> {
    let found = projects::table
        .find(project_id)
        .select(Project::as_select())
        .first(conn);
    Ok(found.optional()?)
}

/// Reads as `user_id`; nothing where the person may no longer see it or nothing is left to tell.
pub fn load(
    conn: &mut Conn,
    user_id: i64,
    project_id: i64,
    hour: i64,
) -> Result<Option<SummaryFacts>, StoreError> {
    let Some(project) = find(conn, project_id)? else {
        return Ok(None);
    };
    let scope = match scope::authorize(conn, user_id, &project.organization_id.to_string()) {
        Err(StoreError::NotFound) => return Ok(None),
        other => other?,
    };
    // In the order of the index: of an unresolved issue, the status last changed when it was made or came back.
    let changed = || {
        issues::table
            .filter(issues::project_id.eq(project_id))
            .filter(issues::status.eq(Status::Unresolved.code()))
            .filter(issues::status_changed_at.ge(hour * HOUR_MS))
            .filter(issues::status_changed_at.lt((hour + 1) * HOUR_MS))
            .filter(issues::substatus.eq_any([Substatus::New.code(), Substatus::Regressed.code()]))
    };
    let total: i64 = changed().count().get_result(conn)?;
    if total == 0 {
        return Ok(None);
    }
    let issues: Vec<SummaryRow> = changed()
        .order((issues::times_seen.desc(), issues::id))
        .limit(NAMED)
        .select(SummaryRow::as_select())
        .load(conn)?;
    Ok(Some(SummaryFacts {
        reader: accounts::user_by_id(conn, user_id)?,
        organization: scope.organization().clone(),
        project,
        total,
        issues,
    }))
}
