//! Minified frames become those that were written. In: an event, and a look-up of the maps that its project uploaded.
//! Out: the same event with names, places and source lines of the originals.
//!
//! A frame that was mapped says so in its `data`: `sourcemap` names the script's map, and `minified` is where the frame was
//! before. So a stored event can be mapped again, with a map that was uploaded later or corrected.

mod compiled;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use crate::protocol::debug_id;
use crate::protocol::json::{Json, Object, Text};

use super::event::{Event, Frame, Stacktrace};
use super::group::in_app;
use super::native::{DebugFiles, NoDebugFiles};
use super::normalize::{cut, limits};

pub use compiled::{CompiledMap, MapError};
use compiled::{Original, Scope};

/// A script as an event tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Script<'s> {
    /// 32 lower-case hex digits.
    pub debug_id: Option<&'s str>,
    /// The address it was loaded from: `https://shop.example.com/js/app.min.js`, `app:///index.js`.
    pub url: &'s str,
    pub release: Option<&'s str>,
    pub dist: Option<&'s str>,
}

/// A script whose map is to be fetched from where browsers load it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WantedScript {
    pub url: String,
    pub release: Option<String>,
    pub dist: Option<String>,
}

/// What a look-up found.
#[derive(Debug, Clone)]
pub enum Finding {
    Map(CompiledMap),
    /// Nothing was uploaded for this script.
    Missing,
    /// Nothing was uploaded, and what is public is not here yet.
    Wanted,
    /// Nothing was uploaded, and what is public cannot be had for the time being.
    NotFetched(String),
    /// There is one, and it is of no use.
    Broken(String),
}

/// The maps of one project.
pub trait SourceMaps {
    /// Whether there are any. Where nobody has uploaded one, nothing is looked up, and nothing is missed.
    fn are_used(&self) -> bool;

    fn find(&self, script: &Script<'_>) -> Finding;

    /// What the project has for native and obfuscated stacks.
    fn debug_files(&self) -> &dyn DebugFiles {
        &NoDebugFiles
    }
}

/// Where no maps are looked up.
#[derive(Debug, Clone, Copy)]
pub struct NoMaps;

impl SourceMaps for NoMaps {
    fn are_used(&self) -> bool {
        false
    }

    fn find(&self, _: &Script<'_>) -> Finding {
        Finding::Missing
    }
}

/// More scripts in one event are not looked up.
const MOST_SCRIPTS: usize = 50;

/// Of one event no more are fetched.
const MOST_WANTED: usize = 10;

/// Maps all frames of the event that stand in a script with a map. Returns the scripts whose maps are to be fetched.
pub(super) fn apply(event: &mut Event<'_>, maps: &dyn SourceMaps) -> Vec<WantedScript> {
    let is_script = is_script_platform(&event.platform);
    if !maps.are_used() || (!is_script && !has_script_frames(event)) {
        return Vec::new();
    }
    let mut scripts = Scripts {
        debug_ids: debug_ids(&event.debug_meta),
        release: event.release.clone(),
        dist: event.dist.clone(),
        maps,
        known: Vec::new(),
        mapped: Vec::new(),
        wanted: Vec::new(),
        notes: Vec::new(),
    };
    let mut changed = false;
    for stack in in_app::stacks(event) {
        changed |= map_stack(stack, is_script, &mut scripts);
    }
    let Scripts {
        mut notes,
        mapped,
        wanted,
        ..
    } = scripts;
    // Of a script whose other frames are known, what is not known is what the bundler added.
    notes.retain(|note| note.kind != NO_POSITION || !mapped.contains(&note.script));
    if changed {
        in_app::decide_all(event);
    }
    replace_notes(&mut event.errors, notes);
    wanted
}

fn is_script_platform(platform: &str) -> bool {
    matches!(platform, "javascript" | "node")
}

fn has_script_frames(event: &mut Event<'_>) -> bool {
    in_app::stacks(event)
        .flat_map(|stack| &stack.frames)
        .any(|frame| frame.platform.as_deref().is_some_and(is_script_platform))
}

/// The debug id of each script, by its address.
fn debug_ids<'a>(debug_meta: &Object<'a>) -> Vec<(Text<'a>, String)> {
    let Some(Json::List(images)) = debug_meta.get("images") else {
        return Vec::new();
    };
    images
        .iter()
        .filter_map(Json::as_object)
        .filter(|image| image.get_str("type") == Some("sourcemap"))
        .filter_map(|image| {
            let Some(Json::Str(file)) = image.get("code_file") else {
                return None;
            };
            Some((
                file.clone(),
                debug_id::canonical(image.get_str("debug_id")?)?,
            ))
        })
        .collect()
}

