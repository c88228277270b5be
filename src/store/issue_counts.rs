//! What the issue list says about all issues. In: a scope. Out: how many there are of each kind in each project, and the
//! environments that events named.

use std::collections::HashMap;

use diesel::dsl::count_star;
use diesel::prelude::*;

use super::schema::{environments, issues, projects};
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

/// The counts of each of an organization's projects; projects without issues are missing.
pub fn counts(
    conn: &mut Conn,
    scope: &OrgScope,
    now: i64,
) -> Result<HashMap<i64, Counts>, StoreError> {
    let own: Vec<i64> = projects::table
        .filter(projects::organization_id.eq(scope.organization_id()))
        .select(projects::id)
        .load(conn)?;
    let mut counts: HashMap<i64, Counts> = HashMap::new();
    // By project rather than by organization: so the index by project and status answers alone.
    let states: Vec<(i64, i32, i64)> = issues::table
        .filter(issues::project_id.eq_any(own.clone()))
        .group_by((issues::project_id, issues::status))
        .select((issues::project_id, issues::status, count_star()))
        .load(conn)?;
    for (project_id, status, number) in states {
        let entry = counts.entry(project_id).or_default();
        match Status::from_code(status) {
            Status::Resolved => entry.resolved += number,
            Status::Ignored => entry.ignored += number,
            Status::Unresolved => entry.unresolved += number,
        }
    }
    let since = now - FRESH_MS;
    let is_new = issues::substatus
        .eq(Substatus::New.code())
        .and(issues::first_seen.ge(since));
    let is_regressed = issues::substatus
        .eq(Substatus::Regressed.code())
        .and(issues::status_changed_at.ge(since));
    let fresh: Vec<(i64, i32, i64)> = issues::table
        .filter(issues::project_id.eq_any(own))
        .filter(issues::status.eq(Status::Unresolved.code()))
        // Follows from the conditions below, and lets the index skip whatever was not seen lately.
        .filter(issues::last_seen.ge(since))
        .filter(is_new.or(is_regressed))
        .group_by((issues::project_id, issues::substatus))
        .select((issues::project_id, issues::substatus, count_star()))
        .load(conn)?;
    for (project_id, substatus, number) in fresh {
        let entry = counts.entry(project_id).or_default();
        match Substatus::from_code(substatus) {
            Substatus::New => entry.new += number,
            Substatus::Regressed => entry.regressed += number,
            _ => {}
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

#[cfg(test)]
mod tests {
    use super::super::issue_fixture::{Fixture, NOW};
    use super::*;

    #[test]
    fn each_project_has_its_own_counts() {
        let mut fixture = Fixture::new();
        let found = counts(&mut fixture.conn, &fixture.acme, NOW).expect("counts");
        let expected = Counts {
            unresolved: 5,
            new: 5,
            ..Counts::default()
        };
        assert_eq!(found.values().copied().collect::<Vec<_>>(), [expected]);
        let later = counts(&mut fixture.conn, &fixture.acme, NOW + 2 * FRESH_MS).expect("counts");
        assert_eq!(later.values().map(|counts| counts.new).sum::<i64>(), 0);
    }
}
