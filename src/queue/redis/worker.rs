//! The worker's side: a consumer of all partitions. In: what the streams hold. Out: batches of few partitions, so that
//! workers seldom wait for each other in the database; and the word to the journals of what is stored.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use redis::{Cmd, Pipeline, RedisResult, Value};

use super::entries::{Collected, Place, streams};
use super::{Connection, DEAD_AFTER, GROUP, Keys, Lane, connect, has_no_group, is_broken, is_full};
use crate::queue::{Claim, Delivery, Handle, Queue, QueueError};
use crate::store::digest::PARTITIONS;

/// Partitions that a batch comes from, while there is enough in them.
const TOGETHER: i64 = 4;
const TURNS: i64 = PARTITIONS / TOGETHER;
/// How often a worker looks for what dead ones left.
const SWEEP_EVERY: Duration = Duration::from_secs(10);
/// An acknowledgement that nobody fetches for this long is of a node that is gone for good (seconds).
const ACKS_KEPT_S: i64 = 7 * 24 * 3600;
/// Acknowledgements that wait for memory in Redis; beyond, records are sent and looked at once more.
const UNTOLD: usize = 100_000;

pub struct RedisQueue {
    url: String,
    keys: Keys,
    consumer: String,
    connection: Option<Connection>,
    /// Whose turn it is among the groups of partitions; workers begin at different ones.
    turn: i64,
    last_sweep: Instant,
    /// What Redis gave to a consumer of this name and nobody got, because a process died or a connection broke, is read
    /// first, and at once.
    inherits: bool,
    /// What is stored, and Redis did not hear of it.
    unsaid: Finished,
}

impl RedisQueue {
    pub fn new(url: &str, prefix: &str, consumer: String, number: usize) -> Self {
        Self {
            url: url.to_owned(),
            keys: Keys::new(prefix),
            consumer,
            connection: None,
            turn: number as i64 % TURNS,
            last_sweep: Instant::now(),
            inherits: true,
            unsaid: Finished::default(),
        }
    }

