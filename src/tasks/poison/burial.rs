//! Setting a record aside. In: the record, why, and whether it may be processed here. Out: what the dead letters keep of
//! it: the scrubbed event if there is one, else what the SDK sent, sealed.

use std::borrow::Cow;

use crate::app::App;
use crate::journal::{Record, RecordKind};
use crate::process::source_maps::NoMaps;
use crate::protocol::minidump;
use crate::queue::Delivery;
use crate::store::dead_records::{Dead, Form};
use crate::store::digest::Content;
use crate::store::now_ms;
use crate::tasks::content;

/// What is known of a record that will not be tried again.
pub struct Last<'a> {
    pub delivery: &'a Delivery,
    pub reason: &'a str,
    pub attempts: u32,
    pub first_failure_ms: i64,
    /// Processing it ended well before.
    pub can_be_processed: bool,
}

/// The content of a record that is set aside.
pub fn dead(app: &App, last: &Last<'_>) -> Content {
    let record = &last.delivery.record;
    let is_event = record.kind == RecordKind::Event;
    let scrubbed = if last.can_be_processed && is_event {
        let settings = app.project_settings.of(record.project_id);
        content::event_of(record, &settings, &NoMaps)
            .ok()
            .and_then(Result::ok)
    } else {
        None
    };
    let (form, kept, key_fingerprint) = match scrubbed {
        Some(event) => (
            Form::Scrubbed,
            record.with_payload(&event.payload),
            String::new(),
        ),
        None => (
            Form::Sealed,
            app.seal.seal(&sealed(record)),
            app.config.key_fingerprint(),
        ),
    };
    Content::Dead(Box::new(Dead {
        reason: last.reason.to_owned(),
        attempts: last.attempts as i32,
        event_id: *record.event_id.as_bytes(),
        form,
        record: kept,
        key_fingerprint,
        first_failure_ms: last.first_failure_ms,
        last_failure_ms: now_ms(),
    }))
}

/// What is sealed of a record: files are too large for a list, so of these only what was said of them.
fn sealed(record: &Record) -> Cow<'_, [u8]> {
    let payload = record.payload();
    let without_file = match record.kind {
        // Nothing that could be taken for a file when it is tried again.
        RecordKind::Attachment => Some(Vec::new()),
        RecordKind::Minidump => minidump::decode(payload).map(|(event, _)| minidump::encode(event)),
        _ => None,
    };
    match without_file {
        Some(payload) => record.with_payload(&payload).into(),
        None => Cow::Borrowed(&record.body),
    }
}
