//! Users, organizations, their members, and projects with their keys.
//! In: checked names. Out: rows; every change to what ingest must know moves the settings version on.

use diesel::prelude::*;

use super::project_keys::{self, Limits};
use super::schema::{memberships, organizations, projects, users};
use super::{Conn, StoreError, dialect, now_ms};
use crate::model::names;
use crate::process;

#[derive(Debug, Clone, Queryable, Selectable, Insertable, PartialEq, Eq)]
#[diesel(table_name = users)]
pub struct User {
    pub id: i64,
    pub email: String,
    pub name: String,
    pub password_hash: String,
    pub is_superuser: bool,
    pub is_active: bool,
    pub created_at: i64,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable, PartialEq, Eq)]
#[diesel(table_name = organizations)]
pub struct Organization {
    pub id: i64,
    pub slug: String,
    pub name: String,
    pub created_at: i64,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable, PartialEq, Eq)]
#[diesel(table_name = projects)]
pub struct Project {
    pub id: i64,
    pub organization_id: i64,
    pub slug: String,
    pub name: String,
    pub platform: String,
    pub short_prefix: String,
    pub next_short_number: i64,
    pub first_event_at: Option<i64>,
    pub created_at: i64,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable, PartialEq, Eq)]
#[diesel(table_name = super::schema::project_keys)]
pub struct ProjectKey {
    pub id: i64,
    pub project_id: i64,
    pub public_key: String,
    pub label: String,
    pub is_active: bool,
    pub created_at: i64,
    /// Events a minute; none: what the server's settings say, 0: no limit.
    pub minute_limit: Option<i64>,
    /// Events a calendar month; none or 0: no limit.
    pub month_limit: Option<i64>,
    /// From then on it counts as switched off.
    pub expires_at: Option<i64>,
}

/// Whether any account exists; while none does, the set-up page is open to whoever has the token.
pub fn any_user(conn: &mut Conn) -> Result<bool, StoreError> {
    let first: Option<i64> = users::table.select(users::id).first(conn).optional()?;
    Ok(first.is_some())
}

/// Creates an account. The password comes hashed; see [`crate::model::password`].
pub fn create_user(
    conn: &mut Conn,
    email: &str,
    name: &str,
    password_hash: &str,
    is_superuser: bool,
) -> Result<User, StoreError> {
    let email = names::email(email).map_err(StoreError::Invalid)?;
    if find_user(conn, &email)?.is_some() {
        return Err(StoreError::Conflict(format!(
            "there is already an account for {email}"
        )));
    }
    let user = User {
        id: dialect::next_ids(conn, "user", 1)?,
        name: if name.trim().is_empty() {
            email.split('@').next().unwrap_or_default().to_owned()
        } else {
            names::display(name).map_err(StoreError::Invalid)?
        },
        email,
        password_hash: password_hash.to_owned(),
        is_superuser,
        is_active: true,
        created_at: now_ms(),
    };
    diesel::insert_into(users::table)
        .values(&user)
        .execute(conn)?;
    Ok(user)
}

pub fn find_user(conn: &mut Conn, email: &str) -> Result<Option<User>, StoreError> {
    let email = email.trim().to_lowercase();
    Ok(users::table
        .filter(users::email.eq(email))
        .select(User::as_select())
        .first(conn)
        .optional()?)
}

pub fn user_by_id(conn: &mut Conn, id: i64) -> Result<User, StoreError> {
    Ok(users::table
        .find(id)
        .select(User::as_select())
        .first(conn)?)
}

/// Replaces a password and ends the account's sessions.
pub fn set_password(conn: &mut Conn, user_id: i64, password_hash: &str) -> Result<(), StoreError> {
    use super::schema::sessions;
    diesel::update(users::table.find(user_id))
        .set(users::password_hash.eq(password_hash))
        .execute(conn)?;
    diesel::delete(sessions::table.filter(sessions::user_id.eq(user_id))).execute(conn)?;
    Ok(())
}

