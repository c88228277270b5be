//! Files that builds uploaded, found again for a stack frame. In: a project with a debug id, or with a release and an
//! address. Out: where the file is kept, the newest upload first.

use std::collections::HashSet;

use diesel::prelude::*;
use sha1::{Digest, Sha1};

use super::schema::{artifact_bundle_projects, artifact_files};
use super::{Conn, StoreError};
use crate::protocol::debug_id;

/// What a file is, as its number in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArtifactKind {
    MinifiedSource = 1,
    SourceMap = 2,
    Source = 3,
}

impl ArtifactKind {
    pub fn number(self) -> i32 {
        self as i32
    }

    /// What the ending of a file's name says that it is.
    pub fn of_name(name: &str) -> Self {
        let bare = name.split(['?', '#']).next().unwrap_or(name);
        let ending = bare
            .rsplit_once('.')
            .map(|(_, ending)| ending.to_ascii_lowercase());
        match ending.as_deref() {
            Some("js" | "cjs" | "mjs" | "jsbundle" | "bundle") => Self::MinifiedSource,
            Some("map") => Self::SourceMap,
            _ => Self::Source,
        }
    }
}

/// A file that was found.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct Artifact {
    /// The key of its content in the blob store.
    pub blob: String,
    /// Bytes of the content, unpacked.
    pub size: i64,
    pub url: String,
    /// The reference to its source map, out of its headers.
    pub source_map: Option<String>,
    pub debug_id: Option<String>,
    /// The key of the source map, compiled for the script. What stands frames back to their source is looked for here.
    pub compiled: Option<String>,
    /// Why there is no compiled map.
    pub problem: Option<String>,
}

/// All projects that something was uploaded for.
pub fn projects_with_uploads(conn: &mut Conn) -> Result<HashSet<i64>, StoreError> {
    let projects: Vec<i64> = artifact_bundle_projects::table
        .select(artifact_bundle_projects::project_id)
        .distinct()
        .load(conn)?;
    Ok(projects.into_iter().collect())
}

/// A file with the key of its place and the number of its upload.
type Row = (
    Option<String>,
    i64,
    String,
    i64,
    String,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
);

/// The file with a debug id, in any form of a UUID.
pub fn artifact_by_debug_id(
    conn: &mut Conn,
    project_id: i64,
    debug_id: &str,
    kind: ArtifactKind,
) -> Result<Option<Artifact>, StoreError> {
    let Some(debug_id) = debug_id::canonical(debug_id) else {
        return Ok(None);
    };
    Ok(artifact_files::table
        .inner_join(
            artifact_bundle_projects::table
                .on(artifact_bundle_projects::bundle_id.eq(artifact_files::bundle_id)),
        )
        .filter(artifact_files::debug_id.eq(debug_id))
        .filter(artifact_files::kind.eq(kind.number()))
        .filter(artifact_bundle_projects::project_id.eq(project_id))
        .order((artifact_files::bundle_id.desc(), artifact_files::id.desc()))
        .select((
            artifact_files::blob_key,
            artifact_files::size,
            artifact_files::url,
            artifact_files::source_map,
            artifact_files::debug_id,
            artifact_files::compiled_key,
            artifact_files::problem,
        ))
        .first(conn)
        .optional()?)
}

/// The file at an address in a release. An upload whose address begins with `~` counts for every scheme and host, and a
/// query or fragment that the upload does not have is no hindrance.
pub fn artifact_by_url(
    conn: &mut Conn,
    project_id: i64,
    release: &str,
    dist: Option<&str>,
    url: &str,
    kind: ArtifactKind,
) -> Result<Option<Artifact>, StoreError> {
    let keys: Vec<String> = spellings(url)
        .iter()
        .map(|spelling| place_key(release, dist, spelling))
        .collect();
    let rows: Vec<Row> = artifact_files::table
        .inner_join(
            artifact_bundle_projects::table
                .on(artifact_bundle_projects::bundle_id.eq(artifact_files::bundle_id)),
        )
        .filter(artifact_files::place_key.eq_any(&keys))
        .filter(artifact_files::kind.eq(kind.number()))
        .filter(artifact_bundle_projects::project_id.eq(project_id))
        .order((artifact_files::bundle_id.desc(), artifact_files::id.desc()))
        // One upload has each spelling at most once or twice: the newest upload is among these.
        .limit(16)
        .select((
            artifact_files::place_key,
            artifact_files::bundle_id,
            artifact_files::blob_key,
            artifact_files::size,
            artifact_files::url,
            artifact_files::source_map,
            artifact_files::debug_id,
            artifact_files::compiled_key,
            artifact_files::problem,
        ))
        .load(conn)?;
    let Some(newest) = rows.first().map(|row| row.1) else {
        return Ok(None);
    };
    // Within an upload the spelling that says most goes first.
    let rank = |row: &Row| keys.iter().position(|key| row.0.as_ref() == Some(key));
    let best = rows
        .into_iter()
        .filter(|row| row.1 == newest)
        .min_by_key(rank);
    Ok(best.map(
        |(_, _, blob, size, url, source_map, debug_id, compiled, problem)| Artifact {
            blob,
            size,
            url,
            source_map,
            debug_id,
            compiled,
            problem,
        },
    ))
}

/// One short value for release, dist and address, as an index takes it on every database.
pub fn place_key(release: &str, dist: Option<&str>, url: &str) -> String {
    let mut hash = Sha1::new();
    for part in [release, dist.unwrap_or_default(), url] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    hex::encode(hash.finalize())
}

/// How an upload may have written this address, the most exact first.
pub(super) fn spellings(url: &str) -> Vec<String> {
    let bare = url.split(['?', '#']).next().unwrap_or(url);
    let mut found: Vec<String> = Vec::with_capacity(4);
    for form in [url, bare] {
        for spelling in [Some(form.to_owned()), without_host(form)] {
            found.extend(spelling.filter(|spelling| !found.contains(spelling)));
        }
    }
    found
}

/// `~/path` of an address with a scheme and a host, or of a bare path.
fn without_host(url: &str) -> Option<String> {
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.find('/').map(|at| &rest[at..])?,
        None if url.starts_with('/') => url,
        None => return None,
    };
    Some(format!("~{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_looked_for_in_every_spelling() {
        assert_eq!(
            spellings("https://example.com/js/app.js?v=1"),
            [
                "https://example.com/js/app.js?v=1",
                "~/js/app.js?v=1",
                "https://example.com/js/app.js",
                "~/js/app.js",
            ]
        );
        assert_eq!(spellings("/js/app.js"), ["/js/app.js", "~/js/app.js"]);
        assert_eq!(spellings("~/js/app.js"), ["~/js/app.js"]);
        assert_eq!(spellings("app:///app.js"), ["app:///app.js", "~/app.js"]);
    }

    #[test]
    fn parts_of_a_place_do_not_run_into_each_other() {
        assert_ne!(place_key("a", Some("b"), "c"), place_key("ab", None, "c"));
        assert_eq!(place_key("a", None, "c").len(), 40);
    }
}
