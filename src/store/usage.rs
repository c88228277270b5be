//! What became of everything that was sent, by hour. In: counted outcomes. Out: sums by project and reason.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::dialect::{Bind, Change, Upsert, upsert_rows};
use super::schema::{projects, usage_hours};
use super::scope::OrgScope;
use super::{Conn, StoreError};

/// One count: so many items of a category met this outcome for this reason in this hour.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OutcomeKey {
    pub project_id: i64,
    pub key_id: i64,
    /// Hours since 1970.
    pub hour: i64,
    /// A category of the rate-limit header, such as `error`.
    pub category: String,
    /// `accepted`, `filtered`, `invalid`, `rate_limited` or `not_kept`.
    pub outcome: String,
    /// Why; empty for what was accepted.
    pub reason: String,
}

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
