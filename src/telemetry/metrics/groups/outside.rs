//! People and other servers: pages, mail, mirrored events, own error reports.

use std::time::Duration;

use crate::telemetry::metrics::family::{Family, label};
use crate::telemetry::metrics::instruments::{Counter, Histogram, Labelled};

const METHODS: [&str; 4] = ["GET", "POST", "PUT", "other"];
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// One route of the dashboard or the JSON API, as it stands in the route table.
#[derive(Debug)]
pub struct HttpRoute {
    requests: [[Counter; CLASSES.len()]; METHODS.len()],
    durations: Histogram,
}

impl Default for HttpRoute {
    fn default() -> Self {
        Self {
            requests: [const { [const { Counter::new() }; CLASSES.len()] }; METHODS.len()],
            durations: Histogram::new(),
        }
    }
}

impl HttpRoute {
    pub fn answered(&self, method: &str, status: u16, took: Duration) {
        let method = METHODS
            .iter()
            .position(|name| *name == method)
            .unwrap_or(METHODS.len() - 1);
        let class = usize::from(status / 100).clamp(1, CLASSES.len()) - 1;
        self.requests[method][class].inc();
        self.durations.observe(took);
    }
}

/// The routes that were asked for.
pub(in crate::telemetry::metrics) fn pages(routes: &Labelled<HttpRoute>, out: &mut Vec<Family>) {
    let mut requests = Family::counter(
        "bugle_http_requests_total",
        "Requests to pages and the JSON API, by route, method and class of status.",
    );
    let mut durations = Family::histogram(
        "bugle_http_request_duration_seconds",
        "Time until such a request was answered.",
    );
    for (route, counted) in routes.all() {
        for (by_class, method) in counted.requests.iter().zip(METHODS) {
            for (counter, class) in by_class.iter().zip(CLASSES) {
                if counter.get() > 0 {
                    let mut labels = label("route", route.clone());
                    labels.push(("method", method.into()));
                    labels.push(("status", class.into()));
                    requests.push(labels, counter);
                }
            }
        }
        durations.push(label("route", route), &counted.durations);
    }
    out.extend([requests, durations]);
}

/// Mails handed to the mail server.
#[derive(Debug)]
pub struct Mail {
    pub sent: Counter,
    pub failed: Counter,
}

impl Mail {
    pub const fn zero() -> Self {
        Self {
            sent: Counter::new(),
            failed: Counter::new(),
        }
    }

    pub(in crate::telemetry::metrics) fn families(&self, out: &mut Vec<Family>) {
        let Self { sent, failed } = self;
        out.push(
            Family::counter(
                "bugle_mails_total",
                "Mails, by whether the mail server took them.",
            )
            .with(label("outcome", "sent"), sent)
            .with(label("outcome", "failed"), failed),
        );
    }
}

/// Envelopes that are copied to other trackers.
#[derive(Debug)]
pub struct Mirror {
    pub sent: Counter,
    pub failed: Counter,
    /// Not even tried: the queue was full, or the target had asked for a pause.
    pub dropped: Counter,
    pub durations: Histogram,
}

impl Mirror {
    pub const fn zero() -> Self {
        Self {
            sent: Counter::new(),
            failed: Counter::new(),
            dropped: Counter::new(),
            durations: Histogram::new(),
        }
    }

    pub(in crate::telemetry::metrics) fn families(&self, out: &mut Vec<Family>) {
        let Self {
            sent,
            failed,
            dropped,
            durations,
        } = self;
        out.push(
            Family::counter(
                "bugle_mirror_envelopes_total",
                "Copies of envelopes for other trackers.",
            )
            .with(label("outcome", "sent"), sent)
            .with(label("outcome", "failed"), failed)
            .with(label("outcome", "dropped"), dropped),
        );
        out.push(
            Family::histogram(
                "bugle_mirror_duration_seconds",
                "How long other trackers took to answer.",
            )
            .of(durations),
        );
    }
}

/// Reports of Bugle's own errors.
#[derive(Debug)]
pub struct Reports {
    pub sent: Counter,
    pub failed: Counter,
    /// Over the rate limit, or the queue was full.
    pub dropped: Counter,
    /// Caused by an event that was such a report itself.
    pub muted: Counter,
    /// Errors in the log, reported or not.
    pub errors: Counter,
    pub panics: Counter,
}

impl Reports {
    pub const fn zero() -> Self {
        Self {
            sent: Counter::new(),
            failed: Counter::new(),
            dropped: Counter::new(),
            muted: Counter::new(),
            errors: Counter::new(),
            panics: Counter::new(),
        }
    }

    pub(in crate::telemetry::metrics) fn families(&self, out: &mut Vec<Family>) {
        let Self {
            sent,
            failed,
            dropped,
            muted,
            errors,
            panics,
        } = self;
        out.push(
            Family::counter(
                "bugle_self_reports_total",
                "Reports of Bugle's own errors to BUGLE_SELF_DSN.",
            )
            .with(label("outcome", "sent"), sent)
            .with(label("outcome", "failed"), failed)
            .with(label("outcome", "dropped"), dropped)
            .with(label("outcome", "muted"), muted),
        );
        out.push(
            Family::counter(
                "bugle_errors_total",
                "Errors in this node's log, and panics.",
            )
            .with(label("kind", "error"), errors)
            .with(label("kind", "panic"), panics),
        );
    }
}
