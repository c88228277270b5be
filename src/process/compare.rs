//! What other rules would do. In: stored events with their issues, the present settings and others. Out: which issues would
//! split, merge or vanish.
//!
//! Both are run over the same events, so that what processing a stored event again changes by itself is not blamed on the
//! rules.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Incoming, ProcessError, ProcessedEvent, Settings, process};

/// An event as it is stored.
pub struct Sample {
    pub issue_id: i64,
    /// The normalised event as JSON.
    pub payload: Vec<u8>,
}

/// What would be different.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Difference {
    pub events: usize,
    pub issues: usize,
    /// Issues of which filters would leave out events: their number, and that of all that were looked at.
    pub filtered: BTreeMap<i64, (usize, usize)>,
    /// Issues whose events would go to several, with the number of these.
    pub splits: BTreeMap<i64, usize>,
    /// Issues whose events would meet.
    pub merges: Vec<BTreeSet<i64>>,
}

impl Difference {
    pub fn is_none(&self) -> bool {
        self.filtered.is_empty() && self.splits.is_empty() && self.merges.is_empty()
    }

    /// Issues that would get nothing any more.
    pub fn vanishing(&self) -> usize {
        let all = self
            .filtered
            .values()
            .filter(|(left_out, of)| left_out == of);
        all.count()
    }
}

/// Processes a stored event again.
pub fn again(payload: &[u8], settings: &Settings) -> Result<ProcessedEvent, ProcessError> {
    process(&Incoming::stored(payload), settings)
}

/// Compares the settings over the events, in the order given.
pub fn compare(samples: &[Sample], present: &Settings, other: &Settings) -> Difference {
    let (mut now, mut then) = (Clusters::default(), Clusters::default());
    for sample in samples {
        now.add(sample, present);
        then.add(sample, other);
    }
    let issues: BTreeSet<i64> = samples.iter().map(|sample| sample.issue_id).collect();
    let mut difference = Difference {
        events: samples.len(),
        issues: issues.len(),
        ..Difference::default()
    };
    for issue in issues {
        let left_out = then.filtered_of(issue);
        if left_out > now.filtered_of(issue) {
            let of = samples.iter().filter(|sample| sample.issue_id == issue);
            difference.filtered.insert(issue, (left_out, of.count()));
        }
        let parts = then.clusters_of(issue).len();
        if parts > now.clusters_of(issue).len().max(1) {
            difference.splits.insert(issue, parts);
        }
    }
    for meeting in then.meetings() {
        if !now.meetings().any(|before| meeting.is_subset(before)) {
            difference.merges.push(meeting.clone());
        }
    }
    difference
}

/// The issues that settings make of events, as the store makes them: by any hash that is known.
#[derive(Default)]
struct Clusters {
    known: HashMap<[u8; 16], usize>,
    /// The issues whose events each has.
    issues: Vec<BTreeSet<i64>>,
    filtered: HashMap<i64, usize>,
}

impl Clusters {
    fn add(&mut self, sample: &Sample, settings: &Settings) {
        match again(&sample.payload, settings) {
            Err(ProcessError::Filtered { .. }) => {
                *self.filtered.entry(sample.issue_id).or_default() += 1;
            }
            // A stored event is one; a damaged one changes nothing.
            Err(ProcessError::NotJson(_) | ProcessError::NotAnObject) => {}
            Ok(event) => {
                let mut hashes = event.hashes.iter();
                let found = hashes.find_map(|hash| self.known.get(hash).copied());
                let cluster = found.unwrap_or_else(|| {
                    self.issues.push(BTreeSet::new());
                    self.issues.len() - 1
                });
                for hash in event.hashes {
                    self.known.entry(hash).or_insert(cluster);
                }
                self.issues[cluster].insert(sample.issue_id);
            }
        }
    }

    fn filtered_of(&self, issue: i64) -> usize {
        self.filtered.get(&issue).copied().unwrap_or_default()
    }

    fn clusters_of(&self, issue: i64) -> Vec<usize> {
        let clusters = self.issues.iter().enumerate();
        let of_issue = clusters.filter(|(_, issues)| issues.contains(&issue));
        of_issue.map(|(at, _)| at).collect()
    }

    fn meetings(&self) -> impl Iterator<Item = &BTreeSet<i64>> {
        self.issues.iter().filter(|issues| issues.len() > 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples() -> Vec<Sample> {
        let event = |issue_id: i64, value: &str, release: &str| {
            Sample {
            issue_id,
            payload: format!(
                r#"{{"platform":"other","release":"{release}","exception":{{"values":[{{"type":"E","value":"{value}"}}]}}}}"#
            )
            .into_bytes(),
        }
        };
        vec![
            event(1, "no room", "a@1"),
            event(1, "no room", "a@2"),
            event(2, "no light", "a@1"),
            event(3, "no air", "b@1"),
        ]
    }

    fn difference(fingerprint_rules: &str, filters: &str) -> Difference {
        let other = Settings::new(fingerprint_rules, "", filters);
        compare(&samples(), &Settings::default(), &other)
    }

    #[test]
    fn what_changes_nothing_makes_no_difference() {
        let same = difference("error.type:Other -> x", "");
        assert!(same.is_none());
        assert_eq!((same.events, same.issues), (4, 3));
    }

    #[test]
    fn splits_merges_and_filtered_issues_are_found() {
        let merged = difference("release:a@* -> all-of-a", "");
        assert_eq!(merged.merges, [BTreeSet::from([1, 2])]);
        assert!(merged.splits.is_empty() && merged.filtered.is_empty());
        let split = difference("release:a@2 -> {{ default }}, two", "");
        assert_eq!(split.splits, BTreeMap::from([(1, 2)]));
        let filtered = difference("", r#"{"releases":["b@*","a@2"]}"#);
        let expected = BTreeMap::from([(1, (1, 2)), (3, (1, 1))]);
        assert_eq!((&filtered.filtered, filtered.vanishing()), (&expected, 1));
    }
}
