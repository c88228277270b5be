//! Writes and syncs that fail on demand, for tests of the real binary. In: `BUGLE_TEST_JOURNAL_FAULT`, as in
//! `write:3,sync:5-7`: the third write, and the fifth to seventh sync of this process. Out: what a failing disk does.
//! Builds for release know nothing of it.

use std::fs::File;
use std::io;
use std::ops::RangeInclusive;
use std::os::unix::fs::FileExt as _;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::appender::BLOCK;

/// Failures of one kind of call.
#[derive(Default)]
struct Calls {
    made: AtomicU64,
    failing: Vec<RangeInclusive<u64>>,
}

impl Calls {
    fn fails(&self) -> bool {
        let number = self.made.fetch_add(1, Ordering::Relaxed) + 1;
        self.failing.iter().any(|range| range.contains(&number))
    }
}

#[derive(Default)]
struct Faults {
    writes: Calls,
    syncs: Calls,
}

static FAULTS: LazyLock<Faults> = LazyLock::new(|| {
    if !cfg!(debug_assertions) {
        return Faults::default();
    }
    std::env::var("BUGLE_TEST_JOURNAL_FAULT")
        .map(|text| parse(&text))
        .unwrap_or_default()
});

fn parse(text: &str) -> Faults {
    let mut faults = Faults::default();
    for (kind, numbers) in text.split(',').filter_map(|part| part.split_once(':')) {
        let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
        if let (Ok(first), Ok(last)) = (first.parse(), last.parse()) {
            let calls = match kind {
                "write" => &mut faults.writes,
                "sync" => &mut faults.syncs,
                _ => continue,
            };
            calls.failing.push(first..=last);
        }
    }
    faults
}

/// Writes everything; a write that is to fail leaves half of its blocks behind, as a full disk does.
pub(super) fn write_all_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    if FAULTS.writes.fails() {
        let half = bytes.len() / 2 / BLOCK * BLOCK;
        file.write_all_at(&bytes[..half], offset)?;
        return Err(io::Error::from(io::ErrorKind::StorageFull));
    }
    file.write_all_at(bytes, offset)
}

pub(super) fn sync_data(file: &File) -> io::Result<()> {
    if FAULTS.syncs.fails() {
        return Err(io::Error::other("the disk lost what was written"));
    }
    file.sync_data()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calls_that_are_named_fail() {
        let faults = parse("write:2,sync:1,sync:3-4,other:1,sync:x");
        let outcomes = |calls: &Calls| (0..5).map(|_| calls.fails()).collect::<Vec<_>>();
        assert_eq!(outcomes(&faults.writes), [false, true, false, false, false]);
        assert_eq!(outcomes(&faults.syncs), [true, false, true, true, false]);
    }
}
