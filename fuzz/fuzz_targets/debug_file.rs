//! Any bytes as a debug file or a ProGuard mapping: no panic, and an event that goes through what is made of it stays one.
#![no_main]

use std::sync::Arc;

use bugle::process::native::debug_file::{canonical, compile};
use bugle::process::native::{DebugFiles, Found};
use bugle::process::source_maps::{Finding, Script, SourceMaps};
use bugle::process::{Incoming, Settings, process_mapped};
use bugle::protocol::event_id::EventId;
use libfuzzer_sys::fuzz_target;

const MAPPING: &str = "/proguard/1f0e6c0e-54d3-4a8e-9c15-0a6cf2a2b1d0.txt";
const EVENT: &[u8] = br#"{"platform":"native","debug_meta":{"images":[
{"type":"proguard","uuid":"1f0e6c0e-54d3-4a8e-9c15-0a6cf2a2b1d0"},
{"type":"elf","image_addr":"0x0","image_size":0,"debug_id":"83afbdf8-c331-5037-bddf-0b088950a56a","code_file":"/srv/shop"}]},
"exception":{"values":[{"type":"a","module":"a.a","value":"x","stacktrace":{"frames":[
{"module":"a.a","function":"a","lineno":1},{"module":"a.a","function":"b","lineno":8},{"module":"a.b","function":"a"},
{"instruction_addr":"0x0"},{"instruction_addr":"0x1"},{"instruction_addr":"0x20"},{"instruction_addr":"0x1009"},
{"instruction_addr":"0x1120"},{"instruction_addr":"0x1151"},{"instruction_addr":"0x11a0"},{"instruction_addr":"0x401010"},
{"instruction_addr":"0x401021"},{"instruction_addr":"0xffffffff"},{"instruction_addr":"0xffffffffffffffff"}]}}]}}"#;

struct One(Arc<Vec<u8>>);

impl DebugFiles for One {
    fn are_used(&self) -> bool {
        true
    }

    fn find(&self, _: &str) -> Found {
        Found::Symbols(Arc::clone(&self.0))
    }
}

impl SourceMaps for One {
    fn are_used(&self) -> bool {
        false
    }

    fn find(&self, _: &Script<'_>) -> Finding {
        Finding::Missing
    }

    fn debug_files(&self) -> &dyn DebugFiles {
        self
    }
}

fuzz_target!(|bytes: &[u8]| {
    for name in ["shop", MAPPING] {
        for object in compile(name, bytes).unwrap_or_default() {
            if let Some(id) = &object.facts.debug_id {
                assert_eq!(canonical(id).as_ref(), Some(id));
            }
            let Some(symbols) = object.symbols else {
                continue;
            };
            // The look-up is not done in a child process.
            let incoming = Incoming {
                payload: EVENT,
                event_id: EventId::from_bytes([7; 16]),
                received_ms: 1_795_256_700_000,
                sent_at_ms: None,
                remote_addr: None,
                sdk_client: None,
            };
            process_mapped(&incoming, &Settings::default(), &One(Arc::new(symbols)))
                .expect("the event is one");
        }
    }
});
