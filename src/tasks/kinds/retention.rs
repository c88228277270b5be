//! Deletes events, and attachments, feedback and dead letters with them, that are older than the retention time.
//! In: `BUGLE_RETENTION_DAYS` and the clock. Out: fewer rows, in steps small enough for the digest to go on between.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::store::{Store, StoreError, attachments, dead_records, now_ms, retention};
use crate::tasks::{Periodic, Task, TaskError, thinning};

pub(super) const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// What an SDK sent and nobody could scrub goes after this time, whatever the retention time.
const UNSCRUBBED_DAYS: i64 = 14;

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Retention {}

impl Task for Retention {
    const NAME: &'static str = "retention";
    const MAX_ATTEMPTS: u32 = 5;

    async fn run(self, app: Arc<App>) -> Result<(), TaskError> {
        let (events, dead_letters) =
            delete_older_than(&app.store, app.config.retention_days).await?;
        if events + dead_letters > 0 {
            tracing::info!(
                events,
                dead_letters,
                "deleted what is past the retention time"
            );
        }
        Ok(())
    }
}

impl Periodic for Retention {
    const EVERY: Duration = Duration::from_secs(60 * 60);
}

/// Deletes events and dead letters of more than so many days ago; returns how many.
pub async fn delete_older_than(store: &Store, days: u32) -> Result<(usize, usize), StoreError> {
    let cutoff = now_ms() - i64::from(days) * DAY_MS;
    let mut events = 0;
    loop {
        let step =
            thinning::step(store, move |conn| retention::delete_events(conn, cutoff)).await?;
        if step == 0 {
            break;
        }
        events += step;
    }
    while thinning::step(store, move |conn| attachments::expire(conn, cutoff)).await? > 0 {}
    while thinning::step(store, move |conn| retention::delete_feedback(conn, cutoff)).await? > 0 {}
    let dead = store
        .write(move |conn| {
            let unscrubbed = now_ms() - UNSCRUBBED_DAYS * DAY_MS;
            Ok(retention::delete_dead(conn, cutoff)?
                + dead_records::delete_unscrubbed(conn, unscrubbed)?)
        })
        .await?;
    Ok((events, dead))
}
