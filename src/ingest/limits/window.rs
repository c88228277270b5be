//! What was taken in the present minute or month. In: the moment, and what other nodes and the database know of.
//! Out: how many there were, exactly on this node and nearly so on all of them together.

const MINUTE_MS: i64 = 60_000;
/// A month's limit is announced for so long at a time, so that a limit that was raised is noticed.
const LONGEST_ANNOUNCED_S: i64 = 600;

/// How long a limit counts before it begins anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Span {
    Minute,
    Month,
}

impl Span {
    /// The number of the minute or the month, UTC, that a moment belongs to.
    pub fn index(self, now_ms: i64) -> i64 {
        match self {
            Self::Minute => now_ms.div_euclid(MINUTE_MS),
            Self::Month => {
                let (year, month) = year_and_month(now_ms);
                year * 12 + month - 1
            }
        }
    }

    /// Seconds for which to announce that nothing more is taken.
    pub fn seconds_left(self, now_ms: i64) -> i64 {
        let left = match self {
            Self::Minute => (self.index(now_ms) + 1) * MINUTE_MS - now_ms,
            Self::Month => month_start_ms(self.index(now_ms) + 1) - now_ms,
        };
        ((left + 999) / 1000).clamp(1, LONGEST_ANNOUNCED_S)
    }
}

fn year_and_month(ms: i64) -> (i64, i64) {
    let time = jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let date = time.to_zoned(jiff::tz::TimeZone::UTC).date();
    (i64::from(date.year()), i64::from(date.month()))
}

/// When the month of an index begins, in milliseconds.
pub fn month_start_ms(index: i64) -> i64 {
    let date = i16::try_from(index.div_euclid(12))
        .ok()
        .and_then(|year| jiff::civil::Date::new(year, index.rem_euclid(12) as i8 + 1, 1).ok());
    date.and_then(|date| date.to_zoned(jiff::tz::TimeZone::UTC).ok())
        .map_or(0, |start| start.timestamp().as_millisecond())
}

/// The events of one minute or month.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Window {
    index: i64,
    /// What all nodes had taken when they last exchanged counts, or the database says.
    shared: i64,
    /// What this node has taken since; below zero if it gave back what the others know of already.
    own: i64,
    /// Somebody asked since the last exchange.
    touched: bool,
}

/// What a node tells the others about a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delta {
    pub index: i64,
    pub own: i64,
    pub known: i64,
}

impl Window {
    /// How many there were in the window of this index; another index begins a new one.
    pub fn used(&mut self, index: i64) -> i64 {
        if self.index != index {
            *self = Self {
                index,
                ..Self::default()
            };
        }
        self.touched = true;
        self.shared + self.own
    }

    pub fn take(&mut self) {
        self.own += 1;
    }

    /// Takes one back, unless another window has begun.
    pub fn give_back(&mut self, index: i64) {
        if self.index == index {
            self.own -= 1;
        }
    }

    /// Somebody knows of at least so many.
    pub fn raise(&mut self, index: i64, known: i64) {
        let touched = self.touched;
        if self.used(index) < known {
            self.shared = known - self.own;
        }
        self.touched = touched;
    }

    /// Has to be told again.
    pub fn touch(&mut self, index: i64) {
        self.touched |= self.index == index;
    }

    /// What to tell the others; none if nobody asked for this window since the last time.
    pub fn delta(&mut self, index: i64) -> Option<Delta> {
        if self.index != index || !self.touched {
            return None;
        }
        self.touched = false;
        Some(Delta {
            index,
            own: self.own,
            known: self.shared + self.own,
        })
    }

    /// The others have heard of `delta`, and there are `total` with it.
    pub fn told(&mut self, delta: Delta, total: i64) {
        if self.index == delta.index {
            self.shared = total;
            self.own -= delta.own;
        }
    }

    /// Index and number, where there is something to remember.
    pub fn remembered(&self) -> Option<(i64, i64)> {
        let used = self.shared + self.own;
        (used > 0).then_some((self.index, used))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(text: &str) -> i64 {
        text.parse::<jiff::Timestamp>()
            .expect("a time")
            .as_millisecond()
    }

    #[test]
    fn spans_begin_on_the_clock() {
        let now = ms("2026-02-28T23:59:58.500Z");
        assert_eq!(Span::Minute.seconds_left(now), 2);
        assert_eq!(Span::Month.seconds_left(now), 2);
        assert_eq!(Span::Month.index(now) + 1, Span::Month.index(now + 2000));
        assert_eq!(Span::Minute.index(now) + 1, Span::Minute.index(now + 2000));
        // A month is announced in pieces.
        assert_eq!(Span::Month.seconds_left(ms("2026-02-03T00:00:00Z")), 600);
        let december = Span::Month.index(ms("2026-12-31T23:00:00Z"));
        assert_eq!(month_start_ms(december), ms("2026-12-01T00:00:00Z"));
        assert_eq!(month_start_ms(december + 1), ms("2027-01-01T00:00:00Z"));
    }

    #[test]
    fn what_others_say_and_what_is_new_add_up() {
        let mut window = Window::default();
        assert_eq!(window.used(7), 0);
        window.take();
        window.take();
        let delta = window.delta(7).expect("something to tell");
        assert_eq!((delta.own, delta.known), (2, 2));
        // Taken while the exchange was under way.
        window.take();
        window.told(delta, 10);
        assert_eq!(window.used(7), 11);
        window.give_back(7);
        assert_eq!(window.used(7), 10);
        // The database lags behind, or knows more.
        window.raise(7, 4);
        assert_eq!(window.used(7), 10);
        window.raise(7, 40);
        assert_eq!(window.used(7), 40);
        assert_eq!(window.used(8), 0);
        assert_eq!(window.remembered(), None);
    }

    #[test]
    fn nobody_hears_of_what_nobody_asked_for() {
        let mut window = Window::default();
        window.raise(7, 5);
        assert_eq!(window.delta(7), None);
        window.used(7);
        assert!(window.delta(7).is_some());
        assert_eq!(window.delta(7), None);
        assert_eq!(window.delta(8), None);
    }
}
