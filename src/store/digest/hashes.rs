//! Which issue a grouping hash belongs to. In: the events of a batch. Out: what is known of their hashes, in memory; and
//! rows for those that were not known.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use diesel::prelude::*;

use super::NewEvent;
use super::cache::Known;
use crate::process;
use crate::store::dialect::{Bind, insert_missing};
use crate::store::schema::issue_hashes;
use crate::store::{Conn, StoreError, payload};

type Hash = [u8; 16];

/// The grouping hash of the issue that takes what is too much: no event has it, as those are made by MD5.
pub const OVERFLOW: Hash = *b"bugle: overflow.";

/// Events of one batch whose earlier hashes are computed: some milliseconds, and more than new issues are allowed.
const MOST_LOOKED_BACK: usize = 250;

/// Brings the hashes of a batch into memory, with the one of the overflow issue.
pub(super) fn read(
    conn: &mut Conn,
    known: &mut Known<'_>,
    events: &[NewEvent<'_>],
) -> Result<(), StoreError> {
    let mut wanted = BTreeMap::<i64, BTreeSet<Hash>>::new();
    for new in events {
        let project_id = new.item.project_id;
        let memory = known.of(project_id);
        for hash in &new.event.hashes {
            if !memory.hashes.contains_key(&(project_id, *hash)) {
                let of_project = wanted.entry(project_id).or_default();
                of_project.insert(*hash);
                of_project.insert(OVERFLOW);
            }
        }
    }
    load(conn, known, wanted)
}

fn load(
    conn: &mut Conn,
    known: &mut Known<'_>,
    wanted: BTreeMap<i64, BTreeSet<Hash>>,
) -> Result<(), StoreError> {
    for (project_id, hashes) in wanted {
        let hashes: Vec<Vec<u8>> = hashes.iter().map(|hash| hash.to_vec()).collect();
        let rows: Vec<(Vec<u8>, i64)> = issue_hashes::table
            .filter(issue_hashes::project_id.eq(project_id))
            .filter(issue_hashes::hash.eq_any(hashes))
            .select((issue_hashes::hash, issue_hashes::issue_id))
            .load(conn)?;
        let memory = known.of(project_id);
        for (hash, issue_id) in rows {
            if let Ok(hash) = <Hash>::try_from(hash) {
                memory.hashes.insert((project_id, hash), issue_id);
            }
        }
    }
    Ok(())
}

/// What earlier versions of grouping said of events whose hashes nobody knows, by their place in the batch. Only for
/// projects that had events in the time of such a version; and never kept, lest an old and coarse version go on for ever.
pub(super) fn older(
    conn: &mut Conn,
    known: &mut Known<'_>,
    events: &[NewEvent<'_>],
) -> Result<HashMap<usize, Vec<Hash>>, StoreError> {
    let mut older = HashMap::new();
    let mut tried = BTreeSet::new();
    for (at, new) in events.iter().enumerate() {
        let project_id = new.item.project_id;
        let memory = known.of(project_id);
        let began = memory.projects.get(&project_id).map(|facts| facts.grouping);
        let hashes = &new.event.hashes;
        let is_known = |hash: &Hash| memory.hashes.contains_key(&(project_id, *hash));
        if began.is_none_or(|began| began >= process::GROUPING)
            || hashes.iter().any(is_known)
            || !tried.insert((project_id, hashes.first()))
        {
            continue;
        }
        if let Some(payload) = payload::unpack(&new.item.data) {
            older.insert(at, process::older_hashes(&payload));
        }
        if older.len() >= MOST_LOOKED_BACK {
            break;
        }
    }
    let mut wanted = BTreeMap::<i64, BTreeSet<Hash>>::new();
    for (at, hashes) in &older {
        let project_id = events[*at].item.project_id;
        wanted.entry(project_id).or_default().extend(hashes);
    }
    load(conn, known, wanted)?;
    Ok(older)
}

/// Writes the hashes that are new, for real issues instead of provisional ones.
pub(super) fn write(
    conn: &mut Conn,
    known: &mut Known<'_>,
    new: BTreeMap<(i64, Hash), i64>,
    real: &dyn Fn(i64) -> i64,
) -> Result<(), StoreError> {
    let rows: Vec<Vec<Bind<'_>>> = new
        .iter()
        .map(|((project_id, hash), issue_id)| {
            vec![
                Bind::I64(*project_id),
                Bind::Slice(hash),
                Bind::I64(real(*issue_id)),
            ]
        })
        .collect();
    let columns = ["project_id", "hash", "issue_id"];
    insert_missing(conn, "issue_hashes", &columns, &rows)?;
    for ((project_id, hash), issue_id) in new {
        let memory = known.of(project_id);
        memory.hashes.insert((project_id, hash), real(issue_id));
    }
    Ok(())
}
