//! Files beside events. In: a project and an event. Out: what there is of them, and which blobs nobody needs any more.
//!
//! A row is new until its event is looked for: attachments may come before it, and events that a filter or spike protection leaves out
//! never come. Rows that go keep the key of their blob until that is deleted.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::accounts::Project;
use super::schema::{attachments, events, feedback};
use super::{Conn, StoreError, dialect};

/// Files of one event that are shown.
const SHOWN: i64 = 100;
/// Rows in one step.
pub const STEP: i64 = 500;

/// Where a row is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    New,
    /// Its event is there.
    Held,
    /// Nobody needs it; its blob is to be deleted.
    Going,
}

impl State {
    /// The stored form.
    pub const fn code(self) -> i32 {
        match self {
            Self::New => 0,
            Self::Held => 1,
            Self::Going => 2,
        }
    }
}

/// A file of an event.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = attachments)]
pub struct Attachment {
    pub id: i64,
    pub event_id: Vec<u8>,
    pub name: String,
    pub content_type: Option<String>,
    /// `event.attachment`, `event.minidump`, …
    pub kind: String,
    /// Bytes, unpacked.
    pub size: i64,
    pub blob_key: String,
    pub received_at: i64,
}

/// The files of an event or of feedback, in the order they came.
pub fn of_event(
    conn: &mut Conn,
    project: &Project,
    event_id: &[u8],
) -> Result<Vec<Attachment>, StoreError> {
    of_events(conn, project.id, &[event_id.to_vec()])
}

/// The same for several events of a project.
pub fn of_events(
    conn: &mut Conn,
    project_id: i64,
    event_ids: &[Vec<u8>],
) -> Result<Vec<Attachment>, StoreError> {
    Ok(attachments::table
        .filter(attachments::project_id.eq(project_id))
        .filter(attachments::event_id.eq_any(event_ids))
        .filter(attachments::state.ne(State::Going.code()))
        .order((attachments::received_at, attachments::id))
        .select(Attachment::as_select())
        .limit(SHOWN)
        .load(conn)?)
}

/// One file of an event.
pub fn one(
    conn: &mut Conn,
    project: &Project,
    event_id: &[u8],
    id: i64,
) -> Result<Attachment, StoreError> {
    Ok(attachments::table
        .filter(attachments::id.eq(id))
        .filter(attachments::project_id.eq(project.id))
        .filter(attachments::event_id.eq(event_id))
        .filter(attachments::state.ne(State::Going.code()))
        .select(Attachment::as_select())
        .first(conn)?)
}

/// Lets files go, whatever state they are in.
fn go(conn: &mut Conn, ids: &[i64]) -> Result<usize, StoreError> {
    Ok(
        diesel::update(attachments::table.filter(attachments::id.eq_any(ids)))
            .set(attachments::state.eq(State::Going.code()))
            .execute(conn)?,
    )
}

/// The files of events that are deleted go with them, in the same transaction. By project.
pub fn go_with(conn: &mut Conn, events: &BTreeMap<i64, Vec<Vec<u8>>>) -> Result<(), StoreError> {
    for (project_id, event_ids) in events {
        let ids: Vec<i64> = attachments::table
            .filter(attachments::project_id.eq(project_id))
            .filter(attachments::event_id.eq_any(event_ids))
            .select(attachments::id)
            .load(conn)?;
        if !ids.is_empty() {
            go(conn, &ids)?;
        }
    }
    Ok(())
}

