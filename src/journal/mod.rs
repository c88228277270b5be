//! The durable hand-off on this node. In: what ingest accepted. Out: the promise that it is on the disk, and later
//! the records themselves, in fair turns, until each is acknowledged as digested.

mod index;
mod record;
mod segment;
mod writer;

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::store::now_ms;
pub use index::Position;
use index::{Index, Segment};
pub(crate) use record::decode_body as decode_record;
pub use record::{Draft, Record, RecordKind};
use segment::{HEADER, Header};
use writer::{Active, Writer};

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
    frames: Vec<u8>,
    marks: Vec<Mark>,
    waiters: Vec<oneshot::Sender<Result<(), JournalError>>>,
    next_seq: u64,
    last_received_ms: i64,
    closed: bool,
}

struct Mark {
    project_id: i64,
    seq: u64,
    offset: usize,
}

struct Shared {
    pending: Mutex<Pending>,
    written: Condvar,
    index: Mutex<Index>,
    readable: Condvar,
    bytes: AtomicU64,
    pending_bytes_limit: usize,
    limits: Limits,
    failing: AtomicBool,
    disk_full: AtomicBool,
    damaged: AtomicU64,
    /// Older segments are still being read after a start.
    loading: AtomicBool,
}

/// A record that somebody is working on.
#[derive(Debug, Clone)]
pub struct Claimed {
    pub position: Position,
    pub record: Record,
    /// The body of the record as it lies on the disk, for handing it on.
    pub body: Vec<u8>,
}

/// When the journal takes no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all segments.
    pub bytes: u64,
    /// Percent of the disk in use.
    pub disk_percent: u8,
}

