//! Any bytes as an upload of a build: no panic, and nothing unpacked beyond what is allowed.
#![no_main]

use std::io::{Cursor, copy, sink};

use bugle::protocol::artifact_bundle::{Bundle, BundleError, LARGEST_CONTENT, MOST_FILES};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(mut bundle) = Bundle::open(Cursor::new(bytes)) else {
        return;
    };
    assert!(bundle.file_count() <= MOST_FILES);
    let mut unpacked = 0;
    let _ = bundle.each(|_, facts, content| {
        let _ = (facts.header("debug-id"), facts.header("sourcemap"));
        unpacked += copy(content, &mut sink()).map_err(BundleError::Io)?;
        Ok::<_, BundleError>(())
    });
    assert!(unpacked <= LARGEST_CONTENT);
});
