//! How an issue's events spread over the values of each tag. In: events with their tags. Out: counts by issue, key
//! and value; beyond a thousand values of a key the rest is counted as one.
//!
//! Tags are most of what a batch would have to write: nearly ten rows an event. So a large batch writes its sums as one
//! compressed row beside its other effects, and [`fold`] adds up many of these rows, in which the same values come again
//! and again. Exactly once holds all the same: the sums are written with what caused them and deleted with the counts
//! that they became. Under load the counts of tags are a second or so behind.

use std::borrow::Cow;
use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::BuildHasher;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::cache::Cache;
use super::place::Placed;
use crate::model::names::fit;
use crate::store::dialect::{self, Bind, Change, Upsert, upsert_rows};
use crate::store::schema::{issue_tags, tag_deltas};
use crate::store::{Conn, StoreError};

/// Values of one tag of one issue that are told apart.
const MOST_VALUES: usize = 1_000;
/// Counts what lies beyond.
pub const OTHER: &str = "(other)";

/// A batch of fewer events writes its counts at once.
const WORTH_DEFERRING: usize = 64;
/// Rows of sums that one transaction adds up: some thousand counts, some ten milliseconds of the writer's time.
const ROWS_PER_FOLD: i64 = 16;
/// No row of sums is larger once unpacked.
const MOST_BYTES: usize = 256 * 1024 * 1024;
/// Values that are remembered at most, of all issues together.
const MOST_KNOWN: usize = 400_000;
/// Issues whose values are read at once.
const ISSUES_AT_ONCE: usize = 200;

pub(super) const PLAN: Upsert = Upsert {
    table: "issue_tags",
    columns: &["issue_id", "tag_key", "tag_value", "events", "last_seen"],
    key: &["issue_id", "tag_key", "tag_value"],
    changes: &[("events", Change::Add), ("last_seen", Change::Max)],
};

/// Events with a value, and the newest of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sum(pub i64, pub i64);

impl Sum {
    const NONE: Self = Self(0, i64::MIN);

    fn add(&mut self, other: Self) {
        *self = Self(self.0 + other.0, self.1.max(other.1));
    }
}

type Values<'a> = HashMap<Cow<'a, str>, Sum>;
type OfIssue<'a> = HashMap<Cow<'a, str>, Values<'a>>;

/// By issue, key and value.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sums<'a>(#[serde(borrow)] BTreeMap<i64, OfIssue<'a>>);

