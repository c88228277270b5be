//! Any bytes as an envelope: no panic, whatever the lengths claim.
#![no_main]

use bugle::protocol::envelope::Envelope;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = Envelope::parse(bytes);
});
