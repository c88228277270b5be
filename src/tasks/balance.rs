//! The balance: every record that the journal accepted is stored, repeated, filtered, sampled, invalid, damaged, set
//! aside, or waits. In: the journal's own count, and the ledger that the digest writes with what it stores. Out: both
//! sides at one moment, and whether they agree.

use std::time::Duration;

use crate::app::App;
use crate::store::StoreError;
use crate::store::digest::consumed;
use crate::store::ledger::{self, Outcomes};

/// A difference counts when it is there each time: between the looks at both sides a segment may go.
const LOOKS: usize = 5;
const BETWEEN: Duration = Duration::from_millis(30);

/// Both sides for one journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balance {
    /// What the journal acknowledged since it began.
    pub accepted: i64,
    pub outcomes: Outcomes,
    pub damaged: i64,
    pub waiting: i64,
}

impl Balance {
    pub fn digested(&self) -> i64 {
        self.outcomes.values().sum()
    }

    /// What was accepted and is nowhere; below zero, what is somewhere twice.
    pub fn missing(&self) -> i64 {
        self.accepted - self.digested() - self.damaged - self.waiting
    }

    pub fn holds(&self) -> bool {
        self.missing() == 0 && self.waiting >= 0
    }
}

/// The balance of this node's journal; none while the journal still reads what it found at start.
pub async fn of_this_node(app: &App) -> Result<Option<Balance>, StoreError> {
    settle_missing(app).await?;
    let mut last = None;
    for look in 0..LOOKS {
        if look > 0 {
            tokio::time::sleep(BETWEEN).await;
        }
        let Some(counts) = app.journal.counts() else {
            return Ok(None);
        };
        let entry = app
            .store
            .read(move |conn| ledger::entry(conn, counts.node, counts.safe_below))
            .await?;
        let Some(entry) = entry else { continue };
        let balance = Balance {
            accepted: counts.accepted as i64,
            waiting: counts.present as i64 - entry.still_in_journal,
            damaged: counts.damaged as i64,
            outcomes: entry.outcomes,
        };
        if balance.holds() {
            return Ok(Some(balance));
        }
        last = Some(balance);
    }
    Ok(last)
}

/// Of what the disk lost, some may have been stored before: the digest knows.
async fn settle_missing(app: &App) -> Result<(), StoreError> {
    let missing = app.journal.missing();
    let Some(first) = missing.iter().min().copied() else {
        return Ok(());
    };
    let node = app.journal.node();
    let stored = app
        .store
        .read(move |conn| consumed::from(conn, node, first))
        .await?;
    tracing::error!(
        records = missing.len(),
        "records of the journal cannot be read; they are skipped and counted"
    );
    app.journal.settle_missing(&stored.into_iter().collect());
    Ok(())
}
