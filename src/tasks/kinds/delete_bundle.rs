//! Takes away what a deleted bundle kept. In: its number, from the transaction that hid it. Out: no blobs, then no rows.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::store::accounts::Project;
use crate::store::{Conn, StoreError, now_ms, scraped, tasks, uploads};
use crate::tasks::{Task, TaskError, outbox_row};

const STEP: i64 = 200;

#[derive(Debug, Serialize, Deserialize)]
pub struct DeleteBundle {
    bundle_id: i64,
}

impl Task for DeleteBundle {
    const NAME: &'static str = "delete_bundle";
    const MAX_ATTEMPTS: u32 = 25;

    async fn run(self, app: Arc<App>) -> Result<(), TaskError> {
        let id = self.bundle_id;
        loop {
            let files = app
                .store
                .read(move |conn| uploads::some_files(conn, id, STEP))
                .await?;
            if files.is_empty() {
                break;
            }
            let (ids, keys): (Vec<i64>, Vec<Vec<String>>) = files.into_iter().unzip();
            let blobs = app.blobs.clone();
            let deleted = tokio::task::spawn_blocking(move || {
                keys.iter().flatten().try_for_each(|key| blobs.delete(key))
            });
            deleted
                .await
                .map_err(|error| TaskError::Retry(error.to_string()))?
                .map_err(|error| TaskError::Retry(error.to_string()))?;
            app.store
                .write(move |conn| uploads::delete_files(conn, &ids))
                .await?;
        }
        Ok(app
            .store
            .write(move |conn| uploads::delete_bundle(conn, id))
            .await?)
    }
}

/// Takes a bundle from a project, and sees to it that its content goes once no project has it.
pub fn delete(conn: &mut Conn, project: &Project, bundle_id: i64) -> Result<(), StoreError> {
    if !uploads::remove_from(conn, project, bundle_id)? {
        return Ok(());
    }
    scraped::forget_bundle(conn, bundle_id)?;
    hand_over(conn, bundle_id, now_ms())
}

/// Gives out the work of deleting what a bundle keeps that no project has any more.
pub fn hand_over(conn: &mut Conn, bundle_id: i64, now: i64) -> Result<(), StoreError> {
    let key = format!("delete-bundle:{bundle_id}");
    let task = outbox_row(&DeleteBundle { bundle_id }, Some(key), now);
    tasks::enqueue(conn, &[task])
}

/// Deletes bundles that were fetched and are of no use any more. One that somebody deleted meanwhile is no mistake.
pub fn delete_fetched(
    conn: &mut Conn,
    project_id: i64,
    bundle_ids: &[i64],
) -> Result<(), StoreError> {
    let Some(project) = scraped::project(conn, project_id)? else {
        return Ok(());
    };
    for id in bundle_ids {
        match delete(conn, &project, *id) {
            Ok(()) | Err(StoreError::NotFound) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
