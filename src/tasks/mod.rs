//! Background work: what need not happen in a request, and what must happen after a transaction.
//! In: rows of the task table, written next to the data they follow from. Out: their effects, at least once.
//!
//! A kind is one file in `kinds/` and one line in [`registry::KINDS`]; docs/tasks.md walks through it.

mod attempt;
pub mod balance;
mod child;
mod chunks;
pub mod content;
mod files;
pub mod fold_tags;
pub mod kinds;
pub mod lookups;
mod mailing;
pub mod native;
pub mod poison;
pub mod process_events;
pub mod project_settings;
mod recent;
pub mod registry;
pub mod runner;
pub mod schedule;
pub mod source_maps;
pub mod thinning;

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::app::App;
use crate::store::StoreError;
use crate::store::tasks::NewTask;

/// A kind of background work: its fields are its arguments, kept as JSON until it runs.
pub trait Task: Serialize + DeserializeOwned + Send + 'static {
    /// Stored with the task; renaming it orphans tasks that are waiting.
    const NAME: &'static str;

    /// After this many failed attempts the task joins the dead letters.
    const MAX_ATTEMPTS: u32;

    /// Pause after the first failure; it grows threefold with each further one, up to an hour.
    const FIRST_DELAY: Duration = Duration::from_secs(2);

    /// Does the work. May run more than once, also after it succeeded: effects must bear that.
    fn run(self, app: Arc<App>) -> impl Future<Output = Result<(), TaskError>> + Send;
}

/// A kind that starts by itself, once in each interval, on one node.
pub trait Periodic: Task + Default {
    const EVERY: Duration;
}

/// Why an attempt failed, and whether another may help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TaskError {
    #[error("{0}")]
    Retry(String),
    #[error("{0}")]
    GiveUp(String),
    /// Nothing failed: it is not its turn yet, and the attempt does not count.
    #[error("it is not its turn for {} s", .0.as_secs())]
    Later(Duration),
}

impl From<StoreError> for TaskError {
    fn from(error: StoreError) -> Self {
        Self::Retry(error.to_string())
    }
}

/// The row that a transaction writes so that `task` runs once it has committed.
pub fn outbox_row<T: Task>(task: &T, unique_key: Option<String>, run_at: i64) -> NewTask {
    NewTask {
        kind: T::NAME,
        args: serde_json::to_string(task).expect("arguments are plain fields"),
        unique_key,
        run_at,
    }
}
