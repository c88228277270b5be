//! Whether Redis answers. In: what the forwarder meets. Out: a row of `/health/ready`.

use std::sync::{Mutex, PoisonError};

/// The last word of Redis, shared between the thread that talks to it and those who ask.
#[derive(Debug, Default)]
pub struct Pulse(Mutex<State>);

#[derive(Debug, Default, Clone, PartialEq, Eq)]
enum State {
    /// Nobody has talked to Redis yet.
    #[default]
    Unknown,
    Beating,
    Away(String),
}

impl Pulse {
    pub(super) fn beats(&self) {
        self.set(State::Beating);
    }

    pub(super) fn is_away(&self, problem: String) {
        self.set(State::Away(problem));
    }

    /// What is wrong with Redis, where something is.
    pub fn problem(&self) -> Option<String> {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Unknown | State::Beating => None,
            State::Away(problem) => Some(problem.clone()),
        }
    }

    fn set(&self, state: State) {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if *current != state {
            *current = state;
        }
    }
}
