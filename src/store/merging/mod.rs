//! Merging issues of a project into one, and splitting some of the hashes of an issue off into a new one.
//!
//! What later events go by, the hashes, changes at once, in one short transaction under the lock of the project's
//! partition, which makes every node's digest forget what it knew. The rows that an issue has collected follow in small
//! transactions: `issue_moves` has a row for each issue whose rows are still on their way, and a task takes the next
//! [`step`] until it is gone. A step moves rows and takes them from where they were in the same transaction, so a process
//! may end between any two.
//!
//! In: a scope and issues, or an issue and hashes. Out: an issue, and work for a task.

mod counters;
mod facts;
pub mod hashes;
mod join;
pub mod redirect;
mod remaining;
mod split;
mod split_steps;
mod steps;
#[cfg(test)]
mod tests;

use diesel::prelude::*;

pub use join::{Merged, merge};
pub use split::{Split, split};

use super::digest::Cache;
use super::schema::{issue_moves, issue_redirects};
use super::{Conn, StoreError};

/// What a row of `issue_moves` is about.
const MERGE: i32 = 0;
const SPLIT: i32 = 1;

/// An issue whose rows are on their way.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = issue_moves)]
struct Move {
    /// The issue that was merged away, or the one that was split off.
    issue_id: i64,
    project_id: i64,
    /// Where the rows come from.
    source_id: i64,
    kind: i32,
    phase: i32,
    after_id: i64,
    /// Counts of tags from before this number may belong to another issue by now.
    last_tag_delta: i64,
    state: String,
    created_at: i64,
}

/// Whether there is more to do for an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    More,
    Done,
}

/// Takes the next step for an issue whose rows are on their way; run it in a transaction of its own until it is done.
pub fn step(conn: &mut Conn, cache: &Cache, issue_id: i64) -> Result<Progress, StoreError> {
    let found: Option<Move> = issue_moves::table
        .find(issue_id)
        .select(Move::as_select())
        .first(conn)
        .optional()?;
    let Some(found) = found else {
        return Ok(Progress::Done);
    };
    if super::digest::tag_moves::are_waiting(conn, found.last_tag_delta)? {
        super::digest::tags::fold(conn, cache)?;
        return Ok(Progress::More);
    }
    match found.kind {
        MERGE => steps::step(conn, cache, &found),
        _ => split_steps::step(conn, cache, &found),
    }
}

/// Whether rows of an issue are on their way to it or from it.
pub fn is_moving(conn: &mut Conn, issue_id: i64) -> Result<bool, StoreError> {
    Ok(is_being_split(conn, &[issue_id])? || is_being_joined(conn, issue_id)?)
}

fn is_being_split(conn: &mut Conn, issue_ids: &[i64]) -> Result<bool, StoreError> {
    let found: Option<i64> = issue_moves::table
        .filter(issue_moves::kind.eq(SPLIT))
        .filter(
            issue_moves::issue_id
                .eq_any(issue_ids)
                .or(issue_moves::source_id.eq_any(issue_ids)),
        )
        .select(issue_moves::issue_id)
        .first(conn)
        .optional()?;
    Ok(found.is_some())
}

fn is_being_joined(conn: &mut Conn, issue_id: i64) -> Result<bool, StoreError> {
    let found: Option<i64> = issue_moves::table
        .inner_join(issue_redirects::table.on(issue_redirects::issue_id.eq(issue_moves::issue_id)))
        .filter(issue_moves::kind.eq(MERGE))
        .filter(issue_redirects::target_id.eq(issue_id))
        .select(issue_moves::issue_id)
        .first(conn)
        .optional()?;
    Ok(found.is_some())
}

fn finish(conn: &mut Conn, found: &Move) -> Result<Progress, StoreError> {
    diesel::delete(issue_moves::table.find(found.issue_id)).execute(conn)?;
    Ok(Progress::Done)
}
