//! Attachments that nobody needs. In: the clock, and what projects may keep. Out: files whose event never came or is gone, and the oldest of
//! those that are too many, are deleted: first the blob, then its row.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::store::{attachments, now_ms};
use crate::tasks::{Periodic, Task, TaskError};

/// An attachment may come so long before its event.
const PATIENCE_MS: i64 = 60 * 60 * 1000;

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct AttachmentSweep {}

impl Task for AttachmentSweep {
    const NAME: &'static str = "attachment_sweep";
    const MAX_ATTEMPTS: u32 = 5;

    async fn run(self, app: Arc<App>) -> Result<(), TaskError> {
        let before = now_ms() - PATIENCE_MS;
        while app
            .store
            .write(move |conn| attachments::settle(conn, before))
            .await?
            > 0
        {}
        keep_to_limit(&app).await?;
        delete_going(&app).await
    }
}

impl Periodic for AttachmentSweep {
    const EVERY: Duration = Duration::from_secs(15 * 60);
}

async fn keep_to_limit(app: &App) -> Result<(), TaskError> {
    let limit = app.config.retention.attachment_bytes;
    if limit == 0 {
        return Ok(());
    }
    for (project_id, bytes) in app.store.read(attachments::bytes_by_project).await? {
        let mut surplus = bytes - limit;
        while surplus > 0 {
            let gone = app
                .store
                .write(move |conn| attachments::thin(conn, project_id, surplus))
                .await?;
            if gone == 0 {
                break;
            }
            surplus -= gone;
        }
    }
    Ok(())
}

/// A blob that cannot be deleted now holds up no other; it is tried again.
async fn delete_going(app: &App) -> Result<(), TaskError> {
    loop {
        let going = app.store.read(attachments::going).await?;
        if going.is_empty() {
            return Ok(());
        }
        let blobs = app.blobs.clone();
        let deleted = tokio::task::spawn_blocking(move || {
            let (mut gone, mut problem) = (Vec::new(), None);
            for (id, key) in going {
                match blobs.delete(&key) {
                    Ok(()) => gone.push(id),
                    Err(error) => problem = Some(error.to_string()),
                }
            }
            (gone, problem)
        });
        let (gone, problem) = deleted
            .await
            .map_err(|error| TaskError::Retry(error.to_string()))?;
        app.store
            .write(move |conn| attachments::forget(conn, &gone))
            .await?;
        if let Some(problem) = problem {
            return Err(TaskError::Retry(problem));
        }
    }
}
