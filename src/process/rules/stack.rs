//! Stack trace rules: `conditions action…`, all of them from top to bottom on every frame.
//! In: the text of a project, then events. Out: for each stack which flags change, by which rule, and how many frames
//! may count.

use std::fmt;

use crate::process::event::{Event, Exception, SdkFlag, Stacktrace};

use super::action::{self, Action, Flag, Reach};
use super::conditions::{Conditions, Listed};
use super::effort::Effort;
use super::facts::{ExceptionFacts, Facts, State};
use super::matcher::Language;
use super::parse::{self, Numbered, Rule};
use super::scan::{Problem, Scanner};

const MOST_ACTIONS: usize = 16;

/// The stack trace rules of a project, ready to use.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StackRules(Vec<Numbered<StackRule>>);

#[derive(Debug, Clone, PartialEq)]
pub struct StackRule {
    conditions: Conditions,
    actions: Vec<Action>,
}

/// What the rules say about the stacks of an event, in the order of its exceptions and threads.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::process) struct Judgements {
    pub exceptions: Vec<Judgement>,
    pub threads: Vec<Judgement>,
    pub stacktrace: Judgement,
    /// Whether there was too much to do, so that later rules and frames were left out.
    pub is_partial: bool,
}

/// What the rules say about one stack.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::process) struct Judgement {
    /// One entry for each frame, or none at all if the rules are silent about all of them.
    pub frames: Vec<FrameJudgement>,
    pub limits: Limits,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(in crate::process) struct FrameJudgement {
    pub in_app: Option<Decided>,
    /// Whether the frame may count for grouping at all.
    pub group: Option<Decided>,
}

/// A flag, and the line of the rule that set it last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::process) struct Decided {
    pub on: bool,
    pub line: u32,
}

/// How many frames count.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(in crate::process) struct Limits {
    /// 0 for no limit.
    pub max_frames: usize,
    pub min_frames: usize,
}

impl Judgements {
    /// Makes the frames of the event what the rules say they are. Stacks that were not judged stay as they are.
    pub fn set_in_app(&self, event: &mut Event<'_>) {
        let exceptions = event.exceptions.iter_mut().map(|it| &mut it.stacktrace);
        for (judgement, stack) in self.exceptions.iter().zip(exceptions) {
            judgement.set_in_app(stack.as_mut());
        }
        let threads = event.threads.iter_mut().map(|it| &mut it.stacktrace);
        for (judgement, stack) in self.threads.iter().zip(threads) {
            judgement.set_in_app(stack.as_mut());
        }
        self.stacktrace.set_in_app(event.stacktrace.as_mut());
    }
}

impl Judgement {
    fn set_in_app(&self, stack: Option<&mut Stacktrace<'_>>) {
        let frames = stack.into_iter().flat_map(|stack| &mut stack.frames);
        for (judgement, frame) in self.frames.iter().zip(frames) {
            if let Some(decided) = judgement.in_app {
                // What the SDK said stays known, so that a stored event can be judged by other rules.
                frame.orig_in_app.get_or_insert(SdkFlag::of(frame.in_app));
                frame.in_app = Some(decided.on);
            }
        }
    }
}

impl Limits {
    /// How many of the newest of so many contributing frames count.
    pub fn newest(self, contributing: usize) -> usize {
        if contributing < self.min_frames {
            0
        } else if self.max_frames == 0 {
            contributing
        } else {
            contributing.min(self.max_frames)
        }
    }
}

impl StackRules {
    /// The rules that can be read, and what is wrong with the others.
    pub fn parse(text: &str) -> (Self, Vec<Problem>) {
        let (rules, problems) = parse::rules(text);
        (Self(rules), problems)
    }

    pub fn rules(&self) -> &[Numbered<StackRule>] {
        &self.0
    }

