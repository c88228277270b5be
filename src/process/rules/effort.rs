//! What matching may cost, so that neither many rules nor an event with thousands of frames can hold up the others.
//! In: the work that is about to be done. Out: whether it may be.

use std::cell::Cell;

/// A budget for one event. When it is spent, nothing matches any more.
pub(in crate::process) struct Effort(Cell<usize>);

impl Effort {
    /// In units of about ten nanoseconds. Fifty rules and a stack of fifty frames take a few thousand.
    const MOST: usize = 500_000;

    pub fn new() -> Self {
        Self(Cell::new(Self::MOST))
    }

    /// Says whether so much was left.
    pub fn spend(&self, cost: usize) -> bool {
        let left = self.0.get().saturating_sub(cost);
        self.0.set(left);
        left > 0
    }

    pub fn is_spent(&self) -> bool {
        self.0.get() == 0
    }
}
