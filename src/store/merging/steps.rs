//! What an issue that was merged away has collected goes to the one that took its place, some rows of one table at a time.
//! In: the move. Out: rows with the other issue, or added to those that it has already; and whether there are more.
//!
//! The issue gets nothing new, so a table is done when it has no rows of it any more. Where the rows go is read under the
//! lock that a merge takes: if the target is merged away itself meanwhile, what is left goes straight to the next.

use std::collections::HashSet;

use diesel::prelude::*;
use serde_json::Value;

use super::{Move, Progress, finish, redirect};
use crate::model::names;
use crate::store::dialect::{Bind, Change, Upsert, existing_pairs, upsert_rows};
use crate::store::digest::{Cache, hold_project, tag_moves};
use crate::store::schema::{
    activity, events, issue_days, issue_hours, issue_redirects, issue_users, issues, projects,
};
use crate::store::{Conn, StoreError, issue_details};

use super::counters::{DAYS, HOURS};

/// Rows in one step: some ten milliseconds of the writer's time.
const ROWS: i64 = 500;

type Step = fn(&mut Conn, &Cache, from: i64, to: i64) -> Result<usize, StoreError>;

/// Each table that names an issue, and how a merge moves its rows: [`None`] where the merge itself has done it.
pub(super) const TABLES: &[(&str, Option<Step>)] = &[
    ("issue_hashes", None),
    ("issue_redirects", None),
    ("issue_moves", None),
    ("issue_details", None),
    ("events", Some(move_events)),
    ("issue_hours", Some(move_hours)),
    ("issue_days", Some(move_days)),
    ("issue_users", Some(move_users)),
    ("issue_tags", Some(move_tags)),
    ("activity", Some(move_activity)),
];

pub(super) fn step(conn: &mut Conn, cache: &Cache, found: &Move) -> Result<Progress, StoreError> {
    hold_project(conn, found.project_id)?;
    let from = found.source_id;
    let to = redirect::current(conn, from)?;
    if to == from {
        return Err(StoreError::Invalid(format!(
            "issue {from} is to be moved, but was not merged into another"
        )));
    }
    for (_, step) in TABLES {
        if let Some(step) = step
            && step(conn, cache, from, to)? > 0
        {
            return Ok(Progress::More);
        }
    }
    finish(conn, found)
}

/// The issue's sums of what is stored were added at once, see `retention::delete_rows`.
fn move_events(conn: &mut Conn, _: &Cache, from: i64, to: i64) -> Result<usize, StoreError> {
    let ids: Vec<i64> = events::table
        .filter(events::issue_id.eq(from))
        .order(events::id)
        .limit(ROWS)
        .select(events::id)
        .load(conn)?;
    if !ids.is_empty() {
        diesel::update(events::table.filter(events::id.eq_any(&ids)))
            .set(events::issue_id.eq(to))
            .execute(conn)?;
    }
    Ok(ids.len())
}

fn move_hours(conn: &mut Conn, _: &Cache, from: i64, to: i64) -> Result<usize, StoreError> {
    let rows: Vec<(i64, i64, i64)> = issue_hours::table
        .filter(issue_hours::issue_id.eq(from))
        .order((issue_hours::hour, issue_hours::environment_id))
        .limit(ROWS)
        .select((
            issue_hours::hour,
            issue_hours::environment_id,
            issue_hours::events,
        ))
        .load(conn)?;
    let Some((hour, environment, _)) = rows.last().copied() else {
        return Ok(0);
    };
    upsert_rows(conn, &HOURS, &counts(to, &rows))?;
    let up_to = issue_hours::hour.lt(hour).or(issue_hours::hour
        .eq(hour)
        .and(issue_hours::environment_id.le(environment)));
    diesel::delete(
        issue_hours::table
            .filter(issue_hours::issue_id.eq(from))
            .filter(up_to),
    )
    .execute(conn)?;
    Ok(rows.len())
}

fn move_days(conn: &mut Conn, _: &Cache, from: i64, to: i64) -> Result<usize, StoreError> {
    let rows: Vec<(i64, i64, i64)> = issue_days::table
        .filter(issue_days::issue_id.eq(from))
        .order((issue_days::day, issue_days::environment_id))
        .limit(ROWS)
        .select((
            issue_days::day,
            issue_days::environment_id,
            issue_days::events,
        ))
        .load(conn)?;
    let Some((day, environment, _)) = rows.last().copied() else {
        return Ok(0);
    };
    upsert_rows(conn, &DAYS, &counts(to, &rows))?;
    let up_to = issue_days::day.lt(day).or(issue_days::day
        .eq(day)
        .and(issue_days::environment_id.le(environment)));
    diesel::delete(
        issue_days::table
            .filter(issue_days::issue_id.eq(from))
            .filter(up_to),
    )
    .execute(conn)?;
    Ok(rows.len())
}

fn counts(issue_id: i64, rows: &[(i64, i64, i64)]) -> Vec<Vec<Bind<'static>>> {
    rows.iter()
        .map(|(bucket, environment_id, events)| {
            vec![
                Bind::I64(issue_id),
                Bind::I64(*bucket),
                Bind::I64(*environment_id),
                Bind::I64(*events),
            ]
        })
        .collect()
}

