//! The task that never ends: digests events in batches. In: records from the queue. Out: one transaction a batch, and
//! only then the word that the records may go.
//!
//! Only a record that was stored alone is blamed for a failure: a batch that fails is halved until the culprit is
//! found. A database that is away blames nobody; the batch waits for it. What fails alone goes to [`super::poison`].

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::content::{self, Problem};
use super::files::Files;
use super::kinds::{fetch_source_map, notify_issue, train_dictionaries};
use super::poison::{Poison, hook};
use crate::app::App;
use crate::journal::RecordKind;
use crate::process::ProcessedEvent;
use crate::queue::{Claim, Delivery, Queue, Terms};
use crate::store::digest::{self, Batch, Content, Item, Repetitions, Rules, Stored};
use crate::store::payload::Packer;
use crate::store::tasks::NewTask;
use crate::store::{Conn, StoreError};
use crate::telemetry::metrics::DigestOutcome;
use crate::telemetry::{METRICS, self_report};

/// Records in one transaction: cost per event falls up to here, and memory grows beyond.
const BATCH: usize = 500;
const PATIENCE: Duration = Duration::from_millis(300);

/// The journal and the number of a record that failed, with its error.
type Failed = ((i64, u64), String);

/// What became of a batch in the store.
pub(super) enum Outcome {
    /// All is stored, but for the records that the store refused alone, each with its error.
    Stored { refused: Vec<Failed> },
    /// The process stops before it is possible.
    NotNow,
}

/// Works until `stop`; run it on a thread of its own, several of them for several cores.
pub fn run(app: &Arc<App>, poison: &Poison, mut queue: Box<dyn Queue>, stop: &AtomicBool) {
    let mut queue_was_away = false;
    let mut files = Files::default();
    while !stop.load(Ordering::Acquire) {
        let mut claim = match queue.claim(BATCH, PATIENCE) {
            Ok(claim) => claim,
            Err(error) => {
                if !queue_was_away {
                    tracing::warn!(%error, "no events to digest until the queue is back");
                    queue_was_away = true;
                }
                std::thread::sleep(PATIENCE);
                continue;
            }
        };
        if queue_was_away {
            tracing::info!("the queue is back");
            queue_was_away = false;
        }
        poison.set_apart(&mut claim.deliveries);
        let dumps = further_dumps(&mut claim.deliveries);
        if !dumps.is_empty()
            && let Err(error) = queue.release(&dumps)
        {
            tracing::warn!(%error, "the queue did not take minidumps back; they come again");
        }
        // Before the watch looks on: whoever is slow to take files is not the fault of what is processed.
        let kept = files.keep(app, &mut claim.deliveries);
        if let Err(error) = queue.postpone(&kept.waiting) {
            tracing::warn!(%error, "the queue did not take attachments back; they come again");
        }
        if claim.deliveries.is_empty() {
            if !kept.waiting.is_empty() {
                std::thread::sleep(PATIENCE);
            }
            continue;
        }
        let attempt = poison.attempts.begin(claim.deliveries.iter(), false);
        METRICS.digest.claimed(claim.deliveries.len());
        let began = Instant::now();
        let away = AtomicBool::new(false);
        let (mut items, mut failed) = processed(app, &claim.deliveries, &away);
        items.extend(kept.items);
        METRICS.digest.process.observe(began.elapsed());
        if !attempt.processed() {
            tracing::warn!("a thread that was stuck is free again; its batch is somebody else's");
            return;
        }
        let outcome = if away.load(Ordering::Acquire) {
            std::thread::sleep(PATIENCE);
            Outcome::NotNow
        } else {
            store_or_halve(app, items, &claim.terms, stop)
        };
        drop(attempt);
        let result = match outcome {
            Outcome::Stored { refused } => {
                failed.extend(refused);
                let stored = set_failed_aside(poison, claim, failed);
                queue.acknowledge(&stored)
            }
            Outcome::NotNow => queue.release(&claim.deliveries),
        };
        if let Err(error) = result {
            // Stored and not acknowledged: it comes again and changes nothing.
            tracing::warn!(%error, "the queue did not hear of a finished batch");
        }
    }
}

