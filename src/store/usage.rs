//! What became of everything that was sent, by hour. In: counted outcomes. Out: sums by project and reason.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use serde::{Deserialize, Serialize};

use super::dialect::{self, Bind, Change, Upsert, upsert_rows};
use super::schema::{projects, usage_hours};
use super::scope::OrgScope;
use super::{Conn, StoreError};

/// The categories whose items become events: limits are on them, and Usage draws them.
pub const EVENT_CATEGORIES: [&str; 2] = ["error", "security"];

/// One count: so many items of a category met this outcome for this reason in this hour.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OutcomeKey {
    pub project_id: i64,
    pub key_id: i64,
    /// Hours since 1970.
    pub hour: i64,
    /// A category of the rate-limit header, such as `error`.
    pub category: String,
    /// `accepted`, `duplicate`, `filtered`, `sampled`, `invalid`, `rate_limited`, `not_kept`, `client_discard` or `dead`.
    pub outcome: String,
    /// Why; empty for what was accepted.
    pub reason: String,
}

/// A count and, where it counts refusals, the last of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    pub key: OutcomeKey,
    pub quantity: i64,
    pub last: Option<LastRefusal>,
}

/// What an owner wants to know about the latest refusal of a kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastRefusal {
    pub at_ms: i64,
    /// One sentence in plain words.
    pub detail: String,
    /// Name and version of the SDK, where it said so.
    pub sdk: String,
}

/// Outcomes of events that were taken: these count for the limits of a month.
pub const TAKEN: &[&str] = &["accepted", "duplicate", "filtered", "sampled", "dead"];

const PLAN: Upsert = Upsert {
    table: "usage_hours",
    columns: &[
        "project_id",
        "key_id",
        "hour",
        "category",
        "outcome",
        "reason",
        "quantity",
    ],
    key: &[
        "project_id",
        "key_id",
        "hour",
        "category",
        "outcome",
        "reason",
    ],
    changes: &[("quantity", Change::Add)],
};

/// Adds counts; keys must be distinct.
pub fn add(conn: &mut Conn, counts: &[(OutcomeKey, i64)]) -> Result<(), StoreError> {
    let rows: Vec<Vec<Bind>> = counts
        .iter()
        .map(|(key, quantity)| {
            let OutcomeKey {
                project_id,
                key_id,
                hour,
                category,
                outcome,
                reason,
            } = key;
            vec![
                Bind::I64(*project_id),
                Bind::I64(*key_id),
                Bind::I64(*hour),
                Bind::Text(category.clone()),
                Bind::Text(outcome.clone()),
                Bind::Text(reason.clone()),
                Bind::I64(*quantity),
            ]
        })
        .collect();
    upsert_rows(conn, &PLAN, &rows)
}

/// A sum over the hours asked for.
#[derive(Debug, Clone, Queryable, Serialize, PartialEq, Eq)]
pub struct UsageRow {
    pub project: String,
    pub category: String,
    pub outcome: String,
    pub reason: String,
    pub hour: i64,
    pub quantity: i64,
}

/// The counts of an organization since an hour, oldest first.
pub fn since(conn: &mut Conn, scope: &OrgScope, hour: i64) -> Result<Vec<UsageRow>, StoreError> {
    Ok(usage_hours::table
        .inner_join(projects::table.on(projects::id.eq(usage_hours::project_id)))
        .filter(projects::organization_id.eq(scope.organization_id()))
        .filter(usage_hours::hour.ge(hour))
        .order((
            usage_hours::hour,
            projects::slug,
            usage_hours::category,
            usage_hours::outcome,
            usage_hours::reason,
        ))
        .select((
            projects::slug,
            usage_hours::category,
            usage_hours::outcome,
            usage_hours::reason,
            usage_hours::hour,
            usage_hours::quantity,
        ))
        .load(conn)?)
}

/// A sum over a period.
#[derive(Debug, Clone, Queryable, PartialEq, Eq)]
pub struct Total {
    pub project_id: i64,
    /// 0 where no key of the project was named.
    pub key_id: i64,
    pub category: String,
    pub outcome: String,
    pub reason: String,
    pub quantity: i64,
}

/// Which projects of an organization to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Only {
    All,
    Project(i64),
}

/// The sums of an organization since an hour.
pub fn totals(
    conn: &mut Conn,
    scope: &OrgScope,
    only: Only,
    hour: i64,
) -> Result<Vec<Total>, StoreError> {
    let own = ids(conn, scope, only)?;
    let sum = dialect::sum(conn, "quantity");
    let by = (
        usage_hours::project_id,
        usage_hours::key_id,
        usage_hours::category,
        usage_hours::outcome,
        usage_hours::reason,
    );
    Ok(usage_hours::table
        .filter(usage_hours::project_id.eq_any(own))
        .filter(usage_hours::hour.ge(hour))
        .group_by(by)
        .order(by)
        .select((
            usage_hours::project_id,
            usage_hours::key_id,
            usage_hours::category,
            usage_hours::outcome,
            usage_hours::reason,
            sql::<BigInt>(&sum),
        ))
        .load(conn)?)
}

/// Events of an organization by hour and outcome since an hour: (hour, outcome, quantity).
pub fn series(
    conn: &mut Conn,
    scope: &OrgScope,
    only: Only,
    hour: i64,
) -> Result<Vec<(i64, String, i64)>, StoreError> {
    let own = ids(conn, scope, only)?;
    let sum = dialect::sum(conn, "quantity");
    Ok(usage_hours::table
        .filter(usage_hours::project_id.eq_any(own))
        .filter(usage_hours::category.eq_any(EVENT_CATEGORIES))
        .filter(usage_hours::hour.ge(hour))
        .group_by((usage_hours::hour, usage_hours::outcome))
        .order((usage_hours::hour, usage_hours::outcome))
        .select((usage_hours::hour, usage_hours::outcome, sql::<BigInt>(&sum)))
        .load(conn)?)
}

fn ids(conn: &mut Conn, scope: &OrgScope, only: Only) -> Result<Vec<i64>, StoreError> {
    let own: Vec<i64> = projects::table
        .filter(projects::organization_id.eq(scope.organization_id()))
        .select(projects::id)
        .load(conn)?;
    Ok(match only {
        Only::All => own,
        Only::Project(id) => own.into_iter().filter(|own| *own == id).collect(),
    })
}

/// Events that were taken since an hour: (project, key, quantity). For ingest, which limits what comes in a month;
/// `of` names the projects to look at.
pub fn taken(conn: &mut Conn, of: &[i64], hour: i64) -> Result<Vec<(i64, i64, i64)>, StoreError> {
    let sum = dialect::sum(conn, "quantity");
    Ok(usage_hours::table
        .filter(usage_hours::project_id.eq_any(of.to_vec()))
        .filter(usage_hours::hour.ge(hour))
        .filter(usage_hours::category.eq_any(EVENT_CATEGORIES))
        .filter(usage_hours::outcome.eq_any(TAKEN.to_vec()))
        .group_by((usage_hours::project_id, usage_hours::key_id))
        .select((
            usage_hours::project_id,
            usage_hours::key_id,
            sql::<BigInt>(&sum),
        ))
        .load(conn)?)
}
