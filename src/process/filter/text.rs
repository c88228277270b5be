//! Globs of a project on releases and messages. Case does not count.
//! In: patterns once, then events. Out: whether one of them matches.

use crate::process::event::Event;
use crate::process::rules::{Effort, Glob, Mode};

use super::{LONGEST_PATTERN, MOST_ENTRIES};

pub(super) fn is_pattern(text: &str) -> bool {
    glob(text).is_some()
}

/// Nothing for what is empty or too long.
pub(super) fn glob(text: &str) -> Option<Glob> {
    let pattern = Some(text.trim()).filter(|it| (1..=LONGEST_PATTERN).contains(&it.len()))?;
    Glob::new(pattern, Mode::AnyCase)
}

#[derive(Debug, Clone)]
pub(super) struct Texts(Vec<Glob>);

impl Texts {
    pub fn of(patterns: &[String]) -> Self {
        let globs = patterns.iter().filter_map(|pattern| glob(pattern));
        Self(globs.take(MOST_ENTRIES).collect())
    }

    fn match_text(&self, text: &str, effort: &Effort) -> bool {
        let text = &Mode::AnyCase.prepare(text);
        self.0.iter().any(|glob| glob.matches(text, effort)) && !effort.is_spent()
    }

    pub fn match_release(&self, event: &Event<'_>) -> bool {
        let release = event.release.as_deref();
        !self.0.is_empty()
            && release.is_some_and(|release| self.match_text(release, &Effort::new()))
    }

    /// The message, and of each exception the value alone and behind the type, as titles have it.
    pub fn match_message(&self, event: &Event<'_>) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let effort = &Effort::new();
        let message = event.logentry.as_ref().map(|entry| &*entry.formatted);
        let values = event.exceptions.iter().filter_map(|it| it.value.as_deref());
        message
            .into_iter()
            .chain(values)
            .any(|text| self.match_text(text, effort))
            || event.exceptions.iter().any(|exception| {
                let kind = exception.kind.as_deref();
                let value = exception.value.as_deref();
                kind.is_some_and(|kind| match value {
                    Some(value) => self.match_text(&format!("{kind}: {value}"), effort),
                    None => self.match_text(kind, effort),
                })
            })
    }
}
