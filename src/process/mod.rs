//! Pure processing: the bytes of one event in, a normalised, scrubbed and grouped event out. No I/O, no clock.
//! The recipe stands in [`process`]; each step is a module of its own.

mod agent;
mod chain;
pub mod compare;
mod csp;
mod event;
pub mod explain;
pub mod feedback;
pub mod filter;
mod group;
mod meta;
pub mod native;
mod normalize;
mod payload;
mod report;
pub mod rules;
pub mod scrub;
pub mod scrub_preview;
pub mod session;
mod settings;
pub mod source_maps;
mod tags;
#[cfg(test)]
mod tests;
mod time;
mod title;

use std::borrow::Cow;
use std::net::IpAddr;

use crate::protocol::event_id::EventId;
use crate::protocol::json::{self, Json};

pub use crate::model::event::{EventKind, Level, ReportKind};
pub use group::VERSION as GROUPING;
pub use group::readable_symbol;
pub use settings::Settings;
use source_maps::{NoMaps, SourceMaps};

/// One event as it came in, with what only the request knew.
#[derive(Debug, Clone, Copy)]
pub struct Incoming<'a> {
    pub payload: &'a [u8],
    /// The id that was acknowledged; it wins over the one in the payload.
    pub event_id: EventId,
    pub received_ms: i64,
    /// The client's clock when it sent the envelope.
    pub sent_at_ms: Option<i64>,
    pub remote_addr: Option<IpAddr>,
    /// `name/version` from the authentication header.
    pub sdk_client: Option<&'a str>,
}

impl<'a> Incoming<'a> {
    /// An event as it is stored, to be looked at again: all that a request says of it stands in it already.
    pub(crate) const fn stored(payload: &'a [u8]) -> Self {
        Self {
            payload,
            event_id: EventId::from_bytes([0; 16]),
            received_ms: 0,
            sent_at_ms: None,
            remote_addr: None,
            sdk_client: None,
        }
    }
}

/// One event as the store takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessedEvent {
    pub event_id: EventId,
    /// When it happened, after correction of the client's clock.
    pub timestamp_ms: i64,
    pub received_ms: i64,
    pub kind: EventKind,
    pub level: Level,
    pub platform: String,
    /// The whole title, such as `KeyError: 'price'`.
    pub title: String,
    /// Its first part (`KeyError`), or the message.
    pub title_type: String,
    /// Its second part (`'price'`), or nothing.
    pub title_value: String,
    pub culprit: String,
    pub location: String,
    pub logger: Option<String>,
    pub release: Option<String>,
    pub dist: Option<String>,
    pub environment: Option<String>,
    /// Identity for counting distinct users, with its kind: `id:4711`, `email:jane@example.com`.
    pub user_key: Option<String>,
    pub handled: Option<bool>,
    /// The SDK's tags and the derived ones; see docs/event-format.md.
    pub tags: Vec<(String, String)>,
    /// Grouping hashes. The first names a new issue; any of them finds an old one.
    pub hashes: Vec<[u8; 16]>,
    /// The normalised event as compact JSON; see docs/event-format.md.
    pub payload: Vec<u8>,
    /// Scripts of its frames whose source maps are to be fetched.
    pub wanted_scripts: Vec<source_maps::WantedScript>,
}

/// Why a payload is not kept as an event. Trying again changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProcessError {
    #[error("the event is not valid JSON: {0}")]
    NotJson(String),
    #[error("the event is not a JSON object")]
    NotAnObject,
    /// A filter of its project left it out, for this reason.
    #[error("filtered: {reason}")]
    Filtered {
        reason: &'static str,
        kind: EventKind,
    },
}

/// The steps of [`process`], in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Read,
    Normalize,
    Filter,
    Scrub,
    Map,
    Trim,
    Agent,
    InApp,
    Tags,
    Title,
    Group,
    Write,
}

/// Reads, cleans, names and groups one event, as its project wants it, without source maps.
pub fn process(
    incoming: &Incoming<'_>,
    settings: &Settings,
) -> Result<ProcessedEvent, ProcessError> {
    process_in_stages(incoming, settings, &NoMaps, |_| ())
}

