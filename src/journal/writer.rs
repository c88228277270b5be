//! Group commit. In: frames from many requests. Out: one write and one sync for all that arrived during the last
//! one, then the word to each that its bytes are on the disk.

use std::fs::OpenOptions;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};

use super::appender::Appender;
use super::fault;
use super::gathering::Gathering;
use super::index::{Position, Segment};
use super::segment::{self, Header, START};
use super::spare::Spares;
use super::{JournalError, Pending, Shared};
use crate::telemetry::METRICS;

/// A segment is closed at this size.
pub(super) const SEGMENT_BYTES: u64 = 32 * 1024 * 1024;
const TICK: Duration = Duration::from_millis(500);

/// The segment that is being appended to.
pub(super) struct Active {
    pub number: u32,
    pub file: Appender,
    pub length: u64,
}

pub(super) struct Writer {
    pub shared: Arc<Shared>,
    pub folder: PathBuf,
    pub node: i64,
    pub active: Active,
    pub spares: Spares,
    pub gathering: Gathering,
}

impl Writer {
    /// Runs until the journal is closed and everything pending is written.
    pub fn run(mut self) {
        let mut last_tick = Instant::now();
        loop {
            let Some(batch) = self.next_batch() else {
                return;
            };
            if !batch.frames.is_empty() {
                self.commit(batch);
            }
            if last_tick.elapsed() >= TICK {
                last_tick = Instant::now();
                self.tick();
            }
        }
    }

    /// Waits for frames, at most a tick; none when the journal is closed and empty.
    fn next_batch(&mut self) -> Option<Pending> {
        let shared = Arc::clone(&self.shared);
        let mut pending = shared
            .pending
            .lock()
            .expect("no thread panics with this lock");
        let expected = self.gathering.expected(pending.marks.len());
        if pending.frames.is_empty() {
            if pending.closed {
                return None;
            }
            pending = self.wait(pending, 1, TICK);
        }
        if pending.frames.is_empty() {
            return Some(Pending::default());
        }
        if pending.marks.len() < expected && !pending.closed {
            let patience = self.gathering.patience();
            pending = self.wait(pending, expected, patience);
        }
        let fresh = Pending {
            batch: pending.batch.next(),
            next_seq: pending.next_seq,
            last_received_ms: pending.last_received_ms,
            closed: pending.closed,
            // About as much comes next time; growing to it step by step would copy it several times.
            frames: Vec::with_capacity(pending.frames.len()),
            marks: Vec::with_capacity(pending.marks.len()),
            wanted: None,
        };
        Some(std::mem::replace(&mut pending, fresh))
    }

