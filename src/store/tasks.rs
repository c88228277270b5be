//! The task table: the outbox that other transactions write, the leases under which tasks run, the dead letters.
//! In: rows to enqueue and what became of claimed ones. Out: claimed tasks, each held by one runner at a time.

use diesel::prelude::*;

use super::dialect::{self, Bind};
use super::schema::tasks;
use super::{Conn, StoreError};

/// States of a task. A finished one has no row.
const READY: i32 = 0;
pub(super) const DEAD: i32 = 1;

/// Longer errors are cut; the rest is in the log.
const LONGEST_ERROR: usize = 2_000;

/// A task as a transaction writes it next to the data it follows from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTask {
    pub kind: &'static str,
    /// Arguments as JSON.
    pub args: String,
    /// While a task with this key exists, ready or dead, a second one is not written.
    pub unique_key: Option<String>,
    pub run_at: i64,
}

/// A task that this runner holds. `attempts` counts the one that is about to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    pub id: i64,
    pub kind: String,
    pub args: String,
    pub attempts: i32,
}

/// A task that is not tried again until an administrator says so.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = tasks)]
pub struct DeadTask {
    pub id: i64,
    pub kind: String,
    pub args: String,
    pub attempts: i32,
    pub last_error: Option<String>,
    pub created_at: i64,
}

/// Writes tasks within the transaction that wrote what they follow from.
pub fn enqueue(conn: &mut Conn, new: &[NewTask]) -> Result<(), StoreError> {
    const COLUMNS: &[&str] = &[
        "id",
        "kind",
        "args",
        "unique_key",
        "state",
        "attempts",
        "run_at",
        "claimed_until",
        "created_at",
    ];
    if new.is_empty() {
        return Ok(());
    }
    let first = dialect::next_ids(conn, "task", new.len() as i64)?;
    let now = super::now_ms();
    let rows: Vec<Vec<Bind>> = new
        .iter()
        .zip(first..)
        .map(|(task, id)| {
            let NewTask {
                kind,
                args,
                unique_key,
                run_at,
            } = task;
            vec![
                Bind::I64(id),
                Bind::Text((*kind).to_owned()),
                Bind::Text(args.clone()),
                Bind::OptText(unique_key.clone()),
                Bind::I32(READY),
                Bind::I32(0),
                Bind::I64(*run_at),
                Bind::I64(0),
                Bind::I64(now),
            ]
        })
        .collect();
    dialect::insert_missing(conn, "tasks", COLUMNS, &rows)
}

/// Ids and due times of tasks that nobody holds and whose time came `overdue_ms` ago or earlier, oldest first.
/// Kinds this process does not know wait for one that does.
pub fn due(
    conn: &mut Conn,
    kinds: &[&str],
    overdue_ms: i64,
    limit: i64,
) -> Result<Vec<(i64, i64)>, StoreError> {
    let now = dialect::clock_ms(conn)?;
    Ok(tasks::table
        .filter(tasks::state.eq(READY))
        .filter(tasks::run_at.le(now - overdue_ms))
        .filter(tasks::claimed_until.le(now))
        .filter(tasks::kind.eq_any(kinds.to_vec()))
        .order((tasks::run_at, tasks::id))
        .limit(limit)
        .select((tasks::id, tasks::run_at))
        .load(conn)?)
}

/// Takes those of the given tasks that are still due and free, counting the attempt before it is made.
/// The condition on `attempts` lets one of several runners win, on every backend, without a lock held meanwhile.
pub fn claim(
    conn: &mut Conn,
    ids: &[i64],
    kinds: &[&str],
    holder: &str,
    lease_ms: i64,
) -> Result<Vec<Claimed>, StoreError> {
    let now = dialect::clock_ms(conn)?;
    let seen: Vec<(i64, String, String, i32)> = tasks::table
        .filter(tasks::id.eq_any(ids.to_vec()))
        .filter(tasks::state.eq(READY))
        .filter(tasks::run_at.le(now))
        .filter(tasks::claimed_until.le(now))
        .filter(tasks::kind.eq_any(kinds.to_vec()))
        // In key order, so that two runners with the same rows in mind do not deadlock.
        .order(tasks::id)
        .select((tasks::id, tasks::kind, tasks::args, tasks::attempts))
        .load(conn)?;
    let mut claimed = Vec::with_capacity(seen.len());
    for (id, kind, args, attempts) in seen {
        let free = tasks::table
            .find(id)
            .filter(tasks::state.eq(READY))
            .filter(tasks::claimed_until.le(now))
            .filter(tasks::attempts.eq(attempts));
        let changed = diesel::update(free)
            .set((
                tasks::claimed_until.eq(now + lease_ms),
                tasks::claimed_by.eq(Some(holder)),
                tasks::attempts.eq(attempts + 1),
            ))
            .execute(conn)?;
        if changed == 1 {
            claimed.push(Claimed {
                id,
                kind,
                args,
                attempts: attempts + 1,
            });
        }
    }
    Ok(claimed)
}

