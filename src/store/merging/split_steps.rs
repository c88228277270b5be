//! Events of hashes that were split off go to their new issue, some at a time, with all that was counted of them. In: the
//! move. Out: rows with the new issue, less for the old one; and whether there are more.
//!
//! Counts of single hashes are kept nowhere, so each event's payload says what it was counted for. First go the events,
//! in the order of their rows. Whether a user stays with the old issue only its other events tell: so those who went are
//! taken off it, and then its events are read once, which puts back who is among them, see [`super::remaining`].

use std::collections::{BTreeMap, HashMap, HashSet};

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::facts::Facts;
use super::{Move, Progress, counters, finish, remaining, steps};
use crate::model::names::fit;
use crate::store::dialect;
use crate::store::digest::{Cache, dimensions::NO_ENVIRONMENT, hold_project, tag_moves};
use crate::store::schema::{environments, events, issue_moves, issues};
use crate::store::{Conn, StoreError, dictionaries, issue_details};

/// Rows that one step looks at, and events that it moves: some ten milliseconds of the writer's time.
const LOOKED_AT: i64 = 2_000;
const MOVED: usize = 150;

const EVENTS: i32 = 0;
pub(super) const USERS: i32 = 1;
pub(super) const REMAINING: i32 = 2;

/// What a split has to remember between its steps.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct State {
    /// The hashes that go, as hex digits.
    hashes: Vec<String>,
    /// When the old issue was first and last seen as it was split.
    pub first_seen: i64,
    pub last_seen: i64,
    /// Of the events that went: how many, and when the first and last of them happened.
    moved: i64,
    first_moved: i64,
    last_moved: i64,
    /// The new issue has its first release.
    has_release: bool,
    /// The last user that was taken off the old issue, as hex digits.
    pub after_user: String,
    /// Of the events that stayed.
    pub oldest: Option<i64>,
    /// When, and its row.
    pub newest: Option<(i64, i64)>,
    pub first_release: Option<String>,
}

impl State {
    pub fn new(hashes: Vec<String>, first_seen: i64, last_seen: i64) -> Self {
        Self {
            hashes,
            first_seen,
            last_seen,
            ..Self::default()
        }
    }

    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("plain fields")
    }

    /// Whether the old issue's first or last event may have gone.
    pub fn moved_first(&self) -> bool {
        self.moved > 0 && self.first_moved <= self.first_seen
    }

    pub fn moved_last(&self) -> bool {
        self.moved > 0 && self.last_moved >= self.last_seen
    }
}

pub(super) fn step(conn: &mut Conn, cache: &Cache, found: &Move) -> Result<Progress, StoreError> {
    let state: State = serde_json::from_str(&found.state)
        .map_err(|error| StoreError::Damaged(format!("the state of a split: {error}")))?;
    match found.phase {
        EVENTS => move_events(conn, cache, found, state),
        USERS => remaining::take_users_off(conn, found, state),
        REMAINING => remaining::read(conn, found, state),
        _ => finish(conn, found),
    }
}

/// Notes how far a split is.
pub(super) fn go_on(
    conn: &mut Conn,
    found: &Move,
    phase: i32,
    after_id: i64,
    state: &State,
) -> Result<Progress, StoreError> {
    diesel::update(issue_moves::table.find(found.issue_id))
        .set((
            issue_moves::phase.eq(phase),
            issue_moves::after_id.eq(after_id),
            issue_moves::state.eq(state.to_text()),
        ))
        .execute(conn)?;
    Ok(Progress::More)
}

/// An event that goes.
struct Going {
    id: i64,
    timestamp: i64,
    bytes: i64,
    facts: Facts,
}

