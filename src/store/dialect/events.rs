//! Event rows that are about to go. In: their numbers. Out: those that are there, held until the transaction ends, so that two that
//! delete at once do not both take the same event off an issue's sums.

use std::fmt::Write as _;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary};

use crate::store::{Backend, Conn, StoreError};

/// A row without its payload.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct EventSize {
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    #[diesel(sql_type = BigInt)]
    pub issue_id: i64,
    #[diesel(sql_type = BigInt)]
    pub project_id: i64,
    #[diesel(sql_type = Binary)]
    pub event_id: Vec<u8>,
    /// Of the payload as stored.
    #[diesel(sql_type = BigInt)]
    pub bytes: i64,
}

/// Locks rows in key order.
pub fn lock_events(conn: &mut Conn, ids: &[i64]) -> Result<Vec<EventSize>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut list = String::new();
    for id in ids {
        let comma = if list.is_empty() { "" } else { "," };
        write!(list, "{comma}{id}").expect("writing to a string");
    }
    let (number, lock) = match conn.backend() {
        // The transaction is the only writer.
        Backend::Sqlite => ("BIGINT", ""),
        Backend::Postgres => ("BIGINT", " FOR UPDATE"),
        Backend::Mysql => ("SIGNED", " FOR UPDATE"),
    };
    Ok(diesel::sql_query(format!(
        "SELECT id, issue_id, project_id, event_id, CAST(LENGTH(data) AS {number}) AS bytes FROM events WHERE id IN ({list}) ORDER BY id{lock}"
    ))
    .load(conn)?)
}
