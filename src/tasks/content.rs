//! What a record is to the store. In: a record of the journal, of any kind. Out: an event, an attachment, feedback, sessions or counts; or
//! that it is none of them; or that it cannot be said now.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicBool;

use sha1::{Digest, Sha1};

use super::lookups;
use super::native::minidump;
use super::poison::hook;
use crate::app::App;
use crate::blobs::{BlobError, key_of};
use crate::ingest::outcome;
use crate::journal::{Record, RecordKind};
use crate::process::feedback::{self, FeedbackError, Source};
use crate::process::source_maps::{NoMaps, SourceMaps};
use crate::process::{self, Incoming, ProcessError, ProcessedEvent, Settings, session};
use crate::protocol::{self, attachment};
use crate::queue::Delivery;
use crate::store::digest::{Content, NewAttachment};
use crate::telemetry::self_report;

/// Why there is no content.
#[derive(Debug)]
pub enum Problem {
    /// By the record's own fault.
    Failed(String),
    /// What is needed is away: the record has to come again, and nobody is to blame.
    NotNow(String),
}

/// What processing makes of a record. `away` is set if source maps could not be looked up; then the result says nothing, and the
/// record has to come again.
pub fn of(app: &App, delivery: &Delivery, away: &AtomicBool) -> Result<Content, Problem> {
    of_record(app, &delivery.record, away)
}

/// The same for a record that nobody delivered.
pub fn of_record(app: &App, record: &Record, away: &AtomicBool) -> Result<Content, Problem> {
    // What goes wrong with a report of our own errors must not become the next one.
    let _muted = self_report::mute_for(&record.body);
    match record.kind {
        RecordKind::Outcomes => Ok(outcome::decode(record.payload())
            .map_or_else(|| invalid("malformed", "error"), Content::Outcomes)),
        RecordKind::Attachment => {
            attached(app, record).map_err(|error| Problem::NotNow(error.to_string()))
        }
        RecordKind::Session => guarded(|| {
            let read = session::read(record.payload(), record.received_ms, record.sent_at_ms);
            match read {
                Ok(reports) => Content::Sessions(reports),
                Err(reason) => invalid(reason, "session"),
            }
        }),
        RecordKind::Feedback => feedback_of(app, record, Source::Feedback),
        RecordKind::UserReport => feedback_of(app, record, Source::UserReport),
        RecordKind::Minidump => {
            let settings = app.project_settings.of(record.project_id);
            let event = lookups::with(app, record.project_id, away, |maps, files| {
                let scratch = || app.blobs.scratch_file();
                let payload = minidump::event(record.payload(), scratch, files)
                    .map_err(|error| Problem::NotNow(error.to_string()))?;
                event_from(record, &payload, &settings, maps).map_err(Problem::Failed)
            })?;
            Ok(match event {
                Ok(event) => Content::Event(Box::new(event)),
                Err(error) => not_kept(record, error, "error"),
            })
        }
        RecordKind::Event => {
            let settings = app.project_settings.of(record.project_id);
            let event = lookups::with(app, record.project_id, away, |maps, _| {
                event_of(record, &settings, maps)
            });
            let event = event.map_err(Problem::Failed)?;
            Ok(match event {
                Ok(event) => Content::Event(Box::new(event)),
                Err(error) => not_kept(record, error, "error"),
            })
        }
    }
}

const fn invalid(reason: &'static str, category: &'static str) -> Content {
    Content::Invalid { reason, category }
}

fn not_kept(record: &Record, error: ProcessError, category: &'static str) -> Content {
    match error {
        ProcessError::NotJson(problem) => {
            tracing::debug!(project = record.project_id, event = %record.event_id, problem, category, "an item is no JSON");
            invalid("not_json", category)
        }
        ProcessError::NotAnObject => invalid("not_an_object", category),
        ProcessError::Filtered { reason, kind } => Content::Filtered {
            reason,
            category: if category == "error" {
                kind.category()
            } else {
                category
            },
        },
    }
}

