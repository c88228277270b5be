//! The durable hand-off on this node. In: what ingest accepted. Out: the promise that it is on the disk, and later
//! the records themselves, in fair turns, until each is acknowledged as digested.

mod appender;
mod count;
mod damage;
mod fault;
mod gathering;
mod index;
mod open;
mod progress;
mod read;
mod recent;
mod record;
mod segment;
mod spare;
mod writer;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::store::now_ms;
pub use count::{Counts, Status};
use damage::Counted;
use index::Index;
pub use index::Position;
pub use progress::{Batch, Progress};
use read::Reader;
use recent::Recent;
pub(crate) use record::decode_body as decode_record;
pub use record::{Draft, Record, RecordKind};

/// Why the journal does not take a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    #[error("the journal is full: {0}")]
    Full(&'static str),
    #[error("the journal cannot be written: {0}")]
    Write(String),
    #[error("the server is stopping")]
    Closed,
    #[error("cannot open the journal in {folder}: {problem}")]
    Open { folder: String, problem: String },
}

/// Frames on their way to the disk.
#[derive(Default)]
struct Pending {
    /// Which of all the batches that are synced together this is.
    batch: Batch,
    frames: Vec<u8>,
    marks: Vec<Mark>,
    next_seq: u64,
    last_received_ms: i64,
    closed: bool,
    /// How many records the writer waits for; none while it is at work, when nobody needs to wake it.
    wanted: Option<usize>,
}

struct Mark {
    project_id: i64,
    seq: u64,
    offset: usize,
}

struct Shared {
    pending: Mutex<Pending>,
    written: Condvar,
    progress: watch::Sender<Progress>,
    index: Mutex<Index>,
    recent: Mutex<Recent>,
    readable: Condvar,
    bytes: AtomicU64,
    pending_bytes_limit: usize,
    limits: Limits,
    failing: AtomicBool,
    disk_full: AtomicBool,
    counted: Mutex<Counted>,
    /// Older segments are still being read after a start.
    loading: AtomicBool,
}

/// A record that somebody is working on.
#[derive(Debug, Clone)]
pub struct Claimed {
    pub position: Position,
    pub record: Record,
}

/// When the journal takes no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all segments.
    pub bytes: u64,
    /// Percent of the disk in use.
    pub disk_percent: u8,
}

/// The journal of this node. Cheap to clone.
#[derive(Clone)]
pub struct Journal {
    shared: Arc<Shared>,
    folder: Arc<PathBuf>,
    node: i64,
    threads: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

/// Bytes of records that one claim takes: large events make small batches.
const CLAIM_BYTES: usize = 4 * 1024 * 1024;

/// Bytes that may wait for the disk before requests are refused.
const PENDING_BYTES: usize = 64 * 1024 * 1024;

impl Journal {
    /// The number that names this journal in what it consumed.
    pub fn node(&self) -> i64 {
        self.node
    }

    /// Writes a record and returns when it is on the disk.
    pub async fn append(&self, draft: &Draft<'_>) -> Result<(), JournalError> {
        let mut progress = self.progress();
        let batch = self.submit(draft)?;
        let reached = progress
            .wait_for(|progress| progress.of(batch).is_some())
            .await
            .map_err(|_| JournalError::Closed)?;
        reached.of(batch).unwrap_or(Err(JournalError::Closed))
    }

    /// How far the disk has come: what [`Journal::submit`] took is kept once its batch is done.
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.shared.progress.subscribe()
    }

    /// Hands a record over to be written with all others that arrive until the disk is free. It is kept, or not, when
    /// [`Journal::progress`] says so of the batch.
    pub fn submit(&self, draft: &Draft<'_>) -> Result<Batch, JournalError> {
        let (batch, wanted) = {
            self.check_room()?;
            let mut pending = self
                .shared
                .pending
                .lock()
                .expect("no thread panics with this lock");
            if pending.closed {
                return Err(JournalError::Closed);
            }
            if pending.frames.len() + draft.payload.len() > self.shared.pending_bytes_limit {
                return Err(JournalError::Full("the disk is slower than what arrives"));
            }
            // Received times never go back, so that row ids made of them stay unique when the clock jumps.
            let received_ms = now_ms().max(pending.last_received_ms);
            pending.last_received_ms = received_ms;
            let seq = pending.next_seq;
            pending.next_seq += 1;
            let offset = pending.frames.len();
            record::encode(draft, self.node, seq, received_ms, &mut pending.frames);
            pending.marks.push(Mark {
                project_id: draft.project_id,
                seq,
                offset,
            });
            let wanted = pending
                .wanted
                .is_some_and(|wanted| pending.marks.len() >= wanted);
            (pending.batch, wanted)
        };
        if wanted {
            self.shared.written.notify_one();
        }
        Ok(batch)
    }

    fn check_room(&self) -> Result<(), JournalError> {
        if self.shared.failing.load(Ordering::Acquire) {
            return Err(JournalError::Write(
                "the last write failed; it is being repaired".into(),
            ));
        }
        if self.shared.disk_full.load(Ordering::Relaxed) {
            return Err(JournalError::Full("BUGLE_DISK_LIMIT is reached"));
        }
        if self.shared.bytes.load(Ordering::Relaxed) >= self.shared.limits.bytes {
            return Err(JournalError::Full("BUGLE_JOURNAL_LIMIT is reached"));
        }
        Ok(())
    }

