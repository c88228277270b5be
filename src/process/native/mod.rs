//! Addresses and obfuscated names become what was written. In: an event, and a look-up of the debug files that its project uploaded. Out: the
//! same event with functions, files and lines; a frame for each function that the compiler put into another.
//!
//! A frame that was looked up says so in its `data`: `symbols` is `found` or why not, and `inlined` marks those that were added. So a
//! stored event can be looked up again, with files that were uploaded later.

pub mod debug_file;
mod images;
mod jvm;
pub mod minidump;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::sync::Arc;

use symbolic_common::{Language, Name};
use symbolic_demangle::{Demangle, DemangleOptions};
use symbolic_symcache::SymCache;

use super::event::{Event, Frame, Stacktrace};
use super::group::in_app;
use super::normalize::{cut, limits};
use crate::protocol::json::{Json, Object};
use images::{Image, images};

/// What a look-up found.
#[derive(Debug, Clone)]
pub enum Found {
    /// Compiled symbols, or a compiled mapping.
    Symbols(Arc<Vec<u8>>),
    /// Nothing was uploaded for this image.
    Missing,
    /// There is one, and it is of no use.
    Broken(String),
}

/// The debug files of one project.
pub trait DebugFiles {
    /// Whether there are any. Where nobody has uploaded one, nothing is looked up, and nothing is missed.
    fn are_used(&self) -> bool;

    /// By an id as [`debug_file::canonical`] writes it.
    fn find(&self, debug_id: &str) -> Found;
}

/// Where no debug files are looked up.
#[derive(Debug, Clone, Copy)]
pub struct NoDebugFiles;

impl DebugFiles for NoDebugFiles {
    fn are_used(&self) -> bool {
        false
    }

    fn find(&self, _: &str) -> Found {
        Found::Missing
    }
}

const MISSING: &str = "debug_file_missing";
const BROKEN: &str = "debug_file_broken";
/// Frames that one address may become.
const MOST_INLINED: usize = 64;
/// What is added to the `data` of a frame.
const STATUS: &str = "symbols";
const INLINED: &str = "inlined";

/// Looks up all frames of the event that have an address, or an obfuscated class.
pub(super) fn apply(event: &mut Event<'_>, files: &dyn DebugFiles) {
    if !files.are_used() {
        return;
    }
    let mut notes = Vec::new();
    let mut changed = jvm::apply(event, files, &mut notes);
    let mut images = images(&event.debug_meta);
    if !images.is_empty() {
        for stack in in_app::stacks(event) {
            changed |= look_up_stack(stack, &mut images, files, &mut notes);
        }
    }
    if changed {
        in_app::decide_all(event);
    }
    replace_notes(&mut event.errors, notes);
}

/// What keeps frames of an image from being looked up.
struct Note {
    kind: &'static str,
    image: String,
    reason: String,
}

fn note(notes: &mut Vec<Note>, kind: &'static str, image: &str, reason: String) {
    if !notes
        .iter()
        .any(|note| note.kind == kind && note.image == image)
    {
        let image = image.to_owned();
        notes.push(Note {
            kind,
            image,
            reason,
        });
    }
}

/// Notes of this step go with it: those that a stored event has from the last time are replaced.
fn replace_notes(errors: &mut Vec<Json<'_>>, notes: Vec<Note>) {
    errors.retain(|error| {
        let kind = error.as_object().and_then(|error| error.get_str("type"));
        !matches!(kind, Some(MISSING | BROKEN))
    });
    for note in notes {
        if errors.len() >= limits::NOTES {
            return;
        }
        let mut error = Object::default();
        error.push("type", note.kind.into());
        error.push("name", note.image.into());
        error.push("value", note.reason.into());
        errors.push(Json::Object(error));
    }
}

fn look_up_stack(
    stack: &mut Stacktrace<'_>,
    images: &mut [Image],
    files: &dyn DebugFiles,
    notes: &mut Vec<Note>,
) -> bool {
    let is_inlined = |frame: &Frame<'_>| frame.data.get(INLINED) == Some(&Json::Bool(true));
    let frames = std::mem::take(&mut stack.frames);
    // Those that the last look-up added are added again.
    let frames: Vec<Frame<'_>> = frames
        .into_iter()
        .filter(|frame| !is_inlined(frame))
        .collect();
    let newest = frames.len().saturating_sub(1);
    let mut changed = false;
    for (at, frame) in frames.into_iter().enumerate() {
        match look_up(&frame, at == newest, images, files, notes) {
            None => stack.frames.push(frame),
            Some(Err(status)) => stack.frames.push(with_status(frame, status)),
            Some(Ok(places)) => {
                changed = true;
                push_places(&mut stack.frames, frame, places);
            }
        }
    }
    changed
}

/// Where an address comes from; of several, the outermost function first.
struct Place {
    function: String,
    raw_function: Option<String>,
    file: Option<String>,
    line: Option<i64>,
}