    /// Waits until so many records are there.
    fn wait<'p>(
        &self,
        mut pending: MutexGuard<'p, Pending>,
        wanted: usize,
        patience: Duration,
    ) -> MutexGuard<'p, Pending> {
        pending.wanted = Some(wanted);
        let result = self
            .shared
            .written
            .wait_timeout_while(pending, patience, |pending| {
                pending.marks.len() < wanted && !pending.closed
            });
        let (mut pending, _) = result.expect("no thread panics with this lock");
        pending.wanted = None;
        pending
    }

    fn commit(&mut self, batch: Pending) {
        let number = batch.batch;
        let result = self.append(batch);
        if let Err(error) = &result {
            tracing::error!(%error, "the journal cannot be written; answering 503 until it can");
            self.shared.failing.store(true, Ordering::Release);
            METRICS.journal.failed_writes.inc();
        }
        let result = result.map_err(|error| JournalError::Write(error.to_string()));
        self.shared
            .progress
            .send_modify(|progress| progress.note(number, result));
    }

    fn append(&mut self, batch: Pending) -> io::Result<()> {
        if self.shared.failing.load(Ordering::Acquire) {
            return Err(io::Error::other("the journal is being repaired"));
        }
        if self.active.length >= SEGMENT_BYTES / 4 {
            self.spares.order();
        }
        if self.active.length >= SEGMENT_BYTES {
            let first_seq = batch.marks.first().map_or(batch.next_seq, |mark| mark.seq);
            self.rotate(first_seq)?;
        }
        let began = Instant::now();
        // At its place and not at the end: the file is longer than what is written.
        let base = self.active.length;
        let written = self.active.file.write_at(&batch.frames, base)?;
        self.active.file.sync_data()?;
        let took = began.elapsed();
        self.gathering.synced(batch.marks.len(), took);
        METRICS
            .journal
            .synced(batch.marks.len(), batch.frames.len(), took);
        self.active.length += written;
        // Before anybody is told of it, so that it is found here.
        self.shared
            .recent
            .lock()
            .expect("no thread panics with this lock")
            .push(Position::new(self.active.number, base as u32), batch.frames);
        let mut index = self
            .shared
            .index
            .lock()
            .expect("no thread panics with this lock");
        if let Some(segment) = index.segments.get_mut(&self.active.number) {
            segment.bytes = self.active.length;
        }
        for mark in &batch.marks {
            index.push(
                mark.project_id,
                Position::new(self.active.number, (base + mark.offset as u64) as u32),
            );
        }
        self.shared.bytes.store(index.bytes(), Ordering::Relaxed);
        drop(index);
        self.shared.readable.notify_all();
        Ok(())
    }

    /// Closes the active segment and begins the next one.
    fn rotate(&mut self, first_seq: u64) -> io::Result<()> {
        let number = self.active.number + 1;
        let before = self
            .shared
            .index
            .lock()
            .expect("no thread panics with this lock")
            .accepted();
        let (file, reader) = segment::create(
            &self.folder,
            number,
            Header {
                node: self.node,
                first_seq,
                before: Some(before),
            },
            self.spares.take(),
        )?;
        let reader = Arc::new(reader);
        let finished = {
            let mut index = self
                .shared
                .index
                .lock()
                .expect("no thread panics with this lock");
            if let Some(old) = index.segments.get_mut(&self.active.number) {
                old.sealed = true;
            }
            index
                .segments
                .insert(number, Segment::new(reader, first_seq, before, START));
            index.finished()
        };
        // What was allocated and not used is given back.
        if let Err(error) = self.active.file.set_len(self.active.length) {
            tracing::debug!(%error, "a full journal segment keeps its allocated length");
        }
        self.active = Active {
            number,
            file,
            length: START,
        };
        self.shared.delete_finished(&self.folder, &finished);
        Ok(())
    }

    /// Housekeeping: repairs after a failure, lets go of digested data, looks at the disk.
    fn tick(&mut self) {
        if self.shared.failing.load(Ordering::Acquire) {
            match self.repair() {
                Ok(()) => {
                    tracing::info!("the journal can be written again");
                    self.shared.failing.store(false, Ordering::Release);
                }
                Err(error) => tracing::warn!(%error, "the journal still cannot be written"),
            }
            return;
        }
        // What scrubbing removes must not live on in a segment that nobody fills up, nor in memory.
        let (digested, idle) = {
            let index = self
                .shared
                .index
                .lock()
                .expect("no thread panics with this lock");
            let active = index.segments.get(&self.active.number);
            (
                active.is_some_and(|active| active.records > 0 && active.acked == active.records),
                index.waiting_records == 0 && index.claimed_records() == 0,
            )
        };
        if idle {
            self.shared
                .recent
                .lock()
                .expect("no thread panics with this lock")
                .forget();
        }
        if digested {
            let shared = Arc::clone(&self.shared);
            // Held during the switch, so that no number is given out that the new segment's head does not know of.
            let pending = shared
                .pending
                .lock()
                .expect("no thread panics with this lock");
            if pending.frames.is_empty()
                && let Err(error) = self.rotate(pending.next_seq)
            {
                tracing::error!(%error, "the journal cannot begin a new segment");
                shared.failing.store(true, Ordering::Release);
            }
        }
        self.shared.look_at_disk(&self.folder);
    }

    /// A failed sync leaves the handle unreliable: cut the file back to what was acknowledged through a fresh handle
    /// and go on in a new segment.
    fn repair(&mut self) -> io::Result<()> {
        let fresh = OpenOptions::new()
            .write(true)
            .open(segment::path(&self.folder, self.active.number))?;
        fresh.set_len(self.active.length)?;
        fault::sync_data(&fresh)?;
        let shared = Arc::clone(&self.shared);
        // What already waits comes into the new segment, so its numbers begin there.
        let pending = shared
            .pending
            .lock()
            .expect("no thread panics with this lock");
        let first_seq = pending
            .marks
            .first()
            .map_or(pending.next_seq, |mark| mark.seq);
        self.rotate(first_seq)
    }
}
