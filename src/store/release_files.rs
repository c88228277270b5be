//! Files of a release one by one, as older build tools send and list them. In: a release, and a file whose content is kept. Out: an
//! upload of one file, beside those that came in bundles; the list of all of them.

use diesel::prelude::*;
use sha1::{Digest, Sha1};

use super::accounts::Project;
use super::artifacts::place_key;
use super::dialect;
use super::schema::{artifact_bundle_projects, artifact_bundles, artifact_files};
use super::scope::OrgScope;
use super::uploads::{self, ArtifactBundle, NewFile, state};
use super::{Conn, StoreError};

/// Files of a release that are listed.
const MOST_LISTED: i64 = 20_000;

/// A file of a release.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct ReleaseFile {
    pub id: i64,
    pub bundle_id: i64,
    pub name: String,
    pub size: i64,
    /// SHA-1; None of what came before it was noted.
    pub checksum: Option<String>,
    /// The reference of a script to its map.
    pub source_map: Option<String>,
    pub blob_key: String,
    pub dist: Option<String>,
    pub created_at: i64,
}

type Columns = (
    artifact_files::id,
    artifact_files::bundle_id,
    artifact_files::url,
    artifact_files::size,
    artifact_files::checksum,
    artifact_files::source_map,
    artifact_files::blob_key,
    artifact_bundles::dist,
    artifact_bundles::created_at,
);

fn columns() -> Columns {
    (
        artifact_files::id,
        artifact_files::bundle_id,
        artifact_files::url,
        artifact_files::size,
        artifact_files::checksum,
        artifact_files::source_map,
        artifact_files::blob_key,
        artifact_bundles::dist,
        artifact_bundles::created_at,
    )
}

/// The files of a version that projects have, those that came last first.
pub fn list(
    conn: &mut Conn,
    scope: &OrgScope,
    projects: &[Project],
    version: &str,
) -> Result<Vec<ReleaseFile>, StoreError> {
    let bundles = artifact_bundle_projects::table
        .filter(artifact_bundle_projects::project_id.eq_any(ids(projects)))
        .select(artifact_bundle_projects::bundle_id);
    Ok(artifact_files::table
        .inner_join(artifact_bundles::table.on(artifact_bundles::id.eq(artifact_files::bundle_id)))
        .filter(artifact_bundles::organization_id.eq(scope.organization_id()))
        .filter(artifact_bundles::state.eq(state::OK))
        .filter(artifact_bundles::version.eq(version))
        .filter(artifact_bundles::id.eq_any(bundles))
        // What was fetched from where browsers load it has no place: it goes by itself.
        .filter(artifact_files::place_key.is_not_null())
        .order(artifact_files::id.desc())
        .limit(MOST_LISTED)
        .select(columns())
        .load(conn)?)
}

fn ids(projects: &[Project]) -> Vec<i64> {
    projects.iter().map(|project| project.id).collect()
}

/// One of them.
pub fn one(
    conn: &mut Conn,
    scope: &OrgScope,
    projects: &[Project],
    version: &str,
    id: i64,
) -> Result<ReleaseFile, StoreError> {
    let bundles = artifact_bundle_projects::table
        .filter(artifact_bundle_projects::project_id.eq_any(ids(projects)))
        .select(artifact_bundle_projects::bundle_id);
    artifact_files::table
        .inner_join(artifact_bundles::table.on(artifact_bundles::id.eq(artifact_files::bundle_id)))
        .filter(artifact_files::id.eq(id))
        .filter(artifact_bundles::organization_id.eq(scope.organization_id()))
        .filter(artifact_bundles::state.eq(state::OK))
        .filter(artifact_bundles::version.eq(version))
        .filter(artifact_bundles::id.eq_any(bundles))
        .filter(artifact_files::place_key.is_not_null())
        .select(columns())
        .first(conn)
        .optional()?
        .ok_or(StoreError::NotFound)
}

