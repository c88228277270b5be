//! Events that could not be processed or stored, set aside with what their SDK sent. In: their numbers.
//! Out: what there is to know of them, the record to try again, or their end.

use diesel::prelude::*;

use super::schema::dead_records;
use super::usage::{self, OutcomeKey};
use super::{Conn, StoreError};

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

/// How many events are set aside.
pub fn count(conn: &mut Conn) -> Result<i64, StoreError> {
    Ok(dead_records::table.count().get_result(conn)?)
}

/// The journal that a record came from, and the record as it lay there; nothing if it was dealt with meanwhile.
pub fn record(conn: &mut Conn, id: i64) -> Result<Option<(i64, Vec<u8>)>, StoreError> {
    let found = dead_records::table
        .find(id)
        .select((dead_records::node, dead_records::record))
        .first(conn);
    Ok(found.optional()?)
}

/// Notes that one more attempt failed.
pub fn note_failure(conn: &mut Conn, id: i64, reason: &str) -> Result<(), StoreError> {
    diesel::update(dead_records::table.find(id))
        .set((
            dead_records::attempts.eq(dead_records::attempts + 1),
            dead_records::reason.eq(reason.replace('\0', "")),
        ))
        .execute(conn)?;
    Ok(())
}

/// Deletes set-aside events; says how many there were.
pub fn delete(conn: &mut Conn, ids: &[i64]) -> Result<usize, StoreError> {
    let chosen = dead_records::table.filter(dead_records::id.eq_any(ids.to_vec()));
    Ok(diesel::delete(chosen).execute(conn)?)
}

/// Takes a set-aside event off the list after it was stored, and out of the count of dead ones: it is counted as
/// accepted now.
pub fn settle(
    conn: &mut Conn,
    id: i64,
    project_id: i64,
    key_id: i64,
    received_ms: i64,
) -> Result<(), StoreError> {
    if delete(conn, &[id])? == 0 {
        return Ok(());
    }
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
