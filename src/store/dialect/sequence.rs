//! Ids that we make ourselves: no database needs to return what it inserted.
//! In: the name of a sequence. Out: the first of a run of numbers nobody else has.

use diesel::prelude::*;

use crate::store::schema::sequences;
use crate::store::{Conn, StoreError};

/// Takes `count` numbers of a sequence and returns the first; belongs inside a transaction, and holds the row of
/// the sequence until that ends.
pub fn next_ids(conn: &mut Conn, name: &str, count: i64) -> Result<i64, StoreError> {
    let changed = diesel::update(sequences::table.filter(sequences::name.eq(name)))
        .set(sequences::next.eq(sequences::next + count))
        .execute(conn)?;
    if changed == 0 {
        return Err(StoreError::Invalid(format!("there is no sequence {name}")));
    }
    Ok(current(conn, name)? - count)
}

/// Where a sequence stands.
pub fn current(conn: &mut Conn, name: &str) -> Result<i64, StoreError> {
    Ok(sequences::table
        .filter(sequences::name.eq(name))
        .select(sequences::next)
        .first(conn)?)
}
