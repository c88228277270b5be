//! What a stack says about where in the program it is, without what changes from deploy to deploy.
//! In: the frames of a stack with what surrounds it. Out: a [`FramePart`] for each frame that counts.

use std::borrow::Cow;
use std::ops::Range;

use crate::process::event::{Event, Frame};
use crate::process::rules::Judgement;
use crate::protocol::json::Object;

use super::family::Family;
use super::machinery::{self, Machinery};
use super::{image, minified, name, place, source};

/// What of a frame goes into the hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FramePart<'e> {
    /// The module, else the base name of the file.
    pub place: Cow<'e, str>,
    pub function: Cow<'e, str>,
    pub source: Cow<'e, str>,
    pub in_app: bool,
    /// It does not say what the program did there: no name, or one that a compiler numbered or a minifier shortened.
    pub is_vague: bool,
}

impl FramePart<'_> {
    /// How the explanation names it.
    pub fn label(&self) -> &str {
        [&self.function, &self.place, &self.source]
            .into_iter()
            .find(|text| !text.is_empty())
            .map_or("?", |text| text)
    }
}

/// What is around a stack.
pub(super) struct Surroundings<'s> {
    platform: &'s str,
    debug_meta: &'s Object<'s>,
    judgement: Option<&'s Judgement>,
}

impl<'s> Surroundings<'s> {
    pub fn of(event: &'s Event<'_>, judgement: Option<&'s Judgement>) -> Self {
        Self {
            platform: &event.platform,
            debug_meta: &event.debug_meta,
            judgement,
        }
    }
}

/// Why a frame does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Machinery(Machinery),
    /// By the stack trace rule in this line.
    Rule(u32),
    /// The same place as the frame before it.
    Repeats,
    /// One turn of several functions that call each other.
    Cycle,
    /// A part that the compiler moved out of the function before it.
    MovedOut,
    /// Without a name that lasts from build to build.
    Nameless,
    /// Beyond what rules let count.
    BeyondLimit,
}

/// The contributing frames of a stack, oldest first. A frame that repeats its predecessor is recursion and counts once. What is
/// around every program, and what rules leave out, does not count; of the rest as many of the newest stay as rules want.
pub(super) fn parts<'e>(
    frames: &'e [Frame<'_>],
    surroundings: &Surroundings<'_>,
) -> Vec<FramePart<'e>> {
    judged(frames, surroundings, |_, _| ()).0
}

/// The same with the place of each in the stack; `left_out` is told of each frame that does not count.
pub(super) fn judged<'e>(
    frames: &'e [Frame<'_>],
    surroundings: &Surroundings<'_>,
    mut left_out: impl FnMut(usize, Fate),
) -> (Vec<FramePart<'e>>, Vec<usize>) {
    let mut parts: Vec<FramePart<'e>> = Vec::with_capacity(frames.len());
    let mut places = Vec::with_capacity(frames.len());
    let marks = machinery::marks(frames, surroundings.platform);
    let ruled = surroundings
        .judgement
        .map_or(&[][..], |judgement| &judgement.frames);
    let mut previous: Option<&Frame<'_>> = None;
    for (at, (frame, mark)) in frames.iter().zip(marks).enumerate() {
        let by_rule = ruled.get(at).and_then(|judgement| judgement.group);
        match (by_rule, mark) {
            (Some(decided), _) if !decided.on => {
                left_out(at, Fate::Rule(decided.line));
                continue;
            }
            (None, Some(machinery)) => {
                left_out(at, Fate::Machinery(machinery));
                continue;
            }
            _ => {}
        }
        let crashed = at + 1 == frames.len();
        let repeats = previous.is_some_and(|previous| {
            is_same_place(previous, frame)
                && !(crashed && is_elsewhere_in_binary(previous, frame, surroundings))
        });
        previous = Some(frame);
        if repeats {
            left_out(at, Fate::Repeats);
            continue;
        }
        match part(frame, surroundings, crashed) {
            None => left_out(at, Fate::Nameless),
            Some(part) if continues(parts.last(), &part, frame, surroundings) => {
                left_out(at, Fate::MovedOut);
            }
            Some(part) => {
                parts.push(part);
                places.push(at);
            }
        }
    }
    collapse_cycles(&mut parts, |range| {
        for at in places.drain(range) {
            left_out(at, Fate::Cycle);
        }
    });
    if let Some(judgement) = surroundings.judgement {
        let surplus = parts.len() - judgement.limits.newest(parts.len());
        parts.drain(..surplus);
        for at in places.drain(..surplus) {
            left_out(at, Fate::BeyondLimit);
        }
    }
    (parts, places)
}

