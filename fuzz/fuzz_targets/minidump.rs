//! Any bytes as a minidump: no panic, and an event all the same.
#![no_main]

use bugle::process::native::minidump::event;
use bugle::process::{Incoming, Settings, process};
use bugle::protocol::event_id::EventId;
use bugle::tasks::native::minidump::read_alone;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let read = read_alone(bytes.to_vec());
    let event = event(b"{}", read.as_ref().map_err(String::as_str));
    let incoming = Incoming {
        payload: &event,
        event_id: EventId::from_bytes([7; 16]),
        received_ms: 1_795_256_700_000,
        sent_at_ms: None,
        remote_addr: None,
        sdk_client: None,
    };
    process(&incoming, &Settings::default()).expect("a crash is an event");
});
