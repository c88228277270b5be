//! Deletes events, and dead letters with them, that are older than the retention time.
//! In: `BUGLE_RETENTION_DAYS` and the clock. Out: fewer rows, in steps small enough for the digest to go on between.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use crate::app::App;
use crate::store::{dead_records, now_ms, retention};
use crate::tasks::{Periodic, Task, TaskError};

pub(super) const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// What an SDK sent and nobody could scrub goes after this time, whatever the retention time.
const UNSCRUBBED_DAYS: i64 = 14;
/// Between two steps others may write.
pub(super) const PAUSE: Duration = Duration::from_millis(20);

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Retention {}

impl Task for Retention {
    const NAME: &'static str = "retention";
    const MAX_ATTEMPTS: u32 = 5;

    async fn run(self, app: Arc<App>) -> Result<(), TaskError> {
        let cutoff = now_ms() - i64::from(app.config.retention_days) * DAY_MS;
        let mut deleted = 0;
        loop {
            let step = app
                .store
                .write(move |conn| retention::delete_events(conn, cutoff))
                .await?;
            deleted += step;
            if step == 0 {
                break;
            }
            sleep(PAUSE).await;
        }
        let dead = app
            .store
            .write(move |conn| {
                let unscrubbed = now_ms() - UNSCRUBBED_DAYS * DAY_MS;
                Ok(retention::delete_dead(conn, cutoff)?
                    + dead_records::delete_unscrubbed(conn, unscrubbed)?)
            })
            .await?;
        if deleted + dead > 0 {
            tracing::info!(
                events = deleted,
                dead_letters = dead,
                "deleted what is past the retention time"
            );
        }
        Ok(())
    }
}

impl Periodic for Retention {
    const EVERY: Duration = Duration::from_secs(60 * 60);
}
