//! Processes a stored event again: with source maps that were uploaded later, and the rules of today. In: an event's row, from its
//! page. Out: the same event in its issue, with frames that can be read.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::process::source_maps::WantedScript;
use crate::process::{Incoming, ProcessError, process_mapped};
use crate::protocol::event_id::EventId;
use crate::store::events::EventRecord;
use crate::store::now_ms;
use crate::store::payload::Packer;
use crate::store::reprocess::{self, Again};
use crate::store::tasks::{self, NewTask};
use crate::tasks::kinds::fetch_source_map;
use crate::tasks::{Task, TaskError, lookups, outbox_row};

const MOST_TRIES: usize = 5;

#[derive(Debug, Serialize, Deserialize)]
pub struct ReprocessEvent {
    row: i64,
}

/// The task for an event's row. Asking again while it waits changes nothing.
pub fn of(row: i64) -> NewTask {
    let key = format!("reprocess:{row}");
    outbox_row(&ReprocessEvent { row }, Some(key), now_ms())
}

/// The task for an event that waited for a script. Of each script one, so that none is lost while another is at work.
pub fn after_fetch(row: i64, script_key: &str) -> NewTask {
    let key = format!("reprocess:{row}:{script_key}");
    outbox_row(&ReprocessEvent { row }, Some(key), now_ms())
}

impl Task for ReprocessEvent {
    const NAME: &'static str = "reprocess_event";
    const MAX_ATTEMPTS: u32 = 5;

    async fn run(self, app: Arc<App>) -> Result<(), TaskError> {
        let row = self.row;
        // Somebody else may process the same event again; then it is done once more, with what is there by now.
        for _ in 0..MOST_TRIES {
            let found = app
                .store
                .read(move |conn| reprocess::load(conn, row))
                .await?;
            let Some(record) = found else {
                return Ok(());
            };
            let context = Arc::clone(&app);
            let work = tokio::task::spawn_blocking(move || {
                let again = again(&context, &record);
                (record, again)
            });
            let (record, again) = work
                .await
                .map_err(|error| TaskError::GiveUp(format!("processing failed: {error}")))?;
            let Some((again, wanted)) = again? else {
                return Ok(());
            };
            let replaced = app
                .store
                .write(move |conn| {
                    if !reprocess::replace(conn, &record, &again)? {
                        return Ok(false);
                    }
                    let asked = reprocess::ask(conn, &record, &wanted, now_ms())?;
                    tasks::enqueue(conn, &fetch_source_map::follow_ups(&asked))?;
                    Ok(true)
                })
                .await?;
            if replaced {
                app.tasks_wake.notify_one();
                return Ok(());
            }
        }
        Err(TaskError::Retry("the event is being changed".to_owned()))
    }
}

/// None for what the filters of today would leave out: it stays as it is.
fn again(app: &App, record: &EventRecord) -> Result<Option<(Again, Vec<WantedScript>)>, TaskError> {
    let payload = record
        .payload()
        .map_err(|error| TaskError::GiveUp(error.to_string()))?;
    let event_id = <[u8; 16]>::try_from(record.event_id.as_slice())
        .map_err(|_| TaskError::GiveUp("the event has no id".to_owned()))?;
    let times: Times = serde_json::from_slice(&payload)
        .map_err(|error| TaskError::GiveUp(format!("the event cannot be read: {error}")))?;
    let away = AtomicBool::new(false);
    let incoming = Incoming {
        payload: &payload,
        event_id: EventId::from_bytes(event_id),
        received_ms: times
            .received
            .map_or(record.timestamp, jiff::Timestamp::as_millisecond),
        sent_at_ms: None,
        remote_addr: None,
        sdk_client: None,
    };
    let settings = app.project_settings.of(record.project_id);
    let processed = lookups::anew(app, record.project_id, &away, |maps, _| {
        process_mapped(&incoming, &settings, maps)
    });
    let processed = match processed {
        Ok(processed) => processed,
        Err(ProcessError::Filtered { .. }) => return Ok(None),
        Err(error) => return Err(TaskError::GiveUp(error.to_string())),
    };
    if away.load(Ordering::Acquire) {
        return Err(TaskError::Retry(
            "source maps or debug files cannot be looked up".to_owned(),
        ));
    }
    let current = app.dictionaries.current();
    let again = Again {
        data: Packer::new(&current).pack(&processed.payload, &processed.platform),
        hashes: processed.hashes,
    };
    Ok(Some((again, processed.wanted_scripts)))
}

/// When it came in: what is far from that is corrected by normalising, which has to come to the same times again.
#[derive(Deserialize)]
struct Times {
    received: Option<jiff::Timestamp>,
}
