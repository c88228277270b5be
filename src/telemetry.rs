//! Logs. In: the filter and form from the settings. Out: one line an entry on standard error.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::config::LogFormat;

/// Something that is not HTTP is the mistake of whoever sent it; the HTTP library would let any stranger fill the log
/// with errors.
const STRANGERS: &str = "actix_http::h1::dispatcher=off";

/// Sets the process' logging up; a filter that cannot be read falls back to `info` and says so.
pub fn start(format: LogFormat, filter: &str) {
    let (filter, mistake) = match EnvFilter::try_new(filter) {
        Ok(filter) => (filter, None),
        Err(error) => (EnvFilter::new("info"), Some(error)),
    };
    let filter = filter.add_directive(STRANGERS.parse().expect("a fixed directive is well formed"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_span_events(FmtSpan::NONE)
        .with_target(true);
    // A second start in one process (tests of the library) keeps the first.
    let started = match format {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Text => builder
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .try_init(),
    };
    if let (Ok(()), Some(error)) = (started, mistake) {
        tracing::warn!(%error, "the log filter cannot be read, using info");
    }
}
