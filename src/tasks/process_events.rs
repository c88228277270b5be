//! The task that never ends: digests events in batches. In: records from the queue. Out: one transaction a batch, and
//! only then the word that the records may go.
//!
//! Only a record that was stored alone is blamed for a failure: a batch that fails is halved until the culprit is
//! found. A database that is away blames nobody; the batch waits for it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::kinds::{notify_issue, train_dictionaries};
use crate::app::App;
use crate::ingest::outcome;
use crate::journal::{Record, RecordKind};
use crate::process::{self, Incoming, ProcessError};
use crate::queue::{Claim, Delivery, Queue};
use crate::store::digest::{self, Batch, Content, Item, Repetitions, Rules, Stored};
use crate::store::payload::Packer;
use crate::store::tasks::NewTask;
use crate::store::{Conn, StoreError};
use crate::telemetry::metrics::DigestOutcome;
use crate::telemetry::{METRICS, self_report};

/// Records in one transaction: cost per event falls up to here, and memory grows beyond.
const BATCH: usize = 1_000;
const PATIENCE: Duration = Duration::from_millis(300);
/// Attempts at storing a record alone before it is set aside.
const ATTEMPTS: i32 = 3;

/// Works until `stop`; run it on a thread of its own, several of them for several cores.
pub fn run(app: &Arc<App>, mut queue: Box<dyn Queue>, stop: &AtomicBool) {
    let mut queue_was_away = false;
    while !stop.load(Ordering::Acquire) {
        let claim = match queue.claim(BATCH, PATIENCE) {
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
        if claim.deliveries.is_empty() {
            continue;
        }
        let done = digest(app, &claim, stop);
        let result = if done {
            queue.acknowledge(&claim.deliveries)
        } else {
            queue.release(&claim.deliveries)
        };
        if let Err(error) = result {
            // Stored and not acknowledged: it comes again and changes nothing.
            tracing::warn!(%error, "the queue did not hear of a finished batch");
        }
    }
}

/// Processes and stores a claim; false if the process stops before that is possible.
fn digest(app: &Arc<App>, claim: &Claim, stop: &AtomicBool) -> bool {
    METRICS.digest.claimed(claim.deliveries.len());
    let began = Instant::now();
    let current = app.dictionaries.current();
    let mut packer = Packer::new(&current);
    let items = claim
        .deliveries
        .iter()
        .map(|delivery| processed(delivery, &mut packer))
        .collect();
    METRICS.digest.process.observe(began.elapsed());
    let records: Vec<&Record> = claim
        .deliveries
        .iter()
        .map(|delivery| &delivery.record)
        .collect();
    store_or_halve(app, items, &records, &claim.safe_below, stop)
}

/// A record as the store takes it.
fn processed(delivery: &Delivery, packer: &mut Packer<'_>) -> Item {
    let record = &delivery.record;
    let (content, data) = content(record, packer);
    Item {
        node: delivery.node,
        seq: record.seq,
        project_id: record.project_id,
        key_id: record.key_id,
        received_ms: record.received_ms,
        content,
        data,
    }
}

/// What processing makes of a record, with the payload of an event as it is stored. A panic costs this record only.
pub(super) fn content(record: &Record, packer: &mut Packer<'_>) -> (Content, Vec<u8>) {
    // What goes wrong with a report of our own errors must not become the next one.
    let _muted = self_report::mute_for(&record.body);
    let content = match record.kind {
        RecordKind::Outcomes => outcome::decode(record.payload())
            .map_or(Content::Invalid("malformed"), Content::Outcomes),
        RecordKind::Event => {
            let incoming = Incoming {
                payload: record.payload(),
                event_id: record.event_id,
                received_ms: record.received_ms,
                sent_at_ms: record.sent_at_ms,
                remote_addr: record.remote_addr,
                sdk_client: Some(record.client()).filter(|client| !client.is_empty()),
            };
            match catch_unwind(AssertUnwindSafe(|| process::process(&incoming))) {
                Ok(Ok(mut event)) => {
                    let payload = std::mem::take(&mut event.payload);
                    let data = packer.pack(&payload, &event.platform);
                    return (Content::Event(Box::new(event)), data);
                }
                Ok(Err(ProcessError::NotJson(problem))) => {
                    tracing::debug!(project = record.project_id, event = %record.event_id, problem, "an event is no JSON");
                    Content::Invalid("not_json")
                }
                Ok(Err(ProcessError::NotAnObject)) => Content::Invalid("not_an_object"),
                Err(_) => {
                    tracing::error!(project = record.project_id, event = %record.event_id, "processing an event panicked; it is set aside");
                    dead(
                        record.body.clone(),
                        record.event_id.as_bytes(),
                        "processing ended with a panic",
                        1,
                    )
                }
            }
        }
    };
    (content, Vec::new())
}

fn dead(record: Vec<u8>, event_id: &[u8; 16], reason: &str, attempts: i32) -> Content {
    Content::Dead {
        reason: reason.to_owned(),
        attempts,
        event_id: *event_id,
        record,
    }
}

fn store_or_halve(
    app: &Arc<App>,
    items: Vec<Item>,
    records: &[&Record],
    safe_below: &[(i64, u64)],
    stop: &AtomicBool,
) -> bool {
    let mut batch = Arc::new(Batch {
        items,
        safe_below: safe_below.to_vec(),
    });
    let mut attempts = 0;
    let mut pause = Duration::from_millis(100);
    loop {
        let own = records
            .iter()
            .any(|record| self_report::is_own(&record.body));
        let _muted = own.then(self_report::mute);
        match write(app, &batch, own) {
            Ok(stored) => {
                count(&batch, &stored);
                if stored.tasks > 0 {
                    app.tasks_wake.notify_one();
                }
                train_dictionaries::after(app, stored.events);
                return true;
            }
            Err(error) if error.is_infrastructure() => {
                tracing::warn!(%error, records = batch.items.len(), "the database is away; events wait");
                METRICS.digest.retries.inc();
                if stop.load(Ordering::Acquire) {
                    return false;
                }
                std::thread::sleep(pause);
                pause = (pause * 2).min(Duration::from_secs(2));
            }
            Err(error) if batch.items.len() == 1 => {
                attempts += 1;
                METRICS.digest.retries.inc();
                tracing::error!(%error, attempts, project = batch.items[0].project_id, "an event cannot be stored");
                if attempts >= ATTEMPTS {
                    let Some(item) = batch.items.first().cloned() else {
                        return true;
                    };
                    let event_id = match &item.content {
                        Content::Event(event) => *event.event_id.as_bytes(),
                        Content::Dead { event_id, .. } => *event_id,
                        Content::Invalid(_) | Content::Outcomes(_) => [0; 16],
                    };
                    if attempts > ATTEMPTS {
                        // Not even the dead-letter row can be written: keep it in the journal rather than lose it.
                        if stop.load(Ordering::Acquire) {
                            return false;
                        }
                        std::thread::sleep(Duration::from_secs(1));
                    }
                    let content = dead(
                        records[0].body.clone(),
                        &event_id,
                        &error.to_string(),
                        attempts,
                    );
                    batch = Arc::new(Batch {
                        items: vec![Item { content, ..item }],
                        safe_below: safe_below.to_vec(),
                    });
                }
            }
            Err(error) => {
                tracing::warn!(%error, records = batch.items.len(), "a batch cannot be stored as a whole; looking for the culprit");
                METRICS.digest.retries.inc();
                let middle = batch.items.len() / 2;
                let (first, second) = (
                    batch.items[..middle].to_vec(),
                    batch.items[middle..].to_vec(),
                );
                let first_done = store_or_halve(app, first, &records[..middle], safe_below, stop);
                return store_or_halve(app, second, &records[middle..], safe_below, stop)
                    && first_done;
            }
        }
    }
}

/// One transaction; where it stumbled over an event that was there already, another that looks for such.
fn write(app: &Arc<App>, batch: &Arc<Batch>, own: bool) -> Result<Stored, StoreError> {
    let began = Instant::now();
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
        let invalid = of(|content| matches!(content, Content::Invalid(_)));
        digest.ended(DigestOutcome::Invalid, invalid);
        let dead = of(|content| matches!(content, Content::Dead { .. }));
        digest.ended(DigestOutcome::Dead, dead);
        let counts = of(|content| matches!(content, Content::Outcomes(_)));
        digest.ended(DigestOutcome::Counts, counts);
    }
}

/// Stores a batch by the rules of this node, in the transaction of `conn`.
pub(super) fn store(
    app: &App,
    conn: &mut Conn,
    batch: &Batch,
    repetitions: Repetitions,
) -> Result<Stored, StoreError> {
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
        follow_up: &follow_up,
    };
    digest::store(conn, &app.digest_cache, batch, &rules)
}
