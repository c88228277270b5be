//! What people wrote about errors. In: a scope and a filter. Out: their messages, newest first, with the issues that they are about.

use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;

use super::accounts::Project;
use super::schema::{events, feedback, projects};
use super::scope::OrgScope;
use super::{Conn, StoreError};

/// Messages of one event that are shown.
const SHOWN: i64 = 20;

/// Whether somebody dealt with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Open,
    Done,
}

impl State {
    /// The stored form.
    pub const fn code(self) -> i32 {
        match self {
            Self::Open => 0,
            Self::Done => 1,
        }
    }
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = feedback)]
pub struct Feedback {
    pub id: i64,
    pub project_id: i64,
    pub feedback_id: Vec<u8>,
    /// Empty where it is about no event.
    pub event_id: Vec<u8>,
    pub name: String,
    pub email: String,
    pub message: String,
    pub url: String,
    pub release_name: Option<String>,
    pub environment: Option<String>,
    state: i32,
    pub created_at: i64,
}

impl Feedback {
    pub const fn is_done(&self) -> bool {
        self.state == State::Done.code()
    }
}

/// Which messages are wanted.
#[derive(Debug, Clone)]
pub struct Filter {
    pub project: Option<Project>,
    pub state: Option<State>,
    /// Only those about events of this issue.
    pub issue_id: Option<i64>,
    /// Only those with a smaller number.
    pub before: Option<i64>,
    pub limit: i64,
}

/// The messages of an organization that fit, the newest first.
pub fn list(
    conn: &mut Conn,
    scope: &OrgScope,
    filter: &Filter,
) -> Result<Vec<Feedback>, StoreError> {
    let own = projects::table
        .filter(projects::organization_id.eq(scope.organization_id()))
        .select(projects::id);
    let mut query = feedback::table
        .filter(feedback::project_id.eq_any(own))
        .order(feedback::id.desc())
        .limit(filter.limit)
        .select(Feedback::as_select())
        .into_boxed();
    if let Some(project) = &filter.project {
        query = query.filter(feedback::project_id.eq(project.id));
    }
    if let Some(state) = filter.state {
        query = query.filter(feedback::state.eq(state.code()));
    }
    if let Some(before) = filter.before {
        query = query.filter(feedback::id.lt(before));
    }
    if let Some(issue_id) = filter.issue_id {
        let about = events::table
            .filter(events::issue_id.eq(issue_id))
            .filter(events::project_id.eq(feedback::project_id))
            .filter(events::event_id.eq(feedback::event_id));
        query = query.filter(diesel::dsl::exists(about));
    }
    Ok(query.load(conn)?)
}

/// How many of a project's newest messages are about the events of an issue.
pub fn count_of_issue(conn: &mut Conn, project_id: i64, issue_id: i64) -> Result<i64, StoreError> {
    const LOOKED_AT: i64 = 500;
    let about: Vec<Vec<u8>> = feedback::table
        .filter(feedback::project_id.eq(project_id))
        .filter(feedback::event_id.ne(Vec::<u8>::new()))
        .order(feedback::id.desc())
        .select(feedback::event_id)
        .limit(LOOKED_AT)
        .load(conn)?;
    if about.is_empty() {
        return Ok(0);
    }
    let found: Vec<Vec<u8>> = events::table
        .filter(events::project_id.eq(project_id))
        .filter(events::event_id.eq_any(&about))
        .filter(events::issue_id.eq(issue_id))
        .select(events::event_id)
        .load(conn)?;
    Ok(about.iter().filter(|id| found.contains(id)).count() as i64)
}

/// The issues that messages are about, by project and event.
pub fn issues(
    conn: &mut Conn,
    messages: &[Feedback],
) -> Result<HashMap<(i64, Vec<u8>), i64>, StoreError> {
    let mut by_project = BTreeMap::<i64, Vec<&[u8]>>::new();
    for message in messages {
        if !message.event_id.is_empty() {
            by_project
                .entry(message.project_id)
                .or_default()
                .push(&message.event_id);
        }
    }
    let mut issues = HashMap::new();
    for (project_id, event_ids) in by_project {
        let rows: Vec<(Vec<u8>, i64)> = events::table
            .filter(events::project_id.eq(project_id))
            .filter(events::event_id.eq_any(event_ids))
            .select((events::event_id, events::issue_id))
            .load(conn)?;
        for (event_id, issue_id) in rows {
            issues.insert((project_id, event_id), issue_id);
        }
    }
    Ok(issues)
}

/// The messages about one event.
pub fn of_event(
    conn: &mut Conn,
    project: &Project,
    event_id: &[u8],
) -> Result<Vec<Feedback>, StoreError> {
    Ok(feedback::table
        .filter(feedback::project_id.eq(project.id))
        .filter(feedback::event_id.eq(event_id))
        .order(feedback::id)
        .select(Feedback::as_select())
        .limit(SHOWN)
        .load(conn)?)
}

/// One message, with its project.
pub fn one(conn: &mut Conn, scope: &OrgScope, id: i64) -> Result<(Feedback, Project), StoreError> {
    Ok(feedback::table
        .inner_join(projects::table.on(projects::id.eq(feedback::project_id)))
        .filter(projects::organization_id.eq(scope.organization_id()))
        .filter(feedback::id.eq(id))
        .select((Feedback::as_select(), Project::as_select()))
        .first(conn)?)
}

/// Says of a message whether somebody dealt with it.
pub fn set_state(
    conn: &mut Conn,
    scope: &OrgScope,
    id: i64,
    state: State,
) -> Result<(), StoreError> {
    let (message, _) = one(conn, scope, id)?;
    diesel::update(feedback::table.find(message.id))
        .set(feedback::state.eq(state.code()))
        .execute(conn)?;
    Ok(())
}
