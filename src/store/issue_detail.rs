//! One issue and its events. In: a scope and a name: the number or the short id. Out: the rows of its page.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::accounts::Project;
use super::schema::{
    activity, events, issue_hours, issue_redirects, issues, projects, releases, users,
};
use super::scope::OrgScope;
use super::{Conn, StoreError, dictionaries, merging::redirect};
use crate::model::issue_condition::IssueName;
use crate::protocol::event_id::EventId;

const HOUR_MS: i64 = 3_600_000;

/// An issue as stored.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = issues)]
pub struct Issue {
    pub id: i64,
    pub project_id: i64,
    pub short_number: i64,
    pub level: i32,
    pub platform: String,
    pub title: String,
    pub title_type: String,
    pub title_value: String,
    pub culprit: String,
    pub status: i32,
    pub substatus: i32,
    pub status_changed_at: i64,
    pub first_seen: i64,
    pub last_seen: i64,
    pub times_seen: i64,
    pub users_seen: i64,
    pub first_release: Option<String>,
    pub last_release: Option<String>,
    /// Where it last came back.
    pub regressed_release: Option<String>,
    pub is_unhandled: bool,
    pub sampled_events: i64,
    pub sampled_at: i64,
}

/// Finds an issue of the scope's organization by number (`4711`) or short id (`SHOP-4F`). One that was merged into another
/// stands for that.
pub fn find(conn: &mut Conn, scope: &OrgScope, name: &str) -> Result<(Issue, Project), StoreError> {
    let own = issues::table
        .inner_join(projects::table.on(projects::id.eq(issues::project_id)))
        .filter(issues::organization_id.eq(scope.organization_id()))
        .select((Issue::as_select(), Project::as_select()));
    let name = IssueName::parse(name).ok_or(StoreError::NotFound)?;
    let found = match &name {
        IssueName::Number(id) => own.filter(issues::id.eq(id)).first(conn),
        IssueName::Short(prefix, number) => own
            .filter(projects::short_prefix.eq(prefix))
            .filter(issues::short_number.eq(number))
            .order(issues::id)
            .first(conn),
    };
    if let Some(found) = found.optional()? {
        return Ok(found);
    }
    let target = redirect::find(conn, scope, &name)?.ok_or(StoreError::NotFound)?;
    Ok(own.filter(issues::id.eq(target)).first(conn)?)
}

impl Issue {
    /// The release whose commits may have brought it: where it last came back, else where it was first seen.
    pub fn suspect_release(&self) -> Option<&str> {
        let regressed = self.regressed_release.as_deref();
        regressed.or(self.first_release.as_deref())
    }

    /// Whether a name is that of this issue, and not of one that was merged into it.
    pub fn is_called(&self, name: &str) -> bool {
        match IssueName::parse(name) {
            Some(IssueName::Number(id)) => id == self.id,
            Some(IssueName::Short(_, number)) => number == self.short_number,
            None => false,
        }
    }
}

/// Which event of an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    Latest,
    Oldest,
    Named(EventId),
}

/// An event as stored.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = events)]
pub struct EventRow {
    pub id: i64,
    pub event_id: Vec<u8>,
    pub timestamp: i64,
    pub data: Vec<u8>,
}

/// An event of an issue; none where retention has removed them all.
pub fn event(conn: &mut Conn, issue: &Issue, which: Which) -> Result<Option<EventRow>, StoreError> {
    let all = || events::table.select(EventRow::as_select()).into_boxed();
    let query = match which {
        Which::Latest => all()
            .filter(events::issue_id.eq(issue.id))
            .order(events::id.desc()),
        Which::Oldest => all()
            .filter(events::issue_id.eq(issue.id))
            .order(events::id.asc()),
        Which::Named(event_id) => {
            // Of an issue that was merged into this one it may still be on its way.
            let merged = issue_redirects::table
                .filter(issue_redirects::target_id.eq(issue.id))
                .select(issue_redirects::issue_id);
            all()
                .filter(events::project_id.eq(issue.project_id))
                .filter(events::event_id.eq(event_id.as_bytes().to_vec()))
                .filter(
                    events::issue_id
                        .eq(issue.id)
                        .or(events::issue_id.eq_any(merged)),
                )
        }
    };
    let found: Option<EventRow> = query.first(conn).optional()?;
    dictionaries::make_readable(conn, found.as_ref().map(|row| row.data.as_slice()))?;
    Ok(found)
}

