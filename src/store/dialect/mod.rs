//! Everything that the three databases do differently, behind one door.
//! In: tables, columns and values. Out: the statement that each database wants.
//!
//! Traps that this module keeps from its callers: `MySQL` counts an updating upsert as two rows, so that count says
//! nothing; bind parameters are limited to 32,766 (`SQLite`) and 65,535 (others), so rows go in chunks; `MySQL` runs
//! the assignments of an upsert from left to right and sees the values it has already changed.

mod clock;
mod events;
mod rows;
mod sequence;
mod table_sizes;

pub use clock::clock_ms;
pub use events::{EventSize, lock_events};
pub use rows::{Bind, Change, Upsert, insert_missing, insert_rows, upsert_rows};
pub use sequence::{current, next_ids};
pub use table_sizes::{TableSize, database_bytes, free_bytes, table_sizes};

use diesel::connection::SimpleConnection;

use super::{Conn, StoreError};

/// Locks the rows of `table` whose `id` is listed until the transaction ends, in the order given.
/// `SQLite` has one writer at a time and needs no lock.
pub fn lock_partitions(conn: &mut Conn, partitions: &[i64]) -> Result<(), StoreError> {
    if matches!(conn, Conn::Sqlite(_)) {
        return Ok(());
    }
    for partition in partitions {
        conn.batch_execute(&format!(
            "UPDATE queue_partitions SET version = version + 1 WHERE id = {partition}"
        ))?;
    }
    Ok(())
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
