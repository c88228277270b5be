//! Changes of releases. In: a scope, a version and what is wanted. Out: rows made, changed and deleted.

use diesel::prelude::*;

use super::{Change, Commit, Deploy, Details, GivenCommit, MOST_COMMITS, OPEN, files};
use crate::store::schema::{deploys, release_commits, release_details, release_projects};
use crate::store::scope::OrgScope;
use crate::store::{Conn, StoreError, dialect};

/// Makes a release, or changes the one there is; says whether it is new.
pub fn put(
    conn: &mut Conn,
    scope: &OrgScope,
    version: &str,
    change: &Change,
    now: i64,
) -> Result<bool, StoreError> {
    let known: Option<Details> = release_details::table
        .filter(release_details::organization_id.eq(scope.organization_id()))
        .filter(release_details::version.eq(version))
        .select(Details::as_select())
        .first(conn)
        .optional()?;
    let is_new = known.is_none();
    let mut details = if let Some(details) = known {
        details
    } else {
        let details = Details {
            id: dialect::next_ids(conn, "release_detail", 1)?,
            organization_id: scope.organization_id(),
            version: version.to_owned(),
            url: None,
            reference: None,
            status: OPEN.to_owned(),
            date_started: None,
            date_released: None,
            created_at: now,
        };
        diesel::insert_into(release_details::table)
            .values(&details)
            .execute(conn)?;
        details
    };
    details.url = change.url.clone().or(details.url);
    details.reference = change.reference.clone().or(details.reference);
    details.date_started = change.date_started.or(details.date_started);
    details.date_released = change.date_released.or(details.date_released);
    if let Some(status) = change.status {
        status.clone_into(&mut details.status);
    }
    diesel::update(release_details::table.find(details.id))
        .set((
            release_details::url.eq(&details.url),
            release_details::reference.eq(&details.reference),
            release_details::status.eq(&details.status),
            release_details::date_started.eq(details.date_started),
            release_details::date_released.eq(details.date_released),
        ))
        .execute(conn)?;
    let linked: Vec<i64> = release_projects::table
        .filter(release_projects::release_id.eq(details.id))
        .select(release_projects::project_id)
        .load(conn)?;
    for project in change
        .projects
        .iter()
        .filter(|one| !linked.contains(&one.id))
    {
        diesel::insert_into(release_projects::table)
            .values((
                release_projects::release_id.eq(details.id),
                release_projects::project_id.eq(project.id),
            ))
            .execute(conn)?;
    }
    if let Some(commits) = &change.commits {
        replace_commits(conn, details.id, commits)?;
    }
    Ok(is_new)
}

fn replace_commits(
    conn: &mut Conn,
    release_id: i64,
    commits: &[GivenCommit],
) -> Result<(), StoreError> {
    let commits = &commits[..commits.len().min(MOST_COMMITS)];
    files::forget(conn, release_id)?;
    diesel::delete(release_commits::table.filter(release_commits::release_id.eq(release_id)))
        .execute(conn)?;
    for (position, GivenCommit { commit, .. }) in (0..).zip(commits) {
        diesel::insert_into(release_commits::table)
            .values(Commit {
                release_id,
                position,
                ..commit.clone()
            })
            .execute(conn)?;
    }
    files::add(conn, release_id, commits)
}

/// Forgets what was said of a release. One that events have named stays as these know it.
pub fn delete(conn: &mut Conn, scope: &OrgScope, version: &str) -> Result<(), StoreError> {
    let id = id_of(conn, scope, version)?;
    files::forget(conn, id)?;
    diesel::delete(deploys::table.filter(deploys::release_id.eq(id))).execute(conn)?;
    diesel::delete(release_commits::table.filter(release_commits::release_id.eq(id)))
        .execute(conn)?;
    diesel::delete(release_projects::table.filter(release_projects::release_id.eq(id)))
        .execute(conn)?;
    diesel::delete(release_details::table.find(id)).execute(conn)?;
    Ok(())
}

fn id_of(conn: &mut Conn, scope: &OrgScope, version: &str) -> Result<i64, StoreError> {
    Ok(release_details::table
        .filter(release_details::organization_id.eq(scope.organization_id()))
        .filter(release_details::version.eq(version))
        .select(release_details::id)
        .first(conn)?)
}

/// Notes that a release was deployed. Its `id` and `release_id` are made here.
pub fn deploy(
    conn: &mut Conn,
    scope: &OrgScope,
    version: &str,
    deploy: &Deploy,
) -> Result<Deploy, StoreError> {
    let deploy = Deploy {
        id: dialect::next_ids(conn, "deploy", 1)?,
        release_id: id_of(conn, scope, version)?,
        ..deploy.clone()
    };
    diesel::insert_into(deploys::table)
        .values(&deploy)
        .execute(conn)?;
    Ok(deploy)
}
