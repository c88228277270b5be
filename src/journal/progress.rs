//! How far the disk has come. In: batches that were written and synced, or were not. Out: for a batch, nothing yet,
//! success or failure.

use std::collections::VecDeque;

use super::JournalError;

/// The number of a group of records that share one sync. Batches are done in their order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Batch(u64);

impl Batch {
    pub(super) fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// Failed batches that are told apart; who asks for an older one has waited for longer than any request may.
const FAILURES: usize = 10_000;

/// The state of all batches.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    /// Every batch below this one is done.
    done_below: Batch,
    failed: VecDeque<(Batch, JournalError)>,
}

impl Progress {
    /// What became of a batch; none while it is on its way.
    pub fn of(&self, batch: Batch) -> Option<Result<(), JournalError>> {
        if batch >= self.done_below {
            return None;
        }
        match self.failed.binary_search_by_key(&batch, |(at, _)| *at) {
            Ok(at) => Some(Err(self.failed[at].1.clone())),
            Err(_) => Some(Ok(())),
        }
    }

    pub(super) fn note(&mut self, batch: Batch, result: Result<(), JournalError>) {
        self.done_below = batch.next();
        if let Err(error) = result {
            self.failed.push_back((batch, error));
            if self.failed.len() > FAILURES {
                self.failed.pop_front();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_batch_has_its_own_end() {
        let (first, second) = (Batch(0), Batch(1));
        let mut progress = Progress::default();
        assert_eq!(progress.of(first), None);
        progress.note(first, Err(JournalError::Closed));
        assert_eq!(progress.of(first), Some(Err(JournalError::Closed)));
        assert_eq!(progress.of(second), None);
        progress.note(second, Ok(()));
        assert_eq!(progress.of(second), Some(Ok(())));
        assert_eq!(progress.of(first), Some(Err(JournalError::Closed)));
    }
}