const USERS: Upsert = Upsert {
    table: "issue_users",
    columns: &["issue_id", "user_hash", "first_seen"],
    key: &["issue_id", "user_hash"],
    changes: &[("first_seen", Change::Min)],
};

fn move_users(conn: &mut Conn, _: &Cache, from: i64, to: i64) -> Result<usize, StoreError> {
    let rows: Vec<(Vec<u8>, i64)> = issue_users::table
        .filter(issue_users::issue_id.eq(from))
        .order(issue_users::user_hash)
        .limit(ROWS)
        .select((issue_users::user_hash, issue_users::first_seen))
        .load(conn)?;
    if rows.is_empty() {
        return Ok(0);
    }
    add_users(conn, to, &rows)?;
    let hashes: Vec<&[u8]> = rows.iter().map(|(hash, _)| hash.as_slice()).collect();
    diesel::delete(
        issue_users::table
            .filter(issue_users::issue_id.eq(from))
            .filter(issue_users::user_hash.eq_any(hashes)),
    )
    .execute(conn)?;
    Ok(rows.len())
}

/// Gives an issue users, each listed once; those that it had not are counted.
pub(super) fn add_users(
    conn: &mut Conn,
    issue_id: i64,
    users: &[(Vec<u8>, i64)],
) -> Result<(), StoreError> {
    let pairs: Vec<(i64, &[u8])> = users
        .iter()
        .map(|(hash, _)| (issue_id, hash.as_slice()))
        .collect();
    let known = existing_pairs(conn, "issue_users", ["issue_id", "user_hash"], &pairs)?;
    let known: HashSet<Vec<u8>> = known.into_iter().map(|(_, hash)| hash).collect();
    let rows: Vec<Vec<Bind<'_>>> = users
        .iter()
        .map(|(hash, first_seen)| {
            vec![
                Bind::I64(issue_id),
                Bind::Slice(hash),
                Bind::I64(*first_seen),
            ]
        })
        .collect();
    upsert_rows(conn, &USERS, &rows)?;
    let new = users.iter().filter(|(hash, _)| !known.contains(hash));
    let new = new.count() as i64;
    if new > 0 {
        diesel::update(issues::table.find(issue_id))
            .set(issues::users_seen.eq(issues::users_seen + new))
            .execute(conn)?;
        issue_details::shift(conn, issue_id, 0, new)?;
    }
    Ok(())
}

fn move_tags(conn: &mut Conn, cache: &Cache, from: i64, to: i64) -> Result<usize, StoreError> {
    tag_moves::move_first(conn, cache, from, to, ROWS)
}

/// What happened to the issue goes on being told, in the order of time, with the name that it had.
fn move_activity(conn: &mut Conn, _: &Cache, from: i64, to: i64) -> Result<usize, StoreError> {
    let rows: Vec<(i64, String)> = activity::table
        .filter(activity::issue_id.eq(from))
        .order(activity::id)
        .limit(ROWS)
        .select((activity::id, activity::data))
        .load(conn)?;
    if rows.is_empty() {
        return Ok(0);
    }
    let (prefix, number): (String, i64) = issue_redirects::table
        .inner_join(projects::table.on(projects::id.eq(issue_redirects::project_id)))
        .filter(issue_redirects::issue_id.eq(from))
        .select((projects::short_prefix, issue_redirects::short_number))
        .first(conn)?;
    let name = names::short_id(&prefix, number);
    for (id, data) in &rows {
        diesel::update(activity::table.find(id))
            .set((
                activity::issue_id.eq(to),
                activity::data.eq(with_name(data, &name)),
            ))
            .execute(conn)?;
    }
    Ok(rows.len())
}

/// The data of an activity row with the issue that it was about, unless an earlier merge has named that.
fn with_name(data: &str, name: &str) -> String {
    let parsed: Option<Value> = serde_json::from_str(data).ok();
    match parsed {
        Some(Value::Object(mut map)) => {
            map.entry("mergedFrom").or_insert_with(|| name.into());
            Value::Object(map).to_string()
        }
        _ => data.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use diesel::sql_types::Text;

    use super::*;
    use crate::store::issue_fixture::Fixture;

    #[derive(QueryableByName)]
    struct Table {
        #[diesel(sql_type = Text)]
        name: String,
    }

    /// A new table that names an issue needs a line in [`TABLES`], or its rows are lost in a merge.
    #[test]
    fn every_table_that_names_an_issue_is_handled() {
        let mut fixture = Fixture::new();
        let tables: Vec<Table> = diesel::sql_query(
            "SELECT tables.name AS name FROM sqlite_master AS tables, pragma_table_info(tables.name) AS columns \
             WHERE tables.type = 'table' AND columns.name = 'issue_id' ORDER BY 1",
        )
        .load(&mut fixture.conn)
        .expect("the schema");
        assert!(tables.len() >= TABLES.len());
        for Table { name } in tables {
            assert!(
                TABLES.iter().any(|(known, _)| *known == name),
                "a merge does not move the rows of {name}"
            );
        }
    }
}
