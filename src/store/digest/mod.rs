//! Stores a batch of processed events with all that follows from them, in one transaction.
//! In: the batch, and what to do about new and regressed issues. Out: what became of each item; counts are true
//! however often a record is delivered.
//!
//! Records of a project always belong to the same partition, and a batch locks its partitions first. So whatever is
//! read here about a project's issues, users and tags stays true until the commit, on every database.

mod consumed;
mod counters;
pub mod dimensions;
pub mod events;
mod issues;
pub mod tags;

use std::collections::BTreeSet;

pub use issues::{IssueChange, IssueChangeKind};

use super::tasks::{self, NewTask};
use super::usage::{self, Count, OutcomeKey};
use super::{Conn, StoreError, dialect, now_ms, refusals};
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
    Outcomes(Vec<Count>),
    /// Set aside because processing or storing it fails.
    Dead {
        reason: String,
        attempts: i32,
        event_id: [u8; 16],
        record: Vec<u8>,
    },
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
    let counted = fresh.iter().flat_map(|item| match &item.content {
        Content::Outcomes(counts) => counts.as_slice(),
        _ => &[],
    });
    refusals::add(conn, counted)?;

    stored.changes = issues::changes(&placed);
    issues::record_changes(conn, &stored.changes)?;
    let follow_ups: Vec<NewTask> = stored.changes.iter().flat_map(follow_up).collect();
    stored.tasks = follow_ups.len();
    tasks::enqueue(conn, &follow_ups)?;

    consumed::mark(conn, &fresh, &batch.safe_below)?;
    Ok(stored)
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
                for count in counts {
                    *sums.entry(count.key.clone()).or_default() += count.quantity;
                }
                continue;
            }
            Content::Event(_) if kept.contains(&(item.node, item.seq)) => ("accepted", ""),
            Content::Event(_) => ("duplicate", ""),
            Content::Invalid(reason) => ("invalid", *reason),
            Content::Dead { .. } => ("dead", "processing"),
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
    use dialect::Bind;
    let mut rows = Vec::new();
    for item in fresh {
        if let Content::Dead {
            reason,
            attempts,
            event_id,
            record,
        } = &item.content
        {
            rows.push(vec![
                Bind::I64(dialect::next_ids(conn, "dead_record", 1)?),
                Bind::I64(item.project_id),
                Bind::I64(item.node),
                Bind::I64(item.seq as i64),
                Bind::Bytes(event_id.to_vec()),
                Bind::Text(reason.clone()),
                Bind::I32(*attempts),
                Bind::Bytes(record.clone()),
                Bind::I64(now_ms()),
            ]);
        }
    }
    let columns = [
        "id",
        "project_id",
        "node",
        "seq",
        "event_id",
        "reason",
        "attempts",
        "record",
        "created_at",
    ];
    dialect::insert_rows(conn, "dead_records", &columns, &rows)
}
