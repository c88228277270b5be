//! Issues whole, with what is told beside them. In: a scope and numbers or a name. Out: rows; an issue of another
//! organization is not found.

use std::collections::HashMap;

use diesel::prelude::*;

use super::accounts::Project;
use super::schema::{activity, issue_days, issue_hours, issues, projects, users};
use super::scope::OrgScope;
use super::{Conn, StoreError, merging::redirect};
use crate::model::issue_condition::IssueName;

/// Every column that is shown of an issue.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = issues)]
pub struct IssueRecord {
    pub id: i64,
    pub project_id: i64,
    pub short_number: i64,
    pub kind: String,
    pub level: i32,
    pub platform: String,
    pub title: String,
    pub title_type: String,
    pub title_value: String,
    pub culprit: String,
    pub location: String,
    pub logger: Option<String>,
    pub status: i32,
    pub substatus: i32,
    pub status_changed_at: i64,
    pub first_seen: i64,
    pub last_seen: i64,
    pub times_seen: i64,
    pub users_seen: i64,
    pub first_release: Option<String>,
    pub last_release: Option<String>,
    pub is_unhandled: bool,
}

/// The organization of an issue, as a name to authorize for; says nothing about who may see it.
pub fn organization_of(conn: &mut Conn, issue_id: i64) -> Result<i64, StoreError> {
    let found = issues::table
        .find(issue_id)
        .select(issues::organization_id)
        .first(conn)
        .optional()?;
    match found {
        Some(organization_id) => Ok(organization_id),
        None => redirect::organization_of(conn, issue_id),
    }
}

/// An issue of the scope's organization by number (`4711`) or short id (`SHOP-4F`). One that was merged into another
/// stands for that.
pub fn find(
    conn: &mut Conn,
    scope: &OrgScope,
    name: &str,
) -> Result<(IssueRecord, Project), StoreError> {
    let own = issues::table
        .inner_join(projects::table.on(projects::id.eq(issues::project_id)))
        .filter(issues::organization_id.eq(scope.organization_id()))
        .select((IssueRecord::as_select(), Project::as_select()));
    let name = IssueName::parse(name).ok_or(StoreError::NotFound)?;
    let found = match &name {
        IssueName::Number(id) => own.filter(issues::id.eq(id)).first(conn),
        IssueName::Short(prefix, number) => own
            .filter(projects::short_prefix.eq(prefix))
            .filter(issues::short_number.eq(number))
            .order(issues::id)
            .first(conn),
    };
    if let Some(found) = found.optional()? {
        return Ok(found);
    }
    let target = redirect::find(conn, scope, &name)?.ok_or(StoreError::NotFound)?;
    Ok(own.filter(issues::id.eq(target)).first(conn)?)
}

/// The issues of these numbers, in their order, each once; those that were merged away stand for others, and what is
/// missing or foreign is left out.
pub fn by_ids(
    conn: &mut Conn,
    scope: &OrgScope,
    ids: &[i64],
) -> Result<Vec<IssueRecord>, StoreError> {
    let own = |conn: &mut Conn, ids: &[i64]| -> Result<Vec<IssueRecord>, StoreError> {
        Ok(issues::table
            .filter(issues::organization_id.eq(scope.organization_id()))
            .filter(issues::id.eq_any(ids.to_vec()))
            .select(IssueRecord::as_select())
            .load(conn)?)
    };
    let rows = own(conn, ids)?;
    let mut rows: HashMap<i64, IssueRecord> = rows.into_iter().map(|row| (row.id, row)).collect();
    let missing = ids.iter().filter(|id| !rows.contains_key(id));
    let missing: Vec<i64> = missing.copied().collect();
    let mut targets = HashMap::new();
    if !missing.is_empty() {
        targets = redirect::targets(conn, &missing)?;
        let others: Vec<i64> = targets.values().copied().collect();
        rows.extend(own(conn, &others)?.into_iter().map(|row| (row.id, row)));
    }
    let current = |id: &i64| targets.get(id).copied().unwrap_or(*id);
    Ok(ids
        .iter()
        .filter_map(|id| rows.remove(&current(id)))
        .collect())
}

/// The width of a bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Hour,
    Day,
}

impl Step {
    pub const fn millis(self) -> i64 {
        match self {
            Self::Hour => 3_600_000,
            Self::Day => 86_400_000,
        }
    }
}

/// Events of each issue in the last `count` hours or days, the current one last: when the first begins, and the counts.
/// Issues without events are missing.
pub fn series(
    conn: &mut Conn,
    scope: &OrgScope,
    ids: &[i64],
    step: Step,
    count: usize,
    now: i64,
) -> Result<(i64, HashMap<i64, Vec<i64>>), StoreError> {
    let first = now / step.millis() - count as i64 + 1;
    let own = issues::organization_id.eq(scope.organization_id());
    let rows: Vec<(i64, i64, i64)> = match step {
        Step::Hour => issue_hours::table
            .inner_join(issues::table.on(issues::id.eq(issue_hours::issue_id)))
            .filter(own)
            .filter(issue_hours::issue_id.eq_any(ids.to_vec()))
            .filter(issue_hours::hour.ge(first))
            .select((
                issue_hours::issue_id,
                issue_hours::hour,
                issue_hours::events,
            ))
            .load(conn)?,
        Step::Day => issue_days::table
            .inner_join(issues::table.on(issues::id.eq(issue_days::issue_id)))
            .filter(own)
            .filter(issue_days::issue_id.eq_any(ids.to_vec()))
            .filter(issue_days::day.ge(first))
            .select((issue_days::issue_id, issue_days::day, issue_days::events))
            .load(conn)?,
    };
    let mut series: HashMap<i64, Vec<i64>> = HashMap::new();
    for (issue_id, at, events) in rows {
        let counts = series.entry(issue_id).or_insert_with(|| vec![0; count]);
        if let Some(sum) = usize::try_from(at - first)
            .ok()
            .and_then(|at| counts.get_mut(at))
        {
            *sum += events;
        }
    }
    Ok((first * step.millis(), series))
}

/// Something that happened to an issue, and who did it.
#[derive(Debug, Clone, Queryable)]
pub struct Happening {
    pub id: i64,
    pub kind: String,
    pub data: String,
    pub created_at: i64,
    pub user_id: Option<i64>,
    pub user_name: Option<String>,
    pub user_email: Option<String>,
}

/// What happened to an issue lately, newest first.
pub fn happenings(
    conn: &mut Conn,
    scope: &OrgScope,
    issue: &IssueRecord,
    limit: i64,
) -> Result<Vec<Happening>, StoreError> {
    Ok(activity::table
        .inner_join(issues::table.on(issues::id.eq(activity::issue_id)))
        .left_join(users::table.on(users::id.nullable().eq(activity::user_id)))
        .filter(issues::organization_id.eq(scope.organization_id()))
        .filter(activity::issue_id.eq(issue.id))
        .order(activity::id.desc())
        .limit(limit)
        .select((
            activity::id,
            activity::kind,
            activity::data,
            activity::created_at,
            activity::user_id,
            users::name.nullable(),
            users::email.nullable(),
        ))
        .load(conn)?)
}
