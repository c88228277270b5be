//! Counts of tags that go to another issue. In: the issues, and perhaps what of the counts goes. Out: the same counts in
//! the other issue, within its bound on values.
//!
//! Batches leave sums that are not added up yet, by the number of the issue they were made for. So [`are_waiting`] has to
//! say no for all sums from before the issues changed, or counts would come in after their move.

use std::collections::{BTreeMap, HashSet};

use diesel::prelude::*;

use super::cache::Cache;
use super::tags::{OTHER, PLAN, Sum, Sums, apply};
use crate::model::names::fit;
use crate::store::dialect::{Bind, upsert_rows};
use crate::store::schema::{issue_tags, tag_deltas};
use crate::store::{Conn, StoreError};

/// Whether sums from before a number are still to be added up.
pub fn are_waiting(conn: &mut Conn, before: i64) -> Result<bool, StoreError> {
    let waiting: Option<i64> = tag_deltas::table
        .filter(tag_deltas::id.lt(before))
        .select(tag_deltas::id)
        .first(conn)
        .optional()?;
    Ok(waiting.is_some())
}

/// Gives the first counts of one issue to another; says how many. An issue that gets no events any more is empty when it
/// says 0.
pub fn move_first(
    conn: &mut Conn,
    cache: &Cache,
    from: i64,
    to: i64,
    most: i64,
) -> Result<usize, StoreError> {
    let none: Option<i64> = issue_tags::table
        .filter(issue_tags::issue_id.eq(from))
        .select(issue_tags::issue_id)
        .first(conn)
        .optional()?;
    if none.is_none() {
        return Ok(0);
    }
    let mut known = cache.lock_tags(conn)?;
    let rows: Vec<(String, String, i64, i64)> = issue_tags::table
        .filter(issue_tags::issue_id.eq(from))
        .order((issue_tags::tag_key, issue_tags::tag_value))
        .limit(most)
        .select((
            issue_tags::tag_key,
            issue_tags::tag_value,
            issue_tags::events,
            issue_tags::last_seen,
        ))
        .load(conn)?;
    let values = rows.iter().map(|(key, value, events, last_seen)| {
        let sum = Sum(*events, *last_seen);
        (key.as_str(), value.as_str(), sum)
    });
    apply(conn, &mut known, &Sums::of_issue(to, values))?;
    for of_key in rows.chunk_by(|one, other| one.0 == other.0) {
        let values: Vec<&str> = of_key.iter().map(|row| row.1.as_str()).collect();
        diesel::delete(
            issue_tags::table
                .filter(issue_tags::issue_id.eq(from))
                .filter(issue_tags::tag_key.eq(&of_key[0].0))
                .filter(issue_tags::tag_value.eq_any(values)),
        )
        .execute(conn)?;
    }
    Ok(rows.len())
}

/// A tag of one event, and when that happened.
pub type Tagged<'a> = (&'a str, &'a str, i64);

/// Takes the tags of events off one issue and counts them for another.
pub fn shift(
    conn: &mut Conn,
    cache: &Cache,
    from: i64,
    to: i64,
    tags: &[Tagged<'_>],
) -> Result<(), StoreError> {
    if tags.is_empty() {
        return Ok(());
    }
    let mut known = cache.lock_tags(conn)?;
    let values = tags
        .iter()
        .map(|(key, value, time)| (*key, *value, Sum(1, *time)));
    apply(conn, &mut known, &Sums::of_issue(to, values))?;

    let mut going = BTreeMap::<&str, BTreeMap<&str, i64>>::new();
    for (key, value, _) in tags {
        let of_key = going.entry(fit(key, 200)).or_default();
        *of_key.entry(fit(value, 200)).or_default() += 1;
    }
    let mut rows = Vec::new();
    for (key, values) in going {
        // Beyond the bound on values an event was counted as one of the others.
        let named: Vec<String> = issue_tags::table
            .filter(issue_tags::issue_id.eq(from))
            .filter(issue_tags::tag_key.eq(key))
            .filter(issue_tags::tag_value.eq_any(values.keys().copied().collect::<Vec<_>>()))
            .select(issue_tags::tag_value)
            .load(conn)?;
        let named: HashSet<String> = named.into_iter().collect();
        let mut less = BTreeMap::<&str, i64>::new();
        for (value, events) in values {
            let counted_as = if named.contains(value) { value } else { OTHER };
            *less.entry(counted_as).or_default() -= events;
        }
        rows.extend(less.into_iter().map(|(value, events)| {
            vec![
                Bind::I64(from),
                Bind::Str(key),
                Bind::Str(value),
                Bind::I64(events),
                // The last time stays that of the events that stay, as far as it is known.
                Bind::I64(i64::MIN),
            ]
        }));
    }
    upsert_rows(conn, &PLAN, &rows)?;
    diesel::delete(
        issue_tags::table
            .filter(issue_tags::issue_id.eq(from))
            .filter(issue_tags::events.le(0)),
    )
    .execute(conn)?;
    Ok(())
}
