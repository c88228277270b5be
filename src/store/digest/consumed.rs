//! Which journal records have had their effect. In: the records of a batch. Out: those that are new; and the note
//! that they are stored, in the same transaction as what they caused.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;

use super::Item;
use crate::store::dialect::{Bind, insert_rows};
use crate::store::schema::consumed;
use crate::store::{Conn, StoreError};

/// The items that no earlier transaction has stored, without repeats inside the batch.
pub(super) fn fresh_items<'a>(
    conn: &mut Conn,
    items: &'a [Item],
) -> Result<Vec<&'a Item>, StoreError> {
    let mut wanted = BTreeMap::<i64, Vec<u64>>::new();
    for item in items {
        wanted.entry(item.node).or_default().push(item.seq);
    }
    let mut seen = BTreeSet::<(i64, u64)>::new();
    for (node, mut seqs) in wanted {
        seqs.sort_unstable();
        let (Some(lowest), Some(highest)) = (seqs.first(), seqs.last()) else {
            continue;
        };
        let rows: Vec<(i64, Vec<u8>)> = consumed::table
            .filter(consumed::node.eq(node))
            .filter(consumed::seq_from.le(*highest as i64))
            .filter(consumed::seq_to.ge(*lowest as i64))
            .select((consumed::seq_from, consumed::seqs))
            .load(conn)?;
        for (first, steps) in rows {
            let stored = common(&seqs, unpack(first as u64, &steps));
            seen.extend(stored.map(|seq| (node, seq)));
        }
    }
    Ok(items
        .iter()
        .filter(|item| seen.insert((item.node, item.seq)))
        .collect())
}

/// What two sorted runs of numbers have in common.
fn common<'s>(
    sorted: &'s [u64],
    others: impl Iterator<Item = u64> + 's,
) -> impl Iterator<Item = u64> + 's {
    let mut rest = sorted;
    others.filter(move |other| {
        while let [first, tail @ ..] = rest
            && first < other
        {
            rest = tail;
        }
        rest.first() == Some(other)
    })
}

/// Notes the items as stored, and forgets what can never be delivered again.
pub(super) fn mark(
    conn: &mut Conn,
    items: &[&Item],
    safe_below: &[(i64, u64)],
) -> Result<(), StoreError> {
    let mut by_node = BTreeMap::<i64, Vec<u64>>::new();
    for item in items {
        by_node.entry(item.node).or_default().push(item.seq);
    }
    let rows: Vec<Vec<Bind<'_>>> = by_node
        .into_iter()
        .map(|(node, mut seqs)| {
            seqs.sort_unstable();
            let last = seqs[seqs.len() - 1];
            vec![
                Bind::I64(node),
                Bind::I64(seqs[0] as i64),
                Bind::I64(last as i64),
                Bind::Bytes(pack(&seqs)),
            ]
        })
        .collect();
    insert_rows(
        conn,
        "consumed",
        &["node", "seq_from", "seq_to", "seqs"],
        &rows,
    )?;
    for (node, below) in safe_below {
        diesel::delete(
            consumed::table
                .filter(consumed::node.eq(node))
                .filter(consumed::seq_to.lt(*below as i64)),
        )
        .execute(conn)?;
    }
    Ok(())
}

/// Numbers from here on are of records that were set aside and tried again.
pub const FROM_THE_LIST: u64 = 1 << 62;

/// The numbers of a journal's records that are stored, from the given number on.
pub fn from(conn: &mut Conn, node: i64, from: u64) -> Result<Vec<u64>, StoreError> {
    let rows: Vec<(i64, Vec<u8>)> = consumed::table
        .filter(consumed::node.eq(node))
        .filter(consumed::seq_to.ge(from as i64))
        .filter(consumed::seq_from.lt(FROM_THE_LIST as i64))
        .select((consumed::seq_from, consumed::seqs))
        .load(conn)?;
    Ok(rows
        .iter()
        .flat_map(|(first, steps)| unpack(*first as u64, steps))
        .filter(|seq| *seq >= from)
        .collect())
}

/// How many of them there are.
pub fn count_from(conn: &mut Conn, node: i64, first: u64) -> Result<i64, StoreError> {
    Ok(from(conn, node, first)?.len() as i64)
}

/// Sorted numbers as the steps between them, seven bits a byte: a run of neighbours takes a byte each.
fn pack(seqs: &[u64]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(seqs.len());
    for pair in seqs.windows(2) {
        let mut step = pair[1] - pair[0];
        while step >= 0x80 {
            bytes.push((step as u8 & 0x7f) | 0x80);
            step >>= 7;
        }
        bytes.push(step as u8);
    }
    bytes
}

fn unpack(first: u64, bytes: &[u8]) -> impl Iterator<Item = u64> {
    let mut current = first;
    let mut rest = bytes.iter();
    std::iter::once(first).chain(std::iter::from_fn(move || {
        let mut step = 0u64;
        let mut shift = 0;
        for byte in rest.by_ref() {
            step |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                current += step;
                return Some(current);
            }
            shift += 7;
        }
        None
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_common_is_found() {
        let common = |left: &[u64], right: &[u64]| -> Vec<u64> {
            common(left, right.iter().copied()).collect()
        };
        assert_eq!(common(&[1, 3, 3, 5, 9], &[0, 3, 4, 5, 10]), [3, 5]);
        assert!(common(&[], &[1]).is_empty());
        assert!(common(&[1], &[]).is_empty());
    }

    #[test]
    fn numbers_survive_packing() {
        for seqs in [
            vec![5],
            vec![1, 2, 3, 200, 70_000, 70_001],
            vec![u64::from(u32::MAX), 1 << 50],
        ] {
            assert_eq!(unpack(seqs[0], &pack(&seqs)).collect::<Vec<_>>(), seqs);
        }
    }
}
