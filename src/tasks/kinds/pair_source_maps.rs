//! Scripts and source maps that come in separate uploads, in any order. In: an upload that is complete. Out: its scripts with maps of
//! earlier uploads, and earlier scripts with its maps.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};

use crate::app::App;
use crate::blobs::{BlobError, key_of};
use crate::store::artifacts::ArtifactKind;
use crate::store::script_maps::{self, WaitingScript};
use crate::store::uploads::NewFile;
use crate::store::{Conn, StoreError, tasks};
use crate::tasks::chunks::Failure;
use crate::tasks::source_maps::compiled;
use crate::tasks::{Task, TaskError, outbox_row};

/// Files that are looked at in one go.
const STEP: i64 = 200;

#[derive(Debug, Serialize, Deserialize)]
pub struct PairSourceMaps {
    bundle_id: i64,
}

impl Task for PairSourceMaps {
    const NAME: &'static str = "pair_source_maps";
    const MAX_ATTEMPTS: u32 = 8;

    async fn run(self, app: Arc<App>) -> Result<(), TaskError> {
        let bundle_id = self.bundle_id;
        let work = tokio::task::spawn_blocking(move || pair_all(&app, bundle_id));
        work.await
            .map_err(|error| TaskError::Retry(error.to_string()))?
            .map_err(|failure| TaskError::Retry(failure.to_string()))
    }
}

/// Gives the work out, if an upload has anything that may belong to another.
pub fn after(
    conn: &mut Conn,
    bundle_id: i64,
    files: &[NewFile],
    now: i64,
) -> Result<(), StoreError> {
    let may_belong = |file: &NewFile| {
        file.missing_map.is_some() || file.kind == ArtifactKind::SourceMap.number()
    };
    if !files.iter().any(may_belong) {
        return Ok(());
    }
    let key = format!("pair-source-maps:{bundle_id}");
    tasks::enqueue(
        conn,
        &[outbox_row(&PairSourceMaps { bundle_id }, Some(key), now)],
    )
}

fn pair_all(app: &App, bundle_id: i64) -> Result<(), Failure> {
    let mut after = 0;
    loop {
        let own = app
            .store
            .read_blocking(move |conn| script_maps::waiting_in(conn, bundle_id, after, STEP))?;
        let Some(last) = own.last().map(|script| script.id) else {
            break;
        };
        pair(app, own)?;
        after = last;
    }
    let mut after = 0;
    loop {
        let (last, others) = app
            .store
            .read_blocking(move |conn| script_maps::waiting_for(conn, bundle_id, after, STEP))?;
        pair(app, others)?;
        let Some(last) = last else {
            break;
        };
        after = last;
    }
    app.source_maps.forget_answers();
    Ok(())
}

fn pair(app: &App, scripts: Vec<WaitingScript>) -> Result<(), Failure> {
    for script in scripts {
        let wanted = script.clone();
        let map = app
            .store
            .read_blocking(move |conn| script_maps::map_of(conn, &wanted))?;
        let Some(map) = map else {
            continue;
        };
        let (content, map) = match (app.blobs.get(&script.blob_key), app.blobs.get(&map)) {
            // One of the two was deleted a moment ago.
            (Err(BlobError::NotFound(_)), _) | (_, Err(BlobError::NotFound(_))) => continue,
            (content, map) => (content?, map?),
        };
        let id = script.id;
        // Made of our own numbers, so that another try of the same task writes over what this one left.
        let key = key_of("compiled", &Sha1::digest(format!("script {id} compiled")));
        let outcome = compiled(app, key.clone(), content, map)?;
        if let Err(problem) = &outcome {
            tracing::info!(url = script.url, problem, "a source map is of no use");
        }
        let is_kept = app.store.write_blocking(move |conn| {
            let outcome = outcome.as_ref().map(String::as_str).map_err(String::as_str);
            Ok::<_, StoreError>(
                script_maps::pair(conn, id, outcome)?
                    || outcome.is_ok_and(|key| {
                        // Another run was quicker, or the script is gone.
                        script_maps::has(conn, id, key).unwrap_or(true)
                    }),
            )
        })?;
        if !is_kept {
            app.blobs.delete(&key)?;
        }
    }
    Ok(())
}
