//! What each stage of processing costs, for events of real SDKs. In: nothing. Out: a table in microseconds an event.
//!
//! `script/bench stages`, which is `cargo bench --bench stages`. It is a benchmark, no test: nothing fails for being slow.

use std::path::Path;
use std::time::{Duration, Instant};

use bugle::process::source_maps::{CompiledMap, Finding, NoMaps, Script, SourceMaps};
use bugle::process::{Incoming, Settings, Stage, process_in_stages};
use bugle::protocol::envelope::Envelope;
use bugle::protocol::event_id::EventId;

/// The browser's event once more, with a source map for all its frames.
const MAPPED: &str = "mapped";

/// Events of all platforms, the largest included: a name, and where the envelope lies.
const EVENTS: [(&str, &str); 7] = [
    (
        "browser",
        "browser-11.12.0/exception_click_handler.envelope",
    ),
    (MAPPED, "browser-11.12.0/exception_click_handler.envelope"),
    ("node", "node-10.78.0/exception_uncaught.2.envelope"),
    ("express", "node-10.78.0/http_server_error.4.envelope"),
    ("python", "python-2.75.0/exception_unhandled.envelope"),
    ("flask", "python-2.75.0/flask_request_error.1.envelope"),
    ("rust", "rust-0.49.5/panic.envelope"),
];

const STAGES: [(Stage, &str); 12] = [
    (Stage::Read, "read the JSON"),
    (Stage::Normalize, "normalise"),
    (Stage::Filter, "filter"),
    (Stage::Scrub, "scrub"),
    (Stage::Map, "source maps"),
    (Stage::Trim, "trim"),
    (Stage::Agent, "user agent"),
    (Stage::InApp, "own code or not"),
    (Stage::Tags, "tags"),
    (Stage::Title, "title"),
    (Stage::Group, "group"),
    (Stage::Write, "write the payload"),
];

const WARM_UP: u32 = 500;
const ROUNDS: u32 = 5_000;

fn main() {
    let columns: Vec<(usize, [Duration; STAGES.len()])> = EVENTS
        .iter()
        .map(|(name, file)| {
            let payload = payload(file);
            let shop = ShopMap::compiled();
            let maps: &dyn SourceMaps = if *name == MAPPED { &shop } else { &NoMaps };
            (payload.len(), measure(&payload, maps))
        })
        .collect();
    print!("{:18}", "microseconds");
    for (name, _) in EVENTS {
        print!("{name:>9}");
    }
    println!();
    for (at, (_, name)) in STAGES.iter().enumerate() {
        print!("{name:18}");
        for (_, stages) in &columns {
            print!("{:9.1}", each(stages[at]));
        }
        println!();
    }
    print!("{:18}", "all");
    for (_, stages) in &columns {
        print!("{:9.1}", each(stages.iter().sum()));
    }
    println!();
    print!("{:18}", "bytes");
    for (bytes, _) in &columns {
        print!("{bytes:9}");
    }
    println!();
}

fn each(all: Duration) -> f64 {
    all.as_secs_f64() * 1e6 / f64::from(ROUNDS)
}

/// One map for every script: that of the shop which the browser's event comes from.
struct ShopMap(CompiledMap);

impl ShopMap {
    fn compiled() -> Self {
        let read = |name: &str| {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("tests/fixtures/sourcemaps/web-shop/plain");
            std::fs::read(folder.join(name)).expect("a fixture")
        };
        let map = CompiledMap::compile(&read("app.min.js"), &read("app.min.js.map"));
        Self(map.expect("the map of the fixture"))
    }
}

impl SourceMaps for ShopMap {
    fn are_used(&self) -> bool {
        true
    }

    fn find(&self, _: &Script<'_>) -> Finding {
        Finding::Map(self.0.clone())
    }
}

/// The event of an envelope whose first item it is.
fn payload(file: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/sdk")
        .join(file);
    let envelope = std::fs::read(&path).expect("a fixture");
    let envelope = Envelope::parse(&envelope).expect("an envelope");
    let mut items = envelope.items.iter();
    let event = items.find(|item| item.kind == "event");
    event.expect("an event").payload.to_vec()
}

fn measure(payload: &[u8], maps: &dyn SourceMaps) -> [Duration; STAGES.len()] {
    let settings = Settings::default();
    let incoming = Incoming {
        payload,
        event_id: EventId::from_bytes([7; 16]),
        received_ms: 1_795_000_000_000,
        sent_at_ms: None,
        remote_addr: None,
        sdk_client: None,
    };
    let mut spent = [Duration::ZERO; STAGES.len()];
    for round in 0..WARM_UP + ROUNDS {
        let mut before = Instant::now();
        let processed = process_in_stages(&incoming, &settings, maps, |stage| {
            let now = Instant::now();
            if round >= WARM_UP {
                let at = STAGES.iter().position(|(known, _)| *known == stage);
                spent[at.expect("every stage is listed")] += now - before;
            }
            before = Instant::now();
        });
        assert!(processed.is_ok(), "{processed:?}");
        std::hint::black_box(processed).ok();
    }
    spent
}
