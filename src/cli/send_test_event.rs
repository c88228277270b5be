//! `bugle send-test-event`. In: a DSN. Out: an event, sent as an SDK would send it, and its id.

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use clap::Args;

use super::CommandError;
use crate::protocol::dsn::Dsn;
use crate::protocol::event_id::EventId;

/// Send an event to a DSN, as an SDK would.
#[derive(Debug, Args)]
pub struct SendTestEventArgs {
    /// DSN of the project.
    #[arg(long, env = "SENTRY_DSN")]
    dsn: String,

    /// Text of the event.
    #[arg(
        long,
        default_value = "This is a test event from bugle send-test-event"
    )]
    message: String,
}

const PATIENCE: Duration = Duration::from_secs(10);

pub(super) fn run(args: &SendTestEventArgs) -> Result<(), CommandError> {
    let dsn: Dsn = args.dsn.parse().map_err(|_| {
        format!(
            "'{}' is not a DSN; it looks like http://KEY@localhost:8000/1",
            args.dsn
        )
    })?;
    let url = url::Url::parse(&dsn.base_url).map_err(|error| error.to_string())?;
    if url.scheme() != "http" {
        return Err("this command speaks plain HTTP only: give it the DSN with the node's own http:// address".into());
    }
    let host = url.host_str().unwrap_or_default().to_owned();
    let port = url.port().unwrap_or(80);
    let path = format!(
        "{}/api/{}/envelope/",
        url.path().trim_end_matches('/'),
        dsn.project_id
    );
    let id = EventId::random();
    let body = envelope(id, &args.message);
    let answer = post(&host, port, &path, &dsn.public_key, &body)
        .map_err(|error| format!("cannot reach {host}:{port}: {error}"))?;
    let status = answer.lines().next().unwrap_or_default();
    if status.split(' ').nth(1) == Some("200") {
        println!("{id}");
        return Ok(());
    }
    let reason = answer.split("\r\n\r\n").nth(1).unwrap_or_default();
    Err(format!("the server refused the event: {status} {reason}").into())
}

fn envelope(id: EventId, message: &str) -> String {
    let event = serde_json::json!({
        "event_id": id.to_string(),
        "level": "info",
        "platform": "other",
        "message": message,
        "environment": "test",
        "tags": { "source": "bugle send-test-event" },
    });
    format!("{{\"event_id\":\"{id}\"}}\n{{\"type\":\"event\"}}\n{event}\n")
}

fn post(host: &str, port: u16, path: &str, key: &str, body: &str) -> std::io::Result<String> {
    let address = (host.trim_matches(['[', ']']), port)
        .to_socket_addrs()?
        .next()
        .ok_or_else(|| std::io::Error::other("the name has no address"))?;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let version = env!("CARGO_PKG_VERSION");
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\nContent-Type: application/x-sentry-envelope\r\n\
         X-Sentry-Auth: Sentry sentry_version=7, sentry_key={key}, sentry_client=bugle/{version}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = Vec::new();
    stream.take(64 * 1024).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
