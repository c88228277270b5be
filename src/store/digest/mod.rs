//! Stores a batch of processed events with all that follows from them, in one transaction.
//! In: the batch, and what to do about new and regressed issues. Out: what became of each item; counts are true
//! however often a record is delivered.
//!
//! Records of a project always belong to the same partition, and a batch locks its partitions first. So whatever is
//! read here about a project's issues, users and tags stays true until the commit, on every database.

pub mod consumed;
mod counters;
pub mod dimensions;
pub mod events;
mod issues;
pub mod tags;

use std::collections::BTreeSet;

pub use issues::{IssueChange, IssueChangeKind};

use super::dead_records::{Dead, Origin};
use super::tasks::{self, NewTask};
use super::usage::{self, OutcomeKey};
use super::{Conn, StoreError, dialect};
use crate::process::ProcessedEvent;

/// The number of partitions, and of streams in Redis. Fixed: records in flight depend on it.
pub const PARTITIONS: i64 = 16;

/// The partition that a project's records belong to.
pub fn partition_of(project_id: i64) -> i64 {
    // Fibonacci hashing spreads small consecutive numbers.
    ((project_id as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 60) as i64
}

/// One journal record, processed.
#[derive(Debug, Clone)]
pub struct Item {
    /// The journal that the record comes from, and its number there.
    pub node: i64,
    pub seq: u64,
    pub project_id: i64,
    pub key_id: i64,
    pub received_ms: i64,
    pub content: Content,
}

/// What processing made of a record.
#[derive(Debug, Clone)]
pub enum Content {
    Event(Box<ProcessedEvent>),
    /// No event, for good: counted with its reason.
    Invalid(&'static str),
    /// Counts that ingest made.
    Outcomes(Vec<(OutcomeKey, i64)>),
    /// Set aside because processing or storing it fails.
    Dead(Box<Dead>),
}

/// Records that were processed together.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    pub items: Vec<Item>,
    /// For each journal node, the number below which it never delivers again.
    pub safe_below: Vec<(i64, u64)>,
}

/// What a batch changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stored {
    pub events: usize,
    pub duplicates: usize,
    /// Records that an earlier batch had stored.
    pub redelivered: usize,
    pub changes: Vec<IssueChange>,
    pub tasks: usize,
}

/// Stores a batch; run it inside one transaction. `follow_up` says which tasks follow from new and regressed issues.
pub fn store(
    conn: &mut Conn,
    batch: &Batch,
    follow_up: &dyn Fn(&IssueChange) -> Vec<NewTask>,
) -> Result<Stored, StoreError> {
    let partitions: BTreeSet<i64> = batch
        .items
        .iter()
        .map(|item| partition_of(item.project_id))
        .collect();
    let partitions: Vec<i64> = partitions.into_iter().collect();
    dialect::lock_partitions(conn, &partitions)?;

    let mut stored = Stored::default();
    let fresh = consumed::fresh_items(conn, &batch.items)?;
    stored.redelivered = batch.items.len() - fresh.len();
    if fresh.is_empty() {
        return Ok(stored);
    }
    let new_events = events::without_duplicates(conn, &fresh)?;
    let placed = issues::place(conn, &new_events)?;
    stored.duplicates = fresh
        .iter()
        .filter(|item| matches!(item.content, Content::Event(_)))
        .count()
        - new_events.len();
    stored.events = new_events.len();

    events::insert(conn, &placed)?;
    counters::add(conn, &placed)?;
    tags::add(conn, &placed)?;
    dimensions::note_releases(conn, &placed)?;
    dead_records(conn, &fresh)?;
    usage::add(conn, &outcomes(&fresh, &new_events))?;

    stored.changes = issues::changes(&placed);
    issues::record_changes(conn, &stored.changes)?;
    let follow_ups: Vec<NewTask> = stored.changes.iter().flat_map(follow_up).collect();
    stored.tasks = follow_ups.len();
    tasks::enqueue(conn, &follow_ups)?;

    write_ledger(conn, &fresh, &new_events)?;
    consumed::mark(conn, &fresh, &batch.safe_below)?;
    Ok(stored)
}

fn write_ledger(
    conn: &mut Conn,
    fresh: &[&Item],
    new_events: &[NewEvent<'_>],
) -> Result<(), StoreError> {
    use dialect::{Bind, Change, Upsert};
    let kept: BTreeSet<(i64, u64)> = new_events
        .iter()
        .map(|new| (new.item.node, new.item.seq))
        .collect();
    let mut sums = std::collections::BTreeMap::<(i64, &str), i64>::new();
    for item in fresh {
        let outcome = match &item.content {
            Content::Outcomes(_) => "counts",
            Content::Event(_) if kept.contains(&(item.node, item.seq)) => "stored",
            Content::Event(_) => "duplicate",
            Content::Invalid(_) => "invalid",
            Content::Dead(_) => "dead",
        };
        *sums.entry((item.node, outcome)).or_default() += 1;
    }
    let rows: Vec<Vec<Bind>> = sums
        .into_iter()
        .map(|((node, outcome), quantity)| {
            vec![
                Bind::I64(node),
                Bind::Text(outcome.to_owned()),
                Bind::I64(quantity),
            ]
        })
        .collect();
    let plan = Upsert {
        table: "ledger",
        columns: &["node", "outcome", "quantity"],
        key: &["node", "outcome"],
        changes: &[("quantity", Change::Add)],
    };
    dialect::upsert_rows(conn, &plan, &rows)
}

/// An event of this batch that is kept, still without its issue.
pub(super) struct NewEvent<'a> {
    pub item: &'a Item,
    pub event: &'a ProcessedEvent,
}

/// Adds up the counts of a batch: accepted, repeated and invalid events, and what ingest counted itself.
fn outcomes(fresh: &[&Item], new_events: &[NewEvent<'_>]) -> Vec<(OutcomeKey, i64)> {
    let kept: BTreeSet<(i64, u64)> = new_events
        .iter()
        .map(|new| (new.item.node, new.item.seq))
        .collect();
    let mut sums = std::collections::BTreeMap::<OutcomeKey, i64>::new();
    for item in fresh {
        let (outcome, reason) = match &item.content {
            Content::Outcomes(counts) => {
                for (key, quantity) in counts {
                    *sums.entry(key.clone()).or_default() += quantity;
                }
                continue;
            }
            Content::Event(_) if kept.contains(&(item.node, item.seq)) => ("accepted", ""),
            Content::Event(_) => ("duplicate", ""),
            Content::Invalid(reason) => ("invalid", *reason),
            Content::Dead(_) => ("dead", "processing"),
        };
        let key = OutcomeKey {
            project_id: item.project_id,
            key_id: item.key_id,
            hour: item.received_ms / 3_600_000,
            category: "error".to_owned(),
            outcome: outcome.to_owned(),
            reason: reason.to_owned(),
        };
        *sums.entry(key).or_default() += 1;
    }
    sums.into_iter().collect()
}

fn dead_records(conn: &mut Conn, fresh: &[&Item]) -> Result<(), StoreError> {
    let dead: Vec<(Origin, &Dead)> = fresh
        .iter()
        .filter_map(|item| match &item.content {
            Content::Dead(dead) => {
                let origin = Origin {
                    node: item.node,
                    seq: item.seq,
                    project_id: item.project_id,
                };
                Some((origin, &**dead))
            }
            _ => None,
        })
        .collect();
    super::dead_records::insert(conn, &dead)
}
