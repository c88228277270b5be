//! In: the text of fingerprint rules, of stack trace rules and of scrubbing expressions, as somebody might paste them, and an event.
//! Out: no panic, and no event lost.
#![no_main]

use bugle::process::scrub::{Rules, Scrubbing};
use bugle::process::{Incoming, Settings, process};
use bugle::protocol::event_id::EventId;
use libfuzzer_sys::fuzz_target;

const EVENT: &[u8] = br#"{"platform":"python","release":"shop@1.2","logger":"a.b","tags":{"k":"v"},"exception":{"values":[
{"type":"KeyError","value":"'price' of 17","mechanism":{"type":"django","handled":false},"stacktrace":{"frames":[
{"function":"run","module":"django.core","filename":"django/core.py","lineno":1},
{"function":"total","module":"shop.cart","filename":"shop/cart.py","lineno":88,"in_app":true,"vars":{"token":"x"}},
{"function":"total","package":"/usr/lib/libshop.so","lineno":9}]}}]},"message":"m"}"#;

fuzz_target!(|text: &str| {
    let mut parts = text.splitn(3, '\0');
    let mut part = || parts.next().unwrap_or_default();
    let settings = Settings::new(part(), part(), "");
    let scrubbing = Scrubbing {
        expressions: part().lines().take(4).map(str::to_owned).collect(),
        ..Scrubbing::default()
    };
    let settings = settings.scrubbed_by(Rules::default().and(&scrubbing));
    let incoming = Incoming {
        payload: EVENT,
        event_id: EventId::from_bytes([1; 16]),
        received_ms: 1_795_256_700_000,
        sent_at_ms: None,
        remote_addr: None,
        sdk_client: None,
    };
    let processed = process(&incoming, &settings).expect("the event is one");
    assert!(!processed.hashes.is_empty());
});
