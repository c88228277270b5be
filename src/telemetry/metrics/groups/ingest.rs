//! Requests of SDKs.

use std::time::Duration;

use crate::telemetry::metrics::family::{Family, label};
use crate::telemetry::metrics::instruments::{Counter, Gauge, Histogram};

/// The endpoints that take events or pretend to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    Envelope,
    Store,
    /// Reports that browsers send by themselves.
    Security,
    /// Files for an event that was sent before.
    Attachments,
    /// Crashes of native programs.
    Minidump,
    /// What is taken and counted without being kept: check-ins.
    NotKept,
}

const ENDPOINTS: [(Endpoint, &str); 6] = [
    (Endpoint::Envelope, "envelope"),
    (Endpoint::Store, "store"),
    (Endpoint::Security, "security"),
    (Endpoint::Attachments, "attachments"),
    (Endpoint::Minidump, "minidump"),
    (Endpoint::NotKept, "not_kept"),
];

/// Outcomes of a request: accepted, and why not. A reason that is not listed counts as `other`.
const OUTCOMES: [&str; 18] = [
    "accepted",
    "other",
    "missing_key",
    "unknown_key",
    "disabled_key",
    "wrong_project",
    "bad_project",
    "malformed",
    "encoding",
    "content_type",
    "too_large",
    "too_slow",
    "rate_limit",
    "overload",
    "journal_full",
    "journal_failed",
    "not_ready",
    "filtered",
];
const ACCEPTED: usize = 0;
const OTHER: usize = 1;

/// What becomes of requests to ingest.
#[derive(Debug)]
pub struct Ingest {
    requests: [[Counter; OUTCOMES.len()]; ENDPOINTS.len()],
    durations: [Histogram; ENDPOINTS.len()],
    /// Bytes of bodies as they came over the network.
    pub wire_bytes: Counter,
    /// The same bodies once unpacked.
    pub unpacked_bytes: Counter,
    /// Connections to the listen address, of SDKs and browsers alike.
    pub open_connections: Gauge,
}

impl Ingest {
    pub const fn zero() -> Self {
        Self {
            requests: [const { [const { Counter::new() }; OUTCOMES.len()] }; ENDPOINTS.len()],
            durations: [const { Histogram::new() }; ENDPOINTS.len()],
            wire_bytes: Counter::new(),
            unpacked_bytes: Counter::new(),
            open_connections: Gauge::new(),
        }
    }

    pub fn accepted(&self, endpoint: Endpoint, took: Duration) {
        self.count(endpoint, ACCEPTED, took);
    }

    /// A refusal; looking its reason up costs some comparisons of short texts.
    pub fn refused(&self, endpoint: Endpoint, reason: &str, took: Duration) {
        let outcome = OUTCOMES
            .iter()
            .position(|outcome| *outcome == reason)
            .unwrap_or(OTHER);
        self.count(endpoint, outcome, took);
    }

    fn count(&self, endpoint: Endpoint, outcome: usize, took: Duration) {
        self.requests[endpoint as usize][outcome].inc();
        self.durations[endpoint as usize].observe(took);
    }

    pub(in crate::telemetry::metrics) fn families(&self, out: &mut Vec<Family>) {
        let Self {
            requests,
            durations,
            wire_bytes,
            unpacked_bytes,
            open_connections,
        } = self;
        let mut by_outcome = Family::counter(
            "bugle_ingest_requests_total",
            "Requests to the ingest endpoints, by what became of them.",
        );
        let mut latency = Family::histogram(
            "bugle_ingest_request_duration_seconds",
            "Time from a request's head to its answer, waiting for the journal's sync included.",
        );
        for (endpoint, name) in ENDPOINTS {
            let counters = &requests[endpoint as usize];
            for (counter, outcome) in counters.iter().zip(OUTCOMES) {
                let mut labels = label("endpoint", name);
                labels.push(("outcome", outcome.into()));
                by_outcome.push(labels, counter);
            }
            latency.push(label("endpoint", name), &durations[endpoint as usize]);
        }
        out.push(by_outcome);
        out.push(latency);
        out.push(
            Family::counter(
                "bugle_ingest_wire_bytes_total",
                "Bytes of bodies as they came over the network.",
            )
            .of(wire_bytes),
        );
        out.push(
            Family::counter(
                "bugle_ingest_unpacked_bytes_total",
                "Bytes of the same bodies once unpacked.",
            )
            .of(unpacked_bytes),
        );
        out.push(
            Family::gauge(
                "bugle_http_open_connections",
                "Open connections to the listen address.",
            )
            .of(open_connections.get()),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_in_the_tables_are_what_they_say() {
        for (at, (endpoint, _)) in ENDPOINTS.iter().enumerate() {
            assert_eq!(*endpoint as usize, at);
        }
        assert_eq!((OUTCOMES[ACCEPTED], OUTCOMES[OTHER]), ("accepted", "other"));
    }

    #[test]
    fn an_unknown_reason_is_counted_all_the_same() {
        let ingest = Ingest::zero();
        ingest.refused(Endpoint::Store, "made up", Duration::from_millis(1));
        ingest.refused(Endpoint::Store, "too_large", Duration::from_millis(1));
        assert_eq!(ingest.requests[1][OTHER].get(), 1);
        assert_eq!(ingest.requests[1][10].get(), 1);
        assert_eq!(ingest.durations[1].get().count(), 2);
    }
}
