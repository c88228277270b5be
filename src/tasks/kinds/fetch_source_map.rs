//! Fetches a script and its source map from where browsers load them. In: a script that events asked for. Out: its map compiled and kept
//! like an upload, or the reason why not; and the events that asked, processed again.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::retention::DAY_MS;
use super::{delete_bundle, reprocess_event};
use crate::app::App;
use crate::store::scraped::{self, Asked, Begin, Finished, ScrapedScript};
use crate::store::tasks::{self, NewTask};
use crate::store::{Conn, StoreError, now_ms};
use crate::tasks::source_maps::{Fetched, NotFetched, fetch};
use crate::tasks::{Task, TaskError, outbox_row};

/// On one node at a time, so that slow servers leave room for other tasks.
const MOST_IN_FLIGHT: usize = 3;
/// Of these, for one project.
const MOST_OF_PROJECT: usize = 1;
/// Who finds no room looks again after this time.
const NO_ROOM: Duration = Duration::from_secs(4);
/// Who is one too many of the minute, after this.
const TOO_MANY: Duration = Duration::from_secs(15);

#[derive(Debug, Serialize, Deserialize)]
pub struct FetchSourceMap {
    project_id: i64,
    script_key: String,
}

/// The tasks for what events asked for.
pub fn follow_ups(asked: &Asked) -> Vec<NewTask> {
    let now = now_ms();
    let fetch = asked.fetch.iter().map(|(project_id, script_key)| {
        let task = FetchSourceMap {
            project_id: *project_id,
            script_key: script_key.clone(),
        };
        // A dead letter of yesterday is no hindrance.
        let key = format!("fetch-source-map:{project_id}:{script_key}:{now}");
        outbox_row(&task, Some(key), now)
    });
    let again = asked.again.iter();
    let again = again.map(|(row, script_key)| reprocess_event::after_fetch(*row, script_key));
    fetch.chain(again).collect()
}

impl Task for FetchSourceMap {
    const NAME: &'static str = "fetch_source_map";
    const MAX_ATTEMPTS: u32 = 6;

    async fn run(self, app: Arc<App>) -> Result<(), TaskError> {
        let Self {
            project_id,
            script_key,
        } = self;
        let Some(place) = Place::take(project_id) else {
            return Err(TaskError::Later(NO_ROOM));
        };
        let key = script_key.clone();
        let begun = app
            .store
            .write(move |conn| scraped::begin(conn, project_id, &key, now_ms()))
            .await?;
        let script = match begun {
            Begin::Go(script) => *script,
            Begin::Gone => return Ok(()),
            Begin::TooMany => return Err(TaskError::Later(TOO_MANY)),
        };
        let context = Arc::clone(&app);
        let url = script.url.clone();
        let work = tokio::task::spawn_blocking(move || {
            let _place = place;
            fetch(&context, &url)
        });
        let fetched = work
            .await
            .map_err(|error| TaskError::Retry(error.to_string()))?;
        match fetched {
            Ok(fetched) => keep(&app, script, fetched).await?,
            Err(NotFetched::Passing(problem)) => return Err(TaskError::Retry(problem)),
            Err(NotFetched::Useless(problem)) => {
                tracing::info!(
                    project = project_id,
                    url = script.url,
                    problem,
                    "no public source map"
                );
                app.store
                    .write(move |conn| {
                        let finished = scraped::fail(conn, &script, &problem, now_ms())?;
                        follow(conn, &script, &finished)
                    })
                    .await?;
            }
        }
        app.source_maps.forget_answers();
        app.tasks_wake.notify_one();
        Ok(())
    }
}

async fn keep(app: &Arc<App>, script: ScrapedScript, fetched: Fetched) -> Result<(), TaskError> {
    let life_ms = i64::from(app.config.retention_days) * DAY_MS;
    let Fetched { files, size } = fetched;
    let keys: Vec<String> = files
        .iter()
        .flat_map(|file| file.blob_keys().cloned())
        .collect();
    let is_kept = app
        .store
        .write(move |conn| {
            let finished = scraped::keep(conn, &script, &files, size, life_ms, now_ms())?;
            follow(conn, &script, &finished)?;
            Ok(finished.is_kept)
        })
        .await?;
    if is_kept {
        return Ok(());
    }
    // Nobody waits for it any more.
    let blobs = app.blobs.clone();
    tokio::task::spawn_blocking(move || keys.iter().try_for_each(|key| blobs.delete(key)))
        .await
        .map_err(|error| TaskError::Retry(error.to_string()))?
        .map_err(|error| TaskError::Retry(error.to_string()))
}

/// In the transaction that says how it ended: the events are processed again, and what is of no use goes.
fn follow(conn: &mut Conn, script: &ScrapedScript, finished: &Finished) -> Result<(), StoreError> {
    let again: Vec<NewTask> = finished
        .again
        .iter()
        .map(|row| reprocess_event::after_fetch(*row, &script.script_key))
        .collect();
    tasks::enqueue(conn, &again)?;
    delete_bundle::delete_fetched(conn, script.project_id, &finished.unused)
}

/// The projects of the fetches that are under way on this node.
static IN_FLIGHT: Mutex<Vec<i64>> = Mutex::new(Vec::new());

/// One of the few places for fetches; free again when it is dropped.
struct Place(i64);

impl Place {
    fn take(project_id: i64) -> Option<Self> {
        let mut all = IN_FLIGHT.lock().unwrap_or_else(PoisonError::into_inner);
        let own = all.iter().filter(|id| **id == project_id).count();
        if all.len() >= MOST_IN_FLIGHT || own >= MOST_OF_PROJECT {
            return None;
        }
        all.push(project_id);
        Some(Self(project_id))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = IN_FLIGHT.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = all.iter().position(|id| *id == self.0) {
            all.swap_remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_fetches_are_under_way_and_no_project_has_all_of_them() {
        let first = Place::take(-1);
        assert!(first.is_some() && Place::take(-1).is_none());
        let others = [Place::take(-2), Place::take(-3)];
        assert!(others.iter().all(Option::is_some));
        assert!(Place::take(-4).is_none());
        drop(first);
        assert!(Place::take(-4).is_some());
    }
}