    /// Takes up to `most` records that nobody works on, and not many more bytes than [`CLAIM_BYTES`], waiting up to
    /// `patience` for the first.
    pub fn claim(&self, most: usize, patience: Duration) -> Vec<Claimed> {
        let deadline = Instant::now() + patience;
        let mut index = self
            .shared
            .index
            .lock()
            .expect("no thread panics with this lock");
        let (taken, files) = loop {
            let taken = index.claim(most);
            if !taken.is_empty() {
                let files: Vec<Option<Arc<File>>> = taken
                    .iter()
                    .map(|(_, at)| {
                        index
                            .segments
                            .get(&at.segment())
                            .map(|segment| Arc::clone(&segment.file))
                    })
                    .collect();
                break (taken, files);
            }
            let now = Instant::now();
            if now >= deadline {
                return Vec::new();
            }
            index = self
                .shared
                .readable
                .wait_timeout(index, deadline - now)
                .expect("no thread panics with this lock")
                .0;
        };
        drop(index);
        let frames: Vec<_> = {
            let recent = self.shared.recent.lock();
            let recent = recent.expect("no thread panics with this lock");
            taken.iter().map(|(_, at)| recent.get(*at)).collect()
        };
        let missing = taken.iter().zip(&frames);
        let missing = missing.filter(|(_, frame)| frame.is_none());
        let missing = missing.map(|((_, at), _)| *at).collect();
        let mut reader = Reader::new(self.node, missing);
        let mut claimed = Vec::with_capacity(taken.len());
        let mut bytes = 0;
        for (at, ((_, position), (frame, file))) in
            taken.iter().zip(frames.iter().zip(files)).enumerate()
        {
            if bytes >= CLAIM_BYTES {
                self.release(&taken[at..]);
                break;
            }
            let record = match (frame, file) {
                (Some(frame), _) => frame.record(),
                (None, Some(file)) => reader.record(&file, *position),
                (None, None) => None,
            };
            if let Some(record) = record {
                bytes += record.body.len();
                claimed.push(Claimed {
                    position: *position,
                    record,
                });
            } else {
                tracing::error!(
                    ?position,
                    "a journal record cannot be read any more; it is skipped and counted"
                );
                self.lose(*position);
            }
        }
        claimed
    }

    /// Lets go of records whose effects are stored.
    pub fn ack(&self, positions: &[Position]) {
        let finished = self
            .shared
            .index
            .lock()
            .expect("no thread panics with this lock")
            .ack(positions);
        self.shared.delete_finished(&self.folder, &finished);
    }

    fn lose(&self, position: Position) {
        let finished = self
            .shared
            .index
            .lock()
            .expect("no thread panics with this lock")
            .lost(position);
        self.shared.delete_finished(&self.folder, &finished);
    }

    /// Gives claimed records back.
    pub fn release(&self, records: &[(i64, Position)]) {
        self.shared
            .index
            .lock()
            .expect("no thread panics with this lock")
            .release(records);
        self.shared.readable.notify_all();
    }

    /// Gives claimed records back, behind the others of their projects.
    pub fn postpone(&self, records: &[(i64, Position)]) {
        if records.is_empty() {
            return;
        }
        self.shared
            .index
            .lock()
            .expect("no thread panics with this lock")
            .postpone(records);
    }

    /// Sequence numbers below this one will never be delivered again.
    pub fn safe_below(&self) -> u64 {
        if self.shared.loading.load(Ordering::Acquire) {
            return 0;
        }
        self.shared
            .index
            .lock()
            .expect("no thread panics with this lock")
            .safe_below()
    }

    /// Takes no more, writes what is pending and ends the threads.
    pub fn close(&self) {
        self.shared
            .pending
            .lock()
            .expect("no thread panics with this lock")
            .closed = true;
        self.shared.written.notify_all();
        let threads: Vec<_> = self
            .threads
            .lock()
            .expect("no thread panics with this lock")
            .drain(..)
            .collect();
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a journal thread ended with a panic");
            }
        }
    }
}

impl Shared {
    fn delete_finished(&self, folder: &Path, numbers: &[u32]) {
        for number in numbers {
            if let Err(error) = self.keep_damage(folder, *number) {
                tracing::warn!(segment = number, %error, "a damaged journal segment stays until its damage can be noted");
                continue;
            }
            // Off the disk first: only then may the numbers in it count as never coming back.
            match segment::delete(folder, *number) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => {
                    tracing::warn!(segment = number, %error, "a digested journal segment cannot be deleted");
                    continue;
                }
            }
            let mut index = self.index.lock().expect("no thread panics with this lock");
            index.segments.remove(number);
            self.bytes.store(index.bytes(), Ordering::Relaxed);
        }
    }

    fn look_at_disk(&self, folder: &Path) {
        if let Some(used) = disk_used(folder) {
            let full =
                used >= u64::from(self.limits.disk_percent) && self.limits.disk_percent < 100;
            if full != self.disk_full.swap(full, Ordering::Relaxed) && full {
                tracing::error!(
                    used,
                    "the disk is as full as BUGLE_DISK_LIMIT allows: ingest answers 503 until there is room"
                );
            }
        }
    }
}

/// How many segments of a closed journal hold more than their head: what could not be read is left alone.
pub fn unread_segments(folder: &Path) -> std::io::Result<u64> {
    let mut count = 0;
    for number in segment::list(folder)? {
        count += u64::from(segment::holds_frames(&segment::path(folder, number))?);
    }
    Ok(count)
}

/// Percent of the disk that is in use, as `df` counts: what is reserved for others is neither used nor free.
pub fn disk_used(folder: &Path) -> Option<u64> {
    let disk = fs4::statvfs(folder).ok()?;
    let used = disk.total_space() - disk.free_space();
    Some((used * 100).div_ceil((used + disk.available_space()).max(1)))
}

#[cfg(test)]
mod tests;
