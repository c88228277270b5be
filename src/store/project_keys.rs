//! The keys of projects. In: a project that the caller may change, and what to do with its keys. Out: rows; each change
//! moves the settings version on, so that every node knows it within seconds.

use diesel::prelude::*;

use super::accounts::{Project, ProjectKey};
use super::schema::{project_keys, refusals};
use super::{Conn, StoreError, dialect, keys, now_ms};
use crate::model::names;

/// How many events may come; none where nobody said anything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    pub minute: Option<i64>,
    pub month: Option<i64>,
}

/// Far beyond what a node can take in that time; keeps sums from overflowing.
const MOST: i64 = 1_000_000_000_000;
const MOST_KEYS: i64 = 200;

impl Limits {
    /// The limits if they make sense.
    pub fn checked(self) -> Result<Self, StoreError> {
        let fits = |limit: Option<i64>| limit.is_none_or(|limit| (0..=MOST).contains(&limit));
        if fits(self.minute) && fits(self.month) {
            Ok(self)
        } else {
            Err(StoreError::Invalid(format!(
                "a limit is a number of events from 0 to {MOST}"
            )))
        }
    }
}

/// What to change of a key; what is none stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    pub label: Option<String>,
    pub is_active: Option<bool>,
    pub limits: Option<Limits>,
}

/// The keys of a project, oldest first.
pub fn list(conn: &mut Conn, project_id: i64) -> Result<Vec<ProjectKey>, StoreError> {
    Ok(project_keys::table
        .filter(project_keys::project_id.eq(project_id))
        .order(project_keys::id)
        .select(ProjectKey::as_select())
        .load(conn)?)
}

/// A key of the project, by its public part or its number.
pub fn find(conn: &mut Conn, project: &Project, name: &str) -> Result<ProjectKey, StoreError> {
    let own = project_keys::table.filter(project_keys::project_id.eq(project.id));
    let by_text = own
        .filter(project_keys::public_key.eq(name))
        .select(ProjectKey::as_select())
        .first(conn)
        .optional()?;
    match (by_text, name.parse::<i64>()) {
        (Some(key), _) => Ok(key),
        (None, Ok(id)) => Ok(own
            .filter(project_keys::id.eq(id))
            .select(ProjectKey::as_select())
            .first(conn)?),
        (None, Err(_)) => Err(StoreError::NotFound),
    }
}

/// Adds a key to a project.
pub fn create(
    conn: &mut Conn,
    project: &Project,
    label: &str,
    limits: Limits,
) -> Result<ProjectKey, StoreError> {
    let label = names::display(label).map_err(StoreError::Invalid)?;
    let limits = limits.checked()?;
    let known: i64 = project_keys::table
        .filter(project_keys::project_id.eq(project.id))
        .count()
        .get_result(conn)?;
    if known >= MOST_KEYS {
        return Err(StoreError::Invalid(format!(
            "a project has at most {MOST_KEYS} keys; delete some that nobody uses"
        )));
    }
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    let key = ProjectKey {
        id: dialect::next_ids(conn, "key", 1)?,
        project_id: project.id,
        public_key: hex::encode(bytes),
        label,
        is_active: true,
        created_at: now_ms(),
        minute_limit: limits.minute,
        month_limit: limits.month,
        expires_at: None,
    };
    diesel::insert_into(project_keys::table)
        .values(&key)
        .execute(conn)?;
    keys::touch(conn)?;
    Ok(key)
}

/// Changes a key; a key that is switched on or off does not run out any more.
pub fn change(
    conn: &mut Conn,
    project: &Project,
    key: &ProjectKey,
    change: &Change,
) -> Result<ProjectKey, StoreError> {
    let mut changed = key.clone();
    if let Some(label) = &change.label {
        changed.label = names::display(label).map_err(StoreError::Invalid)?;
    }
    if let Some(limits) = change.limits {
        let limits = limits.checked()?;
        (changed.minute_limit, changed.month_limit) = (limits.minute, limits.month);
    }
    if let Some(is_active) = change.is_active {
        changed.is_active = is_active;
        changed.expires_at = None;
    }
    write(conn, project, &changed)?;
    Ok(changed)
}

fn write(conn: &mut Conn, project: &Project, key: &ProjectKey) -> Result<(), StoreError> {
    let target = project_keys::table
        .find(key.id)
        .filter(project_keys::project_id.eq(project.id));
    diesel::update(target)
        .set((
            project_keys::label.eq(&key.label),
            project_keys::is_active.eq(key.is_active),
            project_keys::minute_limit.eq(key.minute_limit),
            project_keys::month_limit.eq(key.month_limit),
            project_keys::expires_at.eq(key.expires_at),
        ))
        .execute(conn)?;
    keys::touch(conn)
}

/// Makes a successor with the same name and limits. The old key works on until somebody switches it off, or for as many
/// milliseconds as said.
pub fn rotate(
    conn: &mut Conn,
    project: &Project,
    old: &ProjectKey,
    grace_ms: Option<i64>,
) -> Result<ProjectKey, StoreError> {
    let limits = Limits {
        minute: old.minute_limit,
        month: old.month_limit,
    };
    let new = create(conn, project, &old.label, limits)?;
    let mut aside = old.clone();
    aside.label = format!("{} (old)", names::fit(&old.label, 190));
    if old.is_active {
        aside.expires_at = grace_ms.map(|grace| now_ms().saturating_add(grace.max(0)));
    }
    write(conn, project, &aside)?;
    Ok(new)
}

/// Deletes a key with what is remembered of its refusals; what it sent stays, and stays counted.
pub fn delete(conn: &mut Conn, project: &Project, key: &ProjectKey) -> Result<(), StoreError> {
    let target = project_keys::table
        .find(key.id)
        .filter(project_keys::project_id.eq(project.id));
    diesel::delete(target).execute(conn)?;
    let remembered = refusals::table
        .filter(refusals::project_id.eq(project.id))
        .filter(refusals::key_id.eq(key.id));
    diesel::delete(remembered).execute(conn)?;
    keys::touch(conn)
}
