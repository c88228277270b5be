//! What a frame says about where in the program it is, without what changes from deploy to deploy.
//! In: one frame and its platform. Out: [`FramePart`], or nothing if the frame says nothing.

use std::borrow::Cow;

use crate::process::event::Frame;
use crate::process::rules::Judgement;

use super::function::{normalize_function, normalize_module};

/// What of a frame goes into the hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FramePart<'e> {
    /// The module, else the base name of the file.
    pub place: Cow<'e, str>,
    pub function: Cow<'e, str>,
    pub source: Cow<'e, str>,
    pub in_app: bool,
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

/// The contributing frames of a stack, oldest first. A frame that repeats its predecessor is recursion and counts once.
/// What rules leave out is left out, and of the rest as many of the newest stay as they want.
pub(super) fn parts<'e>(
    frames: &'e [Frame<'_>],
    platform: &str,
    judgement: Option<&Judgement>,
) -> Vec<FramePart<'e>> {
    let mut parts = Vec::with_capacity(frames.len());
    let mut previous: Option<&Frame<'_>> = None;
    let ruled = judgement.map_or(&[][..], |judgement| &judgement.frames);
    for (at, frame) in frames.iter().enumerate() {
        let by_rule = ruled.get(at).and_then(|judgement| judgement.group);
        if by_rule.is_some_and(|decided| !decided.on) {
            continue;
        }
        let repeats = previous.is_some_and(|previous| is_same_place(previous, frame));
        previous = Some(frame);
        if !repeats {
            parts.extend(part(frame, frame.platform.as_deref().unwrap_or(platform)));
        }
    }
    if let Some(judgement) = judgement {
        let newest = judgement.limits.newest(parts.len());
        parts.drain(..parts.len() - newest);
    }
    parts
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

fn part<'e>(frame: &'e Frame<'_>, platform: &str) -> Option<FramePart<'e>> {
    let path = frame.abs_path.as_deref().unwrap_or_default();
    let is_script = matches!(platform, "javascript" | "node");
    if is_script && (path.starts_with("node:internal") || path.contains("[native code]")) {
        return None;
    }
    let raw = if platform == "csharp" {
        frame.raw_function.as_deref().or(frame.function.as_deref())
    } else {
        frame.function.as_deref()
    };
    if is_script && matches!(raw, Some("eval")) {
        return None;
    }
    let function = raw
        .and_then(|name| normalize_function(name, platform))
        .unwrap_or_default();
    let source = match platform {
        "javascript" | "node" | "python" | "php" | "ruby" => frame
            .context_line
            .as_deref()
            .and_then(source_line)
            .unwrap_or_default(),
        _ => Cow::default(),
    };
    let from_web = is_script && is_web_address(path);
    let module = frame
        .module
        .as_deref()
        .and_then(|module| normalize_module(module, platform))
        .filter(|module| !(from_web && repeats_path(module, path)));
    let place = match module {
        Some(module) => module,
        None if from_web => Cow::default(),
        None => frame.filename.as_deref().map(base_name).unwrap_or_default(),
    };
    // Line, column and address do not count, so a file alone names a place only where nothing better can be known.
    let says_something =
        !function.is_empty() || !source.is_empty() || (!is_script && !place.is_empty());
    says_something.then_some(FramePart {
        place,
        function,
        source,
        in_app: frame.is_in_app(),
    })
}

fn is_web_address(path: &str) -> bool {
    ["http:", "https:", "blob:", "applewebdata:"]
        .iter()
        .any(|scheme| path.starts_with(scheme))
}

/// SDKs make a module of the script's path where they know no better.
fn repeats_path(module: &str, path: &str) -> bool {
    path.split_once("://")
        .and_then(|(_, rest)| rest.split_once('/'))
        .is_some_and(|(_, path)| {
            let bare = path.split(['?', '#']).next().unwrap_or(path);
            bare.trim_end_matches(".js").ends_with(module)
        })
}

/// Source with its blanks collapsed; long lines are minified or generated and say little.
fn source_line(line: &str) -> Option<Cow<'_, str>> {
    const LONGEST: usize = 120;
    let line = line.trim();
    if line.is_empty() || line.len() > 4 * LONGEST {
        return None;
    }
    let needs_collapse = line
        .as_bytes()
        .windows(2)
        .any(|pair| pair[0].is_ascii_whitespace() && pair[1].is_ascii_whitespace())
        || line.contains('\t');
    let collapsed = if needs_collapse {
        Cow::Owned(line.split_whitespace().collect::<Vec<_>>().join(" "))
    } else {
        Cow::Borrowed(line)
    };
    (collapsed.chars().count() <= LONGEST).then_some(collapsed)
}

fn base_name(filename: &str) -> Cow<'_, str> {
    let name = filename.rsplit(['/', '\\']).next().unwrap_or(filename);
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}
