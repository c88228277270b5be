//! Proof that somebody may see an organization. In: a user and the organization's name. Out: a scope, which every
//! query on an organization's data asks for; there is no other way to make one.

use diesel::prelude::*;

use super::accounts::{Organization, Project};
use super::schema::{api_tokens, memberships, organizations, projects};
use super::{Conn, StoreError};

/// What a member may do. Each role may do what the ones before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    Member,
    Admin,
    Manager,
    Owner,
}

impl Role {
    /// Reads a stored role; an unknown one grants the least.
    pub fn parse(text: &str) -> Self {
        match text {
            "owner" => Self::Owner,
            "manager" => Self::Manager,
            "admin" => Self::Admin,
            _ => Self::Member,
        }
    }
}

/// The right to one organization's data.
#[derive(Debug, Clone)]
pub struct OrgScope {
    organization: Organization,
    user_id: Option<i64>,
    role: Role,
}

impl OrgScope {
    pub fn organization(&self) -> &Organization {
        &self.organization
    }

    pub fn organization_id(&self) -> i64 {
        self.organization.id
    }

    /// Who acts; none for an organization's token.
    pub fn user_id(&self) -> Option<i64> {
        self.user_id
    }

    pub fn role(&self) -> Role {
        self.role
    }

    /// A project of this organization, by slug or number. Missing and foreign look alike.
    pub fn project(&self, conn: &mut Conn, name: &str) -> Result<Project, StoreError> {
        project_of(conn, &self.organization, name)
    }

    /// All projects of this organization, by name.
    pub fn projects(&self, conn: &mut Conn) -> Result<Vec<Project>, StoreError> {
        Ok(projects::table
            .filter(projects::organization_id.eq(self.organization.id))
            .order((projects::slug, projects::id))
            .select(Project::as_select())
            .load(conn)?)
    }
}

/// Checks that a user may see an organization, given by slug or number.
pub fn authorize(
    conn: &mut Conn,
    user_id: i64,
    organization: &str,
) -> Result<OrgScope, StoreError> {
    let user = super::accounts::user_by_id(conn, user_id)?;
    if !user.is_active {
        return Err(StoreError::NotFound);
    }
    let organization = organization_named(conn, organization)?;
    let role: Option<String> = memberships::table
        .find((organization.id, user_id))
        .select(memberships::role)
        .first(conn)
        .optional()?;
    let role = match role {
        Some(role) => Role::parse(&role),
        None if user.is_superuser => Role::Owner,
        None => return Err(StoreError::NotFound),
    };
    Ok(OrgScope {
        organization,
        user_id: Some(user_id),
        role,
    })
}

/// Checks that an organization's own token may see that organization.
pub fn authorize_token(
    conn: &mut Conn,
    token_id: i64,
    organization: &str,
) -> Result<OrgScope, StoreError> {
    let organization = organization_named(conn, organization)?;
    let owner: Option<i64> = api_tokens::table
        .find(token_id)
        .select(api_tokens::organization_id)
        .first(conn)?;
    if owner != Some(organization.id) {
        return Err(StoreError::NotFound);
    }
    Ok(OrgScope {
        organization,
        user_id: None,
        role: Role::Member,
    })
}

/// For commands: who can run them owns the machine, and may do everything.
pub fn administer(conn: &mut Conn, organization: &str) -> Result<OrgScope, StoreError> {
    Ok(OrgScope {
        organization: organization_named(conn, organization)?,
        user_id: None,
        role: Role::Owner,
    })
}

/// The organizations a user may see: their own, or all for a superuser.
pub fn organizations_of(conn: &mut Conn, user_id: i64) -> Result<Vec<Organization>, StoreError> {
    let user = super::accounts::user_by_id(conn, user_id)?;
    if !user.is_active {
        return Ok(Vec::new());
    }
    let own = memberships::table
        .filter(memberships::user_id.eq(user_id))
        .select(memberships::organization_id);
    let mut query = organizations::table
        .select(Organization::as_select())
        .order(organizations::slug)
        .into_boxed();
    if !user.is_superuser {
        let ids: Vec<i64> = own.load(conn)?;
        query = query.filter(organizations::id.eq_any(ids));
    }
    Ok(query.load(conn)?)
}

/// A project of an organization, for commands on the server's own machine: who may run them may see everything.
pub fn project_of(
    conn: &mut Conn,
    organization: &Organization,
    name: &str,
) -> Result<Project, StoreError> {
    let own = projects::table.filter(projects::organization_id.eq(organization.id));
    let by_slug = own
        .filter(projects::slug.eq(name))
        .select(Project::as_select())
        .first(conn)
        .optional()?;
    match (by_slug, name.parse::<i64>()) {
        (Some(project), _) => Ok(project),
        (None, Ok(id)) => Ok(own
            .filter(projects::id.eq(id))
            .select(Project::as_select())
            .first(conn)?),
        (None, Err(_)) => Err(StoreError::NotFound),
    }
}

fn organization_named(conn: &mut Conn, name: &str) -> Result<Organization, StoreError> {
    let by_slug = organizations::table
        .filter(organizations::slug.eq(name))
        .select(Organization::as_select())
        .first(conn)
        .optional()?;
    match (by_slug, name.parse::<i64>()) {
        (Some(organization), _) => Ok(organization),
        (None, Ok(id)) => Ok(organizations::table
            .find(id)
            .select(Organization::as_select())
            .first(conn)?),
        (None, Err(_)) => Err(StoreError::NotFound),
    }
}
