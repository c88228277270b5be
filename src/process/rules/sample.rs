//! What the tests of rules and filters work on: events from JSON, and randomness that is the same each time.

use crate::process::event::Event;
use crate::process::{Incoming, normalize};
use crate::protocol::event_id::EventId;
use crate::protocol::json::{self, Json};

/// The event of a payload, normalised as events are.
pub(in crate::process) fn event(payload: &str) -> Event<'_> {
    let Ok(Json::Object(document)) = json::parse(payload.as_bytes()) else {
        panic!("not an object: {payload}");
    };
    let incoming = Incoming {
        payload: payload.as_bytes(),
        event_id: EventId::from_bytes([7; 16]),
        received_ms: 1_795_256_700_000,
        sent_at_ms: None,
        remote_addr: None,
        sdk_client: None,
    };
    normalize::normalize(&incoming, document)
}

/// Xorshift.
pub(in crate::process) struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }

    pub fn pick<'t, T>(&mut self, of: &'t [T]) -> &'t T {
        &of[self.below(of.len())]
    }

    /// Up to so many of the parts, one after the other.
    pub fn text(&mut self, parts: &[&str], most: usize) -> String {
        (0..self.below(most + 1))
            .map(|_| *self.pick(parts))
            .collect()
    }

    pub fn any_text(&mut self, most: usize) -> String {
        let c = |random: &mut Self| match random.below(4) {
            0 => char::from(random.below(128) as u8),
            1 => *random.pick(&[
                'é',
                'İ',
                'ß',
                'Σ',
                '\u{1f600}',
                '\u{202e}',
                '\u{2028}',
                '中',
            ]),
            _ => *random.pick(&[
                'a', 'Z', '/', '\\', '"', '*', '[', ']', '{', '}', ' ', ',', '.', ':',
            ]),
        };
        (0..self.below(most + 1)).map(|_| c(self)).collect()
    }
}
