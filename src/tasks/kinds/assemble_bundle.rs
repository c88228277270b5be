//! Puts a bundle together out of its chunks and takes it apart into its files. In: its number and the chunks' checksums.
//! Out: each file as a blob and a row, all of them known at once; or the reason why not, which the client reads.

use std::fs::File;
use std::io::Read;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};

use crate::app::App;
use crate::blobs::{BlobError, Blobs, key_of};
use crate::protocol::artifact_bundle::{Bundle, BundleError, FileFacts};
use crate::store::artifacts::{self, ArtifactKind};
use crate::store::scope::OrgScope;
use crate::store::uploads::{self, ArtifactBundle, NewFile, Progress, Wanted};
use crate::store::{Conn, StoreError, now_ms, tasks};
use crate::tasks::chunks::{Failure, joined};
use crate::tasks::kinds::pair_source_maps;
use crate::tasks::source_maps::{CannotCompile, compile_all};
use crate::tasks::{Task, TaskError, outbox_row};

const LONGEST_RELEASE: usize = 200;
const LONGEST_DIST: usize = 64;

#[derive(Debug, Serialize, Deserialize)]
pub struct AssembleBundle {
    bundle_id: i64,
    chunks: Vec<String>,
}

impl From<BundleError> for Failure {
    fn from(error: BundleError) -> Self {
        match error {
            BundleError::Refused(problem) => {
                Self::Refused(format!("Bugle cannot take this bundle: {problem}"))
            }
            BundleError::Io(error) => Self::Passing(error.to_string()),
        }
    }
}

impl From<CannotCompile> for Failure {
    fn from(error: CannotCompile) -> Self {
        Self::Passing(error.to_string())
    }
}

impl Task for AssembleBundle {
    const NAME: &'static str = "assemble_bundle";
    const MAX_ATTEMPTS: u32 = 8;

    async fn run(self, app: Arc<App>) -> Result<(), TaskError> {
        let Self { bundle_id, chunks } = self;
        let began = app
            .store
            .write(move |conn| uploads::begin(conn, bundle_id, now_ms()))
            .await?;
        if !began {
            return Ok(());
        }
        // Before anybody is told that it is ready, this node's events look for it.
        let users = app.store.read(artifacts::projects_with_uploads).await?;
        app.source_maps.set_users(users);
        let handles = Arc::clone(&app);
        let done = tokio::task::spawn_blocking(move || work(&handles, bundle_id, &chunks));
        let done = done
            .await
            .map_err(|error| TaskError::Retry(error.to_string()))?;
        match done {
            Ok(()) => {
                app.source_maps.forget_answers();
                app.tasks_wake.notify_one();
                Ok(())
            }
            Err(Failure::Passing(problem)) => Err(TaskError::Retry(problem)),
            Err(Failure::Refused(problem)) => {
                tracing::info!(bundle = bundle_id, problem, "an upload was refused");
                Ok(app
                    .store
                    .write(move |conn| uploads::fail(conn, bundle_id, &problem, now_ms()))
                    .await?)
            }
        }
    }
}

fn work(app: &App, bundle_id: i64, chunks: &[String]) -> Result<(), Failure> {
    let row = app
        .store
        .read_blocking(move |conn| uploads::bundle(conn, bundle_id))?;
    let Some(mut row) = row else {
        return Ok(());
    };
    let (file, size) = joined(app, row.organization_id, &row.checksum, chunks)?;
    let mut bundle = Bundle::open(file)?;
    name_release(&mut row, &bundle)?;
    let mut files = Vec::with_capacity(bundle.file_count());
    let stored = store_files(app, bundle_id, &mut bundle, &mut files).and_then(|()| {
        Ok(compile_all(
            app,
            &format!("bundle {bundle_id}"),
            &mut files,
        )?)
    });
    let keys: Vec<String> = files.iter().flat_map(NewFile::blob_keys).cloned().collect();
    let completed = stored.and_then(|()| {
        Ok(app.store.write_blocking(move |conn| {
            let now = now_ms();
            let completed = uploads::complete(conn, &row, size as i64, &files, now)?;
            if completed {
                pair_source_maps::after(conn, row.id, &files, now)?;
            }
            Ok(completed)
        })?)
    });
    let is_wanted = match &completed {
        Ok(completed) => *completed || is_complete(app, bundle_id)?,
        // Another try writes the same blobs again.
        Err(Failure::Passing(_)) => true,
        Err(Failure::Refused(_)) => false,
    };
    if !is_wanted {
        keys.iter().try_for_each(|key| app.blobs.delete(key))?;
    }
    completed.map(|_| ())
}

