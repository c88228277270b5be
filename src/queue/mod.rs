//! Who works on what. In: records of the journals of all nodes. Out: batches for this node's workers, each record held
//! by one worker at a time; what is acknowledged never comes back, what is not comes again.

pub mod embedded;
pub mod redis;
pub mod redis_connection;
pub mod tasks_redis;

use std::time::{Duration, Instant};

use crate::journal::{Position, Record};

/// A record that a worker holds.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The journal that the record comes from.
    pub node: i64,
    pub record: Record,
    pub handle: Handle,
    /// Whoever held it before died or hung with it in hand.
    pub is_suspect: bool,
}

/// What the queue needs to know a delivery by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handle {
    Journal(Position),
    Stream {
        partition: i64,
        lane: redis::Lane,
        id: String,
    },
}

/// Records to work on together.
#[derive(Debug, Clone, Default)]
pub struct Claim {
    pub deliveries: Vec<Delivery>,
    pub terms: Terms,
}

/// What holds for all records of a claim.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    /// For each journal node in the claim, the number below which it never delivers again.
    pub safe_below: Vec<(i64, u64)>,
    /// After this somebody else may have stored them, and what tells so may be gone: give them back instead of storing them.
    pub expires: Option<Instant>,
}

impl Terms {
    pub fn is_expired(&self) -> bool {
        self.expires.is_some_and(|end| Instant::now() > end)
    }
}

/// The queue is not to be reached; the journals keep everything meanwhile.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    #[error("cannot reach Redis: {0}")]
    Redis(#[from] ::redis::RedisError),
}

/// Hands out records. Calls block: they are made on worker threads.
pub trait Queue: Send {
    /// Takes up to `most` records, waiting up to `patience` for the first.
    fn claim(&mut self, most: usize, patience: Duration) -> Result<Claim, QueueError>;

    /// The effects of these records are stored for good.
    fn acknowledge(&mut self, deliveries: &[Delivery]) -> Result<(), QueueError>;

    /// These could not be worked on: somebody shall, soon.
    fn release(&mut self, deliveries: &[Delivery]) -> Result<(), QueueError>;

    /// These have to wait for something; others of their project go first.
    fn postpone(&mut self, deliveries: &[Delivery]) -> Result<(), QueueError> {
        if deliveries.is_empty() {
            return Ok(());
        }
        self.release(deliveries)
    }
}
