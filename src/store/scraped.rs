//! Scripts whose source maps are fetched from where browsers load them. In: what events ask for, and what came of the fetch. Out: what is
//! known of a script, the work to give out, and which events are to be processed again.
//!
//! Whatever changes a script's row holds its project's partition, as digestion does: so no event can begin to wait for a script that was
//! finished a moment ago.

use std::collections::{BTreeMap, HashSet};

use diesel::prelude::*;
use sha1::{Digest, Sha1};

use super::accounts::Project;
use super::artifacts::{Artifact, ArtifactKind, place_key};
use super::dialect::{self, Bind};
use super::digest::hold_project;
use super::schema::{
    artifact_bundle_projects, artifact_bundles, artifact_files, project_settings, projects,
    scraped_askers, scraped_scripts,
};
use super::uploads::{self, NewFile};
use super::{Conn, StoreError};
use crate::process::source_maps::WantedScript;

/// Scripts of one project that wait to be fetched. What is asked for beyond that is asked for again by later events.
const MOST_WAITING: i64 = 100;
/// Fetches of one project in a minute, on all nodes together.
const MOST_A_MINUTE: i64 = 20;
/// What is kept of one project; what was fetched longest ago goes first.
const MOST_KEPT: usize = 200;
const MOST_KEPT_BYTES: i64 = 1024 * 1024 * 1024;
/// Events that are processed again once a script is fetched: one of each issue.
const MOST_ASKERS: i64 = 500;
/// Work that has not moved for so long was given up.
const WAITING_COUNTS_MS: i64 = 24 * 60 * 60 * 1000;
/// A failure counts for so long; then the next event makes another try.
const FAILURE_COUNTS_MS: i64 = 60 * 60 * 1000;
/// Without a release, another script may stand under the same address tomorrow.
const WITHOUT_RELEASE_COUNTS_MS: i64 = 24 * 60 * 60 * 1000;
const LONGEST_PROBLEM: usize = 500;

/// How far a script is.
pub mod state {
    pub const WAITING: &str = "waiting";
    pub const OK: &str = "ok";
    pub const ERROR: &str = "error";
}

#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = scraped_scripts)]
pub struct ScrapedScript {
    pub project_id: i64,
    pub script_key: String,
    pub url: String,
    pub version: Option<String>,
    pub dist: Option<String>,
    pub state: String,
    pub problem: Option<String>,
    pub bundle_id: Option<i64>,
    /// All bytes that are kept of it.
    pub size: i64,
    /// When it was fetched last.
    pub begun_at: i64,
    pub changed_at: i64,
    /// From then on the row says nothing.
    pub expires_at: i64,
}

/// What a look-up finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// Nobody asked for it, or it is on its way.
    NotYet,
    Fetched(Artifact),
    Failed(String),
}

/// An event that lacks the map of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asking<'a> {
    pub project_id: i64,
    pub script: &'a WantedScript,
    pub issue_id: i64,
    pub event_row: i64,
}

/// What follows from events that asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// Scripts to be fetched: the project, and the key of the script.
    pub fetch: Vec<(i64, String)>,
    /// Events whose script was fetched while they were on their way: the row, and the key of the script.
    pub again: Vec<(i64, String)>,
}

/// What a task that is to fetch a script finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begin {
    Go(Box<ScrapedScript>),
    /// The project has had its share of this minute.
    TooMany,
    /// It is not wanted any more.
    Gone,
}

/// What is left to do once a script is finished.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Finished {
    /// Rows of events to be processed again.
    pub again: Vec<i64>,
    /// Bundles whose files are of no use any more.
    pub unused: Vec<i64>,
    /// The files were taken; else they belong to nobody.
    pub is_kept: bool,
}

/// The name of a script in the table.
pub fn key_of(script: &WantedScript) -> String {
    place_key(
        script.release.as_deref().unwrap_or_default(),
        script.dist.as_deref(),
        &script.url,
    )
}

