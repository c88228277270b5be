//! A new issue, or one that came back: everybody who should know gets a mail.
//! In: the issue and the event that made it, from the digest's transaction. Out: a mail task for each recipient.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::issue_mail::MailIssue;
use crate::app::App;
use crate::notify::issue_mail::Occasion;
use crate::store::digest::{IssueChange, IssueChangeKind};
use crate::store::tasks::{self, NewTask};
use crate::store::{issue_facts, now_ms};
use crate::tasks::{Task, TaskError, outbox_row};

/// Written once for an issue's creation and once for each regression, however many events come.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NotifyIssue {
    pub issue_id: i64,
    /// 32 hex digits.
    pub event_id: String,
    pub occasion: Occasion,
}

/// What the digest writes next to a new or regressed issue. One occasion has one key, and with it one round of mail.
pub fn follow_up(change: &IssueChange) -> Vec<NewTask> {
    let occasion = match change.kind {
        IssueChangeKind::New => Occasion::New,
        IssueChangeKind::Regressed => Occasion::Regression(i64::from(change.regressions)),
    };
    let task = NotifyIssue {
        issue_id: change.issue_id,
        event_id: change.event_id.clone(),
        occasion,
    };
    let key = format!("notify-issue:{}:{}", task.issue_id, occasion.key());
    vec![outbox_row(&task, Some(key), now_ms())]
}

impl Task for NotifyIssue {
    const NAME: &'static str = "notify_issue";
    const MAX_ATTEMPTS: u32 = 10;

    async fn run(self, app: Arc<App>) -> Result<(), TaskError> {
        if app.mailer.is_none() {
            return Ok(());
        }
        let written = app.store.write(move |conn| {
            let recipients = issue_facts::recipients(conn, self.issue_id)?;
            let now = now_ms();
            // A mail for each, as tasks of their own: one full mailbox does not repeat everybody else's mail.
            let mails: Vec<NewTask> = recipients
                .into_iter()
                .map(|user_id| {
                    MailIssue {
                        user_id,
                        about: self.clone(),
                    }
                    .outbox(now)
                })
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
