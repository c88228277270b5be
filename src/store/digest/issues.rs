//! Which issue each event belongs to. In: events with their grouping hashes. Out: events with an issue, new issues
//! where no hash is known, and what changed for people: new and regressed issues.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use diesel::prelude::*;

use super::NewEvent;
use crate::model::issue::{ACTIVITY_FIRST_SEEN, ACTIVITY_REGRESSION, State, Status};
use crate::model::names;
use crate::store::dialect::{self, Bind, Change, Upsert, insert_missing, insert_rows, upsert_rows};
use crate::store::schema::{issue_hashes, issues, projects};
use crate::store::{Conn, StoreError, now_ms};

/// An event and where it belongs.
pub(in crate::store) struct Placed<'a> {
    pub new: NewEvent<'a>,
    pub issue_id: i64,
    pub environment_id: i64,
    /// Set on the event that made or reopened its issue.
    pub change: Option<IssueChangeKind>,
    short_number: i64,
    regressions: i32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IssueChangeKind {
    New,
    Regressed,
}

/// Something that people want to hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueChange {
    pub kind: IssueChangeKind,
    pub project_id: i64,
    pub issue_id: i64,
    /// How often the issue has come back so far; names a regression for good.
    pub regressions: i32,
    pub event_id: String,
    pub release: Option<String>,
    pub received_ms: i64,
}

/// Finds or makes the issue of every event, and brings the issues up to date.
pub(super) fn place<'a>(
    conn: &mut Conn,
    events: &[NewEvent<'a>],
) -> Result<Vec<Placed<'a>>, StoreError> {
    let mut known = known_hashes(conn, events)?;
    let mut first_of_new = BTreeMap::<i64, Vec<usize>>::new();
    let mut issue_of = vec![0i64; events.len()];
    // Negative numbers stand for issues that do not exist yet, so that hashes of this batch find them too.
    let mut provisional = 0i64;
    let mut new_hashes = BTreeMap::<(i64, [u8; 16]), i64>::new();
    for (at, new) in events.iter().enumerate() {
        let project_id = new.item.project_id;
        let found = new
            .event
            .hashes
            .iter()
            .find_map(|hash| known.get(&(project_id, *hash)).copied());
        let issue_id = found.unwrap_or_else(|| {
            provisional -= 1;
            first_of_new.entry(project_id).or_default().push(at);
            provisional
        });
        issue_of[at] = issue_id;
        for hash in &new.event.hashes {
            known.entry((project_id, *hash)).or_insert_with(|| {
                new_hashes.insert((project_id, *hash), issue_id);
                issue_id
            });
        }
    }

    let NewIssues {
        made,
        organizations,
    } = make_issues(conn, events, &first_of_new, &issue_of)?;
    let real = |issue_id: i64| made.get(&issue_id).map_or(issue_id, |made| made.id);
    let states = states(conn, issue_of.iter().copied().filter(|id| *id > 0))?;
    let environments = super::dimensions::environment_ids(conn, events)?;

    let mut placed = Vec::with_capacity(events.len());
    let mut touched = BTreeSet::new();
    for (at, new) in events.iter().enumerate() {
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
        placed.push(Placed {
            new: NewEvent {
                item: new.item,
                event: new.event,
            },
            issue_id,
            environment_id: environments[at],
            change,
            short_number,
            regressions,
        });
    }
    mark_regressions(conn, &mut placed, &states)?;
    bring_up_to_date(conn, &placed, &organizations)?;
    let rows: Vec<Vec<Bind>> = new_hashes
        .into_iter()
        .map(|((project_id, hash), issue_id)| {
            vec![
                Bind::I64(project_id),
                Bind::Bytes(hash.to_vec()),
                Bind::I64(real(issue_id)),
            ]
        })
        .collect();
    insert_missing(
        conn,
        "issue_hashes",
        &["project_id", "hash", "issue_id"],
        &rows,
    )?;
    Ok(placed)
}

