//! A connection to Redis whose every step has a limit in time. In: an address and the limits. Out: the connection, or why not.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use redis::{ConnectionLike, RedisError, RedisResult, Value};

/// Handshakes that nobody waits for any more. A frozen Redis must not gather threads.
static HANGING: AtomicUsize = AtomicUsize::new(0);
const MOST_HANGING: usize = 16;

/// A connection that gives up at the first answer that does not come. The client's own goes on to wait for the answer to
/// each command of a pipeline, so that a Redis that froze would hold a thread for as many times its limit as there are
/// commands.
pub struct Connection(redis::Connection);

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
    Ok(Connection(connection))
}

impl ConnectionLike for Connection {
    fn req_packed_command(&mut self, command: &[u8]) -> RedisResult<Value> {
        self.0.req_packed_command(command)
    }

    /// Sends all commands, passes over the first `offset` answers and gives the `count` after them.
    fn req_packed_commands(
        &mut self,
        commands: &[u8],
        offset: usize,
        count: usize,
    ) -> RedisResult<Vec<Value>> {
        self.0.send_packed_command(commands)?;
        let mut passed = 0;
        let mut refused = None;
        let mut answers = Vec::with_capacity(count);
        while passed < offset || answers.len() < count {
            match self.0.recv_response()? {
                // News that nobody asked for.
                Value::Push { .. } => {}
                answer if passed >= offset => answers.push(answer),
                answer => {
                    passed += 1;
                    if let Value::ServerError(error) = answer {
                        refused.get_or_insert(error);
                    }
                }
            }
        }
        // A transaction is void when one of its commands was refused.
        refused.map_or(Ok(answers), |error| Err(error.into()))
    }

    fn get_db(&self) -> i64 {
        self.0.get_db()
    }

    fn check_connection(&mut self) -> bool {
        self.0.check_connection()
    }

    fn is_open(&self) -> bool {
        self.0.is_open()
    }
}

fn no_answer() -> RedisError {
    RedisError::from(std::io::Error::new(
        std::io::ErrorKind::TimedOut,
        "it takes connections and does not answer",
    ))
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    use super::*;

    /// Says OK to each command, and nothing more once it is frozen.
    fn server(frozen: Arc<AtomicBool>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address");
        std::thread::spawn(move || {
            let (mut client, _) = listener.accept().expect("a client");
            let mut bytes = [0; 4096];
            while let Ok(read @ 1..) = client.read(&mut bytes) {
                let commands = memchr::memchr_iter(b'*', &bytes[..read]).count();
                if !frozen.load(Ordering::SeqCst) {
                    let answers = "+OK\r\n".repeat(commands);
                    client.write_all(answers.as_bytes()).expect("an answer");
                }
            }
        });
        format!("redis://{address}/")
    }

    #[test]
    fn a_pipeline_waits_for_a_frozen_redis_once() {
        let frozen = Arc::new(AtomicBool::new(false));
        let url = server(Arc::clone(&frozen));
        let limit = Duration::from_millis(100);
        let mut connection = connect(&url, limit * 10, limit).expect("a connection");
        let mut pipe = redis::pipe();
        for _ in 0..1_000 {
            pipe.cmd("PING");
        }
        let answers: Vec<String> = pipe.query(&mut connection).expect("answers");
        assert_eq!(answers.len(), 1_000);
        frozen.store(true, Ordering::SeqCst);
        let (result, ended) = mpsc::channel();
        std::thread::spawn(move || result.send(pipe.query::<()>(&mut connection)));
        let result = ended
            .recv_timeout(limit * 300)
            .expect("it ends long before each command had its wait");
        assert!(result.expect_err("no answer").is_timeout());
    }
}
