//! Batches in work. In: the records of a batch, before the attempt. Out: a note of it on the disk, and the word of the
//! watch if processing takes too long: then the thread that is stuck in it has lost the batch.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use rustix::process::Pid;

use super::notes::{Note, Notes, RecordId};
use crate::queue::{Delivery, Handle};

const PROCESSING: u8 = 0;
const STORING: u8 = 1;
const GIVEN_UP: u8 = 2;

/// What one needs to give a record back without the record itself.
#[derive(Debug, Clone)]
pub struct Ticket {
    pub record: RecordId,
    pub project_id: i64,
    pub handle: Handle,
}

impl Ticket {
    pub fn of(delivery: &Delivery) -> Self {
        Self {
            record: (delivery.node, delivery.record.seq),
            project_id: delivery.record.project_id,
            handle: delivery.handle.clone(),
        }
    }
}

/// A batch that a thread works on.
pub struct Running {
    pub tickets: Vec<Ticket>,
    /// The thread, to be put last in the queue for the processor when it is given up.
    pub thread: Pid,
    pub thread_id: ThreadId,
    /// The thread is the only one of its kind.
    pub irreplaceable: bool,
    phase: AtomicU8,
    since: Instant,
    note: Mutex<Option<Note>>,
}

impl Running {
    fn take_note(&self) -> Option<Note> {
        self.note
            .lock()
            .expect("no thread panics with this lock")
            .take()
    }

    /// Takes the batch away from a thread that has been processing it for too long.
    pub fn give_up(&self, limit: Duration) -> bool {
        self.since.elapsed() > limit
            && self
                .phase
                .compare_exchange(PROCESSING, GIVEN_UP, Ordering::AcqRel, Ordering::Acquire)
                .is_ok()
    }
}

/// All batches in work on this node.
pub struct Attempts {
    notes: Notes,
    running: Mutex<(u64, HashMap<u64, Arc<Running>>)>,
}

/// The attempt at one batch, from before its processing until after its commit.
pub struct Attempt<'a> {
    attempts: &'a Attempts,
    number: u64,
    running: Arc<Running>,
}

impl Attempts {
    pub fn new(notes: Notes) -> Self {
        Self {
            notes,
            running: Mutex::default(),
        }
    }

    pub fn begin<'d>(
        &self,
        deliveries: impl Iterator<Item = &'d Delivery>,
        irreplaceable: bool,
    ) -> Attempt<'_> {
        let tickets: Vec<Ticket> = deliveries.map(Ticket::of).collect();
        let note = match self.notes.begin(tickets.iter().map(|ticket| ticket.record)) {
            Ok(note) => Some(note),
            Err(error) => {
                // A full disk: better to work without the note than not at all.
                tracing::warn!(%error, "cannot note what is being worked on; a crash now would not be understood");
                None
            }
        };
        let running = Arc::new(Running {
            tickets,
            thread: rustix::thread::gettid(),
            thread_id: std::thread::current().id(),
            irreplaceable,
            phase: AtomicU8::new(PROCESSING),
            since: Instant::now(),
            note: Mutex::new(note),
        });
        let mut all = self
            .running
            .lock()
            .expect("no thread panics with this lock");
        all.0 += 1;
        let number = all.0;
        all.1.insert(number, Arc::clone(&running));
        Attempt {
            attempts: self,
            number,
            running,
        }
    }

    /// The batch was given up, and those whose fault it may be are known elsewhere.
    pub fn forget(&self, running: &Running) {
        if let Some(note) = running.take_note() {
            self.notes.end(note);
        }
    }

    /// The batches in work now.
    pub fn running(&self) -> Vec<Arc<Running>> {
        let all = self
            .running
            .lock()
            .expect("no thread panics with this lock");
        all.1.values().cloned().collect()
    }
}

impl Attempt<'_> {
    /// Processing is over; false if that took so long that the batch is somebody else's by now.
    #[must_use]
    pub fn processed(&self) -> bool {
        self.running
            .phase
            .compare_exchange(PROCESSING, STORING, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.attempts.forget(&self.running);
        self.attempts
            .running
            .lock()
            .expect("no thread panics with this lock")
            .1
            .remove(&self.number);
    }
}
