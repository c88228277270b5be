//! Many rows in one statement: plain inserts, inserts that skip what is there, and upserts.
//! In: a table, its columns and rows of values. Out: as few statements as pay, of texts that repeat, so that every
//! connection parses each of them once.

use std::fmt::Write as _;

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Binary, Bool, Integer, Nullable, Text};

use crate::store::{Backend, Conn, StoreError};

/// One value of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Bind<'a> {
    I64(i64),
    I32(i32),
    Bool(bool),
    Text(String),
    Str(&'a str),
    Bytes(Vec<u8>),
    Slice(&'a [u8]),
    OptI64(Option<i64>),
    OptText(Option<String>),
    OptStr(Option<&'a str>),
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

/// Rows of one statement where values stand in its text. Few sizes make few texts; the largest keeps far from every
/// bind limit.
const STEPS: [usize; 4] = [64, 16, 4, 1];

/// Rows of one statement where each column is one array.
const MOST_ROWS: usize = 4096;

/// A statement must fit into a packet of the server: 16 MiB on a MariaDB that nobody configured.
const BYTES_PER_STATEMENT: usize = 2 * 1024 * 1024;

impl Bind<'_> {
    fn size(&self) -> usize {
        match self {
            Self::Text(text) | Self::OptText(Some(text)) => text.len(),
            Self::Str(text) | Self::OptStr(Some(text)) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
            Self::Slice(bytes) => bytes.len(),
            Self::I64(_)
            | Self::I32(_)
            | Self::Bool(_)
            | Self::OptI64(_)
            | Self::OptText(None)
            | Self::OptStr(None) => 8,
        }
    }

    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::OptText(Some(text)) => Some(text),
            Self::Str(text) | Self::OptStr(Some(text)) => Some(text),
            _ => None,
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Slice(bytes) => bytes,
            _ => &[],
        }
    }

    fn i64(&self) -> Option<i64> {
        match self {
            Self::I64(value) => Some(*value),
            Self::OptI64(value) => *value,
            Self::I32(value) => Some(i64::from(*value)),
            _ => None,
        }
    }
}

/// Inserts all rows; a key that exists is an error.
pub fn insert_rows(
    conn: &mut Conn,
    table: &str,
    columns: &[&str],
    rows: &[Vec<Bind<'_>>],
) -> Result<(), StoreError> {
    run(conn, table, columns, "", rows)
}

/// Inserts the rows whose key (any unique key) is not there yet and leaves the others alone.
pub fn insert_missing(
    conn: &mut Conn,
    table: &str,
    columns: &[&str],
    rows: &[Vec<Bind<'_>>],
) -> Result<(), StoreError> {
    let tail = match conn.backend() {
        // Not INSERT IGNORE, which would also swallow values that do not fit.
        Backend::Mysql => {
            let first = columns[0];
            format!(" ON DUPLICATE KEY UPDATE {first} = {table}.{first}")
        }
        _ => " ON CONFLICT DO NOTHING".to_owned(),
    };
    run(conn, table, columns, &tail, rows)
}

/// Inserts the rows, or changes those that are there as the plan says. Keys must be distinct within one call.
pub fn upsert_rows(
    conn: &mut Conn,
    plan: &Upsert,
    rows: &[Vec<Bind<'_>>],
) -> Result<(), StoreError> {
    let tail = upsert_tail(conn.backend(), plan);
    run(conn, plan.table, plan.columns, &tail, rows)
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

fn run(
    conn: &mut Conn,
    table: &str,
    columns: &[&str],
    tail: &str,
    rows: &[Vec<Bind<'_>>],
) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    debug_assert!(
        rows.iter().all(|row| row.len() == columns.len()),
        "a value for each column"
    );
    let head = format!("INSERT INTO {table} ({})", columns.join(", "));
    match conn {
        Conn::Postgres(conn) => {
            for rows in chunks(rows, &[MOST_ROWS]) {
                Arrays::new(&head, tail, rows).execute(conn)?;
            }
        }
        Conn::Sqlite(conn) => {
            for rows in chunks(rows, &STEPS) {
                let head = head.as_str();
                Values { head, tail, rows }.execute(conn)?;
            }
        }
        Conn::Mysql(conn) => {
            for rows in chunks(rows, &STEPS) {
                let head = head.as_str();
                Values { head, tail, rows }.execute(conn)?;
            }
        }
    }
    Ok(())
}

/// Runs of rows, each of the largest size that is not larger than what is left and within the limit of bytes; a
/// single row may be larger. Sizes are in falling order; what is left below the smallest is a run as well.
fn chunks<'r, 'b>(
    rows: &'r [Vec<Bind<'b>>],
    sizes: &'r [usize],
) -> impl Iterator<Item = &'r [Vec<Bind<'b>>]> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fitting = rest
            .iter()
            .take(sizes[0])
            .take_while(|row| {
                bytes += row.iter().map(Bind::size).sum::<usize>();
                bytes <= BYTES_PER_STATEMENT
            })
            .count()
            .max(1)
            .min(rest.len());
        let size = sizes
            .iter()
            .copied()
            .find(|size| *size <= fitting)
            .unwrap_or(fitting);
        let (chunk, tail) = rest.split_at(size);
        rest = tail;
        (!chunk.is_empty()).then_some(chunk)
    })
}

