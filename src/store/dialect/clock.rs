//! The database's own clock, by which leases are judged: nodes need not agree on the time.
//! In: a connection. Out: milliseconds since 1970, UTC.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::store::{Backend, Conn, StoreError};

/// What the database's clock shows now, not when the transaction began.
pub fn clock_ms(conn: &mut Conn) -> Result<i64, StoreError> {
    let expression = match conn.backend() {
        Backend::Sqlite => "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
        Backend::Postgres => "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)",
        // UNIX_TIMESTAMP(NOW()) would jump by an hour where the session's zone has summer time.
        Backend::Mysql => {
            "CAST(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000 AS SIGNED)"
        }
    };
    Ok(diesel::select(sql::<BigInt>(expression)).get_result(conn)?)
}
