//! How the sessions of a release went. In: sums of sessions by their end. Out: shares as people read them.

/// How a session went, from well to worst; it never gets better again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Health {
    Healthy,
    /// It had errors that were handled.
    Errored,
    /// It had an error that nobody handled, and went on.
    Unhandled,
    /// It ended without saying so.
    Abnormal,
    Crashed,
}

impl Health {
    /// The stored form.
    pub const fn code(self) -> i32 {
        match self {
            Self::Healthy => 0,
            Self::Errored => 1,
            Self::Unhandled => 2,
            Self::Abnormal => 3,
            Self::Crashed => 4,
        }
    }

    pub const fn from_code(code: i32) -> Self {
        match code {
            0 => Self::Healthy,
            1 => Self::Errored,
            2 => Self::Unhandled,
            3 => Self::Abnormal,
            _ => Self::Crashed,
        }
    }
}

/// Sessions, and how many of them went how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sessions {
    pub total: i64,
    pub errored: i64,
    pub unhandled: i64,
    pub abnormal: i64,
    pub crashed: i64,
}

impl Sessions {
    /// One session more, or with -1 one less, that went so.
    pub fn add(&mut self, health: Health, quantity: i64) {
        self.total += quantity;
        match health {
            Health::Healthy => {}
            Health::Errored => self.errored += quantity,
            Health::Unhandled => self.unhandled += quantity,
            Health::Abnormal => self.abnormal += quantity,
            Health::Crashed => self.crashed += quantity,
        }
    }

    pub fn merge(&mut self, more: &Self) {
        self.total += more.total;
        self.errored += more.errored;
        self.unhandled += more.unhandled;
        self.abnormal += more.abnormal;
        self.crashed += more.crashed;
    }

    pub fn healthy(&self) -> i64 {
        (self.total - self.errored - self.unhandled - self.abnormal - self.crashed).max(0)
    }

    /// Of a hundred sessions, those that did not crash; none where there are no sessions.
    pub fn crash_free(&self) -> Option<f64> {
        crash_free(self.total, self.crashed)
    }
}

/// Of a hundred, those that did not crash.
pub fn crash_free(total: i64, crashed: i64) -> Option<f64> {
    let share = |part: i64| part as f64 * 100.0 / total as f64;
    (total > 0).then(|| share((total - crashed.min(total)).max(0)))
}

/// A share for people: it says 100 only where nothing is missing, and 0 only where nothing is there.
pub fn percent(share: f64) -> String {
    if share >= 100.0 {
        return "100%".to_owned();
    }
    if share <= 0.0 {
        return "0%".to_owned();
    }
    let rounded = (share * 100.0).floor() / 100.0;
    if rounded <= 0.0 {
        return "<0.01%".to_owned();
    }
    format!("{rounded:.2}%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_never_round_to_what_is_not_so() {
        assert_eq!(percent(crash_free(3, 0).expect("a share")), "100%");
        assert_eq!(
            percent(crash_free(1_000_000, 1).expect("a share")),
            "99.99%"
        );
        assert_eq!(percent(crash_free(3, 1).expect("a share")), "66.66%");
        assert_eq!(percent(crash_free(2, 2).expect("a share")), "0%");
        assert_eq!(
            percent(crash_free(1_000_000, 999_999).expect("a share")),
            "<0.01%"
        );
        assert_eq!(crash_free(0, 0), None);
    }

    #[test]
    fn a_session_that_turns_worse_moves() {
        let mut sessions = Sessions::default();
        sessions.add(Health::Errored, 1);
        sessions.add(Health::Errored, -1);
        sessions.add(Health::Crashed, 1);
        assert_eq!(
            sessions,
            Sessions {
                total: 1,
                crashed: 1,
                ..Sessions::default()
            }
        );
        assert_eq!(sessions.healthy(), 0);
    }

    #[test]
    fn codes_come_back() {
        for health in [
            Health::Healthy,
            Health::Errored,
            Health::Unhandled,
            Health::Abnormal,
            Health::Crashed,
        ] {
            assert_eq!(Health::from_code(health.code()), health);
        }
    }
}
