//! Grouping by exceptions: which of a chain count, and what each contributes.
//! In: the exceptions of an event. Out: type, value and frames of those that count, oldest first.

use std::borrow::Cow;

use crate::process::chain::Tree;
use crate::process::event::{Event, Exception, Mechanism};
use crate::process::rules::Judgement;
use crate::protocol::json::Json;

use super::frame::{self, FramePart, Surroundings};
use super::message::parameterize;

/// What one exception offers for the hash.
#[derive(Debug, PartialEq)]
pub(super) struct ExceptionPart<'e> {
    /// Not of a synthetic exception, whose type says only how it was made.
    pub kind: Option<&'e str>,
    /// Domain and code of an Apple error: they say more than its translated text, and always count.
    pub ns_error: Option<String>,
    /// Parameterised; counts where neither the stack nor a code does.
    pub value: Option<Cow<'e, str>>,
    /// As it came.
    pub message: Option<&'e str>,
    pub frames: Vec<FramePart<'e>>,
}

impl ExceptionPart<'_> {
    pub fn has_in_app_frames(&self) -> bool {
        self.frames.iter().any(|frame| frame.in_app)
    }

    /// Whether both would add the same to a hash: values do not count where there are frames.
    fn counts_as(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.ns_error == other.ns_error
            && self.frames == other.frames
            && (!self.frames.is_empty() || self.value == other.value)
    }
}

/// What the exceptions of an event offer, with what the rules of its project say about their stacks.
pub(super) fn parts<'e>(event: &'e Event<'_>, judgements: &[Judgement]) -> Vec<ExceptionPart<'e>> {
    let exceptions = &event.exceptions;
    let parts: Vec<_> = exceptions
        .iter()
        .enumerate()
        .map(|(at, exception)| part(exception, &Surroundings::of(event, judgements.get(at))))
        .collect();
    match of_tree(exceptions, &parts) {
        Some(chosen) => {
            let mut parts: Vec<_> = parts.into_iter().map(Some).collect();
            chosen
                .into_iter()
                .filter_map(|at| parts[at].take())
                .collect()
        }
        None => parts,
    }
}

fn part<'e>(exception: &'e Exception<'_>, surroundings: &Surroundings<'_>) -> ExceptionPart<'e> {
    let kind = exception
        .kind
        .as_deref()
        .filter(|_| !exception.is_synthetic());
    let frames = frame::parts(exception.frames(), surroundings);
    let ns_error = ns_error(exception.mechanism.as_ref());
    let value = exception
        .value
        .as_deref()
        .filter(|_| ns_error.is_none())
        .map(parameterize)
        .filter(|value| !value.is_empty());
    ExceptionPart {
        kind,
        message: exception.value.as_deref(),
        ns_error,
        value,
        frames,
    }
}

/// Domain and code of an Apple error.
fn ns_error(mechanism: Option<&Mechanism<'_>>) -> Option<String> {
    let error = mechanism?.meta.get("ns_error")?.as_object()?;
    let domain = error.get_str("domain")?;
    match error.get("code")? {
        Json::I64(code) => Some(format!("{domain} {code}")),
        Json::Str(code) => Some(format!("{domain} {code}")),
        _ => None,
    }
}

/// Of a tree of exceptions, those that count: if all members of its groups are of one kind, that kind and its causes
/// without the group around; else one of each kind and the root. `None` if there is no (sound) tree.
fn of_tree(exceptions: &[Exception<'_>], parts: &[ExceptionPart<'_>]) -> Option<Vec<usize>> {
    let tree = Tree::of(exceptions)?;
    let mut distinct: Vec<usize> = Vec::new();
    for at in tree.members(exceptions) {
        if !distinct
            .iter()
            .any(|&known| parts[known].counts_as(&parts[at]))
        {
            distinct.push(at);
        }
    }
    if let [only] = distinct[..] {
        let mut path = tree.first_path(only);
        path.reverse();
        return Some(path);
    }
    distinct.push(tree.root);
    Some(distinct)
}
