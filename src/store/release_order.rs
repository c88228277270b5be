//! Which of a project's releases is newer. In: releases. Out: the newest, and the order of two: by version where the project
//! names its releases so, by the time each was first seen otherwise.

use std::cmp::Ordering;
use std::collections::HashMap;

use diesel::prelude::*;

use super::schema::releases;
use super::{Conn, StoreError};
use crate::model::release_version::{LOOKED_AT, ReleaseVersion, are_versions};

/// A version may be fixed in an old line after newer ones came out; among so many releases the highest one is found.
const CANDIDATES: i64 = 500;

/// A release with the time of its first event.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct Seen {
    pub version: String,
    pub first_seen: i64,
}

/// The newest release of a project; none where no event has named one.
pub fn newest(conn: &mut Conn, project_id: i64) -> Result<Option<Seen>, StoreError> {
    let mut seen = latest(conn, project_id, CANDIDATES)?;
    if seen.is_empty() {
        return Ok(None);
    }
    let mut best = 0;
    if are_versions(seen.iter().map(|seen| seen.version.as_str())) {
        let mut versions = seen.iter().enumerate().filter_map(|(at, seen)| {
            ReleaseVersion::parse(&seen.version).map(|version| (at, version))
        });
        if let Some((mut highest_at, mut highest)) = versions.next() {
            for (at, version) in versions {
                if version.order(&highest) == Some(Ordering::Greater) {
                    (highest_at, highest) = (at, version);
                }
            }
            best = highest_at;
        }
    }
    Ok(Some(seen.swap_remove(best)))
}

/// The time of a release's first event.
pub fn first_seen(
    conn: &mut Conn,
    project_id: i64,
    version: &str,
) -> Result<Option<i64>, StoreError> {
    Ok(releases::table
        .filter(releases::project_id.eq(project_id))
        .filter(releases::version.eq(version))
        .select(releases::first_seen)
        .first(conn)
        .optional()?)
}

fn latest(conn: &mut Conn, project_id: i64, limit: i64) -> Result<Vec<Seen>, StoreError> {
    Ok(releases::table
        .filter(releases::project_id.eq(project_id))
        .order((releases::first_seen.desc(), releases::id.desc()))
        .limit(limit)
        .select((releases::version, releases::first_seen))
        .load(conn)?)
}

/// A release and when it came, as far as that is known without asking.
#[derive(Debug, Clone, Copy)]
pub struct Dated<'a> {
    pub version: &'a str,
    /// Taken where no event of it is stored yet.
    pub otherwise: i64,
}

/// Answers for one batch: what it asked the database once it knows.
#[derive(Default)]
pub struct ReleaseOrder {
    by_version: HashMap<i64, bool>,
    first_seen: HashMap<(i64, String), Option<i64>>,
}

impl ReleaseOrder {
    /// Whether one release of a project is newer than another.
    pub fn is_newer(
        &mut self,
        conn: &mut Conn,
        project_id: i64,
        one: Dated<'_>,
        other: Dated<'_>,
    ) -> Result<bool, StoreError> {
        if one.version == other.version {
            return Ok(false);
        }
        let versions = (
            ReleaseVersion::parse(one.version),
            ReleaseVersion::parse(other.version),
        );
        if let (Some(version), Some(than)) = versions
            && let Some(order) = version.order(&than)
            && self.names_versions(conn, project_id)?
        {
            return Ok(order == Ordering::Greater);
        }
        let one_at = self.at(conn, project_id, one)?;
        let other_at = self.at(conn, project_id, other)?;
        Ok(one_at > other_at)
    }

    fn names_versions(&mut self, conn: &mut Conn, project_id: i64) -> Result<bool, StoreError> {
        if let Some(known) = self.by_version.get(&project_id) {
            return Ok(*known);
        }
        let seen = latest(conn, project_id, LOOKED_AT as i64)?;
        let found = are_versions(seen.iter().map(|seen| seen.version.as_str()));
        self.by_version.insert(project_id, found);
        Ok(found)
    }

    fn at(
        &mut self,
        conn: &mut Conn,
        project_id: i64,
        release: Dated<'_>,
    ) -> Result<i64, StoreError> {
        let key = (project_id, release.version.to_owned());
        let found = match self.first_seen.get(&key) {
            Some(found) => *found,
            None => first_seen(conn, project_id, release.version)?,
        };
        self.first_seen.insert(key, found);
        Ok(found.unwrap_or(release.otherwise))
    }
}

#[cfg(test)]
mod tests {
    use super::super::issue_fixture::{Fixture, NOW};
    use super::*;

    fn see(conn: &mut Conn, releases_oldest_first: &[&str]) -> i64 {
        let project_id: i64 = super::super::schema::issues::table
            .find(1)
            .select(super::super::schema::issues::project_id)
            .first(conn)
            .expect("an issue");
        for (at, version) in releases_oldest_first.iter().enumerate() {
            let at = at as i64;
            diesel::insert_into(releases::table)
                .values((
                    releases::id.eq(at + 1),
                    releases::project_id.eq(project_id),
                    releases::version.eq(*version),
                    releases::first_seen.eq(NOW + at),
                    releases::last_seen.eq(NOW + at),
                ))
                .execute(conn)
                .expect("a release");
        }
        project_id
    }

    fn newer(conn: &mut Conn, project_id: i64, one: &str, other: &str) -> bool {
        let dated = |version| Dated {
            version,
            otherwise: NOW + 100,
        };
        ReleaseOrder::default()
            .is_newer(conn, project_id, dated(one), dated(other))
            .expect("an order")
    }

    #[test]
    fn versions_count_where_the_project_has_versions() {
        let mut fixture = Fixture::new();
        let conn = &mut fixture.conn;
        let project = see(conn, &["shop@1.9.0", "shop@2.0.0", "shop@1.10.0", "abc"]);
        let found = newest(conn, project).expect("a query").expect("a release");
        assert_eq!(found.version, "shop@2.0.0");
        assert!(newer(conn, project, "shop@1.10.0", "shop@1.9.0"));
        assert!(!newer(conn, project, "shop@1.10.0", "shop@2.0.0"));
        assert!(newer(conn, project, "shop@3.0.0", "shop@2.0.0"), "not seen");
        assert!(newer(conn, project, "abc", "shop@2.0.0"), "by date");
        assert!(newer(conn, project, "web@1.0.0", "shop@2.0.0"), "by date");
    }

    #[test]
    fn dates_count_otherwise() {
        let mut fixture = Fixture::new();
        let conn = &mut fixture.conn;
        let project = see(conn, &["2.0.0", "abc", "def", "1.0.0", "fed", "cba", "123"]);
        let found = newest(conn, project).expect("a query").expect("a release");
        assert_eq!(found.version, "123");
        assert!(newer(conn, project, "1.0.0", "2.0.0"));
        assert!(newer(conn, project, "def", "abc"));
        assert!(!newer(conn, project, "abc", "abc"));
        assert!(!newer(conn, project, "abc", "def"));
        assert!(newer(conn, project, "not seen", "123"));
    }

    #[test]
    fn a_project_without_releases_has_no_newest() {
        let mut fixture = Fixture::new();
        assert_eq!(newest(&mut fixture.conn, 1).expect("a query"), None);
    }
}
