//! Storing an event again as it would be processed today. In: a stored event and its new form. Out: the same row with a new payload,
//! and the hashes of the new form leading to the issue that the event is in.

use diesel::prelude::*;

use super::digest::lock_project;
use super::events::EventRecord;
use super::schema::{events, issue_hashes, issues};
use super::scraped::{self, Asked, Asking};
use super::{Conn, StoreError, dictionaries};
use crate::process::source_maps::WantedScript;

/// An event as it is to be stored.
#[derive(Debug, Clone)]
pub struct Again {
    /// Packed.
    pub data: Vec<u8>,
    /// The first names an issue.
    pub hashes: Vec<[u8; 16]>,
}

/// The event of a row, ready to be read; none if it is not kept any more.
pub fn load(conn: &mut Conn, row: i64) -> Result<Option<EventRecord>, StoreError> {
    let record: Option<EventRecord> = events::table
        .find(row)
        .select(EventRecord::as_select())
        .first(conn)
        .optional()?;
    dictionaries::make_readable(conn, record.iter().map(|row| row.data.as_slice()))?;
    Ok(record)
}

/// Notes the scripts whose source maps an event still lacks.
pub fn ask(
    conn: &mut Conn,
    record: &EventRecord,
    wanted: &[WantedScript],
    now: i64,
) -> Result<Asked, StoreError> {
    if wanted.is_empty() {
        return Ok(Asked::default());
    }
    lock_project(conn, record.project_id)?;
    let askings: Vec<Asking<'_>> = wanted
        .iter()
        .map(|script| Asking {
            project_id: record.project_id,
            script,
            issue_id: record.issue_id,
            event_row: record.id,
        })
        .collect();
    scraped::ask(conn, &askings, now)
}

/// Replaces the payload of `old`. Hashes that lead nowhere yet lead to the event's issue from now on, so that what comes in with
/// the same source map stays together with what came in without. An event stays in its issue in any case.
/// Says whether it did: not if the event has been deleted or replaced meanwhile.
pub fn replace(conn: &mut Conn, old: &EventRecord, again: &Again) -> Result<bool, StoreError> {
    lock_project(conn, old.project_id)?;
    let current: Option<(i64, Vec<u8>)> = events::table
        .find(old.id)
        .select((events::issue_id, events::data))
        .first(conn)
        .optional()?;
    let Some((issue_id, data)) = current else {
        return Ok(false);
    };
    if data != old.data {
        return Ok(false);
    }
    let known: Vec<(Vec<u8>, i64)> = issue_hashes::table
        .filter(issue_hashes::project_id.eq(old.project_id))
        .filter(issue_hashes::hash.eq_any(again.hashes.iter().map(|hash| hash.to_vec())))
        .select((issue_hashes::hash, issue_hashes::issue_id))
        .load(conn)?;
    let is_known = |hash: &[u8; 16]| known.iter().any(|(known, _)| known == hash);
    let new: Vec<[u8; 16]> = again
        .hashes
        .iter()
        .filter(|hash| !is_known(hash))
        .copied()
        .collect();
    for hash in &new {
        diesel::insert_into(issue_hashes::table)
            .values((
                issue_hashes::project_id.eq(old.project_id),
                issue_hashes::hash.eq(hash.to_vec()),
                issue_hashes::issue_id.eq(issue_id),
            ))
            .execute(conn)?;
    }
    // The hash that placed the event is what unmerging goes by: it has to be one that leads to its issue.
    let placed_by = again.hashes.first().filter(|first| {
        new.contains(first)
            || known
                .iter()
                .any(|(hash, issue)| hash == *first && *issue == issue_id)
    });
    let target = events::table.find(old.id);
    diesel::update(target)
        .set(events::data.eq(&again.data))
        .execute(conn)?;
    if let Some(hash) = placed_by {
        diesel::update(target)
            .set(events::hash.eq(Some(hash.to_vec())))
            .execute(conn)?;
    }
    let growth = again.data.len() as i64 - old.data.len() as i64;
    diesel::update(issues::table.find(issue_id))
        .set(issues::stored_bytes.eq(issues::stored_bytes + growth))
        .execute(conn)?;
    Ok(true)
}
