//! Which issue each event belongs to. In: events with their grouping hashes. Out: events with an issue; new issues where
//! no hash is known, as many as a project may have in a minute; reopened ones.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use diesel::prelude::*;

use super::NewEvent;
use super::allowance::Allowance;
use super::cache::{Known, Project};
use super::changes::IssueChangeKind;
use super::flood::Flood;
use super::hashes::{self, OVERFLOW};
use super::reopen;
use crate::model::issue::State;
use crate::store::dialect;
use crate::store::issue_details::Details;
use crate::store::schema::{issues, projects};
use crate::store::{Conn, StoreError};

/// An event and where it belongs.
pub(in crate::store) struct Placed<'a> {
    pub new: NewEvent<'a>,
    pub issue_id: i64,
    /// The hash that leads later events of its kind to this issue.
    pub hash: [u8; 16],
    pub environment_id: i64,
    /// Set on the event that made or reopened its issue.
    pub change: Option<IssueChangeKind>,
    pub short_number: i64,
    pub regressions: i32,
    /// It is in the issue of those that are too many.
    pub overflow: bool,
    /// Its payload is kept; its counts are in any case.
    pub kept: bool,
}

/// The events with their issues, and what is needed to bring these up to date.
pub(super) struct Placement<'a> {
    pub events: Vec<Placed<'a>>,
    /// By project.
    pub organizations: HashMap<i64, i64>,
    /// By issue, as the batch found it.
    pub floods: HashMap<i64, Flood>,
    /// By issue, for those that there were before.
    pub states: HashMap<i64, IssueState>,
    /// What ends the ignoring of issues that are ignored until a condition is met.
    pub watched: HashMap<i64, Details>,
}

/// Finds or makes the issue of every event.
pub(super) fn place<'a>(
    conn: &mut Conn,
    known: &mut Known<'_>,
    events: Vec<NewEvent<'a>>,
    new_issue_limit: i64,
) -> Result<Placement<'a>, StoreError> {
    hashes::read(conn, known, &events)?;
    let organizations = organizations(conn, known, &events)?;
    let older = hashes::older(conn, known, &events)?;
    let mut allowance = Allowance::new(new_issue_limit);
    let mut first_of_new = BTreeMap::<i64, Vec<usize>>::new();
    let mut issue_of = vec![0i64; events.len()];
    let mut overflowing = vec![false; events.len()];
    // Negative numbers stand for issues that do not exist yet, so that hashes of this batch find them too.
    let mut provisional = 0i64;
    let mut new_hashes = BTreeMap::<(i64, [u8; 16]), i64>::new();
    for (at, new) in events.iter().enumerate() {
        let project_id = new.item.project_id;
        let memory = known.of(project_id);
        let mut lookup = |hash: &[u8; 16]| {
            let key = (project_id, *hash);
            memory
                .hashes
                .get(&key)
                .or_else(|| new_hashes.get(&key))
                .copied()
        };
        // Before a new issue: the one of an earlier version of grouping, which learns the hash of today.
        let earlier = older.get(&at).map_or(&[][..], Vec::as_slice);
        let mut found = new.event.hashes.iter().chain(earlier).find_map(&mut lookup);
        let mut hashes = new.event.hashes.as_slice();
        if found.is_none() && !allowance.take(conn, project_id, new.item.received_ms)? {
            found = lookup(&OVERFLOW);
            hashes = &[OVERFLOW];
        }
        overflowing[at] = hashes == [OVERFLOW] || (found.is_some() && found == lookup(&OVERFLOW));
        let issue_id = found.unwrap_or_else(|| {
            provisional -= 1;
            first_of_new.entry(project_id).or_default().push(at);
            provisional
        });
        issue_of[at] = issue_id;
        let unknown: Vec<_> = hashes
            .iter()
            .filter(|hash| lookup(hash).is_none())
            .map(|hash| ((project_id, *hash), issue_id))
            .collect();
        new_hashes.extend(unknown);
    }

    let made = make_issues(conn, &first_of_new, &issue_of, &allowance)?;
    let real = |issue_id: i64| made.get(&issue_id).map_or(issue_id, |made| made.id);
    let states = states(conn, issue_of.iter().copied().filter(|id| *id > 0))?;
    let environments = super::dimensions::environment_ids(conn, known, &events)?;

    let mut placed = Vec::with_capacity(events.len());
    let mut touched = BTreeSet::new();
    for (at, new) in events.into_iter().enumerate() {
        let issue_id = real(issue_of[at]);
        let first_here = touched.insert(issue_id);
        let (short_number, regressions, change) =
            match (made.get(&issue_of[at]), states.get(&issue_id)) {
                (Some(made), _) => (
                    made.short_number,
                    0,
                    first_here.then_some(IssueChangeKind::New),
                ),
                (None, Some(state)) => (state.short_number, state.regressions, None),
                (None, None) => return Err(StoreError::NotFound),
            };
        let hash = if overflowing[at] {
            OVERFLOW
        } else {
            // Known by now, and asked for first: whatever issue has this hash gets the next event like this one.
            new.event.hashes.first().copied().unwrap_or_default()
        };
        placed.push(Placed {
            new,
            issue_id,
            hash,
            environment_id: environments[at],
            change,
            short_number,
            regressions,
            overflow: overflowing[at],
            kept: true,
        });
    }
    let watched = reopen::resolved(conn, &mut placed, &states)?;
    hashes::write(conn, known, new_hashes, &real)?;
    let floods = states
        .iter()
        .map(|(id, state)| (*id, state.flood))
        .collect();
    Ok(Placement {
        events: placed,
        organizations,
        floods,
        states,
        watched,
    })
}