/// Looks for the events of files that came before a moment; those that have none go. Says how many were looked at, 0 when none is left.
pub fn settle(conn: &mut Conn, before_ms: i64) -> Result<usize, StoreError> {
    let new: Vec<(i64, i64, Vec<u8>)> = attachments::table
        .filter(attachments::state.eq(State::New.code()))
        .filter(attachments::created_at.lt(before_ms))
        .order(attachments::id)
        .select((
            attachments::id,
            attachments::project_id,
            attachments::event_id,
        ))
        .limit(STEP)
        .load(conn)?;
    let mut by_project = BTreeMap::<i64, Vec<(i64, Vec<u8>)>>::new();
    let looked_at = new.len();
    for (id, project_id, event_id) in new {
        by_project
            .entry(project_id)
            .or_default()
            .push((id, event_id));
    }
    let (mut held, mut going) = (Vec::new(), Vec::new());
    for (project_id, files) in by_project {
        let ids: Vec<Vec<u8>> = files.iter().map(|(_, id)| id.clone()).collect();
        let mut known: Vec<Vec<u8>> = events::table
            .filter(events::project_id.eq(project_id))
            .filter(events::event_id.eq_any(&ids))
            .select(events::event_id)
            .load(conn)?;
        let of_feedback: Vec<Vec<u8>> = feedback::table
            .filter(feedback::project_id.eq(project_id))
            .filter(feedback::feedback_id.eq_any(&ids))
            .select(feedback::feedback_id)
            .load(conn)?;
        known.extend(of_feedback);
        for (id, event_id) in files {
            if known.contains(&event_id) {
                held.push(id);
            } else {
                going.push(id);
            }
        }
    }
    // Whoever let one go in between is right.
    for (ids, state) in [(going, State::Going), (held, State::Held)] {
        let still_new = attachments::table
            .filter(attachments::id.eq_any(ids))
            .filter(attachments::state.eq(State::New.code()));
        diesel::update(still_new)
            .set(attachments::state.eq(state.code()))
            .execute(conn)?;
    }
    Ok(looked_at)
}

/// Lets files of before the cutoff go, one step of them; 0 when none is left.
pub fn expire(conn: &mut Conn, cutoff_ms: i64) -> Result<usize, StoreError> {
    let old: Vec<i64> = attachments::table
        .filter(attachments::state.ne(State::Going.code()))
        .filter(attachments::created_at.lt(cutoff_ms))
        .order(attachments::id)
        .select(attachments::id)
        .limit(STEP)
        .load(conn)?;
    go(conn, &old)
}

#[derive(QueryableByName)]
struct Sum {
    #[diesel(sql_type = BigInt)]
    project_id: i64,
    #[diesel(sql_type = BigInt)]
    bytes: i64,
}

/// Bytes that each project keeps.
pub fn bytes_by_project(conn: &mut Conn) -> Result<BTreeMap<i64, i64>, StoreError> {
    let sum = dialect::sum(conn, "size");
    let going = State::Going.code();
    let sums: Vec<Sum> = diesel::sql_query(format!(
        "SELECT project_id, {sum} AS bytes FROM attachments WHERE state <> {going} GROUP BY project_id"
    ))
    .load(conn)?;
    Ok(sums
        .into_iter()
        .map(|sum| (sum.project_id, sum.bytes))
        .collect())
}

/// Lets the oldest files of a project go until so many bytes are gone, at most a step of them. Says how many bytes went.
pub fn thin(conn: &mut Conn, project_id: i64, bytes: i64) -> Result<i64, StoreError> {
    let oldest: Vec<(i64, i64)> = attachments::table
        .filter(attachments::project_id.eq(project_id))
        .filter(attachments::state.ne(State::Going.code()))
        .order(attachments::id)
        .select((attachments::id, attachments::size))
        .limit(STEP)
        .load(conn)?;
    let mut gone = 0;
    let mut ids = Vec::new();
    for (id, size) in oldest {
        if gone >= bytes {
            break;
        }
        gone += size;
        ids.push(id);
    }
    go(conn, &ids)?;
    Ok(gone)
}

/// Some of those that go, with the keys of their blobs.
pub fn going(conn: &mut Conn) -> Result<Vec<(i64, String)>, StoreError> {
    Ok(attachments::table
        .filter(attachments::state.eq(State::Going.code()))
        .order(attachments::id)
        .select((attachments::id, attachments::blob_key))
        .limit(STEP)
        .load(conn)?)
}

/// Their blobs are gone.
pub fn forget(conn: &mut Conn, ids: &[i64]) -> Result<(), StoreError> {
    let gone = attachments::table
        .filter(attachments::id.eq_any(ids))
        .filter(attachments::state.eq(State::Going.code()));
    diesel::delete(gone).execute(conn)?;
    Ok(())
}