/// Prolongs a lease; false when it was lost.
pub fn renew(conn: &mut Conn, id: i64, holder: &str, lease_ms: i64) -> Result<bool, StoreError> {
    let until = dialect::clock_ms(conn)? + lease_ms;
    let changed = diesel::update(tasks::table.find(id).filter(tasks::claimed_by.eq(holder)))
        .set(tasks::claimed_until.eq(until))
        .execute(conn)?;
    Ok(changed == 1)
}

/// The task is done: its row goes.
pub fn finish(conn: &mut Conn, id: i64, holder: &str) -> Result<(), StoreError> {
    diesel::delete(tasks::table.find(id).filter(tasks::claimed_by.eq(holder))).execute(conn)?;
    Ok(())
}

/// The attempt failed; the next comes after `delay_ms`.
pub fn retry_later(
    conn: &mut Conn,
    id: i64,
    holder: &str,
    delay_ms: i64,
    error: &str,
) -> Result<(), StoreError> {
    let run_at = dialect::clock_ms(conn)? + delay_ms;
    diesel::update(tasks::table.find(id).filter(tasks::claimed_by.eq(holder)))
        .set((
            tasks::run_at.eq(run_at),
            tasks::claimed_until.eq(0),
            tasks::claimed_by.eq(None::<String>),
            tasks::last_error.eq(Some(cut(error))),
        ))
        .execute(conn)?;
    Ok(())
}

/// It is not the task's turn: it comes again after `delay_ms`, and the attempt does not count.
pub fn put_off(conn: &mut Conn, id: i64, holder: &str, delay_ms: i64) -> Result<(), StoreError> {
    let run_at = dialect::clock_ms(conn)? + delay_ms;
    diesel::update(tasks::table.find(id).filter(tasks::claimed_by.eq(holder)))
        .set((
            tasks::run_at.eq(run_at),
            tasks::claimed_until.eq(0),
            tasks::claimed_by.eq(None::<String>),
            tasks::attempts.eq(tasks::attempts - 1),
        ))
        .execute(conn)?;
    Ok(())
}

/// The task failed for good: it joins the dead letters.
pub fn bury(conn: &mut Conn, id: i64, holder: &str, error: &str) -> Result<(), StoreError> {
    diesel::update(tasks::table.find(id).filter(tasks::claimed_by.eq(holder)))
        .set((
            tasks::state.eq(DEAD),
            tasks::claimed_until.eq(0),
            tasks::claimed_by.eq(None::<String>),
            tasks::last_error.eq(Some(cut(error))),
        ))
        .execute(conn)?;
    Ok(())
}

/// Gives tasks back that were interrupted by a shutdown: no fault of theirs, so the attempt does not count.
pub fn release(conn: &mut Conn, ids: &[i64], holder: &str) -> Result<(), StoreError> {
    let own = tasks::table
        .filter(tasks::id.eq_any(ids.to_vec()))
        .filter(tasks::claimed_by.eq(holder));
    diesel::update(own)
        .set((
            tasks::claimed_until.eq(0),
            tasks::claimed_by.eq(None::<String>),
            tasks::attempts.eq(tasks::attempts - 1),
        ))
        .execute(conn)?;
    Ok(())
}

/// How many tasks of these kinds are due or running.
pub fn count_active(conn: &mut Conn, kinds: &[&str]) -> Result<i64, StoreError> {
    let now = dialect::clock_ms(conn)?;
    Ok(tasks::table
        .filter(tasks::state.eq(READY))
        .filter(tasks::run_at.le(now).or(tasks::claimed_until.gt(now)))
        .filter(tasks::kind.eq_any(kinds.to_vec()))
        .count()
        .get_result(conn)?)
}

/// The tasks of one kind that have a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Depth {
    pub kind: String,
    /// Due, running or put off.
    pub waiting: i64,
    /// Since when the oldest of them is due; a time to come if none is.
    pub oldest_due_at: Option<i64>,
    pub dead: i64,
}

/// How many tasks of each kind wait or are dead, with the database's time.
pub fn depths(conn: &mut Conn) -> Result<(i64, Vec<Depth>), StoreError> {
    use diesel::dsl::{count_star, min};
    let now = dialect::clock_ms(conn)?;
    let rows: Vec<(String, i32, i64, Option<i64>)> = tasks::table
        .group_by((tasks::kind, tasks::state))
        .select((tasks::kind, tasks::state, count_star(), min(tasks::run_at)))
        .load(conn)?;
    let mut found = std::collections::BTreeMap::<String, Depth>::new();
    for (kind, state, count, oldest) in rows {
        let depth = found.entry(kind.clone()).or_insert(Depth {
            kind,
            waiting: 0,
            oldest_due_at: None,
            dead: 0,
        });
        match state {
            READY => {
                depth.waiting += count;
                depth.oldest_due_at = oldest;
            }
            _ => depth.dead += count,
        }
    }
    Ok((now, found.into_values().collect()))
}

