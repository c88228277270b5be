//! Which events of one issue stay. In: their places in time, oldest first, and how many may stay. Out: a choice that is
//! spread over the time, and within a stretch of time the event whose release and environment are the rarest so far.

use std::collections::HashMap;

/// Stretches of time that an issue's life is cut into, at most; never more than events may stay.
const MOST_SLOTS: i64 = 64;
/// Events that are looked into for each one that stays.
const CANDIDATES: i64 = 8;
/// Combinations that are told apart.
const MOST_TRAITS: usize = 10_000;

/// What makes an event different from others of its issue: release and environment.
pub type Trait = (String, String);

/// How many events lie in each stretch of the time between the first and the latest.
#[derive(Debug, Clone)]
pub struct Slots {
    from: i64,
    width: i64,
    counts: Vec<i64>,
}

impl Slots {
    /// `from` and `to` are the row numbers of the first and the latest event: key order is time order. So many of those
    /// between may stay.
    pub fn new(from: i64, to: i64, quota: i64) -> Self {
        let slots = quota.clamp(1, MOST_SLOTS);
        Self {
            from,
            width: ((to - from) / slots + 1).max(1),
            counts: vec![0; slots as usize],
        }
    }

    fn slot(&self, id: i64) -> usize {
        usize::try_from((id - self.from) / self.width)
            .map_or(0, |slot| slot.min(self.counts.len() - 1))
    }

    /// Counts an event.
    pub fn add(&mut self, id: i64) {
        let slot = self.slot(id);
        self.counts[slot] += 1;
    }

    pub fn total(&self) -> i64 {
        self.counts.iter().sum()
    }

    /// Shares `quota` out: quiet stretches keep what they have, busy ones are cut to the same number.
    fn shares(&self, quota: i64) -> Vec<i64> {
        let kept_at = |level: i64| {
            self.counts
                .iter()
                .map(|count| level.min(*count))
                .sum::<i64>()
        };
        let (mut low, mut high) = (0, self.counts.iter().copied().max().unwrap_or(0));
        while low < high {
            let middle = low + (high - low + 1) / 2;
            if kept_at(middle) <= quota {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        // What does not divide is spread over those that have more.
        let left = (quota - kept_at(low)).max(0);
        let having_more = self.counts.iter().filter(|count| **count > low).count() as i64;
        let mut at = 0;
        let mut shares = Vec::with_capacity(self.counts.len());
        for count in &self.counts {
            let mut share = low.min(*count);
            if *count > low {
                let (before, after) = (at * left / having_more, (at + 1) * left / having_more);
                share += (after - before).min(1);
                at += 1;
            }
            shares.push(share);
        }
        shares
    }
}

/// What becomes of an event before anything is known about its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Stays,
    Goes,
    /// One of those with this number stays.
    Candidate(u64),
}

/// Walks over an issue's events, oldest first.
pub struct Selection {
    slots: Slots,
    shares: Vec<i64>,
    seen: Vec<i64>,
    traits: HashMap<Trait, u32>,
}

impl Selection {
    pub fn new(slots: Slots, quota: i64) -> Self {
        Self {
            shares: slots.shares(quota),
            seen: vec![0; slots.counts.len()],
            slots,
            traits: HashMap::new(),
        }
    }

    /// The next event.
    pub fn place(&mut self, id: i64) -> Place {
        let slot = self.slots.slot(id);
        let (count, share) = (self.slots.counts[slot], self.shares[slot]);
        let at = self.seen[slot];
        self.seen[slot] += 1;
        if at >= count || share >= count {
            // What came after the count is not part of the plan.
            return Place::Stays;
        }
        if share == 0 {
            return Place::Goes;
        }
        // The stretch is cut into as many groups as may stay, of which each gives one.
        let group = ((at + 1) * share - 1) / count;
        let begin = group * count / share;
        let size = (group + 1) * count / share - begin;
        if size == 1 {
            return Place::Stays;
        }
        let within = at - begin;
        let step = |at: i64| at * CANDIDATES / size;
        if size > CANDIDATES && within > 0 && step(within) == step(within - 1) {
            return Place::Goes;
        }
        Place::Candidate((slot as u64) << 48 | group.unsigned_abs())
    }

