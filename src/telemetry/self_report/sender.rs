//! The thread that sends reports. In: reports from the queue. Out: envelopes to the DSN; one that cannot be sent is
//! dropped, for it must not wait and must not complain where its complaint would be a report.

use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;

use super::event::Report;
use super::redact::Redactor;
use super::{METRICS, SDK_NAME, Settings, mute, settled};
use crate::outgoing::{Client, Reach};

/// The longest pause that the other side can ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

pub(super) fn run(inbox: &Receiver<Report>, settings: &Settings) {
    let _muted = mute();
    // The administrator chose this address, which may well be this machine's own.
    let client = Client::new(Reach::Anywhere);
    let mut secrets = settings.secrets.clone();
    secrets.push(settings.dsn.public_key.clone());
    let redactor = Redactor::new(&secrets);
    let server_name = server_name();
    let mut pause_until: Option<Instant> = None;
    for report in inbox {
        if pause_until.is_some_and(|until| Instant::now() < until) {
            METRICS.reports.dropped.inc();
            settled();
            continue;
        }
        let event = report.event(settings, &server_name, &redactor);
        match send(&client, settings, &report, &event.to_string()) {
            Ok(None) => METRICS.reports.sent.inc(),
            Ok(Some(pause)) => {
                METRICS.reports.failed.inc();
                pause_until = Some(Instant::now() + pause);
            }
            Err(problem) => {
                METRICS.reports.failed.inc();
                tracing::warn!(problem, "an error of this server could not be reported");
            }
        }
        settled();
    }
}

/// Sends one event; a pause where the other side asks for one.
fn send(
    client: &Client,
    settings: &Settings,
    report: &Report,
    event: &str,
) -> Result<Option<Duration>, String> {
    let Settings { dsn, .. } = settings;
    let url = format!("{}/api/{}/envelope/", dsn.base_url, dsn.project_id);
    let auth = format!(
        "Sentry sentry_version=7, sentry_key={}, sentry_client={SDK_NAME}/{}",
        dsn.public_key,
        env!("CARGO_PKG_VERSION")
    );
    let body = format!(
        "{{\"event_id\":\"{}\"}}\n{{\"type\":\"event\",\"length\":{}}}\n{event}\n",
        report.id,
        event.len()
    );
    let headers = [
        ("content-type", "application/x-sentry-envelope"),
        ("x-sentry-auth", auth.as_str()),
    ];
    let answer = client
        .post(&url, &headers, body.as_bytes())
        .map_err(|error| error.to_string())?;
    match answer.status {
        200..300 => Ok(None),
        429 | 503 => {
            let seconds = answer
                .header("retry-after")
                .and_then(|text| text.trim().parse().ok())
                .unwrap_or(60);
            Ok(Some(Duration::from_secs(seconds).min(LONGEST_PAUSE)))
        }
        status => Err(format!("the DSN's server answered {status}")),
    }
}

/// The name of this machine or container.
fn server_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .or_else(|| std::env::var("HOSTNAME").ok())
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "unknown".to_owned())
}
