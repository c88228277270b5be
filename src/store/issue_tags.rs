//! How the events of an issue spread over tags. In: a scope, an issue and perhaps a key. Out: keys with their totals,
//! and the most frequent values.

use diesel::prelude::*;

use super::issue_records::IssueRecord;
use super::schema::{issue_tags, issues};
use super::scope::OrgScope;
use super::{Conn, StoreError};

/// A tag of an issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagKey {
    pub key: String,
    /// Events that have it.
    pub events: i64,
    /// Different values of it.
    pub values: i64,
}

/// A value of a tag.
#[derive(Debug, Clone, Queryable, PartialEq, Eq)]
pub struct TagValue {
    pub value: String,
    pub events: i64,
    pub last_seen: i64,
}

/// The tags of an issue, by key. Summed here: databases disagree on the type of a sum.
pub fn keys(
    conn: &mut Conn,
    scope: &OrgScope,
    issue: &IssueRecord,
) -> Result<Vec<TagKey>, StoreError> {
    let rows: Vec<(String, i64)> = issue_tags::table
        .inner_join(issues::table.on(issues::id.eq(issue_tags::issue_id)))
        .filter(issues::organization_id.eq(scope.organization_id()))
        .filter(issue_tags::issue_id.eq(issue.id))
        .order(issue_tags::tag_key)
        .select((issue_tags::tag_key, issue_tags::events))
        .load(conn)?;
    let mut keys: Vec<TagKey> = Vec::new();
    for (key, events) in rows {
        match keys.last_mut() {
            Some(last) if last.key == key => {
                last.events += events;
                last.values += 1;
            }
            _ => keys.push(TagKey {
                key,
                events,
                values: 1,
            }),
        }
    }
    Ok(keys)
}

/// The values of one tag, the most frequent first.
pub fn values(
    conn: &mut Conn,
    scope: &OrgScope,
    issue: &IssueRecord,
    key: &str,
    limit: i64,
    offset: i64,
) -> Result<Vec<TagValue>, StoreError> {
    Ok(issue_tags::table
        .inner_join(issues::table.on(issues::id.eq(issue_tags::issue_id)))
        .filter(issues::organization_id.eq(scope.organization_id()))
        .filter(issue_tags::issue_id.eq(issue.id))
        .filter(issue_tags::tag_key.eq(key))
        .order((issue_tags::events.desc(), issue_tags::tag_value))
        .limit(limit)
        .offset(offset)
        .select((
            issue_tags::tag_value,
            issue_tags::events,
            issue_tags::last_seen,
        ))
        .load(conn)?)
}
