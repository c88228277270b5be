//! Stack traces for reading. In: exceptions and threads of an event. Out: newest frame first, outermost exception
//! first, runs of library frames folded.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::frame::{Frame, frame_of, is_true};
use super::value::{list, text};

/// How much of the stacks a page shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StackMode {
    App,
    All,
    Raw,
}

impl StackMode {
    pub fn parse(word: Option<&str>) -> Self {
        match word {
            Some("all") => Self::All,
            Some("raw") => Self::Raw,
            _ => Self::App,
        }
    }

    pub fn is_app(self) -> bool {
        self == Self::App
    }

    pub fn is_all(self) -> bool {
        self == Self::All
    }

    pub fn is_raw(self) -> bool {
        self == Self::Raw
    }
}

/// What follows on the page: a frame, or a run of library frames behind one line.
#[derive(Debug, Clone)]
pub enum Part {
    Frame(Frame),
    Folded { label: String, frames: Vec<Frame> },
}

/// One stack with what it belongs to.
#[derive(Debug, Clone)]
pub struct Stack {
    pub kind: String,
    pub value: String,
    pub note: String,
    pub depth: usize,
    pub parts: Vec<Part>,
    pub raw: String,
}

/// The stacks of an event and how many frames they have.
#[derive(Debug, Clone)]
pub struct Stacks {
    pub heading: &'static str,
    pub mode: StackMode,
    pub frames: usize,
    pub items: Vec<Stack>,
    /// Threads beside the one shown.
    pub others: Vec<Stack>,
}

/// Frames that come open: enough to follow the call, few enough to keep the page short.
const OPEN_FRAMES: usize = 4;
/// The time that colours may take; what is left then stays plain.
const COLOUR_TIME: Duration = Duration::from_millis(100);

/// Reads the exceptions, else the thread that crashed or reported, else a bare stack trace.
pub fn stacks(event: &Value, mode: StackMode) -> Option<Stacks> {
    let platform = text(event, "platform").unwrap_or_default();
    let exceptions = list(event, "exception");
    let mut items: Vec<Stack> = exceptions
        .iter()
        .rev()
        .enumerate()
        .map(|(at, exception)| exception_stack(exception, exceptions, &platform, mode, at == 0))
        .collect();
    let mut heading = "Stack trace";
    let mut threads: Vec<&Value> = list(event, "threads")
        .iter()
        .filter(|thread| {
            thread
                .get("stacktrace")
                .is_some_and(|stack| !list(stack, "frames").is_empty())
        })
        .collect();
    let chosen = threads
        .iter()
        .position(|thread| is_true(thread, "crashed"))
        .or_else(|| threads.iter().position(|thread| is_true(thread, "current")))
        .or(if threads.is_empty() { None } else { Some(0) });
    let has_frames = items.iter().any(|item| !item.parts.is_empty());
    if let (Some(chosen), false) = (chosen, has_frames) {
        let thread = threads.remove(chosen);
        if items.is_empty() {
            heading = "Thread";
        }
        items.push(thread_stack(thread, &platform, mode, true));
    }
    if items.is_empty()
        && let Some(stack) = event.get("stacktrace")
        && !list(stack, "frames").is_empty()
    {
        items.push(stack_of(
            "",
            "",
            String::new(),
            0,
            Some(stack),
            &platform,
            mode,
            true,
        ));
    }
    let others = threads
        .into_iter()
        .map(|thread| thread_stack(thread, &platform, mode, false))
        .collect();
    let frames = items
        .iter()
        .map(|item| item.parts.iter().map(count).sum::<usize>())
        .sum();
    if !mode.is_raw() {
        colour(&mut items);
    }
    (!items.is_empty()).then_some(Stacks {
        heading,
        mode,
        frames,
        items,
        others,
    })
}

/// Colours the source of the application's frames and of those that come open, as long as the time for it lasts: an
/// event may hold thousands of lines, and some keep a grammar busy for long.
fn colour(stacks: &mut [Stack]) {
    let frames = stacks
        .iter_mut()
        .flat_map(|stack| &mut stack.parts)
        .filter_map(|part| match part {
            Part::Frame(frame) if frame.in_app || frame.open => Some(frame),
            _ => None,
        });
    let start = Instant::now();
    for frame in frames.take_while(|_| start.elapsed() < COLOUR_TIME) {
        frame.colour();
    }
}

fn count(part: &Part) -> usize {
    match part {
        Part::Frame(_) => 1,
        Part::Folded { frames, .. } => frames.len(),
    }
}

