//! One frame of a stack.
//! In: its JSON. Out: a [`Frame`] with paths, bounded texts and the SDK's in-app mark; what is wrong with it is left out.

use std::borrow::Cow;

use crate::process::event::{Frame, SdkFlag};
use crate::protocol::json::{Json, Object, Text};

use super::limits;
use super::reader::{Reader, any_text, cut};

/// Reads one frame, with the in-app mark of the SDK; one that tells nothing is none.
pub(super) fn read<'a>(reader: &mut Reader<'a>, value: Json<'a>) -> Option<Frame<'a>> {
    let object = reader.object("frame", value)?;
    let mut frame = Frame::default();
    let mut empty = true;
    for (key, value) in object.0 {
        if value.is_null() {
            continue;
        }
        empty &= !read_attribute(reader, &mut frame, &key, value);
    }
    if empty {
        return None;
    }
    complete_paths(&mut frame);
    Some(frame)
}

/// Reads one attribute; says whether it told something about where the frame is.
fn read_attribute<'a>(
    reader: &mut Reader<'a>,
    frame: &mut Frame<'a>,
    key: &str,
    value: Json<'a>,
) -> bool {
    use limits::{PATH, SHORT_NAME, SYMBOL};
    match key {
        "function" => {
            frame.function = reader.short_text("frame.function", value, SYMBOL);
            frame.function.is_some()
        }
        "raw_function" => {
            frame.raw_function = reader.short_text("frame.raw_function", value, SYMBOL);
            frame.raw_function.is_some()
        }
        "module" => {
            frame.module = reader.short_text("frame.module", value, SYMBOL);
            frame.module.is_some()
        }
        "filename" => {
            frame.filename = reader.short_text("frame.filename", value, PATH);
            frame.filename.is_some()
        }
        "abs_path" => {
            frame.abs_path = reader.short_text("frame.abs_path", value, PATH);
            frame.abs_path.is_some()
        }
        "package" => {
            frame.package = reader.short_text("frame.package", value, PATH);
            frame.package.is_some()
        }
        "platform" => {
            frame.platform = reader.short_text("frame.platform", value, SHORT_NAME);
            false
        }
        "lineno" => {
            frame.lineno = reader.natural("frame.lineno", value);
            frame.lineno.is_some()
        }
        "colno" => {
            frame.colno = reader.natural("frame.colno", value);
            false
        }
        "context_line" => {
            frame.context_line = any_text(value).map(source_line);
            frame.context_line.is_some()
        }
        "pre_context" => {
            let mut lines = source_lines(reader, "frame.pre_context", value);
            lines.drain(..lines.len().saturating_sub(limits::SOURCE_LINES));
            frame.pre_context = lines;
            false
        }
        "post_context" => {
            frame.post_context = source_lines(reader, "frame.post_context", value);
            frame.post_context.truncate(limits::SOURCE_LINES);
            false
        }
        "vars" => {
            frame.vars = variables(reader, value);
            false
        }
        "in_app" => {
            frame.in_app = reader.boolean("frame.in_app", value);
            false
        }
        "orig_in_app" => {
            frame.orig_in_app = match value {
                Json::I64(number) => SdkFlag::from_number(number),
                _ => None,
            };
            false
        }
        "data" => {
            frame.data = reader.object("frame.data", value).unwrap_or_default();
            false
        }
        "instruction_addr" => {
            frame.instruction_addr = address(reader, "frame.instruction_addr", value);
            frame.instruction_addr.is_some()
        }
        "symbol_addr" => {
            frame.symbol_addr = address(reader, "frame.symbol_addr", value);
            frame.symbol_addr.is_some()
        }
        "image_addr" => {
            frame.image_addr = address(reader, "frame.image_addr", value);
            false
        }
        "addr_mode" => {
            frame.addr_mode = reader.short_text("frame.addr_mode", value, SHORT_NAME);
            false
        }
        "stack_start" => {
            frame.stack_start = reader.boolean("frame.stack_start", value);
            false
        }
        "lock" => {
            frame.lock = reader.object("frame.lock", value).unwrap_or_default();
            false
        }
        _ => false,
    }
}

fn source_line(line: Text<'_>) -> Text<'_> {
    let line = match line {
        Cow::Borrowed(line) => Cow::Borrowed(line.trim_end_matches(['\r', '\n'])),
        Cow::Owned(mut line) => {
            line.truncate(line.trim_end_matches(['\r', '\n']).len());
            Cow::Owned(line)
        }
    };
    cut(line, limits::SOURCE_LINE)
}

fn source_lines<'a>(reader: &mut Reader<'a>, name: &'static str, value: Json<'a>) -> Vec<Text<'a>> {
    match value {
        Json::List(lines) => lines
            .into_iter()
            .map(|line| any_text(line).map(source_line).unwrap_or_default())
            .collect(),
        other => reader.refuse(name, other).unwrap_or_default(),
    }
}

/// Variables by name; a list gets its indexes as names.
fn variables<'a>(reader: &mut Reader<'a>, value: Json<'a>) -> Object<'a> {
    match value {
        Json::Object(vars) => vars,
        Json::List(items) => Object(
            items
                .into_iter()
                .enumerate()
                .map(|(at, item)| (Cow::Owned(at.to_string()), item))
                .collect(),
        ),
        other => reader.refuse("frame.vars", other).unwrap_or_default(),
    }
}

/// An address as `0x…`, from that or from a number.
fn address<'a>(reader: &mut Reader<'a>, name: &'static str, value: Json<'a>) -> Option<Text<'a>> {
    let number = match &value {
        Json::I64(number) => u64::try_from(*number).ok(),
        Json::U64(number) => Some(*number),
        Json::Str(text) => match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            Some(digits) if u64::from_str_radix(digits, 16).is_ok() && !digits.starts_with('+') => {
                return reader.text(name, value);
            }
            Some(_) => None,
            None => text.parse().ok(),
        },
        _ => None,
    };
    match number {
        Some(number) => Some(Cow::Owned(format!("{number:#x}"))),
        None => reader.refuse(name, value),
    }
}

/// A missing absolute path is the file name; the file name of a URL is its path.
fn complete_paths(frame: &mut Frame<'_>) {
    if frame.abs_path.is_none() {
        frame.abs_path.clone_from(&frame.filename);
    }
    let Some(abs_path) = &frame.abs_path else {
        return;
    };
    if frame
        .filename
        .as_ref()
        .is_some_and(|filename| filename != abs_path)
    {
        return;
    }
    frame.filename = match url_path(abs_path) {
        Some(_) => match abs_path {
            Cow::Borrowed(url) => url_path(url).map(Cow::Borrowed),
            Cow::Owned(url) => url_path(url).map(|path| Cow::Owned(path.to_owned())),
        },
        None => frame.filename.take(),
    };
}

/// The path of a web address, without query and fragment.
fn url_path(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    if !matches!(
        scheme,
        "http" | "https" | "applewebdata" | "app" | "blob:http" | "blob:https"
    ) {
        return None;
    }
    let path = &rest[rest.find('/')?..];
    Some(&path[..path.find(['?', '#']).unwrap_or(path.len())])
}
