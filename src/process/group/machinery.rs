//! Frames that no problem can be told by: how threads begin and throw, queues, reflection, polyfills, SDKs.
//! In: the frames of a stack, oldest first. Out: for each the machinery it belongs to, or nothing if it may count.

use crate::process::event::Frame;

use super::family::Family;
use super::sdk::is_sdk;
use super::table::Table;

mod jvm;
mod native;
mod script;

pub(super) use native::native_role;

/// Why a frame does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::process) enum Machinery {
    /// Begins a thread or a program; what is older only led there.
    ThreadStart,
    /// Throws, panics or ends the program; what is newer only reports that.
    Throwing,
    /// Waits for tasks and calls them.
    Queue,
    /// Calls what others name.
    Reflection,
    /// Stands in for a language feature, or wraps functions to watch them.
    Helper,
    /// A built-in or evaluated function that has no source.
    NoCode,
    Sdk,
}

/// Marks the frames that never count, in the order of the stack.
pub(in crate::process) fn marks(frames: &[Frame<'_>], platform: &str) -> Vec<Option<Machinery>> {
    let mut marks: Vec<_> = frames
        .iter()
        .map(|frame| role(frame, Family::of(frame, platform)))
        .collect();
    let is = |wanted| move |mark: &Option<Machinery>| *mark == Some(wanted);
    let end = marks.iter().position(is(Machinery::Throwing));
    let inner = &marks[..end.unwrap_or(marks.len())];
    let start = inner.iter().rposition(is(Machinery::ThreadStart));
    if let Some(start) = start {
        marks[..start].fill(Some(Machinery::ThreadStart));
    }
    if let Some(end) = end {
        marks[end..].fill(Some(Machinery::Throwing));
    }
    marks
}

/// What one frame is for, whatever stands around it.
fn role(frame: &Frame<'_>, family: Family) -> Option<Machinery> {
    let role = match family {
        Family::Script => return script::role(frame),
        // Classes of libraries are never in-app.
        Family::Jvm if frame.is_in_app() => return None,
        Family::Jvm => jvm::role(frame),
        Family::Native => native_role(frame),
        Family::Go => go_role(frame),
        Family::Dotnet => dotnet_role(frame),
        Family::Dart => dart_role(frame),
        Family::Python | Family::Php | Family::Ruby | Family::Beam | Family::Other => None,
    };
    role.or_else(|| is_sdk(frame, family).then_some(Machinery::Sdk))
}

/// Deferred functions run on top of the panic, so that what recovers from it is newer.
fn go_role(frame: &Frame<'_>) -> Option<Machinery> {
    if frame.module.as_deref() != Some("runtime") {
        return None;
    }
    match frame.function.as_deref()? {
        "goexit" | "goexit0" | "goexit1" | "main" | "mstart" | "mcall" => {
            Some(Machinery::ThreadStart)
        }
        function => ["gopanic", "goPanic", "panic", "sigpanic", "throw", "fatal"]
            .iter()
            .any(|front| function.starts_with(front))
            .then_some(Machinery::Throwing),
    }
}

/// Exceptions are thrown again at every `await`, so these stand in the middle of stacks.
fn dotnet_role(frame: &Frame<'_>) -> Option<Machinery> {
    static QUEUES: Table = Table::new(&[
        "System.Runtime.CompilerServices.",
        "System.Runtime.ExceptionServices.",
        "System.Threading.ExecutionContext",
        "System.Threading.Tasks.",
        "System.Threading.ThreadPoolWorkQueue",
        "System.ThrowHelper",
    ]);
    QUEUES
        .holds_beginning_of(frame.module.as_deref()?)
        .then_some(Machinery::Queue)
}

fn dart_role(frame: &Frame<'_>) -> Option<Machinery> {
    static QUEUES: Table = Table::new(&["<asynchronous ", "dart:async", "dart:isolate"]);
    let texts = [&frame.abs_path, &frame.filename, &frame.function];
    texts
        .into_iter()
        .flatten()
        .any(|text| QUEUES.holds_beginning_of(text))
        .then_some(Machinery::Queue)
}

#[cfg(test)]
mod tests;
