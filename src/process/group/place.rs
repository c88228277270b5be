//! Where in the program a frame is, without what changes from deploy to deploy: directories, hashes, addresses.
//! In: one frame and the platform of its event. Out: the name of its file, or of a script's module, or nothing.

use std::borrow::Cow;

use crate::process::event::Frame;

use super::family::Family;
use super::generated::{Expect, without_generated};
use super::path::{full_path, has_segment, is_web_address, last_segment, scheme};
use super::table::Table;

/// The base name of the file in lower case; none where it says nothing or changes with every deploy.
pub(in crate::process) fn file<'f>(frame: &'f Frame<'_>, platform: &str) -> Option<Cow<'f, str>> {
    let family = Family::of(frame, platform);
    let path = frame.file()?;
    if says_nothing(path) || (family == Family::Script && is_from_web(frame)) {
        return None;
    }
    let base = bare_base_name(path, family);
    if says_nothing(base) {
        return None;
    }
    let name = without_generated(base, expected(frame, family, base));
    (!name.is_empty()).then(|| lower_case(name))
}

/// What may be generated in the name of a file; its folder is only looked at where that can matter.
fn expected(frame: &Frame<'_>, family: Family, base: &str) -> Expect {
    let has_digit = |text: &str| text.bytes().any(|byte| byte.is_ascii_digit());
    if family == Family::Script || (has_digit(base) && is_among_generated(frame)) {
        Expect::Anything
    } else {
        Expect::Hashes
    }
}

/// The module as the SDK sent it, without generated parts and not if it only repeats the address of a script.
/// Classes of the JVM and of .NET have rules of their own.
pub(in crate::process) fn module<'f>(frame: &'f Frame<'_>, platform: &str) -> Option<Cow<'f, str>> {
    let module = frame.module.as_deref()?;
    if says_nothing(module) {
        return None;
    }
    match Family::of(frame, platform) {
        Family::Script => script_module(frame, module),
        // A process that was started by `multiprocessing` names the main module in another way.
        Family::Python if module == "__mp_main__" => Some(Cow::Borrowed("__main__")),
        Family::Python => Some(without_generated(module, Expect::Hashes)),
        Family::Php if module.contains("@anonymous") => None,
        _ => Some(Cow::Borrowed(module)),
    }
}

/// Whether a frame that has neither function nor source counts by its place, which [`file`] or [`module`] gave.
/// A script of the web may be anything, and so may one of which only the extension is known.
pub(in crate::process) fn stands_alone(frame: &Frame<'_>, platform: &str, place: &str) -> bool {
    let is_script = Family::of(frame, platform) == Family::Script;
    !(place.is_empty() || (is_script && (place.starts_with('.') || is_from_web(frame))))
}

/// Whether the script was loaded from an address of the web, where paths and files change.
pub(in crate::process) fn is_from_web(frame: &Frame<'_>) -> bool {
    let address = full_path(frame);
    address.is_some_and(is_web_address)
}

/// What SDKs, engines and obfuscators write where they know no file.
static NO_PLACES: Table = Table::new(&[
    "-",
    "<Unknown>",
    "<anonymous>",
    "<compiler-generated>",
    "<eval>",
    "<generated>",
    "<native>",
    "<unknown>",
    "?",
    "??",
    "D8$$SyntheticClass",
    "NULL",
    "Native Method",
    "R8$$SyntheticClass",
    "SourceFile",
    "Unknown Source",
    "[native code]",
    "debugger eval code",
    "eval code",
    "native code",
    "null",
    "undefined",
    "unknown",
    "unknown file",
]);

fn says_nothing(name: &str) -> bool {
    match name.as_bytes() {
        [] => true,
        // Scripts of the developer console, members of `Promise.all`, and a place in a mapping of R8.
        [b'V', ..] => is_numbered(name, "VM"),
        [b'i', ..] => is_numbered(name, "index "),
        [b'r', ..] => name.starts_with("r8-map-id-"),
        [b'e', ..] if name.starts_with("eval at ") => true,
        _ => NO_PLACES.holds(name),
    }
}

/// Whether a script's path stands for what the engine itself provides, or for evaluated code.
pub(super) fn is_builtin(path: &str) -> bool {
    matches!(
        path,
        "<anonymous>" | "native code" | "<native>" | "eval code" | "<eval>"
    ) || path.contains("[native code]")
        || is_numbered(path, "index ")
}

/// Whether digits, and perhaps a position, are all that follows.
fn is_numbered(name: &str, front: &str) -> bool {
    name.strip_prefix(front).is_some_and(|rest| {
        rest.starts_with(|c: char| c.is_ascii_digit())
            && rest
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b':')
    })
}

/// The last part of a path, without what some languages write around a file name.
pub(super) fn bare_base_name(path: &str, family: Family) -> &str {
    match family {
        Family::Script => {
            let path = path.strip_prefix("address at ").unwrap_or(path);
            without_position(last_segment(without_query(path)))
        }
        // `x.php(12) : eval()'d code`.
        Family::Php => {
            let file = path.find(") : ").and_then(|end| path[..end].rfind('('));
            last_segment(file.map_or(path, |end| &path[..end]))
        }
        // `(eval at /srv/app/x.rb:12)`.
        Family::Ruby => match path.strip_prefix("(eval at ") {
            Some(inner) => without_position(last_segment(inner.trim_end_matches(')'))),
            None => without_position(last_segment(path)),
        },
        Family::Python => notebook_cell(last_segment(path)),
        // Proxies: `EntriesResource_$$_javassist_74.java`.
        Family::Jvm => {
            let base = last_segment(path);
            base.find("$$")
                .map_or(base, |end| base[..end].trim_end_matches('_'))
        }
        _ => last_segment(path),
    }
}

