//! Background tasks, by kind.

use crate::telemetry::metrics::family::{Family, label};
use crate::telemetry::metrics::instruments::{Counter, Histogram, Labelled};

/// One kind of task.
#[derive(Debug, Default)]
pub struct Task {
    pub started: Counter,
    pub durations: Histogram,
    /// Attempts that failed and will be made again.
    pub failed: Counter,
    /// Tasks that joined the dead letters.
    pub dead: Counter,
}

/// All kinds.
#[derive(Debug)]
pub struct Tasks(Labelled<Task>);

impl Tasks {
    pub const fn zero() -> Self {
        Self(Labelled::new())
    }

    /// The instruments of a kind; asking makes it appear, with zeros.
    pub fn kind(&self, name: &str) -> std::sync::Arc<Task> {
        self.0.of(name)
    }

    pub(in crate::telemetry::metrics) fn families(&self, out: &mut Vec<Family>) {
        let mut starts = Family::counter("bugle_tasks_started_total", "Attempts at tasks begun.");
        let mut durations =
            Family::histogram("bugle_task_duration_seconds", "How long attempts took.");
        let mut failures = Family::counter(
            "bugle_task_failures_total",
            "Attempts that failed, those that ended a task included.",
        );
        let mut deaths = Family::counter(
            "bugle_tasks_dead_total",
            "Tasks that failed for good and joined the dead letters.",
        );
        for (kind, task) in self.0.all() {
            let Task {
                started,
                durations: took,
                failed,
                dead,
            } = &*task;
            starts.push(label("kind", kind.clone()), started);
            durations.push(label("kind", kind.clone()), took);
            failures.push(label("kind", kind.clone()), failed);
            deaths.push(label("kind", kind), dead);
        }
        out.extend([starts, durations, failures, deaths]);
    }
}