    /// Which of a group's candidates stays: the one that is like the fewest of those that stay already; the newest of
    /// several such. `None` stands for an event that cannot be read.
    pub fn choose(&mut self, candidates: &[Option<Trait>]) -> usize {
        let rarity = |known: &Option<Trait>| match known {
            Some(known) => self.traits.get(known).copied().unwrap_or(0),
            None => u32::MAX,
        };
        let chosen = candidates
            .iter()
            .enumerate()
            .rev()
            .min_by_key(|(_, known)| rarity(known))
            .map_or(0, |(at, _)| at);
        if let Some(Some(known)) = candidates.get(chosen) {
            self.note(known.clone());
        }
        chosen
    }

    /// Says what an event that stays is like.
    pub fn note(&mut self, known: Trait) {
        if self.traits.len() < MOST_TRAITS || self.traits.contains_key(&known) {
            *self.traits.entry(known).or_default() += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// The row numbers that stay, the first candidate of each group standing for it.
    fn kept(ids: &[i64], quota: i64) -> Vec<i64> {
        let mut slots = Slots::new(ids[0], *ids.last().expect("some"), quota);
        for id in ids {
            slots.add(*id);
        }
        let mut selection = Selection::new(slots, quota);
        let mut groups = BTreeMap::<u64, Vec<i64>>::new();
        let mut kept = Vec::new();
        for id in ids {
            match selection.place(*id) {
                Place::Stays => kept.push(*id),
                Place::Goes => {}
                Place::Candidate(group) => groups.entry(group).or_default().push(*id),
            }
        }
        for candidates in groups.values() {
            assert!(
                (1..=CANDIDATES as usize + 1).contains(&candidates.len()),
                "{candidates:?}"
            );
            kept.push(candidates[0]);
        }
        kept.sort_unstable();
        kept
    }

    #[test]
    fn exactly_as_many_stay_as_may_whatever_the_distribution() {
        for count in [3_i64, 64, 65, 1_000, 5_003] {
            for quota in [0, 1, 2, 7, 64, 500, 999, 5_000] {
                let even: Vec<i64> = (0..count).map(|at| at * 1_000_003).collect();
                let squares: Vec<i64> = (0..count).map(|at| at * at * 17).collect();
                let wanted = quota.min(count);
                assert_eq!(
                    kept(&even, quota).len() as i64,
                    wanted,
                    "{quota} of {count}"
                );
                assert_eq!(
                    kept(&squares, quota).len() as i64,
                    wanted,
                    "{quota} of {count}"
                );
            }
        }
    }

    #[test]
    fn quiet_times_keep_what_a_burst_loses() {
        let mut ids: Vec<i64> = (0..100).map(|day| day * 1_000_000).collect();
        ids.extend((0..10_000).map(|at| 50_000_001 + at));
        ids.sort_unstable();
        let kept = kept(&ids, 300);
        assert_eq!(kept.len(), 300);
        let outside = kept.iter().filter(|id| *id % 1_000_000 == 0).count();
        assert!(outside >= 97, "{outside} of the quiet days' events stay");
    }

    #[test]
    fn few_are_spread_over_the_whole_time() {
        let ids: Vec<i64> = (0..1_000).map(|at| at * 1_000).collect();
        let kept = kept(&ids, 17);
        for tenth in [0..200, 200..400, 400..600, 600..800, 800..1_000] {
            let within = kept.iter().filter(|id| tenth.contains(&(*id / 1_000)));
            assert!(within.count() >= 3, "{kept:?}");
        }
    }

    #[test]
    fn of_a_group_the_rarest_stays() {
        let mut selection = Selection::new(Slots::new(0, 10, 3), 3);
        let known =
            |release: &str, environment: &str| Some((release.to_owned(), environment.to_owned()));
        assert_eq!(
            selection.choose(&[known("1", "production"), known("1", "production")]),
            1,
            "the newest"
        );
        assert_eq!(
            selection.choose(&[known("1", "staging"), known("1", "production")]),
            0
        );
        assert_eq!(
            selection.choose(&[
                known("1", "production"),
                known("2", "production"),
                known("1", "staging")
            ]),
            1
        );
        assert_eq!(selection.choose(&[None, known("1", "production")]), 1);
        assert_eq!(selection.choose(&[None]), 0);
    }
}
