//! Deleting what has been kept long enough. In: a cutoff in milliseconds. Out: how many rows went, in bounded steps.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;

use diesel::dsl::max;
use diesel::prelude::*;

use super::digest::events::first_row_id_at;
use super::schema::{
    dead_records, events, feedback, issue_days, issue_hours, issues, project_hours, projects,
    session_hours, session_states, session_users, tasks, usage_hours,
};
use super::{Conn, StoreError, attachments, dialect, merging::redirect, now_ms};
use crate::model::thinning::Kept;

/// Events in one step: some tens of milliseconds of the writer's time.
pub const EVENTS_PER_STEP: i64 = 500;
const HOUR_MS: i64 = 60 * 60 * 1000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Deletes the oldest events of before the cutoff, one step of them; 0 when none is left.
/// Row ids are in the order of time, so the step is the beginning of the primary key.
pub fn delete_events(conn: &mut Conn, cutoff_ms: i64) -> Result<usize, StoreError> {
    let before = first_row_id_at(cutoff_ms);
    let ids: Vec<i64> = events::table
        .filter(events::id.lt(before))
        .order(events::id)
        .select(events::id)
        .limit(EVENTS_PER_STEP)
        .load(conn)?;
    Ok(delete_rows(conn, &ids)?.events as usize)
}

/// Deletes event rows, and takes them off what their issues keep, in one transaction with the caller. Counts of what
/// was seen stay. Rows that are gone already are not counted.
pub fn delete_rows(conn: &mut Conn, ids: &[i64]) -> Result<Kept, StoreError> {
    let mut deleted = Kept::default();
    let mut issues = BTreeMap::<i64, Kept>::new();
    let mut present = Vec::with_capacity(ids.len());
    let mut without_event = BTreeMap::<i64, Vec<Vec<u8>>>::new();
    for row in dialect::lock_events(conn, ids)? {
        present.push(row.id);
        for kept in [&mut deleted, issues.entry(row.issue_id).or_default()] {
            kept.events += 1;
            kept.bytes += row.bytes;
        }
        without_event
            .entry(row.project_id)
            .or_default()
            .push(row.event_id);
    }
    if present.is_empty() {
        return Ok(deleted);
    }
    diesel::delete(events::table.filter(events::id.eq_any(present))).execute(conn)?;
    attachments::go_with(conn, &without_event)?;
    if take_off(conn, &issues)? < issues.len() {
        take_off_merged(conn, issues)?;
    }
    Ok(deleted)
}

/// Some events were still on their way to the issue that theirs was merged into, whose sums have them already. Asked for
/// only after their own row was found missing: until then a merge may come in between.
fn take_off_merged(conn: &mut Conn, issues: BTreeMap<i64, Kept>) -> Result<(), StoreError> {
    let ids: Vec<i64> = issues.keys().copied().collect();
    let targets = redirect::targets(conn, &ids)?;
    for (id, kept) in issues {
        let Some(mut target) = targets.get(&id).copied() else {
            continue;
        };
        while take_off(conn, &BTreeMap::from([(target, kept)]))? == 0 {
            match redirect::current(conn, target)? {
                same if same == target => break,
                next => target = next,
            }
        }
    }
    Ok(())
}

/// Issues in one statement.
const ISSUES_PER_STATEMENT: usize = 200;

/// Says how many of the issues there are.
fn take_off(conn: &mut Conn, issues: &BTreeMap<i64, Kept>) -> Result<usize, StoreError> {
    let mut found = 0;
    let issues: Vec<(&i64, &Kept)> = issues.iter().collect();
    for chunk in issues.chunks(ISSUES_PER_STATEMENT) {
        // Numbers only, so that the text can carry them.
        let (mut events, mut bytes, mut ids) = (String::new(), String::new(), String::new());
        for (id, kept) in chunk {
            let comma = if ids.is_empty() { "" } else { "," };
            write!(ids, "{comma}{id}").expect("writing to a string");
            write!(events, " WHEN {id} THEN {}", kept.events).expect("writing to a string");
            write!(bytes, " WHEN {id} THEN {}", kept.bytes).expect("writing to a string");
        }
        found += diesel::sql_query(format!(
            "UPDATE issues SET stored_events = stored_events - CASE id{events} ELSE 0 END, \
             stored_bytes = stored_bytes - CASE id{bytes} ELSE 0 END WHERE id IN ({ids})"
        ))
        .execute(conn)?;
    }
    Ok(found)
}

/// Deletes dead letters of before the cutoff: they hold what SDKs sent, like the events they are not.
pub fn delete_dead(conn: &mut Conn, cutoff_ms: i64) -> Result<usize, StoreError> {
    let records =
        diesel::delete(dead_records::table.filter(dead_records::created_at.lt(cutoff_ms)))
            .execute(conn)?;
    let old_tasks = tasks::table
        .filter(tasks::state.eq(super::tasks::DEAD))
        .filter(tasks::created_at.lt(cutoff_ms));
    Ok(records + diesel::delete(old_tasks).execute(conn)?)
}

