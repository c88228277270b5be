//! The files that commits of a release touched. In: what builds say of each commit, later the paths of a crash's frames. Out: rows,
//! and the commits that touched one of these files.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use diesel::prelude::*;

use super::{Commit, MOST_SUSPECTS};
use crate::model::suspects::{meant, name_of};
use crate::store::dialect::{Bind, insert_rows};
use crate::store::schema::{commit_files, release_commits, release_details};
use crate::store::scope::OrgScope;
use crate::store::{Conn, StoreError};

/// Files of a release that are kept, beginning with those of its newest commits.
const MOST_FILES: usize = 20_000;
/// Rows of equal names that are compared with frames.
const MOST_COMPARED: i64 = 5_000;

/// What a commit did to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Touch {
    Added,
    Modified,
    Deleted,
}

impl Touch {
    /// The letter that git and clients use.
    pub fn parse(letter: &str) -> Option<Self> {
        match letter {
            "A" => Some(Self::Added),
            "M" => Some(Self::Modified),
            "D" => Some(Self::Deleted),
            _ => None,
        }
    }

    pub const fn letter(self) -> &'static str {
        match self {
            Self::Added => "A",
            Self::Modified => "M",
            Self::Deleted => "D",
        }
    }
}

/// A file that a commit touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TouchedFile {
    pub path: String,
    pub touch: Touch,
}

/// A commit as a build gives it, with its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenCommit {
    pub commit: Commit,
    pub files: Vec<TouchedFile>,
}

/// A commit that touched a file in which something broke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspect {
    pub commit: Commit,
    pub file: TouchedFile,
}

pub(super) fn forget(conn: &mut Conn, release_id: i64) -> Result<(), StoreError> {
    diesel::delete(commit_files::table.filter(commit_files::release_id.eq(release_id)))
        .execute(conn)?;
    Ok(())
}

pub(super) fn add(
    conn: &mut Conn,
    release_id: i64,
    commits: &[GivenCommit],
) -> Result<(), StoreError> {
    let all = (0..).zip(commits).flat_map(|(position, commit)| {
        let files = (0..).zip(&commit.files);
        files.map(move |(number, file)| (position, number, file))
    });
    let rows: Vec<Vec<Bind<'_>>> = all
        .take(MOST_FILES)
        .map(|(position, number, file)| {
            vec![
                Bind::I64(release_id),
                Bind::I64(position),
                Bind::I64(number),
                Bind::Text(name_of(&file.path)),
                Bind::Str(&file.path),
                Bind::Str(file.touch.letter()),
            ]
        })
        .collect();
    insert_rows(
        conn,
        "commit_files",
        &["release_id", "position", "number", "name", "path", "kind"],
        &rows,
    )
}

fn id_of(conn: &mut Conn, scope: &OrgScope, version: &str) -> Result<Option<i64>, StoreError> {
    Ok(release_details::table
        .filter(release_details::organization_id.eq(scope.organization_id()))
        .filter(release_details::version.eq(version))
        .select(release_details::id)
        .first(conn)
        .optional()?)
}

/// Whether it is known of any commit of a release which files it touched.
pub fn has_files(conn: &mut Conn, scope: &OrgScope, version: &str) -> Result<bool, StoreError> {
    let Some(id) = id_of(conn, scope, version)? else {
        return Ok(false);
    };
    let any: Option<i64> = commit_files::table
        .filter(commit_files::release_id.eq(id))
        .select(commit_files::number)
        .first(conn)
        .optional()?;
    Ok(any.is_some())
}

/// The newest commits of a release that touched a file which one of the paths means.
pub fn suspects(
    conn: &mut Conn,
    scope: &OrgScope,
    version: &str,
    paths: &[String],
) -> Result<Vec<Suspect>, StoreError> {
    let Some(id) = id_of(conn, scope, version)? else {
        return Ok(Vec::new());
    };
    let names: Vec<String> = paths.iter().map(|path| name_of(path)).collect();
    let files: Vec<(i64, String, String)> = commit_files::table
        .filter(commit_files::release_id.eq(id))
        .filter(commit_files::name.eq_any(names))
        .order((commit_files::position, commit_files::number))
        .limit(MOST_COMPARED)
        .select((
            commit_files::position,
            commit_files::path,
            commit_files::kind,
        ))
        .load(conn)?;
    let mut touched = BTreeMap::<i64, TouchedFile>::new();
    for frame in paths {
        for (position, path, kind) in meant(&files, |(_, path, _)| path, frame) {
            if let Some(touch) = Touch::parse(kind) {
                let path = path.clone();
                let file = TouchedFile { path, touch };
                touched.entry(*position).or_insert(file);
            }
        }
    }
    let positions: Vec<i64> = touched.keys().copied().collect();
    let mut commits: Vec<Commit> = release_commits::table
        .filter(release_commits::release_id.eq(id))
        .filter(release_commits::position.eq_any(positions))
        .select(Commit::as_select())
        .load(conn)?;
    commits.sort_by_key(|commit| (Reverse(commit.committed_at), commit.position));
    commits.truncate(MOST_SUSPECTS);
    let with_file = commits.into_iter().filter_map(|commit| {
        let file = touched.remove(&commit.position)?;
        Some(Suspect { commit, file })
    });
    Ok(with_file.collect())
}
