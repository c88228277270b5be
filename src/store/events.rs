//! Stored events. In: a scope, and an issue, a project or an id. Out: rows with their payload, pages of them, neighbours.

use diesel::prelude::*;
use serde_json::Value;

use super::accounts::Project;
use super::issue_records::IssueRecord;
use super::schema::{events, issues, projects};
use super::scope::OrgScope;
use super::{Conn, StoreError, dictionaries, merging::redirect, payload};
use crate::protocol::event_id::EventId;

/// An event as stored.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = events)]
pub struct EventRecord {
    pub id: i64,
    pub project_id: i64,
    pub issue_id: i64,
    pub event_id: Vec<u8>,
    pub timestamp: i64,
    pub data: Vec<u8>,
}

impl EventRecord {
    /// The normalised event as JSON text.
    pub fn payload(&self) -> Result<Vec<u8>, StoreError> {
        payload::unpack(&self.data).ok_or_else(|| self.damaged())
    }

    /// The normalised event, and how many bytes its text has.
    pub fn read(&self) -> Result<(Value, usize), StoreError> {
        let text = self.payload()?;
        let value = serde_json::from_slice(&text).map_err(|_| self.damaged())?;
        Ok((value, text.len()))
    }

    /// 32 hex digits.
    pub fn id_text(&self) -> String {
        hex::encode(&self.event_id)
    }

    fn damaged(&self) -> StoreError {
        StoreError::Damaged(format!("the payload of event row {} is damaged", self.id))
    }
}

/// Whose events.
#[derive(Debug, Clone, Copy)]
pub enum Of<'a> {
    Issue(&'a IssueRecord),
    Project(&'a Project),
}

/// Where a page of events lies, known by the number of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Start,
    /// Older than the row.
    After(i64),
    /// Newer than it.
    Before(i64),
}

/// Which event of an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    Latest,
    Oldest,
    Named(EventId),
}

type Boxed<'a> = events::BoxedQuery<'a, <Conn as diesel::Connection>::Backend>;

/// Events of an organization's issue or project; every query below begins here.
fn own<'a>(conn: &mut Conn, scope: &OrgScope, of: Of<'_>) -> Result<Boxed<'a>, StoreError> {
    let all = events::table.into_boxed();
    match of {
        Of::Project(project) if project.organization_id == scope.organization_id() => {
            Ok(all.filter(events::project_id.eq(project.id)))
        }
        Of::Project(_) => Err(StoreError::NotFound),
        Of::Issue(issue) => {
            let organization_id: i64 = issues::table
                .find(issue.id)
                .select(issues::organization_id)
                .first(conn)?;
            if organization_id != scope.organization_id() {
                return Err(StoreError::NotFound);
            }
            Ok(all.filter(events::issue_id.eq(issue.id)))
        }
    }
}

/// Reads a page, newest first, of the events received since a row number; the flag says whether there are more beyond.
pub fn page(
    conn: &mut Conn,
    scope: &OrgScope,
    of: Of<'_>,
    place: Place,
    since: i64,
    size: i64,
) -> Result<(Vec<EventRecord>, bool), StoreError> {
    let own = own(conn, scope, of)?
        .filter(events::id.ge(since))
        .limit(size + 1)
        .select(EventRecord::as_select());
    let query = match place {
        Place::Start => own.order(events::id.desc()),
        Place::After(id) => own.filter(events::id.lt(id)).order(events::id.desc()),
        Place::Before(id) => own.filter(events::id.gt(id)).order(events::id.asc()),
    };
    let mut rows: Vec<EventRecord> = query.load(conn)?;
    let more = rows.len() as i64 > size;
    rows.truncate(usize::try_from(size).unwrap_or(0));
    if matches!(place, Place::Before(_)) {
        rows.reverse();
    }
    dictionaries::make_readable(conn, rows.iter().map(|row| row.data.as_slice()))?;
    Ok((rows, more))
}

/// The payloads of the newest events of all organizations, as JSON; for learning how to compress them.
pub fn newest_payloads(conn: &mut Conn, most: i64) -> Result<Vec<Vec<u8>>, StoreError> {
    let packed: Vec<Vec<u8>> = events::table
        .order(events::id.desc())
        .limit(most)
        .select(events::data)
        .load(conn)?;
    dictionaries::make_readable(conn, packed.iter().map(Vec::as_slice))?;
    Ok(packed
        .iter()
        .filter_map(|packed| payload::unpack(packed))
        .collect())
}