/// All projects that have public source maps fetched.
pub fn projects_that_fetch(conn: &mut Conn) -> Result<HashSet<i64>, StoreError> {
    let projects: Vec<i64> = project_settings::table
        .filter(project_settings::fetch_source_maps.eq(true))
        .select(project_settings::project_id)
        .load(conn)?;
    Ok(projects.into_iter().collect())
}

fn find(
    conn: &mut Conn,
    project_id: i64,
    script_key: &str,
) -> Result<Option<ScrapedScript>, StoreError> {
    Ok(scraped_scripts::table
        .find((project_id, script_key))
        .select(ScrapedScript::as_select())
        .first(conn)
        .optional()?)
}

/// What is known of a script.
pub fn look_up(
    conn: &mut Conn,
    project_id: i64,
    script: &WantedScript,
    now: i64,
) -> Result<Known, StoreError> {
    let Some(row) = find(conn, project_id, &key_of(script))? else {
        return Ok(Known::NotYet);
    };
    if row.expires_at <= now {
        return Ok(Known::NotYet);
    }
    if row.state == state::ERROR {
        return Ok(Known::Failed(row.problem.unwrap_or_default()));
    }
    let (state::OK, Some(bundle_id)) = (row.state.as_str(), row.bundle_id) else {
        return Ok(Known::NotYet);
    };
    let found: Option<Artifact> = artifact_files::table
        .filter(artifact_files::bundle_id.eq(bundle_id))
        .filter(artifact_files::kind.eq(ArtifactKind::MinifiedSource.number()))
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
        .optional()?;
    Ok(found.map_or(Known::NotYet, Known::Fetched))
}

