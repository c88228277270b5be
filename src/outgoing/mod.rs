//! The one way to the outside for HTTP: mirrored events, own error reports, webhooks. In: a URL, headers, a body.
//! Out: the status and at most 64 KiB of the answer. Names are resolved here, and only a checked address is connected
//! to; redirects are not followed; no target can take longer than ten seconds. [`get`] fetches what is larger.

mod address;
mod get;

use std::fmt::Debug;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ureq::Agent;
use ureq::config::Config;
use ureq::http::{HeaderMap, Uri};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

pub use address::{Network, Reach};
pub use get::{Bounds, Got};

const CONNECT_WITHIN: Duration = Duration::from_secs(3);
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
const LONGEST_ANSWER: u64 = 64 * 1024;

/// Why a request got no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutgoingError {
    #[error("only http:// and https:// addresses can be called")]
    Scheme,
    #[error(
        "{host} has no public address, and this server calls private ones only where its administrator allows the network \
         (BUGLE_ALLOW_OUTGOING)"
    )]
    NotAllowed { host: String },
    #[error("the name {host} cannot be resolved")]
    Unknown { host: String },
    #[error("no answer in time: connecting may take 3 seconds, the whole call 10")]
    TooSlow,
    #[error("the connection failed: {0}")]
    Connection(String),
    #[error("addresses with a user or a password are not called")]
    Credentials,
    #[error("port {0} is not called; below 1024 only 80 and 443 are")]
    Port(u16),
    #[error("it leads on too often, or nowhere")]
    Redirect,
    #[error("the answer comes in the encoding '{0}', and only gzip or none was asked for")]
    Encoding(String),
    #[error("no complete answer within {seconds} seconds")]
    Late { seconds: u64 },
    #[error("there is more than the {} MiB that are fetched", .most / (1024 * 1024))]
    TooLarge { most: u64 },
    /// The fault of this side.
    #[error("the answer cannot be kept: {0}")]
    NotKept(String),
}

/// What the other side said.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    /// At most the first 64 KiB.
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Calls other servers. Blocks: use it on threads that may. Cheap to clone; connections are kept for reuse.
#[derive(Clone, Debug)]
pub struct Client {
    reach: Reach,
    agent: Arc<OnceLock<Agent>>,
    trusted: Arc<OnceLock<RootCerts>>,
}

impl Client {
    pub fn new(reach: Reach) -> Self {
        Self {
            reach,
            agent: Arc::default(),
            trusted: Arc::default(),
        }
    }

    /// Made when first needed: reading what this machine trusts must not hold up the start.
    fn agent(&self) -> &Agent {
        self.agent
            .get_or_init(|| agent(self.reach.clone(), self.trusted()))
    }

    fn trusted(&self) -> RootCerts {
        self.trusted.get_or_init(trusted).clone()
    }

    /// Sends a body and reads the answer.
    pub fn post(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answer, OutgoingError> {
        let is_web = url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        if !is_web {
            return Err(OutgoingError::Scheme);
        }
        let mut request = self.agent().post(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send(body).map_err(explain)?;
        let (parts, body) = answer.into_parts();
        let mut bytes = Vec::new();
        let reader = body.into_reader();
        // An answer that is longer, or breaks off, has said what counts in its status.
        let _ = std::io::Read::read_to_end(
            &mut std::io::Read::take(reader, LONGEST_ANSWER),
            &mut bytes,
        );
        Ok(Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: bytes,
        })
    }
}

fn agent(reach: Reach, trusted: RootCerts) -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        // A proxy from the environment would resolve names itself, unchecked.
        .proxy(None)
        .timeout_connect(Some(CONNECT_WITHIN))
        .timeout_global(Some(ANSWER_WITHIN))
        .max_response_header_size(64 * 1024)
        .max_idle_connections(16)
        .max_idle_connections_per_host(4)
        .user_agent(concat!("bugle/", env!("CARGO_PKG_VERSION")))
        .tls_config(TlsConfig::builder().root_certs(trusted).build())
        .build();
    Agent::with_parts(config, DefaultConnector::default(), Checked::new(reach))
}

/// What this machine trusts, as for mail.
fn trusted() -> RootCerts {
    let found = rustls_native_certs::load_native_certs();
    let certificates: Vec<Certificate<'static>> = found
        .certs
        .iter()
        .map(|certificate| Certificate::from_der(certificate.as_ref()).to_owned())
        .collect();
    RootCerts::from(certificates)
}

