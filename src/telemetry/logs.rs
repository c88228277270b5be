//! Logs. In: the filter and form from the settings. Out: one line an entry on standard error; errors are counted, and
//! reported where a DSN for that is set.

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, Registry, fmt};

use super::self_report;
use crate::config::LogFormat;

/// Something that is not HTTP is the mistake of whoever sent it; the HTTP library would let any stranger fill the log
/// with errors.
const STRANGERS: &str = "actix_http::h1::dispatcher=off";

/// Sets the process' logging up; a filter that cannot be read falls back to `info` and says so.
pub fn start(format: LogFormat, filter: &str) {
    super::metrics::process::note_start();
    let (filter, mistake) = match EnvFilter::try_new(filter) {
        Ok(filter) => (filter, None),
        Err(error) => (EnvFilter::new("info"), Some(error)),
    };
    let filter = filter.add_directive(STRANGERS.parse().expect("a fixed directive is well formed"));
    let lines = fmt::layer()
        .with_writer(std::io::stderr)
        .with_span_events(FmtSpan::NONE)
        .with_target(true);
    let lines = match format {
        LogFormat::Json => lines.json().flatten_event(true).with_filter(filter).boxed(),
        LogFormat::Text => lines
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .with_filter(filter)
            .boxed(),
    };
    // Errors are reported also where the log is kept quiet.
    let reports = self_report::ErrorLayer.with_filter(LevelFilter::ERROR);
    // A second start in one process (tests of the library) keeps the first.
    let started = Registry::default().with(lines).with(reports).try_init();
    if let (Ok(()), Some(error)) = (started, mistake) {
        tracing::warn!(%error, "the log filter cannot be read, using info");
    }
}
