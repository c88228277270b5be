//! What is counted with. In: events of the hot path, at the cost of one relaxed atomic each. Out: their sums.
//!
//! Ours and not a crate's: those at hand take a lock for each histogram sample or keep the samples, and have no way for
//! `StatsD` to read what Prometheus reads.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// Only ever grows.
#[derive(Debug)]
pub struct Counter(AtomicU64);

impl Counter {
    pub const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    pub fn inc(&self) {
        self.add(1);
    }

    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Default for Counter {
    fn default() -> Self {
        Self::new()
    }
}

/// Goes up and down.
#[derive(Debug)]
pub struct Gauge(AtomicI64);

impl Gauge {
    pub const fn new() -> Self {
        Self(AtomicI64::new(0))
    }

    pub fn add(&self, count: i64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub fn set(&self, value: i64) {
        self.0.store(value, Ordering::Relaxed);
    }

    pub fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Default for Gauge {
    fn default() -> Self {
        Self::new()
    }
}

/// Upper bounds of the buckets, in microseconds; the same for every histogram, so that they can be compared and added.
pub const BOUNDS_US: [u64; 16] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 2_500_000, 5_000_000, 10_000_000,
];

/// Durations.
#[derive(Debug)]
pub struct Histogram {
    buckets: [AtomicU64; BOUNDS_US.len() + 1],
    sum_us: AtomicU64,
}

/// What a histogram held at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Distribution {
    /// For each bound, and above all of them: samples in that bucket alone.
    pub buckets: [u64; BOUNDS_US.len() + 1],
    pub sum_us: u64,
}

impl Histogram {
    pub const fn new() -> Self {
        Self {
            buckets: [const { AtomicU64::new(0) }; BOUNDS_US.len() + 1],
            sum_us: AtomicU64::new(0),
        }
    }

    pub fn observe(&self, duration: Duration) {
        let us = duration.as_micros() as u64;
        let bucket = BOUNDS_US.partition_point(|bound| *bound < us);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum_us.fetch_add(us, Ordering::Relaxed);
    }

    pub fn get(&self) -> Distribution {
        Distribution {
            buckets: std::array::from_fn(|at| self.buckets[at].load(Ordering::Relaxed)),
            sum_us: self.sum_us.load(Ordering::Relaxed),
        }
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

impl Distribution {
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// What came in since an earlier moment.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            buckets: std::array::from_fn(|at| self.buckets[at].saturating_sub(earlier.buckets[at])),
            sum_us: self.sum_us.saturating_sub(earlier.sum_us),
        }
    }

    /// An estimate of the duration in microseconds that this share of the samples does not exceed: linear within its bucket.
    pub fn quantile_us(&self, share: f64) -> Option<f64> {
        let count = self.count();
        if count == 0 {
            return None;
        }
        let wanted = share * count as f64;
        let mut below = 0u64;
        let mut lower = 0u64;
        for (samples, bound) in self.buckets.iter().zip(BOUNDS_US) {
            let reached = below + samples;
            if *samples > 0 && reached as f64 >= wanted {
                let within = (wanted - below as f64).max(0.0) / *samples as f64;
                return Some(lower as f64 + within * (bound - lower) as f64);
            }
            below = reached;
            lower = bound;
        }
        Some(lower as f64)
    }
}

/// Instruments by a label whose values come up at run time, of which there are few: kinds of tasks, routes of pages.
#[derive(Debug)]
pub struct Labelled<T>(RwLock<BTreeMap<String, Arc<T>>>);

/// More values than this count together as `other`, whatever goes wrong with a label.
const MOST_VALUES: usize = 300;

impl<T: Default> Labelled<T> {
    pub const fn new() -> Self {
        Self(RwLock::new(BTreeMap::new()))
    }

    /// The instruments of a value.
    pub fn of(&self, value: &str) -> Arc<T> {
        if let Some(found) = self
            .0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(value)
        {
            return Arc::clone(found);
        }
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let value = if all.len() < MOST_VALUES {
            value
        } else {
            "other"
        };
        Arc::clone(all.entry(value.to_owned()).or_default())
    }

    /// All of them, in the order of their values.
    pub fn all(&self) -> Vec<(String, Arc<T>)> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.iter()
            .map(|(value, instruments)| (value.clone(), Arc::clone(instruments)))
            .collect()
    }
}

impl<T: Default> Default for Labelled<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_fall_into_their_buckets() {
        let histogram = Histogram::new();
        for us in [0, 100, 101, 1_000, 20_000_000] {
            histogram.observe(Duration::from_micros(us));
        }
        let found = histogram.get();
        assert_eq!((found.buckets[0], found.buckets[1]), (2, 1));
        assert_eq!((found.buckets[3], found.buckets[16]), (1, 1));
        assert_eq!((found.count(), found.sum_us), (5, 20_001_201));
    }

    #[test]
    fn quantiles_are_estimated_within_their_bucket() {
        let histogram = Histogram::new();
        assert_eq!(histogram.get().quantile_us(0.5), None);
        for _ in 0..90 {
            histogram.observe(Duration::from_micros(400));
        }
        for _ in 0..10 {
            histogram.observe(Duration::from_millis(40));
        }
        let found = histogram.get();
        let estimate = |share| found.quantile_us(share).expect("samples");
        assert!((250.0..=500.0).contains(&estimate(0.5)));
        assert!((25_000.0..=50_000.0).contains(&estimate(0.95)));
        let later = histogram.get().since(&found);
        assert_eq!(later.count(), 0);
        histogram.observe(Duration::from_secs(60));
        assert_eq!(histogram.get().since(&found).quantile_us(0.5), Some(1e7));
    }

    #[test]
    fn labels_are_bounded() {
        let labelled = Labelled::<Counter>::new();
        for number in 0..1_000 {
            labelled.of(&number.to_string()).inc();
        }
        let all = labelled.all();
        assert_eq!(all.len(), MOST_VALUES + 1);
        let sum: u64 = all.iter().map(|(_, counter)| counter.get()).sum();
        assert_eq!(sum, 1_000);
    }
}
