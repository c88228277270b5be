//! Stores a batch of processed events with all that follows from them, in one transaction.
//! In: the batch, and what to do about new and regressed issues. Out: what became of each item; counts are true
//! however often a record is delivered.
//!
//! Records of a project always belong to the same partition, and a batch locks its partitions first. So whatever is
//! read here about a project's issues, users and tags stays true until the commit, on every database.

mod allowance;
mod beside;
mod cache;
mod changes;
pub mod consumed;
mod counters;
pub mod dimensions;
pub mod events;
mod flood;
mod hashes;
mod issues;
pub mod ledger;
mod place;
mod reopen;
mod scripts;
mod sessions;
pub mod tag_moves;
pub mod tags;
mod users;

use std::collections::{BTreeMap, BTreeSet, HashSet};

pub use beside::NewAttachment;
pub use cache::{Cache, hold_project, lock_project};
pub use changes::{IssueChange, IssueChangeKind};
pub use hashes::OVERFLOW;
use ledger::Fate;
use place::Placed;

use super::dead_records::{Dead, Origin};
use super::scraped::Asked;
use super::tasks::{self, NewTask};
use super::usage::{self, Count, OutcomeKey};
use super::{Conn, StoreError, refusals};
use crate::process::feedback::Feedback;
use crate::process::session::{self, SessionReport, Told};
use crate::process::{EventKind, ProcessedEvent};

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
    /// The payload of an event as it is stored; see [`super::payload`].
    pub data: Vec<u8>,
    /// A report of this Bugle's own errors: what goes wrong with it is not reported again.
    pub is_own_report: bool,
}

/// What processing made of a record.
#[derive(Debug, Clone)]
pub enum Content {
    Event(Box<ProcessedEvent>),
    /// Nothing that can be kept, for good: counted with its reason.
    Invalid {
        reason: &'static str,
        category: &'static str,
    },
    /// Left out by a filter of the project, for this reason.
    Filtered {
        reason: &'static str,
        category: &'static str,
    },
    /// Counts that ingest made.
    Outcomes(Vec<Count>),
    /// A file beside an event; its bytes are in the blob store.
    Attachment(Box<NewAttachment>),
    Feedback(Box<Feedback>),
    Sessions(session::Item),
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

/// Whether the database is asked for events that it has already before they are counted. Repetitions are rare, and the
/// key of the table finds them in any case: then the batch is stored again, looking for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repetitions {
    NotExpected,
    LookedFor,
}

/// How batches are stored.
pub struct Rules<'a> {
    pub repetitions: Repetitions,
    /// Payloads of one issue that are kept in a minute before a sample is enough; 0 keeps all.
    pub spike_limit: i64,
    /// New issues of a project in a minute, on average; 0 for any number.
    pub new_issue_limit: i64,
    /// Which tasks follow from new and regressed issues.
    pub follow_up: &'a dyn Fn(&IssueChange) -> Vec<NewTask>,
    /// Which tasks follow from events that lack public source maps.
    pub fetch: &'a dyn Fn(&Asked) -> Vec<NewTask>,
}

/// What a batch changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stored {
    pub events: usize,
    /// Of these, counted while their payload was not kept.
    pub sampled: usize,
    pub duplicates: usize,
    /// Records that an earlier batch had stored.
    pub redelivered: usize,
    pub changes: Vec<IssueChange>,
    pub tasks: usize,
}

/// Stores a batch; run it inside one transaction. With [`Repetitions::NotExpected`] it may end with a violated unique key.
pub fn store(
    conn: &mut Conn,
    cache: &Cache,
    batch: &Batch,
    rules: &Rules<'_>,
) -> Result<Stored, StoreError> {
    let partitions: BTreeSet<i64> = batch
        .items
        .iter()
        .map(|item| partition_of(item.project_id))
        .collect();
    let partitions: Vec<i64> = partitions.into_iter().collect();
    let mut known = cache.lock(conn, &partitions)?;

    let mut stored = Stored::default();
    let fresh = consumed::fresh_items(conn, &batch.items)?;
    stored.redelivered = batch.items.len() - fresh.len();
    if fresh.is_empty() {
        return Ok(stored);
    }
    let new_events = events::without_repetitions(conn, &fresh, rules.repetitions)?;
    let mut placement = place::place(conn, &mut known, new_events, rules.new_issue_limit)?;
    let sessions = sessions::prepare(conn, &mut known, session_reports(&fresh))?;
    flood::sample(conn, &mut placement, rules.spike_limit)?;
    stored.events = placement.events.len();
    stored.sampled = placement.events.iter().filter(|event| !event.kept).count();
    stored.duplicates = fresh
        .iter()
        .filter(|item| matches!(item.content, Content::Event(_)))
        .count()
        - placement.events.len();

    // The rows that a repetition stumbles over come first.
    events::insert(conn, &placement.events)?;
    let new_users = users::add(conn, &mut known, &placement.events)?;
    reopen::ignored(conn, &mut placement, &new_users)?;
    let placed = &placement.events;
    issues::bring_up_to_date(conn, &placement, &new_users)?;
    counters::add(conn, placed)?;
    let mut seen = dimensions::releases_of(placed);
    sessions::see(&mut seen, &sessions);
    let releases = dimensions::note_releases(conn, &mut known, &seen)?;
    sessions::add(conn, &sessions, &releases)?;
    dead_records(conn, &fresh)?;
    let fates = fates(&fresh, placed);
    usage::add(conn, &outcomes(&fresh, &fates))?;
    ledger::add(conn, &ledger_sums(&fresh, &fates))?;
    let counted = fresh.iter().flat_map(|item| match &item.content {
        Content::Outcomes(counts) => counts.as_slice(),
        _ => &[],
    });
    refusals::add(conn, counted)?;

    stored.changes = changes::changes(placed);
    changes::record_changes(conn, &stored.changes)?;
    let mut follow_ups: Vec<NewTask> = stored.changes.iter().flat_map(rules.follow_up).collect();
    follow_ups.extend((rules.fetch)(&scripts::ask(conn, placed)?));
    stored.tasks = follow_ups.len();
    tasks::enqueue(conn, &follow_ups)?;
    beside::add_attachments(conn, attachments(&fresh))?;
    beside::add_feedback(conn, feedback(&fresh))?;

    consumed::mark(conn, &fresh, &batch.safe_below)?;
    tags::add(conn, cache, placed)?;
    Ok(stored)
}