/// The highest issue and project numbers.
pub fn last_ids(conn: &mut Conn) -> Result<(i64, i64), StoreError> {
    let issue: Option<i64> = issues::table.select(max(issues::id)).first(conn)?;
    let project: Option<i64> = projects::table.select(max(projects::id)).first(conn)?;
    Ok((issue.unwrap_or(0), project.unwrap_or(0)))
}

/// Deletes counters of the given issues of before the cutoff.
pub fn delete_issue_counters(
    conn: &mut Conn,
    ids: Range<i64>,
    cutoff_ms: i64,
) -> Result<usize, StoreError> {
    let hours = issue_hours::table
        .filter(issue_hours::issue_id.ge(ids.start))
        .filter(issue_hours::issue_id.lt(ids.end))
        .filter(issue_hours::hour.lt(cutoff_ms / HOUR_MS));
    let days = issue_days::table
        .filter(issue_days::issue_id.ge(ids.start))
        .filter(issue_days::issue_id.lt(ids.end))
        .filter(issue_days::day.lt(cutoff_ms / DAY_MS));
    Ok(diesel::delete(hours).execute(conn)? + diesel::delete(days).execute(conn)?)
}

/// Deletes counters of the given projects: of events, and of what became of all that was sent.
pub fn delete_project_counters(
    conn: &mut Conn,
    ids: Range<i64>,
    cutoff_ms: i64,
    usage_cutoff_ms: i64,
) -> Result<usize, StoreError> {
    let hours = project_hours::table
        .filter(project_hours::project_id.ge(ids.start))
        .filter(project_hours::project_id.lt(ids.end))
        .filter(project_hours::hour.lt(cutoff_ms / HOUR_MS));
    let usage = usage_hours::table
        .filter(usage_hours::project_id.ge(ids.start))
        .filter(usage_hours::project_id.lt(ids.end))
        .filter(usage_hours::hour.lt(usage_cutoff_ms / HOUR_MS));
    // As long as sessions may still change, their sums stay.
    let session_cutoff_ms = cutoff_ms.min(now_ms() - SESSION_DAYS * DAY_MS);
    let sessions = session_hours::table
        .filter(session_hours::project_id.ge(ids.start))
        .filter(session_hours::project_id.lt(ids.end))
        .filter(session_hours::hour.lt(session_cutoff_ms / HOUR_MS));
    let session_days = session_users::table
        .filter(session_users::project_id.ge(ids.start))
        .filter(session_users::project_id.lt(ids.end))
        .filter(session_users::day.lt(session_cutoff_ms / DAY_MS));
    Ok(diesel::delete(hours).execute(conn)?
        + diesel::delete(usage).execute(conn)?
        + diesel::delete(sessions).execute(conn)?
        + diesel::delete(session_days).execute(conn)?)
}

/// Sums of sessions are kept for at least so long: see [`crate::process::session::OLDEST_MS`].
const SESSION_DAYS: i64 = 7;
/// Sessions whose state goes in one step.
const STATES_PER_STEP: i64 = 2_000;

/// Forgets sessions that nothing was told of since; 0 when none is left.
pub fn delete_session_states(conn: &mut Conn, before_ms: i64) -> Result<usize, StoreError> {
    let old: Vec<(i64, Vec<u8>)> = session_states::table
        .filter(session_states::updated_at.lt(before_ms))
        .select((session_states::project_id, session_states::sid))
        .limit(STATES_PER_STEP)
        .load(conn)?;
    let mut by_project = BTreeMap::<i64, Vec<Vec<u8>>>::new();
    for (project_id, sid) in old {
        by_project.entry(project_id).or_default().push(sid);
    }
    let mut deleted = 0;
    for (project_id, sids) in by_project {
        // What was told of again in between stays.
        let rows = session_states::table
            .filter(session_states::project_id.eq(project_id))
            .filter(session_states::sid.eq_any(sids))
            .filter(session_states::updated_at.lt(before_ms));
        deleted += diesel::delete(rows).execute(conn)?;
    }
    Ok(deleted)
}

/// Messages that go in one step.
const FEEDBACK_PER_STEP: i64 = 500;

/// Deletes feedback of before the cutoff, one step of it; 0 when none is left.
pub fn delete_feedback(conn: &mut Conn, cutoff_ms: i64) -> Result<usize, StoreError> {
    let ids: Vec<i64> = feedback::table
        .filter(feedback::created_at.lt(cutoff_ms))
        .order(feedback::created_at)
        .select(feedback::id)
        .limit(FEEDBACK_PER_STEP)
        .load(conn)?;
    Ok(diesel::delete(feedback::table.filter(feedback::id.eq_any(ids))).execute(conn)?)
}
