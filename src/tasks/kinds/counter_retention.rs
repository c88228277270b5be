//! Deletes hourly and daily counters of the time before the oldest event that is kept.
//! In: `BUGLE_RETENTION_DAYS` and the clock. Out: fewer rows; the totals of an issue stay as they are.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use super::retention::DAY_MS;
use crate::app::App;
use crate::process::session;
use crate::store::{now_ms, retention};
use crate::tasks::thinning::PAUSE;
use crate::tasks::{Periodic, Task, TaskError};

/// Issues or projects whose counters one step looks at.
const STEP: i64 = 200;
/// A chart's first day is whole.
const MARGIN_DAYS: i64 = 1;
/// What was accepted and refused can be compared with last year's.
const USAGE_DAYS: i64 = 400;

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct CounterRetention {}

impl Task for CounterRetention {
    const NAME: &'static str = "counter_retention";
    const MAX_ATTEMPTS: u32 = 5;

    async fn run(self, app: Arc<App>) -> Result<(), TaskError> {
        let days = i64::from(app.config.retention_days) + MARGIN_DAYS;
        let cutoff = now_ms() - days * DAY_MS;
        let usage_cutoff = now_ms() - days.max(USAGE_DAYS) * DAY_MS;
        let (issues, projects) = app.store.read(retention::last_ids).await?;
        for from in (0..=issues).step_by(STEP as usize) {
            app.store
                .write(move |conn| {
                    retention::delete_issue_counters(conn, from..from + STEP, cutoff)
                })
                .await?;
            sleep(PAUSE).await;
        }
        for from in (0..=projects).step_by(STEP as usize) {
            app.store
                .write(move |conn| {
                    retention::delete_project_counters(
                        conn,
                        from..from + STEP,
                        cutoff,
                        usage_cutoff,
                    )
                })
                .await?;
            sleep(PAUSE).await;
        }
        let forgotten = now_ms() - session::OLDEST_MS - DAY_MS;
        while app
            .store
            .write(move |conn| retention::delete_session_states(conn, forgotten))
            .await?
            > 0
        {
            sleep(PAUSE).await;
        }
        Ok(())
    }
}

impl Periodic for CounterRetention {
    const EVERY: Duration = Duration::from_secs(24 * 60 * 60);
}
