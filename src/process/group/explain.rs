//! What became of each frame. In: an event, and what the rules of its project say. Out: all its stacks, frame by frame, with the
//! reason for each that does not count.

use serde::Serialize;

use crate::process::event::{Event, Frame, SdkFlag};
use crate::process::rules::{Judgement, Judgements};

use super::frame::{self, Fate, Surroundings};
use super::machinery::Machinery;

/// One stack, the newest frame first.
#[derive(Debug, Serialize)]
pub struct StackReport {
    /// The exception or thread that it belongs to.
    pub name: String,
    pub frames: Vec<FrameReport>,
}

/// What became of one frame.
#[derive(Debug, Serialize)]
pub struct FrameReport {
    /// As the event has them.
    pub function: String,
    pub place: String,
    pub line: Option<i64>,
    pub in_app: bool,
    /// Why the frame is or is not the application's own, where not by the SDK's word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_app_reason: Option<String>,
    /// What goes into the hash: place, function and source; empty if the frame does not count.
    pub counts_as: Vec<String>,
    /// Why it does not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<String>,
}

/// All stacks of an event, those of exceptions first; the main exception leads.
pub(in crate::process) fn stacks(event: &Event<'_>, judgements: &Judgements) -> Vec<StackReport> {
    let mut stacks = Vec::new();
    for (at, exception) in event.exceptions.iter().enumerate().rev() {
        let name = exception.kind.as_deref().or(exception.value.as_deref());
        let judgement = judgements.exceptions.get(at);
        stacks.extend(report(
            event,
            name.unwrap_or("exception"),
            exception.frames(),
            judgement,
        ));
    }
    if let Some(stack) = &event.stacktrace {
        let judgement = Some(&judgements.stacktrace);
        stacks.extend(report(event, "stack trace", &stack.frames, judgement));
    }
    for (at, thread) in event.threads.iter().enumerate() {
        let Some(stack) = &thread.stacktrace else {
            continue;
        };
        let name = thread.name.as_deref().unwrap_or("thread");
        stacks.extend(report(
            event,
            name,
            &stack.frames,
            judgements.threads.get(at),
        ));
    }
    stacks
}

fn report(
    event: &Event<'_>,
    name: &str,
    frames: &[Frame<'_>],
    judgement: Option<&Judgement>,
) -> Option<StackReport> {
    if frames.is_empty() {
        return None;
    }
    let surroundings = Surroundings::of(event, judgement);
    let mut fates = vec![None; frames.len()];
    let (parts, places) = frame::judged(frames, &surroundings, |at, fate| fates[at] = Some(fate));
    let mut counts_as = vec![Vec::new(); frames.len()];
    for (part, at) in parts.iter().zip(places) {
        let texts = [&part.place, &part.function, &part.source];
        counts_as[at] = texts
            .into_iter()
            .filter(|text| !text.is_empty())
            .map(ToString::to_string)
            .collect();
    }
    let ruled = judgement.map_or(&[][..], |judgement| &judgement.frames);
    let frames = frames.iter().zip(fates).zip(counts_as).enumerate();
    let mut frames: Vec<_> = frames
        .map(|(at, ((frame, fate), counts_as))| {
            let by_rule = ruled.get(at).and_then(|judgement| judgement.in_app);
            FrameReport {
                function: frame.function.as_deref().unwrap_or_default().to_owned(),
                place: place(frame),
                line: frame.lineno,
                in_app: frame.is_in_app(),
                in_app_reason: in_app_reason(frame, by_rule.map(|decided| decided.line)),
                counts_as,
                left_out: fate.map(sentence),
            }
        })
        .collect();
    frames.reverse();
    Some(StackReport {
        name: name.to_owned(),
        frames,
    })
}

fn place(frame: &Frame<'_>) -> String {
    let names = [
        &frame.module,
        &frame.filename,
        &frame.abs_path,
        &frame.package,
    ];
    let found = names.into_iter().flatten().next();
    found.map_or_else(String::new, ToString::to_string)
}

fn in_app_reason(frame: &Frame<'_>, line: Option<u32>) -> Option<String> {
    if let Some(line) = line {
        return Some(format!("by line {line} of the stack trace rules"));
    }
    let said = frame.orig_in_app?;
    let own = frame.is_in_app();
    let reason = match said {
        SdkFlag::Unset => "known by its name or place; the SDK said nothing",
        SdkFlag::Own if !own => "a known library, though the SDK called it own code",
        SdkFlag::Library if own => "own code by its place, though the SDK called it a library",
        SdkFlag::Own | SdkFlag::Library => return None,
    };
    Some(reason.to_owned())
}

fn sentence(fate: Fate) -> String {
    let reason = match fate {
        Fate::Rule(line) => return format!("left out by line {line} of the stack trace rules"),
        Fate::Machinery(machinery) => match machinery {
            Machinery::ThreadStart => "begins the program or a thread; every stack has it",
            Machinery::Throwing => "only throws or reports the error",
            Machinery::Queue => "waits for tasks and calls them",
            Machinery::Reflection => "calls what others name",
            Machinery::Helper => "stands in for a language feature, or only watches calls",
            Machinery::NoCode => "built in, without a source",
            Machinery::Sdk => "part of the SDK",
        },
        Fate::Repeats => "the same place as the frame it called: a recursion counts once",
        Fate::Cycle => "one more turn of functions that call each other",
        Fate::MovedOut => "a part that the compiler moved out of the function that called it",
        Fate::Nameless => "has no name that lasts from build to build",
        Fate::BeyondLimit => "beyond what max-frames or min-frames of a rule lets count",
    };
    reason.to_owned()
}
