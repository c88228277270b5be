//! Brings an event into one shape: aliases, lenient forms, limits and rules, attribute by attribute.
//! In: the JSON of an SDK. Out: an [`Event`]; what was wrong is dropped and listed in its `errors`.

mod clock;
mod contexts;
mod exception;
mod frame;
pub(super) mod limits;
mod message;
mod names;
mod reader;
mod report;
mod request;
mod stacktrace;
mod tags;
mod trim;
mod user;

use std::borrow::Cow;

use crate::model::event::{Level, ReportKind};
use crate::protocol::json::{Json, Object, Text};

use super::Incoming;
use super::event::{Event, Request, User};
use super::group::in_app;
use super::time;

use reader::Reader;
pub(super) use reader::cut;
pub(super) use tags::tag_value;
pub(super) use trim::trim;

/// The names in the attributes of a session, by the rules of events.
pub(super) fn release_and_environment(
    mut attributes: Object<'_>,
) -> (Option<Text<'_>>, Option<Text<'_>>) {
    let reader = &mut Reader::default();
    let release = attributes.remove("release");
    let environment = attributes.remove("environment");
    (
        release.and_then(|value| names::release(reader, value)),
        environment.and_then(|value| names::environment(reader, value)),
    )
}

/// Reads all attributes. Later ones lean on `platform`, so it is taken out first.
pub(super) fn normalize<'a>(incoming: &Incoming<'a>, mut object: Object<'a>) -> Event<'a> {
    let reader = &mut Reader::default();
    let platform = names::platform(reader, object.remove("platform"));
    let mut event = empty_event(platform, incoming.received_ms);
    let mut logentry = None;
    let mut message = None;
    let mut user = None;
    for (key, value) in object.0 {
        match &*key {
            "logentry" | "sentry.interfaces.Message" => logentry = Some(value),
            "message" => message = Some(value),
            "user" | "sentry.interfaces.User" => user = Some(value),
            _ => read_attribute(reader, &mut event, &key, value),
        }
    }
    event.logentry = message::read(reader, logentry, message);
    event.user = user.map_or_else(User::default, |user| user::read(reader, user));
    adopt_stacktrace(&mut event);
    in_app::decide_all(&mut event);
    drop_source_of_the_middle(&mut event);
    adopt_environment_tag(reader, &mut event);
    complete_sdk(&mut event, incoming.sdk_client);
    user::complete_address(
        reader,
        &mut event.user,
        &event.request,
        &event.sdk,
        &event.platform,
        incoming.remote_addr,
    );
    clock::correct(
        reader,
        &mut event,
        incoming.received_ms,
        incoming.sent_at_ms,
    );
    std::mem::take(reader).append_notes(&mut event.errors);
    event
}

fn empty_event(platform: Text<'_>, received_ms: i64) -> Event<'_> {
    Event {
        timestamp_us: received_ms.saturating_mul(1000),
        platform,
        level: Level::Error,
        logger: None,
        transaction: None,
        culprit: None,
        server_name: None,
        site: None,
        release: None,
        dist: None,
        environment: None,
        logentry: None,
        exceptions: Vec::new(),
        threads: Vec::new(),
        stacktrace: None,
        report: None,
        user: User::default(),
        request: Request::default(),
        contexts: Object::default(),
        breadcrumbs: Vec::new(),
        tags: Vec::new(),
        extra: Object::default(),
        modules: Object::default(),
        sdk: Object::default(),
        debug_meta: Object::default(),
        fingerprint: Vec::new(),
        checksum: None,
        errors: Vec::new(),
        meta: Object::default(),
    }
}

/// Reads one attribute of the top level. Unknown ones are ignored.
fn read_attribute<'a>(reader: &mut Reader<'a>, event: &mut Event<'a>, key: &str, value: Json<'a>) {
    match key {
        "timestamp" => match time::parse(&value) {
            Some(timestamp_us) => event.timestamp_us = timestamp_us,
            None if value.is_null() => {}
            None => {
                reader.refuse::<()>("timestamp", value);
            }
        },
        "level" => event.level = contexts::level(reader, "level", value, Level::Error),
        "logger" => event.logger = names::logger(reader, value),
        "transaction" => event.transaction = names::line(reader, "transaction", value),
        "culprit" => event.culprit = names::line(reader, "culprit", value),
        "server_name" => event.server_name = names::line(reader, "server_name", value),
        "site" => event.site = names::line(reader, "site", value),
        "release" => event.release = names::release(reader, value),
        "dist" => event.dist = names::dist(reader, value),
        "environment" => event.environment = names::environment(reader, value),
        "exception" | "sentry.interfaces.Exception" => {
            event.exceptions = exception::read_all(reader, value);
        }
        "threads" => event.threads = exception::read_threads(reader, value),
        "stacktrace" | "sentry.interfaces.Stacktrace" => {
            event.stacktrace = if value.is_null() {
                None
            } else {
                stacktrace::read(reader, value)
            };
        }
        "csp" | "sentry.interfaces.Csp" => read_report(reader, event, ReportKind::Csp, value),
        "hpkp" => read_report(reader, event, ReportKind::Hpkp, value),
        "expectstaple" => read_report(reader, event, ReportKind::ExpectStaple, value),
        "expectct" => read_report(reader, event, ReportKind::ExpectCt, value),
        "request" | "sentry.interfaces.Http" => event.request = request::read(reader, value),
        "contexts" | "sentry.interfaces.Contexts" => {
            event.contexts = contexts::read(reader, value);
        }
        "breadcrumbs" | "sentry.interfaces.Breadcrumbs" => {
            event.breadcrumbs = contexts::read_breadcrumbs(reader, value);
        }
        "tags" => event.tags = tags::read(reader, value),
        "extra" => event.extra = reader.object("extra", value).unwrap_or_default(),
        "modules" => event.modules = modules(reader, value),
        "sdk" => event.sdk = sdk(reader, value),
        "debug_meta" => event.debug_meta = reader.object("debug_meta", value).unwrap_or_default(),
        "fingerprint" => event.fingerprint = names::fingerprint(reader, value),
        "checksum" => event.checksum = reader.short_text("checksum", value, limits::SHORT_NAME),
        "errors" => event.errors = known_errors(value),
        "_meta" => event.meta = reader.object("_meta", value).unwrap_or_default(),
        _ => {}
    }
}

