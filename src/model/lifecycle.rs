//! What can be chosen for an issue. In: a choice, as a form or the API made it. Out: the state it leads to, and the words
//! for why an issue is no longer ignored.

use super::issue::{State, Substatus};

/// What somebody wants of an issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// Opens what is resolved or ignored; nobody reopens an issue as new.
    Reopen,
    /// An issue is known: open, and no longer new, regressed or escalating.
    Review,
    Resolve(Fix),
    Ignore(Until),
}

/// Where an issue is fixed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fix {
    /// Everywhere from now on.
    Now,
    InRelease(String),
    /// In the newest release that is known.
    InLatestRelease,
    /// In whatever comes after the newest release that is known.
    InNextRelease,
}

/// When an ignored issue comes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Until {
    Escalating,
    Forever,
    Met(Conditions),
}

/// What ends the ignoring of an issue, whichever comes first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conditions {
    pub time_ms: Option<i64>,
    pub events: Option<Threshold>,
    pub users: Option<Threshold>,
}

/// So many more, altogether or within a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threshold {
    pub count: i64,
    pub window_minutes: Option<i64>,
}

/// The longest window that can be asked for: a week.
pub const LONGEST_WINDOW_MINUTES: i64 = 7 * 24 * 60;
/// The largest number of events or users that can be waited for.
pub const LARGEST_COUNT: i64 = 1_000_000_000;
/// The longest time that an issue can be ignored for; longer is forever.
pub const LONGEST_MINUTES: i64 = 100 * 366 * 24 * 60;

impl Conditions {
    pub const fn is_empty(&self) -> bool {
        self.time_ms.is_none() && self.events.is_none() && self.users.is_none()
    }

    /// What is wrong with the numbers, as a sentence.
    pub fn problem(&self, now: i64) -> Option<String> {
        if let Some(time) = self.time_ms {
            if time <= now {
                return Some("an issue cannot be ignored until a time that is over".to_owned());
            }
            if time - now > LONGEST_MINUTES * 60_000 {
                return Some("an issue can be ignored for a hundred years, or forever".to_owned());
            }
        }
        for threshold in [self.events, self.users].into_iter().flatten() {
            if !(1..=LARGEST_COUNT).contains(&threshold.count) {
                return Some(format!(
                    "a number of events or users lies between 1 and {LARGEST_COUNT}"
                ));
            }
            if let Some(window) = threshold.window_minutes
                && !(1..=LONGEST_WINDOW_MINUTES).contains(&window)
            {
                return Some(format!(
                    "a window lies between 1 and {LONGEST_WINDOW_MINUTES} minutes"
                ));
            }
        }
        None
    }
}

impl Choice {
    /// The state that the choice leads to.
    pub const fn state(&self) -> State {
        match self {
            Self::Reopen | Self::Review => State::ONGOING,
            Self::Resolve(_) => State::RESOLVED,
            Self::Ignore(Until::Escalating) => State::ignored(Substatus::UntilEscalating),
            Self::Ignore(Until::Forever) => State::ignored(Substatus::Forever),
            Self::Ignore(Until::Met(_)) => State::ignored(Substatus::UntilConditionMet),
        }
    }
}

/// Why an issue is no longer ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Met {
    Time,
    Events,
    Users,
}

impl Met {
    /// The word in the data of an activity row.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Events => "events",
            Self::Users => "users",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_bounds() {
        let events = |count, window_minutes| Conditions {
            events: Some(Threshold {
                count,
                window_minutes,
            }),
            ..Conditions::default()
        };
        let until = |time_ms| Conditions {
            time_ms: Some(time_ms),
            ..Conditions::default()
        };
        for fine in [
            events(1, None),
            events(LARGEST_COUNT, Some(LONGEST_WINDOW_MINUTES)),
            until(1_001),
        ] {
            assert_eq!(fine.problem(1_000), None, "{fine:?}");
        }
        for odd in [
            events(0, None),
            events(-1, None),
            events(LARGEST_COUNT + 1, None),
            events(1, Some(0)),
            events(1, Some(LONGEST_WINDOW_MINUTES + 1)),
            until(1_000),
            until(i64::MAX),
        ] {
            assert!(odd.problem(1_000).is_some(), "{odd:?}");
        }
    }
}
