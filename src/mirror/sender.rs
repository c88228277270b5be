//! The threads that send copies. In: copies from the queue. Out: requests as an SDK makes them, the counts of what
//! became of them, and pauses where a target asks for one or does not answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::envelope;
use super::queue::{Job, Queue};
use super::target::Target;
use crate::outgoing::{Answer, Client, OutgoingError};
use crate::protocol::dsn::Dsn;
use crate::telemetry::METRICS;

/// Marks a copy, so that no Bugle copies it again: two that mirror to each other would never stop.
pub const MIRRORED_HEADER: &str = "x-bugle-mirrored";

pub(super) fn start(number: usize, queue: Arc<Queue>, client: Client) {
    std::thread::Builder::new()
        .name(format!("mirror-{number}"))
        .spawn(move || {
            loop {
                send(&client, queue.pop());
            }
        })
        .expect("the system can start a thread");
}

fn send(client: &Client, job: Job) {
    let Job {
        target,
        event_id,
        is_envelope,
        bytes,
    } = job;
    if target.is_paused() {
        target.tally.dropped();
        METRICS.mirror.dropped.inc();
        return;
    }
    let copy = if is_envelope {
        envelope::readdressed(&bytes, &target.dsn)
    } else {
        Some(envelope::enveloped(&bytes, event_id, &target.dsn))
    };
    drop(bytes);
    let Some(copy) = copy else {
        METRICS.mirror.failed.inc();
        target.failed("the header of an envelope could not be read", false);
        return;
    };
    let began = Instant::now();
    let answer = post(client, &target.dsn, &copy);
    METRICS.mirror.durations.observe(began.elapsed());
    settle(&target, answer);
}

fn settle(target: &Target, answer: Result<Answer, OutgoingError>) {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => {
            METRICS.mirror.failed.inc();
            target.failed(&error.to_string(), true);
            return;
        }
    };
    if answer.is_success() {
        METRICS.mirror.sent.inc();
        target.sent();
    } else {
        METRICS.mirror.failed.inc();
        // A bad envelope says nothing about the next one; a bad key or a server in trouble does.
        let rests = !matches!(answer.status, 400 | 413 | 429);
        target.failed(
            &format!("the other tracker answered {}", answer.status),
            rests,
        );
    }
    if let Some(pause) = pause(&answer) {
        target.pause(pause);
    }
}

/// How long the answer asks for quiet about events. Seconds, as SDKs read them.
fn pause(answer: &Answer) -> Option<Duration> {
    let seconds = |text: &str| text.trim().parse::<f64>().ok().filter(|s| *s > 0.0);
    let limits = answer.header("x-sentry-rate-limits");
    let by_limits = limits.into_iter().flat_map(|limits| limits.split(','));
    let by_limits = by_limits
        .filter_map(|limit| {
            let mut parts = limit.split(':');
            let seconds = seconds(parts.next()?)?;
            let categories = parts.next().unwrap_or_default();
            let concerns = categories.trim().is_empty()
                || categories
                    .split(';')
                    .any(|category| matches!(category.trim(), "error" | "default" | "all"));
            concerns.then_some(seconds)
        })
        .reduce(f64::max);
    let wanted = match answer.status {
        429 | 503 => by_limits
            .or_else(|| answer.header("retry-after").and_then(seconds))
            .or((answer.status == 429).then_some(60.0)),
        _ => by_limits,
    };
    wanted.map(|seconds| Duration::from_secs_f64(seconds.min(86_400.0)))
}

fn post(client: &Client, dsn: &Dsn, envelope: &[u8]) -> Result<Answer, OutgoingError> {
    let url = format!("{}/api/{}/envelope/", dsn.base_url, dsn.project_id);
    let auth = format!(
        "Sentry sentry_version=7, sentry_key={}, sentry_client=bugle.mirror/{}",
        dsn.public_key,
        env!("CARGO_PKG_VERSION")
    );
    let mut headers = vec![
        ("content-type", "application/x-sentry-envelope"),
        ("x-sentry-auth", auth.as_str()),
        (MIRRORED_HEADER, "1"),
    ];
    match envelope::packed(envelope) {
        Some(packed) => {
            headers.push(("content-encoding", "gzip"));
            client.post(&url, &headers, &packed)
        }
        None => client.post(&url, &headers, envelope),
    }
}

/// Sends an empty envelope to a DSN and says what the other side answers: its status, and nothing of its words.
pub fn try_out(client: &Client, dsn: &Dsn) -> Result<u16, OutgoingError> {
    post(client, dsn, &envelope::empty(dsn)).map(|answer| answer.status)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&'static str, &'static str)]) -> Answer {
        let headers = headers.iter().map(|(name, value)| {
            (
                ureq::http::HeaderName::from_static(name),
                ureq::http::HeaderValue::from_static(value),
            )
        });
        Answer {
            status,
            headers: headers.collect(),
            body: Vec::new(),
        }
    }

    #[test]
    fn pauses_are_those_of_the_protocol() {
        let limits = "x-sentry-rate-limits";
        for (status, headers, seconds) in [
            (200, vec![], None),
            (200, vec![(limits, "60:transaction:key")], None),
            (200, vec![(limits, "60:error;transaction:key")], Some(60.0)),
            (
                429,
                vec![(limits, "10::organization, 30:error:key")],
                Some(30.0),
            ),
            (429, vec![("retry-after", "7")], Some(7.0)),
            (429, vec![], Some(60.0)),
            (503, vec![("retry-after", "soon")], None),
            (503, vec![("retry-after", "2.5")], Some(2.5)),
            (500, vec![("retry-after", "9")], None),
        ] {
            let found = pause(&answer(status, &headers)).map(|pause| pause.as_secs_f64());
            assert_eq!(found, seconds, "{status} {headers:?}");
        }
    }
}
