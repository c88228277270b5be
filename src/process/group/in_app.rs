//! Whose code a frame is. What is known to be a library never is the application's; else the SDK decides; where an SDK
//! says nothing about any frame of the event, all that is no library is the application's.
//! In: an event with the flags of its SDK. Out: the decision on every frame, and the SDK's flag where they differ.

use crate::process::event::{Event, Frame, SdkFlag, Stacktrace};

use super::family::Family;
use super::libraries::{is_library, native};

/// Decides for all frames of an event. A stored event gets the same decisions again.
pub(in crate::process) fn decide_all(event: &mut Event<'_>) {
    let mut is_silent = true;
    for frame in stacks(event).flat_map(|stack| &mut stack.frames) {
        if let Some(said) = frame.orig_in_app.take() {
            frame.in_app = said.flag();
        }
        is_silent &= frame.in_app.is_none();
    }
    let platform = std::mem::take(&mut event.platform);
    for frame in stacks(event).flat_map(|stack| &mut stack.frames) {
        let decision = Some(decide(frame, &platform, is_silent));
        frame.orig_in_app = (frame.in_app != decision).then(|| SdkFlag::of(frame.in_app));
        frame.in_app = decision;
    }
    event.platform = platform;
}

/// All stacks of an event.
pub(in crate::process) fn stacks<'e, 'a>(
    event: &'e mut Event<'a>,
) -> impl Iterator<Item = &'e mut Stacktrace<'a>> {
    let of_exceptions = event.exceptions.iter_mut().map(|it| &mut it.stacktrace);
    let of_threads = event.threads.iter_mut().map(|it| &mut it.stacktrace);
    of_exceptions
        .chain(of_threads)
        .chain(std::iter::once(&mut event.stacktrace))
        .flatten()
}

/// Decides for one frame with the flag of the SDK in it. `is_silent`: the SDK flagged no frame of the event.
pub(in crate::process) fn decide(frame: &Frame<'_>, platform: &str, is_silent: bool) -> bool {
    if frame.in_app == Some(false) {
        return false;
    }
    let family = Family::of(frame, platform);
    // Native SDKs often flag only what they know; binaries outside the folders of the system are the application's.
    let is_claimed = frame.in_app == Some(true)
        || is_silent
        || (family == Family::Native && native::has_own_binary(frame));
    is_claimed && !is_library(frame, family)
}

#[cfg(test)]
mod tests;
