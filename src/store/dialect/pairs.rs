//! Which of many pairs of a number and some bytes a table has. In: the pairs. Out: those that are there, by as few
//! looks into the index as there are pairs.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary};

use crate::store::{Conn, StoreError};

/// Pairs asked for at once where each is two binds.
const AT_ONCE: usize = 500;

#[derive(QueryableByName)]
struct Pair {
    #[diesel(sql_type = BigInt)]
    number: i64,
    #[diesel(sql_type = Binary)]
    bytes: Vec<u8>,
}

/// The pairs that have a row; the two columns are the table's key.
pub fn existing_pairs(
    conn: &mut Conn,
    table: &str,
    columns: [&str; 2],
    pairs: &[(i64, &[u8])],
) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
    let [first, second] = columns;
    let mut found = Vec::new();
    match conn {
        Conn::Postgres(conn) => {
            let sql = format!(
                "SELECT t.{first} AS number, t.{second} AS bytes FROM unnest($1, $2) AS wanted (number, bytes) \
                 JOIN {table} t ON t.{first} = wanted.number AND t.{second} = wanted.bytes"
            );
            let numbers: Vec<i64> = pairs.iter().map(|(number, _)| *number).collect();
            let bytes: Vec<&[u8]> = pairs.iter().map(|(_, bytes)| *bytes).collect();
            found = diesel::sql_query(sql)
                .bind::<Array<BigInt>, _>(numbers)
                .bind::<Array<Binary>, _>(bytes)
                .load::<Pair>(conn)?;
        }
        Conn::Sqlite(conn) => {
            for pairs in pairs.chunks(AT_ONCE) {
                // CROSS JOIN tells SQLite to begin with what is wanted.
                let sql = format!(
                    "WITH wanted (number, bytes) AS (VALUES {}) \
                     SELECT t.{first} AS number, t.{second} AS bytes FROM wanted \
                     CROSS JOIN {table} t ON t.{first} = wanted.number AND t.{second} = wanted.bytes",
                    vec!["(?,?)"; pairs.len()].join(",")
                );
                let mut query = diesel::sql_query(sql).into_boxed::<diesel::sqlite::Sqlite>();
                for (number, bytes) in pairs {
                    query = query.bind::<BigInt, _>(*number).bind::<Binary, _>(*bytes);
                }
                found.extend(query.load::<Pair>(conn)?);
            }
        }
        Conn::Mysql(conn) => {
            // A list of pairs is not always looked up in the index here; a list of values of one number is.
            let mut by_number = BTreeMap::<i64, Vec<&[u8]>>::new();
            for (number, bytes) in pairs {
                by_number.entry(*number).or_default().push(bytes);
            }
            for (number, bytes) in by_number {
                for bytes in bytes.chunks(AT_ONCE) {
                    let sql = format!(
                        "SELECT {first} AS number, {second} AS bytes FROM {table} WHERE {first} = ? AND {second} IN ({})",
                        vec!["?"; bytes.len()].join(",")
                    );
                    let mut query = diesel::sql_query(sql)
                        .into_boxed::<diesel::mysql::Mysql>()
                        .bind::<BigInt, _>(number);
                    for bytes in bytes {
                        query = query.bind::<Binary, _>(*bytes);
                    }
                    found.extend(query.load::<Pair>(conn)?);
                }
            }
        }
    }
    Ok(found
        .into_iter()
        .map(|pair| (pair.number, pair.bytes))
        .collect())
}
