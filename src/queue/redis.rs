//! The queue of many nodes. In: records of this node's journal. Out: Redis Streams, one for each partition, that
//! the workers of all nodes read as one consumer group; acknowledgements find their way back to the journal.
//!
//! Redis never holds the only copy: a record stays in its journal until the worker that stored it says so. Whatever
//! Redis loses is sent again, and the store knows what it has already.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use redis::streams::{
    StreamAutoClaimOptions, StreamAutoClaimReply, StreamId, StreamReadOptions, StreamReadReply,
};
use redis::{Commands, Connection, RedisResult, Value};

use super::{Claim, Delivery, Handle, Queue, QueueError};
use crate::journal::{Journal, Position, decode_record};
use crate::store::digest::{PARTITIONS, partition_of};
use crate::telemetry::METRICS;

const GROUP: &str = "workers";
/// A consumer that holds a record for this long is taken for dead.
const DEAD_AFTER: Duration = Duration::from_secs(30);
/// Bytes of records of one node that are in Redis at a time.
const WINDOW_BYTES: usize = 64 * 1024 * 1024;
/// Records of one node that are in Redis at a time.
const WINDOW_RECORDS: usize = 50_000;
/// A record may stand in a stream twice, and the second copy be read long after the first was stored. So the note that
/// it was stored is kept for this many records longer than the journal needs; more are never in Redis.
const NOTES_KEPT: u64 = 4 * WINDOW_RECORDS as u64;
/// A record that is neither acknowledged nor in its stream any more was lost with its acknowledgement.
const LOST_AFTER: Duration = Duration::from_secs(20);

/// Names of the keys.
#[derive(Debug, Clone)]
pub struct Keys {
    prefix: String,
}

impl Keys {
    pub fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
        }
    }

    fn stream(&self, partition: i64) -> String {
        format!("{}:events:{partition}", self.prefix)
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
    let client = redis::Client::open(url)?;
    let connection = client.get_connection_with_timeout(Duration::from_secs(3))?;
    connection.set_read_timeout(Some(Duration::from_secs(10)))?;
    connection.set_write_timeout(Some(Duration::from_secs(10)))?;
    Ok(connection)
}

/// The worker's side: a consumer of all partitions.
pub struct RedisQueue {
    url: String,
    keys: Keys,
    consumer: String,
    connection: Option<Connection>,
    /// The partition to look at first, so that workers spread out.
    next: i64,
    last_sweep: Instant,
    /// What a consumer of this name held when its process died is read first, and at once.
    inherits: bool,
}

impl RedisQueue {
    pub fn new(url: &str, prefix: &str, consumer: String, number: usize) -> Self {
        Self {
            url: url.to_owned(),
            keys: Keys::new(prefix),
            consumer,
            connection: None,
            next: (number as i64 * 5) % PARTITIONS,
            last_sweep: Instant::now(),
            inherits: true,
        }
    }

    /// Runs a command; a connection that failed is not used again.
    fn with<T>(
        &mut self,
        work: impl FnOnce(&mut Connection, &Keys, &str) -> RedisResult<T>,
    ) -> Result<T, QueueError> {
        let mut connection = if let Some(connection) = self.connection.take() {
            connection
        } else {
            let mut connection = connect(&self.url)?;
            make_groups(&mut connection, &self.keys)?;
            connection
        };
        let result = work(&mut connection, &self.keys, &self.consumer);
        match &result {
            // The streams are gone with the data of a flushed Redis; new ones are made with the next connection.
            Err(error)
                if error.is_connection_dropped()
                    || error.is_io_error()
                    || error.is_timeout()
                    || is_no_group(error) =>
            {
                METRICS.redis.reconnects.inc();
            }
            _ => self.connection = Some(connection),
        }
        Ok(result?)
    }

