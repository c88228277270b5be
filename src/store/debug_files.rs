//! Debug files: what builds uploaded to read native and obfuscated stacks. In: a project with checksums or a debug id. Out: how far an upload
//! is, and where its symbols are kept.

use std::collections::HashSet;

use diesel::prelude::*;

use super::accounts::Project;
use super::schema::debug_files;
use super::uploads::{self, Progress, state};
use super::{Conn, StoreError, dialect, keys};
use crate::model::names::fit;
use crate::process::native::debug_file::Facts;

/// As for bundles: see [`super::uploads`].
const FAILURE_COUNTS_MS: i64 = 10 * 60 * 1000;
const WORK_COUNTS_MS: i64 = 60 * 60 * 1000;
const LONGEST_NAME: usize = 200;
const LONGEST_DETAIL: usize = 1_000;
const LISTED: i64 = 1_000;

/// An object of a file.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = debug_files)]
pub struct DebugFile {
    pub id: i64,
    pub project_id: i64,
    /// SHA-1 of the file that it is in.
    pub checksum: String,
    /// Its place in the file.
    pub position: i64,
    pub state: String,
    pub detail: Option<String>,
    pub name: String,
    pub debug_id: Option<String>,
    pub code_id: Option<String>,
    pub kind: String,
    pub cpu: String,
    /// Words with spaces between.
    pub features: String,
    /// Bytes of the file.
    pub size: i64,
    pub blob_key: String,
    pub symbols_key: Option<String>,
    pub unwind_key: Option<String>,
    pub problem: Option<String>,
    pub created_at: i64,
    pub changed_at: i64,
}

impl DebugFile {
    pub fn blob_keys(&self) -> impl Iterator<Item = &String> {
        let own = std::iter::once(&self.blob_key).filter(|key| !key.is_empty());
        own.chain(&self.symbols_key).chain(&self.unwind_key)
    }
}

/// An object, all of it kept.
#[derive(Debug, Clone)]
pub struct NewObject {
    pub facts: Facts,
    pub symbols_key: Option<String>,
    pub unwind_key: Option<String>,
}

/// A file that a client wants to be put together.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub checksum: String,
    pub name: String,
    pub chunks: Vec<String>,
}

/// All projects that have debug files.
pub fn projects_with_files(conn: &mut Conn) -> Result<HashSet<i64>, StoreError> {
    let projects: Vec<i64> = debug_files::table
        .filter(debug_files::state.eq(state::OK))
        .select(debug_files::project_id)
        .distinct()
        .load(conn)?;
    Ok(projects.into_iter().collect())
}

/// The objects of the file with a checksum.
pub fn by_checksum(
    conn: &mut Conn,
    project: &Project,
    checksum: &str,
) -> Result<Vec<DebugFile>, StoreError> {
    Ok(debug_files::table
        .filter(debug_files::project_id.eq(project.id))
        .filter(debug_files::checksum.eq(checksum))
        .filter(debug_files::state.ne(state::DELETING))
        .order(debug_files::position)
        .select(DebugFile::as_select())
        .load(conn)?)
}

/// Says how far a file is, and begins it where all its chunks are there.
pub fn assemble(
    conn: &mut Conn,
    project: &Project,
    wanted: &Wanted,
    now: i64,
) -> Result<Progress, StoreError> {
    let known: Option<DebugFile> = debug_files::table
        .filter(debug_files::project_id.eq(project.id))
        .filter(debug_files::checksum.eq(&wanted.checksum))
        .filter(debug_files::position.eq(0))
        .select(DebugFile::as_select())
        .first(conn)
        .optional()?;
    if let Some(file) = &known {
        let counts_ms = match file.state.as_str() {
            state::OK => i64::MAX,
            state::ERROR => FAILURE_COUNTS_MS,
            _ => WORK_COUNTS_MS,
        };
        if now - file.changed_at < counts_ms {
            return Ok(Progress::Known {
                state: match file.state.as_str() {
                    // It is gone for whoever asks; it can come again in a moment.
                    state::DELETING => state::CREATED.to_owned(),
                    other => other.to_owned(),
                },
                detail: file.detail.clone(),
            });
        }
    }
    if wanted.chunks.is_empty() {
        return Ok(Progress::Missing(Vec::new()));
    }
    let found = uploads::chunks(conn, project.organization_id, &wanted.chunks)?;
    let mut missing: Vec<String> = Vec::new();
    for chunk in &wanted.chunks {
        if !found.contains_key(chunk) && !missing.contains(chunk) {
            missing.push(chunk.clone());
        }
    }
    if !missing.is_empty() {
        return Ok(Progress::Missing(missing));
    }
    let id = if let Some(file) = known {
        diesel::update(debug_files::table.find(file.id))
            .set((
                debug_files::state.eq(state::CREATED),
                debug_files::detail.eq(None::<String>),
                debug_files::changed_at.eq(now),
            ))
            .execute(conn)?;
        file.id
    } else {
        let id = dialect::next_ids(conn, "debug_file", 1)?;
        let row = row(id, project.id, wanted, 0, now);
        insert(conn, &row)?;
        id
    };
    Ok(Progress::Begun(id))
}

