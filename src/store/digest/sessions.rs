//! Release health. In: what SDKs told of sessions. Out: sessions by release, hour and environment, each counted once and as the worst that
//! was told of it, and the users that had them.

use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;

use super::Item;
use super::cache::Known;
use super::dimensions::{self, NO_ENVIRONMENT, Seen};
use crate::model::distinct::Distinct;
use crate::model::release_health::{Health, Sessions};
use crate::process::session::{SessionReport, Told};
use crate::store::dialect::{Bind, Change, Upsert, upsert_rows};
use crate::store::schema::{session_states, session_users};
use crate::store::{Conn, StoreError, now_ms};

const HOUR_MS: i64 = 3_600_000;
const HOURS_OF_DAY: i64 = 24;
/// Session ids in one question.
const CHUNK: usize = 500;

/// A report with the number of its environment.
pub(super) struct InPlace<'a> {
    project_id: i64,
    environment_id: i64,
    report: &'a SessionReport,
}

/// What sums are kept by: project, release, hour, environment.
type Place = (i64, i64, i64, i64);

#[derive(Clone, Copy)]
struct State {
    health: Health,
    place: Place,
    is_changed: bool,
}

#[derive(Default)]
struct Users {
    all: Distinct,
    crashed: Distinct,
}

/// Reads the reports of a batch and numbers their environments.
pub(super) fn prepare<'a>(
    conn: &mut Conn,
    known: &mut Known<'_>,
    reports: impl Iterator<Item = (&'a Item, &'a [SessionReport])>,
) -> Result<Vec<InPlace<'a>>, StoreError> {
    let mut prepared = Vec::new();
    for (item, reports) in reports {
        for report in reports {
            let environment_id = match &report.environment {
                Some(name) => dimensions::environment_id(conn, known, item.project_id, name)?,
                None => NO_ENVIRONMENT,
            };
            prepared.push(InPlace {
                project_id: item.project_id,
                environment_id,
                report,
            });
        }
    }
    Ok(prepared)
}

/// The releases that sessions name.
pub(super) fn see<'a>(seen: &mut Seen<'a>, told: &[InPlace<'a>]) {
    for one in told {
        let (release, time) = (&one.report.release, one.report.started_ms);
        dimensions::see(seen, one.project_id, release, time);
    }
}

