//! Thins the noisiest issues while more is kept than the limits in events and bytes allow.
//! In: `BUGLE_RETENTION_EVENTS`, `…_ISSUE_EVENTS`, `…_BYTES` and projects' own limits. Out: fewer payloads, the same counts.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::app::App;
use crate::tasks::{Periodic, Task, TaskError, thinning};

/// A run ends before the next one begins.
const LONGEST: Duration = Duration::from_secs(4 * 60);

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct SizeRetention {}

impl Task for SizeRetention {
    const NAME: &'static str = "size_retention";
    const MAX_ATTEMPTS: u32 = 3;

    async fn run(self, app: Arc<App>) -> Result<(), TaskError> {
        let until = Instant::now() + LONGEST;
        let Some(outcome) = thinning::run(&app.store, app.config.retention, Some(until)).await?
        else {
            return Ok(());
        };
        if outcome.deleted.events > 0 {
            tracing::info!(
                events = outcome.deleted.events,
                bytes = outcome.deleted.bytes,
                unfinished = outcome.unfinished,
                "thinned the noisiest issues to keep the retention limits"
            );
        }
        for problem in outcome.unmet {
            tracing::warn!(%problem, "a retention limit cannot be kept");
        }
        Ok(())
    }
}

impl Periodic for SizeRetention {
    const EVERY: Duration = Duration::from_secs(5 * 60);
}
