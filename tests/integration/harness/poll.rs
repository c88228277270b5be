//! In: a condition and what it stands for. Out: return as soon as it holds, a failed test if it does not within the deadline.

use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_millis(20);
pub const DEADLINE: Duration = Duration::from_secs(30);

#[track_caller]
pub fn until(what: &str, condition: impl FnMut() -> bool) {
    until_within(DEADLINE, what, condition);
}

#[track_caller]
pub fn until_within(deadline: Duration, what: &str, condition: impl FnMut() -> bool) {
    assert!(
        holds_within(deadline, condition),
        "not within {deadline:?}: {what}"
    );
}

pub fn holds_within(deadline: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while !condition() {
        if start.elapsed() > deadline {
            return false;
        }
        std::thread::sleep(PAUSE);
    }
    true
}

/// Waits for a value to appear and gives it.
#[track_caller]
pub fn value<T>(what: &str, mut find: impl FnMut() -> Option<T>) -> T {
    let mut found = None;
    until(what, || {
        found = find();
        found.is_some()
    });
    found.expect("until returns only once it was found")
}
