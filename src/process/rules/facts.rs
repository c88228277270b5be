//! What matchers look at, made ready once for all the rules that look.
//! In: an event. Out: its messages, exceptions and frames as texts that globs can take.

use std::borrow::Cow;
use std::cell::OnceCell;

use crate::process::event::{Event, Exception, Frame, Stacktrace, Thread};
use crate::protocol::json::Json;

use super::glob::{Mode, Prepared};
use super::matcher::Family;

/// An event, and what was made ready of it.
pub(in crate::process) struct Facts<'e> {
    pub event: &'e Event<'e>,
    messages: OnceCell<Vec<Prepared<'e>>>,
    exceptions: OnceCell<Vec<ExceptionFacts<'e>>>,
    stacks: OnceCell<Vec<Vec<FrameFacts<'e>>>>,
    thread_id: OnceCell<Option<Cow<'e, str>>>,
}

impl<'e> Facts<'e> {
    pub fn new(event: &'e Event<'e>) -> Self {
        Self {
            event,
            messages: OnceCell::new(),
            exceptions: OnceCell::new(),
            stacks: OnceCell::new(),
            thread_id: OnceCell::new(),
        }
    }

    pub fn family(&self) -> Family {
        Family::of(&self.event.platform)
    }

    /// The message and the values of all exceptions: people do not know which of them a text comes from.
    pub fn messages(&self) -> &[Prepared<'e>] {
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

    pub fn thread_id(&self) -> Option<&str> {
        let id = self.thread_id.get_or_init(|| match &self.thread()?.id {
            Json::Str(id) => Some(Cow::Borrowed(id)),
            Json::I64(id) => Some(Cow::Owned(id.to_string())),
            _ => None,
        });
        id.as_deref()
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
    pub kind: Option<Prepared<'e>>,
    pub value: Option<Prepared<'e>>,
    pub mechanism: Option<Prepared<'e>>,
}

impl<'e> ExceptionFacts<'e> {
    pub fn new(exception: &'e Exception<'e>) -> Self {
        let mechanism = exception.mechanism.as_ref();
        let mechanism = mechanism.and_then(|mechanism| mechanism.kind.as_deref());
        let exact = |text: &'e str| Mode::Exact.prepare(text);
        let value = exception.value.as_deref();
        Self {
            kind: exception.kind.as_deref().map(exact),
            value: value.map(|value| Mode::AnyCase.prepare(value)),
            mechanism: mechanism.map(exact),
        }
    }
}

pub(in crate::process) struct FrameFacts<'e> {
    pub frame: &'e Frame<'e>,
    pub family: Family,
    /// `<unknown>` if it has none.
    pub function: Prepared<'e>,
    pub module: Option<Prepared<'e>>,
    path: OnceCell<Option<Prepared<'e>>>,
    file: OnceCell<Option<Prepared<'e>>>,
    package: OnceCell<Option<Prepared<'e>>>,
}

impl<'e> FrameFacts<'e> {
    fn new(frame: &'e Frame<'e>, platform: &str) -> Self {
        Self {
            frame,
            family: Family::of(frame.platform.as_deref().unwrap_or(platform)),
            function: Mode::Exact.prepare(frame.function.as_deref().unwrap_or("<unknown>")),
            module: frame.module.as_deref().map(|it| Mode::Exact.prepare(it)),
            path: OnceCell::new(),
            file: OnceCell::new(),
            package: OnceCell::new(),
        }
    }

    pub fn path(&self) -> Option<&Prepared<'e>> {
        prepared(&self.path, self.frame.abs_path.as_deref(), Mode::Path)
    }

    /// The file, where it says something else than the path.
    pub fn file(&self) -> Option<&Prepared<'e>> {
        let other = self.frame.filename.as_ref();
        let other = other.filter(|file| self.frame.abs_path.as_ref() != Some(*file));
        prepared(&self.file, other.map(AsRef::as_ref), Mode::Path)
    }

    pub fn package(&self) -> Option<&Prepared<'e>> {
        prepared(&self.package, self.frame.package.as_deref(), Mode::Path)
    }
}

fn prepared<'c, 'e>(
    cell: &'c OnceCell<Option<Prepared<'e>>>,
    text: Option<&'e str>,
    mode: Mode,
) -> Option<&'c Prepared<'e>> {
    cell.get_or_init(|| text.map(|text| mode.prepare(text)))
        .as_ref()
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