fn known_hashes(
    conn: &mut Conn,
    events: &[NewEvent<'_>],
) -> Result<HashMap<(i64, [u8; 16]), i64>, StoreError> {
    let mut wanted = BTreeMap::<i64, BTreeSet<[u8; 16]>>::new();
    for new in events {
        wanted
            .entry(new.item.project_id)
            .or_default()
            .extend(&new.event.hashes);
    }
    let mut known = HashMap::new();
    for (project_id, hashes) in wanted {
        let hashes: Vec<Vec<u8>> = hashes.iter().map(|hash| hash.to_vec()).collect();
        let rows: Vec<(Vec<u8>, i64)> = issue_hashes::table
            .filter(issue_hashes::project_id.eq(project_id))
            .filter(issue_hashes::hash.eq_any(hashes))
            .select((issue_hashes::hash, issue_hashes::issue_id))
            .load(conn)?;
        for (hash, issue_id) in rows {
            if let Ok(hash) = <[u8; 16]>::try_from(hash) {
                known.insert((project_id, hash), issue_id);
            }
        }
    }
    Ok(known)
}

struct NewIssues {
    /// By provisional number.
    made: HashMap<i64, Made>,
    /// By project.
    organizations: HashMap<i64, i64>,
}

struct Made {
    id: i64,
    short_number: i64,
}

/// Numbers for the new issues of a batch, and the organization of each of its projects.
fn make_issues(
    conn: &mut Conn,
    events: &[NewEvent<'_>],
    first_of_new: &BTreeMap<i64, Vec<usize>>,
    issue_of: &[i64],
) -> Result<NewIssues, StoreError> {
    let ids: BTreeSet<i64> = events.iter().map(|new| new.item.project_id).collect();
    let organizations: HashMap<i64, i64> = projects::table
        .filter(projects::id.eq_any(ids))
        .select((projects::id, projects::organization_id))
        .load(conn)?
        .into_iter()
        .collect();
    let mut made = HashMap::new();
    for (project_id, firsts) in first_of_new {
        let count = firsts.len() as i64;
        diesel::update(projects::table.find(project_id))
            .set(projects::next_short_number.eq(projects::next_short_number + count))
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
        // The last lock of a transaction: it is common to all projects.
        let first_id = dialect::next_ids(conn, "issue", made.len() as i64)?;
        let mut keys: Vec<i64> = made.keys().copied().collect();
        keys.sort_unstable_by(|left, right| right.cmp(left));
        for (offset, key) in keys.into_iter().enumerate() {
            if let Some(made) = made.get_mut(&key) {
                made.id = first_id + offset as i64;
            }
        }
    }
    Ok(NewIssues {
        made,
        organizations,
    })
}

struct Known {
    status: i32,
    resolved_at: Option<i64>,
    regressions: i32,
    short_number: i64,
}

fn states(
    conn: &mut Conn,
    ids: impl Iterator<Item = i64>,
) -> Result<HashMap<i64, Known>, StoreError> {
    let ids: BTreeSet<i64> = ids.collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(i64, i32, Option<i64>, i32, i64)> = issues::table
        .filter(issues::id.eq_any(ids))
        .select((
            issues::id,
            issues::status,
            issues::resolved_at,
            issues::regressions,
            issues::short_number,
        ))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(id, status, resolved_at, regressions, short_number)| {
            (
                id,
                Known {
                    status,
                    resolved_at,
                    regressions,
                    short_number,
                },
            )
        })
        .collect())
}

