//! The moment of a merge. In: a scope and issues of one project. Out: all their hashes lead to one of them, whose row says
//! what they are together; the others are redirects, and their rows on their way.

use diesel::prelude::*;
use serde_json::json;

use super::{MERGE, is_being_split, redirect};
use crate::model::issue::ACTIVITY_MERGE;
use crate::model::names;
use crate::store::accounts::Project;
use crate::store::dialect::{self, Bind, insert_rows};
use crate::store::digest::{OVERFLOW, lock_project};
use crate::store::schema::{issue_hashes, issue_redirects, issues, projects};
use crate::store::scope::OrgScope;
use crate::store::{Conn, StoreError, issue_details, issue_status};

/// Issues of one merge: what one short transaction can do.
const MOST_ISSUES: usize = 200;

/// What a merge did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    pub parent: i64,
    pub parent_short_id: String,
    /// Merged away; rows of theirs are to be moved.
    pub children: Vec<i64>,
}

/// What counts in a merge.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = issues)]
struct Issue {
    id: i64,
    project_id: i64,
    short_number: i64,
    first_seen: i64,
    last_seen: i64,
    times_seen: i64,
    first_release: Option<String>,
    last_release: Option<String>,
    regressed_release: Option<String>,
    stored_events: i64,
    stored_bytes: i64,
    sampled_events: i64,
    sampled_at: i64,
}

/// Merges issues into the one with the most events, of equal ones the oldest. An issue that was merged away stands for
/// the one that took its place. `within` is the project they have to be of, if one was named.
pub fn merge(
    conn: &mut Conn,
    scope: &OrgScope,
    ids: &[i64],
    within: Option<&Project>,
    now: i64,
) -> Result<Merged, StoreError> {
    let invalid = |text: &str| Err(StoreError::Invalid(text.to_owned()));
    let project = common_project(conn, scope, ids, within)?;
    // From here on no batch and no other merge changes where events of the project go.
    lock_project(conn, project.id)?;
    let ids = present(conn, ids)?;
    if ids.len() < 2 {
        return invalid("Choose at least two issues to merge");
    }
    if ids.len() > MOST_ISSUES {
        return invalid("At most 200 issues can be merged at a time");
    }
    if is_being_split(conn, &ids)? {
        return Err(StoreError::Conflict(
            "One of the issues is still being split; try again in a moment".to_owned(),
        ));
    }
    let overflow: Option<i64> = issue_hashes::table
        .find((project.id, OVERFLOW.to_vec()))
        .select(issue_hashes::issue_id)
        .first(conn)
        .optional()?;
    if overflow.is_some_and(|overflow| ids.contains(&overflow)) {
        return invalid(
            "The issue that collects what is too much cannot be merged: it holds events of many kinds",
        );
    }
    let mut found = locked(conn, &ids)?;
    found.sort_by_key(|issue| (-issue.times_seen, issue.first_seen, issue.id));
    let Some((parent, children)) = found.split_first().filter(|(_, rest)| !rest.is_empty()) else {
        return invalid("Choose at least two issues to merge");
    };
    let child_ids: Vec<i64> = children.iter().map(|issue| issue.id).collect();
    redirect_to(conn, scope, parent, children, now)?;
    combine(conn, &found)?;
    diesel::delete(issues::table.filter(issues::id.eq_any(&child_ids))).execute(conn)?;
    let short_id = |issue: &Issue| names::short_id(&project.short_prefix, issue.short_number);
    let merged: Vec<_> = children
        .iter()
        .map(|issue| json!({"id": issue.id.to_string(), "shortId": short_id(issue)}))
        .collect();
    let data = json!({"issues": merged});
    issue_status::add_activity(conn, parent.id, ACTIVITY_MERGE, scope.user_id(), &data, now)?;
    Ok(Merged {
        parent: parent.id,
        parent_short_id: short_id(parent),
        children: child_ids,
    })
}

/// The one project of the issues.
fn common_project(
    conn: &mut Conn,
    scope: &OrgScope,
    ids: &[i64],
    within: Option<&Project>,
) -> Result<Project, StoreError> {
    let current = present(conn, ids)?;
    let rows: Vec<(i64, i64)> = issues::table
        .filter(issues::organization_id.eq(scope.organization_id()))
        .filter(issues::id.eq_any(&current))
        .select((issues::id, issues::project_id))
        .load(conn)?;
    // Missing and foreign look alike.
    if let Some(missing) = current
        .iter()
        .find(|id| !rows.iter().any(|(found, _)| found == *id))
    {
        return Err(StoreError::Invalid(format!("There is no issue {missing}")));
    }
    let Some((_, project_id)) = rows.first() else {
        return Err(StoreError::Invalid(
            "Choose at least two issues to merge".to_owned(),
        ));
    };
    if rows.iter().any(|(_, other)| other != project_id) {
        return Err(StoreError::Invalid(
            "Merging across multiple projects is not supported".to_owned(),
        ));
    }
    if let Some(within) = within.filter(|within| within.id != *project_id) {
        return Err(StoreError::Invalid(format!(
            "These issues are not of the project {}",
            within.slug
        )));
    }
    Ok(projects::table
        .find(project_id)
        .select(Project::as_select())
        .first(conn)?)
}

