//! Writes the event as it is stored; docs/event-format.md lists what is in it.
//! In: the event and what was derived from it. Out: compact JSON.

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::protocol::event_id::EventId;
use crate::protocol::json::{Json, Object, Text};

use super::event::{
    Breadcrumb, Event, Exception, LogEntry, Report, Request, Stacktrace, Thread, User, Values,
};
use super::group::Explanation;
use super::time::Rfc3339;
use super::title::Headline;

#[derive(serde::Serialize)]
struct Payload<'p, 'a> {
    event_id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    level: &'static str,
    platform: &'p Text<'a>,
    timestamp: Rfc3339,
    received: Rfc3339,
    title: String,
    culprit: &'p str,
    location: &'p str,
    metadata: &'p Object<'static>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logger: &'p Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction: &'p Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_name: &'p Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    site: &'p Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    release: &'p Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dist: &'p Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: &'p Option<Text<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    fingerprint: &'p [Text<'a>],
    #[serde(skip_serializing_if = "Option::is_none")]
    checksum: &'p Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logentry: &'p Option<LogEntry<'a>>,
    #[serde(skip_serializing_if = "is_empty")]
    exception: Values<'p, Exception<'a>>,
    #[serde(skip_serializing_if = "is_empty")]
    threads: Values<'p, Thread<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stacktrace: &'p Option<Stacktrace<'a>>,
    #[serde(flatten)]
    report: ReportAttribute<'p, 'a>,
    #[serde(skip_serializing_if = "User::is_empty")]
    user: &'p User<'a>,
    #[serde(skip_serializing_if = "Request::is_empty")]
    request: &'p Request<'a>,
    #[serde(skip_serializing_if = "Object::is_empty")]
    contexts: &'p Object<'a>,
    #[serde(skip_serializing_if = "is_empty")]
    breadcrumbs: Values<'p, Breadcrumb<'a>>,
    tags: &'p [(Text<'a>, Text<'a>)],
    #[serde(skip_serializing_if = "Object::is_empty")]
    extra: &'p Object<'a>,
    #[serde(skip_serializing_if = "Object::is_empty")]
    modules: &'p Object<'a>,
    #[serde(skip_serializing_if = "Object::is_empty")]
    sdk: &'p Object<'a>,
    #[serde(skip_serializing_if = "Object::is_empty")]
    debug_meta: &'p Object<'a>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'p [Json<'a>],
    #[serde(rename = "_meta", skip_serializing_if = "Object::is_empty")]
    meta: &'p Object<'a>,
    grouping: &'p Explanation<'p>,
}

/// A report stands under the name of its kind.
struct ReportAttribute<'p, 'a>(Option<&'p Report<'a>>);

impl Serialize for ReportAttribute<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(Report { kind, fields }) = self.0 {
            map.serialize_entry(kind.as_str(), fields)?;
        }
        map.end()
    }
}

fn is_empty<T>(values: &Values<'_, T>) -> bool {
    values.0.is_empty()
}

/// Serialises one event. `capacity` is about how long it will get.
pub(super) fn write(
    event: &Event<'_>,
    event_id: EventId,
    received_ms: i64,
    headline: &Headline,
    grouping: &Explanation<'_>,
    capacity: usize,
) -> Vec<u8> {
    // Taken apart completely, so that a new attribute cannot be forgotten here.
    let Event {
        timestamp_us,
        platform,
        level,
        logger,
        transaction,
        culprit: _,
        server_name,
        site,
        release,
        dist,
        environment,
        logentry,
        exceptions,
        threads,
        stacktrace,
        report,
        user,
        request,
        contexts,
        breadcrumbs,
        tags,
        extra,
        modules,
        sdk,
        debug_meta,
        fingerprint,
        checksum,
        errors,
        meta,
    } = event;
    let payload = Payload {
        event_id: event_id.to_string(),
        kind: headline.kind.as_str(),
        level: level.as_str(),
        platform,
        timestamp: Rfc3339(*timestamp_us),
        received: Rfc3339(received_ms.saturating_mul(1000)),
        title: headline.title(),
        culprit: &headline.culprit,
        location: &headline.location,
        metadata: &headline.metadata,
        logger,
        transaction,
        server_name,
        site,
        release,
        dist,
        environment,
        fingerprint,
        checksum,
        logentry,
        exception: Values(exceptions),
        threads: Values(threads),
        stacktrace,
        report: ReportAttribute(report.as_ref()),
        user,
        request,
        contexts,
        breadcrumbs: Values(breadcrumbs),
        tags,
        extra,
        modules,
        sdk,
        debug_meta,
        errors,
        meta,
        grouping,
    };
    let mut out = Vec::with_capacity(capacity);
    serde_json::to_writer(&mut out, &payload).expect("plain values go into memory");
    out
}