/// Two runs of one task write the same blobs: the later one must not take them from the earlier.
fn is_complete(app: &App, bundle_id: i64) -> Result<bool, Failure> {
    let row = app
        .store
        .read_blocking(move |conn| uploads::bundle(conn, bundle_id))?;
    Ok(row.is_some_and(|row| row.state == uploads::state::OK))
}

/// The request's release and dist go before the manifest's.
fn name_release(row: &mut ArtifactBundle, bundle: &Bundle<File>) -> Result<(), Failure> {
    if row.version.is_none() {
        row.version = named(
            bundle.manifest.release.as_deref(),
            "release",
            LONGEST_RELEASE,
        )
        .map_err(Failure::Refused)?;
        row.dist = match &row.dist {
            None => named(bundle.manifest.dist.as_deref(), "dist", LONGEST_DIST)
                .map_err(Failure::Refused)?,
            given => given.clone(),
        };
    }
    Ok(())
}

/// A release's or dist's name, if it says something and fits.
pub fn named(text: Option<&str>, what: &str, longest: usize) -> Result<Option<String>, String> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    if text.chars().count() > longest || text.chars().any(char::is_control) {
        return Err(format!(
            "The {what} has more than {longest} characters or a control character"
        ));
    }
    Ok(Some(text.to_owned()))
}

pub fn release_named(text: Option<&str>) -> Result<Option<String>, String> {
    named(text, "release", LONGEST_RELEASE)
}

pub fn dist_named(text: Option<&str>) -> Result<Option<String>, String> {
    named(text, "dist", LONGEST_DIST)
}

fn store_files(
    app: &App,
    bundle_id: i64,
    bundle: &mut Bundle<File>,
    files: &mut Vec<NewFile>,
) -> Result<(), Failure> {
    bundle.each(|number, facts, content| {
        let fit = |text: &str| !text.is_empty() && text.len() <= 4096 && !text.contains('\0');
        let source_map = facts
            .header("sourcemap")
            .or_else(|| facts.header("x-sourcemap"));
        if !fit(&facts.url) || source_map.is_some_and(|reference| reference.contains('\0')) {
            return Err(Failure::Refused(
                "A file of the bundle has no address, or one that cannot be kept".to_owned(),
            ));
        }
        // Made of our own numbers, so that another try of the same task writes over what this one left.
        let digest = Sha1::digest(format!("bundle {bundle_id} file {number}"));
        let blob_key = key_of("artifacts", &digest);
        files.push(NewFile {
            kind: kind(facts).number(),
            debug_id: facts.header("debug-id").map(str::to_owned),
            url: facts.url.clone(),
            source_map: source_map.map(str::to_owned),
            blob_key: blob_key.clone(),
            size: 0,
            compiled_key: None,
            problem: None,
            checksum: String::new(),
            missing_map: None,
        });
        let (size, checksum) = put_with_checksum(&app.blobs, &blob_key, content)?;
        if let Some(file) = files.last_mut() {
            file.size = size;
            file.checksum = checksum;
        }
        Ok(())
    })
}

/// Keeps a file, and gives its size and its SHA-1.
pub fn put_with_checksum(
    blobs: &Blobs,
    key: &str,
    content: impl Read,
) -> Result<(i64, String), BlobError> {
    let mut hashed = Hashed {
        content,
        hash: Sha1::new(),
    };
    let size = blobs.put(key, &mut hashed)?;
    Ok((size as i64, hex::encode(hashed.hash.finalize())))
}

struct Hashed<R> {
    content: R,
    hash: Sha1,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.content.read(buffer)?;
        self.hash.update(&buffer[..count]);
        Ok(count)
    }
}

/// What is neither a map nor minified is a source: it can be shown, and nothing is looked up in it.
fn kind(facts: &FileFacts) -> ArtifactKind {
    match facts.kind.as_deref() {
        Some("minified_source") => ArtifactKind::MinifiedSource,
        Some("source_map") => ArtifactKind::SourceMap,
        _ => ArtifactKind::Source,
    }
}

/// Says how far a bundle is and, where it begins, sees to it that the work is done.
pub fn assemble(
    conn: &mut Conn,
    scope: &OrgScope,
    wanted: &Wanted,
) -> Result<Progress, StoreError> {
    let now = now_ms();
    let progress = uploads::assemble(conn, scope, wanted, now)?;
    if let Progress::Begun(bundle_id) = progress {
        let task = AssembleBundle {
            bundle_id,
            chunks: wanted.chunks.clone(),
        };
        let key = format!("assemble-bundle:{bundle_id}:{now}");
        tasks::enqueue(conn, &[outbox_row(&task, Some(key), now)])?;
    }
    Ok(progress)
}
