//! Grouping by exceptions: which of a chain count, and what each contributes.
//! In: the exceptions of an event. Out: type, value and frames of those that count, oldest first.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use crate::process::event::{Exception, Mechanism};
use crate::protocol::json::Json;

use super::frame::{self, FramePart};
use super::parameterize::parameterize;

/// What one exception offers for the hash.
#[derive(Debug, PartialEq)]
pub(super) struct ExceptionPart<'e> {
    /// Not of a synthetic exception, whose type says only how it was made.
    pub kind: Option<&'e str>,
    /// Parameterised; counts where the stack does not.
    pub value: Option<Cow<'e, str>>,
    pub frames: Vec<FramePart<'e>>,
}

impl ExceptionPart<'_> {
    pub fn has_in_app_frames(&self) -> bool {
        self.frames.iter().any(|frame| frame.in_app)
    }
}

pub(super) fn parts<'e>(exceptions: &'e [Exception<'_>], platform: &str) -> Vec<ExceptionPart<'e>> {
    let parts: Vec<_> = exceptions
        .iter()
        .map(|exception| part(exception, platform))
        .collect();
    match of_group(exceptions, &parts) {
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

fn part<'e>(exception: &'e Exception<'_>, platform: &str) -> ExceptionPart<'e> {
    let kind = exception
        .kind
        .as_deref()
        .filter(|_| !exception.is_synthetic());
    let frames = frame::parts(exception.frames(), platform);
    let value = ns_error(exception.mechanism.as_ref())
        .map(Cow::Owned)
        .or_else(|| exception.value.as_deref().map(parameterize))
        .filter(|value| !value.is_empty());
    ExceptionPart {
        kind,
        value,
        frames,
    }
}

/// Domain and code of an Apple error say more than its translated text.
fn ns_error(mechanism: Option<&Mechanism<'_>>) -> Option<String> {
    let error = mechanism?.meta.get("ns_error")?.as_object()?;
    let domain = error.get_str("domain")?;
    match error.get("code")? {
        Json::I64(code) => Some(format!("{domain} {code}")),
        _ => None,
    }
}

/// Of a tree of exceptions with groups in it, those that count: if all members are of one kind, that kind and its
/// causes without the group around; else one of each kind and the root. `None` if there is no (sound) tree.
fn of_group(exceptions: &[Exception<'_>], parts: &[ExceptionPart<'_>]) -> Option<Vec<usize>> {
    let tree = Tree::of(exceptions)?;
    let mut members = Vec::new();
    tree.members(tree.root, exceptions, &mut members);
    // Ids grow from left to right, so equal kinds always leave the same representative.
    members.sort_by_key(|&at| (&exceptions[at].kind, tree.ids[at]));
    let mut distinct: Vec<usize> = Vec::new();
    for at in members {
        if !distinct.iter().any(|&known| parts[known] == parts[at]) {
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

struct Tree {
    ids: Vec<i64>,
    root: usize,
    /// Children of each exception, by position, in order of their ids.
    children: Vec<Vec<usize>>,
}

impl Tree {
    /// Reads the ids. They must be unique, name one root and lead to it from everywhere.
    fn of(exceptions: &[Exception<'_>]) -> Option<Self> {
        let mechanisms: Vec<&Mechanism<'_>> = exceptions
            .iter()
            .map(|exception| exception.mechanism.as_ref())
            .collect::<Option<_>>()?;
        if !mechanisms
            .iter()
            .any(|it| it.is_exception_group == Some(true))
        {
            return None;
        }
        let ids: Vec<i64> = mechanisms
            .iter()
            .map(|mechanism| mechanism.exception_id)
            .collect::<Option<_>>()?;
        let places: HashMap<i64, usize> = ids.iter().copied().zip(0..).collect();
        if places.len() != ids.len() {
            return None;
        }
        let mut root = None;
        let mut children = vec![Vec::new(); ids.len()];
        for (at, mechanism) in mechanisms.iter().enumerate() {
            match mechanism.parent_id {
                Some(parent) => children[*places.get(&parent)?].push(at),
                None if root.is_none() => root = Some(at),
                None => return None,
            }
        }
        for siblings in &mut children {
            siblings.sort_by_key(|&at| ids[at]);
        }
        let tree = Self {
            root: root?,
            ids,
            children,
        };
        tree.reaches_all().then_some(tree)
    }

    fn reaches_all(&self) -> bool {
        let mut seen = HashSet::from([self.root]);
        let mut open = vec![self.root];
        while let Some(at) = open.pop() {
            for &child in &self.children[at] {
                if !seen.insert(child) {
                    return false;
                }
                open.push(child);
            }
        }
        seen.len() == self.ids.len()
    }

    /// The first exceptions below that are no groups. At most as deep as there are exceptions, which is bounded.
    fn members(&self, at: usize, exceptions: &[Exception<'_>], members: &mut Vec<usize>) {
        let mechanism = exceptions[at].mechanism.as_ref();
        let is_group = mechanism.is_some_and(|it| it.is_exception_group == Some(true));
        if !is_group || self.children[at].is_empty() {
            members.push(at);
            return;
        }
        for &child in &self.children[at] {
            self.members(child, exceptions, members);
        }
    }

    /// An exception, its first cause, that one's first cause and so on.
    fn first_path(&self, from: usize) -> Vec<usize> {
        let next = |at: &usize| self.children[*at].first().copied();
        std::iter::successors(Some(from), next).collect()
    }
}