/// The newest event of the project's newest issue.
pub fn newest(
    conn: &mut Conn,
    scope: &OrgScope,
    project: &Project,
) -> Result<Option<EventRecord>, StoreError> {
    let issue: Option<i64> = issues::table
        .filter(issues::organization_id.eq(scope.organization_id()))
        .filter(issues::project_id.eq(project.id))
        .order(issues::last_seen.desc())
        .select(issues::id)
        .first(conn)
        .optional()?;
    let Some(issue) = issue else { return Ok(None) };
    let found = events::table
        .filter(events::issue_id.eq(issue))
        .order(events::id.desc())
        .select(EventRecord::as_select())
        .first(conn)
        .optional()?;
    found.map(|found| readable(conn, found)).transpose()
}

/// One event of an issue.
pub fn of_issue(
    conn: &mut Conn,
    scope: &OrgScope,
    issue: &IssueRecord,
    which: Which,
) -> Result<EventRecord, StoreError> {
    let own = own(conn, scope, Of::Issue(issue))?.select(EventRecord::as_select());
    let query = match which {
        Which::Latest => own.order(events::id.desc()),
        Which::Oldest => own.order(events::id.asc()),
        Which::Named(id) => events::table
            .filter(events::project_id.eq(issue.project_id))
            .filter(events::event_id.eq(id.as_bytes().to_vec()))
            .select(EventRecord::as_select())
            .into_boxed(),
    };
    let found = query.first(conn)?;
    let found = readable(conn, found)?;
    if found.issue_id == issue.id {
        Ok(found)
    } else {
        Err(StoreError::NotFound)
    }
}

/// Sees to it that [`EventRecord::payload`] finds what it needs. An event of an issue that was merged belongs to the other
/// one, also while its row is on the way.
fn readable(conn: &mut Conn, mut found: EventRecord) -> Result<EventRecord, StoreError> {
    dictionaries::make_readable(conn, [found.data.as_slice()])?;
    found.issue_id = redirect::current(conn, found.issue_id)?;
    Ok(found)
}

/// An event by its id, wherever in the organization it is.
pub fn by_id(
    conn: &mut Conn,
    scope: &OrgScope,
    id: EventId,
) -> Result<(EventRecord, Project), StoreError> {
    let (found, project) = events::table
        .inner_join(projects::table.on(projects::id.eq(events::project_id)))
        .filter(projects::organization_id.eq(scope.organization_id()))
        .filter(events::event_id.eq(id.as_bytes().to_vec()))
        .order(events::id.desc())
        .select((EventRecord::as_select(), Project::as_select()))
        .first(conn)?;
    Ok((readable(conn, found)?, project))
}

/// An event of a project by its id.
pub fn of_project(
    conn: &mut Conn,
    scope: &OrgScope,
    project: &Project,
    id: EventId,
) -> Result<EventRecord, StoreError> {
    let found = own(conn, scope, Of::Project(project))?
        .filter(events::event_id.eq(id.as_bytes().to_vec()))
        .select(EventRecord::as_select())
        .first(conn)?;
    readable(conn, found)
}

/// The ids of the events before and after one in the same issue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Around {
    pub previous: Option<Vec<u8>>,
    pub next: Option<Vec<u8>>,
}

/// Finds the neighbours of an event.
pub fn neighbours(
    conn: &mut Conn,
    scope: &OrgScope,
    event: &EventRecord,
) -> Result<Around, StoreError> {
    let own = events::table
        .inner_join(projects::table.on(projects::id.eq(events::project_id)))
        .filter(projects::organization_id.eq(scope.organization_id()))
        .filter(events::issue_id.eq(event.issue_id))
        .select(events::event_id);
    let previous = own
        .filter(events::id.lt(event.id))
        .order(events::id.desc())
        .first(conn)
        .optional()?;
    let next = own
        .filter(events::id.gt(event.id))
        .order(events::id.asc())
        .first(conn)
        .optional()?;
    Ok(Around { previous, next })
}
