//! Any bytes as a debug file or a ProGuard mapping: no panic.
#![no_main]

use bugle::process::native::debug_file::compile;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for name in ["shop", "/proguard/1f0e6c0e-54d3-4a8e-9c15-0a6cf2a2b1d0.txt"] {
        let _ = compile(name, bytes);
    }
});
