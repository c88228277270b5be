//! Issues that were merged away. In: the number or short id that one had. Out: the issue that has its events now; numbers
//! are never given again, so an old link stays good.

use std::collections::HashMap;

use diesel::prelude::*;

use crate::model::issue_condition::IssueName;
use crate::store::schema::{issue_redirects, projects};
use crate::store::scope::OrgScope;
use crate::store::{Conn, StoreError};

/// The issue that took the place of one of the scope's organization.
pub fn find(
    conn: &mut Conn,
    scope: &OrgScope,
    name: &IssueName,
) -> Result<Option<i64>, StoreError> {
    let own = issue_redirects::table
        .inner_join(projects::table.on(projects::id.eq(issue_redirects::project_id)))
        .filter(issue_redirects::organization_id.eq(scope.organization_id()))
        .select(issue_redirects::target_id);
    let found = match name {
        IssueName::Number(id) => own.filter(issue_redirects::issue_id.eq(id)).first(conn),
        IssueName::Short(prefix, number) => own
            .filter(projects::short_prefix.eq(prefix))
            .filter(issue_redirects::short_number.eq(number))
            .order(issue_redirects::issue_id)
            .first(conn),
    };
    Ok(found.optional()?)
}

/// The organization of an issue that was merged away, as a name to authorize for.
pub fn organization_of(conn: &mut Conn, issue_id: i64) -> Result<i64, StoreError> {
    Ok(issue_redirects::table
        .find(issue_id)
        .select(issue_redirects::organization_id)
        .first(conn)?)
}

/// Where the events of issues are now; those that were not merged away are missing.
pub fn targets(conn: &mut Conn, issue_ids: &[i64]) -> Result<HashMap<i64, i64>, StoreError> {
    let rows: Vec<(i64, i64)> = issue_redirects::table
        .filter(issue_redirects::issue_id.eq_any(issue_ids.to_vec()))
        .select((issue_redirects::issue_id, issue_redirects::target_id))
        .load(conn)?;
    Ok(rows.into_iter().collect())
}

/// The number under which an issue is to be found now.
pub fn current(conn: &mut Conn, issue_id: i64) -> Result<i64, StoreError> {
    Ok(targets(conn, &[issue_id])?
        .remove(&issue_id)
        .unwrap_or(issue_id))
}
