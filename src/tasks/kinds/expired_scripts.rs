//! Forgets fetched source maps, and failures to fetch one, whose time is over. In: the clock. Out: fewer rows, and tasks that delete the
//! files.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::delete_bundle;
use crate::app::App;
use crate::store::{now_ms, scraped};
use crate::tasks::{Periodic, Task, TaskError};

const STEP: i64 = 100;

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct ExpiredScripts {}

impl Task for ExpiredScripts {
    const NAME: &'static str = "expired_scripts";
    const MAX_ATTEMPTS: u32 = 5;

    async fn run(self, app: Arc<App>) -> Result<(), TaskError> {
        let now = now_ms();
        loop {
            let more = app
                .store
                .write(move |conn| {
                    let Some((project_id, unused)) = scraped::expire(conn, now, STEP)? else {
                        return Ok(false);
                    };
                    delete_bundle::delete_fetched(conn, project_id, &unused)?;
                    Ok(true)
                })
                .await?;
            if !more {
                app.tasks_wake.notify_one();
                return Ok(());
            }
        }
    }
}

impl Periodic for ExpiredScripts {
    const EVERY: Duration = Duration::from_secs(60 * 60);
}
