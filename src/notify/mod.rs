//! Out to people: what Bugle has to say leaves here, by mail for now.
//! In: facts about an issue and a recipient. Out: a mail handed to the configured server, or a sentence saying why not.

pub mod email;
pub mod event_excerpt;
pub mod issue_mail;
pub mod letter;
pub mod mail_config;
pub mod one_line;
pub mod summary_mail;

pub use email::{MailError, Mailer};
pub use mail_config::{MailConfig, MailConfigError};