fn move_events(
    conn: &mut Conn,
    cache: &Cache,
    found: &Move,
    mut state: State,
) -> Result<Progress, StoreError> {
    hold_project(conn, found.project_id)?;
    let rows: Vec<(i64, Option<Vec<u8>>)> = events::table
        .filter(events::issue_id.eq(found.source_id))
        .filter(events::id.gt(found.after_id))
        .order(events::id)
        .limit(LOOKED_AT)
        .select((events::id, events::hash))
        .load(conn)?;
    if rows.is_empty() {
        settle_times(conn, found.issue_id)?;
        let next = if state.moved > 0 {
            USERS
        } else {
            REMAINING + 1
        };
        return go_on(conn, found, next, 0, &state);
    }
    let hashes: HashSet<Vec<u8>> = state
        .hashes
        .iter()
        .filter_map(|hash| hex::decode(hash).ok())
        .collect();
    let mut wanted = Vec::new();
    let mut after_id = found.after_id;
    for (id, hash) in &rows {
        // Rows of earlier releases have no hash; their payload does.
        if hash.as_ref().is_none_or(|hash| hashes.contains(hash)) {
            if wanted.len() == MOVED {
                break;
            }
            wanted.push(*id);
        }
        after_id = *id;
    }
    let going = read(conn, found.source_id, &wanted, &hashes)?;
    move_rows(conn, cache, found, &going, &mut state)?;
    go_on(conn, found, EVENTS, after_id, &state)
}

type Row = (i64, i64, Vec<u8>, Option<Vec<u8>>);

/// The events among rows that are of the hashes. Retention may have deleted some meanwhile.
fn read(
    conn: &mut Conn,
    source_id: i64,
    ids: &[i64],
    hashes: &HashSet<Vec<u8>>,
) -> Result<Vec<Going>, StoreError> {
    let sizes: HashMap<i64, i64> = dialect::lock_events(conn, ids)?
        .into_iter()
        .filter(|row| row.issue_id == source_id)
        .map(|row| (row.id, row.bytes))
        .collect();
    let rows: Vec<Row> = events::table
        .filter(events::id.eq_any(ids))
        .order(events::id)
        .select((events::id, events::timestamp, events::data, events::hash))
        .load(conn)?;
    dictionaries::make_readable(conn, rows.iter().map(|(_, _, data, _)| data.as_slice()))?;
    let going = rows.into_iter().filter_map(|(id, timestamp, data, hash)| {
        let bytes = *sizes.get(&id)?;
        // A damaged payload says nothing; its row goes all the same where that knows its hash.
        let facts = Facts::read(&data).unwrap_or_default();
        let hash = hash.or_else(|| facts.hashes().into_iter().next());
        hash.is_some_and(|hash| hashes.contains(&hash))
            .then_some(Going {
                id,
                timestamp,
                bytes,
                facts,
            })
    });
    Ok(going.collect())
}

fn move_rows(
    conn: &mut Conn,
    cache: &Cache,
    found: &Move,
    going: &[Going],
    state: &mut State,
) -> Result<(), StoreError> {
    if going.is_empty() {
        return Ok(());
    }
    let (from, to) = (found.source_id, found.issue_id);
    let ids: Vec<i64> = going.iter().map(|event| event.id).collect();
    diesel::update(events::table.filter(events::id.eq_any(ids)))
        .set(events::issue_id.eq(to))
        .execute(conn)?;
    let times = going.iter().map(|event| event.timestamp);
    let (first, last) = (times.clone().min(), times.max());
    let (first, last) = (first.unwrap_or_default(), last.unwrap_or_default());
    if state.moved == 0 {
        (state.first_moved, state.last_moved) = (first, last);
    }
    state.first_moved = state.first_moved.min(first);
    state.last_moved = state.last_moved.max(last);
    state.moved += going.len() as i64;
    move_sums(conn, found, going)?;
    tell_of_newest(conn, to, going, first)?;
    let release = going
        .iter()
        .find_map(|event| event.facts.release.as_deref());
    if let Some(release) = release.filter(|_| !state.has_release) {
        diesel::update(issues::table.find(to))
            .set(issues::first_release.eq(release))
            .execute(conn)?;
        state.has_release = true;
    }
    move_users(conn, to, going)?;
    let counted = counted(conn, found.project_id, going)?;
    counters::shift(conn, from, to, &counted)?;
    let tags: Vec<tag_moves::Tagged<'_>> = going
        .iter()
        .flat_map(|event| {
            let tags = event.facts.tags.iter();
            tags.map(|(key, value)| (key.as_str(), value.as_str(), event.timestamp))
        })
        .collect();
    tag_moves::shift(conn, cache, from, to, &tags)
}

