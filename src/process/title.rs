//! What a person reads first: title, culprit and location.
//! In: a normalised event. Out: a [`Headline`], derived as docs/event-format.md says.

use crate::model::event::{EventKind, ReportKind};
use crate::protocol::json::{Json, Object};

use super::chain::main_exception;
use super::event::{Event, Exception, Frame};
use super::report::Finding;

const TITLE_CHARS: usize = 100;
const CULPRIT_CHARS: usize = 200;
pub(super) const UNLABELED: &str = "<unlabeled event>";

#[derive(Debug)]
pub(super) struct Headline {
    pub kind: EventKind,
    /// The type of the exception, or the message.
    pub title_type: String,
    pub title_value: String,
    pub culprit: String,
    pub location: String,
    /// The parts from which clients build titles of their own.
    pub metadata: Object<'static>,
}

impl Headline {
    /// Takes the title that a rule gives.
    pub fn rename(&mut self, title: &str) {
        self.title_type = first_line(title);
        self.title_value = String::new();
        self.metadata.remove("title");
        self.metadata
            .push("title", Json::from(self.title_type.clone()));
    }

    pub fn title(&self) -> String {
        if self.title_value.is_empty() {
            self.title_type.clone()
        } else {
            format!("{}: {}", self.title_type, self.title_value)
        }
    }
}

pub(super) fn headline(event: &Event<'_>) -> Headline {
    if let Some(main) = main_exception(&event.exceptions) {
        return of_exception(event, main);
    }
    match reported(event) {
        Some((kind, finding)) => of_report(event, kind, &finding),
        None => of_message(event),
    }
}

/// What an event is about; the same that its headline says.
pub(super) fn kind(event: &Event<'_>) -> EventKind {
    if main_exception(&event.exceptions).is_some() {
        return EventKind::Error;
    }
    reported(event).map_or(EventKind::Default, |(kind, _)| EventKind::Report(kind))
}

fn reported(event: &Event<'_>) -> Option<(ReportKind, Finding)> {
    let report = event.report.as_ref()?;
    Some((report.kind, Finding::of(report)?))
}

fn of_exception(event: &Event<'_>, main: &Exception<'_>) -> Headline {
    let crash = crash_frame(event);
    let (title_type, title_value) = exception_title(event, main, crash);
    let location = crash.and_then(Frame::file).unwrap_or_default();
    let mut metadata = Object::default();
    for (key, text) in [
        ("type", main.kind.as_deref()),
        ("value", main.value.as_deref()),
        ("filename", Some(location).filter(|file| !file.is_empty())),
        (
            "function",
            crash.and_then(|frame| frame.function.as_deref()),
        ),
    ] {
        if let Some(text) = text {
            metadata.push(key, Json::from(first_chars(text, 1024)));
        }
    }
    Headline {
        kind: EventKind::Error,
        title_type,
        title_value,
        culprit: culprit(event),
        location: location.to_owned(),
        metadata,
    }
}

/// A synthetic exception was only made to carry a stack: the message, or on native platforms the function, says more.
fn exception_title(
    event: &Event<'_>,
    main: &Exception<'_>,
    crash: Option<&Frame<'_>>,
) -> (String, String) {
    if main.is_synthetic() || main.kind.is_none() {
        if let Some(logentry) = &event.logentry {
            return (first_line(&logentry.formatted), String::new());
        }
        let is_native = matches!(
            &*event.platform,
            "native" | "cocoa" | "objc" | "c" | "swift"
        );
        if let (true, true, Some(frame)) = (is_native, main.is_synthetic(), crash)
            && let Some(function) = frame.usable_function()
        {
            return (first_line(function), String::new());
        }
    }
    let value = main.value.as_deref().map(first_line).unwrap_or_default();
    match &main.kind {
        Some(kind) => (first_line(kind), value),
        None if value.is_empty() => (UNLABELED.to_owned(), value),
        None => (value, String::new()),
    }
}

