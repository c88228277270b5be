//! An issue's states and what may follow what. In: a stored number, a word from a form or the API. Out: the state,
//! its name, and the change that an action makes.

/// Seven days: as long as an issue counts as new or regressed before it is simply there.
pub const FRESH_MS: i64 = 7 * 24 * 3_600_000;

/// Whether an issue needs somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    Unresolved,
    Resolved,
    Ignored,
}

impl Status {
    /// The stored form.
    pub const fn code(self) -> i32 {
        match self {
            Self::Unresolved => 0,
            Self::Resolved => 1,
            Self::Ignored => 2,
        }
    }

    /// Reads the stored form; anything unknown is shown rather than hidden.
    pub const fn from_code(code: i32) -> Self {
        match code {
            1 => Self::Resolved,
            2 => Self::Ignored,
            _ => Self::Unresolved,
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unresolved => "unresolved",
            Self::Resolved => "resolved",
            Self::Ignored => "ignored",
        }
    }

    /// Reads the word of a form or a request; `archived` is the API's newer word for ignored.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "unresolved" => Some(Self::Unresolved),
            "resolved" => Some(Self::Resolved),
            "ignored" | "archived" | "muted" => Some(Self::Ignored),
            _ => None,
        }
    }
}

/// Why an issue has its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Substatus {
    None,
    Escalating,
    Ongoing,
    Forever,
    Regressed,
    New,
}

impl Substatus {
    /// The stored form.
    pub const fn code(self) -> i32 {
        match self {
            Self::None => 0,
            Self::Escalating => 2,
            Self::Ongoing => 3,
            Self::Forever => 5,
            Self::Regressed => 6,
            Self::New => 7,
        }
    }

    pub const fn from_code(code: i32) -> Self {
        match code {
            2 => Self::Escalating,
            3 => Self::Ongoing,
            5 => Self::Forever,
            6 => Self::Regressed,
            7 => Self::New,
            _ => Self::None,
        }
    }

    /// The API's word; resolved issues have none.
    pub const fn as_str(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Escalating => Some("escalating"),
            Self::Ongoing => Some("ongoing"),
            Self::Forever => Some("archived_forever"),
            Self::Regressed => Some("regressed"),
            Self::New => Some("new"),
        }
    }
}

/// A status with its reason, as both are stored and change together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct State {
    pub status: Status,
    pub substatus: Substatus,
}

impl State {
    /// A fresh issue.
    pub const NEW: Self = Self {
        status: Status::Unresolved,
        substatus: Substatus::New,
    };
    /// A resolved issue that came back.
    pub const REGRESSED: Self = Self {
        status: Status::Unresolved,
        substatus: Substatus::Regressed,
    };

    pub const fn from_codes(status: i32, substatus: i32) -> Self {
        Self {
            status: Status::from_code(status),
            substatus: Substatus::from_code(substatus),
        }
    }

    /// What choosing a status by hand leads to: nobody reopens an issue as new.
    pub const fn chosen(status: Status) -> Self {
        let substatus = match status {
            Status::Unresolved => Substatus::Ongoing,
            Status::Resolved => Substatus::None,
            Status::Ignored => Substatus::Forever,
        };
        Self { status, substatus }
    }

    /// The state to show: new and regressed wear off after a week without anybody writing it down.
    #[must_use]
    pub const fn seen_at(self, first_seen: i64, status_changed_at: i64, now: i64) -> Self {
        let worn = match self.substatus {
            Substatus::New => first_seen < now - FRESH_MS,
            Substatus::Regressed => status_changed_at < now - FRESH_MS,
            _ => false,
        };
        if worn {
            Self {
                status: self.status,
                substatus: Substatus::Ongoing,
            }
        } else {
            self
        }
    }
}

/// The kind of an activity row that a change of status leaves.
pub const fn activity_kind(status: Status) -> &'static str {
    match status {
        Status::Unresolved => "set_unresolved",
        Status::Resolved => "set_resolved",
        Status::Ignored => "set_ignored",
    }
}

/// The kinds of activity rows that the digest leaves.
pub const ACTIVITY_FIRST_SEEN: &str = "first_seen";
pub const ACTIVITY_REGRESSION: &str = "set_regression";

/// The kinds of activity rows that merging and splitting leave: on the issue that others were merged into, on the one that
/// fingerprints were split off, and on the new one that these made.
pub const ACTIVITY_MERGE: &str = "merge";
pub const ACTIVITY_SPLIT_OFF: &str = "unmerge_source";
pub const ACTIVITY_SPLIT_FROM: &str = "unmerge_destination";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_forms_go_both_ways() {
        for status in [Status::Unresolved, Status::Resolved, Status::Ignored] {
            assert_eq!(Status::from_code(status.code()), status);
            assert_eq!(Status::parse(status.as_str()), Some(status));
        }
        for substatus in [
            Substatus::None,
            Substatus::Escalating,
            Substatus::Ongoing,
            Substatus::Forever,
            Substatus::Regressed,
            Substatus::New,
        ] {
            assert_eq!(Substatus::from_code(substatus.code()), substatus);
        }
        assert_eq!(Status::parse("gone"), None);
    }

    #[test]
    fn new_and_regressed_wear_off() {
        let now = 100 * FRESH_MS;
        assert_eq!(State::NEW.seen_at(now - 1, now - 1, now), State::NEW);
        assert_eq!(
            State::NEW.seen_at(now - FRESH_MS - 1, now, now).substatus,
            Substatus::Ongoing
        );
        assert_eq!(State::REGRESSED.seen_at(0, now - 1, now), State::REGRESSED);
        assert_eq!(
            State::REGRESSED
                .seen_at(0, now - FRESH_MS - 1, now)
                .substatus,
            Substatus::Ongoing
        );
    }
}
