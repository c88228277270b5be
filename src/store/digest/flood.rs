//! Spike protection: of an issue that floods only a sample of payloads is kept. In: placed events and the limit of payloads
//! kept of an issue in a minute. Out: each event marked as kept or not; its counts stay exact either way.
//!
//! The first payloads of a minute are all kept, then one of ten, and one of a hundred where it is ten times as many: a
//! flood of any size leaves some thousand payloads a minute, spread over the whole minute.

use std::collections::{BTreeMap, HashSet};

use diesel::prelude::*;

use super::place::Placement;
use crate::store::schema::events;
use crate::store::{Conn, StoreError};

const MINUTE_MS: i64 = 60_000;

/// Where an issue stands in the minute that its last event came in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Flood {
    pub minute: i64,
    /// Events in that minute, kept or not.
    pub events: i64,
}

impl Flood {
    /// Counts an event; says whether its payload is kept. A limit of 0 keeps all.
    fn keeps(&mut self, received_ms: i64, limit: i64) -> bool {
        let minute = received_ms / MINUTE_MS;
        // Records of several nodes may come a little out of order: the minute never goes back.
        if minute > self.minute {
            *self = Self { minute, events: 0 };
        }
        self.events += 1;
        if limit == 0 || self.events <= limit {
            return true;
        }
        let mut step = 10;
        while self.events > limit.saturating_mul(step) {
            step *= 10;
        }
        self.events % step == 0
    }
}

/// Marks the events whose payloads are not kept. What is not kept cannot be found out as a repetition by the database, so
/// repetitions of kept events are taken out here.
pub(super) fn sample(
    conn: &mut Conn,
    placement: &mut Placement<'_>,
    limit: i64,
) -> Result<(), StoreError> {
    let mut dropped = BTreeMap::<i64, Vec<Vec<u8>>>::new();
    for event in &mut placement.events {
        let flood = placement.floods.entry(event.issue_id).or_default();
        event.kept = flood.keeps(event.new.item.received_ms, limit) || event.change.is_some();
        if !event.kept {
            dropped
                .entry(event.new.item.project_id)
                .or_default()
                .push(event.new.event.event_id.as_bytes().to_vec());
        }
    }
    let mut repeated = HashSet::<(i64, Vec<u8>)>::new();
    for (project_id, ids) in dropped {
        let found: Vec<Vec<u8>> = events::table
            .filter(events::project_id.eq(project_id))
            .filter(events::event_id.eq_any(ids))
            .select(events::event_id)
            .load(conn)?;
        repeated.extend(found.into_iter().map(|id| (project_id, id)));
    }
    if !repeated.is_empty() {
        placement.events.retain(|event| {
            let id = event.new.event.event_id.as_bytes().to_vec();
            event.kept || !repeated.contains(&(event.new.item.project_id, id))
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(flood: &mut Flood, events: usize, minute: i64, limit: i64) -> usize {
        (0..events)
            .filter(|_| flood.keeps(minute * MINUTE_MS, limit))
            .count()
    }

    #[test]
    fn the_first_are_kept_and_then_ever_fewer() {
        let mut flood = Flood::default();
        assert_eq!(kept(&mut flood, 1_000, 5, 1_000), 1_000);
        assert_eq!(kept(&mut flood, 9_000, 5, 1_000), 900);
        assert_eq!(kept(&mut flood, 90_000, 5, 1_000), 900);
        assert_eq!(kept(&mut flood, 10, 4, 1_000), 0, "an older minute opens nothing");
        assert_eq!(kept(&mut flood, 10, 6, 1_000), 10, "a new minute does");
        assert_eq!(kept(&mut Flood::default(), 5_000, 1, 0), 5_000, "0 keeps all");
    }
}
