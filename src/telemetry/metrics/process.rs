//! The process itself. In: `/proc/self` of Linux. Out: memory, CPU time and open files, in the names that Prometheus'
//! client libraries gave them; elsewhere only what is known without it.

use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

use super::family::Family;

/// Linux counts CPU time in hundredths of a second wherever programs see it.
const TICKS_PER_SECOND: f64 = 100.0;

static STARTED: LazyLock<f64> = LazyLock::new(|| {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64())
});

/// Remembers when the process started.
pub fn note_start() {
    LazyLock::force(&STARTED);
}

pub fn families(out: &mut Vec<Family>) {
    if let Some(bytes) = resident_bytes() {
        out.push(
            Family::gauge("process_resident_memory_bytes", "Memory in use, in bytes.").of(bytes),
        );
    }
    if let Some(seconds) = cpu_seconds() {
        out.push(
            Family::counter(
                "process_cpu_seconds_total",
                "CPU time of all threads, user and system.",
            )
            .of(seconds),
        );
    }
    if let Some(count) = open_files() {
        out.push(Family::gauge("process_open_fds", "Open file descriptors.").of(count));
    }
    if let Some(limit) = most_files() {
        out.push(
            Family::gauge("process_max_fds", "Most file descriptors that may be open.").of(limit),
        );
    }
    out.push(
        Family::gauge(
            "process_start_time_seconds",
            "When the process started, in seconds since 1970.",
        )
        .of(*STARTED),
    );
}

fn resident_bytes() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kilobytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024.0)
}

fn cpu_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name may hold spaces and brackets; what follows its last bracket is numbers.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS_PER_SECOND)
}

fn open_files() -> Option<f64> {
    // Reading the folder opens it, which is not meant.
    let count = std::fs::read_dir("/proc/self/fd").ok()?.count();
    Some(count.saturating_sub(1) as f64)
}

fn most_files() -> Option<f64> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"))?;
    line.split_whitespace().nth(3)?.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn linux_tells_about_the_process() {
        assert!(resident_bytes().expect("known") > 1e6);
        assert!(cpu_seconds().expect("known") >= 0.0);
        assert!(open_files().expect("known") >= 3.0);
        assert!(most_files().expect("known") >= 64.0);
    }
}