fn of_report(event: &Event<'_>, kind: ReportKind, finding: &Finding) -> Headline {
    let message = match &event.logentry {
        Some(logentry) => first_line(&logentry.formatted),
        None => first_line(&finding.message),
    };
    let mut metadata = Object::default();
    match &finding.directive {
        Some(directive) => {
            metadata.push("directive", Json::from(directive.clone()));
            metadata.push("uri", Json::from(finding.host.clone()));
        }
        None => metadata.push("origin", Json::from(finding.host.clone())),
    }
    metadata.push("message", Json::from(message.clone()));
    Headline {
        kind: EventKind::Report(kind),
        title_type: message,
        title_value: String::new(),
        culprit: short(&one_line(&finding.culprit), CULPRIT_CHARS),
        location: short(&finding.host, CULPRIT_CHARS),
        metadata,
    }
}

fn of_message(event: &Event<'_>) -> Headline {
    let title = event
        .logentry
        .as_ref()
        .map(|logentry| first_line(&logentry.formatted))
        .filter(|line| !line.is_empty())
        .unwrap_or_else(|| UNLABELED.to_owned());
    let mut metadata = Object::default();
    metadata.push("title", Json::from(title.clone()));
    Headline {
        kind: EventKind::Default,
        title_type: title,
        title_value: String::new(),
        culprit: culprit(event),
        location: String::new(),
        metadata,
    }
}

/// Where it crashed: of the newest exception that has one, the newest in-app frame with a name, else the newest with a name.
pub(super) fn crash_frame<'e, 'a>(event: &'e Event<'a>) -> Option<&'e Frame<'a>> {
    event.exceptions.iter().rev().find_map(|exception| {
        let mut named = exception
            .frames()
            .iter()
            .rev()
            .filter(|frame| frame.usable_function().is_some());
        let newest = named.clone().next();
        named.find(|frame| frame.is_in_app()).or(newest)
    })
}

fn culprit(event: &Event<'_>) -> String {
    short(&one_line(&culprit_text(event)), CULPRIT_CHARS)
}

fn one_line(text: &str) -> String {
    text.trim().replace(['\r', '\n'], " ")
}

fn culprit_text(event: &Event<'_>) -> String {
    if let Some(given) = event.culprit.as_ref().or(event.transaction.as_ref()) {
        return given.to_string();
    }
    if event.exceptions.last().is_some_and(Exception::is_synthetic) {
        return String::new();
    }
    let bare = event
        .stacktrace
        .as_ref()
        .map(|stack| stack.frames.as_slice());
    let stack = event
        .exceptions
        .iter()
        .rev()
        .map(Exception::frames)
        .find(|frames| !frames.is_empty())
        .or(bare);
    let frame = stack.and_then(|frames| {
        let in_app = frames.iter().rev().find(|frame| frame.is_in_app());
        in_app.or(frames.last())
    });
    match frame {
        Some(frame) => frame_text(frame, &event.platform),
        None => event.request.url.as_deref().unwrap_or_default().to_owned(),
    }
}

/// How developers of the platform name a place in their code.
fn frame_text(frame: &Frame<'_>, platform: &str) -> String {
    let function = frame.function.as_deref().unwrap_or("?");
    let place = frame.module.as_deref().or(frame.filename.as_deref());
    match (frame.platform.as_deref().unwrap_or(platform), place) {
        ("native" | "cocoa" | "objc" | "c" | "swift", _) | (_, None) => function.to_owned(),
        ("javascript" | "node", Some(place)) => format!("{function}({place})"),
        (_, Some(place)) => format!("{place} in {function}"),
    }
}

/// The first line that is not blank, cut to what fits a title.
fn first_line(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or_default().trim();
    short(line, TITLE_CHARS)
}

fn short(text: &str, chars: usize) -> String {
    if text.len() <= chars || text.chars().count() <= chars {
        return text.to_owned();
    }
    format!("{}...", first_chars(text, chars - 3))
}

fn first_chars(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        Some((end, _)) => text[..end].to_owned(),
        None => text.to_owned(),
    }
}
