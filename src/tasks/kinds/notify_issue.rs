//! A new issue, or one that came back: everybody who should know gets a mail.
//! In: the issue and the event that made it, from the digest's transaction. Out: a mail task for each recipient.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::issue_mail::MailIssue;
use crate::app::App;
use crate::notify::issue_mail::Occasion;
use crate::store::{accounts, tasks};
use crate::tasks::{Task, TaskError, outbox_row};

/// Written once for an issue's creation and once for each regression, however many events come.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NotifyIssue {
    pub organization_id: i64,
    pub project_id: i64,
    pub issue_id: i64,
    /// 32 hex digits.
    pub event_id: String,
    pub occasion: Occasion,
}

impl NotifyIssue {
    /// The row for the outbox. One occasion has one key, and with it one round of mail.
    pub fn outbox(&self, now: i64) -> tasks::NewTask {
        let key = format!("notify-issue:{}:{}", self.issue_id, self.occasion.key());
        outbox_row(self, Some(key), now)
    }
}

impl Task for NotifyIssue {
    const NAME: &'static str = "notify_issue";
    const MAX_ATTEMPTS: u32 = 10;

    async fn run(self, app: Arc<App>) -> Result<(), TaskError> {
        if app.mailer.is_none() {
            return Ok(());
        }
        let written = app.store.write(move |conn| {
            let members = accounts::members(conn, self.organization_id)?;
            let now = crate::store::now_ms();
            // A mail for each, as tasks of their own: one full mailbox does not repeat everybody else's mail.
            let mails: Vec<tasks::NewTask> = members
                .iter()
                .map(|(user, _)| MailIssue { user_id: user.id, about: self.clone() }.outbox(now))
                .collect();
            tasks::enqueue(conn, &mails)?;
            Ok(mails.len())
        });
        if written.await? > 0 {
            app.tasks_wake.notify_one();
        }
        Ok(())
    }
}
