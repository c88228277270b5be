//! Inbound filters: what a project does not want to have stored.
//! In: its settings once, then normalised events and who sent them. Out: why an event is left out, if it is.

mod address;
mod browser;
mod crawler;
mod extension;
mod health;
mod localhost;
mod report;
mod text;

#[cfg(test)]
mod tests;

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::event::Event;
use super::rules::{Facts, builtin};

use address::Networks;
use browser::LegacyBrowsers;
use report::Sources;
use text::Texts;

pub use browser::{CHOICES as LEGACY_BROWSERS, Choice as LegacyBrowser};

/// How many entries a list of a project may have, and how long a pattern in it may be. Settings stay in memory.
const MOST_ENTRIES: usize = 200;
const LONGEST_PATTERN: usize = 256;

/// All reasons that a filter gives, in the order they are looked for.
pub const REASONS: [&str; 11] = [
    "ip-address",
    "release-version",
    "invalid-csp",
    "health-checks",
    "web-crawlers",
    "legacy-browsers",
    "localhost",
    "browser-extensions",
    "chunk-load",
    "hydration",
    "error-message",
];

/// The settings of a project. What is missing is off, so that old settings stay valid, and that nothing is left out that nobody
/// asked to leave out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch on a page")]
pub struct Filters {
    pub localhost: bool,
    /// Names of [`LEGACY_BROWSERS`].
    pub legacy_browsers: Vec<String>,
    pub browser_extensions: bool,
    pub web_crawlers: bool,
    pub health_checks: bool,
    pub invalid_csp: bool,
    /// Hosts, or whole addresses, as globs.
    pub csp_disallowed_sources: Vec<String>,
    pub chunk_load: bool,
    pub hydration: bool,
    /// Globs.
    pub releases: Vec<String>,
    /// Globs on messages, on values, and on `type: value`.
    pub error_messages: Vec<String>,
    /// Addresses, also with a prefix length.
    pub ip_addresses: Vec<String>,
}

impl Filters {
    /// What is wrong with the entries of the lists, for the person who wrote them. They are ignored otherwise.
    pub fn problems(&self) -> Vec<String> {
        let lists = [
            (
                "release pattern",
                &self.releases,
                text::is_pattern as fn(&str) -> bool,
            ),
            ("message pattern", &self.error_messages, text::is_pattern),
            (
                "source pattern",
                &self.csp_disallowed_sources,
                text::is_pattern,
            ),
            (
                "address or network",
                &self.ip_addresses,
                address::is_network,
            ),
            ("known browser", &self.legacy_browsers, browser::is_choice),
        ];
        let mut problems = Vec::new();
        for (name, entries, is_valid) in lists {
            if entries.len() > MOST_ENTRIES {
                problems.push(format!("{name}: {MOST_ENTRIES} entries are the most"));
            }
            let wrong = entries.iter().filter(|entry| !is_valid(entry));
            problems.extend(wrong.map(|entry| {
                let shown: String = entry.chars().take(80).collect();
                format!("`{shown}` is no {name}")
            }));
        }
        problems
    }
}

/// The filters of a project, ready to use.
#[derive(Debug, Clone)]
pub struct Filter {
    settings: Filters,
    legacy_browsers: LegacyBrowsers,
    csp_disallowed_sources: Sources,
    releases: Texts,
    error_messages: Texts,
    ip_addresses: Networks,
}

impl Default for Filter {
    fn default() -> Self {
        Self::new(Filters::default())
    }
}

impl Filter {
    pub fn new(settings: Filters) -> Self {
        Self {
            legacy_browsers: LegacyBrowsers::of(&settings.legacy_browsers),
            csp_disallowed_sources: Sources::of(&settings.csp_disallowed_sources),
            releases: Texts::of(&settings.releases),
            error_messages: Texts::of(&settings.error_messages),
            ip_addresses: Networks::of(&settings.ip_addresses),
            settings,
        }
    }

    pub fn settings(&self) -> &Filters {
        &self.settings
    }

    /// Why the event is not wanted; nothing if it is. `sender` is who sent it, not whom it happened to.
    pub(in crate::process) fn reason(
        &self,
        event: &Event<'_>,
        sender: Option<IpAddr>,
    ) -> Option<&'static str> {
        let settings = &self.settings;
        let facts = &Facts::new(event);
        let agent = header(event, "User-Agent");
        let agent = |matches: &dyn Fn(&str) -> bool| agent.is_some_and(matches);
        let filters: [(bool, &dyn Fn() -> bool); REASONS.len()] = [
            (true, &|| self.ip_addresses.contain_either(event, sender)),
            (true, &|| self.releases.match_release(event)),
            (settings.invalid_csp, &|| {
                report::is_invalid(event, &self.csp_disallowed_sources)
            }),
            (settings.health_checks, &|| {
                agent(&crawler::is_probe) || health::is_check(event)
            }),
            (settings.web_crawlers, &|| agent(&crawler::is_crawler)),
            (true, &|| {
                agent(&|agent| self.legacy_browsers.contain(agent))
            }),
            (settings.localhost, &|| localhost::is_local(event, sender)),
            (settings.browser_extensions, &|| extension::is_cause(event)),
            (settings.chunk_load, &|| builtin::is_chunk_load(facts)),
            (settings.hydration, &|| builtin::is_hydration(facts)),
            (true, &|| self.error_messages.match_message(event)),
        ];
        let found = filters
            .iter()
            .position(|(is_on, applies)| *is_on && applies())?;
        Some(REASONS[found])
    }
}

/// A header of the request that the event is about. Names are compared in any case.
fn header<'e>(event: &'e Event<'_>, name: &str) -> Option<&'e str> {
    let mut headers = event.request.headers.iter();
    let (_, value) = headers.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
    value.as_str()
}