/// The scripts of one event: each is looked up once.
struct Scripts<'m, 'a> {
    debug_ids: Vec<(Text<'a>, String)>,
    release: Option<Text<'a>>,
    dist: Option<Text<'a>>,
    maps: &'m dyn SourceMaps,
    known: Vec<(String, Option<CompiledMap>)>,
    /// Scripts some of whose frames were mapped.
    mapped: Vec<String>,
    wanted: Vec<WantedScript>,
    notes: Vec<Note>,
}

/// What keeps frames of a script from being mapped.
struct Note {
    kind: &'static str,
    script: String,
    reason: Option<String>,
}

const MISSING: &str = "source_map_missing";
const BROKEN: &str = "source_map_broken";
const WANTED: &str = "source_map_wanted";
const NOT_FETCHED: &str = "source_map_not_fetched";
const NO_POSITION: &str = "source_map_without_position";
const NO_SOURCE: &str = "source_map_without_source";

impl Scripts<'_, '_> {
    fn map(&mut self, url: &str) -> Option<CompiledMap> {
        if let Some((_, map)) = self.known.iter().find(|(known, _)| known == url) {
            return map.clone();
        }
        if self.known.len() >= MOST_SCRIPTS {
            return None;
        }
        let debug_id = self.debug_ids.iter().find(|(file, _)| file == url);
        let script = Script {
            debug_id: debug_id.map(|(_, id)| id.as_str()),
            url,
            release: self.release.as_deref(),
            dist: self.dist.as_deref(),
        };
        let map = match self.maps.find(&script) {
            Finding::Map(map) => Some(map),
            Finding::Wanted => {
                if self.wanted.len() < MOST_WANTED {
                    self.wanted.push(WantedScript {
                        url: url.to_owned(),
                        release: self.release.as_deref().map(str::to_owned),
                        dist: self.dist.as_deref().map(str::to_owned),
                    });
                }
                self.note(WANTED, url, None);
                None
            }
            Finding::NotFetched(reason) => {
                self.note(NOT_FETCHED, url, Some(reason));
                None
            }
            Finding::Missing => {
                let reason = match (script.debug_id, script.release) {
                    (Some(id), _) => format!("debug id {id}"),
                    (None, Some(release)) => format!("release {release}"),
                    (None, None) => "the event has neither a debug id nor a release".to_owned(),
                };
                self.note(MISSING, url, Some(reason));
                None
            }
            Finding::Broken(reason) => {
                self.note(BROKEN, url, Some(reason));
                None
            }
        };
        self.known.push((url.to_owned(), map.clone()));
        map
    }

