//! Brings issues back that were ignored until a time. In: the clock. Out: unresolved issues, with their mail. What is ignored
//! until so many events or users comes back with the event that is one too many, in the digest.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::notify_issue;
use crate::app::App;
use crate::notify::issue_mail::Occasion;
use crate::store::{lifecycle_steps, now_ms, tasks};
use crate::tasks::{Periodic, Task, TaskError};

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct EndIgnoring {}

impl Task for EndIgnoring {
    const NAME: &'static str = "end_ignoring";
    const MAX_ATTEMPTS: u32 = 3;

    async fn run(self, app: Arc<App>) -> Result<(), TaskError> {
        let now = now_ms();
        loop {
            let mails = app.mailer.is_some();
            let ended = app
                .store
                .write(move |conn| {
                    let returned = lifecycle_steps::end_ignoring(conn, now)?;
                    if mails {
                        let about =
                            notify_issue::about_returned(&returned, Occasion::Unignored, now);
                        tasks::enqueue(conn, &about)?;
                    }
                    Ok(returned.len())
                })
                .await?;
            if ended > 0 {
                app.tasks_wake.notify_one();
            }
            if (ended as i64) < lifecycle_steps::STEP {
                return Ok(());
            }
        }
    }
}

impl Periodic for EndIgnoring {
    const EVERY: Duration = Duration::from_secs(60);
}
