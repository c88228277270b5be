//! The queue of many nodes. In: records of the nodes' journals. Out: Redis Streams, which the workers of all nodes read
//! as one consumer group; acknowledgements find their way back to the journal.
//!
//! Redis never holds the only copy: a record stays in its journal until the worker that stored it says so. Whatever
//! Redis loses is sent again, and the store knows what it has already.
//!
//! Each partition of projects has two streams, and beside them a hash for each journal of what stands in them. Entry and
//! field are written in one transaction and removed in one. So a forwarder learns after any accident what of its own is
//! still there, without reading a body, and never sends it a second time.

mod entries;
mod forwarder;
mod pulse;
mod window;
mod worker;

use std::time::Duration;

use redis::{RedisError, RedisResult};

use super::redis_connection::{self, Connection};

pub use forwarder::Forwarder;
pub use pulse::Pulse;
pub use worker::{RedisQueue, depth};

/// The consumer group of all workers.
const GROUP: &str = "workers";
/// A consumer that holds a record for this long is taken for dead.
const DEAD_AFTER: Duration = Duration::from_secs(30);
/// A worker that could not store its records for this long gives them back. Less than the notes of what was stored are
/// kept, so that whoever still holds a record finds the note of somebody else's success.
const HELD_AT_MOST: Duration = Duration::from_secs(120);
const CONNECT_WITHIN: Duration = Duration::from_secs(3);
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// The two streams of a partition. What a project sends beyond a few records waits in its own lane, so that it is not in
/// the way of a project that seldom sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    Quiet,
    Busy,
}

impl Lane {
    const BOTH: [Self; 2] = [Self::Quiet, Self::Busy];
}

/// Names of the keys. What belongs to one partition has its number in braces, so that a cluster keeps it together and a
/// transaction over it stays possible.
#[derive(Debug, Clone)]
struct Keys {
    prefix: String,
}

impl Keys {
    fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
        }
    }

    fn stream(&self, partition: i64, lane: Lane) -> String {
        let name = match lane {
            Lane::Quiet => "quiet",
            Lane::Busy => "events",
        };
        format!("{{{}:{partition}}}:{name}", self.prefix)
    }

    /// What a journal has in the streams of a partition: sequence number to size and lane.
    fn sent(&self, partition: i64, node: i64) -> String {
        format!("{{{}:{partition}}}:sent:{node}", self.prefix)
    }

    fn acks(&self, node: i64) -> String {
        format!("{}:acks:{node}", self.prefix)
    }

    /// Missing after Redis lost its data.
    fn mark(&self, node: i64) -> String {
        format!("{}:forwarder:{node}", self.prefix)
    }
}

fn connect(url: &str) -> RedisResult<Connection> {
    redis_connection::connect(url, CONNECT_WITHIN, ANSWER_WITHIN)
}

/// After such an error the connection cannot be trusted to answer the next question and not the last one.
fn is_broken(error: &RedisError) -> bool {
    error.is_connection_dropped() || error.is_io_error() || error.is_timeout()
}

/// A stream without its group: nobody made it yet, or it went with the data of a flushed Redis.
fn has_no_group(error: &RedisError) -> bool {
    matches!(error.code(), Some("NOGROUP" | "UNBLOCKED"))
}

/// Redis has no memory for what would need some; what frees memory it still does.
fn is_full(error: &RedisError) -> bool {
    let answers = error.clone().into_server_errors();
    answers.is_some_and(|answers| answers.iter().any(|(_, answer)| answer.code() == "OOM"))
}

/// An error in a few words: a pipeline repeats its for each command.
fn brief(error: &RedisError) -> String {
    match error.clone().into_server_errors().as_deref() {
        Some([(_, first), ..]) => {
            format!("{} {}", first.code(), first.details().unwrap_or_default())
        }
        _ => error.to_string(),
    }
}
