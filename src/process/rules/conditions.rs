//! When a rule applies: `[ caller ] | conditions | [ callee ]`.
//! In: facts about an event. Out: whether all conditions hold, those about frames for one and the same frame.

use std::fmt;

use super::effort::Effort;
use super::facts::{ExceptionFacts, Facts, FrameFacts, State};
use super::matcher::{Matcher, Scope};

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Conditions {
    /// About the frame that called the one in question.
    pub caller: Vec<Matcher>,
    pub own: Vec<Matcher>,
    /// About the frame that it called.
    pub callee: Vec<Matcher>,
}

impl Conditions {
    fn of(&self, scope: Scope) -> impl Iterator<Item = &Matcher> {
        self.own
            .iter()
            .filter(move |matcher| matcher.scope == scope)
    }

    /// Whether all of them hold for the event, for some message, some exception and some frame of it.
    pub fn hold(&self, facts: &Facts<'_>, effort: &Effort) -> bool {
        self.hold_for_event(facts, effort)
            && (self.of(Scope::Exception).next().is_none()
                || facts
                    .exceptions()
                    .iter()
                    .any(|exception| self.hold_for_exception(Some(exception), effort)))
            && (!self.are_about_frames()
                || facts
                    .stacks()
                    .iter()
                    .any(|frames| self.hold_for_some_frame(frames, effort)))
    }

    /// Only what is about the event as a whole.
    pub fn hold_for_event(&self, facts: &Facts<'_>, effort: &Effort) -> bool {
        let mut about_messages = self.of(Scope::Message).peekable();
        self.of(Scope::Event)
            .all(|matcher| matcher.holds_for_event(facts, effort))
            && (about_messages.peek().is_none()
                || facts.messages().iter().any(|message| {
                    self.of(Scope::Message)
                        .all(|matcher| matcher.holds_for_message(message, effort))
                }))
    }

    /// Only what is about exceptions. A stack may belong to none.
    pub fn hold_for_exception(
        &self,
        exception: Option<&ExceptionFacts<'_>>,
        effort: &Effort,
    ) -> bool {
        self.of(Scope::Exception)
            .all(|matcher| matcher.holds_for_exception(exception, effort))
    }

    fn are_about_frames(&self) -> bool {
        !self.caller.is_empty() || !self.callee.is_empty() || self.of(Scope::Frame).next().is_some()
    }

    fn hold_for_some_frame(&self, frames: &[FrameFacts<'_>], effort: &Effort) -> bool {
        let state = |at: usize| State::of(frames[at].frame);
        (0..frames.len()).any(|at| self.hold_for_frame(frames, state, at, effort))
    }

    /// Only what is about frames: for the one at this place of its stack, oldest first.
    pub fn hold_for_frame<'r>(
        &self,
        frames: &[FrameFacts<'_>],
        state: impl Fn(usize) -> State<'r>,
        at: usize,
        effort: &Effort,
    ) -> bool {
        let holds =
            |matcher: &Matcher, at: usize| matcher.holds_for_frame(&frames[at], state(at), effort);
        let neighbour = |matchers: &[Matcher], at: Option<usize>| {
            matchers.is_empty()
                || at.is_some_and(|at| matchers.iter().all(|matcher| holds(matcher, at)))
        };
        self.of(Scope::Frame).all(|matcher| holds(matcher, at))
            && neighbour(&self.caller, at.checked_sub(1))
            && neighbour(&self.callee, Some(at + 1).filter(|at| *at < frames.len()))
    }
}

impl fmt::Display for Conditions {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.caller.is_empty() {
            write!(out, "[ {} ] | ", Listed(&self.caller))?;
        }
        Listed(&self.own).fmt(out)?;
        if !self.callee.is_empty() {
            write!(out, " | [ {} ]", Listed(&self.callee))?;
        }
        Ok(())
    }
}

/// One after the other, with blanks between.
pub(super) struct Listed<'l, T>(pub &'l [T]);

impl<T: fmt::Display> fmt::Display for Listed<'_, T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, item) in self.0.iter().enumerate() {
            let blank = if at > 0 { " " } else { "" };
            write!(out, "{blank}{item}")?;
        }
        Ok(())
    }
}
