//! Distinct users. In: placed events. Out: a row for each user that an issue had not had before, and their number.

use std::collections::{BTreeMap, HashMap, HashSet};

use md5::{Digest, Md5};

use super::cache::Known;
use super::place::Placed;
use crate::store::dialect::{Bind, existing_pairs, insert_rows};
use crate::store::{Conn, StoreError};

/// Writes the users that are new to their issues; says how many each issue got.
pub(super) fn add(
    conn: &mut Conn,
    known: &mut Known<'_>,
    placed: &[Placed<'_>],
) -> Result<HashMap<i64, i64>, StoreError> {
    // In key order, with the time of the first event here.
    let mut unknown = BTreeMap::<(i64, [u8; 16]), (i64, i64)>::new();
    for event in placed {
        let Some(key) = &event.new.event.user_key else {
            continue;
        };
        let hash: [u8; 16] = Md5::digest(key.as_bytes()).into();
        let project_id = event.new.item.project_id;
        if !known
            .of(project_id)
            .users
            .contains(&mark(event.issue_id, &hash))
        {
            unknown
                .entry((event.issue_id, hash))
                .or_insert((event.new.event.timestamp_ms, project_id));
        }
    }
    if unknown.is_empty() {
        return Ok(HashMap::new());
    }
    let pairs: Vec<(i64, &[u8])> = unknown
        .keys()
        .map(|(issue_id, hash)| (*issue_id, hash.as_slice()))
        .collect();
    let found = existing_pairs(conn, "issue_users", ["issue_id", "user_hash"], &pairs)?;
    let found: HashSet<(i64, Vec<u8>)> = found.into_iter().collect();
    let mut new_users = HashMap::<i64, i64>::new();
    let mut rows = Vec::with_capacity(unknown.len());
    for ((issue_id, hash), (time, _)) in &unknown {
        if found.contains(&(*issue_id, hash.to_vec())) {
            continue;
        }
        *new_users.entry(*issue_id).or_default() += 1;
        rows.push(vec![
            Bind::I64(*issue_id),
            Bind::Slice(hash),
            Bind::I64(*time),
        ]);
    }
    let columns = ["issue_id", "user_hash", "first_seen"];
    insert_rows(conn, "issue_users", &columns, &rows)?;
    for ((issue_id, hash), (_, project_id)) in &unknown {
        known.of(*project_id).users.insert(mark(*issue_id, hash));
    }
    Ok(new_users)
}

/// 64 bits that stand for a user of an issue in memory.
fn mark(issue_id: i64, hash: &[u8; 16]) -> u64 {
    let half = u64::from_le_bytes(hash[..8].try_into().expect("eight of sixteen bytes"));
    half ^ (issue_id as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}