fn exception_stack(
    exception: &Value,
    all: &[Value],
    platform: &str,
    mode: StackMode,
    first: bool,
) -> Stack {
    let kind = text(exception, "type").unwrap_or_default();
    let value = text(exception, "value").unwrap_or_default();
    let mechanism = exception.get("mechanism").unwrap_or(&Value::Null);
    let handled = match mechanism.get("handled").and_then(Value::as_bool) {
        Some(true) => Some("handled"),
        Some(false) => Some("not handled"),
        None => None,
    };
    let caught = text(mechanism, "type")
        .filter(|kind| kind != "generic" && kind != "chained")
        .map(|kind| format!("caught by {kind}"));
    let source = text(mechanism, "source").map(|source| format!("from {source}"));
    let note = [caught, source, handled.map(str::to_owned)]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" · ");
    stack_of(
        &kind,
        &value,
        note,
        depth(mechanism, all),
        exception.get("stacktrace"),
        platform,
        mode,
        first,
    )
}

/// How deep an exception lies in a group's tree; a plain chain stays flat.
fn depth(mechanism: &Value, all: &[Value]) -> usize {
    let grouped = all.iter().any(|other| {
        other
            .get("mechanism")
            .is_some_and(|mechanism| is_true(mechanism, "is_exception_group"))
    });
    if !grouped {
        return 0;
    }
    let mut depth = 0;
    let mut parent = mechanism.get("parent_id").and_then(Value::as_i64);
    while let Some(id) = parent {
        depth += 1;
        if depth >= 3 {
            break;
        }
        parent = all
            .iter()
            .filter_map(|other| other.get("mechanism"))
            .find(|other| other.get("exception_id").and_then(Value::as_i64) == Some(id))
            .and_then(|other| other.get("parent_id").and_then(Value::as_i64));
    }
    depth
}

fn thread_stack(thread: &Value, platform: &str, mode: StackMode, first: bool) -> Stack {
    let name = text(thread, "name").unwrap_or_default();
    let id = text(thread, "id")
        .map(|id| format!("thread {id}"))
        .unwrap_or_default();
    let state = text(thread, "state");
    let crashed = is_true(thread, "crashed").then(|| "crashed".to_owned());
    let note = [state, crashed]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" · ");
    stack_of(
        &name,
        &id,
        note,
        0,
        thread.get("stacktrace"),
        platform,
        mode,
        first,
    )
}

#[expect(
    clippy::too_many_arguments,
    reason = "the parts of one stack, each from another place"
)]
fn stack_of(
    kind: &str,
    value: &str,
    note: String,
    depth: usize,
    stack: Option<&Value>,
    platform: &str,
    mode: StackMode,
    first: bool,
) -> Stack {
    let frames = stack.map_or(&[][..], |stack| list(stack, "frames"));
    let raw = raw(kind, value, frames);
    let mut frames: Vec<Frame> = frames
        .iter()
        .rev()
        .map(|frame| frame_of(frame, platform))
        .collect();
    open_some(&mut frames, first);
    let parts = match mode {
        StackMode::App => fold(frames),
        StackMode::All | StackMode::Raw => frames.into_iter().map(Part::Frame).collect(),
    };
    Stack {
        kind: kind.to_owned(),
        value: value.to_owned(),
        note,
        depth,
        parts,
        raw,
    }
}

/// Opens the newest application frames, or the newest frame where no code is the application's.
fn open_some(frames: &mut [Frame], first: bool) {
    let limit = if first { OPEN_FRAMES } else { 1 };
    let mut opened = 0;
    for frame in frames
        .iter_mut()
        .filter(|frame| frame.in_app && frame.has_body())
        .take(limit)
    {
        frame.open = true;
        opened += 1;
    }
    if opened == 0
        && let Some(frame) = frames.iter_mut().find(|frame| frame.has_body())
    {
        frame.open = true;
    }
}

fn fold(frames: Vec<Frame>) -> Vec<Part> {
    let any_app = frames.iter().any(|frame| frame.in_app);
    let mut parts = Vec::new();
    let mut run: Vec<Frame> = Vec::new();
    for (at, frame) in frames.into_iter().enumerate() {
        // Where nothing is the application's own, the frame that failed stays in sight.
        if frame.in_app || (!any_app && at == 0) {
            close_run(&mut parts, &mut run);
            parts.push(Part::Frame(frame));
        } else {
            run.push(frame);
        }
    }
    close_run(&mut parts, &mut run);
    parts
}

