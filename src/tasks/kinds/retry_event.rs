//! An event that was set aside, once more: an administrator thinks that it can be stored now.
//! In: its number on the list. Out: the event as if it had just come, and one entry less; or the new reason why not.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::journal::{Record, decode_record};
use crate::store::dead_records;
use crate::store::digest::{Batch, Content, Item, Repetitions};
use crate::store::payload::Packer;
use crate::store::tasks::NewTask;
use crate::store::{StoreError, now_ms};
use crate::tasks::{Task, TaskError, outbox_row, process_events};

/// Set in the sequence number of a record that comes from the list: its own is marked as consumed already.
const FROM_THE_LIST: u64 = 1 << 62;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RetryEvent {
    pub dead_record_id: i64,
}

impl RetryEvent {
    pub fn outbox(&self) -> NewTask {
        let key = format!("retry-event:{}", self.dead_record_id);
        outbox_row(self, Some(key), now_ms())
    }
}

impl Task for RetryEvent {
    const NAME: &'static str = "retry_event";
    const MAX_ATTEMPTS: u32 = 10;

    async fn run(self, app: Arc<App>) -> Result<(), TaskError> {
        let id = self.dead_record_id;
        let found = app
            .store
            .read(move |conn| dead_records::record(conn, id))
            .await?;
        let Some((node, body)) = found else {
            return Ok(());
        };
        let Some(record) = decode_record(body) else {
            return refused(&app, id, "the record is damaged".to_owned()).await;
        };
        let current = app.dictionaries.current();
        let processed = tokio::task::spawn_blocking(move || {
            let (content, data) = process_events::content(&record, &mut Packer::new(&current));
            (record, content, data)
        });
        let (record, content, data) = processed
            .await
            .map_err(|error| TaskError::Retry(error.to_string()))?;
        if let Content::Dead { reason, .. } = content {
            return refused(&app, id, reason).await;
        }
        match store(&app, id, node, record, (content, data)).await {
            Ok(()) => Ok(()),
            Err(error) if error.is_infrastructure() => Err(error.into()),
            Err(error) => refused(&app, id, error.to_string()).await,
        }
    }
}

/// The event stays on the list; the task has done what it could.
async fn refused(app: &Arc<App>, id: i64, reason: String) -> Result<(), TaskError> {
    tracing::warn!(
        dead_record = id,
        reason,
        "an event that was set aside fails again"
    );
    let noted = app
        .store
        .write(move |conn| dead_records::note_failure(conn, id, &reason));
    Ok(noted.await?)
}

async fn store(
    app: &Arc<App>,
    id: i64,
    node: i64,
    record: Record,
    (content, data): (Content, Vec<u8>),
) -> Result<(), StoreError> {
    let Record {
        seq,
        received_ms,
        project_id,
        key_id,
        ..
    } = record;
    let batch = Batch {
        items: vec![Item {
            node,
            seq: seq | FROM_THE_LIST,
            project_id,
            key_id,
            received_ms,
            content,
            data,
        }],
        safe_below: Vec::new(),
    };
    let context = Arc::clone(app);
    let stored = app.store.write(move |conn| {
        let stored = process_events::store(&context, conn, &batch, Repetitions::LookedFor)?;
        dead_records::settle(conn, id, project_id, key_id, received_ms)?;
        Ok(stored)
    });
    if stored.await?.tasks > 0 {
        app.tasks_wake.notify_one();
    }
    Ok(())
}
