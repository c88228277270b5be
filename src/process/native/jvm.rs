//! Names that `ProGuard` or R8 made short become what they were. In: frames and exceptions of the JVM, and the mapping that the event names.
//! Out: the same with the classes, methods, files and lines of the source.

use std::borrow::Cow;

use proguard::{ProguardCache, StackFrame};

use super::debug_file::canonical;
use super::{BROKEN, DebugFiles, Found, MISSING, Note, STATUS, note};
use crate::process::event::{Event, Exception, Frame, Stacktrace};
use crate::process::group::in_app;
use crate::process::normalize::{cut, limits};
use crate::protocol::json::{Json, Object};

/// What a frame was before, in its `data`.
const BEFORE: &str = "obfuscated";
/// Frames that one may become.
const MOST: usize = 64;

pub(super) fn apply(event: &mut Event<'_>, files: &dyn DebugFiles, notes: &mut Vec<Note>) -> bool {
    let Some(Json::List(images)) = event.debug_meta.get("images") else {
        return false;
    };
    let id = images
        .iter()
        .filter_map(Json::as_object)
        .filter(|image| image.get_str("type") == Some("proguard"))
        .find_map(|image| {
            canonical(
                image
                    .get_str("uuid")
                    .or_else(|| image.get_str("debug_id"))?,
            )
        });
    let Some(id) = id else { return false };
    let symbols = match files.find(&id) {
        Found::Symbols(symbols) => symbols,
        Found::Missing => {
            note(notes, MISSING, "ProGuard mapping", format!("id {id}"));
            return false;
        }
        Found::Broken(reason) => {
            note(notes, BROKEN, "ProGuard mapping", reason);
            return false;
        }
    };
    let Ok(cache) = ProguardCache::parse(&symbols) else {
        let reason = "the compiled mapping is damaged; upload it again";
        note(notes, BROKEN, "ProGuard mapping", reason.to_owned());
        return false;
    };
    let mut changed = false;
    for exception in &mut event.exceptions {
        changed |= remap_exception(exception, &cache);
    }
    for stack in in_app::stacks(event) {
        changed |= remap_stack(stack, &cache);
    }
    changed
}

fn remap_exception(exception: &mut Exception<'_>, cache: &ProguardCache<'_>) -> bool {
    let Some(kind) = &exception.kind else {
        return false;
    };
    let class = match &exception.module {
        Some(module) => format!("{module}.{kind}"),
        None => kind.to_string(),
    };
    let Some(original) = cache.remap_class(&class) else {
        return false;
    };
    let (module, kind) = match original.rsplit_once('.') {
        Some((module, kind)) => (Some(module.to_owned()), kind.to_owned()),
        None => (None, original.to_owned()),
    };
    exception.kind = Some(Cow::Owned(kind));
    exception.module = module.map(Cow::Owned);
    true
}

fn remap_stack(stack: &mut Stacktrace<'_>, cache: &ProguardCache<'_>) -> bool {
    let mut changed = false;
    let frames = std::mem::take(&mut stack.frames);
    for frame in frames {
        // It was looked up already: names of the source are not looked up again.
        if frame.data.get(BEFORE).is_some() {
            stack.frames.push(frame);
            continue;
        }
        let places = places(&frame, cache);
        if places.is_empty() {
            stack.frames.push(frame);
        } else {
            changed = true;
            push(&mut stack.frames, &frame, places);
        }
    }
    changed
}

/// Where a frame comes from; of several, the outermost first.
struct Place {
    class: String,
    method: String,
    file: Option<String>,
    line: Option<i64>,
}

fn places(frame: &Frame<'_>, cache: &ProguardCache<'_>) -> Vec<Place> {
    let (Some(class), Some(method)) = (frame.module.as_deref(), frame.function.as_deref()) else {
        return Vec::new();
    };
    let line = frame.lineno.and_then(|line| usize::try_from(line).ok());
    let obfuscated = StackFrame::new(class, method, line.unwrap_or(0));
    let mut found: Vec<Place> = cache
        .remap_frame(&obfuscated)
        .take(MOST)
        .map(|place| Place {
            class: place.class().to_owned(),
            method: place.method().to_owned(),
            file: place.file().map(str::to_owned),
            line: place
                .line()
                .filter(|line| *line > 0)
                .and_then(|line| i64::try_from(line).ok()),
        })
        .collect();
    found.reverse();
    if found.is_empty()
        && let Some(class) = cache.remap_class(class)
    {
        found.push(Place {
            class: class.to_owned(),
            method: method.to_owned(),
            file: None,
            line: frame.lineno,
        });
    }
    found
}

fn push<'a>(frames: &mut Vec<Frame<'a>>, frame: &Frame<'a>, places: Vec<Place>) {
    let mut before = Object::default();
    for (name, value) in [("module", &frame.module), ("function", &frame.function)] {
        if let Some(value) = value {
            before.push(name, value.clone().into());
        }
    }
    if let Some(line) = frame.lineno {
        before.push("lineno", Json::I64(line));
    }
    for place in places {
        let mut data = Object::default();
        data.push(STATUS, "found".into());
        data.push(BEFORE, Json::Object(before.clone()));
        let file = place.file.or_else(|| file_of(&place.class));
        frames.push(Frame {
            function: Some(cut(Cow::Owned(place.method), limits::SYMBOL)),
            module: Some(cut(Cow::Owned(place.class), limits::SYMBOL)),
            filename: file.clone().map(|file| cut(Cow::Owned(file), limits::PATH)),
            abs_path: file.map(|file| cut(Cow::Owned(file), limits::PATH)),
            lineno: place.line,
            platform: frame.platform.clone(),
            in_app: frame.in_app,
            orig_in_app: frame.orig_in_app,
            data,
            ..Frame::default()
        });
    }
}

/// `com.example.Cart$Item` stands in `Cart.java`, or in a file of Kotlin of that name: which, the mapping says where it knows.
fn file_of(class: &str) -> Option<String> {
    let name = class.rsplit('.').next()?.split('$').next()?;
    match name.strip_suffix("Kt") {
        Some(name) if !name.is_empty() => Some(format!("{name}.kt")),
        _ => (!name.is_empty()).then(|| format!("{name}.java")),
    }
}
