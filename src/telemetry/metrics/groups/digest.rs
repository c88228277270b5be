//! Records on their way: into the journal, through Redis, out of a batch.

use std::time::Duration;

use crate::telemetry::metrics::family::{Family, label};
use crate::telemetry::metrics::instruments::{Counter, Gauge, Histogram};

/// Writing the journal.
#[derive(Debug)]
pub struct Journal {
    records: Counter,
    bytes: Counter,
    syncs: Histogram,
    pub failed_writes: Counter,
}

impl Journal {
    pub const fn zero() -> Self {
        Self {
            records: Counter::new(),
            bytes: Counter::new(),
            syncs: Histogram::new(),
            failed_writes: Counter::new(),
        }
    }

    /// A group of records is on the disk.
    pub fn synced(&self, records: usize, bytes: usize, took: Duration) {
        self.records.add(records as u64);
        self.bytes.add(bytes as u64);
        self.syncs.observe(took);
    }

    pub(in crate::telemetry::metrics) fn families(&self, out: &mut Vec<Family>) {
        let Self {
            records,
            bytes,
            syncs,
            failed_writes,
        } = self;
        out.push(
            Family::counter(
                "bugle_journal_appended_records_total",
                "Records made durable in this node's journal.",
            )
            .of(records),
        );
        out.push(
            Family::counter(
                "bugle_journal_appended_bytes_total",
                "Bytes of those records.",
            )
            .of(bytes),
        );
        out.push(
            Family::histogram(
                "bugle_journal_sync_duration_seconds",
                "Writing and syncing one group of records; the count is the number of syncs.",
            )
            .of(syncs),
        );
        out.push(
            Family::counter(
                "bugle_journal_failed_writes_total",
                "Groups that could not be written or synced; their requests got 503.",
            )
            .of(failed_writes),
        );
    }
}

/// The streams in Redis, as this node sees them.
#[derive(Debug)]
pub struct Redis {
    /// Records of this node that are in Redis and not acknowledged.
    pub window_records: Gauge,
    pub window_bytes: Gauge,
    /// Connections that had to be made anew after a failure.
    pub reconnects: Counter,
}

impl Redis {
    pub const fn zero() -> Self {
        Self {
            window_records: Gauge::new(),
            window_bytes: Gauge::new(),
            reconnects: Counter::new(),
        }
    }

    pub(in crate::telemetry::metrics) fn families(&self, out: &mut Vec<Family>) {
        let Self {
            window_records,
            window_bytes,
            reconnects,
        } = self;
        out.push(
            Family::gauge(
                "bugle_redis_window_records",
                "Records of this node's journal that are in Redis and not acknowledged.",
            )
            .of(window_records.get()),
        );
        out.push(
            Family::gauge("bugle_redis_window_bytes", "Bytes of those records.")
                .of(window_bytes.get()),
        );
        out.push(
            Family::counter(
                "bugle_redis_reconnects_total",
                "Times that the forwarder or a worker lost Redis.",
            )
            .of(reconnects),
        );
    }
}

/// What becomes of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DigestOutcome {
    Stored,
    /// An event that was stored before under the same id.
    Duplicate,
    /// A record that an earlier batch had stored: it came again and changed nothing.
    Redelivered,
    Filtered,
    /// Counted, while its payload is not kept.
    Sampled,
    Invalid,
    Dead,
    /// Counts that ingest made.
    Counts,
    /// An attachment, feedback or sessions.
    Beside,
}

const OUTCOMES: [(DigestOutcome, &str); 9] = [
    (DigestOutcome::Stored, "stored"),
    (DigestOutcome::Duplicate, "duplicate"),
    (DigestOutcome::Redelivered, "redelivered"),
    (DigestOutcome::Filtered, "filtered"),
    (DigestOutcome::Sampled, "sampled"),
    (DigestOutcome::Invalid, "invalid"),
    (DigestOutcome::Dead, "dead"),
    (DigestOutcome::Counts, "counts"),
    (DigestOutcome::Beside, "beside"),
];

/// The workers of this node.
#[derive(Debug)]
pub struct Digest {
    batches: Counter,
    records: Counter,
    outcomes: [Counter; OUTCOMES.len()],
    /// Processing a batch: pure CPU.
    pub process: Histogram,
    /// Storing a batch: waiting for a writer, and the transaction.
    pub store: Histogram,
    /// Attempts at storing that failed and were made again.
    pub retries: Counter,
}

impl Digest {
    pub const fn zero() -> Self {
        Self {
            batches: Counter::new(),
            records: Counter::new(),
            outcomes: [const { Counter::new() }; OUTCOMES.len()],
            process: Histogram::new(),
            store: Histogram::new(),
            retries: Counter::new(),
        }
    }

    /// A worker took a batch.
    pub fn claimed(&self, records: usize) {
        self.batches.inc();
        self.records.add(records as u64);
    }

    /// So many records ended this way, and their transaction is committed.
    pub fn ended(&self, outcome: DigestOutcome, records: usize) {
        self.outcomes[outcome as usize].add(records as u64);
    }

    pub(in crate::telemetry::metrics) fn families(&self, out: &mut Vec<Family>) {
        let Self {
            batches,
            records,
            outcomes,
            process,
            store,
            retries,
        } = self;
        out.push(
            Family::counter(
                "bugle_digest_batches_total",
                "Batches that the workers of this node took.",
            )
            .of(batches),
        );
        out.push(
            Family::counter(
                "bugle_digest_claimed_records_total",
                "Records in those batches.",
            )
            .of(records),
        );
        let mut by_outcome = Family::counter(
            "bugle_digest_records_total",
            "Records whose effects are committed, by what became of them.",
        );
        for (outcome, name) in OUTCOMES {
            by_outcome.push(label("outcome", name), &outcomes[outcome as usize]);
        }
        out.push(by_outcome);
        out.push(
            Family::histogram(
                "bugle_digest_batch_duration_seconds",
                "Time that a batch spends in a stage: processing, then storing (each attempt).",
            )
            .with(label("stage", "process"), process)
            .with(label("stage", "store"), store),
        );
        out.push(
            Family::counter(
                "bugle_digest_retries_total",
                "Attempts at storing a batch that failed and were made again.",
            )
            .of(retries),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_in_the_table_are_what_they_say() {
        for (at, (outcome, _)) in OUTCOMES.iter().enumerate() {
            assert_eq!(*outcome as usize, at);
        }
    }
}
