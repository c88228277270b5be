//! Reports of content security policies that say nothing about the page.
//! In: an event with a report. Out: whether it is one that nobody can do anything about.

use crate::model::event::ReportKind;
use crate::process::csp::Violation;
use crate::process::event::Event;
use crate::process::rules::{Effort, Glob, Mode};

use super::MOST_ENTRIES;
use super::extension::is_extension;
use super::text::glob;

/// Sources whose reports a project does not want: hosts, or whole addresses.
#[derive(Debug, Clone)]
pub(super) struct Sources {
    hosts: Vec<Glob>,
    addresses: Vec<Glob>,
}

impl Sources {
    pub fn of(patterns: &[String]) -> Self {
        let patterns = patterns.iter().take(MOST_ENTRIES);
        let (addresses, hosts): (Vec<_>, Vec<_>) =
            patterns.partition(|pattern| pattern.contains([':', '/']));
        let globs = |patterns: Vec<&String>| {
            let globs = patterns.into_iter().filter_map(|pattern| glob(pattern));
            globs.collect()
        };
        Self {
            hosts: globs(hosts),
            addresses: globs(addresses),
        }
    }

    fn contain(&self, address: &str) -> bool {
        if self.hosts.is_empty() && self.addresses.is_empty() {
            return false;
        }
        let host = address.split_once("://").map_or(address, |(_, rest)| rest);
        let host = host.split(['/', ':', '?', '#']).next().unwrap_or_default();
        let effort = &Effort::new();
        let any = |globs: &[Glob], text: &str| {
            let text = &Mode::AnyCase.prepare(text);
            globs.iter().any(|glob| glob.matches(text, effort)) && !effort.is_spent()
        };
        any(&self.hosts, host) || any(&self.addresses, address)
    }
}

pub(super) fn is_invalid(event: &Event<'_>, disallowed: &Sources) -> bool {
    let report = event.report.as_ref();
    // With an exception it is no report, whatever else it carries.
    let Some(report) = report
        .filter(|report| report.kind == ReportKind::Csp)
        .filter(|_| event.exceptions.is_empty())
    else {
        return false;
    };
    if Violation::of(report).is_none() {
        return true;
    }
    let blocked = report.fields.get_str("blocked_uri");
    let source = report.fields.get_str("source_file");
    let is_about =
        blocked.is_some_and(|address| address == "about" || address.starts_with("about:"));
    is_about
        || [blocked, source]
            .into_iter()
            .flatten()
            .any(|address| is_extension(address) || disallowed.contain(address))
}
