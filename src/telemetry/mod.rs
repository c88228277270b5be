//! How Bugle is watched. In: what happens in all layers. Out: the log, metrics for Prometheus and `StatsD`, and reports of
//! Bugle's own errors. Everybody may use this, and it uses nobody but the way out.

mod logs;
pub mod metrics;
pub mod prometheus;
pub mod self_report;
pub mod statsd;

pub use logs::start;
pub use metrics::METRICS;
