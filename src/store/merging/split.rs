//! The moment of a split. In: a scope, an issue and some of its hashes. Out: a new issue that they lead to from now on;
//! its events are on their way.

use std::collections::HashSet;

use diesel::prelude::*;
use serde_json::json;

use super::facts::Facts;
use super::join::{hold_rows, note_move};
use super::split_steps::{State, describe};
use super::{SPLIT, hashes, is_moving};
use crate::model::issue::{ACTIVITY_SPLIT_FROM, ACTIVITY_SPLIT_OFF, State as IssueState};
use crate::model::names;
use crate::store::dialect;
use crate::store::digest::lock_project;
use crate::store::events::EventRecord;
use crate::store::schema::{issue_hashes, issues, projects};
use crate::store::scope::OrgScope;
use crate::store::{Conn, StoreError, issue_records, issue_status};

/// What a split did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// The new issue; rows are to be moved to it.
    pub issue_id: i64,
    pub short_id: String,
}

/// Splits hashes off. Those that only come along with them go too; at least one that places events stays.
pub fn split(
    conn: &mut Conn,
    scope: &OrgScope,
    issue_name: &str,
    chosen: &[Vec<u8>],
    now: i64,
) -> Result<Split, StoreError> {
    let (issue, project) = issue_records::find(conn, scope, issue_name)?;
    lock_project(conn, project.id)?;
    // Unless it was merged away before the lock was had.
    issue_records::find(conn, scope, &issue.id.to_string())
        .ok()
        .filter(|(found, _)| found.id == issue.id)
        .ok_or_else(|| conflict("The issue was merged into another meanwhile"))?;
    if is_moving(conn, issue.id)? {
        return Err(conflict(
            "Events of this issue are still being moved; try again in a moment",
        ));
    }
    let (going, latest) = going(conn, scope, issue.id, chosen)?;
    hold_rows(conn, &[issue.id])?;

    diesel::update(projects::table.find(project.id))
        .set(projects::next_short_number.eq(projects::next_short_number + 1))
        .execute(conn)?;
    let next: i64 = projects::table
        .find(project.id)
        .select(projects::next_short_number)
        .first(conn)?;
    let (new_id, number) = (dialect::next_ids(conn, "issue", 1)?, next - 1);
    insert_like(conn, issue.id, new_id, number, now)?;
    if let Some(latest) = latest {
        // Until its events are there, it is called what the latest of them is.
        speak_for(conn, new_id, &latest)?;
    }
    diesel::update(
        issue_hashes::table
            .filter(issue_hashes::project_id.eq(project.id))
            .filter(issue_hashes::hash.eq_any(&going)),
    )
    .set(issue_hashes::issue_id.eq(new_id))
    .execute(conn)?;
    let texts: Vec<String> = going.iter().map(hex::encode).collect();
    let state = State::new(texts.clone(), issue.first_seen, issue.last_seen).to_text();
    note_move(conn, project.id, new_id, issue.id, SPLIT, &state, now)?;

    let short_id = |number| names::short_id(&project.short_prefix, number);
    let name = |id: i64, number: i64| json!({"id": id.to_string(), "shortId": short_id(number)});
    let off = json!({"fingerprints": texts, "destination": name(new_id, number)});
    let from = json!({"fingerprints": texts, "source": name(issue.id, issue.short_number)});
    for (id, kind, data) in [
        (issue.id, ACTIVITY_SPLIT_OFF, off),
        (new_id, ACTIVITY_SPLIT_FROM, from),
    ] {
        issue_status::add_activity(conn, id, kind, scope.user_id(), &data, now)?;
    }
    Ok(Split {
        issue_id: new_id,
        short_id: short_id(number),
    })
}

fn conflict(text: &str) -> StoreError {
    StoreError::Conflict(text.to_owned())
}

/// The hashes that go, if it makes sense, and the latest of their events.
fn going(
    conn: &mut Conn,
    scope: &OrgScope,
    issue_id: i64,
    chosen: &[Vec<u8>],
) -> Result<(Vec<Vec<u8>>, Option<EventRecord>), StoreError> {
    let invalid = |text: &str| Err(StoreError::Invalid(text.to_owned()));
    let rows = hashes::list(conn, scope, issue_id)?;
    let chosen: HashSet<&Vec<u8>> = chosen.iter().collect();
    if chosen.is_empty() {
        return invalid("Choose the fingerprints to split off");
    }
    let known = |hash: &Vec<u8>| {
        rows.iter()
            .any(|row| row.hash == *hash || row.along.contains(hash))
    };
    if let Some(foreign) = chosen.iter().find(|hash| !known(hash)) {
        return Err(StoreError::Invalid(format!(
            "{} is not a fingerprint of this issue",
            hex::encode(foreign)
        )));
    }
    let mut going = Vec::new();
    let mut latest = None::<EventRecord>;
    let mut staying = 0;
    for row in rows {
        let goes = chosen.contains(&row.hash);
        staying += usize::from(!goes);
        let along = row.along.into_iter();
        going.extend(along.filter(|hash| goes || chosen.contains(hash)));
        if goes {
            going.push(row.hash);
            let later = row.latest.filter(|event| {
                let known = latest.as_ref().map(|known| known.timestamp);
                known.is_none_or(|known| event.timestamp > known)
            });
            latest = later.or(latest);
        }
    }
    if staying == 0 {
        return invalid("At least one fingerprint has to stay with the issue");
    }
    going.sort_unstable();
    Ok((going, latest))
}

fn speak_for(conn: &mut Conn, issue_id: i64, event: &EventRecord) -> Result<(), StoreError> {
    diesel::update(issues::table.find(issue_id))
        .set(issues::first_seen.eq(event.timestamp))
        .execute(conn)?;
    match Facts::read(&event.data) {
        Some(facts) => describe(conn, issue_id, event.timestamp, &facts),
        None => Ok(()),
    }
}

/// A new issue that looks like another, without events: its time lies where any event of the other moves it to its own.
fn insert_like(
    conn: &mut Conn,
    like: i64,
    new_id: i64,
    short_number: i64,
    now: i64,
) -> Result<(), StoreError> {
    let state = IssueState::ONGOING;
    diesel::sql_query(format!(
        "INSERT INTO issues (id, organization_id, project_id, short_number, kind, level, platform, title, title_type, \
         title_value, culprit, location, logger, status, substatus, status_changed_at, first_seen, last_seen, times_seen, \
         users_seen, is_unhandled, regressions) \
         SELECT {new_id}, organization_id, project_id, {short_number}, kind, level, platform, title, title_type, \
         title_value, culprit, location, logger, {status}, {substatus}, {now}, last_seen, first_seen, 0, 0, \
         is_unhandled, 0 FROM issues WHERE id = ",
        status = state.status.code(),
        substatus = state.substatus.code(),
    ) + like.to_string().as_str())
    .execute(conn)?;
    Ok(())
}
