//! An event to see whether events arrive, sent as an SDK would send it. In: an address, a project and a key. Out: the
//! status and the body of the answer.

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use crate::protocol::event_id::EventId;

const PATIENCE: Duration = Duration::from_secs(10);

/// Where to, and what.
#[derive(Debug, Clone)]
pub struct TestEvent<'a> {
    pub id: EventId,
    pub message: &'a str,
    /// What the tag `source` says.
    pub source: &'a str,
    pub public_key: &'a str,
}

/// What ingest said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// `200 OK`
    pub status: String,
    pub body: String,
}

impl Answer {
    pub fn is_accepted(&self) -> bool {
        self.status.starts_with("200")
    }
}

impl TestEvent<'_> {
    fn envelope(&self) -> String {
        let id = self.id;
        let event = serde_json::json!({
            "event_id": id.to_string(),
            "level": "info",
            "platform": "other",
            "message": self.message,
            "environment": "test",
            "tags": { "source": self.source },
        });
        format!("{{\"event_id\":\"{id}\"}}\n{{\"type\":\"event\"}}\n{event}\n")
    }

    /// Sends it over plain HTTP; blocks.
    pub fn send(&self, host: &str, port: u16, path: &str) -> std::io::Result<Answer> {
        let address = (host.trim_matches(['[', ']']), port)
            .to_socket_addrs()?
            .next()
            .ok_or_else(|| std::io::Error::other("the name has no address"))?;
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let (key, version, body) = (self.public_key, env!("CARGO_PKG_VERSION"), self.envelope());
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\nContent-Type: application/x-sentry-envelope\r\n\
             X-Sentry-Auth: Sentry sentry_version=7, sentry_key={key}, sentry_client=bugle/{version}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
        let mut answer = Vec::new();
        stream.take(64 * 1024).read_to_end(&mut answer)?;
        Ok(read(&String::from_utf8_lossy(&answer)))
    }
}

fn read(answer: &str) -> Answer {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer, ""));
    let first = head.lines().next().unwrap_or_default();
    Answer {
        status: first
            .split_once(' ')
            .map_or(first, |(_, status)| status)
            .to_owned(),
        body: body.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_a_status_and_a_body() {
        let answer = read("HTTP/1.1 403 Forbidden\r\na: b\r\n\r\n{\"detail\":\"x\"}");
        assert_eq!(
            (answer.status.as_str(), answer.body.as_str()),
            ("403 Forbidden", "{\"detail\":\"x\"}")
        );
        assert!(!answer.is_accepted());
        assert!(read("HTTP/1.1 200 OK\r\n\r\n").is_accepted());
    }
}