/// Nothing for a frame without an address in an image; else its places, or why there are none.
fn look_up(
    frame: &Frame<'_>,
    is_newest: bool,
    images: &mut [Image],
    files: &dyn DebugFiles,
    notes: &mut Vec<Note>,
) -> Option<Result<Vec<Place>, &'static str>> {
    let address = images::number(frame.instruction_addr.as_deref()?)?;
    let (image, offset) = images::find(images, address, frame.addr_mode.as_deref())?;
    // All but the newest frame hold the address to return to, which may be on another line than the call.
    let offset = if is_newest {
        offset
    } else {
        offset.checked_sub(1)?
    };
    let found = image.symbols(files);
    let symbols = match found {
        Found::Symbols(symbols) => symbols,
        Found::Missing => {
            note(
                notes,
                MISSING,
                &image.name,
                format!("debug id {}", image.debug_id),
            );
            return Some(Err("missing"));
        }
        Found::Broken(reason) => {
            note(notes, BROKEN, &image.name, reason);
            return Some(Err("broken"));
        }
    };
    let Ok(cache) = SymCache::parse(&symbols) else {
        note(
            notes,
            BROKEN,
            &image.name,
            "the compiled symbols are damaged; upload the file again".to_owned(),
        );
        return Some(Err("broken"));
    };
    let mut places: Vec<Place> = cache
        .lookup(offset)
        .take(MOST_INLINED)
        .map(|place| {
            let function = place.function();
            let name = function.name_for_demangling();
            let readable = readable(&name);
            Place {
                raw_function: (readable != function.name()).then(|| function.name().to_owned()),
                function: readable,
                file: place.file().map(|file| file.full_path()),
                line: Some(i64::from(place.line())).filter(|line| *line > 0),
            }
        })
        .collect();
    places.reverse();
    if places.is_empty() {
        return Some(Err("unknown"));
    }
    Some(Ok(places))
}

/// The name as people write it: without types of arguments and results.
fn readable(name: &Name<'_>) -> String {
    let options = DemangleOptions::name_only();
    match name.language() {
        Language::C => name.as_str().to_owned(),
        // Debug files of Microsoft's compilers have the names written out, with the types.
        Language::Cpp | Language::Unknown if name.as_str().contains('(') => {
            without_arguments(name.as_str()).to_owned()
        }
        _ => name.try_demangle(options).into_owned(),
    }
}

/// `shop::total(int const*, int) const` without the list at its end; `operator()` and `(anonymous namespace)` stay.
fn without_arguments(name: &str) -> &str {
    let bare = name.strip_suffix(" const").unwrap_or(name);
    if !bare.ends_with(')') {
        return name;
    }
    let mut depth = 0;
    let open = bare.char_indices().rev().find_map(|(at, sign)| {
        match sign {
            ')' => depth += 1,
            '(' => depth -= 1,
            _ => {}
        }
        (depth == 0).then_some(at)
    });
    match open.map(|at| &bare[..at]) {
        Some(rest) if !rest.is_empty() && !rest.ends_with("operator") && !rest.ends_with(':') => {
            rest
        }
        _ => name,
    }
}

fn with_status<'a>(mut frame: Frame<'a>, status: &'static str) -> Frame<'a> {
    frame.data.remove(STATUS);
    frame.data.push(STATUS, status.into());
    frame
}

/// Puts the places of one address into the stack, the outermost first: the frame itself, then what was put into it.
fn push_places<'a>(frames: &mut Vec<Frame<'a>>, frame: Frame<'a>, places: Vec<Place>) {
    let added = places.len().saturating_sub(1);
    let mut inner: Vec<Frame<'a>> = Vec::with_capacity(added);
    let mut places = places.into_iter();
    let Some(outermost) = places.next() else {
        frames.push(frame);
        return;
    };
    for place in places {
        let mut data = Object::default();
        data.push(STATUS, "found".into());
        data.push(INLINED, Json::Bool(true));
        let copy = Frame {
            package: frame.package.clone(),
            platform: frame.platform.clone(),
            instruction_addr: frame.instruction_addr.clone(),
            addr_mode: frame.addr_mode.clone(),
            image_addr: frame.image_addr.clone(),
            data,
            ..Frame::default()
        };
        inner.push(put(copy, place));
    }
    // What runs at the address is in the innermost function.
    let mut outer = with_status(put(frame, outermost), "found");
    if let Some(innermost) = inner.last_mut() {
        innermost.vars = std::mem::take(&mut outer.vars);
    }
    frames.push(outer);
    frames.append(&mut inner);
}

fn put(mut frame: Frame<'_>, place: Place) -> Frame<'_> {
    frame.function = Some(cut(Cow::Owned(place.function), limits::SYMBOL));
    frame.raw_function = place
        .raw_function
        .map(|name| cut(Cow::Owned(name), limits::SYMBOL));
    if let Some(path) = place.file {
        let name = path.rsplit(['/', '\\']).next().unwrap_or(&path).to_owned();
        frame.filename = Some(cut(Cow::Owned(name), limits::PATH));
        frame.abs_path = Some(cut(Cow::Owned(path), limits::PATH));
    }
    if place.line.is_some() {
        frame.lineno = place.line;
        frame.colno = None;
    }
    frame
}
