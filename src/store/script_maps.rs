//! Scripts whose maps come in another upload. In: an upload that is complete. Out: scripts that can be paired with a map now, of
//! this upload or of earlier ones of the same projects, and the note of how that went.

use diesel::prelude::*;

use super::artifacts::{ArtifactKind, place_key, spellings};
use super::schema::{artifact_bundle_projects, artifact_bundles, artifact_files};
use super::uploads::state;
use super::{Conn, StoreError};

/// A script without its map.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct WaitingScript {
    pub id: i64,
    pub bundle_id: i64,
    pub blob_key: String,
    pub url: String,
    debug_id: Option<String>,
    waits_for: Option<String>,
}

/// The projects that see an upload.
fn projects_of(conn: &mut Conn, bundle_id: i64) -> Result<Vec<i64>, StoreError> {
    Ok(artifact_bundle_projects::table
        .filter(artifact_bundle_projects::bundle_id.eq(bundle_id))
        .select(artifact_bundle_projects::project_id)
        .load(conn)?)
}

/// Scripts of an upload whose maps did not come with them, in the order of their numbers.
pub fn waiting_in(
    conn: &mut Conn,
    bundle_id: i64,
    after: i64,
    most: i64,
) -> Result<Vec<WaitingScript>, StoreError> {
    Ok(artifact_files::table
        .filter(artifact_files::bundle_id.eq(bundle_id))
        .filter(artifact_files::id.gt(after))
        .filter(artifact_files::waits_for.is_not_null())
        .order(artifact_files::id)
        .limit(most)
        .select(columns())
        .load(conn)?)
}

type Columns = (
    artifact_files::id,
    artifact_files::bundle_id,
    artifact_files::blob_key,
    artifact_files::url,
    artifact_files::debug_id,
    artifact_files::waits_for,
);

fn columns() -> Columns {
    (
        artifact_files::id,
        artifact_files::bundle_id,
        artifact_files::blob_key,
        artifact_files::url,
        artifact_files::debug_id,
        artifact_files::waits_for,
    )
}

/// Some maps of an upload, with the number of the last; and the scripts of other uploads that wait for these.
pub fn waiting_for(
    conn: &mut Conn,
    bundle_id: i64,
    after: i64,
    most: i64,
) -> Result<(Option<i64>, Vec<WaitingScript>), StoreError> {
    let place: Option<(Option<String>, Option<String>)> = artifact_bundles::table
        .find(bundle_id)
        .filter(artifact_bundles::state.eq(state::OK))
        .select((artifact_bundles::version, artifact_bundles::dist))
        .first(conn)
        .optional()?;
    let Some((version, dist)) = place else {
        return Ok((None, Vec::new()));
    };
    let maps: Vec<(i64, Option<String>, String)> = artifact_files::table
        .filter(artifact_files::bundle_id.eq(bundle_id))
        .filter(artifact_files::id.gt(after))
        .filter(artifact_files::kind.eq(ArtifactKind::SourceMap.number()))
        .order(artifact_files::id)
        .limit(most)
        .select((
            artifact_files::id,
            artifact_files::debug_id,
            artifact_files::url,
        ))
        .load(conn)?;
    let mut wanted: Vec<String> = Vec::new();
    let mut ids: Vec<String> = Vec::new();
    for (_, debug_id, url) in &maps {
        if let Some(version) = &version {
            let spelled = spellings(url).into_iter();
            wanted.extend(spelled.map(|url| place_key(version, dist.as_deref(), &url)));
        }
        ids.extend(debug_id.clone());
    }
    let bundles = artifact_bundle_projects::table
        .filter(artifact_bundle_projects::project_id.eq_any(projects_of(conn, bundle_id)?))
        .select(artifact_bundle_projects::bundle_id);
    let by_id = artifact_files::debug_id
        .eq_any(ids)
        .and(artifact_files::waits_for.is_not_null());
    let scripts = artifact_files::table
        .filter(artifact_files::waits_for.eq_any(wanted).or(by_id))
        .filter(artifact_files::kind.eq(ArtifactKind::MinifiedSource.number()))
        .filter(artifact_files::bundle_id.eq_any(bundles))
        .order(artifact_files::id)
        .select(columns())
        .load(conn)?;
    Ok((maps.last().map(|(id, ..)| *id), scripts))
}

/// The blob of the newest map that a script waits for, among the uploads of its projects.
pub fn map_of(conn: &mut Conn, script: &WaitingScript) -> Result<Option<String>, StoreError> {
    let projects = projects_of(conn, script.bundle_id)?;
    let maps = || {
        artifact_files::table
            .inner_join(
                artifact_bundle_projects::table
                    .on(artifact_bundle_projects::bundle_id.eq(artifact_files::bundle_id)),
            )
            .filter(artifact_files::kind.eq(ArtifactKind::SourceMap.number()))
            .filter(artifact_bundle_projects::project_id.eq_any(projects.clone()))
            .order((artifact_files::bundle_id.desc(), artifact_files::id.desc()))
            .select(artifact_files::blob_key)
    };
    if let Some(id) = &script.debug_id {
        let found: Option<String> = maps()
            .filter(artifact_files::debug_id.eq(id))
            .first(conn)
            .optional()?;
        if found.is_some() {
            return Ok(found);
        }
    }
    let Some(place) = &script.waits_for else {
        return Ok(None);
    };
    Ok(maps()
        .filter(artifact_files::place_key.eq(place))
        .first(conn)
        .optional()?)
}

/// Notes the compiled map of a script, or why the one that was found is of no use: then the script waits for a better one. False where it
/// does not wait any more.
pub fn pair(
    conn: &mut Conn,
    script_id: i64,
    compiled: Result<&str, &str>,
) -> Result<bool, StoreError> {
    let waiting = artifact_files::table
        .find(script_id)
        .filter(artifact_files::waits_for.is_not_null());
    let changed = match compiled {
        Ok(key) => diesel::update(waiting)
            .set((
                artifact_files::waits_for.eq(None::<String>),
                artifact_files::compiled_key.eq(key),
                artifact_files::problem.eq(None::<String>),
            ))
            .execute(conn)?,
        Err(problem) => diesel::update(waiting)
            .set(artifact_files::problem.eq(problem))
            .execute(conn)?,
    };
    Ok(changed > 0)
}

/// Whether a script has this compiled map.
pub fn has(conn: &mut Conn, script_id: i64, compiled_key: &str) -> Result<bool, StoreError> {
    let known: i64 = artifact_files::table
        .find(script_id)
        .filter(artifact_files::compiled_key.eq(compiled_key))
        .count()
        .get_result(conn)?;
    Ok(known > 0)
}
