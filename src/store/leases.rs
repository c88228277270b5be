//! Rows that one node at a time holds, and the slots of periodic tasks.
//! In: a name, who asks and for how long. Out: whether the asker holds it, by the database's clock.

use diesel::prelude::*;

use super::dialect::{self, Bind};
use super::schema::leases;
use super::tasks::{self, NewTask};
use super::{Conn, StoreError};

/// Takes or prolongs a lease; false while somebody else holds it.
pub fn acquire(
    conn: &mut Conn,
    name: &str,
    holder: &str,
    lease_ms: i64,
) -> Result<bool, StoreError> {
    let now = dialect::clock_ms(conn)?;
    ensure_row(conn, name)?;
    let free = leases::table
        .find(name)
        .filter(leases::holder.eq(holder).or(leases::expires_at.le(now)));
    let changed = diesel::update(free)
        .set((
            leases::holder.eq(holder),
            leases::expires_at.eq(now + lease_ms),
        ))
        .execute(conn)?;
    Ok(changed == 1)
}

/// Gives a lease back, so that the next holder need not wait for its end.
pub fn give_back(conn: &mut Conn, name: &str, holder: &str) -> Result<(), StoreError> {
    diesel::update(leases::table.find(name).filter(leases::holder.eq(holder)))
        .set(leases::expires_at.eq(0))
        .execute(conn)?;
    Ok(())
}

/// Enqueues a periodic task once for each slot of `every_ms`, whoever asks and however often: the slot's row says when
/// the next one begins, and it moves on in the transaction that writes the task.
pub fn enqueue_slot(
    conn: &mut Conn,
    task: &NewTask,
    every_ms: i64,
    holder: &str,
) -> Result<bool, StoreError> {
    let now = dialect::clock_ms(conn)?;
    let name = format!("slot:{}", task.kind);
    ensure_row(conn, &name)?;
    let slot = now / every_ms;
    let passed = diesel::update(leases::table.find(&name).filter(leases::expires_at.le(now)))
        .set((
            leases::holder.eq(holder),
            leases::expires_at.eq((slot + 1) * every_ms),
        ))
        .execute(conn)?;
    if passed == 0 {
        return Ok(false);
    }
    let task = NewTask {
        unique_key: Some(format!("{name}:{slot}")),
        run_at: now,
        ..task.clone()
    };
    tasks::enqueue(conn, &[task])?;
    Ok(true)
}

fn ensure_row(conn: &mut Conn, name: &str) -> Result<(), StoreError> {
    let known: Option<i64> = leases::table
        .find(name)
        .select(leases::expires_at)
        .first(conn)
        .optional()?;
    if known.is_some() {
        return Ok(());
    }
    dialect::insert_missing(
        conn,
        "leases",
        &["name", "holder", "expires_at"],
        &[vec![
            Bind::Text(name.to_owned()),
            Bind::Text(String::new()),
            Bind::I64(0),
        ]],
    )
}
