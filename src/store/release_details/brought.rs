//! What a release brought. In: a scope and a version. Out: the issues that were first seen in it, and those that came back in it.

use diesel::prelude::*;

use crate::store::schema::{issues, projects};
use crate::store::scope::OrgScope;
use crate::store::{Conn, StoreError};

/// An issue as the page of a release names it.
#[derive(Debug, Clone, Queryable)]
pub struct BroughtIssue {
    pub id: i64,
    pub short_number: i64,
    pub short_prefix: String,
    pub title: String,
    pub times_seen: i64,
    pub last_seen: i64,
}

/// The issues that were seen in a release first, the most frequent ones.
pub fn new_issues(
    conn: &mut Conn,
    scope: &OrgScope,
    version: &str,
    most: i64,
) -> Result<Vec<BroughtIssue>, StoreError> {
    Ok(issues::table
        .inner_join(projects::table.on(projects::id.eq(issues::project_id)))
        .filter(issues::organization_id.eq(scope.organization_id()))
        .filter(issues::first_release.eq(version))
        .order((issues::times_seen.desc(), issues::id))
        .limit(most)
        .select((
            issues::id,
            issues::short_number,
            projects::short_prefix,
            issues::title,
            issues::times_seen,
            issues::last_seen,
        ))
        .load(conn)?)
}

/// The issues that last came back in a release, the most frequent ones.
pub fn regressed_issues(
    conn: &mut Conn,
    scope: &OrgScope,
    version: &str,
    most: i64,
) -> Result<Vec<BroughtIssue>, StoreError> {
    Ok(issues::table
        .inner_join(projects::table.on(projects::id.eq(issues::project_id)))
        .filter(issues::organization_id.eq(scope.organization_id()))
        .filter(issues::regressed_release.eq(version))
        .order((issues::times_seen.desc(), issues::id))
        .limit(most)
        .select((
            issues::id,
            issues::short_number,
            projects::short_prefix,
            issues::title,
            issues::times_seen,
            issues::last_seen,
        ))
        .load(conn)?)
}

/// How many issues last came back in a release.
pub fn count_regressed(
    conn: &mut Conn,
    scope: &OrgScope,
    version: &str,
) -> Result<i64, StoreError> {
    Ok(issues::table
        .filter(issues::organization_id.eq(scope.organization_id()))
        .filter(issues::regressed_release.eq(version))
        .count()
        .get_result(conn)?)
}
