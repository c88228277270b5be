//! What every mail has in common: sender, one recipient, thread, list, two bodies.
//! In: the parts of a mail, with texts that may come from events. Out: a message ready to send.

use lettre::Address;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart, SinglePart};

use super::MailError;
use super::mail_config::MailConfig;
use super::one_line::one_line;

const LONGEST_SUBJECT: usize = 140;
const LONGEST_NAME: usize = 160;

/// One member who gets the mail.
#[derive(Debug, Clone)]
pub struct Recipient {
    pub user_id: i64,
    pub name: String,
    pub email: String,
}

/// The project that a mail is about; mail programs sort by it.
#[derive(Debug, Clone)]
pub struct Subject {
    pub organization_slug: String,
    pub organization_name: String,
    pub project_slug: String,
    pub project_name: String,
}

/// A mail to one recipient.
pub struct Letter<'a> {
    pub to: &'a Recipient,
    pub about: &'a Subject,
    pub subject: String,
    /// Left part of the message id; the same for a second copy, so that mail servers recognise it.
    pub id: String,
    /// Left part of the id that all mails of a thread refer to.
    pub thread: String,
    pub text: String,
    pub html: String,
}

impl Letter<'_> {
    pub fn into_message(self, config: &MailConfig) -> Result<Message, MailError> {
        let Letter {
            to,
            about,
            subject,
            id,
            thread,
            text,
            html,
        } = self;
        let address: Address = to
            .email
            .trim()
            .parse()
            .map_err(|_| MailError::Address(one_line(&to.email, LONGEST_NAME)))?;
        let name = Some(one_line(&to.name, LONGEST_NAME)).filter(|name| !name.is_empty());
        let host = &config.host;
        let thread = format!("<{thread}@{host}>");
        let list = format!(
            "{} <{}.{}.{host}>",
            quoted(&about.project_name),
            about.project_slug,
            about.organization_slug
        );
        Ok(Message::builder()
            .from(config.from.clone())
            .to(Mailbox::new(name, address))
            .subject(one_line(&subject, LONGEST_SUBJECT))
            .message_id(Some(format!("<{id}@{host}>")))
            .in_reply_to(thread.clone())
            .references(thread)
            .raw_header(raw_header("List-Id", list))
            .raw_header(raw_header("Auto-Submitted", "auto-generated".to_owned()))
            .multipart(
                MultiPart::alternative()
                    .singlepart(SinglePart::plain(text))
                    .singlepart(SinglePart::html(html)),
            )?)
    }
}

/// The moment as mails show it.
pub fn utc(milliseconds: i64) -> String {
    jiff::Timestamp::from_millisecond(milliseconds)
        .map(|time| time.strftime("%Y-%m-%d %H:%M UTC").to_string())
        .unwrap_or_default()
}

/// "1 event", "2 events".
pub fn counted(count: i64, one: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        count => format!("{count} {one}s"),
    }
}

/// The address of an issue's page.
pub fn issue_link(base_url: &str, organization_slug: &str, issue_id: i64) -> String {
    format!(
        "{}/{organization_slug}/issues/{issue_id}/",
        base_url.trim_end_matches('/')
    )
}

/// A quoted phrase: names with commas or brackets must not be read as list syntax.
fn quoted(name: &str) -> String {
    let mut phrase = one_line(name, LONGEST_NAME);
    phrase.retain(|character| character != '"' && character != '\\');
    format!("\"{phrase}\"")
}

fn raw_header(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value)
}