/// Reopens resolved issues that have an event received after the resolution. One conditional update an issue, so
/// that somebody who resolves it again at the same moment is not overruled.
fn mark_regressions(
    conn: &mut Conn,
    placed: &mut [Placed<'_>],
    states: &HashMap<i64, Known>,
) -> Result<(), StoreError> {
    let mut reopened = HashMap::<i64, bool>::new();
    for event in placed {
        let Some(state) = states.get(&event.issue_id) else {
            continue;
        };
        let (Status::Resolved, Some(resolved_at)) =
            (Status::from_code(state.status), state.resolved_at)
        else {
            continue;
        };
        if event.new.item.received_ms <= resolved_at || reopened.contains_key(&event.issue_id) {
            continue;
        }
        let changed = diesel::update(
            issues::table
                .filter(issues::id.eq(event.issue_id))
                .filter(issues::status.eq(Status::Resolved.code()))
                .filter(issues::resolved_at.eq(resolved_at)),
        )
        .set((
            issues::status.eq(State::REGRESSED.status.code()),
            issues::substatus.eq(State::REGRESSED.substatus.code()),
            issues::status_changed_at.eq(event.new.item.received_ms),
            issues::resolved_at.eq(None::<i64>),
            issues::regressions.eq(issues::regressions + 1),
        ))
        .execute(conn)?;
        reopened.insert(event.issue_id, changed > 0);
        if changed > 0 {
            event.change = Some(IssueChangeKind::Regressed);
            event.regressions = state.regressions + 1;
        }
    }
    Ok(())
}

const COLUMNS: &[&str] = &[
    "id",
    "organization_id",
    "project_id",
    "short_number",
    "kind",
    "level",
    "platform",
    "title",
    "title_type",
    "title_value",
    "culprit",
    "location",
    "logger",
    "status",
    "substatus",
    "status_changed_at",
    "first_seen",
    "last_seen",
    "times_seen",
    "users_seen",
    "first_release",
    "last_release",
    "is_unhandled",
    "regressions",
];

/// The newest event speaks for its issue. `last_seen` comes last: the others look at its old value.
const PLAN: Upsert = Upsert {
    table: "issues",
    columns: COLUMNS,
    key: &["id"],
    changes: &[
        ("kind", Change::IfNewer("last_seen")),
        ("level", Change::IfNewer("last_seen")),
        ("platform", Change::IfNewer("last_seen")),
        ("title", Change::IfNewer("last_seen")),
        ("title_type", Change::IfNewer("last_seen")),
        ("title_value", Change::IfNewer("last_seen")),
        ("culprit", Change::IfNewer("last_seen")),
        ("location", Change::IfNewer("last_seen")),
        ("logger", Change::IfNewer("last_seen")),
        ("is_unhandled", Change::IfNewer("last_seen")),
        ("last_release", Change::IfNewer("last_seen")),
        ("first_release", Change::IfAbsent),
        ("first_seen", Change::Min),
        ("times_seen", Change::Add),
        ("last_seen", Change::Max),
    ],
};

fn bring_up_to_date(
    conn: &mut Conn,
    placed: &[Placed<'_>],
    organizations: &HashMap<i64, i64>,
) -> Result<(), StoreError> {
    let mut by_issue = BTreeMap::<i64, Vec<&Placed<'_>>>::new();
    for event in placed {
        by_issue.entry(event.issue_id).or_default().push(event);
    }
    let mut rows = Vec::with_capacity(by_issue.len());
    for (issue_id, events) in by_issue {
        let newest = events
            .iter()
            .max_by_key(|event| event.new.event.timestamp_ms)
            .expect("an issue of the batch has events");
        let oldest = events
            .iter()
            .map(|event| event.new.event.timestamp_ms)
            .min()
            .unwrap_or_default();
        let first_release = events
            .iter()
            .find_map(|event| event.new.event.release.clone());
        let event = newest.new.event;
        rows.push(vec![
            Bind::I64(issue_id),
            Bind::I64(
                organizations
                    .get(&newest.new.item.project_id)
                    .copied()
                    .ok_or(StoreError::NotFound)?,
            ),
            Bind::I64(newest.new.item.project_id),
            Bind::I64(newest.short_number),
            Bind::Text(event.kind.as_str().to_owned()),
            Bind::I32(event.level.as_i32()),
            Bind::Text(names::cut(&event.platform, 64)),
            Bind::Text(names::cut(&event.title, 500)),
            Bind::Text(names::cut(&event.title_type, 290)),
            Bind::Text(names::cut(&event.title_value, 290)),
            Bind::Text(names::cut(&event.culprit, 250)),
            Bind::Text(names::cut(&event.location, 290)),
            Bind::OptText(event.logger.as_deref().map(|logger| names::cut(logger, 64))),
            Bind::I32(State::NEW.status.code()),
            Bind::I32(State::NEW.substatus.code()),
            Bind::I64(newest.new.item.received_ms),
            Bind::I64(oldest),
            Bind::I64(event.timestamp_ms),
            Bind::I64(events.len() as i64),
            Bind::I64(0),
            Bind::OptText(first_release),
            Bind::OptText(event.release.clone()),
            Bind::Bool(event.handled == Some(false)),
            Bind::I32(0),
        ]);
    }
    upsert_rows(conn, &PLAN, &rows)
}

/// What the batch changed for people.
pub(super) fn changes(placed: &[Placed<'_>]) -> Vec<IssueChange> {
    placed
        .iter()
        .filter_map(|event| {
            Some(IssueChange {
                kind: event.change?,
                project_id: event.new.item.project_id,
                issue_id: event.issue_id,
                regressions: event.regressions,
                event_id: event.new.event.event_id.to_string(),
                release: event.new.event.release.clone(),
                received_ms: event.new.item.received_ms,
            })
        })
        .collect()
}

/// Writes the changes into the activity of their issues, and the first event's time into new projects.
pub(super) fn record_changes(conn: &mut Conn, changes: &[IssueChange]) -> Result<(), StoreError> {
    if changes.is_empty() {
        return Ok(());
    }
    let first = dialect::next_ids(conn, "activity", changes.len() as i64)?;
    let rows: Vec<Vec<Bind>> = changes
        .iter()
        .zip(first..)
        .map(|(change, id)| {
            let kind = match change.kind {
                IssueChangeKind::New => ACTIVITY_FIRST_SEEN,
                IssueChangeKind::Regressed => ACTIVITY_REGRESSION,
            };
            let data =
                serde_json::json!({ "event_id": change.event_id, "release": change.release });
            vec![
                Bind::I64(id),
                Bind::I64(change.issue_id),
                Bind::Text(kind.to_owned()),
                Bind::Text(data.to_string()),
                Bind::I64(change.received_ms),
            ]
        })
        .collect();
    insert_rows(
        conn,
        "activity",
        &["id", "issue_id", "kind", "data", "created_at"],
        &rows,
    )?;
    let new_in: BTreeSet<i64> = changes
        .iter()
        .filter(|change| change.kind == IssueChangeKind::New)
        .map(|change| change.project_id)
        .collect();
    diesel::update(
        projects::table
            .filter(projects::id.eq_any(new_in))
            .filter(projects::first_event_at.is_null()),
    )
    .set(projects::first_event_at.eq(now_ms()))
    .execute(conn)?;
    Ok(())
}
