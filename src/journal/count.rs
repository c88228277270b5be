//! What the journal counts. In: its index. Out: how much waits and for how long, and its side of the balance: how many
//! records it ever accepted, counted from its own records and not from what became of them.

use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::atomic::Ordering;

use super::{Journal, Position, Shared, record};

/// How the journal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// Records that are not digested yet.
    pub backlog: u64,
    pub bytes: u64,
    pub damaged: u64,
    /// When the oldest record that is not digested was received.
    pub oldest_ms: Option<i64>,
    /// Records can be made durable now.
    pub writable: bool,
    /// All that was on the disk at start is known by now.
    pub loaded: bool,
}

/// The journal's side of the balance, at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    pub node: i64,
    /// Every record that was ever acknowledged, since the journal began.
    pub accepted: u64,
    /// Of these, records that can be read no more.
    pub damaged: u64,
    /// Records in existing segments, digested or not.
    pub present: u64,
    /// Records with a smaller number are in no existing segment.
    pub safe_below: u64,
}

impl Journal {
    pub fn status(&self) -> Status {
        let (backlog, bytes, damaged, oldest) = {
            let index = self
                .shared
                .index
                .lock()
                .expect("no thread panics with this lock");
            (
                index.waiting_records + index.claimed_records(),
                index.bytes(),
                self.shared.damaged(&index),
                index.oldest(),
            )
        };
        Status {
            backlog,
            bytes,
            damaged,
            oldest_ms: oldest.and_then(|(position, file)| received_ms(&file, position)),
            writable: self.check_room().is_ok(),
            loaded: !self.shared.loading.load(Ordering::Acquire),
        }
    }

    /// The numbers of damaged records that the start found. Whether they had been stored before the damage, only the
    /// database knows; their segments stay until [`Journal::settle_missing`].
    pub fn missing(&self) -> Vec<u64> {
        if self.shared.loading.load(Ordering::Acquire) {
            return Vec::new();
        }
        let index = self
            .shared
            .index
            .lock()
            .expect("no thread panics with this lock");
        let segments = index.segments.values();
        segments
            .flat_map(|segment| segment.missing.iter().copied())
            .collect()
    }

    /// Says which of the missing records had been stored: nothing is lost with those.
    pub fn settle_missing(&self, stored: &HashSet<u64>) {
        let finished = self
            .shared
            .index
            .lock()
            .expect("no thread panics with this lock")
            .settle_missing(stored);
        self.shared.delete_finished(&self.folder, &finished);
    }

    /// The journal's side of the balance; none while segments from before the start are still being read.
    pub fn counts(&self) -> Option<Counts> {
        if self.shared.loading.load(Ordering::Acquire) {
            return None;
        }
        let index = self
            .shared
            .index
            .lock()
            .expect("no thread panics with this lock");
        Some(Counts {
            node: self.node(),
            accepted: index.accepted(),
            damaged: self.shared.damaged(&index),
            present: index.present().0,
            safe_below: index.safe_below(),
        })
    }
}

impl Shared {
    fn damaged(&self, index: &super::Index) -> u64 {
        let gone = self
            .counted
            .lock()
            .expect("no thread panics with this lock")
            .total(|number| index.segments.contains_key(&number));
        gone + index.present().1
    }

    /// The damage of a segment is noted before the segment goes.
    pub(super) fn keep_damage(&self, folder: &Path, number: u32) -> io::Result<()> {
        let damaged = {
            let index = self.index.lock().expect("no thread panics with this lock");
            index
                .segments
                .get(&number)
                .map_or(0, |segment| segment.damaged)
        };
        if damaged == 0 {
            return Ok(());
        }
        self.counted
            .lock()
            .expect("no thread panics with this lock")
            .note(folder, number, damaged)
    }
}

fn received_ms(file: &File, position: Position) -> Option<i64> {
    let mut bytes = [0u8; 16];
    let at = u64::from(position.offset()) + record::FRAME_HEAD as u64;
    file.read_exact_at(&mut bytes, at).ok()?;
    Some(i64::from_le_bytes(bytes[8..].try_into().ok()?))
}