/// An event of this batch that is not a repetition, still without its issue.
#[derive(Clone, Copy)]
pub(super) struct NewEvent<'a> {
    pub item: &'a Item,
    pub event: &'a ProcessedEvent,
}

fn session_reports<'a>(
    fresh: &'a [&'a Item],
) -> impl Iterator<Item = (&'a Item, &'a [SessionReport])> {
    fresh.iter().filter_map(|item| match &item.content {
        Content::Sessions(told) => Some((*item, told.reports.as_slice())),
        _ => None,
    })
}

fn attachments<'a>(fresh: &'a [&'a Item]) -> impl Iterator<Item = (&'a Item, &'a NewAttachment)> {
    fresh.iter().filter_map(|item| match &item.content {
        Content::Attachment(file) => Some((*item, &**file)),
        _ => None,
    })
}

fn feedback<'a>(fresh: &'a [&'a Item]) -> impl Iterator<Item = (&'a Item, &'a Feedback)> {
    fresh.iter().filter_map(|item| match &item.content {
        Content::Feedback(feedback) => Some((*item, &**feedback)),
        _ => None,
    })
}

/// How each record ended, in their order.
fn fates(fresh: &[&Item], placed: &[Placed<'_>]) -> Vec<Fate> {
    let number = |item: &Item| (item.node, item.seq);
    let (mut kept, mut sampled) = (HashSet::new(), HashSet::new());
    for event in placed {
        let numbers = if event.kept { &mut kept } else { &mut sampled };
        numbers.insert(number(event.new.item));
    }
    fresh
        .iter()
        .map(|item| match &item.content {
            Content::Event(_) if kept.contains(&number(item)) => Fate::Stored,
            Content::Event(_) if sampled.contains(&number(item)) => Fate::Sampled,
            Content::Event(_) => Fate::Duplicate,
            Content::Invalid { .. } => Fate::Invalid,
            Content::Filtered { .. } => Fate::Filtered,
            Content::Outcomes(_) => Fate::Counts,
            Content::Attachment(_) | Content::Feedback(_) | Content::Sessions(_) => Fate::Beside,
            Content::Dead(_) => Fate::Dead,
        })
        .collect()
}

fn ledger_sums(fresh: &[&Item], fates: &[Fate]) -> BTreeMap<(i64, Fate), i64> {
    let mut sums = BTreeMap::new();
    for (item, fate) in fresh.iter().zip(fates) {
        *sums.entry((item.node, *fate)).or_default() += 1;
    }
    sums
}

/// Adds up the counts of a batch for Usage: what became of its events, and what ingest counted itself.
fn outcomes(fresh: &[&Item], fates: &[Fate]) -> Vec<(OutcomeKey, i64)> {
    let mut sums = BTreeMap::<OutcomeKey, i64>::new();
    for (item, fate) in fresh.iter().zip(fates) {
        if let Content::Outcomes(counts) = &item.content {
            for count in counts {
                *sums.entry(count.key.clone()).or_default() += count.quantity;
            }
            continue;
        }
        let (outcome, reason) = match (fate, &item.content) {
            (Fate::Stored | Fate::Beside, _) => ("accepted", ""),
            // Accepted and counted; only its payload is not kept.
            (Fate::Sampled, _) => ("sampled", "spike"),
            (Fate::Invalid, Content::Invalid { reason, .. }) => ("invalid", *reason),
            (Fate::Filtered, Content::Filtered { reason, .. }) => ("filtered", *reason),
            (Fate::Dead, _) => ("dead", "processing"),
            (fate, _) => (fate.as_str(), ""),
        };
        let key = OutcomeKey {
            project_id: item.project_id,
            key_id: item.key_id,
            hour: item.received_ms / 3_600_000,
            category: category(&item.content).to_owned(),
            outcome: outcome.to_owned(),
            reason: reason.to_owned(),
        };
        if let Content::Sessions(told) = &item.content
            && told.too_old > 0
        {
            let too_old = OutcomeKey {
                outcome: "invalid".to_owned(),
                reason: "too_old".to_owned(),
                ..key.clone()
            };
            *sums.entry(too_old).or_default() += told.too_old;
        }
        *sums.entry(key).or_default() += quantity(&item.content);
    }
    sums.into_iter().collect()
}

/// What no kind is known of counts as what most events are.
fn category(content: &Content) -> &'static str {
    match content {
        Content::Event(event) => event.kind.category(),
        Content::Filtered { category, .. } | Content::Invalid { category, .. } => category,
        Content::Attachment(_) => "attachment",
        Content::Feedback(_) => "feedback",
        Content::Sessions(_) => "session",
        _ => EventKind::Error.category(),
    }
}

/// How much of its category a record is.
fn quantity(content: &Content) -> i64 {
    match content {
        Content::Sessions(told) => told
            .reports
            .iter()
            .map(|report| match report.told {
                Told::One { .. } => 1,
                Told::Many(sessions) => sessions.total,
            })
            .sum(),
        _ => 1,
    }
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
