//! Bugle's own errors, as events of a project: in this Bugle or another tracker. In: errors in the log, and panics.
//! Out: reports to `BUGLE_SELF_DSN`.
//!
//! A report must never cause the next one. Three things see to that, each by itself: what is done on behalf of an
//! event that was such a report is muted ([`mute_for`]); the thread that sends is muted for good; and no more than
//! some reports a minute and an hour leave, whatever happens. Nothing waits for a report: the queue is short, and what
//! does not fit is counted and dropped.

mod event;
mod pace;
mod redact;
mod sender;

use std::backtrace::Backtrace;
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::METRICS;
use crate::protocol::dsn::Dsn;
use event::{Cause, Report};
use pace::Pace;

/// The name in the events' `sdk` and in the authentication header: who handles such an event does not report about it.
pub const SDK_NAME: &str = "bugle.self";

/// Reports that wait for the network.
const QUEUED: usize = 64;

/// Where reports go, and what they say about this node.
#[derive(Debug, Clone)]
pub struct Settings {
    pub dsn: Dsn,
    pub environment: String,
    pub tags: Vec<(&'static str, String)>,
    /// Texts that no report may contain.
    pub secrets: Vec<String>,
}

struct Reporter {
    queue: Sender<Report>,
    pace: Mutex<Pace>,
    /// Queued or being sent.
    outstanding: AtomicUsize,
}

static REPORTER: OnceLock<Reporter> = OnceLock::new();

thread_local! {
    static MUTED: Cell<u32> = const { Cell::new(0) };
}

/// Begins to report; once in a process.
pub fn start(settings: Settings) {
    let (queue, inbox) = crossbeam_channel::bounded(QUEUED);
    let reporter = Reporter {
        queue,
        pace: Mutex::new(Pace::default()),
        outstanding: AtomicUsize::new(0),
    };
    if REPORTER.set(reporter).is_err() {
        return;
    }
    std::thread::Builder::new()
        .name("self-report".to_owned())
        .spawn(move || sender::run(&inbox, &settings))
        .expect("the system can start a thread");
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        before(panic);
        METRICS.reports.panics.inc();
        submit(|| Cause::Panicked {
            message: text_of(panic.payload()),
            location: panic.location().map(ToString::to_string),
            backtrace: Backtrace::force_capture(),
        });
    }));
}

/// Waits until what is queued was sent, but not longer than this.
pub fn flush(within: Duration) {
    let Some(reporter) = REPORTER.get() else {
        return;
    };
    let deadline = Instant::now() + within;
    while reporter.outstanding.load(Ordering::Acquire) > 0 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// While this lives, errors of its thread are not reported. They stand in the log all the same.
#[derive(Debug)]
pub struct Muted(std::marker::PhantomData<*const ()>);

/// Mutes this thread.
pub fn mute() -> Muted {
    MUTED.with(|depth| depth.set(depth.get() + 1));
    Muted(std::marker::PhantomData)
}

impl Drop for Muted {
    fn drop(&mut self) {
        MUTED.with(|depth| depth.set(depth.get().saturating_sub(1)));
    }
}

/// Mutes this thread where the bytes, an event or a journal record, are a report of Bugle's own. Free while no DSN is set.
pub fn mute_for(bytes: &[u8]) -> Option<Muted> {
    is_own(bytes).then(mute)
}

/// Whether an event or a journal record is a report of Bugle's own, as far as that matters to this process.
pub fn is_own(bytes: &[u8]) -> bool {
    REPORTER.get().is_some() && memchr::memmem::find(bytes, SDK_NAME.as_bytes()).is_some()
}

/// The part of the logging that sees errors.
pub(super) struct ErrorLayer;

impl<S: Subscriber> Layer<S> for ErrorLayer {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let metadata = event.metadata();
        // Strangers' broken HTTP; see `logs`.
        if *metadata.level() != Level::ERROR || metadata.target().starts_with("actix_http::h1") {
            return;
        }
        METRICS.reports.errors.inc();
        submit(|| {
            let mut fields = Fields::default();
            event.record(&mut fields);
            Cause::Logged {
                message: fields.message,
                target: metadata.target().to_owned(),
                location: metadata
                    .file()
                    .map(|file| format!("{file}:{}", metadata.line().unwrap_or(0))),
                fields: fields.others,
            }
        });
    }
}

#[derive(Default)]
struct Fields {
    message: String,
    others: Vec<(&'static str, String)>,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.add(field, format!("{value:?}"));
    }
}

impl Fields {
    fn add(&mut self, field: &Field, value: String) {
        if field.name() == "message" {
            self.message = value;
        } else {
            self.others.push((field.name(), value));
        }
    }
}

fn text_of(payload: &(dyn std::any::Any + Send)) -> String {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a message")
        .to_owned()
}

/// Queues a report; what it says is found out only if it may leave.
fn submit(cause: impl FnOnce() -> Cause) {
    let Some(reporter) = REPORTER.get() else {
        return;
    };
    // A thread that is just ending has no such value any more; nothing of worth is reported from there.
    if MUTED.try_with(Cell::get).unwrap_or(1) > 0 {
        METRICS.reports.muted.inc();
        return;
    }
    let may = reporter
        .pace
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take(Instant::now());
    if !may {
        METRICS.reports.dropped.inc();
        return;
    }
    // Whatever goes wrong from here on is not worth a report.
    let _muted = mute();
    let report = Report::now(cause());
    reporter.outstanding.fetch_add(1, Ordering::AcqRel);
    if reporter.queue.try_send(report).is_err() {
        reporter.outstanding.fetch_sub(1, Ordering::AcqRel);
        METRICS.reports.dropped.inc();
    }
}

/// A report has left, or could not.
fn settled() {
    if let Some(reporter) = REPORTER.get() {
        reporter.outstanding.fetch_sub(1, Ordering::AcqRel);
    }
}
