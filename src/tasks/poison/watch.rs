//! What does not end. In: the batches in work. Out: those whose processing takes too long, back in the journal as
//! suspects, and another thread in place of the one that is stuck.
//!
//! A thread cannot be ended from outside, and ending the process would cost the requests in flight. So the stuck thread
//! is left alone: it becomes the last in the queue for the processor, takes next to nothing from the others, and goes
//! with the process. When too many are stuck, or the isolation itself is, the process ends itself; whoever runs it
//! starts it again, and the note on the disk says what to look at.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::attempts::Running;
use super::{Pace, Poison};
use crate::app::App;
use crate::queue::Handle;

const EVERY: Duration = Duration::from_millis(200);
const MOST_STUCK: usize = 8;

/// Watches until `stop`. `another` starts a digesting thread.
pub fn run(app: &App, poison: &Poison, another: &dyn Fn(), stop: &AtomicBool) {
    let limit = Pace::get().limit;
    let mut stuck = 0;
    while !stop.load(Ordering::Acquire) {
        std::thread::sleep(EVERY);
        for running in poison.attempts.running() {
            if !running.give_up(limit) {
                continue;
            }
            stuck += 1;
            if running.irreplaceable || stuck > MOST_STUCK {
                tracing::error!(
                    stuck,
                    "processing does not end; the process ends itself to be started again"
                );
                std::process::abort();
            }
            tracing::error!(
                records = running.tickets.len(),
                seconds = limit.as_secs(),
                "processing of a batch does not end; its records are looked at apart, by another thread"
            );
            give_back(app, poison, &running);
            another();
        }
    }
}

fn give_back(app: &App, poison: &Poison, running: &Arc<Running>) {
    if let Err(error) = rustix::process::setpriority_process(Some(running.thread), 19) {
        tracing::warn!(%error, "a stuck thread keeps its share of the processor");
    }
    poison
        .stuck
        .lock()
        .expect("no thread panics with this lock")
        .insert(running.thread_id);
    let records: Vec<_> = running.tickets.iter().map(|ticket| ticket.record).collect();
    poison.change_suspects(|suspects| suspects.group_up(&records));
    poison.attempts.forget(running);
    // What came over Redis is claimed by somebody's next sweep.
    let back: Vec<_> = running
        .tickets
        .iter()
        .filter_map(|ticket| match ticket.handle {
            Handle::Journal(position) => Some((ticket.project_id, position)),
            Handle::Stream { .. } => None,
        })
        .collect();
    app.journal.release(&back);
}
