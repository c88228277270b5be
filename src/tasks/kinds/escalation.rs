//! Marks issues that happen much more often than they used to. In: the hourly counters and the clock. Out: issues that escalate,
//! with their mail; the arithmetic lies in `model::escalation`.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::notify_issue;
use crate::app::App;
use crate::notify::issue_mail::Occasion;
use crate::store::{lifecycle_steps, now_ms, tasks};
use crate::tasks::{Periodic, Task, TaskError};

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Escalation {}

impl Task for Escalation {
    const NAME: &'static str = "escalation";
    const MAX_ATTEMPTS: u32 = 3;

    async fn run(self, app: Arc<App>) -> Result<(), TaskError> {
        let now = now_ms();
        let mut escalated = 0;
        for project_id in app.store.read(lifecycle_steps::projects).await? {
            let waiting = app
                .store
                .read(move |conn| lifecycle_steps::might_escalate(conn, project_id, now))
                .await?;
            for ids in waiting.chunks(lifecycle_steps::STEP as usize) {
                let (ids, mails) = (ids.to_vec(), app.mailer.is_some());
                escalated += app
                    .store
                    .write(move |conn| {
                        let escalated = lifecycle_steps::escalate(conn, &ids, now)?;
                        if mails {
                            let about =
                                notify_issue::about_returned(&escalated, Occasion::Escalation, now);
                            tasks::enqueue(conn, &about)?;
                        }
                        Ok(escalated.len())
                    })
                    .await?;
            }
        }
        if escalated > 0 {
            tracing::info!(escalated, "issues happen much more often than usual");
            app.tasks_wake.notify_one();
        }
        Ok(())
    }
}

impl Periodic for Escalation {
    const EVERY: Duration = Duration::from_secs(5 * 60);
}
