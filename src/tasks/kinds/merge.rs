//! Moves what merged issues have collected to the one that took their place, and the events of hashes that were split off
//! to their new issue. In: issues, from the transaction that changed where their hashes lead. Out: rows moved, in steps
//! small enough for the digest to go on between; whoever takes it up after a crash goes on with what is left.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::store::accounts::Project;
use crate::store::merging::{self, Merged, Progress, Split};
use crate::store::scope::OrgScope;
use crate::store::tasks;
use crate::store::{Conn, StoreError, now_ms};
use crate::tasks::{Task, TaskError, outbox_row, thinning};

#[derive(Debug, Serialize, Deserialize)]
pub struct MoveIssues {
    /// One after the other.
    issues: Vec<i64>,
}

impl Task for MoveIssues {
    const NAME: &'static str = "move_issues";
    const MAX_ATTEMPTS: u32 = 25;

    async fn run(self, app: Arc<App>) -> Result<(), TaskError> {
        for issue in self.issues {
            loop {
                let context = Arc::clone(&app);
                let progress = thinning::step(&app.store, move |conn| {
                    merging::step(conn, &context.digest_cache, issue)
                })
                .await?;
                if progress == Progress::Done {
                    break;
                }
            }
        }
        Ok(())
    }
}

/// Merges issues, and sees to it that what they have collected follows.
pub fn merge(
    conn: &mut Conn,
    scope: &OrgScope,
    ids: &[i64],
    within: Option<&Project>,
) -> Result<Merged, StoreError> {
    let merged = merging::merge(conn, scope, ids, within, now_ms())?;
    enqueue(conn, merged.children.clone())?;
    Ok(merged)
}

/// Splits hashes off an issue, and sees to it that their events follow.
pub fn split(
    conn: &mut Conn,
    scope: &OrgScope,
    issue: &str,
    hashes: &[Vec<u8>],
) -> Result<Split, StoreError> {
    let split = merging::split(conn, scope, issue, hashes, now_ms())?;
    enqueue(conn, vec![split.issue_id])?;
    Ok(split)
}

fn enqueue(conn: &mut Conn, issues: Vec<i64>) -> Result<(), StoreError> {
    let first = issues.first().copied().unwrap_or_default();
    let key = format!("move-issues:{first}");
    let task = outbox_row(&MoveIssues { issues }, Some(key), now_ms());
    tasks::enqueue(conn, &[task])
}