impl<'a> Sums<'a> {
    fn of(placed: &[Placed<'a>]) -> Self {
        let mut sums = Self::default();
        for event in placed {
            let of_issue = sums.0.entry(event.issue_id).or_default();
            for (key, value) in &event.new.event.tags {
                of_issue
                    .entry(Cow::Borrowed(fit(key, 200)))
                    .or_default()
                    .entry(Cow::Borrowed(fit(value, 200)))
                    .or_insert(Sum::NONE)
                    .add(Sum(1, event.new.event.timestamp_ms));
            }
        }
        sums
    }

    /// The counts of one issue, each value given once or more often.
    pub fn of_issue(issue_id: i64, values: impl Iterator<Item = (&'a str, &'a str, Sum)>) -> Self {
        let mut of_issue = OfIssue::default();
        for (key, value, sum) in values {
            of_issue
                .entry(Cow::Borrowed(fit(key, 200)))
                .or_default()
                .entry(Cow::Borrowed(fit(value, 200)))
                .or_insert(Sum::NONE)
                .add(sum);
        }
        Self(BTreeMap::from([(issue_id, of_issue)]))
    }

    fn add(&mut self, other: Self) {
        for (issue_id, keys) in other.0 {
            let of_issue = self.0.entry(issue_id).or_default();
            for (key, values) in keys {
                let of_key = of_issue.entry(key).or_default();
                for (value, sum) in values {
                    of_key.entry(value).or_insert(Sum::NONE).add(sum);
                }
            }
        }
    }

    fn pack(&self) -> Option<Vec<u8>> {
        zstd::bulk::compress(&serde_json::to_vec(self).ok()?, 1).ok()
    }

    fn unpack(packed: &[u8]) -> Option<Vec<u8>> {
        zstd::bulk::decompress(packed, MOST_BYTES).ok()
    }

    fn read(json: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }
}

/// Counts the tags of a batch. The last step of its transaction, as it may take a lock that is common to all projects.
pub(super) fn add(conn: &mut Conn, cache: &Cache, placed: &[Placed<'_>]) -> Result<(), StoreError> {
    if placed.is_empty() {
        return Ok(());
    }
    let sums = Sums::of(placed);
    if placed.len() >= WORTH_DEFERRING
        && let Some(packed) = sums.pack()
    {
        let id = dialect::next_ids(conn, "tag_delta", 1)?;
        diesel::insert_into(tag_deltas::table)
            .values((tag_deltas::id.eq(id), tag_deltas::data.eq(packed)))
            .execute(conn)?;
        return Ok(());
    }
    let mut known = cache.lock_tags(conn)?;
    apply(conn, &mut known, &sums)
}

/// Adds up sums that batches have left; says how many rows of them are done. Run it in a transaction until it says 0.
pub fn fold(conn: &mut Conn, cache: &Cache) -> Result<usize, StoreError> {
    let waiting: Option<i64> = tag_deltas::table
        .select(tag_deltas::id)
        .first(conn)
        .optional()?;
    if waiting.is_none() {
        return Ok(0);
    }
    let mut known = cache.lock_tags(conn)?;
    let rows: Vec<(i64, Vec<u8>)> = tag_deltas::table
        .order(tag_deltas::id)
        .limit(ROWS_PER_FOLD)
        .select((tag_deltas::id, tag_deltas::data))
        .load(conn)?;
    let unpacked: Vec<(i64, Option<Vec<u8>>)> = rows
        .iter()
        .map(|(id, packed)| (*id, Sums::unpack(packed)))
        .collect();
    let mut sums = Sums::default();
    for (id, json) in &unpacked {
        if let Some(more) = json.as_deref().and_then(Sums::read) {
            sums.add(more);
        } else {
            tracing::error!(id, "a row of tag counts is damaged; it is left out");
        }
    }
    apply(conn, &mut known, &sums)?;
    let ids: Vec<i64> = rows.iter().map(|(id, _)| *id).collect();
    diesel::delete(tag_deltas::table.filter(tag_deltas::id.eq_any(&ids))).execute(conn)?;
    Ok(ids.len())
}

/// Which values of which tags have a row, so that the bound on values costs no counting.
#[derive(Default)]
pub(super) struct KnownTags {
    token: Option<i64>,
    hasher: RandomState,
    issues: HashMap<i64, HashMap<String, HashSet<u64>>>,
    values: usize,
}

impl KnownTags {
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// Keeps what is known only if the row of the lock holds the token that was left there.
    pub fn continue_from(&mut self, found: Option<i64>, token: i64) {
        if self.token.is_none() || self.token != found || self.values > MOST_KNOWN {
            self.forget();
        }
        self.token = Some(token);
    }

    /// Brings the values of issues into memory.
    fn read(&mut self, conn: &mut Conn, issue_ids: &[i64]) -> Result<(), StoreError> {
        let unknown: Vec<i64> = issue_ids
            .iter()
            .copied()
            .filter(|id| !self.issues.contains_key(id))
            .collect();
        for ids in unknown.chunks(ISSUES_AT_ONCE) {
            let rows: Vec<(i64, String, String)> = issue_tags::table
                .filter(issue_tags::issue_id.eq_any(ids))
                .select((
                    issue_tags::issue_id,
                    issue_tags::tag_key,
                    issue_tags::tag_value,
                ))
                .load(conn)?;
            for id in ids {
                self.issues.insert(*id, HashMap::new());
            }
            for (issue_id, key, value) in rows {
                if value != OTHER {
                    let mark = self.hasher.hash_one(&value);
                    let keys = self.issues.entry(issue_id).or_default();
                    keys.entry(key).or_default().insert(mark);
                    self.values += 1;
                }
            }
        }
        Ok(())
    }

    /// Whether a value is counted under its own name.
    fn admits(&mut self, issue_id: i64, key: &str, value: &str) -> bool {
        let mark = self.hasher.hash_one(value);
        let keys = self.issues.entry(issue_id).or_default();
        let Some(values) = keys.get_mut(key) else {
            keys.insert(key.to_owned(), HashSet::from([mark]));
            self.values += 1;
            return true;
        };
        if values.contains(&mark) {
            return true;
        }
        if values.len() >= MOST_VALUES {
            return false;
        }
        values.insert(mark);
        self.values += 1;
        true
    }
}

/// Adds sums to the counts.
pub(super) fn apply(
    conn: &mut Conn,
    known: &mut KnownTags,
    sums: &Sums<'_>,
) -> Result<(), StoreError> {
    let issue_ids: Vec<i64> = sums.0.keys().copied().collect();
    known.read(conn, &issue_ids)?;
    let mut counts = Vec::<(i64, &str, &str, Sum)>::new();
    for (issue_id, keys) in &sums.0 {
        for (key, values) in keys {
            let mut others = Sum::NONE;
            for (value, sum) in values {
                if value != OTHER && known.admits(*issue_id, key, value) {
                    counts.push((*issue_id, key, value, *sum));
                } else {
                    others.add(*sum);
                }
            }
            if others != Sum::NONE {
                counts.push((*issue_id, key, OTHER, others));
            }
        }
    }
    // In key order, as every transaction writes them.
    counts
        .sort_unstable_by(|left, right| (left.0, left.1, left.2).cmp(&(right.0, right.1, right.2)));
    let rows: Vec<Vec<Bind<'_>>> = counts
        .into_iter()
        .map(|(issue_id, key, value, Sum(events, last_seen))| {
            vec![
                Bind::I64(issue_id),
                Bind::Str(key),
                Bind::Str(value),
                Bind::I64(events),
                Bind::I64(last_seen),
            ]
        })
        .collect();
    upsert_rows(conn, &PLAN, &rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_survive_packing_and_add_up() {
        let sums = |events: i64, last_seen: i64| {
            let values = HashMap::from([(Cow::Borrowed("prod\"uction"), Sum(events, last_seen))]);
            Sums(BTreeMap::from([(
                7,
                HashMap::from([(Cow::Borrowed("environment"), values)]),
            )]))
        };
        let json = Sums::unpack(&sums(2, 50).pack().expect("packs")).expect("unpacks");
        let mut read = Sums::read(&json).expect("reads");
        assert_eq!(read, sums(2, 50));
        read.add(sums(3, 40));
        assert_eq!(read, sums(5, 50));
    }

    #[test]
    fn values_beyond_the_bound_are_not_told_apart() {
        let mut known = KnownTags::default();
        for number in 0..MOST_VALUES {
            assert!(known.admits(1, "url", &number.to_string()));
        }
        assert!(!known.admits(1, "url", "one more"));
        assert!(known.admits(1, "url", "7"), "a known value still counts");
        assert!(known.admits(2, "url", "one more"), "issues have their own");
    }
}