    /// Records of consumers that died with them in hand.
    fn claim_of_the_dead(&mut self, most: usize) -> Result<Vec<Delivery>, QueueError> {
        let mut found = Vec::new();
        for partition in 0..PARTITIONS {
            let reply: StreamAutoClaimReply = self.with(|connection, keys, consumer| {
                let options = StreamAutoClaimOptions::default().count(most);
                connection.xautoclaim_options(
                    keys.stream(partition),
                    GROUP,
                    consumer,
                    DEAD_AFTER.as_millis() as usize,
                    "0-0",
                    options,
                )
            })?;
            found.extend(deliveries(partition, reply.claimed));
            if found.len() >= most {
                break;
            }
        }
        Ok(found)
    }
}

fn is_no_group(error: &redis::RedisError) -> bool {
    error.code() == Some("NOGROUP")
}

fn make_groups(connection: &mut Connection, keys: &Keys) -> RedisResult<()> {
    for partition in 0..PARTITIONS {
        let made: RedisResult<()> =
            connection.xgroup_create_mkstream(keys.stream(partition), GROUP, "0");
        match made {
            Err(error) if error.code() != Some("BUSYGROUP") => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn deliveries(partition: i64, entries: Vec<StreamId>) -> Vec<Delivery> {
    let mut found = Vec::with_capacity(entries.len());
    for mut entry in entries {
        let node = entry.get::<i64>("node");
        let body = match entry.map.remove("body") {
            Some(Value::BulkString(body)) => Some(body),
            _ => None,
        };
        if let (Some(node), Some(body)) = (node, body)
            && let Some(record) = decode_record(body)
        {
            found.push(Delivery {
                node,
                record,
                handle: Handle::Stream {
                    partition,
                    id: entry.id,
                },
            });
        } else {
            // Left pending: the journal that sent it has it still, and a worker of a later version may read it.
            tracing::error!(id = entry.id, partition, "a stream entry cannot be read");
        }
    }
    found
}

fn safe_below(entries: &[StreamId], into: &mut BTreeMap<i64, u64>) {
    for entry in entries {
        if let (Some(node), Some(below)) = (entry.get::<i64>("node"), entry.get::<u64>("safe")) {
            let known = into.entry(node).or_insert(below);
            *known = (*known).max(below);
        }
    }
}

impl Queue for RedisQueue {
    fn claim(&mut self, most: usize, patience: Duration) -> Result<Claim, QueueError> {
        if self.last_sweep.elapsed() > DEAD_AFTER / 3 {
            self.last_sweep = Instant::now();
            let deliveries = self.claim_of_the_dead(most)?;
            if !deliveries.is_empty() {
                return Ok(Claim {
                    deliveries,
                    safe_below: Vec::new(),
                });
            }
        }
        let first = self.next;
        self.next = (self.next + 1) % PARTITIONS;
        let from = if self.inherits { "0" } else { ">" };
        let reply: Option<StreamReadReply> = self.with(|connection, keys, consumer| {
            let order: Vec<i64> = (0..PARTITIONS)
                .map(|step| (first + step) % PARTITIONS)
                .collect();
            let names: Vec<String> = order
                .iter()
                .map(|partition| keys.stream(*partition))
                .collect();
            let ids = vec![from; names.len()];
            // A few from each stream: whose turn it is must not depend on how much others sent.
            let each = if from == "0" { most } else { (most / 4).max(1) };
            let options = StreamReadOptions::default()
                .group(GROUP, consumer)
                .count(each)
                .block(patience.as_millis().max(1) as usize);
            connection.xread_options(&names, &ids, &options)
        })?;
        self.inherits = false;
        let mut claim = Claim::default();
        let mut below = BTreeMap::new();
        for stream in reply.map(|reply| reply.keys).unwrap_or_default() {
            let partition = stream
                .key
                .rsplit(':')
                .next()
                .and_then(|number| number.parse().ok())
                .unwrap_or(0);
            safe_below(&stream.ids, &mut below);
            claim.deliveries.extend(deliveries(partition, stream.ids));
        }
        claim.safe_below = below.into_iter().collect();
        Ok(claim)
    }

    fn acknowledge(&mut self, deliveries: &[Delivery]) -> Result<(), QueueError> {
        self.with(|connection, keys, _| {
            let mut by_node = BTreeMap::<i64, Vec<u64>>::new();
            let mut by_partition = BTreeMap::<i64, Vec<&str>>::new();
            for delivery in deliveries {
                by_node
                    .entry(delivery.node)
                    .or_default()
                    .push(delivery.record.seq);
                if let Handle::Stream { partition, id } = &delivery.handle {
                    by_partition.entry(*partition).or_default().push(id);
                }
            }
            // The journal hears of it first: an entry that stays in the stream after a crash here is stored already
            // and only costs a look.
            let mut pipe = redis::pipe();
            for (node, seqs) in &by_node {
                let packed = seqs
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(",");
                pipe.lpush(keys.acks(*node), packed).ignore();
            }
            for (partition, ids) in &by_partition {
                pipe.xack(keys.stream(*partition), GROUP, ids).ignore();
                pipe.xdel(keys.stream(*partition), ids).ignore();
            }
            pipe.query::<()>(connection)
        })
    }

    fn release(&mut self, _deliveries: &[Delivery]) -> Result<(), QueueError> {
        // They stay pending and are claimed by whoever sweeps next; until then the trouble may be over.
        Ok(())
    }
}

struct Sent {
    position: Position,
    project_id: i64,
    bytes: usize,
    at: Instant,
    stream_id: String,
}

/// The ingest node's side: copies the journal into the streams and listens for acknowledgements.
pub struct Forwarder {
    journal: Journal,
    url: String,
    keys: Keys,
    sent: HashMap<u64, Sent>,
    sent_bytes: usize,
    last_check: Instant,
}

impl Forwarder {
    pub fn new(journal: Journal, url: &str, prefix: &str) -> Self {
        Self {
            journal,
            url: url.to_owned(),
            keys: Keys::new(prefix),
            sent: HashMap::new(),
            sent_bytes: 0,
            last_check: Instant::now(),
        }
    }

    /// Works until `stopped` says so; waits out a Redis that is away.
    pub fn run(mut self, stopped: &dyn Fn() -> bool) {
        let mut away = false;
        while !stopped() {
            match self.session(stopped) {
                Ok(()) => break,
                Err(error) => {
                    METRICS.redis.reconnects.inc();
                    if !away {
                        tracing::warn!(%error, "Redis is away; the journal keeps what arrives");
                        away = true;
                    }
                    std::thread::sleep(Duration::from_millis(300));
                }
            }
        }
    }

    fn session(&mut self, stopped: &dyn Fn() -> bool) -> RedisResult<()> {
        let mut connection = connect(&self.url)?;
        make_groups(&mut connection, &self.keys)?;
        self.check_mark(&mut connection)?;
        while !stopped() {
            self.read_acks(&mut connection)?;
            METRICS.redis.window_records.set(self.sent.len() as i64);
            METRICS.redis.window_bytes.set(self.sent_bytes as i64);
            if self.last_check.elapsed() > Duration::from_secs(2) {
                self.last_check = Instant::now();
                self.check_mark(&mut connection)?;
                self.resend_lost(&mut connection)?;
            }
            if self.sent_bytes >= WINDOW_BYTES || self.sent.len() >= WINDOW_RECORDS {
                std::thread::sleep(Duration::from_millis(5));
                continue;
            }
            // With records out, acknowledgements are due; without any, only new records can be.
            let patience = Duration::from_millis(if self.sent.is_empty() { 200 } else { 5 });
            self.forward(&mut connection, patience)?;
        }
        Ok(())
    }

    fn forward(&mut self, connection: &mut Connection, patience: Duration) -> RedisResult<()> {
        let claimed = self.journal.claim(256, patience);
        if claimed.is_empty() {
            return Ok(());
        }
        let node = self.journal.node();
        let safe = self.journal.safe_below().saturating_sub(NOTES_KEPT);
        let mut pipe = redis::pipe();
        for record in &claimed {
            let stream = self.keys.stream(partition_of(record.record.project_id));
            pipe.cmd("XADD")
                .arg(stream)
                .arg("*")
                .arg("node")
                .arg(node)
                .arg("safe")
                .arg(safe)
                .arg("body")
                .arg(&record.record.body[..]);
        }
        let ids: Vec<String> = match pipe.query(connection) {
            Ok(ids) => ids,
            Err(error) => {
                // Some may have arrived; sending them again is harmless.
                let back: Vec<(i64, Position)> = claimed
                    .iter()
                    .map(|record| (record.record.project_id, record.position))
                    .collect();
                self.journal.release(&back);
                return Err(error);
            }
        };
        for (record, stream_id) in claimed.into_iter().zip(ids) {
            let bytes = record.record.body.len();
            self.sent_bytes += bytes;
            let sent = Sent {
                position: record.position,
                project_id: record.record.project_id,
                bytes,
                at: Instant::now(),
                stream_id,
            };
            self.sent.insert(record.record.seq, sent);
        }
        Ok(())
    }

    fn read_acks(&mut self, connection: &mut Connection) -> RedisResult<()> {
        loop {
            let packed: Vec<String> = connection.rpop(
                self.keys.acks(self.journal.node()),
                std::num::NonZeroUsize::new(64),
            )?;
            if packed.is_empty() {
                return Ok(());
            }
            let mut done = Vec::new();
            for seq in packed
                .iter()
                .flat_map(|text| text.split(','))
                .filter_map(|text| text.parse::<u64>().ok())
            {
                if let Some(sent) = self.sent.remove(&seq) {
                    self.sent_bytes -= sent.bytes;
                    done.push(sent.position);
                }
            }
            self.journal.ack(&done);
        }
    }

    /// A Redis without our mark has lost its data, or is another one: everything that is out goes again.
    fn check_mark(&mut self, connection: &mut Connection) -> RedisResult<()> {
        let mark = self.keys.mark(self.journal.node());
        let known: bool = connection.exists(&mark)?;
        if known {
            return Ok(());
        }
        if !self.sent.is_empty() {
            tracing::warn!(
                records = self.sent.len(),
                "Redis lost its data; sending again what is not acknowledged"
            );
            make_groups(connection, &self.keys)?;
            let all: Vec<u64> = self.sent.keys().copied().collect();
            self.take_back(all);
        }
        connection.set(&mark, 1)
    }

    fn resend_lost(&mut self, connection: &mut Connection) -> RedisResult<()> {
        let old: Vec<(u64, i64, String)> = self
            .sent
            .iter()
            .filter(|(_, sent)| sent.at.elapsed() > LOST_AFTER)
            .take(200)
            .map(|(seq, sent)| (*seq, sent.project_id, sent.stream_id.clone()))
            .collect();
        let mut lost = Vec::new();
        for (seq, project_id, id) in old {
            let stream = self.keys.stream(partition_of(project_id));
            let found: redis::streams::StreamRangeReply = connection.xrange(stream, &id, &id)?;
            if found.ids.is_empty() {
                lost.push(seq);
            } else if let Some(sent) = self.sent.get_mut(&seq) {
                sent.at = Instant::now();
            }
        }
        self.take_back(lost);
        Ok(())
    }

    fn take_back(&mut self, mut seqs: Vec<u64>) {
        seqs.sort_unstable();
        let mut back = Vec::with_capacity(seqs.len());
        for seq in seqs {
            if let Some(sent) = self.sent.remove(&seq) {
                self.sent_bytes -= sent.bytes;
                back.push((sent.project_id, sent.position));
            }
        }
        self.journal.release(&back);
    }
}
