//! Event rows. In: the events of a batch. Out: those that are not there yet, and their rows.

use std::collections::{BTreeMap, HashMap, HashSet};

use diesel::prelude::*;

use super::place::Placed;
use super::{Content, Item, NewEvent, Repetitions};
use crate::protocol::event_id::EventId;
use crate::store::dialect::{Bind, insert_rows};
use crate::store::schema::events;
use crate::store::{Conn, StoreError, nodes};

/// Drops events whose id the project has already, in the database or earlier in the batch: an SDK's resend counts once.
pub(super) fn without_repetitions<'a>(
    conn: &mut Conn,
    items: &[&'a Item],
    repetitions: Repetitions,
) -> Result<Vec<NewEvent<'a>>, StoreError> {
    let mut known = HashSet::<(i64, EventId)>::new();
    if repetitions == Repetitions::LookedFor {
        let mut ids = BTreeMap::<i64, Vec<Vec<u8>>>::new();
        for item in items {
            if let Content::Event(event) = &item.content {
                ids.entry(item.project_id)
                    .or_default()
                    .push(event.event_id.as_bytes().to_vec());
            }
        }
        for (project_id, ids) in ids {
            let found: Vec<Vec<u8>> = events::table
                .filter(events::project_id.eq(project_id))
                .filter(events::event_id.eq_any(ids))
                .select(events::event_id)
                .load(conn)?;
            let found = found.into_iter().filter_map(|id| id.try_into().ok());
            known.extend(found.map(|id| (project_id, EventId::from_bytes(id))));
        }
    }
    let mut new = Vec::with_capacity(items.len());
    for item in items {
        if let Content::Event(event) = &item.content
            && known.insert((item.project_id, event.event_id))
        {
            new.push(NewEvent { item, event });
        }
    }
    Ok(new)
}

/// Writes the rows of the kept events in key order.
pub(super) fn insert(conn: &mut Conn, placed: &[Placed<'_>]) -> Result<(), StoreError> {
    let mut numbers = HashMap::<i64, i64>::new();
    let mut rows = Vec::with_capacity(placed.len());
    for Placed {
        new,
        issue_id,
        hash,
        ..
    } in placed.iter().filter(|event| event.kept)
    {
        let number = if let Some(number) = numbers.get(&new.item.node) {
            *number
        } else {
            let number = nodes::number_of(conn, new.item.node)?;
            numbers.insert(new.item.node, number);
            number
        };
        rows.push((
            row_id(new.item.received_ms, number, new.item.seq),
            *issue_id,
            hash,
            new,
        ));
    }
    rows.sort_unstable_by_key(|(id, ..)| *id);
    let rows: Vec<Vec<Bind<'_>>> = rows
        .into_iter()
        .map(|(id, issue_id, hash, new)| {
            vec![
                Bind::I64(id),
                Bind::I64(new.item.project_id),
                Bind::I64(issue_id),
                Bind::Slice(new.event.event_id.as_bytes()),
                Bind::I64(new.event.timestamp_ms),
                Bind::Slice(&new.item.data),
                Bind::Slice(hash),
            ]
        })
        .collect();
    let columns = [
        "id",
        "project_id",
        "issue_id",
        "event_id",
        "timestamp",
        "data",
        "hash",
    ];
    insert_rows(conn, "events", &columns, &rows)
}

/// 2020-01-01: 41 bits of milliseconds from here last until 2089.
const EPOCH_MS: i64 = 1_577_836_800_000;

/// Milliseconds of receipt, ten bits of node, twelve bits of sequence: keys grow with time, and the same record
/// always has the same key.
pub fn row_id(received_ms: i64, node_number: i64, seq: u64) -> i64 {
    ((received_ms - EPOCH_MS).max(0) << 22) | ((node_number & 0x3ff) << 12) | (seq & 0xfff) as i64
}

/// The smallest key of an event received at or after a time.
pub fn first_row_id_at(received_ms: i64) -> i64 {
    (received_ms - EPOCH_MS).max(0) << 22
}

/// When the event of a key was received.
pub fn received_at(row_id: i64) -> i64 {
    (row_id >> 22) + EPOCH_MS
}