/// Makes a file known as an upload of its own. A name that such an upload has taken is a conflict.
pub fn add(
    conn: &mut Conn,
    scope: &OrgScope,
    projects: &[Project],
    (version, dist): (&str, Option<&str>),
    file: NewFile,
    now: i64,
) -> Result<ReleaseFile, StoreError> {
    let upload_key = place_key(version, dist, &format!("release file {}", file.url));
    let taken: i64 = artifact_bundles::table
        .filter(artifact_bundles::organization_id.eq(scope.organization_id()))
        .filter(artifact_bundles::upload_key.eq(&upload_key))
        .count()
        .get_result(conn)?;
    if taken > 0 {
        return Err(StoreError::Conflict(format!(
            "A file named {} exists for this release and dist already; delete it first",
            file.url
        )));
    }
    let bundle = ArtifactBundle {
        id: dialect::next_ids(conn, "artifact_bundle", 1)?,
        organization_id: scope.organization_id(),
        checksum: file.checksum.clone(),
        state: state::OK.to_owned(),
        detail: None,
        version: Some(version.to_owned()),
        dist: dist.map(str::to_owned),
        size: file.size,
        file_count: 1,
        created_at: now,
        changed_at: now,
    };
    uploads::insert_bundle(conn, &bundle, &upload_key)?;
    uploads::add_projects(conn, bundle.id, projects)?;
    let id = uploads::insert_files(conn, &bundle, std::slice::from_ref(&file))?;
    Ok(ReleaseFile {
        id,
        bundle_id: bundle.id,
        name: file.url,
        size: file.size,
        checksum: Some(file.checksum),
        source_map: file.source_map,
        blob_key: file.blob_key,
        dist: bundle.dist,
        created_at: now,
    })
}

/// Takes a file out of its upload, for all projects that have it. Returns the upload whose content is to be deleted.
pub fn remove(conn: &mut Conn, file: &ReleaseFile, now: i64) -> Result<i64, StoreError> {
    let row: ArtifactBundle = artifact_bundles::table
        .find(file.bundle_id)
        .select(ArtifactBundle::as_select())
        .first(conn)
        .optional()?
        .ok_or(StoreError::NotFound)?;
    // An upload of its own, which nobody sees, is deleted as every other.
    let gone = ArtifactBundle {
        id: dialect::next_ids(conn, "artifact_bundle", 1)?,
        state: state::DELETING.to_owned(),
        size: file.size,
        file_count: 1,
        changed_at: now,
        ..row.clone()
    };
    let key = hex::encode(Sha1::digest(format!("deleted bundle {}", gone.id)));
    uploads::insert_bundle(conn, &gone, &key)?;
    let moved = diesel::update(
        artifact_files::table
            .find(file.id)
            .filter(artifact_files::bundle_id.eq(row.id)),
    )
    .set(artifact_files::bundle_id.eq(gone.id))
    .execute(conn)?;
    // Somebody else deletes it at this moment; nothing of this stays.
    if moved == 0 {
        return Err(StoreError::NotFound);
    }
    diesel::update(artifact_bundles::table.find(row.id))
        .set((
            artifact_bundles::file_count.eq(artifact_bundles::file_count - 1),
            artifact_bundles::changed_at.eq(now),
        ))
        .execute(conn)?;
    if row.file_count <= 1 {
        diesel::delete(
            artifact_bundle_projects::table.filter(artifact_bundle_projects::bundle_id.eq(row.id)),
        )
        .execute(conn)?;
        diesel::delete(artifact_bundles::table.find(row.id)).execute(conn)?;
        super::keys::touch(conn)?;
    }
    Ok(gone.id)
}

/// The uploads of a project for a version.
pub fn bundles_of(
    conn: &mut Conn,
    project: &Project,
    version: Option<&str>,
) -> Result<Vec<ArtifactBundle>, StoreError> {
    let mut query = artifact_bundles::table
        .inner_join(
            artifact_bundle_projects::table
                .on(artifact_bundle_projects::bundle_id.eq(artifact_bundles::id)),
        )
        .filter(artifact_bundle_projects::project_id.eq(project.id))
        .filter(artifact_bundles::state.eq(state::OK))
        .filter(artifact_bundles::version.is_not_null())
        .order(artifact_bundles::id.desc())
        .limit(MOST_LISTED)
        .select(ArtifactBundle::as_select())
        .into_boxed();
    if let Some(version) = version {
        query = query.filter(artifact_bundles::version.eq(version.to_owned()));
    }
    Ok(query.load(conn)?)
}
