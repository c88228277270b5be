//! Stored events to try settings on. In: a project. Out: the newest events of its newest issues, with how people know these.

use std::collections::HashMap;

use diesel::prelude::*;

use super::accounts::Project;
use super::schema::{events, issues};
use super::{Conn, StoreError, dictionaries, payload};
use crate::model::names;
use crate::process::compare::Sample;

/// Issues that are looked at.
const MOST_ISSUES: i64 = 150;
/// Events of each.
const EVENTS_OF_ISSUE: i64 = 10;

/// How a page names an issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueName {
    pub id: i64,
    pub short_id: String,
    pub title: String,
}

/// The events, each issue's oldest first, and the names of the issues. Looks rows up by their keys only, so that it takes as long
/// with millions of events as with few.
pub fn samples(
    conn: &mut Conn,
    project: &Project,
) -> Result<(Vec<Sample>, HashMap<i64, IssueName>), StoreError> {
    let rows: Vec<(i64, i64, String)> = issues::table
        .filter(issues::project_id.eq(project.id))
        .order(issues::last_seen.desc())
        .limit(MOST_ISSUES)
        .select((issues::id, issues::short_number, issues::title))
        .load(conn)?;
    let mut samples = Vec::new();
    let mut known = HashMap::new();
    for (id, number, title) in rows {
        let mut packed: Vec<Vec<u8>> = events::table
            .filter(events::issue_id.eq(id))
            .order(events::id.desc())
            .limit(EVENTS_OF_ISSUE)
            .select(events::data)
            .load(conn)?;
        packed.reverse();
        dictionaries::make_readable(conn, packed.iter().map(Vec::as_slice))?;
        let payloads = packed.iter().filter_map(|packed| payload::unpack(packed));
        samples.extend(payloads.map(|payload| Sample {
            issue_id: id,
            payload,
        }));
        let short_id = names::short_id(&project.short_prefix, number);
        known.insert(
            id,
            IssueName {
                id,
                short_id,
                title,
            },
        );
    }
    Ok((samples, known))
}

/// The issue that one of the hashes belongs to, as pages name it.
pub fn issue_of(
    conn: &mut Conn,
    project: &Project,
    hashes: &[[u8; 16]],
) -> Result<Option<IssueName>, StoreError> {
    use super::schema::issue_hashes;
    for hash in hashes {
        let found: Option<(i64, i64, String)> = issue_hashes::table
            .inner_join(issues::table.on(issues::id.eq(issue_hashes::issue_id)))
            .filter(issue_hashes::project_id.eq(project.id))
            .filter(issue_hashes::hash.eq(hash.to_vec()))
            .select((issues::id, issues::short_number, issues::title))
            .first(conn)
            .optional()?;
        if let Some((id, number, title)) = found {
            return Ok(Some(IssueName {
                id,
                short_id: names::short_id(&project.short_prefix, number),
                title,
            }));
        }
    }
    Ok(None)
}
