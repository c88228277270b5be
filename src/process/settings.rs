//! What a project wants to have done with its events. In: the texts that its members wrote. Out: rules and filters, ready for use.

use super::filter::{Filter, Filters};
use super::rules::{FingerprintRules, StackRules};
use super::scrub;

/// The settings of one project. Without any, what is built in.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    pub(super) filters: Filter,
    pub(super) fingerprints: FingerprintRules,
    pub(super) stacks: StackRules,
    pub(super) scrubbing: scrub::Rules,
}

impl Settings {
    /// Reads the texts. What cannot be read of them is left out: whoever saved them was told.
    pub fn new(fingerprint_rules: &str, stack_rules: &str, filters: &str) -> Self {
        let filters: Filters = serde_json::from_str(filters).unwrap_or_default();
        Self {
            filters: Filter::new(filters),
            fingerprints: FingerprintRules::parse(fingerprint_rules).0,
            stacks: StackRules::parse(stack_rules).0,
            scrubbing: scrub::Rules::default(),
        }
    }

    /// With what the organization and the project want scrubbed.
    #[must_use]
    pub fn scrubbed_by(mut self, rules: scrub::Rules) -> Self {
        self.scrubbing = rules;
        self
    }
}