/// Compilers move what seldom runs out of a function; whether a crash in there shows as a frame more is chance.
fn continues(
    last: Option<&FramePart<'_>>,
    part: &FramePart<'_>,
    frame: &Frame<'_>,
    surroundings: &Surroundings<'_>,
) -> bool {
    let platform = frame.platform.as_deref().unwrap_or(surroundings.platform);
    let function = frame.function.as_deref().unwrap_or_default();
    name::is_cold_part(function, platform)
        && last.is_some_and(|last| last.function == part.function)
}

fn is_same_place(one: &Frame<'_>, other: &Frame<'_>) -> bool {
    one.lineno == other.lineno
        && one.colno == other.colno
        && one.function == other.function
        && one.filename == other.filename
        && one.module == other.module
        && one.abs_path == other.abs_path
        && one.package == other.package
}

/// Frames without symbols look alike but for their addresses. Only the one that crashed is told apart by its address: how
/// many of a binary's frames stand below it is often a guess of the unwinder.
fn is_elsewhere_in_binary(
    previous: &Frame<'_>,
    frame: &Frame<'_>,
    surroundings: &Surroundings<'_>,
) -> bool {
    let offset = |frame| image::offset(frame, surroundings.debug_meta);
    Family::of(frame, surroundings.platform) == Family::Native
        && frame.usable_function().is_none()
        && offset(frame).is_some_and(|place| offset(previous) != Some(place))
}

fn part<'e>(
    frame: &'e Frame<'_>,
    surroundings: &Surroundings<'_>,
    crashed: bool,
) -> Option<FramePart<'e>> {
    let of_event = surroundings.platform;
    let platform = frame.platform.as_deref().unwrap_or(of_event);
    let family = Family::of(frame, of_event);
    let mut function = function(frame, platform, family).unwrap_or_default();
    let source = source::source(frame, of_event, !function.is_empty()).unwrap_or_default();
    // Names from source maps are often those of the caller; the line is right.
    if family == Family::Script && minified::has_source_map(frame) && !source.is_empty() {
        function = Cow::default();
    }
    let place = if family == Family::Native && function.is_empty() {
        binary(frame, surroundings, crashed)
    } else {
        let file = || match (family, place::file(frame, of_event)?) {
            (Family::Jvm, Cow::Borrowed(file)) => Some(name::file(file, platform)),
            (_, file) => Some(file),
        };
        module(frame, platform, of_event).or_else(file)
    };
    let place = place.unwrap_or_default();
    // Line, column and address do not count, so a file alone names a place only where nothing better can be known.
    let says_something =
        !function.is_empty() || !source.is_empty() || place::stands_alone(frame, of_event, &place);
    let is_vague = (function.is_empty() && source.is_empty())
        || name::is_numbered_closure(&function, platform)
        || (family == Family::Jvm && is_numbered_class(frame, platform));
    says_something.then_some(FramePart {
        is_vague,
        place,
        function,
        source,
        in_app: frame.is_in_app(),
    })
}

/// The function; none where its name was made by a compiler, a minifier or an obfuscator and says nothing.
fn function<'e>(frame: &'e Frame<'_>, platform: &str, family: Family) -> Option<Cow<'e, str>> {
    let raw = if platform == "csharp" {
        frame.raw_function.as_deref().or(frame.function.as_deref())
    } else {
        frame.function.as_deref()
    };
    let name = name::function(raw?, platform)?;
    let means_nothing = match family {
        Family::Script => minified::is_minified(frame) && minified::is_short_name(&name),
        Family::Jvm => {
            let module = frame.module.as_deref();
            module.is_some_and(|module| minified::is_obfuscated(module, &name))
        }
        _ => false,
    };
    (!means_nothing).then_some(name)
}

fn module<'e>(frame: &'e Frame<'_>, platform: &str, of_event: &str) -> Option<Cow<'e, str>> {
    match Family::of(frame, of_event) {
        Family::Jvm | Family::Dotnet => name::module(frame.module.as_deref()?, platform),
        _ => place::module(frame, of_event),
    }
}