    /// One note of a kind for each script.
    fn note(&mut self, kind: &'static str, script: &str, reason: Option<String>) {
        let is_known = |note: &Note| note.kind == kind && note.script == script;
        if !self.notes.iter().any(is_known) {
            self.notes.push(Note {
                kind,
                script: script.to_owned(),
                reason,
            });
        }
    }
}

/// Notes of this step go with it: those that a stored event has from the last time are replaced.
fn replace_notes(errors: &mut Vec<Json<'_>>, notes: Vec<Note>) {
    errors.retain(|error| {
        !error.as_object().is_some_and(|error| {
            matches!(
                error.get_str("type"),
                Some(MISSING | BROKEN | WANTED | NOT_FETCHED | NO_POSITION | NO_SOURCE)
            )
        })
    });
    for note in notes {
        if errors.len() >= limits::NOTES {
            return;
        }
        let mut error = Object::default();
        error.push("type", note.kind.into());
        error.push("name", note.script.into());
        if let Some(reason) = note.reason {
            error.push("value", reason.into());
        }
        errors.push(Json::Object(error));
    }
}

/// Maps the frames of a stack, callers first; says whether any was.
fn map_stack(stack: &mut Stacktrace<'_>, is_script: bool, scripts: &mut Scripts<'_, '_>) -> bool {
    let mut changed = false;
    // What the caller's map calls the function that is called there.
    let mut called: Option<String> = None;
    for frame in &mut stack.frames {
        let is_script = frame
            .platform
            .as_deref()
            .map_or(is_script, is_script_platform);
        let original = is_script.then(|| original(frame, scripts)).flatten();
        called = match original {
            Some((minified, original)) => {
                changed = true;
                let token = original.token.clone();
                rewrite(frame, minified, original, called.take());
                token
            }
            None => None,
        };
    }
    changed
}

/// Where a frame was before it was mapped.
struct Minified {
    url: String,
    function: Option<String>,
    line: u32,
    column: u32,
}

fn minified(frame: &Frame<'_>) -> Option<Minified> {
    let position = |number: i64| u32::try_from(number).ok().filter(|number| *number > 0);
    if let Some(before) = frame.data.get("minified").and_then(Json::as_object) {
        let number = |name: &str| match before.get(name) {
            Some(Json::I64(number)) => position(*number),
            Some(Json::U64(number)) => u32::try_from(*number).ok(),
            _ => None,
        };
        return Some(Minified {
            url: before.get_str("abs_path")?.to_owned(),
            function: before.get_str("function").map(str::to_owned),
            line: number("lineno")?,
            column: number("colno")?,
        });
    }
    let url = frame.abs_path.as_deref()?;
    if !is_address(url) {
        return None;
    }
    Some(Minified {
        url: url.to_owned(),
        function: frame.function.as_deref().map(str::to_owned),
        line: position(frame.lineno?)?,
        column: position(frame.colno?)?,
    })
}

/// What can be a script with a map: no code of the engine, of Node.js itself or of `eval`.
fn is_address(url: &str) -> bool {
    !url.starts_with(['<', '['])
        && !url.starts_with("node:")
        && !url.starts_with("native")
        && !url.contains("(eval at")
        && url.contains(['/', '\\', '.'])
}

fn original(frame: &Frame<'_>, scripts: &mut Scripts<'_, '_>) -> Option<(Minified, Original)> {
    let minified = minified(frame)?;
    let map = scripts.map(&minified.url)?;
    let found = map.original(minified.line, minified.column, limits::SOURCE_LINES);
    let Some(original) = found.filter(|original| original.source.is_some()) else {
        let place = format!("line {}, column {}", minified.line, minified.column);
        scripts.note(NO_POSITION, &minified.url, Some(place));
        return None;
    };
    if !scripts.mapped.contains(&minified.url) {
        scripts.mapped.push(minified.url.clone());
    }
    if original.context.is_none() {
        scripts.note(NO_SOURCE, &minified.url, original.source.clone());
    }
    Some((minified, original))
}

/// Puts the original into a frame. `called` is what its caller calls it.
fn rewrite(frame: &mut Frame<'_>, minified: Minified, original: Original, called: Option<String>) {
    let source = original.source.unwrap_or_default();
    let function = match original.scope {
        Scope::Named(name) => Some(name),
        Scope::Anonymous | Scope::Unknown => called,
    };
    let mut data = std::mem::take(&mut frame.data);
    data.remove("minified");
    data.remove("sourcemap");
    data.push("sourcemap", minified.url.clone().into());
    data.push("minified", minified.into_json());
    frame.data = data;
    frame.function = Some(function.map_or(Cow::Borrowed("<anonymous>"), |name| {
        cut(Cow::Owned(name), limits::SYMBOL)
    }));
    frame.module = module(&source).map(|module| cut(Cow::Owned(module), limits::SYMBOL));
    frame.filename = Some(cut(Cow::Owned(readable(&source).to_owned()), limits::PATH));
    frame.abs_path = Some(cut(Cow::Owned(source), limits::PATH));
    frame.lineno = Some(i64::from(original.line));
    frame.colno = Some(i64::from(original.column));
    let cut_lines = |lines: Vec<String>| {
        lines
            .into_iter()
            .map(|line| cut(Cow::Owned(line), limits::SOURCE_LINE))
            .collect()
    };
    let (before, itself, after) = match original.context {
        Some((before, itself, after)) => (before, Some(itself), after),
        None => (Vec::new(), None, Vec::new()),
    };
    frame.pre_context = cut_lines(before);
    frame.context_line = itself.map(|line| cut(Cow::Owned(line), limits::SOURCE_LINE));
    frame.post_context = cut_lines(after);
}

impl Minified {
    fn into_json<'a>(self) -> Json<'a> {
        let mut before = Object::default();
        before.push("abs_path", self.url.into());
        if let Some(function) = self.function {
            before.push("function", function.into());
        }
        before.push("lineno", Json::I64(i64::from(self.line)));
        before.push("colno", Json::I64(i64::from(self.column)));
        Json::Object(before)
    }
}

/// The path of a source without what bundlers put before it: `webpack://shop/./src/a.ts` is `./src/a.ts`.
fn readable(source: &str) -> &str {
    let Some((scheme, rest)) = source.split_once("://") else {
        // `shop/./src/a.ts`: webpack's form, from which plugins have taken the scheme.
        return source.find("/./").map_or(source, |at| &source[at + 1..]);
    };
    let path = match scheme {
        // `webpack:///./a`, `webpack://shop/./a`, `turbopack://[project]/a`: what follows the name of the package.
        "webpack" | "webpack-internal" | "turbopack" | "rollup" | "parcel" | "ng" | "vite" => {
            rest.split_once('/').map_or(rest, |(_, path)| path)
        }
        "http" | "https" | "app" | "file" => rest.find('/').map_or(rest, |at| &rest[at..]),
        _ => return source,
    };
    if path.is_empty() { source } else { path }
}

/// The module of a source: its path without steps up, folders of bundlers, endings: `../../src/lib/basket.ts` is `src/lib/basket`.
fn module(source: &str) -> Option<String> {
    let path = readable(source);
    let path = path.split(['?', '#']).next().unwrap_or(path);
    let path = path.trim_start_matches(['.', '/', '\\', '~']);
    let stem = match path.rsplit_once('.') {
        Some((stem, ending)) if !ending.contains('/') && ending.len() <= 6 => stem,
        _ => path,
    };
    (!stem.is_empty()).then(|| stem.to_owned())
}
