//! What the issue list says about all issues. In: a scope. Out: how many there are of each kind in each project, and the
//! environments that events named.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer};

use super::schema::{environments, projects};
use super::scope::OrgScope;
use super::{Conn, StoreError};
use crate::model::issue::{FRESH_MS, Status, Substatus};

/// The environments that an organization's events named.
pub fn environment_names(conn: &mut Conn, scope: &OrgScope) -> Result<Vec<String>, StoreError> {
    Ok(environments::table
        .inner_join(projects::table.on(projects::id.eq(environments::project_id)))
        .filter(projects::organization_id.eq(scope.organization_id()))
        .filter(environments::name.ne(""))
        .select(environments::name)
        .distinct()
        .order(environments::name)
        .limit(50)
        .load(conn)?)
}

/// How many issues there are of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub unresolved: i64,
    pub new: i64,
    pub regressed: i64,
    pub ignored: i64,
    pub resolved: i64,
}

#[derive(QueryableByName)]
struct CountRow {
    #[diesel(sql_type = BigInt)]
    project_id: i64,
    #[diesel(sql_type = Integer)]
    status: i32,
    #[diesel(sql_type = Integer)]
    fresh: i32,
    #[diesel(sql_type = BigInt)]
    issues: i64,
}

/// The counts of every project of an organization; projects without issues are missing.
pub fn counts(
    conn: &mut Conn,
    scope: &OrgScope,
    now: i64,
) -> Result<HashMap<i64, Counts>, StoreError> {
    // Numbers only, none of them from outside: nothing to bind, and the same text on every database.
    let fresh = format!(
        "CASE WHEN substatus = {new} AND first_seen >= {since} THEN {new} \
         WHEN substatus = {regressed} AND status_changed_at >= {since} THEN {regressed} ELSE 0 END",
        new = Substatus::New.code(),
        regressed = Substatus::Regressed.code(),
        since = now - FRESH_MS,
    );
    let rows: Vec<CountRow> = diesel::sql_query(format!(
        "SELECT project_id, status, fresh, COUNT(*) AS issues FROM \
         (SELECT project_id, status, {fresh} AS fresh FROM issues WHERE organization_id = {organization}) AS states \
         GROUP BY project_id, status, fresh",
        organization = scope.organization_id(),
    ))
    .load(conn)?;
    let mut counts: HashMap<i64, Counts> = HashMap::new();
    for row in rows {
        let entry = counts.entry(row.project_id).or_default();
        match Status::from_code(row.status) {
            Status::Resolved => entry.resolved += row.issues,
            Status::Ignored => entry.ignored += row.issues,
            Status::Unresolved => {
                entry.unresolved += row.issues;
                match Substatus::from_code(row.fresh) {
                    Substatus::New => entry.new += row.issues,
                    Substatus::Regressed => entry.regressed += row.issues,
                    _ => {}
                }
            }
        }
    }
    Ok(counts)
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        let Self {
            unresolved,
            new,
            regressed,
            ignored,
            resolved,
        } = other;
        self.unresolved += unresolved;
        self.new += new;
        self.regressed += regressed;
        self.ignored += ignored;
        self.resolved += resolved;
    }
}