fn close_run(parts: &mut Vec<Part>, run: &mut Vec<Frame>) {
    if run.is_empty() {
        return;
    }
    let frames = std::mem::take(run);
    let mut places: Vec<&str> = Vec::new();
    for frame in &frames {
        if !frame.place.is_empty() && !places.contains(&frame.place.as_str()) {
            places.push(&frame.place);
        }
    }
    let mut label = format!(
        "{} library frame{}",
        frames.len(),
        if frames.len() == 1 { "" } else { "s" }
    );
    if !places.is_empty() {
        label.push_str(" · ");
        label.push_str(
            &places
                .iter()
                .take(2)
                .copied()
                .collect::<Vec<_>>()
                .join(", "),
        );
        if places.len() > 2 {
            label.push_str(", …");
        }
    }
    parts.push(Part::Folded { label, frames });
}

/// The stack as plain text, oldest frame first, as a console shows it.
fn raw(kind: &str, value: &str, frames: &[Value]) -> String {
    let mut lines: Vec<String> = Vec::with_capacity(frames.len() * 2 + 1);
    for frame in frames {
        let place = text(frame, "abs_path")
            .or_else(|| text(frame, "filename"))
            .or_else(|| text(frame, "module"))
            .unwrap_or_default();
        let line = text(frame, "lineno")
            .map(|line| format!(":{line}"))
            .unwrap_or_default();
        let function = text(frame, "function").unwrap_or_else(|| "<unknown>".to_owned());
        lines.push(format!("  {place}{line} in {function}"));
        if let Some(context) = frame.get("context_line").and_then(Value::as_str) {
            lines.push(format!("    {}", context.trim()));
        }
    }
    lines.push(match (kind.is_empty(), value.is_empty()) {
        (false, false) => format!("{kind}: {value}"),
        (false, true) => kind.to_owned(),
        _ => value.to_owned(),
    });
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn frame(function: &str, in_app: bool) -> Value {
        json!({"function": function, "filename": format!("{function}.py"), "lineno": 3, "in_app": in_app,
               "pre_context": ["a"], "context_line": "b", "post_context": ["c"]})
    }

    #[test]
    fn outermost_first_newest_frame_first_libraries_folded() {
        let event = json!({"platform": "python", "exception": {"values": [
            {"type": "KeyError", "value": "'x'", "stacktrace": {"frames": [frame("inner", true)]}},
            {"type": "CheckoutError", "stacktrace": {"frames": [
                frame("main", true), frame("lib1", false), frame("lib2", false), frame("total", true)]}},
        ]}});
        let stacks = stacks(&event, StackMode::App).expect("there are exceptions");
        assert_eq!(stacks.frames, 5);
        assert_eq!(stacks.items[0].kind, "CheckoutError");
        assert_eq!(stacks.items[1].kind, "KeyError");
        let Part::Frame(newest) = &stacks.items[0].parts[0] else {
            panic!("a frame")
        };
        assert_eq!(
            (newest.function.as_str(), newest.open, newest.source.len()),
            ("total", true, 3)
        );
        assert_eq!(newest.source[1].number, "3");
        let Part::Folded { label, frames } = &stacks.items[0].parts[1] else {
            panic!("folded")
        };
        assert_eq!(
            (label.as_str(), frames.len()),
            ("2 library frames · lib2.py, lib1.py", 2)
        );
    }

    #[test]
    fn a_thread_stands_in_where_no_exception_has_frames() {
        let event = json!({"threads": {"values": [
            {"id": 1, "stacktrace": {"frames": [frame("idle", false)]}},
            {"id": 2, "name": "worker", "crashed": true, "stacktrace": {"frames": [frame("boom", true)]}},
        ]}});
        let stacks = stacks(&event, StackMode::App).expect("there are threads");
        assert_eq!(stacks.heading, "Thread");
        assert_eq!(stacks.items[0].kind, "worker");
        assert_eq!(stacks.others.len(), 1);
    }

    #[test]
    fn groups_are_a_tree() {
        let event = json!({"exception": {"values": [
            {"type": "A", "mechanism": {"exception_id": 2, "parent_id": 1}},
            {"type": "Inner", "mechanism": {"exception_id": 1, "parent_id": 0, "is_exception_group": true}},
            {"type": "Group", "mechanism": {"exception_id": 0, "is_exception_group": true}},
        ]}});
        let stacks = stacks(&event, StackMode::App).expect("there are exceptions");
        assert_eq!(
            stacks
                .items
                .iter()
                .map(|item| item.depth)
                .collect::<Vec<_>>(),
            [0, 1, 2]
        );
    }

    #[test]
    fn odd_shapes_do_no_harm() {
        for event in [
            json!({}),
            json!({"exception": 5}),
            json!({"threads": {"values": [null, 3]}}),
            json!({"stacktrace": {"frames": [null]}}),
        ] {
            drop(stacks(&event, StackMode::App));
        }
    }
}
