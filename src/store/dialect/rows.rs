//! Many rows in one statement: plain inserts, inserts that skip what is there, and upserts.
//! In: a table, its columns and rows of values. Out: as few statements as the bind limits allow.

use std::fmt::Write as _;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};

use crate::store::{Backend, Conn, StoreError};

/// One value of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Bind {
    I64(i64),
    I32(i32),
    Bool(bool),
    Text(String),
    Bytes(Vec<u8>),
    OptI64(Option<i64>),
    OptText(Option<String>),
}

/// What an upsert does to a column of a row that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// old + new
    Add,
    /// the larger
    Max,
    /// the smaller
    Min,
    /// the new value, if the new value of the named column is not smaller than the old one
    IfNewer(&'static str),
    /// the new value, if the old is NULL
    IfAbsent,
    /// the new value
    Replace,
}

/// The plan of an upsert. `changes` run in order; columns that `IfNewer` looks at must be changed after those that look.
pub struct Upsert {
    pub table: &'static str,
    pub columns: &'static [&'static str],
    pub key: &'static [&'static str],
    pub changes: &'static [(&'static str, Change)],
}

/// 200 rows a statement keep the text short enough to be parsed quickly and far from every bind limit.
const ROWS_PER_STATEMENT: usize = 200;

/// A statement must fit into a packet of the server: 16 MiB on a MariaDB that nobody configured.
const BYTES_PER_STATEMENT: usize = 2 * 1024 * 1024;

impl Bind {
    fn size(&self) -> usize {
        match self {
            Self::Text(text) | Self::OptText(Some(text)) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
            Self::I64(_) | Self::I32(_) | Self::Bool(_) | Self::OptI64(_) | Self::OptText(None) => {
                8
            }
        }
    }
}

/// Inserts all rows; a key that exists is an error.
pub fn insert_rows(
    conn: &mut Conn,
    table: &str,
    columns: &[&str],
    rows: &[Vec<Bind>],
) -> Result<(), StoreError> {
    run_chunks(
        conn,
        &|_| format!("INSERT INTO {table}"),
        columns,
        &|_| String::new(),
        rows,
    )
}

/// Inserts the rows whose key (any unique key) is not there yet and leaves the others alone.
pub fn insert_missing(
    conn: &mut Conn,
    table: &str,
    columns: &[&str],
    rows: &[Vec<Bind>],
) -> Result<(), StoreError> {
    let first = columns[0];
    run_chunks(
        conn,
        &|_| format!("INSERT INTO {table}"),
        columns,
        &|backend| match backend {
            // Not INSERT IGNORE, which would also swallow values that do not fit.
            Backend::Mysql => format!(" ON DUPLICATE KEY UPDATE {first} = {table}.{first}"),
            _ => " ON CONFLICT DO NOTHING".to_owned(),
        },
        rows,
    )
}

/// Inserts the rows, or changes those that are there as the plan says. Keys must be distinct within one call.
pub fn upsert_rows(conn: &mut Conn, plan: &Upsert, rows: &[Vec<Bind>]) -> Result<(), StoreError> {
    run_chunks(
        conn,
        &|_| format!("INSERT INTO {}", plan.table),
        plan.columns,
        &|backend| upsert_tail(backend, plan),
        rows,
    )
}

fn upsert_tail(backend: Backend, plan: &Upsert) -> String {
    let mut sql = match backend {
        Backend::Mysql => " ON DUPLICATE KEY UPDATE ".to_owned(),
        _ => format!(" ON CONFLICT ({}) DO UPDATE SET ", plan.key.join(", ")),
    };
    for (number, (column, change)) in plan.changes.iter().enumerate() {
        let old = |column: &str| format!("{}.{column}", plan.table);
        let new = |column: &str| match backend {
            Backend::Mysql => format!("VALUES({column})"),
            _ => format!("excluded.{column}"),
        };
        let value = match change {
            Change::Add => format!("{} + {}", old(column), new(column)),
            Change::Max => format!(
                "CASE WHEN {n} > {o} THEN {n} ELSE {o} END",
                n = new(column),
                o = old(column)
            ),
            Change::Min => format!(
                "CASE WHEN {n} < {o} THEN {n} ELSE {o} END",
                n = new(column),
                o = old(column)
            ),
            Change::IfNewer(by) => format!(
                "CASE WHEN {} >= {} THEN {} ELSE {} END",
                new(by),
                old(by),
                new(column),
                old(column)
            ),
            Change::IfAbsent => format!("COALESCE({}, {})", old(column), new(column)),
            Change::Replace => new(column),
        };
        let comma = if number > 0 { ", " } else { "" };
        write!(sql, "{comma}{column} = {value}").expect("writing to a string");
    }
    sql
}

