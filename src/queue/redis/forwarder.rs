//! The ingest node's side. In: this node's journal. Out: its records in the streams, never more than the window and none
//! twice; what workers acknowledge is let go, what Redis lost is sent again.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::{Commands, ErrorKind, Pipeline, RedisError, RedisResult, Value};

use super::entries::{EntryId, Place, entry_id};
use super::window::{Known, Notes, Standing, Window};
use super::{Connection, Keys, Lane, Pulse, brief, connect, is_full};
use crate::journal::{Claimed, Journal, Position};
use crate::store::digest::{PARTITIONS, partition_of};

/// Records that are sent together at most.
const BATCH: usize = 256;
const CHECK_EVERY: Duration = Duration::from_secs(2);
const SEARCH_EVERY: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(300);
/// How long the mark outlives its forwarder (seconds).
const MARK_KEPT_S: i64 = 7 * 24 * 3600;

pub struct Forwarder {
    journal: Journal,
    url: String,
    keys: Keys,
    pulse: Arc<Pulse>,
    window: Window,
    notes: Notes,
    /// Records that are sent together now: fewer when Redis has no room for all.
    batch: usize,
    last_check: Instant,
    last_search: Instant,
}

/// A record on its way, with the stream it goes to.
struct Outgoing {
    record: Claimed,
    place: Place,
}

impl Forwarder {
    pub fn new(journal: Journal, url: &str, prefix: &str, pulse: Arc<Pulse>) -> Self {
        Self {
            journal,
            url: url.to_owned(),
            keys: Keys::new(prefix),
            pulse,
            window: Window::default(),
            notes: Notes::default(),
            batch: BATCH,
            last_check: Instant::now(),
            last_search: Instant::now(),
        }
    }

    /// Works until `stopped` says so; waits out a Redis that is away.
    pub fn run(mut self, stopped: &dyn Fn() -> bool) {
        let mut away = false;
        while !stopped() {
            let Err(error) = self.session(stopped, &mut away) else {
                break;
            };
            let error = brief(&error);
            if !away {
                tracing::warn!(error, "Redis is away; the journal keeps what arrives");
                away = true;
            }
            self.pulse.is_away(error);
            std::thread::sleep(PAUSE);
        }
    }

    /// Works with one connection until it fails.
    fn session(&mut self, stopped: &dyn Fn() -> bool, away: &mut bool) -> RedisResult<()> {
        let mut connection = connect(&self.url)?;
        // What was sent last may have arrived although no answer came.
        self.reconcile(&mut connection)?;
        self.check_mark(&mut connection)?;
        while !stopped() {
            self.read_acks(&mut connection)?;
            if self.last_check.elapsed() > CHECK_EVERY {
                self.check_mark(&mut connection)?;
            }
            if self.last_search.elapsed() > SEARCH_EVERY {
                self.search(&mut connection)?;
            }
            if self.window.has_room() {
                // With records out, acknowledgements are due; without any, only new records can be.
                let patience = Duration::from_millis(if self.window.is_empty() { 200 } else { 5 });
                self.forward(&mut connection, patience)?;
            } else {
                std::thread::sleep(Duration::from_millis(5));
            }
            self.pulse.beats();
            if std::mem::take(away) {
                tracing::info!("Redis is back");
            }
        }
        Ok(())
    }

    fn forward(&mut self, connection: &mut Connection, patience: Duration) -> RedisResult<()> {
        let claimed = self.journal.claim(self.batch, patience);
        let outgoing = self.choose(claimed);
        if outgoing.is_empty() {
            return Ok(());
        }
        match self.send(connection, &outgoing) {
            Ok(ids) => {
                self.batch = (self.batch * 2).min(BATCH);
                for (Outgoing { record, place }, id) in outgoing.into_iter().zip(ids) {
                    let (seq, project_id) = (record.record.seq, record.record.project_id);
                    let bytes = record.record.body.len();
                    let standing = Standing { place, bytes };
                    self.window
                        .sent(seq, project_id, record.position, standing, id);
                }
                Ok(())
            }
            Err(error) => {
                if is_full(&error) {
                    self.batch = (self.batch / 2).max(1);
                }
                // What of it did arrive is found when the next session begins.
                let back: Vec<(i64, Position)> = outgoing
                    .iter()
                    .map(|out| (out.record.record.project_id, out.record.position))
                    .collect();
                self.journal.release(&back);
                Err(error)
            }
        }
    }

