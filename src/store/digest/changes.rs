//! What a batch changed for people. In: placed events. Out: new and reopened issues, their rows of activity, and the
//! time of a project's first event.

use std::collections::BTreeSet;

use diesel::prelude::*;

use super::place::Placed;
use crate::model::issue::{ACTIVITY_FIRST_SEEN, ACTIVITY_REGRESSION, ACTIVITY_UNIGNORED};
use crate::model::lifecycle::Met;
use crate::store::dialect::{self, Bind, insert_rows};
use crate::store::schema::projects;
use crate::store::{Conn, StoreError, now_ms};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IssueChangeKind {
    New,
    /// It was resolved, and came again.
    Regressed,
    /// It was ignored until this was so.
    Unignored(Met),
}

/// Something that people want to hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueChange {
    pub kind: IssueChangeKind,
    pub project_id: i64,
    pub issue_id: i64,
    /// How often the issue has come back so far; names a regression for good.
    pub regressions: i32,
    pub event_id: String,
    pub release: Option<String>,
    pub received_ms: i64,
}

/// What the batch changed for people.
pub(super) fn changes(placed: &[Placed<'_>]) -> Vec<IssueChange> {
    placed
        .iter()
        .filter_map(|event| {
            Some(IssueChange {
                kind: event.change?,
                project_id: event.new.item.project_id,
                issue_id: event.issue_id,
                regressions: event.regressions,
                event_id: event.new.event.event_id.to_string(),
                release: event.new.event.release.clone(),
                received_ms: event.new.item.received_ms,
            })
        })
        .collect()
}

/// Writes the changes into the activity of their issues, and the first event's time into new projects.
pub(super) fn record_changes(conn: &mut Conn, changes: &[IssueChange]) -> Result<(), StoreError> {
    if changes.is_empty() {
        return Ok(());
    }
    let first = dialect::next_ids(conn, "activity", changes.len() as i64)?;
    let rows: Vec<Vec<Bind<'_>>> = changes
        .iter()
        .zip(first..)
        .map(|(change, id)| {
            let mut data =
                serde_json::json!({ "event_id": change.event_id, "release": change.release });
            let kind = match change.kind {
                IssueChangeKind::New => ACTIVITY_FIRST_SEEN,
                IssueChangeKind::Regressed => ACTIVITY_REGRESSION,
                IssueChangeKind::Unignored(met) => {
                    data["reason"] = met.as_str().into();
                    ACTIVITY_UNIGNORED
                }
            };
            vec![
                Bind::I64(id),
                Bind::I64(change.issue_id),
                Bind::Text(kind.to_owned()),
                Bind::Text(data.to_string()),
                Bind::I64(change.received_ms),
            ]
        })
        .collect();
    insert_rows(
        conn,
        "activity",
        &["id", "issue_id", "kind", "data", "created_at"],
        &rows,
    )?;
    let new_in: BTreeSet<i64> = changes
        .iter()
        .filter(|change| change.kind == IssueChangeKind::New)
        .map(|change| change.project_id)
        .collect();
    diesel::update(
        projects::table
            .filter(projects::id.eq_any(new_in))
            .filter(projects::first_event_at.is_null()),
    )
    .set(projects::first_event_at.eq(now_ms()))
    .execute(conn)?;
    Ok(())
}