fn organizations(
    conn: &mut Conn,
    known: &mut Known<'_>,
    events: &[NewEvent<'_>],
) -> Result<HashMap<i64, i64>, StoreError> {
    let mut found = HashMap::new();
    let mut unknown = BTreeSet::new();
    for new in events {
        let project_id = new.item.project_id;
        match known.of(project_id).projects.get(&project_id) {
            Some(project) => {
                found.insert(project_id, project.organization_id);
            }
            None => {
                unknown.insert(project_id);
            }
        }
    }
    if !unknown.is_empty() {
        let rows: Vec<(i64, i64, i32)> = projects::table
            .filter(projects::id.eq_any(unknown))
            .select((
                projects::id,
                projects::organization_id,
                projects::grouping_version,
            ))
            .load(conn)?;
        for (project_id, organization_id, grouping) in rows {
            let facts = Project {
                organization_id,
                grouping,
            };
            known.of(project_id).projects.insert(project_id, facts);
            found.insert(project_id, organization_id);
        }
    }
    Ok(found)
}

struct Made {
    id: i64,
    short_number: i64,
}

/// Numbers for the new issues of a batch, by provisional number.
fn make_issues(
    conn: &mut Conn,
    first_of_new: &BTreeMap<i64, Vec<usize>>,
    issue_of: &[i64],
    allowance: &Allowance,
) -> Result<HashMap<i64, Made>, StoreError> {
    let mut made = HashMap::new();
    for (project_id, firsts) in first_of_new {
        let count = firsts.len() as i64;
        let (minute, in_minute) = allowance.of(*project_id);
        diesel::update(projects::table.find(project_id))
            .set((
                projects::next_short_number.eq(projects::next_short_number + count),
                projects::issue_minute.eq(minute),
                projects::issue_minute_count.eq(in_minute),
            ))
            .execute(conn)?;
        let next: Option<i64> = projects::table
            .find(project_id)
            .select(projects::next_short_number)
            .first(conn)
            .optional()?;
        let first_number = next.ok_or(StoreError::NotFound)? - count;
        for (offset, at) in firsts.iter().enumerate() {
            made.insert(
                issue_of[*at],
                Made {
                    id: 0,
                    short_number: first_number + offset as i64,
                },
            );
        }
    }
    if !made.is_empty() {
        // The last lock of a transaction but for that of tags: it is common to all projects.
        let first_id = dialect::next_ids(conn, "issue", made.len() as i64)?;
        let mut keys: Vec<i64> = made.keys().copied().collect();
        keys.sort_unstable_by(|left, right| right.cmp(left));
        for (offset, key) in keys.into_iter().enumerate() {
            if let Some(made) = made.get_mut(&key) {
                made.id = first_id + offset as i64;
            }
        }
    }
    Ok(made)
}

/// An issue as the batch found it.
pub(super) struct IssueState {
    pub state: State,
    pub status_changed_at: i64,
    pub resolved_at: Option<i64>,
    pub regressions: i32,
    pub short_number: i64,
    pub times_seen: i64,
    pub users_seen: i64,
    pub flood: Flood,
}

fn states(
    conn: &mut Conn,
    ids: impl Iterator<Item = i64>,
) -> Result<HashMap<i64, IssueState>, StoreError> {
    type Row = (
        i64,
        i32,
        i32,
        i64,
        Option<i64>,
        i32,
        i64,
        i64,
        i64,
        i64,
        i64,
    );
    let ids: BTreeSet<i64> = ids.collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<Row> = issues::table
        .filter(issues::id.eq_any(ids))
        .select((
            issues::id,
            issues::status,
            issues::substatus,
            issues::status_changed_at,
            issues::resolved_at,
            issues::regressions,
            issues::short_number,
            issues::times_seen,
            issues::users_seen,
            issues::flood_minute,
            issues::flood_events,
        ))
        .load(conn)?;
    let states = rows.into_iter().map(|row| {
        let (id, status, substatus, status_changed_at, resolved_at, regressions, ..) = row;
        let (.., short_number, times_seen, users_seen, minute, events) = row;
        let state = IssueState {
            state: State::from_codes(status, substatus),
            status_changed_at,
            resolved_at,
            regressions,
            short_number,
            times_seen,
            users_seen,
            flood: Flood { minute, events },
        };
        (id, state)
    });
    Ok(states.collect())
}
