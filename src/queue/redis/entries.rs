//! Entries of the streams. In: Redis' answer to a read. Out: deliveries, and what their journals say about themselves.

use std::collections::BTreeMap;
use std::time::Instant;

use redis::{RedisResult, Value, from_redis_value};

use super::{HELD_AT_MOST, Lane};
use crate::journal::decode_record;
use crate::queue::{Claim, Delivery, Handle, Terms};

/// The place of an entry among all that its Redis ever gave: milliseconds and a number within.
pub(super) type EntryId = (u64, u64);

pub(super) fn entry_id(text: &str) -> Option<EntryId> {
    let (ms, number) = text.split_once('-')?;
    Some((ms.parse().ok()?, number.parse().ok()?))
}

/// Which stream of which partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place {
    pub partition: i64,
    pub lane: Lane,
}

/// One stream's share of an answer: its name and its entries.
pub(super) fn streams(answer: Value) -> RedisResult<Vec<(String, Vec<Value>)>> {
    let pairs: Vec<(Value, Value)> = match answer {
        Value::Array(streams) => streams.into_iter().filter_map(pair).collect(),
        // What the third version of the protocol makes of it.
        Value::Map(streams) => streams,
        _ => Vec::new(),
    };
    let mut found = Vec::with_capacity(pairs.len());
    for (name, entries) in pairs {
        if let Value::Array(entries) = entries {
            found.push((from_redis_value(name)?, entries));
        }
    }
    Ok(found)
}

/// Collects what was read. Bodies are moved, not copied.
#[derive(Default)]
pub(super) struct Collected {
    deliveries: Vec<Delivery>,
    safe_below: BTreeMap<i64, u64>,
}

impl Collected {
    /// Whoever held these before may have died of one of them.
    pub fn suspect(mut self) -> Self {
        for delivery in &mut self.deliveries {
            delivery.is_suspect = true;
        }
        self
    }

    pub fn add(&mut self, place: Place, entries: Vec<Value>) {
        for entry in entries {
            let Some((id, fields)) = parts(entry) else {
                continue;
            };
            if let Some(delivery) = fields.and_then(|fields| self.delivery(place, &id, fields)) {
                self.deliveries.push(delivery);
            } else {
                // Left pending: the journal that sent it has it still, and a worker of a later version may read it.
                tracing::warn!(id, ?place, "a stream entry cannot be read");
            }
        }
    }

    fn delivery(&mut self, place: Place, id: &str, fields: Vec<Value>) -> Option<Delivery> {
        let mut fields = fields.into_iter();
        let (mut node, mut safe, mut body) = (None, None, None);
        while let (Some(Value::BulkString(name)), Some(value)) = (fields.next(), fields.next()) {
            match &name[..] {
                b"node" => node = from_redis_value::<i64>(value).ok(),
                b"safe" => safe = from_redis_value::<u64>(value).ok(),
                b"body" => {
                    if let Value::BulkString(bytes) = value {
                        body = Some(bytes);
                    }
                }
                _ => {}
            }
        }
        let (node, body) = (node?, body?);
        let record = decode_record(body)?;
        if let Some(safe) = safe {
            let known = self.safe_below.entry(node).or_insert(safe);
            *known = (*known).max(safe);
        }
        Some(Delivery {
            node,
            record,
            handle: Handle::Stream {
                partition: place.partition,
                lane: place.lane,
                id: id.to_owned(),
            },
            is_suspect: false,
        })
    }

    pub fn len(&self) -> usize {
        self.deliveries.len()
    }

    pub fn into_claim(self) -> Claim {
        Claim {
            deliveries: self.deliveries,
            terms: Terms {
                safe_below: self.safe_below.into_iter().collect(),
                expires: Some(Instant::now() + HELD_AT_MOST),
            },
        }
    }
}

fn pair(value: Value) -> Option<(Value, Value)> {
    let Value::Array(mut both) = value else {
        return None;
    };
    let second = both.pop()?;
    Some((both.pop()?, second))
}

/// The id of an entry and its fields; no fields where the entry was deleted meanwhile.
fn parts(entry: Value) -> Option<(String, Option<Vec<Value>>)> {
    let (id, fields) = pair(entry)?;
    let fields = match fields {
        Value::Array(fields) => Some(fields),
        _ => None,
    };
    Some((from_redis_value(id).ok()?, fields))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_ordered_as_redis_orders_them() {
        let ids = ["9-2", "10-0", "10-12", "10-2"].map(|text| entry_id(text).expect("an id"));
        assert!(ids[0] < ids[1] && ids[1] < ids[3] && ids[3] < ids[2]);
        assert_eq!(entry_id("10"), None);
    }
}
