//! What matchers look at, made ready once for all the rules that look.
//! In: an event. Out: its messages, exceptions and frames as texts that globs can take.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};

use crate::process::event::{Event, Exception, Frame, Stacktrace, Thread};
use crate::protocol::json::Json;

use super::glob::Mode;
use super::matcher::Family;

/// What the rules may cost an event, so that neither many rules nor an event with thousands of frames can hold up the
/// others. A thousand times what usual rules and events take; when it is spent, nothing matches any more.
pub(in crate::process) struct Effort(Cell<usize>);

impl Effort {
    const MOST: usize = 1_000_000;

    pub fn new() -> Self {
        Self(Cell::new(Self::MOST))
    }

    /// Says whether so much was left.
    pub fn spend(&self, cost: usize) -> bool {
        let left = self.0.get().checked_sub(cost);
        self.0.set(left.unwrap_or(0));
        left.is_some()
    }

    pub fn is_spent(&self) -> bool {
        self.0.get() == 0
    }
}

/// An event, and what was made ready of it.
pub(in crate::process) struct Facts<'e> {
    pub event: &'e Event<'e>,
    messages: OnceCell<Vec<Cow<'e, str>>>,
    exceptions: OnceCell<Vec<ExceptionFacts<'e>>>,
    stacks: OnceCell<Vec<Vec<FrameFacts<'e>>>>,
}

impl<'e> Facts<'e> {
    pub fn new(event: &'e Event<'e>) -> Self {
        Self {
            event,
            messages: OnceCell::new(),
            exceptions: OnceCell::new(),
            stacks: OnceCell::new(),
        }
    }

    pub fn family(&self) -> Family {
        Family::of(&self.event.platform)
    }

    /// The message and the values of all exceptions: people do not know which of them a text comes from.
    pub fn messages(&self) -> &[Cow<'e, str>] {
        self.messages.get_or_init(|| {
            let message = self.event.logentry.as_ref().map(|entry| &*entry.formatted);
            let values = self
                .event
                .exceptions
                .iter()
                .filter_map(|it| it.value.as_deref());
            let texts = message.into_iter().chain(values);
            texts.map(|text| Mode::AnyCase.prepare(text)).collect()
        })
    }

    pub fn exceptions(&self) -> &[ExceptionFacts<'e>] {
        self.exceptions.get_or_init(|| {
            let exceptions = self.event.exceptions.iter();
            exceptions.map(ExceptionFacts::new).collect()
        })
    }

    /// The stacks of the exceptions, else the one that stands for the event.
    pub fn stacks(&self) -> &[Vec<FrameFacts<'e>>] {
        self.stacks.get_or_init(|| {
            let exceptions = self.event.exceptions.iter();
            let mut stacks: Vec<_> = exceptions
                .filter_map(|exception| exception.stacktrace.as_ref())
                .collect();
            if stacks.is_empty() {
                let of_thread = || self.thread().and_then(|thread| thread.stacktrace.as_ref());
                stacks.extend(self.event.stacktrace.as_ref().or_else(of_thread));
            }
            let facts = |stack: &&'e Stacktrace<'e>| self.frames(stack);
            stacks.iter().map(facts).collect()
        })
    }

    pub fn frames(&self, stack: &'e Stacktrace<'e>) -> Vec<FrameFacts<'e>> {
        let platform = &*self.event.platform;
        let frames = stack.frames.iter();
        frames
            .map(|frame| FrameFacts::new(frame, platform))
            .collect()
    }

    /// The thread that matters: the crashed one, else the current one, else the only one.
    pub fn thread(&self) -> Option<&'e Thread<'e>> {
        let threads = &self.event.threads;
        let crashed = threads.iter().find(|thread| thread.crashed == Some(true));
        let current = || threads.iter().find(|thread| thread.current == Some(true));
        let only = || threads.first().filter(|_| threads.len() == 1);
        crashed.or_else(current).or_else(only)
    }

    pub fn thread_id(&self) -> Option<Cow<'e, str>> {
        match &self.thread()?.id {
            Json::Str(id) => Some(Cow::Borrowed(id)),
            Json::I64(id) => Some(Cow::Owned(id.to_string())),
            _ => None,
        }
    }

    /// A tag. Attributes that become tags count as such before they have, and win over tags of their name.
    pub fn tag(&self, name: &str) -> Option<&'e str> {
        let event = self.event;
        let attribute = match name {
            "level" => return Some(event.level.as_str()),
            "release" => &event.release,
            "dist" => &event.dist,
            "environment" => &event.environment,
            "server_name" => &event.server_name,
            "site" => &event.site,
            "logger" => &event.logger,
            "transaction" => &event.transaction,
            "url" => &event.request.url,
            _ => &None,
        };
        let own = || event.tags.iter().find(|(key, _)| key == name);
        attribute
            .as_deref()
            .or_else(|| own().map(|(_, value)| &**value))
    }
}

pub(in crate::process) struct ExceptionFacts<'e> {
    pub exception: &'e Exception<'e>,
    value: OnceCell<Option<Cow<'e, str>>>,
}

impl<'e> ExceptionFacts<'e> {
    pub fn new(exception: &'e Exception<'e>) -> Self {
        Self {
            exception,
            value: OnceCell::new(),
        }
    }

    pub fn value(&self) -> Option<&str> {
        prepared(&self.value, self.exception.value.as_deref(), Mode::AnyCase)
    }

    pub fn mechanism(&self) -> Option<&'e str> {
        self.exception.mechanism.as_ref()?.kind.as_deref()
    }
}

pub(in crate::process) struct FrameFacts<'e> {
    pub frame: &'e Frame<'e>,
    pub family: Family,
    path: OnceCell<Option<Cow<'e, str>>>,
    file: OnceCell<Option<Cow<'e, str>>>,
    package: OnceCell<Option<Cow<'e, str>>>,
}

impl<'e> FrameFacts<'e> {
    fn new(frame: &'e Frame<'e>, platform: &str) -> Self {
        Self {
            frame,
            family: Family::of(frame.platform.as_deref().unwrap_or(platform)),
            path: OnceCell::new(),
            file: OnceCell::new(),
            package: OnceCell::new(),
        }
    }

    /// A frame without a function can be matched by this name.
    pub fn function(&self) -> &'e str {
        self.frame.function.as_deref().unwrap_or("<unknown>")
    }

    pub fn path(&self) -> Option<&str> {
        prepared(&self.path, self.frame.abs_path.as_deref(), Mode::Path)
    }

    /// The file, where it says something else than the path.
    pub fn file(&self) -> Option<&str> {
        let other = self.frame.filename.as_ref();
        let other = other.filter(|file| self.frame.abs_path.as_ref() != Some(*file));
        prepared(&self.file, other.map(AsRef::as_ref), Mode::Path)
    }

    pub fn package(&self) -> Option<&str> {
        prepared(&self.package, self.frame.package.as_deref(), Mode::Path)
    }
}

fn prepared<'c, 'e>(
    cell: &'c OnceCell<Option<Cow<'e, str>>>,
    text: Option<&'e str>,
    mode: Mode,
) -> Option<&'c str> {
    cell.get_or_init(|| text.map(|text| mode.prepare(text)))
        .as_deref()
}

/// What rules before may have changed about a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::process) struct State<'r> {
    pub in_app: bool,
    pub category: Option<&'r str>,
}

impl State<'_> {
    pub fn of(frame: &Frame<'_>) -> Self {
        Self {
            in_app: frame.is_in_app(),
            category: None,
        }
    }
}
