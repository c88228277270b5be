//! A new issue, or one that came back or escalates: everybody who should know gets a mail.
//! In: the issue and the event that made it, from the digest's transaction. Out: a mail task for each recipient.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::issue_mail::MailIssue;
use super::notify_summary::{HOUR_MS, NotifySummary};
use crate::app::App;
use crate::notify::issue_mail::Occasion;
use crate::store::digest::{IssueChange, IssueChangeKind};
use crate::store::lifecycle_steps::Returned;
use crate::store::tasks::{self, NewTask};
use crate::store::{Conn, StoreError, now_ms, project_mail};
use crate::tasks::{Task, TaskError, outbox_row};

/// Occasions in an hour that a project's members get a mail of its own for.
pub(super) const MAILS_AN_HOUR: i64 = 60;

/// Written once for an issue's creation and once for each regression, however many events come.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NotifyIssue {
    pub project_id: i64,
    pub issue_id: i64,
    /// When the event was received: the hour it counts in.
    pub received_ms: i64,
    /// 32 hex digits.
    pub event_id: String,
    pub occasion: Occasion,
}

/// What the digest writes next to a new or regressed issue. One occasion has one key, and with it one round of mail.
pub fn follow_up(change: &IssueChange) -> Vec<NewTask> {
    let occasion = match change.kind {
        IssueChangeKind::New => Occasion::New,
        IssueChangeKind::Regressed => Occasion::Regression(i64::from(change.regressions)),
        IssueChangeKind::Unignored(_) => Occasion::Unignored(i64::from(change.regressions)),
    };
    let task = NotifyIssue {
        project_id: change.project_id,
        issue_id: change.issue_id,
        received_ms: change.received_ms,
        event_id: change.event_id.clone(),
        occasion,
    };
    vec![task.outbox(now_ms())]
}

/// What tasks write next to issues that came back by time.
pub fn about_returned(
    returned: &[Returned],
    occasion: fn(i64) -> Occasion,
    now: i64,
) -> Vec<NewTask> {
    let tasks = returned.iter().map(|returned| {
        let task = NotifyIssue {
            project_id: returned.project_id,
            issue_id: returned.issue_id,
            received_ms: now,
            event_id: returned.event_id.clone(),
            occasion: occasion(i64::from(returned.regressions)),
        };
        task.outbox(now)
    });
    tasks.collect()
}

impl Task for NotifyIssue {
    const NAME: &'static str = "notify_issue";
    const MAX_ATTEMPTS: u32 = 10;

    async fn run(self, app: Arc<App>) -> Result<(), TaskError> {
        if app.mailer.is_none() {
            return Ok(());
        }
        let written = app.store.write(move |conn| {
            let mails = self.mails(conn)?;
            tasks::enqueue(conn, &mails)
        });
        written.await?;
        app.tasks_wake.notify_one();
        Ok(())
    }
}

impl NotifyIssue {
    fn outbox(&self, now: i64) -> NewTask {
        let key = format!("notify-issue:{}:{}", self.issue_id, self.occasion.key());
        outbox_row(self, Some(key), now)
    }

    /// A mail for each recipient, as tasks of their own: one full mailbox does not repeat everybody else's mail.
    /// Past the hour's limit, one summary when the hour is over.
    fn mails(&self, conn: &mut Conn) -> Result<Vec<NewTask>, StoreError> {
        let now = now_ms();
        let hour = self.received_ms / HOUR_MS;
        let recipients = project_mail::recipients(conn, self.project_id)?;
        if project_mail::count(conn, self.project_id, hour)? > MAILS_AN_HOUR {
            let summary = NotifySummary {
                project_id: self.project_id,
                hour,
            };
            return Ok(vec![summary.outbox(now)]);
        }
        Ok(recipients
            .into_iter()
            .map(|user_id| {
                let about = self.clone();
                MailIssue { user_id, about }.outbox(now)
            })
            .collect())
    }
}