/// How the journal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// Records that are not digested yet.
    pub backlog: u64,
    pub bytes: u64,
    pub damaged: u64,
    /// Records can be made durable now.
    pub writable: bool,
    /// All that was on the disk at start is known by now.
    pub loaded: bool,
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
    /// Opens or creates the journal in a folder. Returns when the newest segment is known; older ones are read in
    /// the background, so that a long backlog does not delay the start.
    pub fn open(folder: &Path, limits: Limits) -> Result<Self, JournalError> {
        Self::open_inner(folder, limits).map_err(|error| JournalError::Open {
            folder: folder.display().to_string(),
            problem: error.to_string(),
        })
    }

    fn open_inner(folder: &Path, limits: Limits) -> std::io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let mut numbers = segment::list(folder)?;
        let mut damaged = 0;
        let mut index = Index::default();
        // The newest segment whose head is whole tells the node and where numbering stands.
        let newest = loop {
            let Some(number) = numbers.pop() else {
                break None;
            };
            let mut file = File::options()
                .read(true)
                .write(true)
                .open(segment::path(folder, number))?;
            if let Some(header) = segment::read_header(&mut file)? {
                break Some((number, file, header));
            }
            // Only a crash while the segment was being made leaves no head, and then nothing was acknowledged from it.
            tracing::warn!(
                segment = number,
                "removing a journal segment that was never finished"
            );
            segment::delete(folder, number)?;
        };
        let (node, next_seq, active) = match newest {
            None => {
                // Without any segment nobody knows which numbers were used, so the numbering begins anew under a new name.
                let node = random_node();
                let file = segment::create(folder, 1, Header { node, first_seq: 1 })?;
                index.segments.insert(
                    1,
                    Segment {
                        file: Arc::new(file.try_clone()?),
                        first_seq: 1,
                        bytes: HEADER,
                        records: 0,
                        acked: 0,
                        sealed: false,
                    },
                );
                (
                    node,
                    1,
                    Active {
                        number: 1,
                        file,
                        length: HEADER,
                    },
                )
            }
            Some((number, mut file, header)) => {
                let scan = segment::scan(&mut file, header.node)?;
                damaged += scan.damaged;
                file.set_len(scan.good_end)?;
                file.sync_all()?;
                let mut next_seq = header.first_seq;
                index.segments.insert(
                    number,
                    Segment {
                        file: Arc::new(file.try_clone()?),
                        first_seq: header.first_seq,
                        bytes: scan.good_end,
                        records: 0,
                        acked: 0,
                        sealed: true,
                    },
                );
                for found in &scan.found {
                    next_seq = next_seq.max(found.seq + 1);
                    index.push(found.project_id, Position::new(number, found.offset));
                }
                // Appending goes on in a new segment: the old one may have a torn end on a disk that lied.
                let fresh = number + 1;
                let file = segment::create(
                    folder,
                    fresh,
                    Header {
                        node: header.node,
                        first_seq: next_seq,
                    },
                )?;
                index.segments.insert(
                    fresh,
                    Segment {
                        file: Arc::new(file.try_clone()?),
                        first_seq: next_seq,
                        bytes: HEADER,
                        records: 0,
                        acked: 0,
                        sealed: false,
                    },
                );
                (
                    header.node,
                    next_seq,
                    Active {
                        number: fresh,
                        file,
                        length: HEADER,
                    },
                )
            }
        };
        for number in &numbers {
            let mut file = File::open(segment::path(folder, *number))?;
            let bytes = file.metadata()?.len();
            let first_seq = segment::read_header(&mut file)?.map_or(0, |header| header.first_seq);
            index.segments.insert(
                *number,
                Segment {
                    file: Arc::new(file),
                    first_seq,
                    bytes,
                    records: 0,
                    acked: 0,
                    sealed: false,
                },
            );
        }
        let finished = index.finished();
        let shared = Arc::new(Shared {
            pending: Mutex::new(Pending {
                next_seq,
                last_received_ms: now_ms(),
                ..Pending::default()
            }),
            written: Condvar::new(),
            bytes: AtomicU64::new(index.bytes()),
            index: Mutex::new(index),
            readable: Condvar::new(),
            pending_bytes_limit: PENDING_BYTES,
            limits,
            failing: AtomicBool::new(false),
            disk_full: AtomicBool::new(false),
            damaged: AtomicU64::new(damaged),
            loading: AtomicBool::new(!numbers.is_empty()),
        });
        shared.delete_finished(folder, &finished);
        shared.look_at_disk(folder);
        let writer = Writer {
            shared: Arc::clone(&shared),
            folder: folder.to_owned(),
            node,
            active,
        };
        let mut threads = vec![
            std::thread::Builder::new()
                .name("journal-write".into())
                .spawn(move || writer.run())?,
        ];
        if !numbers.is_empty() {
            let shared = Arc::clone(&shared);
            let folder = folder.to_owned();
            threads.push(
                std::thread::Builder::new()
                    .name("journal-load".into())
                    .spawn(move || shared.load(&folder, &numbers))?,
            );
        }
        Ok(Self {
            shared,
            folder: Arc::new(folder.to_owned()),
            node,
            threads: Arc::new(Mutex::new(threads)),
        })
    }

    /// The number that names this journal in what it consumed.
    pub fn node(&self) -> i64 {
        self.node
    }

    /// Writes a record and returns when it is on the disk.
    pub async fn append(&self, draft: &Draft<'_>) -> Result<(), JournalError> {
        let written = {
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
            let (waiter, written) = oneshot::channel();
            pending.waiters.push(waiter);
            written
        };
        self.shared.written.notify_one();
        written.await.map_err(|_| JournalError::Closed)?
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
        let mut claimed = Vec::with_capacity(taken.len());
        let mut bytes = 0;
        for (at, ((_, position), file)) in taken.iter().zip(files).enumerate() {
            if bytes >= CLAIM_BYTES {
                self.release(&taken[at..]);
                break;
            }
            if let Some((body, record)) =
                file.and_then(|file| read_body(&file, *position, self.node))
            {
                bytes += body.len();
                claimed.push(Claimed {
                    position: *position,
                    record,
                    body,
                });
            } else {
                tracing::error!(
                    ?position,
                    "a journal record cannot be read any more; it is skipped and counted"
                );
                self.shared.damaged.fetch_add(1, Ordering::Relaxed);
                self.ack(&[*position]);
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

    /// Gives claimed records back.
    pub fn release(&self, records: &[(i64, Position)]) {
        self.shared
            .index
            .lock()
            .expect("no thread panics with this lock")
            .release(records);
        self.shared.readable.notify_all();
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

    pub fn status(&self) -> Status {
        let index = self
            .shared
            .index
            .lock()
            .expect("no thread panics with this lock");
        Status {
            backlog: index.waiting_records + index.claimed_records,
            bytes: index.bytes(),
            damaged: self.shared.damaged.load(Ordering::Relaxed),
            writable: self.check_room().is_ok(),
            loaded: !self.shared.loading.load(Ordering::Acquire),
        }
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
    fn load(&self, folder: &Path, numbers: &[u32]) {
        for number in numbers {
            let scanned = File::open(segment::path(folder, *number)).and_then(|mut file| {
                let header = segment::read_header(&mut file)?;
                let node = header.map_or(0, |header| header.node);
                Ok((header, segment::scan(&mut file, node)?))
            });
            match scanned {
                Ok((Some(_), scan)) => {
                    self.damaged.fetch_add(scan.damaged, Ordering::Relaxed);
                    let mut index = self.index.lock().expect("no thread panics with this lock");
                    for found in &scan.found {
                        index.push(found.project_id, Position::new(*number, found.offset));
                    }
                    if let Some(segment) = index.segments.get_mut(number) {
                        segment.sealed = true;
                    }
                    let finished = index.finished();
                    drop(index);
                    self.delete_finished(folder, &finished);
                }
                // Kept on the disk for somebody to look at; not delivered.
                Ok((None, _)) => tracing::error!(
                    segment = number,
                    "a journal segment has no readable head; it is left alone"
                ),
                Err(error) => {
                    tracing::error!(segment = number, %error, "a journal segment cannot be read; it is left alone");
                }
            }
            self.readable.notify_all();
        }
        self.loading.store(false, Ordering::Release);
    }

    fn delete_finished(&self, folder: &Path, numbers: &[u32]) {
        for number in numbers {
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

/// Percent of the disk that is in use, as `df` counts: what is reserved for others is neither used nor free.
pub fn disk_used(folder: &Path) -> Option<u64> {
    let disk = fs4::statvfs(folder).ok()?;
    let used = disk.total_space() - disk.free_space();
    Some((used * 100).div_ceil((used + disk.available_space()).max(1)))
}

fn read_body(file: &File, position: Position, node: i64) -> Option<(Vec<u8>, Record)> {
    let mut head = [0u8; record::FRAME_HEAD];
    let at = u64::from(position.offset());
    file.read_exact_at(&mut head, at).ok()?;
    let (length, checksum) = record::decode_head(&head)?;
    let mut body = vec![0u8; length];
    file.read_exact_at(&mut body, at + record::FRAME_HEAD as u64)
        .ok()?;
    if record::checksum(node, &body) != checksum {
        return None;
    }
    let record = record::decode_body(&body)?;
    Some((body, record))
}

fn random_node() -> i64 {
    let mut bytes = [0u8; 8];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    // Positive and below 2^53: it travels through JSON and Redis.
    (u64::from_le_bytes(bytes) >> 11) as i64
}

#[cfg(test)]
mod tests;
