//! Chunks of uploads live for a day. In: the clock. Out: fewer rows and blobs; a bundle that was made of them has its own.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::store::{now_ms, uploads};
use crate::tasks::{Periodic, Task, TaskError};

const LIFE_MS: i64 = 24 * 60 * 60 * 1000;
const STEP: i64 = 100;

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct ExpiredChunks {}

impl Task for ExpiredChunks {
    const NAME: &'static str = "expired_chunks";
    const MAX_ATTEMPTS: u32 = 5;

    async fn run(self, app: Arc<App>) -> Result<(), TaskError> {
        let before = now_ms() - LIFE_MS;
        loop {
            let gone = app
                .store
                .write(move |conn| uploads::expire_chunks(conn, before, STEP))
                .await?;
            if gone.is_empty() {
                return Ok(());
            }
            let blobs = app.blobs.clone();
            let deleted = tokio::task::spawn_blocking(move || {
                gone.iter().try_for_each(|key| blobs.delete(key))
            });
            deleted
                .await
                .map_err(|error| TaskError::Retry(error.to_string()))?
                .map_err(|error| TaskError::Retry(error.to_string()))?;
        }
    }
}

impl Periodic for ExpiredChunks {
    const EVERY: Duration = Duration::from_secs(60 * 60);
}
