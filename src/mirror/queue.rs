//! Copies that wait to be sent, bounded by their bytes. In: copies from request threads. Out: the same on threads that
//! may wait for the network.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::target::Target;
use crate::protocol::event_id::EventId;

/// Bytes of all copies that wait.
const MOST_BYTES: usize = 16 * 1024 * 1024;

pub(super) struct Job {
    pub target: Arc<Target>,
    pub event_id: Option<EventId>,
    /// A whole envelope, or an event alone.
    pub is_envelope: bool,
    pub bytes: Vec<u8>,
}

#[derive(Default)]
pub(super) struct Queue {
    jobs: Mutex<VecDeque<Job>>,
    arrived: Condvar,
    /// Read before the bytes are copied; the truth is in `jobs`.
    bytes: AtomicUsize,
}

impl Queue {
    pub fn has_room(&self, bytes: usize) -> bool {
        self.bytes.load(Ordering::Relaxed) + bytes <= MOST_BYTES
    }

    /// Gives the job back where there is no room.
    pub fn push(&self, job: Job) -> Result<(), Job> {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        // All changes are made with the lock held, so this cannot go past the limit.
        if !self.has_room(job.bytes.len()) {
            return Err(job);
        }
        self.bytes.fetch_add(job.bytes.len(), Ordering::Relaxed);
        jobs.push_back(job);
        drop(jobs);
        self.arrived.notify_one();
        Ok(())
    }

    /// The next copy; waits for one.
    pub fn pop(&self) -> Job {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(job) = jobs.pop_front() {
                self.bytes.fetch_sub(job.bytes.len(), Ordering::Relaxed);
                return job;
            }
            jobs = self
                .arrived
                .wait(jobs)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}
