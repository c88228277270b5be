//! Opening a journal after whatever happened to it. In: a folder. Out: a journal that knows its number, where the
//! numbering stands, and every record that is not digested.

use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use super::damage::Counted;
use super::gathering::Gathering;
use super::index::{Index, Position, Segment};
use super::segment::{self, Header, START};
use super::spare::{self, Spares};
use super::writer::{Active, Writer};
use super::{Journal, JournalError, Limits, PENDING_BYTES, Pending, Progress, Shared};
use crate::store::now_ms;

const BELIEVED_AHEAD_MS: i64 = 26 * 3_600_000;

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
        // Left by a process that was killed.
        let _ = std::fs::remove_file(spare::path(folder));
        let last_received_ms = now_ms().max(last_written_ms(folder)?);
        let mut numbers = segment::list(folder)?;
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
        let counted = Counted::read(folder)?;
        let oldest = match (numbers.first(), &newest) {
            (Some(number), _) => {
                segment::read_header(&mut File::open(segment::path(folder, *number))?)?
            }
            (None, newest) => newest.as_ref().map(|(_, _, header)| *header),
        };
        // Version 1 counted nothing: there, what is on the disk is all that counts.
        let uncounted = oldest.map_or(0, |header| header.first_seq);
        let before = |header: &Header| {
            let since = header.first_seq.saturating_sub(uncounted);
            header.before.unwrap_or(since)
        };
        let (node, next_seq, active) = match newest {
            None => {
                // Without any segment nobody knows which numbers were used, so the numbering begins anew under a new name.
                let header = Header {
                    node: random_node(),
                    first_seq: 1,
                    before: Some(0),
                };
                (header.node, 1, begin(folder, 1, header, &mut index)?)
            }
            Some((number, mut file, header)) => {
                let scan = segment::scan(&mut file, header)?;
                file.set_len(scan.good_end)?;
                file.sync_all()?;
                let next_seq = scan.end(header.first_seq);
                let mut segment = Segment::new(
                    Arc::new(file.try_clone()?),
                    header.first_seq,
                    before(&header),
                    scan.good_end,
                );
                segment.set_missing(scan.missing(header.first_seq, next_seq));
                segment.sealed = true;
                index.segments.insert(number, segment);
                for found in &scan.found {
                    index.push(found.project_id, Position::new(number, found.offset));
                }
                // Appending goes on in a new segment: the old one may have a torn end on a disk that lied.
                let fresh = Header {
                    node: header.node,
                    first_seq: next_seq,
                    before: Some(before(&header) + (next_seq - header.first_seq)),
                };
                let active = begin(folder, number + 1, fresh, &mut index)?;
                (header.node, next_seq, active)
            }
        };
        let mut next_before = index
            .segments
            .values()
            .next()
            .map_or(0, |segment| segment.before);
        for number in numbers.iter().rev() {
            let mut file = File::open(segment::path(folder, *number))?;
            let bytes = file.metadata()?.len();
            let header = segment::read_header(&mut file)?;
            // A segment without a head gives its records to the damage of the one before it.
            next_before = header.as_ref().map_or(next_before, before);
            index.segments.insert(
                *number,
                Segment::new(
                    Arc::new(file),
                    header.map_or(0, |header| header.first_seq),
                    next_before,
                    bytes,
                ),
            );
        }
        let finished = index.finished();
        let shared = Arc::new(Shared {
            pending: Mutex::new(Pending {
                next_seq,
                last_received_ms,
                ..Pending::default()
            }),
            written: Condvar::new(),
            progress: tokio::sync::watch::Sender::new(Progress::default()),
            bytes: AtomicU64::new(index.bytes()),
            index: Mutex::new(index),
            recent: Mutex::default(),
            readable: Condvar::new(),
            pending_bytes_limit: PENDING_BYTES,
            limits,
            failing: AtomicBool::new(false),
            disk_full: AtomicBool::new(false),
            counted: Mutex::new(counted),
            loading: AtomicBool::new(!numbers.is_empty()),
        });
        shared.delete_finished(folder, &finished);
        shared.look_at_disk(folder);
        let writer = Writer {
            spares: Spares::new(folder),
            gathering: Gathering::default(),
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
}

impl Shared {
    /// Reads the older segments into the index, oldest first.
    fn load(&self, folder: &Path, numbers: &[u32]) {
        for number in numbers {
            let scanned = File::open(segment::path(folder, *number)).and_then(|mut file| {
                let header = segment::read_header(&mut file)?;
                header
                    .map(|header| segment::scan(&mut file, header))
                    .transpose()
            });
            match scanned {
                Ok(Some(scan)) => {
                    let mut index = self.index.lock().expect("no thread panics with this lock");
                    // The head of the next one says how many there were, if that is not gone: then it was digested first, and
                    // what it held is not missing here.
                    let next = index.segments.get(&(number + 1));
                    let next_before = next.map(|next| next.before);
                    for found in &scan.found {
                        index.push(found.project_id, Position::new(*number, found.offset));
                    }
                    if let Some(segment) = index.segments.get_mut(number) {
                        let first_seq = segment.first_seq;
                        let end_seq = match next_before {
                            Some(before) => first_seq + before.saturating_sub(segment.before),
                            None => scan.end(first_seq),
                        };
                        segment.set_missing(scan.missing(segment.first_seq, end_seq));
                        segment.sealed = true;
                    }
                    let finished = index.finished();
                    drop(index);
                    self.delete_finished(folder, &finished);
                }
                // Kept on the disk for somebody to look at; not delivered.
                Ok(None) => tracing::error!(
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
}

/// When something was written to the journal last, by the clock of then. One that is set back meanwhile must not give the same
/// times again; a time that is further ahead than a clock is wrong by mistake is not believed.
fn last_written_ms(folder: &Path) -> std::io::Result<i64> {
    let mut last = 0;
    for number in segment::list(folder)? {
        let written = std::fs::metadata(segment::path(folder, number))?.modified()?;
        let since = written.duration_since(std::time::UNIX_EPOCH);
        last = last.max(since.map_or(0, |since| since.as_millis() as i64));
    }
    Ok(if last > now_ms() + BELIEVED_AHEAD_MS {
        0
    } else {
        last
    })
}

/// Creates a segment to append to.
fn begin(folder: &Path, number: u32, header: Header, index: &mut Index) -> std::io::Result<Active> {
    let (file, reader) = segment::create(folder, number, header, None)?;
    let before = header.before.unwrap_or(0);
    index.segments.insert(
        number,
        Segment::new(Arc::new(reader), header.first_seq, before, START),
    );
    Ok(Active {
        number,
        file,
        length: START,
    })
}

fn random_node() -> i64 {
    let mut bytes = [0u8; 8];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    // Positive and below 2^53: it travels through JSON and Redis.
    (u64::from_le_bytes(bytes) >> 11) as i64
}