fn run_chunks(
    conn: &mut Conn,
    head: &dyn Fn(Backend) -> String,
    columns: &[&str],
    tail: &dyn Fn(Backend) -> String,
    rows: &[Vec<Bind>],
) -> Result<(), StoreError> {
    let backend = conn.backend();
    for chunk in chunks(rows) {
        let mut sql = format!("{} ({}) VALUES ", head(backend), columns.join(", "));
        let mut number = 0;
        for (row_number, row) in chunk.iter().enumerate() {
            debug_assert_eq!(row.len(), columns.len(), "a value for each column");
            sql.push_str(if row_number > 0 { ", (" } else { "(" });
            for column in 0..row.len() {
                if column > 0 {
                    sql.push(',');
                }
                number += 1;
                if backend == Backend::Postgres {
                    write!(sql, "${number}").expect("writing to a string");
                } else {
                    sql.push('?');
                }
            }
            sql.push(')');
        }
        sql.push_str(&tail(backend));
        execute(conn, sql, chunk)?;
    }
    Ok(())
}

/// Runs of rows within both limits; a single row may be larger.
fn chunks(rows: &[Vec<Bind>]) -> impl Iterator<Item = &[Vec<Bind>]> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fitting = rest
            .iter()
            .take(ROWS_PER_STATEMENT)
            .take_while(|row| {
                bytes += row.iter().map(Bind::size).sum::<usize>();
                bytes <= BYTES_PER_STATEMENT
            })
            .count();
        let (chunk, tail) = rest.split_at(fitting.max(1).min(rest.len()));
        rest = tail;
        (!chunk.is_empty()).then_some(chunk)
    })
}

macro_rules! bind_all {
    ($query:ident, $rows:ident) => {
        for value in $rows.iter().flatten() {
            $query = match value {
                Bind::I64(value) => $query.bind::<BigInt, _>(*value),
                Bind::I32(value) => $query.bind::<Integer, _>(*value),
                Bind::Bool(value) => $query.bind::<Bool, _>(*value),
                Bind::Text(value) => $query.bind::<Text, _>(value.clone()),
                Bind::Bytes(value) => $query.bind::<Binary, _>(value.clone()),
                Bind::OptI64(value) => $query.bind::<Nullable<BigInt>, _>(*value),
                Bind::OptText(value) => $query.bind::<Nullable<Text>, _>(value.clone()),
            };
        }
    };
}

fn execute(conn: &mut Conn, sql: String, rows: &[Vec<Bind>]) -> Result<(), StoreError> {
    match conn {
        Conn::Sqlite(conn) => {
            let mut query = diesel::sql_query(sql).into_boxed::<diesel::sqlite::Sqlite>();
            bind_all!(query, rows);
            query.execute(conn)?;
        }
        Conn::Postgres(conn) => {
            let mut query = diesel::sql_query(sql).into_boxed::<diesel::pg::Pg>();
            bind_all!(query, rows);
            query.execute(conn)?;
        }
        Conn::Mysql(conn) => {
            let mut query = diesel::sql_query(sql).into_boxed::<diesel::mysql::Mysql>();
            bind_all!(query, rows);
            query.execute(conn)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_bounded_by_rows_and_by_bytes() {
        let sizes = |rows: &[Vec<Bind>]| chunks(rows).map(<[_]>::len).collect::<Vec<_>>();
        assert_eq!(sizes(&[]), [0; 0]);
        assert_eq!(sizes(&vec![vec![Bind::I64(1)]; 450]), [200, 200, 50]);
        let large = vec![Bind::Bytes(vec![0; BYTES_PER_STATEMENT * 2 / 3])];
        assert_eq!(
            sizes(&[large.clone(), large.clone(), vec![Bind::I64(1)]]),
            [1, 2]
        );
        let huge = vec![Bind::Bytes(vec![0; BYTES_PER_STATEMENT * 2])];
        assert_eq!(sizes(&[huge, large]), [1, 1]);
    }
}
