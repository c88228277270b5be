//! Deploys as charts mark them. In: a scope and a moment. Out: what was deployed since, with the projects that it belongs to.

use diesel::prelude::*;

use crate::store::schema::{deploys, release_details, release_projects};
use crate::store::scope::OrgScope;
use crate::store::{Conn, StoreError};

/// The newest deploys that charts of a page look at.
const MOST_MARKS: i64 = 500;

/// A deploy of a release of a project.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct DeployMark {
    pub project_id: i64,
    pub version: String,
    pub environment: String,
    pub at: i64,
}

/// What was deployed since a moment, newest first; of one project and one environment, if these are given.
pub fn deploy_marks(
    conn: &mut Conn,
    scope: &OrgScope,
    project_id: Option<i64>,
    environment: Option<&str>,
    since: i64,
) -> Result<Vec<DeployMark>, StoreError> {
    if environment.is_some_and(|name| name.contains('\0')) {
        return Ok(Vec::new());
    }
    let mut query = deploys::table
        .inner_join(release_details::table.on(release_details::id.eq(deploys::release_id)))
        .inner_join(
            release_projects::table.on(release_projects::release_id.eq(deploys::release_id)),
        )
        .filter(release_details::organization_id.eq(scope.organization_id()))
        .filter(deploys::date_finished.ge(since))
        .order((deploys::date_finished.desc(), deploys::id.desc()))
        .limit(MOST_MARKS)
        .select((
            release_projects::project_id,
            release_details::version,
            deploys::environment,
            deploys::date_finished,
        ))
        .into_boxed();
    if let Some(id) = project_id {
        query = query.filter(release_projects::project_id.eq(id));
    }
    if let Some(name) = environment {
        query = query.filter(deploys::environment.eq(name.to_owned()));
    }
    Ok(query.load(conn)?)
}
