//! The mail channel: one message to one SMTP server.
//! In: a `MailConfig` and a composed message. Out: the server has taken it, or an error whose text says what to do next.

use std::time::Duration;

use lettre::message::{Mailbox, header};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::{AsyncSmtpTransportBuilder, Error as SmtpError};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use crate::telemetry::METRICS;

use super::mail_config::{MailConfig, Security, SmtpServer};

const CONNECT_WITHIN: Duration = Duration::from_secs(3);
const SEND_WITHIN: Duration = Duration::from_secs(10);

/// Hands messages to the configured server. Cheap to clone; every message gets its own connection.
#[derive(Clone)]
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    config: MailConfig,
}

#[derive(Debug, thiserror::Error)]
pub enum MailError {
    #[error("\"{0}\" is not a mail address: write it as name@example.com")]
    Address(String),
    #[error("the mail could not be composed: {0}")]
    Message(#[from] lettre::error::Error),
    #[error(
        "no mail server answers at {server} ({cause}): check host and port in BUGLE_SMTP_URL, \
         and that this machine may open connections to it"
    )]
    Unreachable { server: String, cause: String },
    #[error(
        "the mail server at {server} took longer than {} seconds: check that the port speaks SMTP \
         (465 needs smtps://, 587 and 25 need smtp://) and try again",
        SEND_WITHIN.as_secs()
    )]
    Timeout { server: String },
    #[error(
        "no encrypted connection to {server} ({cause}): use smtps:// for port 465 and smtp://…?tls=required for 587; \
         a server with a certificate of its own needs its authority among this machine's trusted ones"
    )]
    Tls { server: String, cause: String },
    #[error(
        "the mail server at {server} refused the login ({cause}): check user and password in BUGLE_SMTP_URL \
         (special characters percent-encoded); many providers want an app password"
    )]
    Login { server: String, cause: String },
    #[error(
        "the mail server at {server} refused the mail ({cause}): check that the recipient exists \
         and that BUGLE_MAIL_FROM ({from}) may send through this server"
    )]
    Refused {
        server: String,
        from: String,
        cause: String,
    },
    #[error(
        "the mail server at {server} cannot take the mail now ({cause}): try again in some minutes"
    )]
    Busy { server: String, cause: String },
    #[error(
        "the mail server at {server} does not offer what is needed ({cause}): check tls= and the login in BUGLE_SMTP_URL"
    )]
    Unsupported { server: String, cause: String },
}

impl MailError {
    /// Whether the same mail may go through later, or after the settings were corrected.
    pub fn is_worth_retrying(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::Timeout { .. }
            | Self::Tls { .. }
            | Self::Login { .. }
            | Self::Busy { .. }
            | Self::Unsupported { .. } => true,
            Self::Address(_) | Self::Message(_) | Self::Refused { .. } => false,
        }
    }
}

impl Mailer {
    pub fn new(config: MailConfig) -> Result<Self, MailError> {
        let transport = transport(&config.server)
            .map_err(|error| explain(&config, &error))?
            .timeout(Some(CONNECT_WITHIN))
            .build();
        Ok(Self { transport, config })
    }

    pub fn config(&self) -> &MailConfig {
        &self.config
    }

    pub async fn send(&self, message: Message) -> Result<(), MailError> {
        let sent = self.try_send(message).await;
        match &sent {
            Ok(()) => METRICS.mail.sent.inc(),
            Err(_) => METRICS.mail.failed.inc(),
        }
        sent
    }

    async fn try_send(&self, message: Message) -> Result<(), MailError> {
        match tokio::time::timeout(SEND_WITHIN, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(explain(&self.config, &error)),
            Err(_) => Err(MailError::Timeout {
                server: self.config.server.to_string(),
            }),
        }
    }
}

fn transport(server: &SmtpServer) -> Result<AsyncSmtpTransportBuilder, SmtpError> {
    let tls = match server.security {
        Security::None => Tls::None,
        Security::Opportunistic => Tls::Opportunistic(TlsParameters::new(server.host.clone())?),
        Security::Required => Tls::Required(TlsParameters::new(server.host.clone())?),
        Security::Implicit => Tls::Wrapper(TlsParameters::new(server.host.clone())?),
    };
    let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&server.host)
        .port(server.port)
        .tls(tls);
    Ok(match &server.login {
        Some(login) => {
            builder.credentials(Credentials::new(login.user.clone(), login.password.clone()))
        }
        None => builder,
    })
}

fn explain(config: &MailConfig, error: &SmtpError) -> MailError {
    let server = config.server.to_string();
    let cause = error.to_string();
    match error.status().map(u16::from) {
        // 530 to 538: authentication required, too weak, refused.
        Some(530 | 534 | 535 | 538) => MailError::Login { server, cause },
        Some(code) if code < 500 => MailError::Busy { server, cause },
        Some(_) => MailError::Refused {
            server,
            from: config.from.to_string(),
            cause,
        },
        None if error.is_tls() => MailError::Tls { server, cause },
        None if error.is_timeout() => MailError::Timeout { server },
        None if error.is_client() => MailError::Unsupported { server, cause },
        None => MailError::Unreachable { server, cause },
    }
}

/// `bugle doctor --send-mail ADDRESS`: a short mail that proves the settings.
pub async fn send_test(config: &MailConfig, address: &str) -> Result<(), MailError> {
    let to: Mailbox = address
        .parse()
        .map_err(|_| MailError::Address(address.to_owned()))?;
    let message = Message::builder()
        .from(config.from.clone())
        .to(to)
        .subject("Bugle can send mail")
        .message_id(None)
        .header(header::ContentType::TEXT_PLAIN)
        .body(format!(
            "This is the test mail of `bugle doctor --send-mail`.\n\n\
             Bugle on {} sent it through {}. New issues and regressions will reach you the same way.\n",
            config.host, config.server
        ))?;
    Mailer::new(config.clone())?.send(message).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(url: &str) -> MailConfig {
        MailConfig::new(url, Some("bugle@example.com"), "http://localhost").expect("valid settings")
    }

    #[tokio::test]
    async fn a_silent_port_is_worth_a_retry_and_says_where() {
        // Bound and dropped: nobody listens there.
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a free port")
            .port();
        let error = send_test(
            &config(&format!("smtp://127.0.0.1:{port}")),
            "a@example.com",
        )
        .await
        .expect_err("nobody listens");
        assert!(error.is_worth_retrying());
        assert!(
            error.to_string().contains(&format!("127.0.0.1:{port}")),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_wrong_address_is_named() {
        let error = send_test(&config("smtp://127.0.0.1:1"), "not an address")
            .await
            .expect_err("no address");
        assert!(matches!(error, MailError::Address(_)));
        assert!(!error.is_worth_retrying());
    }
}
