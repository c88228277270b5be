//! What the kinds that send mail share. In: stored rows and a composed message.
//! Out: the words and names a mail uses; the message handed over, or whether to try again.

use lettre::Message;

use super::TaskError;
use crate::model::event::Level;
use crate::notify::letter::{Recipient, Subject};
use crate::notify::{MailError, Mailer};
use crate::store::accounts::{Organization, Project, User};

/// With pauses of up to two hours: a mail server may be away for a day.
pub const MAX_ATTEMPTS: u32 = 25;

/// Sends what was composed.
pub async fn send(mailer: &Mailer, message: Result<Message, MailError>) -> Result<(), TaskError> {
    let sent = match message {
        Ok(message) => mailer.send(message).await,
        Err(error) => Err(error),
    };
    sent.map_err(|error| {
        if error.is_worth_retrying() {
            TaskError::Retry(error.to_string())
        } else {
            TaskError::GiveUp(error.to_string())
        }
    })
}

pub fn subject(organization: &Organization, project: &Project) -> Subject {
    Subject {
        organization_slug: organization.slug.clone(),
        organization_name: organization.name.clone(),
        project_slug: project.slug.clone(),
        project_name: project.name.clone(),
    }
}

pub fn recipient(reader: User) -> Recipient {
    Recipient {
        user_id: reader.id,
        name: reader.name,
        email: reader.email,
    }
}

/// The word for a stored level.
pub fn level_word(level: i32) -> &'static str {
    Level::from_i32(level).unwrap_or(Level::Error).as_str()
}