    /// Judges all stacks; those of exceptions first, since they matter most.
    pub(in crate::process) fn judge(&self, event: &Event<'_>) -> Judgements {
        let mut judgements = Judgements::default();
        if self.0.is_empty() {
            return judgements;
        }
        let facts = &Facts::new(event);
        let effort = &Effort::new();
        let applies =
            |rule: &&Numbered<StackRule>| rule.rule.conditions.hold_for_event(facts, effort);
        let judge = Judge {
            rules: self.0.iter().filter(applies).collect(),
            facts,
            effort,
        };
        for exception in &event.exceptions {
            let stack = exception.stacktrace.as_ref();
            judgements
                .exceptions
                .push(judge.stack(stack, Some(exception)));
        }
        judgements.stacktrace = judge.stack(event.stacktrace.as_ref(), None);
        for thread in &event.threads {
            judgements
                .threads
                .push(judge.stack(thread.stacktrace.as_ref(), None));
        }
        judgements.is_partial = effort.is_spent();
        judgements
    }
}

/// The rules that may apply to an event.
struct Judge<'r, 'f, 'e> {
    rules: Vec<&'r Numbered<StackRule>>,
    facts: &'f Facts<'e>,
    effort: &'f Effort,
}

impl<'e> Judge<'_, '_, 'e> {
    fn stack(
        &self,
        stack: Option<&'e Stacktrace<'e>>,
        exception: Option<&'e Exception<'e>>,
    ) -> Judgement {
        let mut judgement = Judgement::default();
        let Some(stack) = stack.filter(|stack| !stack.frames.is_empty()) else {
            return judgement;
        };
        let frames = self.facts.frames(stack);
        let exception = exception.map(ExceptionFacts::new);
        let mut states: Vec<_> = stack.frames.iter().map(State::of).collect();
        let mut matched = Vec::with_capacity(frames.len());
        for Numbered { line, rule } in &self.rules {
            let conditions = &rule.conditions;
            if !conditions.hold_for_exception(exception.as_ref(), self.effort) {
                continue;
            }
            // All frames are looked at before any is changed, so that a rule does not meet what it did itself.
            matched.clear();
            matched.extend((0..frames.len()).filter(|at| {
                conditions.hold_for_frame(&frames, |at| states[at], *at, self.effort)
            }));
            if self.effort.is_spent() {
                break;
            }
            if let [first, .., last] | [first @ last] = matched[..] {
                for action in &rule.actions {
                    judgement.act(action, *line, &matched, first, last, &mut states);
                }
            }
        }
        judgement
    }
}

impl Judgement {
    /// Does what the action says for all frames that matched at once.
    fn act<'r>(
        &mut self,
        action: &'r Action,
        line: u32,
        matched: &[usize],
        first: usize,
        last: usize,
        states: &mut [State<'r>],
    ) {
        match action {
            Action::MaxFrames(number) => self.limits.max_frames = *number,
            Action::MinFrames(number) => self.limits.min_frames = *number,
            Action::Category(name) => {
                for at in matched {
                    states[*at].category = Some(name);
                }
            }
            Action::Set { flag, on, reach } => {
                let decided = Decided { on: *on, line };
                let count = states.len();
                self.frames.resize(count, FrameJudgement::default());
                let set = |at: usize| match flag {
                    Flag::Group => self.frames[at].group = Some(decided),
                    Flag::App => {
                        self.frames[at].in_app = Some(decided);
                        states[at].in_app = *on;
                    }
                };
                match reach {
                    Reach::Itself => matched.iter().copied().for_each(set),
                    Reach::TowardsCrash => (first + 1..count).for_each(set),
                    Reach::AwayFromCrash => (0..last).for_each(set),
                }
            }
        }
    }
}

impl Rule for StackRule {
    fn read(scanner: &mut Scanner<'_>) -> Result<Self, Problem> {
        let conditions = parse::conditions(scanner, Language::Stack, action::is_next)?;
        let mut actions = Vec::new();
        while !scanner.is_done() {
            if actions.len() == MOST_ACTIONS {
                return Err(scanner.problem("at most 16 actions"));
            }
            actions.push(action::read(scanner)?);
        }
        if actions.is_empty() {
            return Err(scanner.problem("an action such as `-app` or `^-group`"));
        }
        Ok(Self {
            conditions,
            actions,
        })
    }
}

impl fmt::Display for StackRule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.conditions, Listed(&self.actions))
    }
}
