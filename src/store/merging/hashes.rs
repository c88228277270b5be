//! The fingerprints that lead to an issue. In: an issue. Out: each with how many of its events it placed, the latest of
//! them, and the hashes that only come along with it.

use std::collections::{BTreeMap, HashMap, HashSet};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Nullable};

use super::facts::Facts;
use crate::store::events::EventRecord;
use crate::store::schema::{events, issue_hashes, issues};
use crate::store::scope::OrgScope;
use crate::store::{Conn, StoreError, dictionaries};

/// Events that are looked at: a page must not take longer for a larger issue.
pub const MOST_COUNTED: i64 = 10_000;
/// Of these, events from before rows had a hash, which only their payload tells.
const MOST_READ: i64 = 1_000;

/// Events that are read for what came beside what.
const MOST_COMPARED: i64 = 300;

/// A fingerprint of an issue.
#[derive(Debug, Clone)]
pub struct HashRow {
    pub hash: Vec<u8>,
    /// Kept events that it placed here, of the newest [`MOST_COUNTED`].
    pub events: i64,
    pub last_seen: Option<i64>,
    pub latest: Option<EventRecord>,
    /// Other hashes of the same event: they placed nothing, but would where this one is unknown.
    pub along: Vec<Vec<u8>>,
}

#[derive(QueryableByName)]
struct Sum {
    #[diesel(sql_type = Nullable<Binary>)]
    hash: Option<Vec<u8>>,
    #[diesel(sql_type = BigInt)]
    events: i64,
    #[diesel(sql_type = BigInt)]
    latest: i64,
    #[diesel(sql_type = BigInt)]
    last_seen: i64,
}

/// What is known of one hash while counting.
#[derive(Default)]
struct Count {
    events: i64,
    latest: i64,
    last_seen: i64,
}

/// The fingerprints of an issue of the scope's organization, the most frequent first.
pub fn list(conn: &mut Conn, scope: &OrgScope, issue_id: i64) -> Result<Vec<HashRow>, StoreError> {
    let all: Vec<Vec<u8>> = issue_hashes::table
        .inner_join(issues::table.on(issues::id.eq(issue_hashes::issue_id)))
        .filter(issues::organization_id.eq(scope.organization_id()))
        .filter(issue_hashes::issue_id.eq(issue_id))
        .order(issue_hashes::hash)
        .select(issue_hashes::hash)
        .load(conn)?;
    let counts = counted(conn, issue_id)?;
    let latest: Vec<i64> = all
        .iter()
        .filter_map(|hash| Some(counts.get(hash)?.latest))
        .collect();
    let records: Vec<EventRecord> = events::table
        .filter(events::id.eq_any(latest))
        .select(EventRecord::as_select())
        .load(conn)?;
    dictionaries::make_readable(conn, records.iter().map(|row| row.data.as_slice()))?;
    let mut records: HashMap<i64, EventRecord> =
        records.into_iter().map(|row| (row.id, row)).collect();
    let mut rows: Vec<HashRow> = all
        .into_iter()
        .map(|hash| {
            let count = counts.get(&hash);
            HashRow {
                events: count.map_or(0, |count| count.events),
                last_seen: count.map(|count| count.last_seen),
                latest: count.and_then(|count| records.remove(&count.latest)),
                along: Vec::new(),
                hash,
            }
        })
        .collect();
    rows.sort_by_key(|row| (-row.events, -row.last_seen.unwrap_or(0)));
    with_companions(conn, rows, issue_id)
}

/// Puts the hashes that placed nothing to those beside which they came: in the latest event of each, else in one of the
/// issue's newest. What is left once placed events that are not kept any more.
fn with_companions(
    conn: &mut Conn,
    mut rows: Vec<HashRow>,
    issue_id: i64,
) -> Result<Vec<HashRow>, StoreError> {
    let idle = rows.iter().filter(|row| row.events == 0);
    let mut idle: HashSet<Vec<u8>> = idle.map(|row| row.hash.clone()).collect();
    let own: HashSet<Vec<u8>> = rows.iter().map(|row| row.hash.clone()).collect();
    let mut beside = HashMap::<Vec<u8>, Vec<Vec<u8>>>::new();
    let mut take = |idle: &mut HashSet<Vec<u8>>, data: &[u8]| {
        let hashes = Facts::read(data).map(|facts| facts.hashes());
        let mut hashes = hashes.unwrap_or_default().into_iter();
        let Some(first) = hashes.next().filter(|first| own.contains(first)) else {
            return;
        };
        let along = hashes.filter(|hash| idle.remove(hash));
        beside.entry(first).or_default().extend(along);
    };
    for latest in rows.iter().filter_map(|row| row.latest.as_ref()) {
        take(&mut idle, &latest.data);
    }
    if !idle.is_empty() {
        let newest: Vec<Vec<u8>> = events::table
            .filter(events::issue_id.eq(issue_id))
            .order(events::id.desc())
            .limit(MOST_COMPARED)
            .select(events::data)
            .load(conn)?;
        dictionaries::make_readable(conn, newest.iter().map(Vec::as_slice))?;
        for data in &newest {
            take(&mut idle, data);
        }
    }
    for row in &mut rows {
        row.along = beside.remove(&row.hash).unwrap_or_default();
    }
    rows.retain(|row| row.events > 0 || idle.contains(&row.hash));
    Ok(rows)
}

fn counted(conn: &mut Conn, issue_id: i64) -> Result<BTreeMap<Vec<u8>, Count>, StoreError> {
    let sums: Vec<Sum> = diesel::sql_query(format!(
        "SELECT hash, COUNT(*) AS events, MAX(id) AS latest, MAX(timestamp) AS last_seen FROM \
         (SELECT id, hash, timestamp FROM events WHERE issue_id = {issue_id} ORDER BY id DESC LIMIT {MOST_COUNTED}) AS newest \
         GROUP BY hash"
    ))
    .load(conn)?;
    let mut counts = BTreeMap::<Vec<u8>, Count>::new();
    let mut some_are_old = false;
    for sum in sums {
        let Some(hash) = sum.hash else {
            some_are_old = true;
            continue;
        };
        counts.insert(
            hash,
            Count {
                events: sum.events,
                latest: sum.latest,
                last_seen: sum.last_seen,
            },
        );
    }
    if some_are_old {
        let old: Vec<(i64, i64, Vec<u8>)> = events::table
            .filter(events::issue_id.eq(issue_id))
            .filter(events::hash.is_null())
            .order(events::id.desc())
            .limit(MOST_READ)
            .select((events::id, events::timestamp, events::data))
            .load(conn)?;
        dictionaries::make_readable(conn, old.iter().map(|(_, _, data)| data.as_slice()))?;
        for (id, timestamp, data) in &old {
            let Some(hash) = Facts::read(data).and_then(|facts| facts.hashes().into_iter().next())
            else {
                continue;
            };
            let count = counts.entry(hash).or_default();
            count.events += 1;
            count.latest = count.latest.max(*id);
            count.last_seen = count.last_seen.max(*timestamp);
        }
    }
    Ok(counts)
}
