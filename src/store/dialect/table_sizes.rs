//! How large the database and its tables are. In: a connection. Out: bytes on the disk, as far as each database knows them cheaply.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::store::{Backend, Conn, StoreError};

/// A table with its indexes.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct TableSize {
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = BigInt)]
    pub bytes: i64,
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

fn number(conn: &mut Conn, sql: &str) -> Result<i64, StoreError> {
    Ok(diesel::sql_query(sql).get_result::<Number>(conn)?.number)
}

/// The size of the whole database.
pub fn database_bytes(conn: &mut Conn) -> Result<i64, StoreError> {
    let sql = match conn.backend() {
        Backend::Sqlite => {
            "SELECT page_count * page_size AS number FROM pragma_page_count(), pragma_page_size()"
        }
        Backend::Postgres => "SELECT pg_database_size(current_database()) AS number",
        Backend::Mysql => {
            "SELECT CAST(COALESCE(SUM(data_length + index_length + data_free), 0) AS SIGNED) AS number \
             FROM information_schema.tables WHERE table_schema = DATABASE()"
        }
    };
    number(conn, sql)
}

/// Of that, what is empty and will be used again. PostgreSQL does not tell without reading its tables.
pub fn free_bytes(conn: &mut Conn) -> Result<Option<i64>, StoreError> {
    let sql = match conn.backend() {
        Backend::Sqlite => {
            "SELECT freelist_count * page_size AS number FROM pragma_freelist_count(), pragma_page_size()"
        }
        Backend::Postgres => return Ok(None),
        Backend::Mysql => {
            "SELECT CAST(COALESCE(SUM(data_free), 0) AS SIGNED) AS number \
             FROM information_schema.tables WHERE table_schema = DATABASE()"
        }
    };
    number(conn, sql).map(Some)
}

/// The tables, the largest first; none where finding out would mean to read a database of more than `most_read` bytes.
pub fn table_sizes(
    conn: &mut Conn,
    database: i64,
    most_read: i64,
) -> Result<Option<Vec<TableSize>>, StoreError> {
    let sql = match conn.backend() {
        // The virtual table dbstat visits every page.
        Backend::Sqlite if database > most_read => return Ok(None),
        Backend::Sqlite => {
            "SELECT s.tbl_name AS name, SUM(d.pgsize) AS bytes FROM dbstat AS d \
             JOIN sqlite_schema AS s ON s.name = d.name WHERE d.aggregate = TRUE GROUP BY s.tbl_name ORDER BY bytes DESC, name"
        }
        Backend::Postgres => {
            "SELECT c.relname::text AS name, pg_total_relation_size(c.oid) AS bytes FROM pg_class AS c \
             WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace ORDER BY bytes DESC, name"
        }
        Backend::Mysql => {
            "SELECT table_name AS name, CAST(COALESCE(data_length + index_length, 0) AS SIGNED) AS bytes \
             FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY bytes DESC, name"
        }
    };
    Ok(Some(diesel::sql_query(sql).load(conn)?))
}
