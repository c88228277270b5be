//! What is on its way to become an artifact: chunks of files, and bundles with what became of them. In: a scope and
//! checksums. Out: what is missing, what is known, and the files of a bundle once all are kept.

use std::collections::HashMap;

use diesel::prelude::*;
use sha1::{Digest, Sha1};

use super::accounts::Project;
use super::artifacts::place_key;
use super::dialect::{self, Bind};
use super::schema::{artifact_bundle_projects, artifact_bundles, artifact_files, upload_chunks};
use super::scope::OrgScope;
use super::{Conn, StoreError, keys};
use crate::protocol::debug_id;

/// A failure is told for so long; then the same upload is tried anew. Clients ask for the outcome for up to five minutes.
const FAILURE_COUNTS_MS: i64 = 10 * 60 * 1000;
/// Work that has not moved for so long was given up.
const WORK_COUNTS_MS: i64 = 60 * 60 * 1000;
const LONGEST_DETAIL: usize = 1_000;

/// How far a bundle is, as clients read it.
pub mod state {
    pub const CREATED: &str = "created";
    pub const ASSEMBLING: &str = "assembling";
    pub const OK: &str = "ok";
    pub const ERROR: &str = "error";
    /// Seen by no client: its rows and blobs are on their way out.
    pub const DELETING: &str = "deleting";
}

#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = artifact_bundles)]
pub struct ArtifactBundle {
    pub id: i64,
    pub organization_id: i64,
    pub checksum: String,
    pub state: String,
    pub detail: Option<String>,
    pub version: Option<String>,
    pub dist: Option<String>,
    pub size: i64,
    pub file_count: i64,
    pub created_at: i64,
    pub changed_at: i64,
}

/// A chunk that was checked and is in the blob store.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = upload_chunks)]
pub struct Chunk {
    pub checksum: String,
    pub blob_key: String,
    pub size: i64,
}

/// What a client wants to be put together.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub checksum: String,
    pub chunks: Vec<String>,
    pub projects: Vec<Project>,
    pub version: Option<String>,
    pub dist: Option<String>,
}

/// How far that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    Missing(Vec<String>),
    Known {
        state: String,
        detail: Option<String>,
    },
    /// The work is to be given out, for the bundle of that number.
    Begun(i64),
}

/// A file of a bundle, its content kept.
#[derive(Debug, Clone)]
pub struct NewFile {
    pub kind: i32,
    pub debug_id: Option<String>,
    pub url: String,
    pub source_map: Option<String>,
    pub blob_key: String,
    pub size: i64,
    /// The key of its source map, compiled.
    pub compiled_key: Option<String>,
    /// Why a script has none.
    pub problem: Option<String>,
    /// SHA-1 of the content.
    pub checksum: String,
    /// Of a script whose map did not come with it.
    pub missing_map: Option<MissingMap>,
}

/// What is known of a map that was not in the upload of its script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MissingMap {
    /// Its address.
    At(String),
    /// It has the debug id of the script, and the script does not say where it is.
    WithItsId,
}

impl NewFile {
    pub fn blob_keys(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.blob_key).chain(&self.compiled_key)
    }
}

/// The chunks that an organization has of these.
pub fn chunks(
    conn: &mut Conn,
    organization_id: i64,
    checksums: &[String],
) -> Result<HashMap<String, Chunk>, StoreError> {
    let rows: Vec<Chunk> = upload_chunks::table
        .filter(upload_chunks::organization_id.eq(organization_id))
        .filter(upload_chunks::checksum.eq_any(checksums))
        .select(Chunk::as_select())
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|row| (row.checksum.clone(), row))
        .collect())
}