/// Resolves as usual and keeps only addresses that may be called: those are the ones that are connected to.
#[derive(Debug)]
struct Checked {
    reach: Reach,
    resolver: DefaultResolver,
}

impl Checked {
    fn new(reach: Reach) -> Self {
        Self {
            reach,
            resolver: DefaultResolver::default(),
        }
    }
}

impl Resolver for Checked {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = || uri.host().unwrap_or_default().to_owned();
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(other(OutgoingError::Scheme));
        }
        let found = match self.resolver.resolve(uri, config, timeout) {
            Err(ureq::Error::HostNotFound | ureq::Error::Io(_)) => {
                return Err(other(OutgoingError::Unknown { host: host() }));
            }
            found => found?,
        };
        let mut allowed = self.resolver.empty();
        for address in found.iter().copied() {
            if self.reach.allows(SocketAddr::ip(&address)) {
                allowed.push(address);
            }
        }
        if allowed.is_empty() {
            return Err(other(OutgoingError::NotAllowed { host: host() }));
        }
        Ok(allowed)
    }
}

fn other(error: OutgoingError) -> ureq::Error {
    ureq::Error::Other(Box::new(error))
}

fn explain(error: ureq::Error) -> OutgoingError {
    match error {
        ureq::Error::Timeout(_) => OutgoingError::TooSlow,
        ureq::Error::Other(inner) => match inner.downcast::<OutgoingError>() {
            Ok(own) => *own,
            Err(inner) => OutgoingError::Connection(inner.to_string()),
        },
        ureq::Error::BadUri(_) => OutgoingError::Scheme,
        other => OutgoingError::Connection(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// Answers one request with these bytes.
    fn server(answer: Vec<u8>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}/x", listener.local_addr().expect("bound"));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let mut head = [0u8; 4096];
                let _ = stream.read(&mut head);
                let _ = stream.write_all(&answer);
            }
        });
        url
    }

    fn port(url: &str) -> &str {
        url.rsplit(':')
            .next()
            .and_then(|rest| rest.split('/').next())
            .expect("a port")
    }

    #[test]
    fn private_targets_are_not_connected_to_in_any_notation() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("set");
        let port = listener.local_addr().expect("bound").port();
        let client = Client::new(Reach::PublicAnd(Vec::new()));
        for host in [
            "127.0.0.1",
            "localhost",
            "2130706433",
            "0x7f.1",
            "127.1",
            "0",
            "[::1]",
            "[::ffff:127.0.0.1]",
        ] {
            let error = client
                .post(&format!("http://{host}:{port}/"), &[], b"x")
                .expect_err(host);
            assert!(
                matches!(
                    error,
                    OutgoingError::NotAllowed { .. } | OutgoingError::Unknown { .. }
                ),
                "{host}: {error:?}"
            );
        }
        assert!(listener.accept().is_err(), "nobody connected");
        assert_eq!(
            client.post("file:///etc/passwd", &[], b"").err(),
            Some(OutgoingError::Scheme)
        );
    }

    #[test]
    fn an_allowed_network_is_called_and_redirects_are_not_followed() {
        let reach = || Reach::PublicAnd(vec!["127.0.0.0/8".parse().expect("a network")]);
        let url = server(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-said: yes\r\n\r\nok".to_vec());
        let answer = Client::new(reach())
            .post(&url, &[("x-a", "b")], b"x")
            .expect("answers");
        assert!(answer.is_success());
        assert_eq!(
            (answer.header("x-said"), &answer.body[..]),
            (Some("yes"), &b"ok"[..])
        );
        let target = TcpListener::bind("127.0.0.1:0").expect("a free port");
        target.set_nonblocking(true).expect("set");
        let redirect = format!(
            "HTTP/1.1 302 Found\r\nlocation: http://{}/\r\ncontent-length: 0\r\n\r\n",
            target.local_addr().expect("bound")
        );
        let url = server(redirect.into_bytes());
        let answer = Client::new(reach()).post(&url, &[], b"x").expect("answers");
        assert_eq!(answer.status, 302);
        assert!(target.accept().is_err(), "nobody followed");
    }

    #[test]
    fn an_endless_answer_is_cut() {
        let mut answer = b"HTTP/1.1 200 OK\r\ncontent-length: 9000000\r\n\r\n".to_vec();
        answer.resize(answer.len() + 200_000, b'x');
        let url = server(answer);
        let answer = Client::new(Reach::Anywhere)
            .post(&url, &[], b"x")
            .expect("answers");
        assert_eq!(answer.body.len() as u64, LONGEST_ANSWER);
        assert!(!port(&url).is_empty());
    }
}
