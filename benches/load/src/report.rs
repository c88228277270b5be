//! In: what the connections saw. Out: `name=value` lines that a shell script can read.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

#[derive(Default)]
pub struct Report {
    pub statuses: BTreeMap<u16, u64>,
    /// Requests that got no answer: connection refused, reset, closed in the middle.
    pub broken: u64,
    pub bytes: u64,
    pub elapsed: Duration,
    /// Microseconds of every answered request.
    pub latencies: Vec<u32>,
}

impl Report {
    pub fn add(&mut self, other: Report) {
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        self.broken += other.broken;
        self.bytes += other.bytes;
        self.elapsed = self.elapsed.max(other.elapsed);
        self.latencies.extend(other.latencies);
        self.latencies.sort_unstable();
    }

    fn quantile(&self, share: f64) -> u32 {
        let last = self.latencies.len().saturating_sub(1);
        let index = (share * last as f64).round() as usize;
        self.latencies.get(index).copied().unwrap_or_default()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let answered: u64 = self.statuses.values().sum();
        let acknowledged = self.statuses.get(&200).copied().unwrap_or_default();
        let seconds = self.elapsed.as_secs_f64();
        writeln!(out, "answered={answered}")?;
        writeln!(out, "acknowledged={acknowledged}")?;
        writeln!(out, "broken={}", self.broken)?;
        for (status, count) in &self.statuses {
            writeln!(out, "status_{status}={count}")?;
        }
        writeln!(out, "seconds={seconds:.3}")?;
        writeln!(
            out,
            "per_second={:.0}",
            acknowledged as f64 / seconds.max(1e-9)
        )?;
        writeln!(
            out,
            "answered_per_second={:.0}",
            answered as f64 / seconds.max(1e-9)
        )?;
        writeln!(out, "p50_us={}", self.quantile(0.5))?;
        writeln!(out, "p99_us={}", self.quantile(0.99))?;
        writeln!(out, "max_us={}", self.quantile(1.0))?;
        writeln!(out, "bytes_per_request={}", self.bytes / answered.max(1))
    }
}