/// Counts the sessions of a batch.
pub(super) fn add(
    conn: &mut Conn,
    told: &[InPlace<'_>],
    releases: &HashMap<(i64, &str), i64>,
) -> Result<(), StoreError> {
    if told.is_empty() {
        return Ok(());
    }
    let mut states = states(conn, told)?;
    let mut sums = BTreeMap::<Place, Sessions>::new();
    let mut users = BTreeMap::<Place, Users>::new();
    for one in told {
        let SessionReport {
            release,
            started_ms,
            user,
            told,
            ..
        } = one.report;
        let release_id = releases.get(&(one.project_id, release.as_str()));
        let release_id = *release_id.ok_or(StoreError::NotFound)?;
        let hour = started_ms.div_euclid(HOUR_MS);
        let mut place = (one.project_id, release_id, hour, one.environment_id);
        let mut has_crashed = told.has_crashed();
        match told {
            Told::Many(many) => sums.entry(place).or_default().merge(many),
            Told::One { sid, health } => {
                let known = states.get_mut(&(one.project_id, *sid));
                if let Some(state) = known {
                    place = state.place;
                    if *health > state.health {
                        let sum = sums.entry(place).or_default();
                        sum.add(state.health, -1);
                        sum.add(*health, 1);
                        state.health = *health;
                        state.is_changed = true;
                    }
                    has_crashed = state.health == Health::Crashed;
                } else {
                    sums.entry(place).or_default().add(*health, 1);
                    let state = State {
                        health: *health,
                        place,
                        is_changed: true,
                    };
                    states.insert((one.project_id, *sid), state);
                }
            }
        }
        if let Some(user) = user {
            let (project_id, release_id, hour, environment_id) = place;
            let day = hour.div_euclid(HOURS_OF_DAY);
            let of_day = users
                .entry((project_id, release_id, day, environment_id))
                .or_default();
            of_day.all.insert(*user);
            if has_crashed {
                of_day.crashed.insert(*user);
            }
        }
    }
    write_sums(conn, sums)?;
    write_users(conn, users)?;
    write_states(conn, states)
}

type States = HashMap<(i64, [u8; 16]), State>;

/// What is known of the sessions of a batch.
fn states(conn: &mut Conn, told: &[InPlace<'_>]) -> Result<States, StoreError> {
    let mut wanted = BTreeMap::<i64, Vec<&[u8]>>::new();
    for one in told {
        if let Told::One { sid, .. } = &one.report.told {
            wanted.entry(one.project_id).or_default().push(sid);
        }
    }
    let mut found = States::new();
    for (project_id, sids) in wanted {
        for sids in sids.chunks(CHUNK) {
            let rows: Vec<(Vec<u8>, i32, i64, i64, i64)> = session_states::table
                .filter(session_states::project_id.eq(project_id))
                .filter(session_states::sid.eq_any(sids))
                .select((
                    session_states::sid,
                    session_states::health,
                    session_states::release_id,
                    session_states::hour,
                    session_states::environment_id,
                ))
                .load(conn)?;
            for (sid, health, release_id, hour, environment_id) in rows {
                let Ok(sid) = sid.try_into() else { continue };
                let state = State {
                    health: Health::from_code(health),
                    place: (project_id, release_id, hour, environment_id),
                    is_changed: false,
                };
                found.insert((project_id, sid), state);
            }
        }
    }
    Ok(found)
}

const STATES: Upsert = Upsert {
    table: "session_states",
    columns: &[
        "project_id",
        "sid",
        "health",
        "release_id",
        "environment_id",
        "hour",
        "updated_at",
    ],
    key: &["project_id", "sid"],
    changes: &[("health", Change::Max), ("updated_at", Change::Replace)],
};

fn write_states(conn: &mut Conn, states: States) -> Result<(), StoreError> {
    let now = now_ms();
    let changed = states.into_iter();
    let mut changed: Vec<_> = changed.filter(|(_, state)| state.is_changed).collect();
    changed.sort_unstable_by_key(|(key, _)| *key);
    let rows: Vec<Vec<Bind<'_>>> = changed
        .iter()
        .map(|((project_id, sid), state)| {
            let (_, release_id, hour, environment_id) = state.place;
            vec![
                Bind::I64(*project_id),
                Bind::Slice(sid),
                Bind::I32(state.health.code()),
                Bind::I64(release_id),
                Bind::I64(environment_id),
                Bind::I64(hour),
                Bind::I64(now),
            ]
        })
        .collect();
    upsert_rows(conn, &STATES, &rows)
}

const HOURS: Upsert = Upsert {
    table: "session_hours",
    columns: &[
        "project_id",
        "release_id",
        "hour",
        "environment_id",
        "sessions",
        "errored",
        "unhandled",
        "abnormal",
        "crashed",
    ],
    key: &["project_id", "release_id", "hour", "environment_id"],
    changes: &[
        ("sessions", Change::Add),
        ("errored", Change::Add),
        ("unhandled", Change::Add),
        ("abnormal", Change::Add),
        ("crashed", Change::Add),
    ],
};

fn write_sums(conn: &mut Conn, sums: BTreeMap<Place, Sessions>) -> Result<(), StoreError> {
    let rows: Vec<Vec<Bind<'_>>> = sums
        .into_iter()
        .map(|(place, sum)| {
            let (project_id, release_id, hour, environment_id) = place;
            let numbers = [
                project_id,
                release_id,
                hour,
                environment_id,
                sum.total,
                sum.errored,
                sum.unhandled,
                sum.abnormal,
                sum.crashed,
            ];
            numbers.map(Bind::I64).into()
        })
        .collect();
    upsert_rows(conn, &HOURS, &rows)
}

const USERS: Upsert = Upsert {
    table: "session_users",
    columns: &[
        "project_id",
        "release_id",
        "day",
        "environment_id",
        "users",
        "crashed",
    ],
    key: &["project_id", "release_id", "day", "environment_id"],
    changes: &[("users", Change::Replace), ("crashed", Change::Replace)],
};

/// Puts users into what is there of their days. Nobody else changes it: the project's partition is locked.
fn write_users(conn: &mut Conn, users: BTreeMap<Place, Users>) -> Result<(), StoreError> {
    let mut rows = Vec::with_capacity(users.len());
    for (place, new) in users {
        let (project_id, release_id, day, environment_id) = place;
        let stored: Option<(Vec<u8>, Vec<u8>)> = session_users::table
            .find(place)
            .select((session_users::users, session_users::crashed))
            .first(conn)
            .optional()?;
        let (all, crashed) = stored.unwrap_or_default();
        let (mut all, mut crashed) = (Distinct::from_bytes(&all), Distinct::from_bytes(&crashed));
        all.merge(&new.all);
        crashed.merge(&new.crashed);
        rows.push(vec![
            Bind::I64(project_id),
            Bind::I64(release_id),
            Bind::I64(day),
            Bind::I64(environment_id),
            Bind::Bytes(all.to_bytes()),
            Bind::Bytes(crashed.to_bytes()),
        ]);
    }
    upsert_rows(conn, &USERS, &rows)
}
