//! After an hour with too many new issues to write about each: everybody who should know gets one summary.
//! In: the project and the hour, from `notify_issue`. Out: a mail task for each recipient.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::summary_mail::MailSummary;
use crate::app::App;
use crate::store::tasks::{self, NewTask};
use crate::store::{now_ms, project_mail};
use crate::tasks::{Task, TaskError, outbox_row};

pub(super) const HOUR_MS: i64 = 60 * 60 * 1000;
/// Events of the hour's last moments are still on their way.
const AFTER_MS: i64 = 60 * 1000;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NotifySummary {
    pub project_id: i64,
    /// Hours since 1970.
    pub hour: i64,
}

impl NotifySummary {
    /// One for the hour, when it is over.
    pub fn outbox(&self, now: i64) -> NewTask {
        let key = format!("notify-summary:{}:{}", self.project_id, self.hour);
        let over = (self.hour + 1) * HOUR_MS;
        outbox_row(self, Some(key), over.max(now) + AFTER_MS)
    }
}

impl Task for NotifySummary {
    const NAME: &'static str = "notify_summary";
    const MAX_ATTEMPTS: u32 = 10;

    async fn run(self, app: Arc<App>) -> Result<(), TaskError> {
        if app.mailer.is_none() {
            return Ok(());
        }
        let written = app.store.write(move |conn| {
            let now = now_ms();
            let mails: Vec<NewTask> = project_mail::recipients(conn, self.project_id)?
                .into_iter()
                .map(|user_id| {
                    MailSummary {
                        user_id,
                        about: self.clone(),
                    }
                    .outbox(now)
                })
                .collect();
            tasks::enqueue(conn, &mails)
        });
        written.await?;
        app.tasks_wake.notify_one();
        Ok(())
    }
}
