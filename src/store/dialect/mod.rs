//! Everything that the three databases do differently, behind one door.
//! In: tables, columns and values. Out: the statement that each database wants.
//!
//! Traps that this module keeps from its callers: `MySQL` counts an updating upsert as two rows, so that count says
//! nothing; bind parameters are limited to 32,766 (`SQLite`) and 65,535 (others), so rows go in chunks; `MySQL` runs
//! the assignments of an upsert from left to right and sees the values it has already changed.

mod clock;
mod events;
mod pairs;
mod rows;
mod sequence;
mod table_sizes;

pub use clock::clock_ms;
pub use events::{EventSize, lock_events};
pub use pairs::existing_pairs;
pub use rows::{Bind, Change, Upsert, insert_missing, insert_rows, upsert_rows};
pub use sequence::{current, next_ids};
pub use table_sizes::{TableSize, database_bytes, free_bytes, table_sizes};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use super::{Backend, Conn, StoreError};

/// The sum of a column of whole numbers as a whole number: most databases make it a decimal.
pub fn sum(conn: &Conn, column: &str) -> String {
    let integer = match conn.backend() {
        Backend::Mysql => "SIGNED",
        _ => "BIGINT",
    };
    format!("CAST(SUM({column}) AS {integer})")
}

/// Locks partitions, given in rising order, until the transaction ends, and leaves a token in each. Returns the tokens that
/// were there. `SQLite` has one writer at a time and needs no lock.
pub fn lock_partitions(
    conn: &mut Conn,
    partitions: &[i64],
    token: i64,
) -> Result<Vec<(i64, i64)>, StoreError> {
    use crate::store::schema::queue_partitions;

    let ids: Vec<String> = partitions.iter().map(ToString::to_string).collect();
    let lock = match conn.backend() {
        Backend::Sqlite => "",
        Backend::Postgres | Backend::Mysql => " FOR UPDATE",
    };
    let found: Vec<LockedRow> = diesel::sql_query(format!(
        "SELECT id, version FROM queue_partitions WHERE id IN ({}) ORDER BY id{lock}",
        ids.join(", ")
    ))
    .load(conn)?;
    diesel::update(queue_partitions::table.filter(queue_partitions::id.eq_any(partitions)))
        .set(queue_partitions::version.eq(token))
        .execute(conn)?;
    Ok(found.into_iter().map(|row| (row.id, row.version)).collect())
}

/// Locks a partition until the transaction ends and leaves its token, so that what others remember of it stays good: for
/// changes that take nothing away which they may rely on.
pub fn hold_partition(conn: &mut Conn, partition: i64) -> Result<(), StoreError> {
    if conn.backend() == Backend::Sqlite {
        return Ok(());
    }
    let _: Vec<LockedRow> = diesel::sql_query(format!(
        "SELECT id, version FROM queue_partitions WHERE id = {partition} FOR UPDATE"
    ))
    .load(conn)?;
    Ok(())
}

#[derive(diesel::QueryableByName)]
struct LockedRow {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    id: i64,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    version: i64,
}

/// Takes the lock under which schema migrations run, for as long as the connection lives.
pub fn lock_migrations(conn: &mut Conn) -> Result<(), StoreError> {
    match conn {
        // One data folder, one process that migrates: the file lock of the caller is enough.
        Conn::Sqlite(_) => Ok(()),
        Conn::Postgres(conn) => Ok(conn.batch_execute("SELECT pg_advisory_lock(7290416)")?),
        Conn::Mysql(conn) => Ok(conn.batch_execute("DO GET_LOCK('bugle-migrations', 120)")?),
    }
}
