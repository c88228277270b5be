//! Any bytes as what comes beside events: no panic, and counts that make sense.
#![no_main]

use bugle::process::feedback::{self, Source};
use bugle::process::session::{self, Told};
use bugle::process::{Incoming, Settings};
use bugle::protocol::event_id::EventId;
use bugle::protocol::{attachment, minidump, security};
use libfuzzer_sys::fuzz_target;

const NOW: i64 = 1_795_256_700_000;

fuzz_target!(|bytes: &[u8]| {
    let _ = (attachment::decode(bytes), minidump::decode(bytes));
    if let Ok(reports) = security::read(bytes) {
        assert!(reports.kept.len() <= security::MOST_REPORTS);
    }
    let incoming = Incoming {
        payload: bytes,
        event_id: EventId::from_bytes([7; 16]),
        received_ms: NOW,
        sent_at_ms: None,
        remote_addr: None,
        sdk_client: None,
    };
    for source in [Source::Feedback, Source::UserReport] {
        if let Ok(feedback) = feedback::read(&incoming, source, &Settings::default()) {
            assert!(!feedback.message.is_empty());
        }
    }
    let told = [None, Some(NOW - 2 * 60 * 60 * 1000)]
        .map(|sent_at_ms| session::read(bytes, NOW, sent_at_ms).unwrap_or_default());
    for report in told.into_iter().flat_map(|item| item.reports) {
        if let Told::Many(sessions) = report.told {
            assert!(sessions.total > 0 && sessions.healthy() >= 0);
        }
    }
});
