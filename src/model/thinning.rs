//! Which events go when more are kept than may be. In: how much each issue keeps, and a limit for all of them.
//! Out: how much each may keep, and which of an issue's events stay. Pure; docs/operations.md tells owners the rule.
//!
//! Every issue has the same room beyond its floor, so the noisiest issues lose events first, and none loses one while
//! another keeps more. Within an issue [`selection`] chooses.

mod selection;

pub use selection::{Place, Selection, Slots, Trait};

/// Events that an issue keeps as long as that is possible at all.
pub const FLOOR: i64 = 10;
/// The first and the latest event stay whatever the limit is.
pub const ENDS: i64 = 2;
/// What an event takes beside its payload: its row and its entries in the indexes.
pub const ROW_BYTES: i64 = 150;

/// What is left of something that is over its limit: a twentieth less than the limit, so that the next event does not
/// begin the work again.
pub fn target(limit: i64) -> i64 {
    limit - limit / 20
}

/// The events of an issue or of several that are kept, and the bytes of their payloads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kept {
    pub events: i64,
    pub bytes: i64,
}

impl Kept {
    /// Payloads with their rows and index entries.
    pub fn size(self) -> i64 {
        self.bytes + self.events * ROW_BYTES
    }
}

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    Events,
    Bytes,
}

impl Measure {
    pub fn of(self, kept: Kept) -> i64 {
        match self {
            Self::Events => kept.events,
            Self::Bytes => kept.size(),
        }
    }

    /// An issue's share up to its floor, and what it has beyond.
    fn split(self, kept: Kept, floor: i64) -> (i64, i64) {
        let all = self.of(kept);
        if kept.events <= floor {
            return (all, 0);
        }
        let share = i128::from(all) * i128::from(floor) / i128::from(kept.events);
        let share = i64::try_from(share).unwrap_or(all);
        (share, all - share)
    }
}

/// How sizes are distributed, in little memory however many issues there are.
pub struct Sizes {
    measure: Measure,
    floors: [Distribution; 2],
}

impl Sizes {
    pub fn new(measure: Measure) -> Self {
        Self {
            measure,
            floors: [FLOOR, ENDS].map(Distribution::new),
        }
    }

    /// Counts an issue.
    pub fn add(&mut self, kept: Kept) {
        for distribution in &mut self.floors {
            let (share, rest) = self.measure.split(kept, distribution.floor);
            distribution.add(share, rest);
        }
    }

    /// What each issue may keep so that all together stay within `target`; where that cannot be, the least.
    pub fn allowance(&self, target: i64) -> Allowance {
        let room = |distribution: &Distribution| Allowance {
            measure: self.measure,
            floor: distribution.floor,
            room: distribution.room(target),
        };
        let usual = room(&self.floors[0]);
        if usual.room > 0 || self.floors[0].shares <= target {
            usual
        } else {
            room(&self.floors[1])
        }
    }
}

/// The same for every issue: a floor in events, and room beyond it in the measure of the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    measure: Measure,
    floor: i64,
    room: i64,
}

impl Allowance {
    /// How many of its events an issue keeps.
    pub fn quota(&self, kept: Kept) -> i64 {
        let (_, rest) = self.measure.split(kept, self.floor);
        if rest <= self.room {
            return kept.events;
        }
        let beyond =
            i128::from(kept.events - self.floor) * i128::from(self.room) / i128::from(rest);
        self.floor + i64::try_from(beyond).unwrap_or(0)
    }
}

/// How many events an issue keeps under a limit of its own.
pub fn issue_quota(limit: i64) -> i64 {
    target(limit).max(ENDS)
}

/// Buckets for each power of two.
const FINE: usize = 8;

struct Distribution {
    floor: i64,
    shares: i64,
    /// Count and sum of what issues have beyond the floor.
    buckets: Vec<(i64, i64)>,
}

impl Distribution {
    fn new(floor: i64) -> Self {
        Self {
            floor,
            shares: 0,
            buckets: vec![(0, 0); 64 * FINE],
        }
    }

    fn add(&mut self, share: i64, rest: i64) {
        self.shares += share;
        if rest > 0 {
            let (count, sum) = &mut self.buckets[bucket(rest)];
            *count += 1;
            *sum += rest;
        }
    }

