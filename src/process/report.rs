//! What the security report of an event says.
//! In: a report of any kind. Out: a sentence, the place and the tags; nothing where the report tells too little.

use std::borrow::Cow;

use crate::model::event::ReportKind;
use crate::protocol::json::{Json, Text};

use super::csp::Violation;
use super::event::Report;

pub(super) struct Finding {
    pub message: String,
    /// The violated directive, or the host.
    pub culprit: String,
    /// The host that was blocked, or whose certificate it was.
    pub host: String,
    pub directive: Option<String>,
}

impl Finding {
    pub fn of(report: &Report<'_>) -> Option<Self> {
        if let Some(violation) = Violation::of(report) {
            return Some(Self {
                message: violation.message(),
                culprit: violation.culprit(),
                host: violation.blocked_host().into_owned(),
                directive: Some(violation.directive.to_owned()),
            });
        }
        let host = host_of(report)?;
        let message = match report.kind {
            ReportKind::Csp => return None,
            ReportKind::Hpkp => format!("Public key pinning validation failed for '{host}'"),
            ReportKind::ExpectStaple => format!("Expect-Staple failed for '{host}'"),
            ReportKind::ExpectCt => format!("Expect-CT failed for '{host}'"),
        };
        Some(Self {
            message,
            culprit: host.to_owned(),
            host: host.to_owned(),
            directive: None,
        })
    }
}

/// Whose certificate the report is about.
pub(super) fn host_of<'e>(report: &'e Report<'_>) -> Option<&'e str> {
    match report.kind {
        ReportKind::Csp => None,
        _ => report.fields.get_str("hostname"),
    }
}

/// By what reports are searched.
pub(super) fn tags<'a>(report: &Report<'a>) -> Vec<(&'static str, Text<'a>)> {
    if let Some(violation) = Violation::of(report) {
        let owned = |text: &str| Cow::Owned(text.to_owned());
        let mut tags = vec![
            ("effective-directive", owned(violation.directive)),
            ("blocked-uri", owned(violation.blocked_uri)),
        ];
        let host = violation.blocked_hostname();
        tags.extend(host.map(|host| ("blocked-host", owned(host))));
        return tags;
    }
    let names: &[(&str, &str)] = match report.kind {
        ReportKind::Csp => &[],
        ReportKind::Hpkp => &[
            ("hostname", "hostname"),
            ("port", "port"),
            ("include-subdomains", "include_subdomains"),
        ],
        ReportKind::ExpectCt => &[
            ("hostname", "hostname"),
            ("port", "port"),
            ("failure-mode", "failure_mode"),
        ],
        ReportKind::ExpectStaple => &[
            ("hostname", "hostname"),
            ("port", "port"),
            ("response_status", "response_status"),
            ("cert_status", "cert_status"),
        ],
    };
    names
        .iter()
        .filter_map(|(tag, field)| {
            let value = match report.fields.get(field)? {
                Json::Str(text) => text.clone(),
                other => Cow::Owned(other.to_text()),
            };
            Some((*tag, value))
        })
        .collect()
}
