//! Tasks between nodes: Redis spreads the ids of due tasks, so that whichever node is idle begins at once.
//! In: ids from the task table. Out: the same ids, each popped by one node. The row's lease in the database stays the
//! truth: an id lost with Redis is offered again by the next sweep, one handed out twice is claimed once.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use redis::{Commands, RedisResult, SortedSetAddOptions};
use tokio::sync::mpsc;

use super::redis_connection::{Connection, connect};

const CONNECT_WITHIN: Duration = Duration::from_secs(1);
/// The runner waits for its offers, so a Redis that hangs must not hold it up.
const OFFER_WITHIN: Duration = Duration::from_secs(1);
const POP_WITHIN: Duration = Duration::from_secs(3);
/// How long a pop waits in Redis; shorter than `POP_WITHIN`.
const POP_WAITS_S: f64 = 1.0;
/// After a failure Redis is left alone for this long; meanwhile tasks come from the table.
const REST: Duration = Duration::from_secs(5);

/// This node's end of the exchange.
pub struct TaskExchange {
    offers: Arc<Mutex<Offers>>,
    popped: mpsc::Receiver<i64>,
    ready: Vec<i64>,
}

struct Offers {
    url: String,
    key: String,
    connection: Option<Connection>,
    rest_until: Option<Instant>,
}

impl TaskExchange {
    /// Starts the thread that waits for ids; it ends with this value.
    pub fn start(url: &str, prefix: &str) -> Self {
        // A sorted set by due time: an id is in it at most once, and the oldest comes out first.
        let key = format!("{prefix}:tasks");
        let (sender, popped) = mpsc::channel(1);
        let (pop_url, pop_key) = (url.to_owned(), key.clone());
        thread::Builder::new()
            .name("tasks-redis".to_owned())
            .spawn(move || pop_until_closed(&pop_url, &pop_key, &sender))
            .expect("the system can start a thread");
        Self {
            offers: Arc::new(Mutex::new(Offers {
                url: url.to_owned(),
                key,
                connection: None,
                rest_until: None,
            })),
            popped,
            ready: Vec::new(),
        }
    }

    /// Shows due tasks (id, due time) to all nodes; false when Redis did not take them.
    pub async fn offer(&self, due: Vec<(i64, i64)>) -> bool {
        if due.is_empty() {
            return true;
        }
        let offers = Arc::clone(&self.offers);
        tokio::task::spawn_blocking(move || {
            offers
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .add(&due)
        })
        .await
        .unwrap_or(false)
    }

    /// Waits until Redis has handed an id to this node.
    pub async fn offered(&mut self) {
        if !self.ready.is_empty() {
            return;
        }
        match self.popped.recv().await {
            Some(id) => self.ready.push(id),
            None => std::future::pending().await,
        }
    }

    /// Up to `most` of the ids handed to this node.
    pub fn take(&mut self, most: usize) -> Vec<i64> {
        let mut ids = std::mem::take(&mut self.ready);
        while ids.len() < most {
            match self.popped.try_recv() {
                Ok(id) => ids.push(id),
                Err(_) => break,
            }
        }
        ids
    }
}

impl Offers {
    fn add(&mut self, due: &[(i64, i64)]) -> bool {
        if self.rest_until.is_some_and(|until| Instant::now() < until) {
            return false;
        }
        match self.try_add(due) {
            Ok(()) => {
                self.rest_until = None;
                true
            }
            Err(error) => {
                tracing::warn!(%error, "cannot hand tasks to Redis; this node takes them from the database");
                self.connection = None;
                self.rest_until = Some(Instant::now() + REST);
                false
            }
        }
    }

    fn try_add(&mut self, due: &[(i64, i64)]) -> RedisResult<()> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            empty => empty.insert(connect(&self.url, CONNECT_WITHIN, OFFER_WITHIN)?),
        };
        let scored: Vec<(i64, i64)> = due.iter().map(|(id, run_at)| (*run_at, *id)).collect();
        let _added: usize = connection.zadd_multiple_options(
            &self.key,
            &scored,
            &SortedSetAddOptions::add_only(),
        )?;
        Ok(())
    }
}

fn pop_until_closed(url: &str, key: &str, popped: &mpsc::Sender<i64>) {
    let mut connection = None;
    while !popped.is_closed() {
        match pop(&mut connection, url, key) {
            Ok(Some(id)) => {
                if popped.blocking_send(id).is_err() {
                    return;
                }
            }
            Ok(None) => {}
            Err(error) => {
                tracing::debug!(%error, "no tasks from Redis");
                connection = None;
                thread::sleep(Duration::from_secs(1));
            }
        }
    }
}

fn pop(connection: &mut Option<Connection>, url: &str, key: &str) -> RedisResult<Option<i64>> {
    let connection = match connection {
        Some(connection) => connection,
        empty => empty.insert(connect(url, CONNECT_WITHIN, POP_WITHIN)?),
    };
    let popped: Option<(String, i64, f64)> = connection.bzpopmin(key, POP_WAITS_S)?;
    Ok(popped.map(|(_, id, _)| id))
}
