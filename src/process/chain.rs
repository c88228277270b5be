//! How the exceptions of an event hang together. In: their ids and the ids of their parents. Out: the tree, and which of them
//! is the main one, that gives title, culprit and location.

use std::collections::{HashMap, HashSet};

use super::event::{Exception, Mechanism};

/// The exception that gives title, culprit and location: the last of the chain, also where it is a group that only wraps
/// another one. The group is what the application saw, and its own text often says how many there were.
pub(super) fn main_exception<'e, 'a>(exceptions: &'e [Exception<'a>]) -> Option<&'e Exception<'a>> {
    exceptions.last()
}

fn is_group(exception: &Exception<'_>) -> bool {
    let mechanism = exception.mechanism.as_ref();
    mechanism.is_some_and(|mechanism| mechanism.is_exception_group == Some(true))
}

/// Exceptions with their causes, and groups with their members.
pub(super) struct Tree {
    ids: Vec<i64>,
    pub root: usize,
    /// Children of each exception, by position, in order of their ids.
    children: Vec<Vec<usize>>,
}

impl Tree {
    /// Reads the ids. They must be unique, name one root and lead to it from everywhere.
    pub fn of(exceptions: &[Exception<'_>]) -> Option<Self> {
        if exceptions.len() < 2 {
            return None;
        }
        let mechanisms: Vec<&Mechanism<'_>> = exceptions
            .iter()
            .map(|exception| exception.mechanism.as_ref())
            .collect::<Option<_>>()?;
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

    /// The first exceptions from the root on that are no groups, by kind. Ids grow from left to right, so equal kinds always
    /// leave the same one in front.
    pub fn members(&self, exceptions: &[Exception<'_>]) -> Vec<usize> {
        let mut members = Vec::new();
        // A tree, so that nothing is met twice; at most as deep as there are exceptions, which is bounded.
        let mut open = vec![self.root];
        while let Some(at) = open.pop() {
            if is_group(&exceptions[at]) && !self.children[at].is_empty() {
                open.extend(&self.children[at]);
            } else {
                members.push(at);
            }
        }
        members.sort_by_key(|&at| (&exceptions[at].kind, self.ids[at]));
        members
    }

    /// An exception, its first cause, that one's first cause and so on.
    pub fn first_path(&self, from: usize) -> Vec<usize> {
        let next = |at: &usize| self.children[*at].first().copied();
        std::iter::successors(Some(from), next).collect()
    }
}
