//! Exceptions, oldest cause first, and threads.
//! In: `{"values": […]}`, a list or one object. Out: a bounded list, each entry with a type or a value.

use crate::process::event::{Exception, Mechanism, Thread};
use crate::protocol::json::Json;

use super::limits;
use super::reader::{Reader, any_text};
use super::stacktrace;

/// Of a long chain the first cause and the newest exceptions stay; the last one is the main exception.
pub(super) fn read_all<'a>(reader: &mut Reader<'a>, value: Json<'a>) -> Vec<Exception<'a>> {
    let mut values = reader.values("exception", value);
    if values.len() > limits::EXCEPTIONS {
        let surplus = values.len() - limits::EXCEPTIONS;
        values.drain(1..=surplus);
        reader.note("too_many_values", "exception");
    }
    values
        .into_iter()
        .filter_map(|value| read(reader, value))
        .collect()
}

fn read<'a>(reader: &mut Reader<'a>, value: Json<'a>) -> Option<Exception<'a>> {
    let object = reader.object("exception", value)?;
    let mut exception = Exception::default();
    for (key, value) in object.0 {
        match &*key {
            "type" => exception.kind = reader.short_text("exception.type", value, limits::SYMBOL),
            "value" => exception.value = any_text(value),
            "module" => {
                exception.module = reader.short_text("exception.module", value, limits::SYMBOL);
            }
            "thread_id" => exception.thread_id = thread_id(reader, "exception.thread_id", value),
            "mechanism" => exception.mechanism = read_mechanism(reader, value),
            "stacktrace" | "sentry.interfaces.Stacktrace" => {
                exception.stacktrace = stacktrace::read(reader, value);
            }
            _ => {}
        }
    }
    if exception.kind.is_none() && exception.value.is_none() {
        reader.note("missing_attribute", "exception.type");
        return None;
    }
    Some(exception)
}

fn read_mechanism<'a>(reader: &mut Reader<'a>, value: Json<'a>) -> Option<Mechanism<'a>> {
    // Old clients wrote only the type.
    if matches!(value, Json::Str(_)) {
        let kind = reader.short_text("mechanism.type", value, limits::SHORT_NAME)?;
        return Some(Mechanism {
            kind: Some(kind),
            ..Mechanism::default()
        });
    }
    let object = reader.object("mechanism", value)?;
    let mut mechanism = Mechanism::default();
    for (key, value) in object.0 {
        match &*key {
            "type" => {
                mechanism.kind = reader.short_text("mechanism.type", value, limits::SHORT_NAME);
            }
            "handled" => mechanism.handled = reader.boolean("mechanism.handled", value),
            "synthetic" => mechanism.synthetic = reader.boolean("mechanism.synthetic", value),
            "description" => {
                mechanism.description = reader.text("mechanism.description", value);
            }
            "help_link" => {
                mechanism.help_link = reader.short_text("mechanism.help_link", value, limits::PATH);
            }
            "source" => {
                mechanism.source = reader.short_text("mechanism.source", value, limits::SYMBOL);
            }
            "exception_id" => {
                mechanism.exception_id = reader.natural("mechanism.exception_id", value);
            }
            "parent_id" => mechanism.parent_id = reader.natural("mechanism.parent_id", value),
            "is_exception_group" => {
                mechanism.is_exception_group =
                    reader.boolean("mechanism.is_exception_group", value);
            }
            "data" => mechanism.data = reader.object("mechanism.data", value).unwrap_or_default(),
            "meta" => mechanism.meta = reader.object("mechanism.meta", value).unwrap_or_default(),
            _ => {}
        }
    }
    Some(mechanism)
}

pub(super) fn read_threads<'a>(reader: &mut Reader<'a>, value: Json<'a>) -> Vec<Thread<'a>> {
    let mut values = reader.values("threads", value);
    if values.len() > limits::THREADS {
        values.truncate(limits::THREADS);
        reader.note("too_many_values", "threads");
    }
    values
        .into_iter()
        .filter_map(|value| read_thread(reader, value))
        .collect()
}

fn read_thread<'a>(reader: &mut Reader<'a>, value: Json<'a>) -> Option<Thread<'a>> {
    let object = reader.object("thread", value)?;
    let mut thread = Thread::default();
    for (key, value) in object.0 {
        match &*key {
            "id" => thread.id = thread_id(reader, "thread.id", value),
            "name" => thread.name = reader.short_text("thread.name", value, limits::NAME),
            "crashed" => thread.crashed = reader.boolean("thread.crashed", value),
            "current" => thread.current = reader.boolean("thread.current", value),
            "main" => thread.main = reader.boolean("thread.main", value),
            "state" => thread.state = reader.short_text("thread.state", value, limits::SHORT_NAME),
            "stacktrace" => thread.stacktrace = stacktrace::read(reader, value),
            _ => {}
        }
    }
    Some(thread)
}

/// A number or a text.
fn thread_id<'a>(reader: &mut Reader<'a>, name: &'static str, value: Json<'a>) -> Json<'a> {
    match value {
        Json::I64(_) | Json::U64(_) => value,
        Json::Str(text) => Json::Str(reader.cut(name, text, limits::SHORT_NAME)),
        Json::Null => Json::Null,
        other => reader.refuse(name, other).unwrap_or_default(),
    }
}
