//! One summary of an hour to one member. In: who and what, from `notify_summary`. Out: a mail the server has taken.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::notify_issue::MAILS_AN_HOUR;
use super::notify_summary::NotifySummary;
use crate::app::App;
use crate::model::issue::Substatus;
use crate::model::names;
use crate::notify::letter::Recipient;
use crate::notify::summary_mail::{SummaryIssue, SummaryMail, compose};
use crate::store::summary_facts::{self, SummaryFacts};
use crate::store::tasks::NewTask;
use crate::tasks::{Task, TaskError, mailing, outbox_row};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MailSummary {
    pub user_id: i64,
    pub about: NotifySummary,
}

impl MailSummary {
    pub fn outbox(&self, now: i64) -> NewTask {
        let NotifySummary { project_id, hour } = &self.about;
        let key = format!("mail-summary:{project_id}:{hour}:{}", self.user_id);
        outbox_row(self, Some(key), now)
    }
}

impl Task for MailSummary {
    const NAME: &'static str = "mail_summary";
    const MAX_ATTEMPTS: u32 = mailing::MAX_ATTEMPTS;

    async fn run(self, app: Arc<App>) -> Result<(), TaskError> {
        let Some(mailer) = &app.mailer else {
            return Ok(());
        };
        let Self {
            user_id,
            about: NotifySummary { project_id, hour },
        } = self;
        let facts = app
            .store
            .read(move |conn| summary_facts::load(conn, user_id, project_id, hour));
        let Some(facts) = facts.await? else {
            return Ok(());
        };
        let (mail, to) = told(facts, hour);
        let message = compose(&mail, &to, mailer.config(), app.base_url());
        mailing::send(mailer, message).await
    }
}

/// The stored facts as a mail tells them.
fn told(facts: SummaryFacts, hour: i64) -> (SummaryMail, Recipient) {
    let SummaryFacts {
        reader,
        organization,
        project,
        total,
        issues,
    } = facts;
    let issues = issues
        .into_iter()
        .map(|issue| SummaryIssue {
            id: issue.id,
            short_id: names::short_id(&project.short_prefix, issue.short_number),
            title: issue.title,
            culprit: issue.culprit,
            level: mailing::level_word(issue.level),
            is_regression: Substatus::from_code(issue.substatus) == Substatus::Regressed,
            events: issue.times_seen,
        })
        .collect();
    let mail = SummaryMail {
        project_id: project.id,
        hour,
        single_mails: MAILS_AN_HOUR,
        total,
        issues,
        about: mailing::subject(&organization, &project),
    };
    (mail, mailing::recipient(reader))
}