/// The events before and after one, by their ids.
#[derive(Debug, Clone, Default)]
pub struct Neighbours {
    pub previous: Option<Vec<u8>>,
    pub next: Option<Vec<u8>>,
}

/// The events around one.
pub fn neighbours(
    conn: &mut Conn,
    issue: &Issue,
    event: &EventRow,
) -> Result<Neighbours, StoreError> {
    let own = events::table.filter(events::issue_id.eq(issue.id));
    let previous = own
        .filter(events::id.lt(event.id))
        .order(events::id.desc())
        .select(events::event_id)
        .first(conn)
        .optional()?;
    let next = own
        .filter(events::id.gt(event.id))
        .order(events::id.asc())
        .select(events::event_id)
        .first(conn)
        .optional()?;
    Ok(Neighbours { previous, next })
}

/// Events in `count` buckets of `hours` hours each, the last one holding now; returns where the first begins.
pub fn history(
    conn: &mut Conn,
    issue: &Issue,
    count: usize,
    hours: i64,
    now: i64,
) -> Result<(i64, Vec<i64>), StoreError> {
    let bucket = HOUR_MS * hours;
    let start = (now / bucket + 1 - count as i64) * bucket;
    let rows: Vec<(i64, i64)> = issue_hours::table
        .filter(issue_hours::issue_id.eq(issue.id))
        .filter(issue_hours::hour.ge(start / HOUR_MS))
        .select((issue_hours::hour, issue_hours::events))
        .load(conn)?;
    let mut counts = vec![0; count];
    for (hour, events) in rows {
        if let Some(count) = usize::try_from((hour * HOUR_MS - start) / bucket)
            .ok()
            .and_then(|at| counts.get_mut(at))
        {
            *count += events;
        }
    }
    Ok((start, counts))
}

/// The releases of an issue's project that were first seen since a moment, oldest first.
pub fn releases_since(
    conn: &mut Conn,
    issue: &Issue,
    since: i64,
) -> Result<Vec<(String, i64)>, StoreError> {
    Ok(releases::table
        .filter(releases::project_id.eq(issue.project_id))
        .filter(releases::first_seen.ge(since))
        .order(releases::first_seen)
        .limit(50)
        .select((releases::version, releases::first_seen))
        .load(conn)?)
}

/// A value of a tag with its events.
#[derive(Debug, Clone, QueryableByName)]
pub struct TagRow {
    #[diesel(sql_type = Text)]
    pub tag_key: String,
    #[diesel(sql_type = Text)]
    pub tag_value: String,
    #[diesel(sql_type = BigInt)]
    pub events: i64,
}

/// The most frequent values of each tag of an issue, by key, the largest first.
pub fn tags(conn: &mut Conn, issue: &Issue, values: u32) -> Result<Vec<TagRow>, StoreError> {
    Ok(diesel::sql_query(format!(
        "SELECT tag_key, tag_value, events FROM \
         (SELECT tag_key, tag_value, events, ROW_NUMBER() OVER (PARTITION BY tag_key ORDER BY events DESC, tag_value) AS place \
          FROM issue_tags WHERE issue_id = {issue}) AS placed \
         WHERE place <= {values} ORDER BY tag_key, place",
        issue = issue.id,
    ))
    .load(conn)?)
}

/// Something that happened to an issue.
#[derive(Debug, Clone, Queryable)]
pub struct ActivityRow {
    pub kind: String,
    pub data: String,
    pub created_at: i64,
    pub user_name: Option<String>,
}

/// What happened lately, newest first.
pub fn activity(
    conn: &mut Conn,
    issue: &Issue,
    limit: i64,
) -> Result<Vec<ActivityRow>, StoreError> {
    Ok(activity::table
        .left_join(users::table.on(users::id.nullable().eq(activity::user_id)))
        .filter(activity::issue_id.eq(issue.id))
        .order(activity::id.desc())
        .limit(limit)
        .select((
            activity::kind,
            activity::data,
            activity::created_at,
            users::name.nullable(),
        ))
        .load(conn)?)
}

/// The first issue of a project, for the page that waits for it.
pub fn first_of_project(
    conn: &mut Conn,
    scope: &OrgScope,
    project: &Project,
) -> Result<Option<Issue>, StoreError> {
    Ok(issues::table
        .filter(issues::organization_id.eq(scope.organization_id()))
        .filter(issues::project_id.eq(project.id))
        .order(issues::id)
        .select(Issue::as_select())
        .first(conn)
        .optional()?)
}
