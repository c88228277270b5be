//! An event that was set aside, once more: an administrator thinks that it can be stored now.
//! In: its number on the list. Out: the event as if it had just come, and one entry less; or the new reason why not.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::journal::{Record, decode_record};
use crate::store::dead_records::{self, Form, Kept};
use crate::store::digest::consumed::FROM_THE_LIST;
use crate::store::digest::{Batch, Content, Item, Repetitions};
use crate::store::tasks::NewTask;
use crate::store::{StoreError, now_ms};
use crate::tasks::content::{self, Problem};
use crate::tasks::poison::trial::{Court, Verdict};
use crate::tasks::{Task, TaskError, outbox_row, process_events};

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
        let Some(kept) = found else {
            return Ok(());
        };
        let node = kept.node;
        let record = match opened(&app, kept) {
            Ok(record) => record,
            Err(problem) => return refused(&app, id, problem).await,
        };
        let handles = Arc::clone(&app);
        let processed = tokio::task::spawn_blocking(move || {
            let away = AtomicBool::new(false);
            let content = try_apart(&handles, &record, &away);
            (record, content, away.into_inner())
        });
        let (record, content, is_away) = processed
            .await
            .map_err(|error| TaskError::Retry(error.to_string()))?;
        if is_away {
            return Err(TaskError::Retry(
                "source maps cannot be looked up".to_owned(),
            ));
        }
        let content = match content {
            Ok(content) => content,
            Err(Problem::NotNow(reason)) => return Err(TaskError::Retry(reason)),
            Err(Problem::Failed(reason)) => return refused(&app, id, reason).await,
        };
        match store(&app, id, node, record, content).await {
            Ok(()) => Ok(()),
            Err(error) if error.is_infrastructure() => Err(error.into()),
            Err(error) => refused(&app, id, error.to_string()).await,
        }
    }
}

/// The record that was set aside, or why it cannot be read.
pub fn opened(app: &App, kept: Kept) -> Result<Record, String> {
    let body = match kept.form {
        Form::Sealed => {
            match app.seal.open(&kept.bytes) {
                Some(body) => body,
                None if kept.key_fingerprint == app.config.key_fingerprint() => {
                    return Err("the record is damaged".to_owned());
                }
                None => {
                    return Err("the record was sealed with another secret key: run with that key to read it".to_owned());
                }
            }
        }
        Form::Raw | Form::Scrubbed => kept.bytes,
    };
    decode_record(body).ok_or_else(|| "the record is damaged".to_owned())
}

/// Processing it may have ended a process before: it is tried in another one first.
fn try_apart(app: &App, record: &Record, away: &AtomicBool) -> Result<Content, Problem> {
    match Court::default().try_record(&record.body) {
        Verdict::Guilty(reason) => Err(Problem::Failed(reason)),
        Verdict::Harmless | Verdict::Unknown(_) => content::of_record(app, record, away),
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
    content: Content,
) -> Result<(), StoreError> {
    let Record {
        seq,
        received_ms,
        project_id,
        key_id,
        ..
    } = record;
    let mut items = [Item {
        node,
        // Its own number is marked as consumed already.
        seq: seq | FROM_THE_LIST,
        project_id,
        key_id,
        received_ms,
        content,
        data: Vec::new(),
        is_own_report: false,
    }];
    process_events::pack(app, &mut items);
    let batch = Batch {
        items: items.into(),
        safe_below: Vec::new(),
    };
    let handles = Arc::clone(app);
    let stored = app.store.write(move |conn| {
        let stored = process_events::store(&handles, conn, &batch, Repetitions::LookedFor)?;
        dead_records::settle(conn, id, node, project_id, key_id, received_ms)?;
        Ok(stored)
    });
    if stored.await?.tasks > 0 {
        app.tasks_wake.notify_one();
    }
    Ok(())
}
