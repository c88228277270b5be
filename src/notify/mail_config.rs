//! How mail leaves: the SMTP URL and the sender's address, checked once at start.
//! In: `BUGLE_SMTP_URL`, `BUGLE_MAIL_FROM` and the base URL. Out: a `MailConfig`, or a sentence saying what is wrong.

use std::fmt;

use lettre::message::Mailbox;
use percent_encoding::percent_decode_str;
use url::{Host, Url};

/// Where and as whom mail is sent.
#[derive(Clone, Debug)]
pub struct MailConfig {
    pub server: SmtpServer,
    pub from: Mailbox,
    /// Right-hand side of message and list ids: the host of the base URL.
    pub host: String,
}

#[derive(Clone, PartialEq, Eq)]
pub struct SmtpServer {
    pub host: String,
    pub port: u16,
    pub security: Security,
    pub login: Option<Login>,
}

/// How the connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// Never: for a server on this machine or in a private network.
    None,
    /// STARTTLS where the server offers it.
    Opportunistic,
    /// STARTTLS, or no mail.
    Required,
    /// TLS from the first byte (`smtps://`).
    Implicit,
}

#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    pub user: String,
    pub password: String,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailConfigError {
    #[error(
        "BUGLE_SMTP_URL is not an address of a mail server: write smtp://user:password@host:587?tls=required \
         or smtps://user:password@host (characters such as @ or / in the password as %40, %2F)"
    )]
    Url,
    #[error("BUGLE_SMTP_URL begins with {0}://: use smtp:// or smtps://")]
    Scheme(String),
    #[error("BUGLE_SMTP_URL says tls={0}: use tls=required, tls=opportunistic or tls=none")]
    Tls(String),
    #[error("BUGLE_SMTP_URL has a user but no password: write smtp://user:password@host")]
    Password,
    #[error(
        "BUGLE_MAIL_FROM is not a mail address: write bugle@example.com or \"Bugle <bugle@example.com>\""
    )]
    From,
}

impl MailConfig {
    /// Without `mail_from` the sender is `bugle@` the base URL's host.
    pub fn new(
        smtp_url: &str,
        mail_from: Option<&str>,
        base_url: &str,
    ) -> Result<Self, MailConfigError> {
        let host = mail_host(base_url);
        let from = mail_from.map_or_else(|| format!("Bugle <bugle@{host}>"), str::to_owned);
        Ok(Self {
            server: SmtpServer::parse(smtp_url)?,
            from: from.trim().parse().map_err(|_| MailConfigError::From)?,
            host,
        })
    }
}

impl SmtpServer {
    fn parse(text: &str) -> Result<Self, MailConfigError> {
        let url = Url::parse(text.trim()).map_err(|_| MailConfigError::Url)?;
        let (host, is_local) = match url.host().ok_or(MailConfigError::Url)? {
            Host::Domain("") => return Err(MailConfigError::Url),
            // The scheme is not a web one, so the parser leaves IPv4 addresses among the names.
            Host::Domain(name) => (
                name.to_owned(),
                name == "localhost" || name.starts_with("127."),
            ),
            Host::Ipv4(address) => (address.to_string(), address.is_loopback()),
            Host::Ipv6(address) => (address.to_string(), address.is_loopback()),
        };
        let login = login(&url)?;
        let asked = url
            .query_pairs()
            .find(|(name, _)| name == "tls")
            .map(|(_, value)| value.into_owned());
        let security = match (url.scheme(), asked.as_deref()) {
            ("smtps", None | Some("required")) => Security::Implicit,
            ("smtp", Some("required")) => Security::Required,
            ("smtp", Some("none")) => Security::None,
            // Unless told so, a password never leaves this machine in the clear.
            ("smtp", None) if is_local => Security::None,
            ("smtp", None) if login.is_some() => Security::Required,
            ("smtp", None | Some("opportunistic")) => Security::Opportunistic,
            ("smtp" | "smtps", Some(other)) => return Err(MailConfigError::Tls(other.to_owned())),
            (other, _) => return Err(MailConfigError::Scheme(other.to_owned())),
        };
        let usual_port = match security {
            Security::Implicit => 465,
            Security::Required => 587,
            Security::None | Security::Opportunistic if login.is_some() => 587,
            Security::None | Security::Opportunistic => 25,
        };
        Ok(Self {
            host,
            port: url.port().unwrap_or(usual_port),
            security,
            login,
        })
    }
}

