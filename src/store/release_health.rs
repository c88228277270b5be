//! How the sessions of releases went. In: a scope, versions and since when. Out: sums of sessions, distinct users, and the course of time.

use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::schema::{projects, releases, session_hours, session_users};
use super::scope::OrgScope;
use super::{Conn, StoreError, dialect};
use crate::model::distinct::Distinct;
use crate::model::release_health::Sessions;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// The health of one release.
#[derive(Debug, Clone, Default)]
pub struct Health {
    pub sessions: Sessions,
    pub users: Distinct,
    pub crashed_users: Distinct,
    /// Sessions of the last day, of this release and of all releases of its projects.
    pub last_day: (i64, i64),
    /// Sessions by hour.
    pub hours: BTreeMap<i64, Sessions>,
}

/// What a row of sums says.
type Row = (i64, i64, i64, i64, i64, i64);

const fn sums(row: &Row) -> Sessions {
    let (_, total, errored, unhandled, abnormal, crashed) = *row;
    Sessions {
        total,
        errored,
        unhandled,
        abnormal,
        crashed,
    }
}

/// The rows of the releases of an organization that have one of the versions, with their project.
fn numbers(
    conn: &mut Conn,
    scope: &OrgScope,
    versions: &[&str],
) -> Result<Vec<(i64, i64, String)>, StoreError> {
    Ok(releases::table
        .inner_join(projects::table.on(projects::id.eq(releases::project_id)))
        .filter(projects::organization_id.eq(scope.organization_id()))
        .filter(releases::version.eq_any(versions))
        .select((releases::id, releases::project_id, releases::version))
        .load(conn)?)
}

/// Sums of sessions since a moment, by version, for lists.
pub fn by_version(
    conn: &mut Conn,
    scope: &OrgScope,
    versions: &[&str],
    since_ms: i64,
) -> Result<HashMap<String, Sessions>, StoreError> {
    let versions: HashMap<i64, String> = numbers(conn, scope, versions)?
        .into_iter()
        .map(|(release_id, _, version)| (release_id, version))
        .collect();
    if versions.is_empty() {
        return Ok(HashMap::new());
    }
    let ids: Vec<String> = versions.keys().map(ToString::to_string).collect();
    let sum = |column: &str| format!("{} AS {column}", dialect::sum(conn, column));
    let sums = ["sessions", "errored", "unhandled", "abnormal", "crashed"].map(sum);
    let rows: Vec<SumRow> = diesel::sql_query(format!(
        "SELECT release_id, {} FROM session_hours WHERE project_id IN (SELECT project_id FROM releases WHERE id IN ({ids})) \
         AND release_id IN ({ids}) AND hour >= {} GROUP BY release_id",
        sums.join(", "),
        since_ms.div_euclid(HOUR_MS),
        ids = ids.join(", "),
    ))
    .load(conn)?;
    let mut found = HashMap::<String, Sessions>::new();
    for row in rows {
        if let Some(version) = versions.get(&row.release_id) {
            found.entry(version.clone()).or_default().merge(&Sessions {
                total: row.sessions,
                errored: row.errored,
                unhandled: row.unhandled,
                abnormal: row.abnormal,
                crashed: row.crashed,
            });
        }
    }
    Ok(found)
}

#[derive(QueryableByName)]
struct SumRow {
    #[diesel(sql_type = BigInt)]
    release_id: i64,
    #[diesel(sql_type = BigInt)]
    sessions: i64,
    #[diesel(sql_type = BigInt)]
    errored: i64,
    #[diesel(sql_type = BigInt)]
    unhandled: i64,
    #[diesel(sql_type = BigInt)]
    abnormal: i64,
    #[diesel(sql_type = BigInt)]
    crashed: i64,
}

/// The health of a version since a moment; none where nothing was told of its sessions.
pub fn of_version(
    conn: &mut Conn,
    scope: &OrgScope,
    version: &str,
    since_ms: i64,
    now_ms: i64,
) -> Result<Option<Health>, StoreError> {
    let rows = numbers(conn, scope, &[version])?;
    let mut health = Health::default();
    let first_hour = since_ms.div_euclid(HOUR_MS);
    let last_day = (now_ms - DAY_MS).div_euclid(HOUR_MS);
    for (release_id, project_id, _) in rows {
        let hours: Vec<Row> = session_hours::table
            .filter(session_hours::project_id.eq(project_id))
            .filter(session_hours::release_id.eq(release_id))
            .filter(session_hours::hour.ge(first_hour))
            .select((
                session_hours::hour,
                session_hours::sessions,
                session_hours::errored,
                session_hours::unhandled,
                session_hours::abnormal,
                session_hours::crashed,
            ))
            .load(conn)?;
        if hours.is_empty() {
            continue;
        }
        for row in &hours {
            health.sessions.merge(&sums(row));
            health.hours.entry(row.0).or_default().merge(&sums(row));
            if row.0 > last_day {
                health.last_day.0 += row.1;
            }
        }
        let of_all: Vec<i64> = session_hours::table
            .filter(session_hours::project_id.eq(project_id))
            .filter(session_hours::hour.gt(last_day))
            .select(session_hours::sessions)
            .load(conn)?;
        health.last_day.1 += of_all.iter().sum::<i64>();
        let days: Vec<(Vec<u8>, Vec<u8>)> = session_users::table
            .filter(session_users::project_id.eq(project_id))
            .filter(session_users::release_id.eq(release_id))
            .filter(session_users::day.ge(since_ms.div_euclid(DAY_MS)))
            .select((session_users::users, session_users::crashed))
            .load(conn)?;
        for (users, crashed) in days {
            health.users.merge(&Distinct::from_bytes(&users));
            health.crashed_users.merge(&Distinct::from_bytes(&crashed));
        }
    }
    Ok((health.sessions.total > 0).then_some(health))
}