    /// Leaves out what stands in Redis already or is done, and gives each of the others its lane. Sorted by partition.
    fn choose(&mut self, claimed: Vec<Claimed>) -> Vec<Outgoing> {
        let mut outgoing = Vec::with_capacity(claimed.len());
        let mut done = Vec::new();
        let mut more = HashMap::<i64, u32>::new();
        for record in claimed {
            let project_id = record.record.project_id;
            match self
                .window
                .meet(record.record.seq, project_id, record.position)
            {
                Known::Stands => {}
                Known::Done => done.push(record.position),
                Known::New => {
                    let more = more.entry(project_id).or_default();
                    let place = Place {
                        partition: partition_of(project_id),
                        lane: self.window.lane(project_id, *more),
                    };
                    *more += 1;
                    outgoing.push(Outgoing { record, place });
                }
            }
        }
        if !done.is_empty() {
            self.journal.ack(&done);
        }
        outgoing.sort_by_key(|out| out.place.partition);
        outgoing
    }

    /// Writes entries and the fields that tell of them: for each partition all or nothing.
    fn send(
        &mut self,
        connection: &mut Connection,
        outgoing: &[Outgoing],
    ) -> RedisResult<Vec<EntryId>> {
        let node = self.journal.node();
        let safe = self
            .notes
            .safe_below(Instant::now(), self.journal.safe_below());
        let mut pipe = redis::pipe();
        for partition in outgoing.chunk_by(|a, b| a.place.partition == b.place.partition) {
            pipe.cmd("MULTI").ignore();
            self.add_partition(&mut pipe, partition, node, safe);
            pipe.cmd("EXEC");
        }
        let answers: Vec<Vec<Value>> = pipe.query(connection)?;
        let mut ids = Vec::with_capacity(outgoing.len());
        for answer in answers {
            // The first answer is the hash's.
            for value in answer.into_iter().skip(1) {
                ids.push(redis::from_redis_value::<String>(value)?);
            }
        }
        let ids: Option<Vec<EntryId>> = ids.iter().map(|id| entry_id(id)).collect();
        ids.filter(|ids| ids.len() == outgoing.len())
            .ok_or_else(|| unexpected("XADD"))
    }

    fn add_partition(&self, pipe: &mut Pipeline, outgoing: &[Outgoing], node: i64, safe: u64) {
        let Some(first) = outgoing.first() else {
            return;
        };
        let hash = pipe
            .cmd("HSET")
            .arg(self.keys.sent(first.place.partition, node));
        for out in outgoing {
            hash.arg(out.record.record.seq)
                .arg(field(out.place.lane, out.record.record.body.len()));
        }
        hash.ignore();
        for Outgoing { record, place } in outgoing {
            pipe.cmd("XADD")
                .arg(self.keys.stream(place.partition, place.lane))
                .arg("*")
                .arg("node")
                .arg(node)
                .arg("safe")
                .arg(safe)
                .arg("body")
                .arg(&record.record.body[..])
                .ignore();
        }
    }

    /// Lets go of what workers have stored; gives the numbers.
    fn read_acks(&mut self, connection: &mut Connection) -> RedisResult<Vec<u64>> {
        let key = self.keys.acks(self.journal.node());
        let mut all = Vec::new();
        loop {
            let packed: Vec<String> = connection.rpop(&key, NonZeroUsize::new(64))?;
            if packed.is_empty() {
                return Ok(all);
            }
            let seqs: Vec<u64> = packed
                .iter()
                .flat_map(|text| text.split(','))
                .filter_map(|text| text.parse().ok())
                .collect();
            self.journal.ack(&self.window.acknowledged(&seqs));
            all.extend(seqs);
        }
    }

    /// A Redis without our mark has lost its data, or is another one.
    fn check_mark(&mut self, connection: &mut Connection) -> RedisResult<()> {
        self.last_check = Instant::now();
        let mark = self.keys.mark(self.journal.node());
        let known: bool = connection.expire(&mark, MARK_KEPT_S)?;
        if known {
            return Ok(());
        }
        self.reconcile(connection)?;
        connection.set_ex(&mark, 1, MARK_KEPT_S as u64)
    }