fn row(id: i64, project_id: i64, wanted: &Wanted, position: i64, now: i64) -> DebugFile {
    DebugFile {
        id,
        project_id,
        checksum: wanted.checksum.clone(),
        position,
        state: state::CREATED.to_owned(),
        detail: None,
        name: fit(&wanted.name, LONGEST_NAME).to_owned(),
        debug_id: None,
        code_id: None,
        kind: String::new(),
        cpu: String::new(),
        features: String::new(),
        size: 0,
        blob_key: String::new(),
        symbols_key: None,
        unwind_key: None,
        problem: None,
        created_at: now,
        changed_at: now,
    }
}

fn insert(conn: &mut Conn, row: &DebugFile) -> Result<(), StoreError> {
    diesel::insert_into(debug_files::table)
        .values((
            (
                debug_files::id.eq(row.id),
                debug_files::project_id.eq(row.project_id),
                debug_files::checksum.eq(&row.checksum),
                debug_files::position.eq(row.position),
                debug_files::state.eq(&row.state),
                debug_files::detail.eq(&row.detail),
                debug_files::name.eq(&row.name),
                debug_files::debug_id.eq(&row.debug_id),
                debug_files::code_id.eq(&row.code_id),
                debug_files::kind.eq(&row.kind),
            ),
            (
                debug_files::cpu.eq(&row.cpu),
                debug_files::features.eq(&row.features),
                debug_files::size.eq(row.size),
                debug_files::blob_key.eq(&row.blob_key),
                debug_files::symbols_key.eq(&row.symbols_key),
                debug_files::unwind_key.eq(&row.unwind_key),
                debug_files::problem.eq(&row.problem),
                debug_files::created_at.eq(row.created_at),
                debug_files::changed_at.eq(row.changed_at),
            ),
        ))
        .execute(conn)?;
    Ok(())
}

/// The file that a task is for, and that the work on it goes on; none where it is not wanted any more.
pub fn begin(conn: &mut Conn, id: i64, now: i64) -> Result<Option<DebugFile>, StoreError> {
    let changed = diesel::update(
        debug_files::table
            .find(id)
            .filter(debug_files::state.eq_any([state::CREATED, state::ASSEMBLING])),
    )
    .set((
        debug_files::state.eq(state::ASSEMBLING),
        debug_files::changed_at.eq(now),
    ))
    .execute(conn)?;
    if changed == 0 {
        return Ok(None);
    }
    Ok(Some(
        debug_files::table
            .find(id)
            .select(DebugFile::as_select())
            .first(conn)?,
    ))
}

/// Notes why a file cannot be had.
pub fn fail(conn: &mut Conn, id: i64, detail: &str, now: i64) -> Result<(), StoreError> {
    diesel::update(
        debug_files::table
            .find(id)
            .filter(debug_files::state.eq(state::ASSEMBLING)),
    )
    .set((
        debug_files::state.eq(state::ERROR),
        debug_files::detail.eq(Some(fit(detail, LONGEST_DETAIL))),
        debug_files::changed_at.eq(now),
    ))
    .execute(conn)?;
    Ok(())
}

/// All of a file is kept: the first object takes the row that there is, the others get one. False where it is not wanted any more.
pub fn complete(
    conn: &mut Conn,
    file: &DebugFile,
    size: i64,
    blob_key: &str,
    objects: &[NewObject],
    now: i64,
) -> Result<bool, StoreError> {
    let still_wanted = diesel::update(
        debug_files::table
            .find(file.id)
            .filter(debug_files::state.eq(state::ASSEMBLING)),
    )
    .set(debug_files::state.eq(state::OK))
    .execute(conn)?;
    if still_wanted == 0 {
        return Ok(false);
    }
    let all = debug_files::table
        .filter(debug_files::project_id.eq(file.project_id))
        .filter(debug_files::checksum.eq(&file.checksum));
    diesel::delete(all).execute(conn)?;
    let more = objects.len().saturating_sub(1) as i64;
    let first_of_more = if more > 0 {
        dialect::next_ids(conn, "debug_file", more)?
    } else {
        0
    };
    for (at, object) in objects.iter().enumerate() {
        let at = at as i64;
        let facts = &object.facts;
        insert(
            conn,
            &DebugFile {
                id: if at == 0 {
                    file.id
                } else {
                    first_of_more + at - 1
                },
                position: at,
                state: state::OK.to_owned(),
                detail: None,
                debug_id: facts.debug_id.clone(),
                code_id: facts.code_id.as_deref().map(|id| fit(id, 128).to_owned()),
                kind: fit(&facts.kind, 32).to_owned(),
                cpu: fit(&facts.cpu, 32).to_owned(),
                features: facts.features.join(" "),
                size,
                blob_key: if at == 0 {
                    blob_key.to_owned()
                } else {
                    String::new()
                },
                symbols_key: object.symbols_key.clone(),
                unwind_key: object.unwind_key.clone(),
                problem: facts
                    .problem
                    .as_deref()
                    .map(|text| fit(text, LONGEST_DETAIL).to_owned()),
                changed_at: now,
                ..file.clone()
            },
        )?;
    }
    // Every node hears that the project has debug files.
    keys::touch(conn)?;
    Ok(true)
}