/// An anonymous class such as `Cart$1`. A proxy's hash may look like a number too, but is longer.
fn is_numbered_class(frame: &Frame<'_>, platform: &str) -> bool {
    const LONGEST_NUMBER: usize = 3;
    let is_short = |module: &&str| {
        let number = module.rsplit('$').next().unwrap_or_default();
        number.len() <= LONGEST_NUMBER && !module.contains("$$")
    };
    let module = frame.module.as_deref().filter(is_short);
    module.is_some_and(|module| name::is_numbered_class(module, platform))
}

/// Where no symbol is known: the binary, and for the frame that crashed also the place in it, which is the same for all
/// crashes of a build.
fn binary<'e>(
    frame: &'e Frame<'_>,
    surroundings: &Surroundings<'_>,
    crashed: bool,
) -> Option<Cow<'e, str>> {
    let binary = image::binary(frame).or_else(|| place::file(frame, surroundings.platform))?;
    let offset = crashed.then(|| image::offset(frame, surroundings.debug_meta));
    Some(match offset.flatten() {
        Some(offset) => Cow::Owned(format!("{binary}+{offset:#x}")),
        None => binary,
    })
}

/// Stacks of fewer frames are compared as they are.
const DEEP: usize = 40;
const LONGEST_CYCLE: usize = 8;
const FEWEST_TURNS: usize = 3;

/// A few functions that call each other again and again count once: how deep they got is chance.
fn collapse_cycles(parts: &mut Vec<FramePart<'_>>, mut left_out: impl FnMut(Range<usize>)) {
    if parts.len() < DEEP {
        return;
    }
    let mut from = 0;
    while from < parts.len() {
        let turns = |length: usize| {
            let rest = &parts[from..];
            let same = rest.iter().zip(&rest[length.min(rest.len())..]);
            let same = same.take_while(|(one, other)| one == other).count();
            same / length + 1
        };
        let cycle = (1..=LONGEST_CYCLE).find(|length| turns(*length) >= FEWEST_TURNS);
        if let Some(length) = cycle {
            let surplus = (turns(length) - 1) * length;
            let turns = from + length..from + length + surplus;
            parts.drain(turns.clone());
            left_out(turns);
            from += length;
        } else {
            from += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::json::Json;

    #[test]
    fn crashes_at_two_places_of_a_binary_without_symbols_are_two() {
        let meta: Json<'_> =
            serde_json::from_str(r#"{"images":[{"image_addr":"0x1000","image_size":4096}]}"#)
                .expect("JSON");
        let surroundings = Surroundings {
            platform: "native",
            debug_meta: meta.as_object().expect("an object"),
            judgement: None,
        };
        let places = |addresses: &[&'static str]| -> Vec<String> {
            let frame = |address: &&'static str| Frame {
                package: Some(Cow::Borrowed("/opt/libshop.so")),
                instruction_addr: Some(Cow::Borrowed(*address)),
                ..Frame::default()
            };
            let frames: Vec<Frame<'_>> = addresses.iter().map(frame).collect();
            let parts = parts(&frames, &surroundings);
            parts
                .into_iter()
                .map(|part| part.place.into_owned())
                .collect()
        };
        assert_eq!(
            places(&["0x1010", "0x1020", "0x1030"]),
            ["libshop.so", "libshop.so+0x30"]
        );
        // How many frames stand below it is a guess of the unwinder.
        assert_eq!(
            places(&["0x1010", "0x1030"]),
            places(&["0x1020", "0x1011", "0x1012", "0x1030"])
        );
        assert_ne!(places(&["0x1010", "0x1030"]), places(&["0x1010", "0x1040"]));
        // A function that calls itself.
        assert_eq!(places(&["0x1010", "0x1010"]), ["libshop.so"]);
    }

    #[test]
    fn a_deep_recursion_of_several_functions_counts_once() {
        let named = |names: &str| -> Vec<FramePart<'static>> {
            let part = |name: char| FramePart {
                place: Cow::Borrowed("m"),
                function: Cow::Owned(name.to_string()),
                source: Cow::Borrowed(""),
                in_app: true,
                is_vague: false,
            };
            names.chars().map(part).collect()
        };
        for (names, expected) in [
            (format!("xy{}z", "abc".repeat(20)), "xyabcz"),
            (format!("xy{}z", "abc".repeat(33)), "xyabcz"),
            (format!("x{}", "a".repeat(60)), "xa"),
            ("abab".to_owned(), "abab"),
            (
                ('a'..='z').chain('A'..='Z').collect(),
                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
            ),
        ] {
            let mut parts = named(&names);
            collapse_cycles(&mut parts, |_| ());
            assert_eq!(parts, named(expected), "{names}");
        }
    }
}
