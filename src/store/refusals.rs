//! What was refused, for the owner to see. In: counts of refusals with the last of each. Out: one row for each project,
//! key and reason, so that a flood leaves no more behind than a single mistake.

use std::collections::BTreeMap;

use diesel::prelude::*;

use super::dialect::{Bind, Change, Upsert, upsert_rows};
use super::schema::refusals;
use super::scope::OrgScope;
use super::usage::Count;
use super::{Conn, StoreError};
use crate::model::names::fit;

const PLAN: Upsert = Upsert {
    table: "refusals",
    columns: &[
        "project_id",
        "key_id",
        "reason",
        "quantity",
        "last_seen",
        "detail",
        "sdk",
    ],
    key: &["project_id", "key_id", "reason"],
    changes: &[
        ("quantity", Change::Add),
        ("detail", Change::IfNewer("last_seen")),
        ("sdk", Change::IfNewer("last_seen")),
        ("last_seen", Change::Max),
    ],
};

/// Adds what is a refusal among these counts.
pub fn add<'a>(conn: &mut Conn, counts: impl Iterator<Item = &'a Count>) -> Result<(), StoreError> {
    let mut sums = BTreeMap::new();
    for count in counts {
        let Some(last) = &count.last else { continue };
        let key = (count.key.project_id, count.key.key_id, &count.key.reason);
        let (quantity, newest) = sums.entry(key).or_insert((0, last));
        *quantity += count.quantity;
        if last.at_ms >= newest.at_ms {
            *newest = last;
        }
    }
    let rows: Vec<Vec<Bind>> = sums
        .into_iter()
        .map(|((project_id, key_id, reason), (quantity, last))| {
            vec![
                Bind::I64(project_id),
                Bind::I64(key_id),
                Bind::Text(fit(reason, 32).to_owned()),
                Bind::I64(quantity),
                Bind::I64(last.at_ms),
                Bind::Text(fit(&last.detail, 255).to_owned()),
                Bind::Text(fit(&last.sdk, 128).to_owned()),
            ]
        })
        .collect();
    upsert_rows(conn, &PLAN, &rows)
}

/// One reason why events of a key did not get in.
#[derive(Debug, Clone, Queryable, Selectable, PartialEq, Eq)]
#[diesel(table_name = refusals)]
pub struct RefusalRow {
    pub project_id: i64,
    /// 0 where no key of the project was named.
    pub key_id: i64,
    pub reason: String,
    pub quantity: i64,
    pub last_seen: i64,
    pub detail: String,
    pub sdk: String,
}

/// The refusals of an organization since a moment, the latest first.
pub fn since(
    conn: &mut Conn,
    scope: &OrgScope,
    since_ms: i64,
) -> Result<Vec<RefusalRow>, StoreError> {
    let own: Vec<i64> = scope
        .projects(conn)?
        .iter()
        .map(|project| project.id)
        .collect();
    Ok(refusals::table
        .filter(refusals::project_id.eq_any(own))
        .filter(refusals::last_seen.ge(since_ms))
        .order((
            refusals::last_seen.desc(),
            refusals::project_id,
            refusals::key_id,
            refusals::reason,
        ))
        .select(RefusalRow::as_select())
        .load(conn)?)
}
