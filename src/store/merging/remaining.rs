//! What stays with an issue that hashes were split off. In: the move, whose events are gone. Out: the users that other
//! events of the issue have, and when it was first and last seen without the events that went.

use std::collections::BTreeMap;

use diesel::prelude::*;

use super::facts::Facts;
use super::split_steps::{REMAINING, State, USERS, describe, go_on};
use super::{Move, Progress, finish, steps};
use crate::store::digest::{hold_project, lock_project};
use crate::store::schema::{events, issue_users, issues};
use crate::store::{Conn, StoreError, dictionaries, issue_details};

/// Users in one step, and events that are read in one.
const USERS_AT_ONCE: i64 = 500;
const READ_AT_ONCE: i64 = 250;

/// Takes the users of events that went off the old issue. Batches forget whom they know, so who comes again counts again.
pub(super) fn take_users_off(
    conn: &mut Conn,
    found: &Move,
    mut state: State,
) -> Result<Progress, StoreError> {
    lock_project(conn, found.project_id)?;
    let after = hex::decode(&state.after_user).unwrap_or_default();
    let gone: Vec<Vec<u8>> = issue_users::table
        .filter(issue_users::issue_id.eq(found.issue_id))
        .filter(issue_users::user_hash.gt(after))
        .order(issue_users::user_hash)
        .limit(USERS_AT_ONCE)
        .select(issue_users::user_hash)
        .load(conn)?;
    let Some(last) = gone.last() else {
        return go_on(conn, found, REMAINING, 0, &state);
    };
    state.after_user = hex::encode(last);
    let taken = diesel::delete(
        issue_users::table
            .filter(issue_users::issue_id.eq(found.source_id))
            .filter(issue_users::user_hash.eq_any(&gone))
            // Who was first seen since is the user of a new event.
            .filter(issue_users::first_seen.le(found.created_at)),
    )
    .execute(conn)?;
    diesel::update(issues::table.find(found.source_id))
        .set(issues::users_seen.eq(issues::users_seen - taken as i64))
        .execute(conn)?;
    issue_details::shift(conn, found.source_id, 0, -(taken as i64))?;
    go_on(conn, found, USERS, 0, &state)
}

/// Reads the events that stayed.
pub(super) fn read(
    conn: &mut Conn,
    found: &Move,
    mut state: State,
) -> Result<Progress, StoreError> {
    hold_project(conn, found.project_id)?;
    let rows: Vec<(i64, i64, Vec<u8>)> = events::table
        .filter(events::issue_id.eq(found.source_id))
        .filter(events::id.gt(found.after_id))
        .order(events::id)
        .limit(READ_AT_ONCE)
        .select((events::id, events::timestamp, events::data))
        .load(conn)?;
    let Some((after_id, ..)) = rows.last() else {
        settle(conn, found, &state)?;
        return finish(conn, found);
    };
    let after_id = *after_id;
    dictionaries::make_readable(conn, rows.iter().map(|(_, _, data)| data.as_slice()))?;
    let mut users = BTreeMap::<Vec<u8>, i64>::new();
    for (id, timestamp, data) in &rows {
        let facts = Facts::read(data).unwrap_or_default();
        if let Some(hash) = facts.user_hash() {
            let first = users.entry(hash).or_insert(*timestamp);
            *first = (*first).min(*timestamp);
        }
        if state.first_release.is_none() {
            state.first_release.clone_from(&facts.release);
        }
        if state.oldest.is_none_or(|oldest| *timestamp < oldest) {
            state.oldest = Some(*timestamp);
        }
        if state.newest.is_none_or(|(newest, _)| *timestamp >= newest) {
            state.newest = Some((*timestamp, *id));
        }
    }
    let users: Vec<(Vec<u8>, i64)> = users.into_iter().collect();
    steps::add_users(conn, found.source_id, &users)?;
    go_on(conn, found, REMAINING, after_id, &state)
}

/// Writes what the events that stayed say of their issue, where one that went had said it. Where none is kept, it stays
/// as it was.
fn settle(conn: &mut Conn, found: &Move, state: &State) -> Result<(), StoreError> {
    let issue = || issues::table.find(found.source_id);
    if let (true, Some(oldest)) = (state.moved_first(), state.oldest) {
        // Unless it was changed since: by an event that says it happened earlier.
        diesel::update(issue().filter(issues::first_seen.eq(state.first_seen)))
            .set((
                issues::first_seen.eq(oldest),
                issues::first_release.eq(&state.first_release),
            ))
            .execute(conn)?;
    }
    let (true, Some((timestamp, id))) = (state.moved_last(), state.newest) else {
        return Ok(());
    };
    let newest: Option<Vec<u8>> = events::table
        .find(id)
        .select(events::data)
        .first(conn)
        .optional()?;
    dictionaries::make_readable(conn, newest.as_deref())?;
    let turned_back = diesel::update(issue().filter(issues::last_seen.eq(state.last_seen)))
        .set(issues::last_seen.eq(timestamp))
        .execute(conn)?;
    if let (1, Some(facts)) = (turned_back, newest.and_then(|data| Facts::read(&data))) {
        describe(conn, found.source_id, timestamp, &facts)?;
    }
    Ok(())
}
