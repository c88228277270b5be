//! A connection to Redis whose every step has a limit in time. In: an address and the limits. Out: the connection, or why not.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use redis::{Connection, RedisError, RedisResult};

/// Handshakes that nobody waits for any more. A frozen Redis must not gather threads.
static HANGING: AtomicUsize = AtomicUsize::new(0);
const MOST_HANGING: usize = 16;

/// Connects, within bounded time. The client's handshake has no limit of its own: a Redis that is frozen takes the
/// connection and never answers, so a thread of its own waits for it.
pub fn connect(
    url: &str,
    connect_within: Duration,
    answer_within: Duration,
) -> RedisResult<Connection> {
    let client = redis::Client::open(url)?;
    if HANGING.load(Ordering::Relaxed) >= MOST_HANGING {
        return Err(no_answer());
    }
    HANGING.fetch_add(1, Ordering::Relaxed);
    let (answer, connected) = mpsc::sync_channel(1);
    std::thread::Builder::new()
        .name("redis-connect".into())
        .spawn(move || {
            let connection = client.get_connection_with_timeout(connect_within);
            HANGING.fetch_sub(1, Ordering::Relaxed);
            // Whoever has given up does not want it any more.
            let _ = answer.send(connection);
        })
        .inspect_err(|_| {
            HANGING.fetch_sub(1, Ordering::Relaxed);
        })?;
    let connection = connected
        .recv_timeout(connect_within + answer_within)
        .map_err(|_| no_answer())??;
    connection.set_read_timeout(Some(answer_within))?;
    connection.set_write_timeout(Some(answer_within))?;
    Ok(connection)
}

fn no_answer() -> RedisError {
    RedisError::from(std::io::Error::new(
        std::io::ErrorKind::TimedOut,
        "it takes connections and does not answer",
    ))
}
