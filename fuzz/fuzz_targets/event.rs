//! Any bytes as an event: no panic, and what is accepted stays what it is when processed again.
#![no_main]

use bugle::process::{Incoming, Settings, process};
use bugle::protocol::event_id::EventId;
use libfuzzer_sys::fuzz_target;

fn incoming(payload: &[u8]) -> Incoming<'_> {
    Incoming {
        payload,
        event_id: EventId::from_bytes([7; 16]),
        received_ms: 1_795_256_700_000,
        sent_at_ms: None,
        remote_addr: None,
        sdk_client: None,
    }
}

fuzz_target!(|bytes: &[u8]| {
    let settings = Settings::default();
    let Ok(once) = process(&incoming(bytes), &settings) else {
        return;
    };
    let twice = process(&incoming(&once.payload), &settings).expect("a stored event is an event");
    assert_eq!(once.hashes, twice.hashes);
    assert_eq!(once.title, twice.title);
});
