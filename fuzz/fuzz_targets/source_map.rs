//! Any bytes as a script and its source map, with a NUL between: no panic, and what is compiled can be read again.
#![no_main]

use bugle::process::source_maps::CompiledMap;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let at = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let (script, map) = bytes.split_at(at);
    if let Ok(map) = CompiledMap::compile(script, map.get(1..).unwrap_or_default()) {
        CompiledMap::from_bytes(map.as_bytes().to_vec()).expect("what was compiled can be read");
    }
});
