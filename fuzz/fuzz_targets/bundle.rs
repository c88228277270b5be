//! Any bytes as an upload of a build: no panic, and nothing unpacked beyond what is allowed.
#![no_main]

use std::io::{Cursor, copy, sink};

use bugle::protocol::artifact_bundle::{Bundle, BundleError};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(mut bundle) = Bundle::open(Cursor::new(bytes)) {
        let _ = bundle.each(|_, _, content| {
            copy(content, &mut sink())?;
            Ok::<_, BundleError>(())
        });
    }
});