/// Creates an organization owned by `owner_id`.
pub fn create_organization(
    conn: &mut Conn,
    slug: &str,
    name: &str,
    owner_id: i64,
) -> Result<Organization, StoreError> {
    let slug = names::slug(slug).map_err(StoreError::Invalid)?;
    if find_organization(conn, &slug)?.is_some() {
        return Err(StoreError::Conflict(format!(
            "there is already an organization {slug}"
        )));
    }
    let organization = Organization {
        id: dialect::next_ids(conn, "organization", 1)?,
        slug,
        name: names::display(name).map_err(StoreError::Invalid)?,
        created_at: now_ms(),
    };
    diesel::insert_into(organizations::table)
        .values(&organization)
        .execute(conn)?;
    add_member(conn, organization.id, owner_id, "owner")?;
    Ok(organization)
}

pub fn find_organization(conn: &mut Conn, slug: &str) -> Result<Option<Organization>, StoreError> {
    Ok(organizations::table
        .filter(organizations::slug.eq(slug))
        .select(Organization::as_select())
        .first(conn)
        .optional()?)
}

/// Adds a member or changes the role of one.
pub fn add_member(
    conn: &mut Conn,
    organization_id: i64,
    user_id: i64,
    role: &str,
) -> Result<(), StoreError> {
    let role = names::role(role).map_err(StoreError::Invalid)?;
    let changed = diesel::update(memberships::table.find((organization_id, user_id)))
        .set(memberships::role.eq(role))
        .execute(conn)?;
    let known: i64 = memberships::table
        .filter(memberships::organization_id.eq(organization_id))
        .filter(memberships::user_id.eq(user_id))
        .count()
        .get_result(conn)?;
    if changed == 0 && known == 0 {
        diesel::insert_into(memberships::table)
            .values((
                memberships::organization_id.eq(organization_id),
                memberships::user_id.eq(user_id),
                memberships::role.eq(role),
                memberships::created_at.eq(now_ms()),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// The active members of an organization, with their roles.
pub fn members(conn: &mut Conn, organization_id: i64) -> Result<Vec<(User, String)>, StoreError> {
    Ok(memberships::table
        .inner_join(users::table.on(users::id.eq(memberships::user_id)))
        .filter(memberships::organization_id.eq(organization_id))
        .filter(users::is_active.eq(true))
        .order(users::id)
        .select((User::as_select(), memberships::role))
        .load(conn)?)
}

/// Creates a project with its first key. Ingest nodes know the key within a second.
pub fn create_project(
    conn: &mut Conn,
    organization_id: i64,
    slug: &str,
    name: &str,
    platform: &str,
) -> Result<(Project, ProjectKey), StoreError> {
    let slug = names::slug(slug).map_err(StoreError::Invalid)?;
    let taken: i64 = projects::table
        .filter(projects::organization_id.eq(organization_id))
        .filter(projects::slug.eq(&slug))
        .count()
        .get_result(conn)?;
    if taken > 0 {
        return Err(StoreError::Conflict(format!(
            "there is already a project {slug} in this organization"
        )));
    }
    let now = now_ms();
    let project = Project {
        id: dialect::next_ids(conn, "project", 1)?,
        organization_id,
        short_prefix: names::short_prefix(&slug),
        slug,
        name: names::display(name).map_err(StoreError::Invalid)?,
        platform: names::platform(platform),
        next_short_number: 1,
        first_event_at: None,
        created_at: now,
    };
    diesel::insert_into(projects::table)
        .values((&project, projects::grouping_version.eq(process::GROUPING)))
        .execute(conn)?;
    let key = project_keys::create(conn, &project, "Default", Limits::default())?;
    Ok((project, key))
}

/// A project by its slug, for commands: they run beside the database, where everything is theirs to see.
pub fn project_of(
    conn: &mut Conn,
    organization_id: i64,
    slug: &str,
) -> Result<Option<Project>, StoreError> {
    Ok(projects::table
        .filter(projects::organization_id.eq(organization_id))
        .filter(projects::slug.eq(slug))
        .select(Project::as_select())
        .first(conn)
        .optional()?)
}