/// An event is about one report: the first kind that it carries.
fn read_report<'a>(
    reader: &mut Reader<'a>,
    event: &mut Event<'a>,
    kind: ReportKind,
    value: Json<'a>,
) {
    let rank = |kind| ReportKind::ALL.iter().position(|one| *one == kind);
    let report = report::read(reader, kind, value);
    if let Some(report) = report.filter(|report| !report.fields.is_empty())
        && event
            .report
            .as_ref()
            .is_none_or(|known| rank(kind) < rank(known.kind))
    {
        event.report = Some(report);
    }
}

/// What the SDK, or an earlier processing, noted.
fn known_errors(value: Json<'_>) -> Vec<Json<'_>> {
    let Json::List(mut errors) = value else {
        return Vec::new();
    };
    errors.retain(|error| {
        error
            .as_object()
            .is_some_and(|error| error.get_str("type").is_some() && error.0.len() <= 4)
            && error.to_text().len() <= 1024
    });
    errors.truncate(limits::NOTES);
    errors
}

fn modules<'a>(reader: &mut Reader<'a>, value: Json<'a>) -> Object<'a> {
    let mut modules = reader.object("modules", value).unwrap_or_default();
    modules.0.retain(|(_, version)| version.as_str().is_some());
    modules
}

fn sdk<'a>(reader: &mut Reader<'a>, value: Json<'a>) -> Object<'a> {
    let mut sdk = reader.object("sdk", value).unwrap_or_default();
    sdk.0.retain_mut(|(key, value)| match &**key {
        "name" | "version" => {
            let text = reader.short_text("sdk", std::mem::take(value), limits::SYMBOL);
            *value = text.map_or(Json::Null, Json::Str);
            !value.is_null()
        }
        "packages" | "integrations" | "features" | "settings" => !value.is_null(),
        _ => false,
    });
    sdk
}

/// Long stacks keep the source of some frames only, for which it has to be known whose these are.
fn drop_source_of_the_middle(event: &mut Event<'_>) {
    let exceptions = event.exceptions.iter_mut().map(|it| &mut it.stacktrace);
    let threads = event.threads.iter_mut().map(|it| &mut it.stacktrace);
    let bare = std::iter::once(&mut event.stacktrace);
    for stack in exceptions.chain(threads).chain(bare).flatten() {
        stacktrace::drop_source_of_the_middle(&mut stack.frames);
    }
}

/// A top-level stack trace belongs to the only exception.
fn adopt_stacktrace(event: &mut Event<'_>) {
    if let [exception] = &mut event.exceptions[..]
        && let Some(stacktrace) = event.stacktrace.take()
    {
        exception.stacktrace.get_or_insert(stacktrace);
    }
}

fn adopt_environment_tag<'a>(reader: &mut Reader<'a>, event: &mut Event<'a>) {
    if let Some(at) = event.tags.iter().position(|(key, _)| key == "environment") {
        let (_, value) = event.tags.remove(at);
        if event.environment.is_none() {
            event.environment = names::environment(reader, Json::Str(value));
        }
    }
}

/// Without a name in the event the client's name from the request is all there is.
fn complete_sdk<'a>(event: &mut Event<'a>, sdk_client: Option<&'a str>) {
    let Some(client) = sdk_client.filter(|_| event.sdk.get("name").is_none()) else {
        return;
    };
    let (name, version) = client.split_once('/').unwrap_or((client, ""));
    let mut sdk = Object::default();
    for (key, text) in [("name", name), ("version", version)] {
        let text = text.trim().replace('\0', "");
        if !text.is_empty() {
            sdk.push(key, Json::Str(cut(Cow::Owned(text), limits::SYMBOL)));
        }
    }
    event.sdk.remove("version");
    sdk.0.append(&mut event.sdk.0);
    event.sdk = sdk;
}