fn login(url: &Url) -> Result<Option<Login>, MailConfigError> {
    let decode = |text: &str| {
        percent_decode_str(text)
            .decode_utf8()
            .map(std::borrow::Cow::into_owned)
            .map_err(|_| MailConfigError::Url)
    };
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        (_, None) => Err(MailConfigError::Password),
        (user, Some(password)) => Ok(Some(Login {
            user: decode(user)?,
            password: decode(password)?,
        })),
    }
}

/// The base URL's host where it is a name; addresses are no mail domains.
fn mail_host(base_url: &str) -> String {
    match Url::parse(base_url).as_ref().map(Url::host) {
        Ok(Some(Host::Domain(name))) => name.to_owned(),
        _ => "localhost".to_owned(),
    }
}

impl fmt::Display for SmtpServer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.host, self.port)
    }
}

/// Without the password, so that no log can hold it.
impl fmt::Debug for SmtpServer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{self} ({:?})", self.security)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(url: &str) -> SmtpServer {
        SmtpServer::parse(url).expect(url)
    }

    #[test]
    fn urls_say_host_port_and_encryption() {
        for (url, host, port, security) in [
            (
                "smtp://u:p@mail.example.com:587?tls=required",
                "mail.example.com",
                587,
                Security::Required,
            ),
            (
                "smtp://u:p@mail.example.com",
                "mail.example.com",
                587,
                Security::Required,
            ),
            (
                "smtps://u:p@mail.example.com",
                "mail.example.com",
                465,
                Security::Implicit,
            ),
            (
                "smtps://mail.example.com:4650/",
                "mail.example.com",
                4650,
                Security::Implicit,
            ),
            (
                "smtp://mail.example.com",
                "mail.example.com",
                25,
                Security::Opportunistic,
            ),
            (
                "smtp://mailpit:1025?tls=none",
                "mailpit",
                1025,
                Security::None,
            ),
            ("smtp://127.0.0.1:2525", "127.0.0.1", 2525, Security::None),
            ("smtp://[::1]:2525", "::1", 2525, Security::None),
            ("smtp://localhost", "localhost", 25, Security::None),
            (
                "smtp://u:p@localhost:25?tls=opportunistic",
                "localhost",
                25,
                Security::Opportunistic,
            ),
        ] {
            let server = server(url);
            assert_eq!(
                (server.host.as_str(), server.port, server.security),
                (host, port, security),
                "{url}"
            );
        }
    }

    #[test]
    fn a_login_is_decoded_and_never_shown() {
        let server = server("smtp://me%40example.com:p%2Fw@mail.example.com");
        let login = server.login.as_ref().expect("a login");
        assert_eq!(
            (login.user.as_str(), login.password.as_str()),
            ("me@example.com", "p/w")
        );
        assert!(!format!("{server:?}").contains("p/w"));
    }

    #[test]
    fn mistakes_get_their_own_sentence() {
        for (url, error) in [
            ("mail.example.com", MailConfigError::Url),
            ("smtp://", MailConfigError::Url),
            (
                "http://mail.example.com",
                MailConfigError::Scheme("http".to_owned()),
            ),
            (
                "smtp://mail.example.com?tls=yes",
                MailConfigError::Tls("yes".to_owned()),
            ),
            ("smtp://user@mail.example.com", MailConfigError::Password),
        ] {
            assert_eq!(SmtpServer::parse(url).expect_err(url), error, "{url}");
        }
    }

    #[test]
    fn the_sender_is_checked_and_has_a_default() {
        let from = |from, base| {
            MailConfig::new("smtp://localhost", from, base).map(|mail| mail.from.to_string())
        };
        assert_eq!(
            from(Some("Bugle <b@example.com>"), "http://x"),
            Ok("Bugle <b@example.com>".to_owned())
        );
        assert_eq!(
            from(None, "https://bugle.example.com"),
            Ok("Bugle <bugle@bugle.example.com>".to_owned())
        );
        assert_eq!(
            from(None, "http://127.0.0.1:8000"),
            Ok("Bugle <bugle@localhost>".to_owned())
        );
        assert_eq!(from(Some("nobody"), "http://x"), Err(MailConfigError::From));
    }
}