    /// The level at which what stands above it is cut off: what is below is kept whole.
    fn room(&self, target: i64) -> i64 {
        let mut left = target - self.shares;
        let mut above: i64 = self.buckets.iter().map(|(count, _)| count).sum();
        if left <= 0 {
            return 0;
        }
        for (number, (count, sum)) in self.buckets.iter().enumerate() {
            if above == 0 {
                break;
            }
            let level = left / above;
            if *count > 0 && bucket(level.max(1)) <= number {
                return level;
            }
            left -= sum;
            above -= count;
        }
        i64::MAX
    }
}

/// Small numbers have a bucket each, larger ones share theirs with what is up to an eighth larger.
fn bucket(size: i64) -> usize {
    let size = size.max(1).unsigned_abs();
    let power = 63 - size.leading_zeros() as usize;
    let fine = if power >= 3 {
        (size >> (power - 3)) & 7
    } else {
        (size << (3 - power)) & 7
    };
    power * FINE + fine as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(events: i64) -> Kept {
        Kept {
            events,
            bytes: events * 400,
        }
    }

    fn quotas(measure: Measure, issues: &[Kept], target: i64) -> Vec<i64> {
        let mut sizes = Sizes::new(measure);
        for kept in issues {
            sizes.add(*kept);
        }
        let allowance = sizes.allowance(target);
        issues.iter().map(|kept| allowance.quota(*kept)).collect()
    }

    #[test]
    fn the_noisiest_issues_go_first_and_down_to_the_same_room() {
        let issues = [5, 40, 300, 2_000, 3_000].map(events);
        assert_eq!(
            quotas(Measure::Events, &issues, 10_000),
            [5, 40, 300, 2_000, 3_000]
        );
        let kept = quotas(Measure::Events, &issues, 2_345);
        assert_eq!(kept[..3], [5, 40, 300]);
        assert_eq!(kept[3], kept[4]);
        let sum: i64 = kept.iter().sum();
        assert!((2_340..=2_345).contains(&sum), "{kept:?}");
        // The level is the same whether the issues are large or small.
        assert_eq!(quotas(Measure::Events, &issues, 105)[..2], [5, 25]);
    }

    #[test]
    fn the_floor_gives_way_only_when_all_are_at_it() {
        let issues = [events(100), events(100), events(2)];
        assert_eq!(quotas(Measure::Events, &issues, 22), [10, 10, 2]);
        let below = quotas(Measure::Events, &issues, 14);
        assert_eq!(below, [6, 6, 2]);
        assert_eq!(quotas(Measure::Events, &issues, 1), [2, 2, 2]);
    }

    #[test]
    fn bytes_count_with_rows_and_large_events_cost_more() {
        let small = events(1_000);
        let large = Kept {
            events: 1_000,
            bytes: 1_000 * 5_000,
        };
        let whole = small.size() + large.size();
        assert_eq!(
            quotas(Measure::Bytes, &[small, large], whole),
            [1_000, 1_000]
        );
        let kept = quotas(Measure::Bytes, &[small, large], whole - large.size() / 2);
        assert_eq!(kept[0], 1_000);
        assert!((490..=500).contains(&kept[1]), "{kept:?}");
        let kept = quotas(Measure::Bytes, &[small, large], 400_000);
        let size = kept[0] * 550 + kept[1] * 5_150;
        assert!((380_000..=400_000).contains(&size), "{kept:?} {size}");
    }

    #[test]
    fn whatever_the_sizes_the_sum_is_within_the_target_and_near_it() {
        let mut state = 88_u64;
        let mut random = move |bound: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            ((state >> 33) % bound) as i64
        };
        for _ in 0..200 {
            let issues: Vec<Kept> = (0..300)
                .map(|_| events(1 + random(10) * random(100) * random(100)))
                .collect();
            let all: i64 = issues.iter().map(|kept| kept.events).sum();
            let target = all / 4 + random(all.unsigned_abs());
            let sum: i64 = quotas(Measure::Events, &issues, target).iter().sum();
            assert!(sum <= target, "{sum} of {target}");
            assert!(
                sum == all || sum >= target - 300 - target / 100,
                "{sum} of {target}, {all} in all"
            );
        }
    }

    #[test]
    fn limits_leave_a_little_air() {
        assert_eq!([0, 5, 100, 1_000].map(target), [0, 5, 95, 950]);
        assert_eq!([1, 5, 1_000].map(issue_quota), [2, 5, 950]);
    }
}