/// `INSERT … VALUES (…), (…)`: as many binds as there are values.
struct Values<'r, 'b> {
    head: &'r str,
    tail: &'r str,
    rows: &'r [Vec<Bind<'b>>],
}

impl QueryId for Values<'_, '_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<C> RunQueryDsl<C> for Values<'_, '_> {}

macro_rules! walk_values {
    ($backend:ty) => {
        impl QueryFragment<$backend> for Values<'_, '_> {
            fn walk_ast<'x>(&'x self, mut pass: AstPass<'_, 'x, $backend>) -> QueryResult<()> {
                pass.push_sql(self.head);
                for (number, row) in self.rows.iter().enumerate() {
                    pass.push_sql(if number > 0 { ",(" } else { " VALUES (" });
                    for (column, value) in row.iter().enumerate() {
                        if column > 0 {
                            pass.push_sql(",");
                        }
                        match value {
                            Bind::I64(value) => pass.push_bind_param::<BigInt, _>(value)?,
                            Bind::I32(value) => pass.push_bind_param::<Integer, _>(value)?,
                            Bind::Bool(value) => pass.push_bind_param::<Bool, _>(value)?,
                            Bind::Text(value) => {
                                pass.push_bind_param::<Text, _>(value.as_str())?;
                            }
                            Bind::Str(value) => pass.push_bind_param::<Text, _>(*value)?,
                            Bind::Bytes(value) => {
                                pass.push_bind_param::<Binary, _>(value.as_slice())?;
                            }
                            Bind::Slice(value) => pass.push_bind_param::<Binary, _>(*value)?,
                            Bind::OptI64(value) => {
                                pass.push_bind_param::<Nullable<BigInt>, _>(value)?;
                            }
                            Bind::OptText(value) => {
                                pass.push_bind_param::<Nullable<Text>, _>(value)?;
                            }
                            Bind::OptStr(value) => {
                                pass.push_bind_param::<Nullable<Text>, _>(value)?;
                            }
                        }
                    }
                    pass.push_sql(")");
                }
                pass.push_sql(self.tail);
                Ok(())
            }
        }
    };
}

walk_values!(diesel::sqlite::Sqlite);
walk_values!(diesel::mysql::Mysql);

/// `INSERT … SELECT * FROM unnest(…)`: one array a column, so that the text does not depend on how many rows there are.
struct Arrays<'r> {
    head: &'r str,
    tail: &'r str,
    columns: Vec<Column<'r>>,
}