/// Puts the bytes of a file where they stay. Under a name that follows from the file and its event, so that what comes again, also from
/// its sender, is there once.
pub fn attached(app: &App, record: &Record) -> Result<Content, BlobError> {
    let Some((head, file)) = attachment::decode(record.payload()) else {
        return Ok(invalid("malformed", "attachment"));
    };
    let event_id = *record.event_id.as_bytes();
    let mut digest = Sha1::new();
    digest.update(record.project_id.to_le_bytes());
    digest.update(event_id);
    digest.update(head.name.as_bytes());
    digest.update(Sha1::digest(file));
    let blob_key = key_of("attachments", &digest.finalize());
    let size = app.blobs.put(&blob_key, file)?;
    Ok(Content::Attachment(Box::new(NewAttachment {
        event_id,
        head,
        size,
        blob_key,
    })))
}

fn feedback_of(app: &App, record: &Record, source: Source) -> Result<Content, Problem> {
    let settings = app.project_settings.of(record.project_id);
    guarded(
        || match feedback::read(&incoming(record), source, &settings) {
            Ok(feedback) => Content::Feedback(Box::new(feedback)),
            Err(FeedbackError::NoMessage) => invalid("no_message", "feedback"),
            Err(FeedbackError::Process(error)) => not_kept(record, error, "feedback"),
        },
    )
}

/// A panic costs this record only.
fn guarded(work: impl FnOnce() -> Content) -> Result<Content, Problem> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| Problem::Failed(panic_reason(&*panic)))
}

fn incoming(record: &Record) -> Incoming<'_> {
    Incoming {
        payload: record.payload(),
        event_id: record.event_id,
        received_ms: record.received_ms,
        sent_at_ms: record.sent_at_ms,
        remote_addr: record.remote_addr,
        sdk_client: Some(record.client()).filter(|client| !client.is_empty()),
    }
}

/// The event that a record holds, or that it holds none; or how processing failed. A panic costs this record only.
pub fn event_of(
    record: &Record,
    settings: &Settings,
    maps: &dyn SourceMaps,
) -> Result<Result<ProcessedEvent, ProcessError>, String> {
    event_from(record, record.payload(), settings, maps)
}

/// The same, where the event was made of what the record holds.
fn event_from(
    record: &Record,
    payload: &[u8],
    settings: &Settings,
    maps: &dyn SourceMaps,
) -> Result<Result<ProcessedEvent, ProcessError>, String> {
    catch_unwind(AssertUnwindSafe(|| {
        hook::strike(payload);
        let incoming = Incoming {
            payload,
            ..incoming(record)
        };
        process::process_mapped(&incoming, settings, maps)
    }))
    .map_err(|panic| panic_reason(&*panic))
}

/// Processes a record of any kind by itself, with nothing around it: whether that ends.
pub fn rehearse(record: &Record, settings: &Settings) -> Result<(), String> {
    let incoming = incoming(record);
    let ended = match record.kind {
        RecordKind::Event => return event_of(record, settings, &NoMaps).map(drop),
        RecordKind::Feedback => catch_unwind(AssertUnwindSafe(|| {
            drop(feedback::read(&incoming, Source::Feedback, settings));
        })),
        RecordKind::UserReport => catch_unwind(AssertUnwindSafe(|| {
            drop(feedback::read(&incoming, Source::UserReport, settings));
        })),
        RecordKind::Session => catch_unwind(|| {
            drop(session::read(
                record.payload(),
                record.received_ms,
                record.sent_at_ms,
            ));
        }),
        RecordKind::Minidump => {
            // The dump is read in a process of its own anyway.
            let event =
                protocol::minidump::decode(record.payload()).map_or(&[][..], |(event, _)| event);
            return event_from(record, event, settings, &NoMaps).map(drop);
        }
        RecordKind::Attachment | RecordKind::Outcomes => Ok(()),
    };
    ended.map_err(|panic| panic_reason(&*panic))
}

fn panic_reason(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    match text {
        Some(text) => format!("processing ended with a panic: {text}"),
        None => "processing ended with a panic".to_owned(),
    }
}