/// The issues that are meant, each once.
fn present(conn: &mut Conn, ids: &[i64]) -> Result<Vec<i64>, StoreError> {
    let targets = redirect::targets(conn, ids)?;
    let mut present: Vec<i64> = ids
        .iter()
        .map(|id| targets.get(id).copied().unwrap_or(*id))
        .collect();
    present.sort_unstable();
    present.dedup();
    Ok(present)
}

/// The rows of issues, held so that what retention takes off their sums meanwhile is not lost.
pub(super) fn hold_rows(conn: &mut Conn, ids: &[i64]) -> Result<(), StoreError> {
    for id in ids {
        diesel::update(issues::table.find(id))
            .set(issues::stored_events.eq(issues::stored_events))
            .execute(conn)?;
    }
    Ok(())
}

fn locked(conn: &mut Conn, ids: &[i64]) -> Result<Vec<Issue>, StoreError> {
    hold_rows(conn, ids)?;
    Ok(issues::table
        .filter(issues::id.eq_any(ids.to_vec()))
        .order(issues::id)
        .select(Issue::as_select())
        .load(conn)?)
}

/// Lets hashes and old links lead to the parent, and notes what is to be moved.
fn redirect_to(
    conn: &mut Conn,
    scope: &OrgScope,
    parent: &Issue,
    children: &[Issue],
    now: i64,
) -> Result<(), StoreError> {
    let child_ids: Vec<i64> = children.iter().map(|issue| issue.id).collect();
    diesel::update(issue_hashes::table.filter(issue_hashes::issue_id.eq_any(&child_ids)))
        .set(issue_hashes::issue_id.eq(parent.id))
        .execute(conn)?;
    // Those that were merged into one of them before: a redirect is one step long.
    diesel::update(issue_redirects::table.filter(issue_redirects::target_id.eq_any(&child_ids)))
        .set(issue_redirects::target_id.eq(parent.id))
        .execute(conn)?;
    let redirects: Vec<Vec<Bind<'_>>> = children
        .iter()
        .map(|issue| {
            vec![
                Bind::I64(issue.id),
                Bind::I64(scope.organization_id()),
                Bind::I64(issue.project_id),
                Bind::I64(issue.short_number),
                Bind::I64(parent.id),
                Bind::I64(now),
            ]
        })
        .collect();
    let columns = [
        "issue_id",
        "organization_id",
        "project_id",
        "short_number",
        "target_id",
        "merged_at",
    ];
    insert_rows(conn, "issue_redirects", &columns, &redirects)?;
    for issue in children {
        note_move(conn, issue.project_id, issue.id, issue.id, MERGE, "", now)?;
    }
    Ok(())
}

/// Notes that rows are to be moved.
pub(super) fn note_move(
    conn: &mut Conn,
    project_id: i64,
    issue_id: i64,
    source_id: i64,
    kind: i32,
    state: &str,
    now: i64,
) -> Result<(), StoreError> {
    use crate::store::schema::issue_moves;
    // Batches of this project are done, as its partition is locked: their sums have smaller numbers.
    let last_tag_delta = dialect::current(conn, "tag_delta")?;
    diesel::insert_into(issue_moves::table)
        .values((
            issue_moves::issue_id.eq(issue_id),
            issue_moves::project_id.eq(project_id),
            issue_moves::source_id.eq(source_id),
            issue_moves::kind.eq(kind),
            issue_moves::phase.eq(0),
            issue_moves::after_id.eq(0),
            issue_moves::last_tag_delta.eq(last_tag_delta),
            issue_moves::state.eq(state),
            issue_moves::created_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// Writes what all are together into the row of the first. Its title, level and status stay as they are. Users are not
/// added here: who was seen in both counts once, which only their rows tell.
fn combine(conn: &mut Conn, all: &[Issue]) -> Result<(), StoreError> {
    let Some(parent) = all.first() else {
        return Ok(());
    };
    let mut by_first: Vec<&Issue> = all.iter().collect();
    by_first.sort_by_key(|issue| issue.first_seen);
    let mut by_last: Vec<&Issue> = all.iter().collect();
    by_last.sort_by_key(|issue| -issue.last_seen);
    let first_release = by_first
        .iter()
        .find_map(|issue| issue.first_release.clone());
    let last_release = by_last.iter().find_map(|issue| issue.last_release.clone());
    let regressed_release = by_last
        .iter()
        .find_map(|issue| issue.regressed_release.clone());
    let sum = |of: fn(&Issue) -> i64| all.iter().map(of).sum::<i64>();
    let sampled_at = all.iter().map(|issue| issue.sampled_at).max();
    diesel::update(issues::table.find(parent.id))
        .set((
            issues::first_seen.eq(by_first[0].first_seen),
            issues::last_seen.eq(by_last[0].last_seen),
            issues::first_release.eq(first_release),
            issues::last_release.eq(last_release),
            issues::regressed_release.eq(regressed_release),
            issues::times_seen.eq(sum(|issue| issue.times_seen)),
            issues::stored_events.eq(sum(|issue| issue.stored_events)),
            issues::stored_bytes.eq(sum(|issue| issue.stored_bytes)),
            issues::sampled_events.eq(sum(|issue| issue.sampled_events)),
            issues::sampled_at.eq(sampled_at.unwrap_or(0)),
        ))
        .execute(conn)?;
    for child in &all[1..] {
        issue_details::replace(conn, child.id, None)?;
    }
    let came = sum(|issue| issue.times_seen) - parent.times_seen;
    issue_details::shift(conn, parent.id, came, 0)
}
