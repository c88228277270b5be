//! Any bytes as a script and its source map, with a NUL between: no panic, what is compiled can be read again, and an event that goes
//! through it stays one.
#![no_main]

use bugle::process::source_maps::{CompiledMap, Finding, Script, SourceMaps};
use bugle::process::{Incoming, Settings, process_mapped};
use bugle::protocol::event_id::EventId;
use libfuzzer_sys::fuzz_target;

const EVENT: &[u8] = br#"{"platform":"javascript","exception":{"values":[{"type":"TypeError","value":"x","stacktrace":{"frames":[
{"function":"a","abs_path":"https://shop.example.com/a.js","lineno":1,"colno":1},
{"function":"b","abs_path":"https://shop.example.com/a.js","lineno":1,"colno":9},
{"function":"c","abs_path":"https://shop.example.com/a.js","lineno":1,"colno":60},
{"function":"d","abs_path":"https://shop.example.com/a.js","lineno":1,"colno":400},
{"function":"e","abs_path":"https://shop.example.com/a.js","lineno":1,"colno":4294967295},
{"function":"f","abs_path":"https://shop.example.com/a.js","lineno":2,"colno":1},
{"function":"g","abs_path":"https://shop.example.com/a.js","lineno":2,"colno":30},
{"function":"h","abs_path":"https://shop.example.com/a.js","lineno":4294967295,"colno":1}]}}]}}"#;

struct One(CompiledMap);

impl SourceMaps for One {
    fn are_used(&self) -> bool {
        true
    }

    fn find(&self, _: &Script<'_>) -> Finding {
        Finding::Map(self.0.clone())
    }
}

fuzz_target!(|bytes: &[u8]| {
    let at = bytes
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(bytes.len());
    let (script, map) = bytes.split_at(at);
    let Ok(map) = CompiledMap::compile(script, map.get(1..).unwrap_or_default()) else {
        return;
    };
    // The look-up is not done in a child process.
    let map =
        CompiledMap::from_bytes(map.as_bytes().to_vec()).expect("what was compiled can be read");
    let incoming = Incoming {
        payload: EVENT,
        event_id: EventId::from_bytes([7; 16]),
        received_ms: 1_795_256_700_000,
        sent_at_ms: None,
        remote_addr: None,
        sdk_client: None,
    };
    process_mapped(&incoming, &Settings::default(), &One(map)).expect("the event is one");
});