/// The same with the source maps of the project.
pub fn process_mapped(
    incoming: &Incoming<'_>,
    settings: &Settings,
    maps: &dyn SourceMaps,
) -> Result<ProcessedEvent, ProcessError> {
    process_in_stages(incoming, settings, maps, |_| ())
}

/// The same, telling of each stage when it is done, so that a benchmark can say what each costs.
pub fn process_in_stages(
    incoming: &Incoming<'_>,
    settings: &Settings,
    maps: &dyn SourceMaps,
    mut done: impl FnMut(Stage),
) -> Result<ProcessedEvent, ProcessError> {
    let document = match json::parse(incoming.payload) {
        Ok(Json::Object(document)) => document,
        Ok(_) => return Err(ProcessError::NotAnObject),
        Err(error) => return Err(ProcessError::NotJson(error.to_string())),
    };
    done(Stage::Read);
    let mut event = normalize::normalize(incoming, document);
    done(Stage::Normalize);
    if let Some(reason) = settings.filters.reason(&event, incoming.remote_addr) {
        let kind = title::kind(&event);
        return Err(ProcessError::Filtered { reason, kind });
    }
    done(Stage::Filter);
    scrub::scrub(&mut event, &settings.scrubbing);
    done(Stage::Scrub);
    let wanted_scripts = source_maps::apply(&mut event, maps);
    native::apply(&mut event, maps.debug_files());
    done(Stage::Map);
    normalize::trim(&mut event);
    done(Stage::Trim);
    agent::complete(&mut event);
    done(Stage::Agent);
    let judgements = settings.stacks.judge(&event);
    judgements.set_in_app(&mut event);
    done(Stage::InApp);
    let handled = handled(&event);
    tags::complete(&mut event, handled);
    done(Stage::Tags);
    let mut headline = title::headline(&event);
    done(Stage::Title);
    let grouping = group::group(&event, settings, &judgements);
    if let Some(title) = &grouping.title {
        headline.rename(title);
    }
    done(Stage::Group);
    let payload = payload::write(
        &event,
        incoming.event_id,
        incoming.received_ms,
        &headline,
        &grouping.explanation,
        incoming.payload.len() + 2048,
    );
    let hashes = grouping.hashes;
    let owned = |text: Option<Cow<'_, str>>| text.map(Cow::into_owned);
    let processed = ProcessedEvent {
        event_id: incoming.event_id,
        timestamp_ms: event.timestamp_us.div_euclid(1000),
        received_ms: incoming.received_ms,
        kind: headline.kind,
        level: event.level,
        title: headline.title(),
        title_type: headline.title_type,
        title_value: headline.title_value,
        culprit: headline.culprit,
        location: headline.location,
        user_key: event.user.key(),
        handled,
        platform: event.platform.into_owned(),
        logger: owned(event.logger),
        release: owned(event.release),
        dist: owned(event.dist),
        environment: owned(event.environment),
        tags: event
            .tags
            .into_iter()
            .map(|(key, value)| (key.into_owned(), value.into_owned()))
            .collect(),
        hashes,
        payload,
        wanted_scripts,
    };
    done(Stage::Write);
    Ok(processed)
}

/// The hashes that earlier versions of grouping gave to an event, from its payload as it is stored; none for what is no
/// payload. They find the issues of that time.
pub fn older_hashes(payload: &[u8]) -> Vec<[u8; 16]> {
    let Ok(Json::Object(document)) = json::parse(payload) else {
        return Vec::new();
    };
    let incoming = Incoming::stored(payload);
    // Normalised, scrubbed and trimmed it is already, and what that leaves it leaves when it is done again.
    group::older(&normalize::normalize(&incoming, document))
}

/// Unhandled if one of the exceptions was.
fn handled(event: &event::Event<'_>) -> Option<bool> {
    let marks = event
        .exceptions
        .iter()
        .filter_map(|exception| exception.mechanism.as_ref()?.handled);
    marks.reduce(|all, one| all && one)
}