    /// Runs a command; a connection that failed is not used again.
    fn with<T>(
        &mut self,
        work: impl FnOnce(&mut Connection, &Keys, &str) -> RedisResult<T>,
    ) -> RedisResult<T> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => connect(&self.url)?,
        };
        let result = work(&mut connection, &self.keys, &self.consumer);
        if !matches!(&result, Err(error) if is_broken(error)) {
            self.connection = Some(connection);
        }
        result
    }

    /// Reads from `places`: what is new (`>`), or what this consumer holds already (`0`). Streams that do not exist yet are
    /// made, and then there is nothing in them. Gives the places that may have more.
    fn read(
        &mut self,
        places: &[Place],
        from: &str,
        each: usize,
        patience: Option<Duration>,
        into: &mut Collected,
    ) -> RedisResult<Vec<Place>> {
        let answer = self.with(|connection, keys, consumer| {
            let mut command = redis::cmd("XREADGROUP");
            command.arg("GROUP").arg(GROUP).arg(consumer);
            command.arg("COUNT").arg(each);
            if let Some(patience) = patience {
                command.arg("BLOCK").arg(patience.as_millis().max(1) as u64);
            }
            command.arg("STREAMS");
            for place in places {
                command.arg(keys.stream(place.partition, place.lane));
            }
            for _ in places {
                command.arg(from);
            }
            match command.query::<Value>(connection) {
                Err(error) if has_no_group(&error) => {
                    make_groups(connection, keys)?;
                    Ok(Value::Nil)
                }
                other => other,
            }
        });
        if matches!(&answer, Err(error) if is_broken(error)) {
            self.inherits = true;
        }
        let answer = answer?;
        let mut longer = Vec::new();
        for (name, entries) in streams(answer)? {
            let place = places
                .iter()
                .find(|place| self.keys.stream(place.partition, place.lane) == name);
            if let Some(place) = place {
                if entries.len() >= each {
                    longer.push(*place);
                }
                into.add(*place, entries);
            }
        }
        Ok(longer)
    }

    /// A batch of one group of partitions, from both lanes.
    fn read_group(&mut self, group: i64, most: usize) -> RedisResult<Collected> {
        let places = group_places(group);
        let mut collected = Collected::default();
        // A share of each first: whose turn it is must not depend on how much others sent. Then long streams fill the batch.
        let share = (most / places.len()).max(1);
        for place in self.read(&places, ">", share, None, &mut collected)? {
            let rest = most.saturating_sub(collected.len());
            if rest > 0 {
                self.read(&[place], ">", rest, None, &mut collected)?;
            }
        }
        Ok(collected)
    }

    /// Records of consumers that died with them in hand, or let go of them.
    fn claim_of_the_dead(&mut self, most: usize) -> RedisResult<Collected> {
        let mut collected = Collected::default();
        for place in all_places() {
            let rest = most.saturating_sub(collected.len());
            if rest == 0 {
                break;
            }
            let answer = self.with(|connection, keys, consumer| {
                redis::cmd("XAUTOCLAIM")
                    .arg(keys.stream(place.partition, place.lane))
                    .arg(GROUP)
                    .arg(consumer)
                    .arg(DEAD_AFTER.as_millis() as u64)
                    .arg("0-0")
                    .arg("COUNT")
                    .arg(rest)
                    .query::<Value>(connection)
            });
            match answer {
                // The next entry to look at, then what was claimed.
                Ok(Value::Array(parts)) => {
                    if let Some(Value::Array(entries)) = parts.into_iter().nth(1) {
                        collected.add(place, entries);
                    }
                }
                Ok(_) => {}
                Err(error) if has_no_group(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(collected)
    }

    /// Tells Redis and the journals what is stored. What they do not hear is said again before the next batch is taken.
    fn say(&mut self) -> RedisResult<()> {
        if self.unsaid.is_empty() {
            return Ok(());
        }
        let mut unsaid = std::mem::take(&mut self.unsaid);
        let said = self.with(|connection, keys, _| {
            let mut pipe = redis::pipe();
            pipe.atomic();
            unsaid.tell_journals(&mut pipe, keys);
            unsaid.remove(&mut pipe, keys);
            pipe.query::<()>(connection)
        });
        let result = match said {
            Err(error) if is_full(&error) => self.remove_first(&mut unsaid),
            other => other,
        };
        if result.is_err() {
            self.unsaid = unsaid;
        }
        result
    }

    /// Removing makes the room that telling needs. What stays untold is looked for by its journal, and found stored.
    fn remove_first(&mut self, unsaid: &mut Finished) -> RedisResult<()> {
        self.with(|connection, keys, _| {
            let mut pipe = redis::pipe();
            pipe.atomic();
            unsaid.remove(&mut pipe, keys);
            pipe.query::<()>(connection)
        })?;
        unsaid.entries.clear();
        unsaid.fields.clear();
        let told = self.with(|connection, keys, _| {
            let mut pipe = redis::pipe();
            unsaid.tell_journals(&mut pipe, keys);
            pipe.query::<()>(connection)
        });
        if told.is_err() && unsaid.len() < UNTOLD {
            self.unsaid.by_node.append(&mut unsaid.by_node);
        }
        Ok(())
    }
}

/// How many records are in the streams now.
pub fn depth(url: &str, prefix: &str) -> Result<u64, QueueError> {
    let mut connection = connect(url)?;
    let keys = Keys::new(prefix);
    let mut pipe = redis::pipe();
    for place in all_places() {
        pipe.xlen(keys.stream(place.partition, place.lane));
    }
    let lengths: Vec<u64> = pipe.query(&mut connection)?;
    Ok(lengths.into_iter().sum())
}

fn all_places() -> Vec<Place> {
    (0..TURNS).flat_map(group_places).collect()
}

/// The streams of a group of partitions, quiet lanes first.
fn group_places(group: i64) -> Vec<Place> {
    let partitions = group * TOGETHER..(group + 1) * TOGETHER;
    Lane::BOTH
        .into_iter()
        .flat_map(|lane| {
            partitions
                .clone()
                .map(move |partition| Place { partition, lane })
        })
        .collect()
}

fn make_groups(connection: &mut Connection, keys: &Keys) -> RedisResult<()> {
    for place in all_places() {
        let made: RedisResult<()> = redis::cmd("XGROUP")
            .arg("CREATE")
            .arg(keys.stream(place.partition, place.lane))
            .arg(GROUP)
            .arg("0")
            .arg("MKSTREAM")
            .query(connection);
        match made {
            Err(error) if error.code() != Some("BUSYGROUP") => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Deliveries that are stored, as the commands want them.
#[derive(Default)]
struct Finished {
    by_node: BTreeMap<i64, Vec<u64>>,
    entries: BTreeMap<Place, Vec<String>>,
    fields: BTreeMap<(i64, i64), Vec<u64>>,
}

impl Finished {
    fn add(&mut self, deliveries: &[Delivery]) {
        for delivery in deliveries {
            let Handle::Stream {
                partition,
                lane,
                id,
            } = &delivery.handle
            else {
                continue;
            };
            let (node, seq, partition) = (delivery.node, delivery.record.seq, *partition);
            self.by_node.entry(node).or_default().push(seq);
            self.fields.entry((partition, node)).or_default().push(seq);
            let place = Place {
                partition,
                lane: *lane,
            };
            self.entries.entry(place).or_default().push(id.clone());
        }
    }

    fn is_empty(&self) -> bool {
        self.by_node.is_empty()
    }

    fn len(&self) -> usize {
        self.by_node.values().map(Vec::len).sum()
    }

    /// Tells the journals which of their records are stored.
    fn tell_journals(&self, pipe: &mut Pipeline, keys: &Keys) {
        for (node, seqs) in &self.by_node {
            let packed = seqs
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(",");
            pipe.lpush(keys.acks(*node), packed).ignore();
            pipe.expire(keys.acks(*node), ACKS_KEPT_S).ignore();
        }
    }

    /// Removes the entries and their fields.
    fn remove(&self, pipe: &mut Pipeline, keys: &Keys) {
        for (place, ids) in &self.entries {
            let stream = keys.stream(place.partition, place.lane);
            pipe.xack(&stream, GROUP, ids).ignore();
            pipe.xdel(&stream, ids).ignore();
        }
        for ((partition, node), seqs) in &self.fields {
            pipe.hdel(keys.sent(*partition, *node), seqs).ignore();
        }
    }
}

impl Queue for RedisQueue {
    fn claim(&mut self, most: usize, patience: Duration) -> Result<Claim, QueueError> {
        self.say()?;
        if self.inherits {
            let mut collected = Collected::default();
            let read = self.read(&all_places(), "0", most, None, &mut collected);
            if !matches!(&read, Err(error) if is_broken(error)) {
                self.inherits = false;
            }
            read?;
            if collected.len() > 0 {
                return Ok(collected.into_claim());
            }
        }
        if self.last_sweep.elapsed() > SWEEP_EVERY {
            self.last_sweep = Instant::now();
            let collected = self.claim_of_the_dead(most)?.suspect();
            if collected.len() > 0 {
                return Ok(collected.into_claim());
            }
        }
        for _ in 0..TURNS {
            let group = self.turn;
            self.turn = (self.turn + 1) % TURNS;
            let collected = self.read_group(group, most)?;
            if collected.len() > 0 {
                return Ok(collected.into_claim());
            }
        }
        let mut collected = Collected::default();
        let each = (most / 4).max(1);
        self.read(&all_places(), ">", each, Some(patience), &mut collected)?;
        Ok(collected.into_claim())
    }

    fn acknowledge(&mut self, deliveries: &[Delivery]) -> Result<(), QueueError> {
        self.unsaid.add(deliveries);
        Ok(self.say()?)
    }

    /// Makes them look as if their holder had died long ago: whoever sweeps next takes them.
    fn release(&mut self, deliveries: &[Delivery]) -> Result<(), QueueError> {
        let mut held = Finished::default();
        held.add(deliveries);
        self.with(|connection, keys, consumer| {
            let mut pipe = redis::pipe();
            for (place, ids) in &held.entries {
                let mut command = Cmd::new();
                command
                    .arg("XCLAIM")
                    .arg(keys.stream(place.partition, place.lane))
                    .arg(GROUP)
                    .arg(consumer)
                    .arg(0)
                    .arg(ids)
                    .arg("IDLE")
                    .arg(DEAD_AFTER.as_millis() as u64)
                    .arg("JUSTID");
                pipe.add_command(command).ignore();
            }
            pipe.query::<()>(connection)
        })?;
        Ok(())
    }
}
