//! What became of journal records, by the journal that they come from. In: a journal's number. Out: how many of its
//! records ended how, as the digest wrote it in the transactions that stored them.

use std::collections::BTreeMap;

use diesel::prelude::*;

use super::digest::consumed;
use super::digest::ledger::Fate;
use super::schema::ledger;
use super::{Conn, StoreError};

/// How many records ended with each outcome.
pub type Outcomes = BTreeMap<String, i64>;

/// The store's side of the balance of one journal.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entry {
    pub outcomes: Outcomes,
    /// Of these records, those that the journal still has in a segment.
    pub still_in_journal: i64,
}

impl Entry {
    /// Records of which it is known how they ended.
    pub fn digested(&self) -> i64 {
        self.outcomes.values().sum()
    }
}

/// What became of one journal's records; `safe_below` is the lowest number that the journal still has. None while
/// batches of this journal come in so fast that no moment lies between them.
pub fn entry(conn: &mut Conn, node: i64, safe_below: u64) -> Result<Option<Entry>, StoreError> {
    const TRIES: usize = 10;
    let mut before = consumed::count_from(conn, node, safe_below)?;
    for _ in 0..TRIES {
        // Each statement may see another state of the database: equal counts around it make it one.
        let outcomes = ledger::table
            .filter(ledger::node.eq(node))
            .select((ledger::outcome, ledger::quantity))
            .load::<(String, i64)>(conn)?;
        let after = consumed::count_from(conn, node, safe_below)?;
        if after == before {
            return Ok(Some(Entry {
                outcomes: outcomes.into_iter().collect(),
                still_in_journal: after,
            }));
        }
        before = after;
    }
    Ok(None)
}

/// What became of the records of all journals that ever were.
pub fn sums(conn: &mut Conn) -> Result<Outcomes, StoreError> {
    let mut sums = Outcomes::new();
    let rows: Vec<(String, i64)> = ledger::table
        .select((ledger::outcome, ledger::quantity))
        .load(conn)?;
    for (outcome, quantity) in rows {
        *sums.entry(outcome).or_default() += quantity;
    }
    Ok(sums)
}

/// A record that was set aside is counted as something else now.
pub(super) fn take_back_dead(conn: &mut Conn, node: i64) -> Result<(), StoreError> {
    let row = ledger::table
        .filter(ledger::node.eq(node))
        .filter(ledger::outcome.eq(Fate::Dead.as_str()))
        .filter(ledger::quantity.gt(0));
    let changed = diesel::update(row)
        .set(ledger::quantity.eq(ledger::quantity - 1))
        .execute(conn)?;
    if changed == 0 {
        // It was set aside before there was a ledger, and must not come into it now.
        diesel::update(
            ledger::table
                .filter(ledger::node.eq(node))
                .filter(ledger::outcome.eq(Fate::Stored.as_str())),
        )
        .set(ledger::quantity.eq(ledger::quantity - 1))
        .execute(conn)?;
    }
    Ok(())
}
