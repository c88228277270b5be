//! `bugle send-test-event`. In: a DSN. Out: an event, sent as an SDK would send it, and its id.

use clap::Args;

use super::CommandError;
use crate::protocol::dsn::Dsn;
use crate::protocol::event_id::EventId;
use crate::test_event::TestEvent;

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
    let event = TestEvent {
        id,
        message: &args.message,
        source: "bugle send-test-event",
        public_key: &dsn.public_key,
    };
    let answer = event
        .send(&host, port, &path)
        .map_err(|error| format!("cannot reach {host}:{port}: {error}"))?;
    if answer.is_accepted() {
        println!("{id}");
        return Ok(());
    }
    let (status, reason) = (answer.status, answer.body);
    Err(format!("the server refused the event: {status} {reason}").into())
}
