//! Puts a debug file together out of its chunks and makes it ready for look-ups. In: its number and the chunks' checksums. Out: the file as a
//! blob, compiled symbols and unwind rules of each object in it; or the reason why not, which the client reads.

use std::io::{Seek as _, SeekFrom};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};

use crate::app::App;
use crate::blobs::key_of;
use crate::store::accounts::Project;
use crate::store::debug_files::{self, NewObject, Wanted};
use crate::store::uploads::Progress;
use crate::store::{Conn, StoreError, now_ms, tasks};
use crate::tasks::child::ChildError;
use crate::tasks::chunks::{Failure, joined};
use crate::tasks::native::compile;
use crate::tasks::{Task, TaskError, outbox_row};

#[derive(Debug, Serialize, Deserialize)]
pub struct AssembleDebugFile {
    file_id: i64,
    organization_id: i64,
    chunks: Vec<String>,
}

impl From<ChildError> for Failure {
    fn from(error: ChildError) -> Self {
        match error {
            ChildError::Useless(problem) => Self::Refused(problem),
            ChildError::Machine(error) => Self::Passing(error.to_string()),
        }
    }
}

impl Task for AssembleDebugFile {
    const NAME: &'static str = "assemble_debug_file";
    const MAX_ATTEMPTS: u32 = 8;

    async fn run(self, app: Arc<App>) -> Result<(), TaskError> {
        let file_id = self.file_id;
        let handles = Arc::clone(&app);
        let done = tokio::task::spawn_blocking(move || self.work(&handles));
        let done = done
            .await
            .map_err(|error| TaskError::Retry(error.to_string()))?;
        match done {
            Ok(()) => {
                // Before anybody is told that it is ready, this node's events look for it.
                let users = app.store.read(debug_files::projects_with_files).await?;
                app.symbols.set_users(users);
                app.symbols.forget_answers();
                Ok(())
            }
            Err(Failure::Passing(problem)) => Err(TaskError::Retry(problem)),
            Err(Failure::Refused(problem)) => {
                tracing::info!(file = file_id, problem, "a debug file was refused");
                Ok(app
                    .store
                    .write(move |conn| debug_files::fail(conn, file_id, &problem, now_ms()))
                    .await?)
            }
        }
    }
}

impl AssembleDebugFile {
    fn work(&self, app: &App) -> Result<(), Failure> {
        let id = self.file_id;
        let begun = app
            .store
            .write_blocking(move |conn| debug_files::begin(conn, id, now_ms()))?;
        let Some(file) = begun else {
            return Ok(());
        };
        let (mut content, size) = joined(app, self.organization_id, &file.checksum, &self.chunks)?;
        let mut objects = Vec::new();
        // Named after our own numbers, so that another try of the same task writes over what this one left.
        let key =
            |kind: &str, what: &str| key_of(kind, &Sha1::digest(format!("debug file {id} {what}")));
        compile::<Failure>(
            || app.blobs.scratch_file(),
            &file.name,
            content.try_clone()?,
            |object| {
                let at = objects.len();
                let put = |what: &str, bytes: Option<Vec<u8>>| {
                    let Some(bytes) = bytes else { return Ok(None) };
                    let key = key("symbols", &format!("{what} {at}"));
                    app.blobs.put(&key, bytes.as_slice())?;
                    Ok::<_, Failure>(Some(key))
                };
                let symbols_key = put("symbols", object.symbols)?;
                let unwind_key = put("unwind", object.unwind)?;
                objects.push(NewObject {
                    facts: object.facts,
                    symbols_key,
                    unwind_key,
                });
                Ok(())
            },
        )?;
        content.seek(SeekFrom::Start(0))?;
        let blob_key = key("debug-files", "whole");
        app.blobs.put(&blob_key, content)?;
        app.store.write_blocking(move |conn| {
            debug_files::complete(conn, &file, size as i64, &blob_key, &objects, now_ms())
        })?;
        Ok(())
    }
}

/// Says how far a file is and, where it begins, sees to it that the work is done.
pub fn assemble(
    conn: &mut Conn,
    project: &Project,
    wanted: &Wanted,
) -> Result<Progress, StoreError> {
    let now = now_ms();
    let progress = debug_files::assemble(conn, project, wanted, now)?;
    if let Progress::Begun(file_id) = progress {
        let task = AssembleDebugFile {
            file_id,
            organization_id: project.organization_id,
            chunks: wanted.chunks.clone(),
        };
        let key = format!("assemble-debug-file:{file_id}:{now}");
        tasks::enqueue(conn, &[outbox_row(&task, Some(key), now)])?;
    }
    Ok(progress)
}