/// Takes all minidumps but the first out of a claim: each takes seconds, and a batch has its time.
fn further_dumps(deliveries: &mut Vec<Delivery>) -> Vec<Delivery> {
    let is_dump = |delivery: &Delivery| delivery.record.kind == RecordKind::Minidump;
    if deliveries
        .iter()
        .filter(|delivery| is_dump(delivery))
        .count()
        < 2
    {
        return Vec::new();
    }
    let mut has_one = false;
    let (dumps, rest) = std::mem::take(deliveries)
        .into_iter()
        .partition(|delivery| is_dump(delivery) && std::mem::replace(&mut has_one, true));
    *deliveries = rest;
    dumps
}

/// Hands what failed alone to the isolation, and gives the rest.
fn set_failed_aside(poison: &Poison, claim: Claim, failed: Vec<Failed>) -> Vec<Delivery> {
    if failed.is_empty() {
        return claim.deliveries;
    }
    let mut errors: HashMap<(i64, u64), String> = failed.into_iter().collect();
    let mut stored = Vec::with_capacity(claim.deliveries.len());
    let mut aside = Vec::new();
    for delivery in claim.deliveries {
        match errors.remove(&(delivery.node, delivery.record.seq)) {
            Some(error) => aside.push((delivery, error)),
            None => stored.push(delivery),
        }
    }
    poison.take_failed(aside);
    stored
}

/// Records as the store takes them, and those whose processing failed. A panic inside processing costs its record only. Attachments have
/// been seen to already.
fn processed(app: &App, deliveries: &[Delivery], away: &AtomicBool) -> (Vec<Item>, Vec<Failed>) {
    let mut items = Vec::with_capacity(deliveries.len());
    let mut failed = Vec::new();
    for delivery in deliveries {
        if delivery.record.kind == RecordKind::Attachment {
            continue;
        }
        match content::of(app, delivery, away) {
            Ok(content) => items.push(item(delivery, content)),
            Err(Problem::Failed(error)) => {
                failed.push(((delivery.node, delivery.record.seq), error));
            }
            Err(Problem::NotNow(error)) => {
                tracing::warn!(error, "a batch cannot be processed now; it waits");
                away.store(true, Ordering::Release);
            }
        }
    }
    pack(app, &mut items);
    (items, failed)
}

pub(super) fn item(delivery: &Delivery, content: Content) -> Item {
    let record = &delivery.record;
    Item {
        node: delivery.node,
        seq: record.seq,
        project_id: record.project_id,
        key_id: record.key_id,
        received_ms: record.received_ms,
        content,
        data: Vec::new(),
        is_own_report: self_report::is_own(&record.body),
    }
}

/// Compresses the payloads of events, as they are stored. All of a batch in one go and platform by platform: a dictionary
/// with its tables fills half of what is near to the processor, and takes twice the time where it has to come back for
/// each event.
pub(super) fn pack(app: &App, items: &mut [Item]) {
    let mut events: Vec<(&mut ProcessedEvent, &mut Vec<u8>)> = items
        .iter_mut()
        .filter_map(|item| match &mut item.content {
            Content::Event(event) => Some((&mut **event, &mut item.data)),
            _ => None,
        })
        .collect();
    events.sort_by(|(left, _), (right, _)| left.platform.cmp(&right.platform));
    let current = app.dictionaries.current();
    let mut packer = Packer::new(&current);
    for (event, data) in events {
        *data = packer.pack(&std::mem::take(&mut event.payload), &event.platform);
    }
}

