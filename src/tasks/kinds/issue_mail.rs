//! One mail about an issue to one member. In: who and what, from `notify_issue`.
//! Out: a mail the server has taken. Who may no longer see the issue when it is sent gets none.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::notify_issue::NotifyIssue;
use crate::app::App;
use crate::model::names;
use crate::notify::event_excerpt;
use crate::notify::issue_mail::{IssueMail, Occasion, compose};
use crate::notify::letter::Recipient;
use crate::protocol::event_id::EventId;
use crate::store::issue_facts::{self, IssueFacts};
use crate::store::payload;
use crate::store::tasks::NewTask;
use crate::tasks::{Task, TaskError, mailing, outbox_row};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MailIssue {
    pub user_id: i64,
    pub about: NotifyIssue,
}

impl MailIssue {
    pub fn outbox(&self, now: i64) -> NewTask {
        let NotifyIssue {
            issue_id, occasion, ..
        } = &self.about;
        let key = format!("mail-issue:{issue_id}:{}:{}", occasion.key(), self.user_id);
        outbox_row(self, Some(key), now)
    }
}

impl Task for MailIssue {
    const NAME: &'static str = "mail_issue";
    const MAX_ATTEMPTS: u32 = mailing::MAX_ATTEMPTS;

    async fn run(self, app: Arc<App>) -> Result<(), TaskError> {
        let Some(mailer) = &app.mailer else {
            return Ok(());
        };
        let Self { user_id, about } = self;
        let NotifyIssue {
            issue_id,
            occasion,
            event_id,
            ..
        } = about;
        let event_id: EventId = event_id
            .parse()
            .map_err(|error| TaskError::GiveUp(format!("event {event_id}: {error}")))?;
        let facts = app
            .store
            .read(move |conn| issue_facts::load(conn, user_id, issue_id, &event_id));
        let Some(facts) = facts.await? else {
            return Ok(());
        };
        let (mail, recipient) = told(facts, issue_id, occasion);
        let message = compose(&mail, &recipient, mailer.config(), app.base_url());
        mailing::send(mailer, message).await
    }
}

/// The stored facts as a mail tells them.
fn told(facts: IssueFacts, issue_id: i64, occasion: Occasion) -> (IssueMail, Recipient) {
    let IssueFacts {
        reader,
        organization,
        project,
        issue,
        event,
    } = facts;
    // An event past its retention time, or sampled away, leaves a mail without frames.
    let payload = event.and_then(|data| payload::unpack(&data));
    let payload: Value = payload
        .and_then(|json| serde_json::from_slice(&json).ok())
        .unwrap_or_default();
    let text = |name: &str| payload[name].as_str().map(str::to_owned);
    let mail = IssueMail {
        occasion,
        about: mailing::subject(&organization, &project),
        issue_id,
        short_id: names::short_id(&project.short_prefix, issue.short_number),
        title: issue.title,
        culprit: issue.culprit,
        level: mailing::level_word(issue.level),
        environment: text("environment"),
        release: text("release"),
        events: issue.times_seen,
        users: issue.users_seen,
        first_seen_ms: issue.first_seen,
        last_seen_ms: issue.last_seen,
        frames: event_excerpt::frames(&payload),
    };
    (mail, mailing::recipient(reader))
}
