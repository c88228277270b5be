//! What became of every record of every journal. In: the records of a batch and what was made of them. Out: sums by
//! journal and outcome; with what waits and what was damaged they add up to what the journal accepted.

use std::collections::BTreeMap;

use crate::store::dialect::{Bind, Change, Upsert, upsert_rows};
use crate::store::{Conn, StoreError};

/// How a record ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fate {
    /// An event with its payload.
    Stored,
    /// An event that the project had already.
    Duplicate,
    /// An event that a filter took out.
    Filtered,
    /// An event that was counted while its payload was not kept.
    Sampled,
    /// No event.
    Invalid,
    /// Set aside.
    Dead,
    /// Counts that ingest made; no event either.
    Counts,
    /// An attachment, feedback or sessions, kept beside events.
    Beside,
}

impl Fate {
    pub const ALL: [Self; 8] = [
        Self::Stored,
        Self::Duplicate,
        Self::Filtered,
        Self::Sampled,
        Self::Invalid,
        Self::Dead,
        Self::Counts,
        Self::Beside,
    ];

    /// The stored form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Duplicate => "duplicate",
            Self::Filtered => "filtered",
            Self::Sampled => "sampled",
            Self::Invalid => "invalid",
            Self::Dead => "dead",
            Self::Counts => "counts",
            Self::Beside => "beside",
        }
    }
}

const PLAN: Upsert = Upsert {
    table: "ledger",
    columns: &["node", "outcome", "quantity"],
    key: &["node", "outcome"],
    changes: &[("quantity", Change::Add)],
};

/// Adds sums, by journal and fate.
pub fn add(conn: &mut Conn, sums: &BTreeMap<(i64, Fate), i64>) -> Result<(), StoreError> {
    let rows: Vec<Vec<Bind<'_>>> = sums
        .iter()
        .map(|((node, fate), quantity)| {
            vec![
                Bind::I64(*node),
                Bind::Str(fate.as_str()),
                Bind::I64(*quantity),
            ]
        })
        .collect();
    upsert_rows(conn, &PLAN, &rows)
}
