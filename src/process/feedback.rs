//! What people wrote when something had gone wrong. In: a `feedback` item, which is an event, or an older `user_report`. Out: who says what
//! about which event, scrubbed as the events of the project are.

use std::borrow::Cow;

use super::event::Event;
use super::normalize::{self, cut, limits};
use super::{Incoming, ProcessError, Settings, scrub, title};
use crate::protocol::event_id::EventId;
use crate::protocol::json::{self, Json, Object, Text};

const MESSAGE: limits::Length = limits::Length {
    limit: 4096,
    tolerance: 0,
};

/// Where feedback came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Feedback,
    /// The older form, which always speaks of an event.
    UserReport,
}

impl Source {
    /// The stored form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Feedback => "feedback",
            Self::UserReport => "user_report",
        }
    }
}

/// One message of one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feedback {
    /// What it is known by; it comes again under the same.
    pub id: EventId,
    pub source: Source,
    /// The event that it is about.
    pub event_id: Option<EventId>,
    pub name: String,
    pub email: String,
    pub message: String,
    pub url: String,
    pub release: Option<String>,
    pub environment: Option<String>,
}

/// Why an item is no feedback. Trying again changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FeedbackError {
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error("the feedback has no message")]
    NoMessage,
}

/// Reads, filters and scrubs an item.
pub fn read(
    incoming: &Incoming<'_>,
    source: Source,
    settings: &Settings,
) -> Result<Feedback, FeedbackError> {
    let document = match json::parse(incoming.payload) {
        Ok(Json::Object(document)) => document,
        Ok(_) => return Err(ProcessError::NotAnObject.into()),
        Err(error) => return Err(ProcessError::NotJson(error.to_string()).into()),
    };
    let document = match source {
        Source::Feedback => document,
        Source::UserReport => as_feedback(document),
    };
    let mut event = normalize::normalize(incoming, document);
    if let Some(reason) = settings.filters.reason(&event, incoming.remote_addr) {
        let kind = title::kind(&event);
        return Err(ProcessError::Filtered { reason, kind }.into());
    }
    scrub::scrub(&mut event, &settings.scrubbing);
    let mut feedback = taken(&event);
    feedback.source = source;
    feedback.id = match (source, feedback.event_id) {
        // One report for an event: whoever writes again means to write it better.
        (Source::UserReport, Some(about)) => about,
        _ => incoming.event_id,
    };
    if feedback.message.is_empty() {
        return Err(FeedbackError::NoMessage);
    }
    Ok(feedback)
}

/// An old report in the form of today.
fn as_feedback(mut report: Object<'_>) -> Object<'_> {
    let mut feedback = Object::default();
    for (old, new) in [
        ("comments", "message"),
        ("name", "name"),
        ("email", "contact_email"),
        ("event_id", "associated_event_id"),
    ] {
        if let Some(value) = report.remove(old) {
            feedback.push(new, value);
        }
    }
    let mut contexts = Object::default();
    contexts.push("feedback", Json::Object(feedback));
    let mut event = Object::default();
    event.push("contexts", Json::Object(contexts));
    event
}

fn taken(event: &Event<'_>) -> Feedback {
    let nothing = Object::default();
    let context = event.contexts.get("feedback").and_then(Json::as_object);
    let context = context.unwrap_or(&nothing);
    let field = |name: &str, length| text(context.get_str(name), length);
    let named = |name: &Option<Text<'_>>| name.as_deref().map(str::to_owned);
    let about = context.get_str("associated_event_id");
    let url = match context.get_str("url") {
        Some(url) => Some(url),
        None => event.request.url.as_deref(),
    };
    Feedback {
        id: EventId::from_bytes([0; 16]),
        source: Source::Feedback,
        event_id: about
            .and_then(|id| id.parse().ok())
            .filter(|id: &EventId| !id.is_nil()),
        name: field("name", limits::NAME),
        email: field("contact_email", limits::NAME),
        message: field("message", MESSAGE),
        url: text(url, limits::REPORT_TEXT),
        release: named(&event.release),
        environment: named(&event.environment),
    }
}

fn text(value: Option<&str>, length: limits::Length) -> String {
    cut(Cow::Borrowed(value.unwrap_or_default().trim()), length).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(payload: &str, source: Source) -> Result<Feedback, FeedbackError> {
        let incoming = Incoming {
            event_id: EventId::from_bytes([7; 16]),
            received_ms: 1_795_224_600_000,
            ..Incoming::stored(payload.as_bytes())
        };
        read(&incoming, source, &Settings::default())
    }

    #[test]
    fn feedback_of_a_browser() {
        let found = of(
            r#"{"contexts":{"feedback":{"contact_email":"jane@example.com","name":"Jane Doe","message":" The pay button does nothing ",
               "associated_event_id":"91b0e9434f784dce80efbd51b885cfe0"}},"type":"feedback","platform":"javascript",
               "request":{"url":"http://shop.example.com/checkout"},"environment":"production","release":"web-shop@5.0.0"}"#,
            Source::Feedback,
        )
        .expect("feedback");
        assert_eq!(found.message, "The pay button does nothing");
        assert_eq!(
            (found.name.as_str(), found.email.as_str()),
            ("Jane Doe", "jane@example.com")
        );
        assert_eq!(found.url, "http://shop.example.com/checkout");
        assert_eq!(found.id, EventId::from_bytes([7; 16]));
        assert_eq!(
            found.event_id.expect("an event").to_string(),
            "91b0e9434f784dce80efbd51b885cfe0"
        );
        assert_eq!(found.release.as_deref(), Some("web-shop@5.0.0"));
    }

    #[test]
    fn an_old_report_is_known_by_its_event() {
        let found = of(
            r#"{"event_id":"45535c45df37da17610016f3c8b393cb","email":"jane@example.com","name":"Jane Doe","comments":"Nothing happened.\nTwice."}"#,
            Source::UserReport,
        )
        .expect("a report");
        assert_eq!(found.message, "Nothing happened.\nTwice.");
        assert_eq!(Some(found.id), found.event_id);
    }

    #[test]
    fn secrets_in_a_message_are_scrubbed_and_nothing_is_no_message() {
        let found = of(
            r#"{"contexts":{"feedback":{"message":"my card 4111 1111 1111 1111 fails"}}}"#,
            Source::Feedback,
        )
        .expect("feedback");
        assert!(!found.message.contains("4111 1111"), "{}", found.message);
        for nothing in [
            "{}",
            r#"{"contexts":{"feedback":{"message":"  "}}}"#,
            r#"{"contexts":[]}"#,
        ] {
            assert!(of(nothing, Source::Feedback).is_err(), "{nothing}");
        }
        assert_eq!(
            of("[]", Source::UserReport),
            Err(ProcessError::NotAnObject.into())
        );
    }
}