/// Stores items, in halves where they cannot be stored together.
pub(super) fn store_or_halve(
    app: &Arc<App>,
    items: Vec<Item>,
    terms: &Terms,
    stop: &AtomicBool,
) -> Outcome {
    if items.is_empty() {
        return Outcome::Stored {
            refused: Vec::new(),
        };
    }
    let batch = Arc::new(Batch {
        items,
        safe_below: terms.safe_below.clone(),
    });
    let mut pause = Duration::from_millis(100);
    loop {
        match write(app, &batch) {
            Ok(stored) => {
                count(&batch, &stored);
                if stored.tasks > 0 {
                    app.tasks_wake.notify_one();
                }
                train_dictionaries::after(app, stored.events);
                return Outcome::Stored {
                    refused: Vec::new(),
                };
            }
            Err(error) if error.is_infrastructure() => {
                tracing::warn!(%error, records = batch.items.len(), "the database is away; events wait");
                METRICS.digest.retries.inc();
                if stop.load(Ordering::Acquire) || terms.is_expired() {
                    return Outcome::NotNow;
                }
                std::thread::sleep(pause);
                pause = (pause * 2).min(Duration::from_secs(2));
            }
            Err(error) => {
                if let [item] = &batch.items[..] {
                    return Outcome::Stored {
                        refused: vec![((item.node, item.seq), error.to_string())],
                    };
                }
                tracing::warn!(%error, records = batch.items.len(), "a batch cannot be stored as a whole; looking for the culprit");
                METRICS.digest.retries.inc();
                let (first, second) = batch.items.split_at(batch.items.len() / 2);
                let first = store_or_halve(app, first.to_vec(), terms, stop);
                let second = store_or_halve(app, second.to_vec(), terms, stop);
                return match (first, second) {
                    (
                        Outcome::Stored { mut refused },
                        Outcome::Stored {
                            refused: more_refused,
                        },
                    ) => {
                        refused.extend(more_refused);
                        Outcome::Stored { refused }
                    }
                    _ => Outcome::NotNow,
                };
            }
        }
    }
}

/// One transaction; where it stumbled over an event that was there already, another that looks for such.
pub(super) fn write(app: &Arc<App>, batch: &Arc<Batch>) -> Result<Stored, StoreError> {
    let began = Instant::now();
    let own = batch.items.iter().any(|item| item.is_own_report);
    let _muted = own.then(self_report::mute);
    let attempt = |repetitions| {
        let (context, batch) = (Arc::clone(app), Arc::clone(batch));
        app.store.write_blocking(move |conn| {
            // This runs on a writer's thread.
            let _muted = own.then(self_report::mute);
            store(&context, conn, &batch, repetitions)
        })
    };
    let stored = match attempt(Repetitions::NotExpected) {
        Err(error) if error.is_unique_violation() => attempt(Repetitions::LookedFor),
        other => other,
    };
    METRICS.digest.store.observe(began.elapsed());
    stored
}

/// What became of the records of a batch that is stored.
fn count(batch: &Batch, stored: &Stored) {
    let of = |wanted: fn(&Content) -> bool| {
        let items = batch.items.iter();
        items.filter(|item| wanted(&item.content)).count()
    };
    let digest = &METRICS.digest;
    digest.ended(DigestOutcome::Stored, stored.events - stored.sampled);
    digest.ended(DigestOutcome::Sampled, stored.sampled);
    digest.ended(DigestOutcome::Duplicate, stored.duplicates);
    digest.ended(DigestOutcome::Redelivered, stored.redelivered);
    // A batch that comes again comes as a whole or for the most part: what was redelivered is not counted twice there.
    if stored.redelivered == 0 {
        let invalid = of(|content| matches!(content, Content::Invalid { .. }));
        digest.ended(DigestOutcome::Invalid, invalid);
        let filtered = of(|content| matches!(content, Content::Filtered { .. }));
        digest.ended(DigestOutcome::Filtered, filtered);
        let dead = of(|content| matches!(content, Content::Dead(_)));
        digest.ended(DigestOutcome::Dead, dead);
        let counts = of(|content| matches!(content, Content::Outcomes(_)));
        digest.ended(DigestOutcome::Counts, counts);
        let beside = of(|content| {
            matches!(
                content,
                Content::Attachment(_) | Content::Feedback(_) | Content::Sessions(_)
            )
        });
        digest.ended(DigestOutcome::Beside, beside);
    }
}

/// Stores a batch by the rules of this node, in the transaction of `conn`.
pub(super) fn store(
    app: &App,
    conn: &mut Conn,
    batch: &Batch,
    repetitions: Repetitions,
) -> Result<Stored, StoreError> {
    hook::before_storing(batch)?;
    let follow_up = |change: &digest::IssueChange| -> Vec<NewTask> {
        if app.mailer.is_some() {
            notify_issue::follow_up(change)
        } else {
            Vec::new()
        }
    };
    let rules = Rules {
        repetitions,
        spike_limit: app.config.spike_limit,
        new_issue_limit: app.config.new_issue_limit,
        follow_up: &follow_up,
        fetch: &fetch_source_map::follow_ups,
    };
    digest::store(conn, &app.digest_cache, batch, &rules)
}
