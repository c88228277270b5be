//! Poison for tests of the real binary. In: `BUGLE_TEST_POISON=1` and an event with a marker. Out: what the marker asks
//! for; without the variable, nothing.

use std::sync::OnceLock;

use crate::store::StoreError;
use crate::store::digest::{Batch, Content};

const MARKER: &[u8] = b"bugle-test-poison:";

/// Whether marked events do harm.
pub fn is_on() -> bool {
    static ON: OnceLock<bool> = OnceLock::new();
    *ON.get_or_init(|| std::env::var(VARIABLE).is_ok_and(|value| value == "1"))
}

pub(super) const VARIABLE: &str = "BUGLE_TEST_POISON";

fn asked(payload: &[u8], what: &[u8]) -> bool {
    memchr::memmem::find_iter(payload, MARKER)
        .any(|at| payload[at + MARKER.len()..].starts_with(what))
}

/// Before an event is processed.
pub fn strike(payload: &[u8]) {
    if !is_on() {
        return;
    }
    assert!(!asked(payload, b"panic"), "a marked event");
    if asked(payload, b"abort") {
        std::process::abort();
    }
    while asked(payload, b"loop") {
        std::hint::spin_loop();
    }
}

/// In the transaction of a batch.
pub fn before_storing(batch: &Batch) -> Result<(), StoreError> {
    if !is_on() {
        return Ok(());
    }
    for item in &batch.items {
        let Content::Event(event) = &item.content else {
            continue;
        };
        if asked(event.title.as_bytes(), b"crash-in-store") {
            std::process::abort();
        }
        if asked(event.title.as_bytes(), b"store") {
            return Err(StoreError::Invalid("a marked event".to_owned()));
        }
    }
    Ok(())
}