/// Notes what events ask for. The caller holds the partitions of their projects.
pub fn ask(conn: &mut Conn, askings: &[Asking<'_>], now: i64) -> Result<Asked, StoreError> {
    let mut asked = Asked::default();
    // One event of each issue is enough: its new fingerprint is that of the others.
    let mut distinct = BTreeMap::new();
    for asking in askings {
        let script_key = key_of(asking.script);
        distinct
            .entry((asking.project_id, script_key, asking.issue_id))
            .or_insert(asking);
    }
    let mut waiting: Vec<Vec<Bind<'_>>> = Vec::new();
    for ((project_id, script_key, issue_id), asking) in distinct {
        let known = find(conn, project_id, &script_key)?;
        match &known {
            Some(row) if row.expires_at > now && row.state != state::WAITING => {
                asked.again.push((asking.event_row, script_key));
                continue;
            }
            Some(row) if row.expires_at > now => {}
            _ => {
                if !has_room(conn, project_id, now)? {
                    continue;
                }
                begin_waiting(conn, asking, &script_key, known.is_some(), now)?;
                asked.fetch.push((project_id, script_key.clone()));
            }
        }
        waiting.push(vec![
            Bind::I64(project_id),
            Bind::Text(script_key),
            Bind::I64(issue_id),
            Bind::I64(asking.event_row),
        ]);
    }
    let columns = &["project_id", "script_key", "asker", "event_row"];
    dialect::insert_missing(conn, "scraped_askers", columns, &waiting)?;
    Ok(asked)
}

fn has_room(conn: &mut Conn, project_id: i64, now: i64) -> Result<bool, StoreError> {
    let waiting: i64 = scraped_scripts::table
        .filter(scraped_scripts::project_id.eq(project_id))
        .filter(scraped_scripts::state.eq(state::WAITING))
        .filter(scraped_scripts::expires_at.gt(now))
        .count()
        .get_result(conn)?;
    Ok(waiting < MOST_WAITING)
}

fn begin_waiting(
    conn: &mut Conn,
    asking: &Asking<'_>,
    script_key: &str,
    is_known: bool,
    now: i64,
) -> Result<(), StoreError> {
    let times = (
        scraped_scripts::state.eq(state::WAITING),
        scraped_scripts::problem.eq(None::<String>),
        scraped_scripts::changed_at.eq(now),
        scraped_scripts::expires_at.eq(now + WAITING_COUNTS_MS),
    );
    if is_known {
        // What was fetched before stays until there is something new.
        diesel::update(scraped_scripts::table.find((asking.project_id, script_key)))
            .set(times)
            .execute(conn)?;
    } else {
        diesel::insert_into(scraped_scripts::table)
            .values((
                scraped_scripts::project_id.eq(asking.project_id),
                scraped_scripts::script_key.eq(script_key),
                scraped_scripts::url.eq(&asking.script.url),
                scraped_scripts::version.eq(&asking.script.release),
                scraped_scripts::dist.eq(&asking.script.dist),
                scraped_scripts::size.eq(0_i64),
                scraped_scripts::begun_at.eq(0_i64),
                times,
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Begins to fetch a script, if it is still wanted and its project has not had enough.
pub fn begin(
    conn: &mut Conn,
    project_id: i64,
    script_key: &str,
    now: i64,
) -> Result<Begin, StoreError> {
    hold_project(conn, project_id)?;
    let row = find(conn, project_id, script_key)?.filter(|row| row.state == state::WAITING);
    let Some(row) = row else {
        return Ok(Begin::Gone);
    };
    let is_on: Option<bool> = project_settings::table
        .find(project_id)
        .select(project_settings::fetch_source_maps)
        .first(conn)
        .optional()?;
    if is_on != Some(true) {
        // Whatever it had before says nothing any more; who asks anew begins anew.
        diesel::update(scraped_scripts::table.find((project_id, script_key)))
            .set(scraped_scripts::expires_at.eq(now))
            .execute(conn)?;
        askers(conn, project_id, script_key)?;
        return Ok(Begin::Gone);
    }
    let lately: i64 = scraped_scripts::table
        .filter(scraped_scripts::project_id.eq(project_id))
        .filter(scraped_scripts::begun_at.gt(now - 60_000))
        .count()
        .get_result(conn)?;
    if lately >= MOST_A_MINUTE {
        return Ok(Begin::TooMany);
    }
    diesel::update(scraped_scripts::table.find((project_id, script_key)))
        .set((
            scraped_scripts::begun_at.eq(now),
            scraped_scripts::changed_at.eq(now),
        ))
        .execute(conn)?;
    Ok(Begin::Go(Box::new(row)))
}

/// Takes the events that wait for a script off the list.
fn askers(conn: &mut Conn, project_id: i64, script_key: &str) -> Result<Vec<i64>, StoreError> {
    let of_script = scraped_askers::table
        .filter(scraped_askers::project_id.eq(project_id))
        .filter(scraped_askers::script_key.eq(script_key));
    let rows: Vec<i64> = of_script
        .order(scraped_askers::asker)
        .limit(MOST_ASKERS)
        .select(scraped_askers::event_row)
        .load(conn)?;
    diesel::delete(of_script).execute(conn)?;
    Ok(rows)
}

/// The script's row as it is now, with its partition held; none if nobody waits for it any more.
fn still_wanted(
    conn: &mut Conn,
    script: &ScrapedScript,
) -> Result<Option<ScrapedScript>, StoreError> {
    hold_project(conn, script.project_id)?;
    let row = find(conn, script.project_id, &script.script_key)?;
    Ok(row.filter(|row| row.state == state::WAITING))
}

/// Remembers for a while that a script cannot be had, and why.
pub fn fail(
    conn: &mut Conn,
    script: &ScrapedScript,
    problem: &str,
    now: i64,
) -> Result<Finished, StoreError> {
    let Some(row) = still_wanted(conn, script)? else {
        return Ok(Finished::default());
    };
    let problem: String = problem
        .replace('\0', "")
        .chars()
        .take(LONGEST_PROBLEM)
        .collect();
    diesel::update(scraped_scripts::table.find((row.project_id, &row.script_key)))
        .set((
            scraped_scripts::state.eq(state::ERROR),
            scraped_scripts::problem.eq(Some(problem)),
            scraped_scripts::bundle_id.eq(None::<i64>),
            scraped_scripts::size.eq(0_i64),
            scraped_scripts::changed_at.eq(now),
            scraped_scripts::expires_at.eq(now + FAILURE_COUNTS_MS),
        ))
        .execute(conn)?;
    Ok(Finished {
        again: askers(conn, row.project_id, &row.script_key)?,
        unused: row.bundle_id.into_iter().collect(),
        is_kept: false,
    })
}

/// Keeps what was fetched, as an upload of its own: the script first, then the map. `size` is all that lies in the blob store; with a
/// release it counts for `life_ms`.
pub fn keep(
    conn: &mut Conn,
    script: &ScrapedScript,
    files: &[NewFile],
    size: i64,
    life_ms: i64,
    now: i64,
) -> Result<Finished, StoreError> {
    let Some(row) = still_wanted(conn, script)? else {
        return Ok(Finished::default());
    };
    let bundle_id = insert_bundle(conn, &row, files, now)?;
    let life_ms = match row.version {
        Some(_) => life_ms,
        None => life_ms.min(WITHOUT_RELEASE_COUNTS_MS),
    };
    diesel::update(scraped_scripts::table.find((row.project_id, &row.script_key)))
        .set((
            scraped_scripts::state.eq(state::OK),
            scraped_scripts::bundle_id.eq(Some(bundle_id)),
            scraped_scripts::size.eq(size),
            scraped_scripts::changed_at.eq(now),
            scraped_scripts::expires_at.eq(now + life_ms),
        ))
        .execute(conn)?;
    let mut unused: Vec<i64> = row.bundle_id.into_iter().collect();
    unused.extend(forget_what_is_too_much(conn, row.project_id, now)?);
    Ok(Finished {
        again: askers(conn, row.project_id, &row.script_key)?,
        unused,
        is_kept: true,
    })
}

fn insert_bundle(
    conn: &mut Conn,
    row: &ScrapedScript,
    files: &[NewFile],
    now: i64,
) -> Result<i64, StoreError> {
    let organization_id: i64 = projects::table
        .find(row.project_id)
        .select(projects::organization_id)
        .first(conn)?;
    let id = dialect::next_ids(conn, "artifact_bundle", 1)?;
    // Nothing that anybody uploads has this key.
    let upload_key = hex::encode(Sha1::digest(format!("fetched bundle {id}")));
    let content: i64 = files.iter().map(|file| file.size).sum();
    diesel::insert_into(artifact_bundles::table)
        .values((
            artifact_bundles::id.eq(id),
            artifact_bundles::organization_id.eq(organization_id),
            artifact_bundles::upload_key.eq(upload_key),
            artifact_bundles::checksum.eq(&row.script_key),
            artifact_bundles::state.eq(uploads::state::OK),
            artifact_bundles::version.eq(&row.version),
            artifact_bundles::dist.eq(&row.dist),
            artifact_bundles::size.eq(content),
            artifact_bundles::file_count.eq(files.len() as i64),
            artifact_bundles::created_at.eq(now),
            artifact_bundles::changed_at.eq(now),
        ))
        .execute(conn)?;
    diesel::insert_into(artifact_bundle_projects::table)
        .values((
            artifact_bundle_projects::project_id.eq(row.project_id),
            artifact_bundle_projects::bundle_id.eq(id),
        ))
        .execute(conn)?;
    let first = dialect::next_ids(conn, "artifact_file", files.len() as i64)?;
    for (file, file_id) in files.iter().zip(first..) {
        // Without a debug id and without a place: only this script's row leads here. An event chooses what is fetched, and must not
        // get between other events and what a build uploaded.
        diesel::insert_into(artifact_files::table)
            .values((
                artifact_files::id.eq(file_id),
                artifact_files::bundle_id.eq(id),
                artifact_files::kind.eq(file.kind),
                artifact_files::url.eq(&file.url),
                artifact_files::source_map.eq(&file.source_map),
                artifact_files::blob_key.eq(&file.blob_key),
                artifact_files::size.eq(file.size),
                artifact_files::compiled_key.eq(&file.compiled_key),
                artifact_files::problem.eq(&file.problem),
            ))
            .execute(conn)?;
    }
    Ok(id)
}

/// Lets the time of what a project has beyond its bounds be over and returns the bundles. The rows stay for a while: they are what the
/// fetches of a minute are counted by.
fn forget_what_is_too_much(
    conn: &mut Conn,
    project_id: i64,
    now: i64,
) -> Result<Vec<i64>, StoreError> {
    let kept: Vec<(String, Option<i64>, i64)> = scraped_scripts::table
        .filter(scraped_scripts::project_id.eq(project_id))
        .filter(scraped_scripts::state.eq(state::OK))
        .filter(scraped_scripts::bundle_id.is_not_null())
        .order((
            scraped_scripts::changed_at.desc(),
            scraped_scripts::script_key,
        ))
        .select((
            scraped_scripts::script_key,
            scraped_scripts::bundle_id,
            scraped_scripts::size,
        ))
        .load(conn)?;
    let mut bytes = 0;
    let mut unused = Vec::new();
    for (number, (script_key, bundle_id, size)) in kept.into_iter().enumerate() {
        bytes += size;
        if number < MOST_KEPT && bytes <= MOST_KEPT_BYTES {
            continue;
        }
        diesel::update(scraped_scripts::table.find((project_id, script_key)))
            .set((
                scraped_scripts::bundle_id.eq(None::<i64>),
                scraped_scripts::size.eq(0_i64),
                scraped_scripts::expires_at.eq(now),
            ))
            .execute(conn)?;
        unused.extend(bundle_id);
    }
    Ok(unused)
}

/// Takes up to `most` scripts of one project whose time is over off the list; says which project that was, and which bundles are of no use
/// any more. None where no time is over.
pub fn expire(conn: &mut Conn, now: i64, most: i64) -> Result<Option<(i64, Vec<i64>)>, StoreError> {
    let over = scraped_scripts::table.filter(scraped_scripts::expires_at.le(now));
    let first: Option<i64> = over
        .order(scraped_scripts::expires_at)
        .select(scraped_scripts::project_id)
        .first(conn)
        .optional()?;
    let Some(project_id) = first else {
        return Ok(None);
    };
    // An event may have asked for one of them again just now.
    hold_project(conn, project_id)?;
    let rows: Vec<ScrapedScript> = over
        .filter(scraped_scripts::project_id.eq(project_id))
        .limit(most)
        .select(ScrapedScript::as_select())
        .load(conn)?;
    for row in &rows {
        diesel::delete(scraped_scripts::table.find((project_id, &row.script_key))).execute(conn)?;
        askers(conn, project_id, &row.script_key)?;
    }
    let unused = rows.into_iter().filter_map(|row| row.bundle_id).collect();
    Ok(Some((project_id, unused)))
}

/// The project that fetched files belong to, for the task that deletes them.
pub fn project(conn: &mut Conn, id: i64) -> Result<Option<Project>, StoreError> {
    Ok(projects::table
        .find(id)
        .select(Project::as_select())
        .first(conn)
        .optional()?)
}

/// Forgets the script whose files are deleted with their bundle: the next event that needs it has it fetched again.
pub fn forget_bundle(conn: &mut Conn, bundle_id: i64) -> Result<(), StoreError> {
    diesel::delete(
        scraped_scripts::table
            .filter(scraped_scripts::bundle_id.eq(bundle_id))
            .filter(scraped_scripts::state.ne(state::WAITING)),
    )
    .execute(conn)?;
    Ok(())
}

/// Lets a project try again at once what failed.
pub fn forget_failures(conn: &mut Conn, project: &Project) -> Result<(), StoreError> {
    diesel::delete(
        scraped_scripts::table
            .filter(scraped_scripts::project_id.eq(project.id))
            .filter(scraped_scripts::state.eq(state::ERROR)),
    )
    .execute(conn)?;
    Ok(())
}

/// The scripts of a project, which comes out of a scope: those that changed last first.
pub fn of_project(
    conn: &mut Conn,
    project: &Project,
    now: i64,
    most: i64,
) -> Result<Vec<ScrapedScript>, StoreError> {
    Ok(scraped_scripts::table
        .filter(scraped_scripts::project_id.eq(project.id))
        .filter(scraped_scripts::expires_at.gt(now))
        .order(scraped_scripts::changed_at.desc())
        .limit(most)
        .select(ScrapedScript::as_select())
        .load(conn)?)
}

#[cfg(test)]
mod tests;
