//! Rules that a project writes in Sentry's language: fingerprints, and which frames count.
//! In: their text once, then normalised events. Out: the fingerprint that replaces the SDK's, and judgements on frames.

mod action;
pub mod builtin;
mod conditions;
mod effort;
mod facts;
mod fingerprint;
mod glob;
mod matcher;
mod parse;
#[cfg(test)]
pub(super) mod sample;
mod scan;
mod stack;
#[cfg(test)]
mod tests;
mod variable;

pub use fingerprint::{FingerprintRule, FingerprintRules};
pub use parse::Numbered;
pub use scan::Problem;
pub use stack::{StackRule, StackRules};

pub(super) use effort::Effort;
pub(super) use facts::Facts;
pub(super) use glob::{Glob, Mode};
pub(super) use matcher::Family;
#[cfg(test)]
use stack::{FrameJudgement, Limits};
pub(super) use stack::{Judgement, Judgements};

use super::event::Event;

/// The rule that decides the fingerprint of an event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Fingerprint<'r> {
    pub rule: &'r FingerprintRule,
    /// Where it stands in the project's rules; nothing for one that is built in.
    pub line: Option<u32>,
}

/// Finds it. A rule of the project wins over what the SDK sent; one that is built in only where that says nothing,
/// because what the application says is more specific.
pub(super) fn fingerprint<'r>(
    project: &'r FingerprintRules,
    event: &Event<'_>,
) -> Option<Fingerprint<'r>> {
    let facts = &Facts::new(event);
    let of_project = project.first(facts).map(|numbered| Fingerprint {
        rule: &numbered.rule,
        line: Some(numbered.line),
    });
    of_project.or_else(|| {
        let says_nothing = |entry: &str| variable::name_of(entry.trim()) == Some("default");
        if !event.fingerprint.iter().all(|entry| says_nothing(entry)) {
            return None;
        }
        builtin::rules().first(facts).map(|numbered| Fingerprint {
            rule: &numbered.rule,
            line: None,
        })
    })
}