/// The dead letters, oldest first, from `after` (an id) on.
pub fn dead(conn: &mut Conn, after: i64, limit: i64) -> Result<Vec<DeadTask>, StoreError> {
    Ok(tasks::table
        .filter(tasks::state.eq(DEAD))
        .filter(tasks::id.gt(after))
        .order(tasks::id)
        .limit(limit)
        .select(DeadTask::as_select())
        .load(conn)?)
}

/// One dead letter.
pub fn find_dead(conn: &mut Conn, id: i64) -> Result<DeadTask, StoreError> {
    Ok(tasks::table
        .find(id)
        .filter(tasks::state.eq(DEAD))
        .select(DeadTask::as_select())
        .first(conn)?)
}

/// How many tasks of one kind are in which state.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KindCount {
    pub kind: String,
    /// Not running, whether due or later.
    pub waiting: i64,
    pub running: i64,
    /// Of those that wait, the ones that failed before.
    pub failing: i64,
    pub dead: i64,
    /// When the oldest that waits was or is due.
    pub oldest_due: Option<i64>,
}

/// Tasks by kind; kinds without any are left out.
pub fn count_by_kind(conn: &mut Conn) -> Result<Vec<KindCount>, StoreError> {
    use diesel::dsl::{count_star, min};

    let now = dialect::clock_ms(conn)?;
    let mut kinds = std::collections::BTreeMap::<String, KindCount>::new();
    let waiting: Vec<(String, i64, Option<i64>)> = tasks::table
        .filter(tasks::state.eq(READY))
        .filter(tasks::claimed_until.le(now))
        .group_by(tasks::kind)
        .select((tasks::kind, count_star(), min(tasks::run_at)))
        .load(conn)?;
    for (kind, count, oldest) in waiting {
        let row = kinds.entry(kind).or_default();
        row.waiting = count;
        row.oldest_due = oldest;
    }
    let running: Vec<(String, i64)> = tasks::table
        .filter(tasks::state.eq(READY))
        .filter(tasks::claimed_until.gt(now))
        .group_by(tasks::kind)
        .select((tasks::kind, count_star()))
        .load(conn)?;
    for (kind, count) in running {
        kinds.entry(kind).or_default().running = count;
    }
    let failing: Vec<(String, i64)> = tasks::table
        .filter(tasks::state.eq(READY))
        .filter(tasks::claimed_until.le(now))
        .filter(tasks::attempts.gt(0))
        .group_by(tasks::kind)
        .select((tasks::kind, count_star()))
        .load(conn)?;
    for (kind, count) in failing {
        kinds.entry(kind).or_default().failing = count;
    }
    let dead: Vec<(String, i64)> = tasks::table
        .filter(tasks::state.eq(DEAD))
        .group_by(tasks::kind)
        .select((tasks::kind, count_star()))
        .load(conn)?;
    for (kind, count) in dead {
        kinds.entry(kind).or_default().dead = count;
    }
    Ok(kinds
        .into_iter()
        .map(|(kind, count)| KindCount { kind, ..count })
        .collect())
}

/// How many dead letters there are.
pub fn count_dead(conn: &mut Conn) -> Result<i64, StoreError> {
    Ok(tasks::table
        .filter(tasks::state.eq(DEAD))
        .count()
        .get_result(conn)?)
}

/// Makes dead tasks ready again, with all their attempts; says how many there were.
pub fn revive(conn: &mut Conn, ids: &[i64]) -> Result<usize, StoreError> {
    let now = dialect::clock_ms(conn)?;
    let dead = tasks::table
        .filter(tasks::state.eq(DEAD))
        .filter(tasks::id.eq_any(ids.to_vec()));
    Ok(diesel::update(dead)
        .set((
            tasks::state.eq(READY),
            tasks::attempts.eq(0),
            tasks::run_at.eq(now),
        ))
        .execute(conn)?)
}

/// Deletes dead tasks; says how many there were.
pub fn delete_dead(conn: &mut Conn, ids: &[i64]) -> Result<usize, StoreError> {
    let dead = tasks::table
        .filter(tasks::state.eq(DEAD))
        .filter(tasks::id.eq_any(ids.to_vec()));
    Ok(diesel::delete(dead).execute(conn)?)
}

fn cut(error: &str) -> String {
    // A null character cannot be stored on PostgreSQL.
    error
        .replace('\0', "")
        .chars()
        .take(LONGEST_ERROR)
        .collect()
}
