//! Work on the database.

use crate::telemetry::metrics::family::{Family, label};
use crate::telemetry::metrics::instruments::{Counter, Histogram};

#[derive(Debug)]
pub struct Store {
    /// Running a query on a reader thread, without waiting for one.
    pub reads: Histogram,
    /// A transaction on a writer thread, repetitions after collisions included.
    pub writes: Histogram,
    /// Transactions run again because two met.
    pub collisions: Counter,
    pub errors: Counter,
}

impl Store {
    pub const fn zero() -> Self {
        Self {
            reads: Histogram::new(),
            writes: Histogram::new(),
            collisions: Counter::new(),
            errors: Counter::new(),
        }
    }

    pub(in crate::telemetry::metrics) fn families(&self, out: &mut Vec<Family>) {
        let Self {
            reads,
            writes,
            collisions,
            errors,
        } = self;
        out.push(
            Family::histogram(
                "bugle_store_job_duration_seconds",
                "Work on the database: queries (read) and transactions (write), without waiting for a thread.",
            )
            .with(label("pool", "read"), reads)
            .with(label("pool", "write"), writes),
        );
        out.push(
            Family::counter(
                "bugle_store_collisions_total",
                "Transactions that were run again because two met.",
            )
            .of(collisions),
        );
        out.push(
            Family::counter(
                "bugle_store_errors_total",
                "Work on the database that ended with a database or connection error.",
            )
            .of(errors),
        );
    }
}
