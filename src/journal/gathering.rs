//! How long to wait for company. In: how many records came together lately, and how long a sync takes. Out: how many to
//! expect now, and for how long.
//!
//! Each sync costs the same for one record and for thirty. Whoever was answered after the last sync is likely to send
//! again soon, and whoever sent during it waits already: both together are how many send at the same time.

use std::time::Duration;

/// Nobody waits longer for others, however slow the disk is.
const LONGEST: Duration = Duration::from_millis(1);

#[derive(Default)]
pub(super) struct Gathering {
    last_records: usize,
    last_sync: Duration,
}

impl Gathering {
    /// A batch is on the disk.
    pub fn synced(&mut self, records: usize, took: Duration) {
        (self.last_records, self.last_sync) = (records, took);
    }

    /// How many records to sync together, where so many came during the last sync: half of all that send at the same time, so
    /// that the other half is on its way meanwhile.
    pub fn expected(&self, meanwhile: usize) -> usize {
        usize::midpoint(self.last_records, meanwhile)
    }

    /// A sync more at most: then those who wait are no worse off than if they had just missed one.
    pub fn patience(&self) -> Duration {
        self.last_sync.min(LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_alone_does_not_wait() {
        let mut gathering = Gathering::default();
        gathering.synced(1, Duration::from_micros(200));
        assert_eq!(gathering.expected(0), 0);
        gathering.synced(20, Duration::from_millis(9));
        assert_eq!(
            (gathering.expected(12), gathering.patience()),
            (16, LONGEST)
        );
        // They are gone: the next batches are small again.
        gathering.synced(3, Duration::from_micros(200));
        assert_eq!(gathering.expected(1), 2);
    }
}
