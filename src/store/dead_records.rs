//! Events that could not be processed or stored, set aside. In: what is kept of them, or their numbers. Out: what there is
//! to know of them, the record to try again, or their end.

use diesel::prelude::*;

use super::ledger;
use super::schema::dead_records;
use super::usage::{self, OutcomeKey};
use super::{Conn, StoreError, dialect, now_ms};
use dialect::Bind;

/// Longer errors are cut; the rest is in the log.
const LONGEST_ERROR: usize = 2_000;

/// What is kept of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// What the SDK sent, as the first release kept it.
    Raw,
    /// What the SDK sent, sealed with the secret key.
    Sealed,
    /// The processed event in place of what the SDK sent.
    Scrubbed,
}

impl Form {
    fn to_number(self) -> i32 {
        match self {
            Self::Raw => 0,
            Self::Sealed => 1,
            Self::Scrubbed => 2,
        }
    }

    /// Whether it holds what scrubbing removes.
    pub fn is_unscrubbed(self) -> bool {
        self != Self::Scrubbed
    }

    pub(super) const UNSCRUBBED: [i32; 2] = [0, 1];
}

impl From<i32> for Form {
    fn from(number: i32) -> Self {
        match number {
            1 => Self::Sealed,
            2 => Self::Scrubbed,
            _ => Self::Raw,
        }
    }
}

/// A record to set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dead {
    pub reason: String,
    pub attempts: i32,
    pub event_id: [u8; 16],
    pub form: Form,
    pub record: Vec<u8>,
    /// Of the secret key that sealed the record; else empty.
    pub key_fingerprint: String,
    pub first_failure_ms: i64,
    pub last_failure_ms: i64,
}

/// Where a record comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    pub node: i64,
    pub seq: u64,
    pub project_id: i64,
}

/// One set-aside event, without the record itself.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = dead_records)]
pub struct DeadRecord {
    pub id: i64,
    pub project_id: i64,
    pub event_id: Vec<u8>,
    pub reason: String,
    pub attempts: i32,
    pub created_at: i64,
    form: i32,
    pub first_failure_at: i64,
    pub last_failure_at: i64,
}

impl DeadRecord {
    pub fn form(&self) -> Form {
        self.form.into()
    }

    #[cfg(test)]
    pub(crate) fn for_tests(id: i64, event_id: [u8; 16], reason: &str) -> Self {
        Self {
            id,
            project_id: 1,
            event_id: event_id.to_vec(),
            reason: reason.to_owned(),
            attempts: 3,
            created_at: 0,
            form: 0,
            first_failure_at: 0,
            last_failure_at: 0,
        }
    }
}

/// The record of a set-aside event, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub node: i64,
    pub form: Form,
    pub key_fingerprint: String,
    pub bytes: Vec<u8>,
}

/// Sets records aside.
pub fn insert(conn: &mut Conn, records: &[(Origin, &Dead)]) -> Result<(), StoreError> {
    if records.is_empty() {
        return Ok(());
    }
    let first = dialect::next_ids(conn, "dead_record", records.len() as i64)?;
    let now = now_ms();
    let rows: Vec<Vec<Bind<'_>>> = records
        .iter()
        .zip(first..)
        .map(|((origin, dead), id)| {
            vec![
                Bind::I64(id),
                Bind::I64(origin.project_id),
                Bind::I64(origin.node),
                Bind::I64(origin.seq as i64),
                Bind::Bytes(dead.event_id.to_vec()),
                Bind::Text(cut(&dead.reason)),
                Bind::I32(dead.attempts),
                Bind::Bytes(dead.record.clone()),
                Bind::I64(now),
                Bind::I32(dead.form.to_number()),
                Bind::Text(dead.key_fingerprint.clone()),
                Bind::I64(dead.first_failure_ms),
                Bind::I64(dead.last_failure_ms),
            ]
        })
        .collect();
    let columns = [
        "id",
        "project_id",
        "node",
        "seq",
        "event_id",
        "reason",
        "attempts",
        "record",
        "created_at",
        "form",
        "key_fingerprint",
        "first_failure_at",
        "last_failure_at",
    ];
    dialect::insert_rows(conn, "dead_records", &columns, &rows)
}

