//! Events that break what works on them. In: batches, before they are worked on. Out: the same without the records under
//! suspicion, which are worked on apart, tried first in a child process, and set aside if they are to blame.
//!
//! - A batch is noted on the disk before it is begun ([`attempts`], [`notes`]). A process that ends unexpectedly leaves
//!   its notes, and at the next start those records are suspects ([`suspects`]): worked on apart, in groups that halve
//!   with each further crash. Only a record that was alone is blamed.
//! - Suspects are tried in a child process first ([`trial`]): an event whose processing crashes or loops is found there
//!   without harm to the node, after a single crash. Once one was found, every batch is tried for a while.
//! - A batch whose processing does not end is taken from its thread ([`watch`]).
//! - Records that fail by their own fault wait here between their attempts ([`isolate`]); nobody waits for them.

pub mod attempts;
mod burial;
pub mod hook;
mod isolate;
mod notes;
mod suspects;
pub mod trial;
mod watch;

use std::collections::HashSet;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

pub use attempts::Attempts;
pub use isolate::run as run_isolation;
use notes::{Notes, RecordId};
use suspects::Suspects;
pub use watch::run as run_watch;

use crate::queue::Delivery;

/// Crashes of a record that was alone, after which it is set aside.
const MOST_CRASHES: u32 = 3;
/// Failures by a record's own fault, after which it is set aside.
const MOST_FAILURES: u32 = 10;
/// For this long after a record was found to crash or loop, every batch is tried before it is processed here.
const CAUTION: Duration = Duration::from_secs(10 * 60);
/// Batches that may wait for the isolation.
const HANDED: usize = 4;
const HAND_AGAIN: Duration = Duration::from_millis(100);

/// How patient all this is.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Time for processing, of a batch as of a single record.
    pub limit: Duration,
    /// Pause after the first failure; it doubles with each further one, up to the longest.
    pub first_pause: Duration,
    pub longest_pause: Duration,
}

impl Pace {
    pub fn get() -> Self {
        if hook::is_on() {
            return Self {
                limit: Duration::from_secs(5),
                first_pause: Duration::from_millis(10),
                longest_pause: Duration::from_millis(100),
            };
        }
        Self {
            limit: Duration::from_secs(30),
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(60),
        }
    }

    fn pause_after(self, failures: u32) -> Duration {
        let factor = 1u32 << failures.saturating_sub(1).min(16);
        (self.first_pause * factor).min(self.longest_pause)
    }
}

/// Records for the isolation to work on.
pub enum Handed {
    /// They were at hand when something went wrong.
    Suspects(Vec<Delivery>),
    /// Each failed alone, with this error.
    Failed(Vec<(Delivery, String)>),
}

/// What all threads of a node know of poison.
pub struct Poison {
    pub attempts: Attempts,
    suspects: Mutex<Suspects>,
    cautious_until: Mutex<Option<Instant>>,
    inbox: (Sender<Handed>, Receiver<Handed>),
    stopping: AtomicBool,
    stuck: Mutex<HashSet<ThreadId>>,
}

impl Poison {
    /// Reads what the process before left.
    pub fn open(folder: &Path) -> std::io::Result<Self> {
        let (notes, left) = Notes::open(folder)?;
        let mut suspects = Suspects::open(folder)?;
        if !left.is_empty() {
            let records: usize = left.iter().map(Vec::len).sum();
            tracing::warn!(
                records,
                "the process ended while it worked on these records; they are looked at apart"
            );
            for records in &left {
                suspects.crashed(records);
            }
            suspects.save()?;
        }
        notes.forget()?;
        Ok(Self {
            attempts: Attempts::new(notes),
            suspects: Mutex::new(suspects),
            cautious_until: Mutex::default(),
            inbox: bounded(HANDED),
            stopping: AtomicBool::new(false),
            stuck: Mutex::default(),
        })
    }

    /// Takes the records under suspicion out of a claim; the isolation has them from now on.
    pub fn set_apart(&self, deliveries: &mut Vec<Delivery>) {
        let cautious = self.is_cautious();
        let apart: Vec<Delivery> = {
            let suspects = self.lock();
            if !cautious
                && suspects.is_empty()
                && deliveries.iter().all(|delivery| !delivery.is_suspect)
            {
                return;
            }
            let (apart, rest) = std::mem::take(deliveries)
                .into_iter()
                .partition(|delivery| {
                    cautious || delivery.is_suspect || suspects.contains(id(delivery))
                });
            *deliveries = rest;
            apart
        };
        if !apart.is_empty() {
            self.hand(Handed::Suspects(apart));
        }
    }

    /// Hands over records that failed alone.
    pub fn take_failed(&self, failed: Vec<(Delivery, String)>) {
        if !failed.is_empty() {
            self.hand(Handed::Failed(failed));
        }
    }

    /// Waits while the isolation has its hands full. On the way out nobody waits: the journal has the records.
    fn hand(&self, mut handed: Handed) {
        while !self.stopping.load(Ordering::Acquire) {
            match self.inbox.0.send_timeout(handed, HAND_AGAIN) {
                Ok(()) => return,
                Err(error) => handed = error.into_inner(),
            }
        }
    }

    /// Whether a thread was given up.
    pub fn is_stuck(&self, thread: ThreadId) -> bool {
        self.stuck
            .lock()
            .expect("no thread panics with this lock")
            .contains(&thread)
    }

    /// The node stops.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    fn is_cautious(&self) -> bool {
        let until = self
            .cautious_until
            .lock()
            .expect("no thread panics with this lock");
        until.is_some_and(|until| Instant::now() < until)
    }

    fn be_cautious(&self) {
        *self
            .cautious_until
            .lock()
            .expect("no thread panics with this lock") = Some(Instant::now() + CAUTION);
    }

    fn change_suspects<T>(&self, change: impl FnOnce(&mut Suspects) -> T) -> T {
        let mut suspects = self.lock();
        let result = change(&mut suspects);
        if let Err(error) = suspects.save() {
            tracing::warn!(%error, "cannot keep the list of suspects");
        }
        result
    }

    /// Stored or set aside: nothing more to suspect.
    fn clear(&self, records: impl Iterator<Item = RecordId>) {
        let mut suspects = self.lock();
        if !suspects.is_empty()
            && suspects.clear(records)
            && let Err(error) = suspects.save()
        {
            tracing::warn!(%error, "cannot keep the list of suspects");
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Suspects> {
        self.suspects
            .lock()
            .expect("no thread panics with this lock")
    }
}

fn id(delivery: &Delivery) -> RecordId {
    (delivery.node, delivery.record.seq)
}