    /// Brings the window in line with what Redis has of this node.
    fn reconcile(&mut self, connection: &mut Connection) -> RedisResult<()> {
        self.read_acks(connection)?;
        let mut standing = self.standing(connection)?;
        let now = time(connection)?;
        // A worker removes the field not before it says so: what is missing now and not acknowledged is lost.
        for seq in self.read_acks(connection)? {
            standing.remove(&seq);
        }
        let back = self.window.reconcile(standing, now);
        if !back.is_empty() {
            tracing::warn!(
                records = back.len(),
                "Redis lost records; sending again what is not acknowledged"
            );
            self.journal.release(&back);
        }
        self.window.forget_below(self.journal.safe_below());
        Ok(())
    }

    /// The fields of this node in all partitions.
    fn standing(&self, connection: &mut Connection) -> RedisResult<HashMap<u64, Standing>> {
        let mut standing = HashMap::new();
        for partition in 0..PARTITIONS {
            let key = self.keys.sent(partition, self.journal.node());
            let fields: Vec<(u64, String)> = connection.hgetall(key)?;
            standing.extend(fields.into_iter().filter_map(|(seq, text)| {
                let (lane, bytes) = read_field(&text)?;
                let place = Place { partition, lane };
                Some((seq, Standing { place, bytes }))
            }));
        }
        Ok(standing)
    }

    /// Looks for records that are out for long: a stream may be evicted while its hash is not.
    fn search(&mut self, connection: &mut Connection) -> RedisResult<()> {
        self.last_search = Instant::now();
        if !self.window.has_old() {
            return Ok(());
        }
        self.reconcile(connection)?;
        let mut first = HashMap::new();
        for partition in 0..PARTITIONS {
            for lane in Lane::BOTH {
                let stream = self.keys.stream(partition, lane);
                let range: redis::streams::StreamRangeReply =
                    connection.xrange_count(stream, "-", "+", 1)?;
                let id = range.ids.first().and_then(|entry| entry_id(&entry.id));
                first.insert(Place { partition, lane }, id);
            }
        }
        self.read_acks(connection)?;
        let missing = self.window.missing(&first);
        let mut fields = BTreeMap::<i64, Vec<u64>>::new();
        for (seq, place) in &missing {
            fields.entry(place.partition).or_default().push(*seq);
        }
        for (partition, seqs) in fields {
            let key = self.keys.sent(partition, self.journal.node());
            let _removed: usize = connection.hdel(key, seqs)?;
        }
        let back = self
            .window
            .take_back(missing.into_iter().map(|(seq, _)| seq).collect());
        self.journal.release(&back);
        Ok(())
    }
}

/// What the hash says of a record: `q` or `b` for the lane, then its size.
fn field(lane: Lane, bytes: usize) -> String {
    let lane = match lane {
        Lane::Quiet => 'q',
        Lane::Busy => 'b',
    };
    format!("{lane}{bytes}")
}

fn read_field(text: &str) -> Option<(Lane, usize)> {
    let (lane, bytes) = text.split_at_checked(1)?;
    let lane = match lane {
        "q" => Lane::Quiet,
        "b" => Lane::Busy,
        _ => return None,
    };
    Some((lane, bytes.parse().ok()?))
}

/// Redis' clock, as the id of an entry that is added now.
fn time(connection: &mut Connection) -> RedisResult<EntryId> {
    let (seconds, micros): (u64, u64) = redis::cmd("TIME").query(connection)?;
    Ok((seconds * 1000 + micros / 1000, u64::MAX))
}

fn unexpected(command: &'static str) -> RedisError {
    RedisError::from((
        ErrorKind::UnexpectedReturnType,
        "not what was asked",
        command.to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_survive_redis() {
        for known in [(Lane::Quiet, 0), (Lane::Busy, 1_048_576)] {
            assert_eq!(read_field(&field(known.0, known.1)), Some(known));
        }
        assert_eq!(read_field(""), None);
        assert_eq!(read_field("é1"), None);
    }
}