/// The set-aside events, oldest first, from `after` (a number) on.
pub fn list(conn: &mut Conn, after: i64, limit: i64) -> Result<Vec<DeadRecord>, StoreError> {
    Ok(dead_records::table
        .filter(dead_records::id.gt(after))
        .order(dead_records::id)
        .limit(limit)
        .select(DeadRecord::as_select())
        .load(conn)?)
}

/// One set-aside event.
pub fn find(conn: &mut Conn, id: i64) -> Result<DeadRecord, StoreError> {
    Ok(dead_records::table
        .find(id)
        .select(DeadRecord::as_select())
        .first(conn)?)
}

/// How many events are set aside.
pub fn count(conn: &mut Conn) -> Result<i64, StoreError> {
    Ok(dead_records::table.count().get_result(conn)?)
}

/// The record as it is kept; nothing if it was dealt with meanwhile.
pub fn record(conn: &mut Conn, id: i64) -> Result<Option<Kept>, StoreError> {
    let found: Option<(i64, i32, String, Vec<u8>)> = dead_records::table
        .find(id)
        .select((
            dead_records::node,
            dead_records::form,
            dead_records::key_fingerprint,
            dead_records::record,
        ))
        .first(conn)
        .optional()?;
    Ok(found.map(|(node, form, key_fingerprint, bytes)| Kept {
        node,
        form: form.into(),
        key_fingerprint,
        bytes,
    }))
}

/// Of the given events those that are set aside.
pub fn known(conn: &mut Conn, ids: &[i64]) -> Result<Vec<i64>, StoreError> {
    Ok(dead_records::table
        .filter(dead_records::id.eq_any(ids.to_vec()))
        .order(dead_records::id)
        .select(dead_records::id)
        .load(conn)?)
}

/// Notes that one more attempt failed.
pub fn note_failure(conn: &mut Conn, id: i64, reason: &str) -> Result<(), StoreError> {
    diesel::update(dead_records::table.find(id))
        .set((
            dead_records::attempts.eq(dead_records::attempts + 1),
            dead_records::reason.eq(cut(reason)),
            dead_records::last_failure_at.eq(now_ms()),
        ))
        .execute(conn)?;
    Ok(())
}

/// Deletes set-aside events; says how many there were.
pub fn delete(conn: &mut Conn, ids: &[i64]) -> Result<usize, StoreError> {
    let chosen = dead_records::table.filter(dead_records::id.eq_any(ids.to_vec()));
    Ok(diesel::delete(chosen).execute(conn)?)
}

/// Deletes set-aside events of before the cutoff that hold what scrubbing removes.
pub fn delete_unscrubbed(conn: &mut Conn, cutoff_ms: i64) -> Result<usize, StoreError> {
    let old = dead_records::table
        .filter(dead_records::created_at.lt(cutoff_ms))
        .filter(dead_records::form.eq_any(Form::UNSCRUBBED));
    Ok(diesel::delete(old).execute(conn)?)
}

/// Takes a set-aside event off the list after it was stored, and out of the counts of dead ones: it is counted as
/// what became of it now.
pub fn settle(
    conn: &mut Conn,
    id: i64,
    node: i64,
    project_id: i64,
    key_id: i64,
    received_ms: i64,
) -> Result<(), StoreError> {
    if delete(conn, &[id])? == 0 {
        return Ok(());
    }
    ledger::take_back_dead(conn, node)?;
    let key = OutcomeKey {
        project_id,
        key_id,
        hour: received_ms / 3_600_000,
        category: "error".to_owned(),
        outcome: "dead".to_owned(),
        reason: "processing".to_owned(),
    };
    usage::add(conn, &[(key, -1)])
}

fn cut(error: &str) -> String {
    // A null character cannot be stored on PostgreSQL.
    error
        .replace('\0', "")
        .chars()
        .take(LONGEST_ERROR)
        .collect()
}
