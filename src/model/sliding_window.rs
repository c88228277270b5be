//! How many there were lately. In: counts with their times. Out: their sum over a window that moves on; small enough to be
//! stored with what it is about.

use serde::{Deserialize, Serialize};

/// A window is counted in so many parts: the sum is of the last window, give or take one of them.
const PARTS: i64 = 60;

/// Counts of the parts of a window, the oldest first; parts without any are missing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SlidingWindow(Vec<(i64, i64)>);

impl SlidingWindow {
    /// Reads the stored form; what cannot be read is empty.
    pub fn parse(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// The stored form.
    pub fn to_text(&self) -> String {
        serde_json::to_string(&self.0).unwrap_or_default()
    }

    /// Adds a count at a time, and forgets what is older than the window.
    pub fn add(&mut self, time_ms: i64, number: i64, window_ms: i64) {
        let part = time_ms / part_ms(window_ms);
        match self.0.binary_search_by_key(&part, |(part, _)| *part) {
            Ok(at) => self.0[at].1 += number,
            Err(at) => self.0.insert(at, (part, number)),
        }
        let newest = self.0.last().map_or(part, |(part, _)| *part);
        self.0.retain(|(part, _)| *part > newest - PARTS);
    }

    pub fn sum(&self) -> i64 {
        self.0.iter().map(|(_, number)| number).sum()
    }
}

const fn part_ms(window_ms: i64) -> i64 {
    let part = window_ms / PARTS;
    if part < 1 { 1 } else { part }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MINUTE: i64 = 60_000;

    #[test]
    fn only_what_lies_within_the_window_counts() {
        let mut window = SlidingWindow::default();
        window.add(0, 3, MINUTE);
        window.add(59_000, 2, MINUTE);
        assert_eq!(window.sum(), 5);
        window.add(61_000, 1, MINUTE);
        assert_eq!(window.sum(), 3);
        window.add(10_000, 7, MINUTE);
        assert_eq!(window.sum(), 10, "late, and still within");
        window.add(500_000, 1, MINUTE);
        assert_eq!(window.sum(), 1);
        assert_eq!(SlidingWindow::parse(&window.to_text()), window);
        assert_eq!(SlidingWindow::parse("odd").sum(), 0);
    }

    proptest! {
        /// The sum is never less than what came within the window, nor more than within a window and one part.
        #[test]
        fn the_sum_is_right_to_one_part(
            mut times in prop::collection::vec(0i64..10_000_000, 1..60),
            window_ms in 1_000i64..5_000_000,
        ) {
            times.sort_unstable();
            let mut window = SlidingWindow::default();
            for time in &times {
                window.add(*time, 1, window_ms);
            }
            let newest = times.last().copied().unwrap_or_default();
            let part = part_ms(window_ms);
            let within = |span: i64| times.iter().filter(|time| newest - **time < span).count() as i64;
            prop_assert!(window.sum() >= within((PARTS - 1) * part));
            prop_assert!(window.sum() <= within(PARTS * part));
        }
    }
}
