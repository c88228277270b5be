//! How an issue's events spread over the values of each tag. In: events with their tags. Out: counts by issue, key
//! and value; beyond a thousand values of a key the rest is counted as one.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;

use super::issues::Placed;
use crate::model::names;
use crate::store::dialect::{Bind, Change, Upsert, upsert_rows};
use crate::store::schema::issue_tags;
use crate::store::{Conn, StoreError};

/// Values of one tag of one issue that are told apart.
const MOST_VALUES: i64 = 1_000;
/// Counts what lies beyond.
pub const OTHER: &str = "(other)";

const PLAN: Upsert = Upsert {
    table: "issue_tags",
    columns: &["issue_id", "tag_key", "tag_value", "events", "last_seen"],
    key: &["issue_id", "tag_key", "tag_value"],
    changes: &[("events", Change::Add), ("last_seen", Change::Max)],
};

type Values = BTreeMap<String, (i64, i64)>;

pub(super) fn add(conn: &mut Conn, placed: &[Placed<'_>]) -> Result<(), StoreError> {
    let mut sums = BTreeMap::<i64, BTreeMap<String, Values>>::new();
    for event in placed {
        let of_issue = sums.entry(event.issue_id).or_default();
        for (key, value) in &event.new.event.tags {
            let values = of_issue.entry(names::cut(key, 200)).or_default();
            let (events, last_seen) = values
                .entry(names::cut(value, 200))
                .or_insert((0, i64::MIN));
            *events += 1;
            *last_seen = (*last_seen).max(event.new.event.timestamp_ms);
        }
    }
    let mut rows = Vec::new();
    for (issue_id, keys) in sums {
        let crowded = crowded_keys(conn, issue_id, &keys)?;
        for (key, mut values) in keys {
            if crowded.contains(&key) {
                values = fold_unknown(conn, issue_id, &key, values)?;
            }
            for (value, (events, last_seen)) in values {
                rows.push(vec![
                    Bind::I64(issue_id),
                    Bind::Text(key.clone()),
                    Bind::Text(value),
                    Bind::I64(events),
                    Bind::I64(last_seen),
                ]);
            }
        }
    }
    upsert_rows(conn, &PLAN, &rows)
}

/// The keys of an issue that may have no more new values. Only an issue with many rows needs a closer look.
fn crowded_keys(
    conn: &mut Conn,
    issue_id: i64,
    keys: &BTreeMap<String, Values>,
) -> Result<BTreeSet<String>, StoreError> {
    use diesel::dsl::count_star;
    let names: Vec<&String> = keys.keys().collect();
    let counts: Vec<(String, i64)> = issue_tags::table
        .filter(issue_tags::issue_id.eq(issue_id))
        .filter(issue_tags::tag_key.eq_any(names))
        .group_by(issue_tags::tag_key)
        .select((issue_tags::tag_key, count_star()))
        .load(conn)?;
    Ok(counts
        .into_iter()
        .filter(|(key, count)| {
            count + keys.get(key).map_or(0, |values| values.len() as i64) > MOST_VALUES
        })
        .map(|(key, _)| key)
        .collect())
}

fn fold_unknown(
    conn: &mut Conn,
    issue_id: i64,
    key: &str,
    values: Values,
) -> Result<Values, StoreError> {
    let known: Vec<String> = issue_tags::table
        .filter(issue_tags::issue_id.eq(issue_id))
        .filter(issue_tags::tag_key.eq(key))
        .filter(issue_tags::tag_value.eq_any(values.keys().collect::<Vec<_>>()))
        .select(issue_tags::tag_value)
        .load(conn)?;
    let known: BTreeSet<String> = known.into_iter().collect();
    let mut folded = Values::new();
    for (value, (events, last_seen)) in values {
        let value = if known.contains(&value) {
            value
        } else {
            OTHER.to_owned()
        };
        let sum = folded.entry(value).or_insert((0, i64::MIN));
        *sum = (sum.0 + events, sum.1.max(last_seen));
    }
    Ok(folded)
}
