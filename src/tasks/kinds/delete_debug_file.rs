//! Takes away what a deleted debug file kept. In: its project and checksum, from the transaction that hid it. Out: no blobs, then no rows.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::store::accounts::Project;
use crate::store::debug_files::DebugFile;
use crate::store::{Conn, StoreError, debug_files, now_ms, tasks};
use crate::tasks::{Task, TaskError, outbox_row};

#[derive(Debug, Serialize, Deserialize)]
pub struct DeleteDebugFile {
    project_id: i64,
    checksum: String,
}

impl Task for DeleteDebugFile {
    const NAME: &'static str = "delete_debug_file";
    const MAX_ATTEMPTS: u32 = 25;

    async fn run(self, app: Arc<App>) -> Result<(), TaskError> {
        let Self {
            project_id,
            checksum,
        } = self;
        let files = app
            .store
            .read(move |conn| debug_files::hidden(conn, project_id, &checksum))
            .await?;
        let ids: Vec<i64> = files.iter().map(|file| file.id).collect();
        let blobs = app.blobs.clone();
        let deleted = tokio::task::spawn_blocking(move || {
            let mut keys = files.iter().flat_map(DebugFile::blob_keys);
            keys.try_for_each(|key| blobs.delete(key))
        });
        deleted
            .await
            .map_err(|error| TaskError::Retry(error.to_string()))?
            .map_err(|error| TaskError::Retry(error.to_string()))?;
        app.store
            .write(move |conn| debug_files::forget(conn, &ids))
            .await?;
        app.symbols.forget_answers();
        Ok(())
    }
}

/// Takes the file that an object is in from its project.
pub fn delete(conn: &mut Conn, project: &Project, id: i64) -> Result<(), StoreError> {
    let file = debug_files::one(conn, project, id)?;
    let now = now_ms();
    debug_files::hide(conn, &file, now)?;
    let task = DeleteDebugFile {
        project_id: project.id,
        checksum: file.checksum,
    };
    let key = format!("delete-debug-file:{}:{now}", file.id);
    tasks::enqueue(conn, &[outbox_row(&task, Some(key), now)])
}
