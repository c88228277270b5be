//! Opening a journal after whatever happened to it. In: a folder. Out: a journal that knows its number, where the
//! numbering stands, and every record that is not digested.

use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use super::index::{Index, Position, Segment};
use super::segment::{self, HEADER, Header};
use super::spare::{self, Spares};
use super::writer::{Active, Writer};
use super::{Journal, JournalError, Limits, PENDING_BYTES, Pending, Progress, Shared};
use crate::store::now_ms;

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
                let file = segment::create(folder, 1, Header { node, first_seq: 1 }, None)?;
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
                    None,
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
            progress: tokio::sync::watch::Sender::new(Progress::default()),
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
            spares: Spares::new(folder),
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
}

fn random_node() -> i64 {
    let mut bytes = [0u8; 8];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    // Positive and below 2^53: it travels through JSON and Redis.
    (u64::from_le_bytes(bytes) >> 11) as i64
}
