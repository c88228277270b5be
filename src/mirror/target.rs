//! One project's second tracker: where it is, how it fares, whether it asked for a pause.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::protocol::dsn::Dsn;
use crate::store::mirrors::Progress;
use crate::store::now_ms;

/// After failures in a row the target is left alone, twice as long each time up to this.
const LONGEST_REST: Duration = Duration::from_secs(60);
/// The longest pause that a target can ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

pub(super) struct Target {
    pub dsn: Dsn,
    pub percent: u8,
    pub tally: std::sync::Arc<Tally>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    paused_until: Option<Instant>,
    failures: u32,
}

impl Target {
    pub fn new(dsn: Dsn, percent: u8, tally: std::sync::Arc<Tally>) -> Self {
        Self {
            dsn,
            percent,
            tally,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn is_paused(&self) -> bool {
        self.state()
            .paused_until
            .is_some_and(|until| Instant::now() < until)
    }

    pub fn sent(&self) {
        self.state().failures = 0;
        self.tally.sent();
    }

    /// A target that does not answer, or cannot, is not asked again at once: its copies must not hold others up.
    pub fn failed(&self, why: &str, rests: bool) {
        self.tally.failed(why);
        if rests {
            let mut state = self.state();
            state.failures = state.failures.saturating_add(1);
            let rest = Duration::from_secs(1 << state.failures.min(6)).min(LONGEST_REST);
            state.paused_until = Some(Instant::now() + rest);
        }
    }

    /// The target asked to be left alone.
    pub fn pause(&self, pause: Duration) {
        let until = Instant::now() + pause.min(LONGEST_PAUSE);
        let mut state = self.state();
        state.paused_until = state.paused_until.max(Some(until));
    }
}

/// What happened to a project's copies since it was last written down.
#[derive(Default)]
pub(super) struct Tally {
    sent: AtomicI64,
    failed: AtomicI64,
    dropped: AtomicI64,
    last_sent_at: AtomicI64,
    last_error: Mutex<Option<(String, i64)>>,
}

impl Tally {
    fn sent(&self) {
        self.sent.fetch_add(1, Ordering::Relaxed);
        self.last_sent_at.store(now_ms(), Ordering::Relaxed);
    }

    fn failed(&self, why: &str) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        *self
            .last_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some((why.to_owned(), now_ms()));
    }

    pub fn dropped(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// None where nothing happened.
    pub fn take(&self, project_id: i64) -> Option<Progress> {
        let at = self.last_sent_at.swap(0, Ordering::Relaxed);
        let progress = Progress {
            project_id,
            sent: self.sent.swap(0, Ordering::Relaxed),
            failed: self.failed.swap(0, Ordering::Relaxed),
            dropped: self.dropped.swap(0, Ordering::Relaxed),
            last_sent_at: (at > 0).then_some(at),
            last_error: self
                .last_error
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        };
        let nothing = Progress {
            project_id,
            ..Progress::default()
        };
        (progress != nothing).then_some(progress)
    }

    pub fn put_back(&self, progress: Progress) {
        let Progress {
            project_id: _,
            sent,
            failed,
            dropped,
            last_sent_at,
            last_error,
        } = progress;
        self.sent.fetch_add(sent, Ordering::Relaxed);
        self.failed.fetch_add(failed, Ordering::Relaxed);
        self.dropped.fetch_add(dropped, Ordering::Relaxed);
        if let Some(at) = last_sent_at {
            self.last_sent_at.fetch_max(at, Ordering::Relaxed);
        }
        let mut newest = self
            .last_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if newest.is_none() {
            *newest = last_error;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_that_fails_rests_and_one_that_refuses_does_not() {
        let target = Target::new(
            "http://key@localhost/1".parse().expect("a DSN"),
            100,
            std::sync::Arc::default(),
        );
        target.failed("it said 400", false);
        assert!(!target.is_paused());
        target.failed("nobody there", true);
        assert!(target.is_paused());
        let progress = target.tally.take(1).expect("something happened");
        assert_eq!((progress.sent, progress.failed), (0, 2));
        assert_eq!(progress.last_error.expect("an error").0, "nobody there");
    }
}