/// Cells are numbered in the order they ran, and code that was made while the program ran in the order it was made, but for the
/// first: `<attrs generated init shop.Cart-2>`, `<decorator-gen-12>`.
fn notebook_cell(base: &str) -> &str {
    let front = ["<ipython-input", "<command", "memory:0x", "<decorator-gen"]
        .into_iter()
        .find(|front| base.starts_with(front));
    if let Some(front) = front {
        return front;
    }
    if !base.starts_with("<attrs generated") {
        return base;
    }
    let name = base.trim_end_matches('>');
    match name.rsplit_once('-') {
        Some((name, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => name,
    }
}

fn without_query(path: &str) -> &str {
    let bare = path.split('?').next().unwrap_or(path);
    match scheme(bare) {
        Some(_) => bare.split('#').next().unwrap_or(bare),
        None => bare,
    }
}

/// Without `:1:2345`.
fn without_position(base: &str) -> &str {
    let mut name = base;
    while let Some((front, digits)) = name.rsplit_once(':')
        && !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
    {
        name = front;
    }
    name
}

/// Whether the file lies where template engines, notebooks and builds put what they generate.
fn is_among_generated(frame: &Frame<'_>) -> bool {
    let is_generated = |previous: &str, segment: &str| match segment {
        "cache"
        | "tmp"
        | "temp"
        | "Temp"
        | "compiled"
        | "templates_c"
        | "Temporary ASP.NET Files" => true,
        "views" => previous == "framework",
        "folders" => previous == "var",
        _ => segment.starts_with("ipykernel_"),
    };
    [&frame.abs_path, &frame.filename]
        .into_iter()
        .flatten()
        .any(|path| has_segment(path, is_generated))
}

fn lower_case(name: Cow<'_, str>) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        name
    }
}

/// Bundlers number their modules, and SDKs make a module of a script's path where they know no better.
fn script_module<'f>(frame: &'f Frame<'_>, module: &'f str) -> Option<Cow<'f, str>> {
    let bare = without_layer(module);
    if is_from_web(frame) && repeats_path(bare, frame.abs_path.as_deref()?) {
        return None;
    }
    let cleaned = clean_segments(bare);
    let says_something = cleaned
        .bytes()
        .any(|byte| !matches!(byte, b'/' | b':' | b'.'));
    says_something.then_some(cleaned)
}

/// Without the scheme and the layer that bundlers write before a path: `webpack-internal:///(ssr)/./src/app.js`.
fn without_layer(module: &str) -> &str {
    let mut bare = module;
    if let Some(scheme) = scheme(module) {
        bare = module[scheme.len() + "://".len()..].trim_start_matches('/');
    }
    if let Some(inner) = bare.strip_prefix('(')
        && let Some((_, path)) = inner.split_once(")/")
    {
        bare = path;
    }
    bare.strip_prefix("./").unwrap_or(bare)
}

fn clean_segments(module: &str) -> Cow<'_, str> {
    let is_end = |c: char| matches!(c, '/' | ':');
    let mut cleaned: Option<String> = None;
    let mut at = 0;
    for segment in module.split_inclusive(is_end) {
        let bare = segment.trim_end_matches(is_end);
        let kept = without_generated(bare, Expect::Anything);
        if kept.len() < bare.len() || cleaned.is_some() {
            let cleaned = cleaned.get_or_insert_with(|| module[..at].to_owned());
            cleaned.push_str(&kept);
            cleaned.push_str(&segment[bare.len()..]);
        }
        at += segment.len();
    }
    cleaned.map_or(Cow::Borrowed(module), Cow::Owned)
}

/// Whether a module is the end of an address, segment by segment and whatever the deploy: `static/app` of
/// `https://shop.example.com/static/app.1a2b3c4d.js`.
fn repeats_path(module: &str, address: &str) -> bool {
    let mut path = without_query(address).rsplit('/');
    let mut parts = module.rsplit('/');
    let (Some(file), Some(name)) = (path.next(), parts.next()) else {
        return false;
    };
    is_same_script(name, file)
        && parts.all(|part| {
            path.next().is_some_and(|segment| {
                part == segment
                    || without_generated(part, Expect::Anything)
                        == without_generated(segment, Expect::Anything)
            })
        })
}

fn is_same_script(name: &str, file: &str) -> bool {
    fn bare(name: &str) -> Cow<'_, str> {
        let stem = [".js", ".mjs", ".cjs", ".bundle", ".ts", ".html"]
            .into_iter()
            .find_map(|extension| name.strip_suffix(extension))
            .unwrap_or(name);
        without_generated(stem.strip_suffix(".min").unwrap_or(stem), Expect::Anything)
    }
    name == file || bare(name) == bare(file)
}

#[cfg(test)]
mod tests;