enum Column<'r> {
    I64(Vec<Option<i64>>),
    I32(Vec<i32>),
    Bool(Vec<bool>),
    Text(Vec<Option<&'r str>>),
    Bytes(Vec<&'r [u8]>),
}

impl<'r> Arrays<'r> {
    fn new(head: &'r str, tail: &'r str, rows: &'r [Vec<Bind<'_>>]) -> Self {
        let first = rows.first().map_or(&[][..], Vec::as_slice);
        let columns: Vec<Column<'r>> = first
            .iter()
            .enumerate()
            .map(|(at, value)| {
                let values = rows.iter().map(|row| &row[at]);
                match value {
                    Bind::I64(_) | Bind::OptI64(_) => Column::I64(values.map(Bind::i64).collect()),
                    Bind::I32(_) => Column::I32(
                        values
                            .map(|value| value.i64().unwrap_or_default() as i32)
                            .collect(),
                    ),
                    Bind::Bool(_) => Column::Bool(
                        values
                            .map(|value| matches!(value, Bind::Bool(true)))
                            .collect(),
                    ),
                    Bind::Text(_) | Bind::Str(_) | Bind::OptText(_) | Bind::OptStr(_) => {
                        Column::Text(values.map(Bind::text).collect())
                    }
                    Bind::Bytes(_) | Bind::Slice(_) => {
                        Column::Bytes(values.map(Bind::bytes).collect())
                    }
                }
            })
            .collect();
        Self {
            head,
            tail,
            columns,
        }
    }
}

impl QueryId for Arrays<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<C> RunQueryDsl<C> for Arrays<'_> {}

impl QueryFragment<Pg> for Arrays<'_> {
    fn walk_ast<'x>(&'x self, mut pass: AstPass<'_, 'x, Pg>) -> QueryResult<()> {
        pass.push_sql(self.head);
        for (number, column) in self.columns.iter().enumerate() {
            pass.push_sql(if number > 0 {
                ","
            } else {
                " SELECT * FROM unnest("
            });
            match column {
                Column::I64(values) => {
                    pass.push_bind_param::<Array<Nullable<BigInt>>, _>(values)?;
                }
                Column::I32(values) => {
                    pass.push_bind_param::<Array<Integer>, _>(values)?;
                }
                Column::Bool(values) => {
                    pass.push_bind_param::<Array<Bool>, _>(values)?;
                }
                Column::Text(values) => {
                    pass.push_bind_param::<Array<Nullable<Text>>, _>(values)?;
                }
                Column::Bytes(values) => {
                    pass.push_bind_param::<Array<Binary>, _>(values)?;
                }
            }
        }
        pass.push_sql(")");
        pass.push_sql(self.tail);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_bounded_by_rows_and_by_bytes() {
        let sizes =
            |rows: &[Vec<Bind<'_>>]| chunks(rows, &STEPS).map(<[_]>::len).collect::<Vec<_>>();
        assert_eq!(sizes(&[]), [0; 0]);
        assert_eq!(
            sizes(&vec![vec![Bind::I64(1)]; 150]),
            [64, 64, 16, 4, 1, 1],
            "few sizes, so that few texts have to be parsed"
        );
        let large = vec![Bind::Bytes(vec![0; BYTES_PER_STATEMENT * 2 / 3])];
        assert_eq!(
            sizes(&[large.clone(), large.clone(), vec![Bind::I64(1)]]),
            [1, 1, 1]
        );
        let huge = vec![Bind::Bytes(vec![0; BYTES_PER_STATEMENT * 2])];
        assert_eq!(sizes(&[huge, large]), [1, 1]);
        let rows = vec![vec![Bind::I64(1)]; 5000];
        let most: Vec<usize> = chunks(&rows, &[MOST_ROWS]).map(<[_]>::len).collect();
        assert_eq!(most, [4096, 904]);
    }
}
