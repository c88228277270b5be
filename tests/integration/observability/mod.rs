//! What Bugle tells about itself.

mod metrics;
mod self_report;
mod statsd;
