//! Any bytes as a minidump: no panic, and an event all the same.
#![no_main]

use bugle::process::native::minidump::event;
use bugle::tasks::native::minidump::read_alone;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let read = read_alone(bytes.to_vec());
    let event = event(b"{}", read.as_ref().map_err(String::as_str));
    assert!(event.starts_with(b"{"));
});