/// Notes chunks; one that is there already lives on from now. Returns the blobs that nothing leads to.
pub fn keep_chunks(
    conn: &mut Conn,
    scope: &OrgScope,
    new: &[Chunk],
    now: i64,
) -> Result<Vec<String>, StoreError> {
    const COLUMNS: &[&str] = &[
        "organization_id",
        "checksum",
        "blob_key",
        "size",
        "created_at",
    ];
    let organization_id = scope.organization_id();
    let mut sorted: Vec<&Chunk> = new.iter().collect();
    // Always in the same order, so that two requests do not wait for each other.
    sorted.sort_by(|a, b| a.checksum.cmp(&b.checksum));
    let rows: Vec<Vec<Bind>> = sorted
        .iter()
        .map(|chunk| {
            vec![
                Bind::I64(organization_id),
                Bind::Str(&chunk.checksum),
                Bind::Str(&chunk.blob_key),
                Bind::I64(chunk.size),
                Bind::I64(now),
            ]
        })
        .collect();
    dialect::insert_missing(conn, "upload_chunks", COLUMNS, &rows)?;
    let checksums: Vec<String> = sorted.iter().map(|chunk| chunk.checksum.clone()).collect();
    diesel::update(
        upload_chunks::table
            .filter(upload_chunks::organization_id.eq(organization_id))
            .filter(upload_chunks::checksum.eq_any(&checksums)),
    )
    .set(upload_chunks::created_at.eq(now))
    .execute(conn)?;
    let kept = chunks(conn, organization_id, &checksums)?;
    Ok(new
        .iter()
        .filter(|chunk| {
            kept.get(&chunk.checksum)
                .is_none_or(|row| row.blob_key != chunk.blob_key)
        })
        .map(|chunk| chunk.blob_key.clone())
        .collect())
}

/// Takes up to `most` chunks from before a time off the list and returns their blobs.
pub fn expire_chunks(conn: &mut Conn, before: i64, most: i64) -> Result<Vec<String>, StoreError> {
    let rows: Vec<(i64, String, String)> = upload_chunks::table
        .filter(upload_chunks::created_at.lt(before))
        .order(upload_chunks::created_at)
        .limit(most)
        .select((
            upload_chunks::organization_id,
            upload_chunks::checksum,
            upload_chunks::blob_key,
        ))
        .load(conn)?;
    let mut blobs = Vec::with_capacity(rows.len());
    for (organization_id, checksum, blob_key) in rows {
        let gone = diesel::delete(
            upload_chunks::table
                .find((organization_id, checksum))
                // Somebody may have sent it again just now.
                .filter(upload_chunks::created_at.lt(before)),
        )
        .execute(conn)?;
        if gone > 0 {
            blobs.push(blob_key);
        }
    }
    Ok(blobs)
}

/// Takes a chunk whose blob is gone off the list, so that it is asked for again.
pub fn forget_chunk(conn: &mut Conn, blob_key: &str) -> Result<(), StoreError> {
    diesel::delete(upload_chunks::table.filter(upload_chunks::blob_key.eq(blob_key)))
        .execute(conn)?;
    Ok(())
}

/// Says how far a bundle is, and begins it where all its chunks are there.
pub fn assemble(
    conn: &mut Conn,
    scope: &OrgScope,
    wanted: &Wanted,
    now: i64,
) -> Result<Progress, StoreError> {
    let upload_key = place_key(
        wanted.version.as_deref().unwrap_or_default(),
        wanted.dist.as_deref(),
        &wanted.checksum,
    );
    let known: Option<ArtifactBundle> = artifact_bundles::table
        .filter(artifact_bundles::organization_id.eq(scope.organization_id()))
        .filter(artifact_bundles::upload_key.eq(&upload_key))
        .select(ArtifactBundle::as_select())
        .first(conn)
        .optional()?;
    if let Some(bundle) = &known {
        let counts_ms = match bundle.state.as_str() {
            state::OK => i64::MAX,
            state::ERROR => FAILURE_COUNTS_MS,
            _ => WORK_COUNTS_MS,
        };
        if now - bundle.changed_at < counts_ms {
            add_projects(conn, bundle.id, &wanted.projects)?;
            return Ok(Progress::Known {
                state: bundle.state.clone(),
                detail: bundle.detail.clone(),
            });
        }
    }
    let found = chunks(conn, scope.organization_id(), &wanted.chunks)?;
    let mut missing: Vec<String> = Vec::new();
    for checksum in &wanted.chunks {
        if !found.contains_key(checksum) && !missing.contains(checksum) {
            missing.push(checksum.clone());
        }
    }
    if !missing.is_empty() {
        return Ok(Progress::Missing(missing));
    }
    let id = if let Some(bundle) = known {
        diesel::update(artifact_bundles::table.find(bundle.id))
            .set((
                artifact_bundles::state.eq(state::CREATED),
                artifact_bundles::detail.eq(None::<String>),
                artifact_bundles::changed_at.eq(now),
            ))
            .execute(conn)?;
        bundle.id
    } else {
        let bundle = ArtifactBundle {
            id: dialect::next_ids(conn, "artifact_bundle", 1)?,
            organization_id: scope.organization_id(),
            checksum: wanted.checksum.clone(),
            state: state::CREATED.to_owned(),
            detail: None,
            version: wanted.version.clone(),
            dist: wanted.dist.clone(),
            size: 0,
            file_count: 0,
            created_at: now,
            changed_at: now,
        };
        insert_bundle(conn, &bundle, &upload_key)?;
        bundle.id
    };
    add_projects(conn, id, &wanted.projects)?;
    Ok(Progress::Begun(id))
}