/// What is found of a debug id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbols {
    pub symbols: Option<String>,
    pub unwind: Option<String>,
    pub problem: Option<String>,
}

/// Where the symbols of an object are kept, and its unwind rules, which another file of the same id may have. Of several files the one
/// with lines goes before one with names only, and the newest before the others.
pub fn symbols(
    conn: &mut Conn,
    project_id: i64,
    debug_id: &str,
) -> Result<Option<Symbols>, StoreError> {
    let mut files: Vec<DebugFile> = debug_files::table
        .filter(debug_files::project_id.eq(project_id))
        .filter(debug_files::debug_id.eq(debug_id))
        .filter(debug_files::state.eq(state::OK))
        .order(debug_files::id.desc())
        .limit(20)
        .select(DebugFile::as_select())
        .load(conn)?;
    if files.is_empty() {
        return Ok(None);
    }
    let has = |file: &DebugFile, feature: &str| file.features.split(' ').any(|one| one == feature);
    // Stable: the newest stays first among equals.
    files.sort_by_key(|file| !(has(file, "debug") || has(file, "mapping")));
    let first = |key: fn(&DebugFile) -> Option<&String>| files.iter().find_map(key).cloned();
    Ok(Some(Symbols {
        symbols: first(|file| file.symbols_key.as_ref()),
        unwind: first(|file| file.unwind_key.as_ref()),
        problem: first(|file| file.problem.as_ref()),
    }))
}

/// Which files of a project to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub debug_id: Option<String>,
    pub code_id: Option<String>,
    /// A part of the name or of the id.
    pub contains: Option<String>,
}

/// The files of a project, the newest first, also those that failed or are in work.
pub fn list(
    conn: &mut Conn,
    project: &Project,
    filter: &Filter,
) -> Result<Vec<DebugFile>, StoreError> {
    let mut query = debug_files::table
        .filter(debug_files::project_id.eq(project.id))
        .filter(debug_files::state.ne(state::DELETING))
        .order(debug_files::id.desc())
        .limit(LISTED)
        .select(DebugFile::as_select())
        .into_boxed();
    if let Some(id) = &filter.debug_id {
        query = query.filter(debug_files::debug_id.eq(id));
    }
    if let Some(id) = &filter.code_id {
        query = query.filter(debug_files::code_id.eq(id));
    }
    let mut files: Vec<DebugFile> = query.load(conn)?;
    if let Some(part) = &filter.contains {
        let part = part.to_lowercase();
        files.retain(|file| {
            let id = file.debug_id.as_deref().unwrap_or_default();
            file.name.to_lowercase().contains(&part) || id.contains(&part)
        });
    }
    Ok(files)
}

/// One object of a project.
pub fn one(conn: &mut Conn, project: &Project, id: i64) -> Result<DebugFile, StoreError> {
    Ok(debug_files::table
        .find(id)
        .filter(debug_files::project_id.eq(project.id))
        .filter(debug_files::state.ne(state::DELETING))
        .select(DebugFile::as_select())
        .first(conn)?)
}

/// Hides a file, with all its objects, before it is taken away.
pub fn hide(conn: &mut Conn, file: &DebugFile, now: i64) -> Result<(), StoreError> {
    let all = debug_files::table
        .filter(debug_files::project_id.eq(file.project_id))
        .filter(debug_files::checksum.eq(&file.checksum));
    diesel::update(all)
        .set((
            debug_files::state.eq(state::DELETING),
            debug_files::changed_at.eq(now),
        ))
        .execute(conn)?;
    keys::touch(conn)
}

/// The objects of a hidden file.
pub fn hidden(
    conn: &mut Conn,
    project_id: i64,
    checksum: &str,
) -> Result<Vec<DebugFile>, StoreError> {
    Ok(debug_files::table
        .filter(debug_files::project_id.eq(project_id))
        .filter(debug_files::checksum.eq(checksum))
        .filter(debug_files::state.eq(state::DELETING))
        .select(DebugFile::as_select())
        .load(conn)?)
}

/// Their blobs are gone.
pub fn forget(conn: &mut Conn, ids: &[i64]) -> Result<(), StoreError> {
    let gone = debug_files::table
        .filter(debug_files::id.eq_any(ids))
        .filter(debug_files::state.eq(state::DELETING));
    diesel::delete(gone).execute(conn)?;
    Ok(())
}
