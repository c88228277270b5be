//! The agents that a thread has seen lately: few are different, and reading one costs a hundred times as much as finding it.
//! In: an agent's text. Out: what it says, read at most once while it is remembered.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::Agent;

/// How many a generation holds. There are two, so about 300 KiB a thread.
const GENERATION: usize = 256;

type Agents = HashMap<Box<str>, Rc<Agent>>;

/// Those of the newer generation, and those of the one before it that nobody has asked for since.
#[derive(Default)]
struct Recent {
    newer: Agents,
    older: Agents,
}

thread_local! {
    static RECENT: RefCell<Recent> = RefCell::default();
}

pub(super) fn agent(text: &str, read: fn(&str) -> Agent) -> Rc<Agent> {
    RECENT.with_borrow_mut(|recent| recent.agent(text, read))
}

impl Recent {
    fn agent(&mut self, text: &str, read: impl FnOnce(&str) -> Agent) -> Rc<Agent> {
        if let Some(known) = self.newer.get(text) {
            return Rc::clone(known);
        }
        let agent = match self.older.remove(text) {
            Some(known) => known,
            None => Rc::new(read(text)),
        };
        if self.newer.len() == GENERATION {
            self.older = std::mem::take(&mut self.newer);
        }
        self.newer.insert(text.into(), Rc::clone(&agent));
        agent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_remembered_and_the_rest_is_bounded() {
        let mut recent = Recent::default();
        let mut reads = 0;
        for number in 0..10 * GENERATION {
            for text in ["often", &number.to_string()] {
                recent.agent(text, |_| {
                    reads += 1;
                    Agent::default()
                });
            }
        }
        assert_eq!(reads, 1 + 10 * GENERATION);
        assert!(recent.newer.len() + recent.older.len() <= 2 * GENERATION);
    }
}