/// The row of a new bundle, under a key that no other upload of the organization has.
pub(super) fn insert_bundle(
    conn: &mut Conn,
    bundle: &ArtifactBundle,
    upload_key: &str,
) -> Result<(), StoreError> {
    diesel::insert_into(artifact_bundles::table)
        .values((bundle, artifact_bundles::upload_key.eq(upload_key)))
        .execute(conn)?;
    Ok(())
}

pub(super) fn add_projects(
    conn: &mut Conn,
    bundle_id: i64,
    projects: &[Project],
) -> Result<(), StoreError> {
    let known: Vec<i64> = artifact_bundle_projects::table
        .filter(artifact_bundle_projects::bundle_id.eq(bundle_id))
        .select(artifact_bundle_projects::project_id)
        .load(conn)?;
    let rows: Vec<Vec<Bind>> = projects
        .iter()
        .filter(|project| !known.contains(&project.id))
        .map(|project| vec![Bind::I64(project.id), Bind::I64(bundle_id)])
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    // Every node hears that the projects have uploads.
    keys::touch(conn)?;
    dialect::insert_missing(
        conn,
        "artifact_bundle_projects",
        &["project_id", "bundle_id"],
        &rows,
    )
}

/// A bundle, for the task that puts it together or takes it away.
pub fn bundle(conn: &mut Conn, id: i64) -> Result<Option<ArtifactBundle>, StoreError> {
    Ok(artifact_bundles::table
        .find(id)
        .select(ArtifactBundle::as_select())
        .first(conn)
        .optional()?)
}

/// Notes that the work goes on; false where it is not wanted any more.
pub fn begin(conn: &mut Conn, id: i64, now: i64) -> Result<bool, StoreError> {
    let changed = diesel::update(
        artifact_bundles::table
            .find(id)
            .filter(artifact_bundles::state.eq_any([state::CREATED, state::ASSEMBLING])),
    )
    .set((
        artifact_bundles::state.eq(state::ASSEMBLING),
        artifact_bundles::changed_at.eq(now),
    ))
    .execute(conn)?;
    Ok(changed > 0)
}

/// Notes why a bundle cannot be had.
pub fn fail(conn: &mut Conn, id: i64, detail: &str, now: i64) -> Result<(), StoreError> {
    let detail: String = detail.chars().take(LONGEST_DETAIL).collect();
    diesel::update(
        artifact_bundles::table
            .find(id)
            .filter(artifact_bundles::state.eq(state::ASSEMBLING)),
    )
    .set((
        artifact_bundles::state.eq(state::ERROR),
        artifact_bundles::detail.eq(Some(detail)),
        artifact_bundles::changed_at.eq(now),
    ))
    .execute(conn)?;
    Ok(())
}

/// Makes the files of a bundle known, all at once. False where the bundle was deleted meanwhile or is complete already.
pub fn complete(
    conn: &mut Conn,
    bundle: &ArtifactBundle,
    size: i64,
    files: &[NewFile],
    now: i64,
) -> Result<bool, StoreError> {
    let changed = diesel::update(
        artifact_bundles::table
            .find(bundle.id)
            .filter(artifact_bundles::state.eq(state::ASSEMBLING)),
    )
    .set((
        artifact_bundles::state.eq(state::OK),
        artifact_bundles::version.eq(&bundle.version),
        artifact_bundles::dist.eq(&bundle.dist),
        artifact_bundles::size.eq(size),
        artifact_bundles::file_count.eq(files.len() as i64),
        artifact_bundles::changed_at.eq(now),
    ))
    .execute(conn)?;
    if changed == 0 {
        return Ok(false);
    }
    insert_files(conn, bundle, files)?;
    Ok(true)
}