/// Events seen and kept. Relative, as retention takes off at any time.
fn move_sums(conn: &mut Conn, found: &Move, going: &[Going]) -> Result<(), StoreError> {
    let seen = going.len() as i64;
    let bytes: i64 = going.iter().map(|event| event.bytes).sum();
    let mut sides = [(found.source_id, -1), (found.issue_id, 1)];
    sides.sort_unstable();
    for (issue_id, sign) in sides {
        diesel::update(issues::table.find(issue_id))
            .set((
                issues::times_seen.eq(issues::times_seen + sign * seen),
                issues::stored_events.eq(issues::stored_events + sign * seen),
                issues::stored_bytes.eq(issues::stored_bytes + sign * bytes),
            ))
            .execute(conn)?;
        issue_details::shift(conn, issue_id, sign * seen, 0)?;
    }
    Ok(())
}

/// The newest event speaks for its issue, as it does in the digest.
fn tell_of_newest(
    conn: &mut Conn,
    issue_id: i64,
    going: &[Going],
    first: i64,
) -> Result<(), StoreError> {
    let Some(newest) = going.iter().max_by_key(|event| event.timestamp) else {
        return Ok(());
    };
    diesel::update(
        issues::table
            .find(issue_id)
            .filter(issues::first_seen.gt(first)),
    )
    .set(issues::first_seen.eq(first))
    .execute(conn)?;
    describe(conn, issue_id, newest.timestamp, &newest.facts)
}

/// Lets an event speak for its issue, unless that knows of a later one.
pub(super) fn describe(
    conn: &mut Conn,
    issue_id: i64,
    timestamp: i64,
    facts: &Facts,
) -> Result<(), StoreError> {
    let behind = issues::table
        .find(issue_id)
        .filter(issues::last_seen.le(timestamp));
    if facts.title.is_empty() {
        diesel::update(behind)
            .set(issues::last_seen.eq(timestamp))
            .execute(conn)?;
        return Ok(());
    }
    let (kind, value) = facts.title_parts();
    diesel::update(behind)
        .set((
            issues::last_seen.eq(timestamp),
            issues::kind.eq(&facts.kind),
            issues::level.eq(facts.level().as_i32()),
            issues::platform.eq(fit(&facts.platform, 64)),
            issues::title.eq(fit(&facts.title, 500)),
            issues::title_type.eq(fit(kind, 290)),
            issues::title_value.eq(fit(value, 290)),
            issues::culprit.eq(fit(&facts.culprit, 250)),
            issues::location.eq(fit(&facts.location, 290)),
            issues::logger.eq(facts.logger.as_deref().map(|logger| fit(logger, 64))),
            issues::last_release.eq(facts.release.as_deref()),
            issues::is_unhandled.eq(facts.is_unhandled()),
        ))
        .execute(conn)?;
    Ok(())
}

fn move_users(conn: &mut Conn, to: i64, going: &[Going]) -> Result<(), StoreError> {
    let mut users = BTreeMap::<Vec<u8>, i64>::new();
    for event in going {
        if let Some(hash) = event.facts.user_hash() {
            let first = users.entry(hash).or_insert(event.timestamp);
            *first = (*first).min(event.timestamp);
        }
    }
    let users: Vec<(Vec<u8>, i64)> = users.into_iter().collect();
    steps::add_users(conn, to, &users)
}

/// Time and environment of each event, as counters are kept.
fn counted(
    conn: &mut Conn,
    project_id: i64,
    going: &[Going],
) -> Result<Vec<(i64, i64)>, StoreError> {
    let named: HashSet<&str> = going
        .iter()
        .filter_map(|event| event.facts.environment.as_deref())
        .collect();
    let numbers: Vec<(String, i64)> = environments::table
        .filter(environments::project_id.eq(project_id))
        .filter(environments::name.eq_any(named.into_iter().collect::<Vec<_>>()))
        .select((environments::name, environments::id))
        .load(conn)?;
    let numbers: HashMap<String, i64> = numbers.into_iter().collect();
    let of = |event: &Going| {
        let name = event.facts.environment.as_ref();
        let number = name.and_then(|name| numbers.get(name));
        (event.timestamp, number.copied().unwrap_or(NO_ENVIRONMENT))
    };
    Ok(going.iter().map(of).collect())
}

/// An issue that got no event has the times of the one it came from, the wrong way round.
fn settle_times(conn: &mut Conn, issue_id: i64) -> Result<(), StoreError> {
    diesel::update(
        issues::table
            .find(issue_id)
            .filter(issues::last_seen.lt(issues::first_seen)),
    )
    .set(issues::last_seen.eq(issues::first_seen))
    .execute(conn)?;
    Ok(())
}