/// The rows of a bundle's files, in their order; returns the number of the first.
pub(super) fn insert_files(
    conn: &mut Conn,
    bundle: &ArtifactBundle,
    files: &[NewFile],
) -> Result<i64, StoreError> {
    const COLUMNS: &[&str] = &[
        "id",
        "bundle_id",
        "kind",
        "debug_id",
        "place_key",
        "url",
        "source_map",
        "blob_key",
        "size",
        "compiled_key",
        "problem",
        "checksum",
        "waits_for",
    ];
    let first = dialect::next_ids(conn, "artifact_file", files.len() as i64)?;
    let place = |url: &str| {
        let version = bundle.version.as_deref()?;
        Some(place_key(version, bundle.dist.as_deref(), url))
    };
    let rows: Vec<Vec<Bind>> = files
        .iter()
        .zip(first..)
        .map(|(file, id)| {
            let debug_id = file.debug_id.as_deref().and_then(debug_id::canonical);
            let waits_for = match &file.missing_map {
                Some(MissingMap::At(url)) => place(url).or_else(|| debug_id.clone()),
                Some(MissingMap::WithItsId) => debug_id.clone(),
                None => None,
            };
            vec![
                Bind::I64(id),
                Bind::I64(bundle.id),
                Bind::I32(file.kind),
                Bind::OptText(debug_id.clone()),
                Bind::OptText(place(&file.url)),
                Bind::Str(&file.url),
                Bind::OptStr(file.source_map.as_deref()),
                Bind::Str(&file.blob_key),
                Bind::I64(file.size),
                Bind::OptStr(file.compiled_key.as_deref()),
                Bind::OptStr(file.problem.as_deref()),
                Bind::Str(&file.checksum),
                Bind::OptText(waits_for),
            ]
        })
        .collect();
    dialect::insert_rows(conn, "artifact_files", COLUMNS, &rows)?;
    Ok(first)
}

/// The newest bundles of a project, which comes out of a scope.
pub fn of_project(
    conn: &mut Conn,
    project: &Project,
    most: i64,
) -> Result<Vec<ArtifactBundle>, StoreError> {
    Ok(artifact_bundles::table
        .inner_join(
            artifact_bundle_projects::table
                .on(artifact_bundle_projects::bundle_id.eq(artifact_bundles::id)),
        )
        .filter(artifact_bundle_projects::project_id.eq(project.id))
        .order(artifact_bundles::id.desc())
        .limit(most)
        .select(ArtifactBundle::as_select())
        .load(conn)?)
}

/// Takes a bundle from a project. True where no other project has it, so that its content is to go as well.
pub fn remove_from(conn: &mut Conn, project: &Project, id: i64) -> Result<bool, StoreError> {
    let gone =
        diesel::delete(artifact_bundle_projects::table.find((project.id, id))).execute(conn)?;
    if gone == 0 {
        return Err(StoreError::NotFound);
    }
    keys::touch(conn)?;
    let others: i64 = artifact_bundle_projects::table
        .filter(artifact_bundle_projects::bundle_id.eq(id))
        .count()
        .get_result(conn)?;
    if others > 0 {
        return Ok(false);
    }
    // The same upload may come again at once.
    let mut hash = Sha1::new();
    hash.update(format!("deleted bundle {id}"));
    diesel::update(artifact_bundles::table.find(id))
        .set((
            artifact_bundles::state.eq(state::DELETING),
            artifact_bundles::upload_key.eq(hex::encode(hash.finalize())),
        ))
        .execute(conn)?;
    Ok(true)
}

/// Some of the blobs of a bundle's files, with the numbers of their rows.
pub fn some_files(
    conn: &mut Conn,
    id: i64,
    most: i64,
) -> Result<Vec<(i64, Vec<String>)>, StoreError> {
    let rows: Vec<(i64, String, Option<String>)> = artifact_files::table
        .filter(artifact_files::bundle_id.eq(id))
        .order(artifact_files::id)
        .limit(most)
        .select((
            artifact_files::id,
            artifact_files::blob_key,
            artifact_files::compiled_key,
        ))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(id, content, compiled)| (id, std::iter::once(content).chain(compiled).collect()))
        .collect())
}

pub fn delete_files(conn: &mut Conn, ids: &[i64]) -> Result<(), StoreError> {
    diesel::delete(artifact_files::table.filter(artifact_files::id.eq_any(ids))).execute(conn)?;
    Ok(())
}

/// The last row of a bundle that is on its way out.
pub fn delete_bundle(conn: &mut Conn, id: i64) -> Result<(), StoreError> {
    diesel::delete(
        artifact_bundles::table
            .find(id)
            .filter(artifact_bundles::state.eq(state::DELETING)),
    )
    .execute(conn)?;
    Ok(())
}
