//! Which issues a request means. In: the parameters of a list, or of a change to many. Out: a filter for the database, or
//! the one issue of the event that was asked for.

use crate::api::error::ApiError;
use crate::api::params::Params;
use crate::model::issue::Status;
use crate::model::issue_condition::{Condition, Time, Values};
use crate::model::issue_query::IssueFilter;
use crate::model::issue_search;
use crate::model::search_value::Comparison;
use crate::protocol::event_id::EventId;
use crate::store::issue_records::{self, IssueRecord};
use crate::store::scope::OrgScope;
use crate::store::{Conn, StoreError, events};

/// Which issues, before anything is known of the organization.
pub struct Selection {
    pub query: Query,
    /// By slug or number; empty means all.
    projects: Vec<String>,
}

pub enum Query {
    /// The issue of this event.
    Event(EventId),
    Filter(Box<IssueFilter>),
}

impl Selection {
    /// Reads the parameters of a list. `default` is the query where none is given.
    pub fn read(
        params: &Params,
        project: Option<String>,
        default: Option<&str>,
        now: i64,
    ) -> Result<Self, ApiError> {
        let text = params.get("query").or(default).unwrap_or_default().trim();
        let asked = params.all("project").into_iter();
        let projects = project.map_or_else(
            || {
                asked
                    .filter(|project| *project != "-1")
                    .map(str::to_owned)
                    .collect()
            },
            |project| vec![project],
        );
        if let Some(id) = event_id(text) {
            let query = Query::Event(id);
            return Ok(Self { query, projects });
        }
        let mut filter = issue_search::parse(text, now).map_err(|problem| {
            ApiError::Invalid(format!("Error parsing search query: {problem}"))
        })?;
        let environments = params.all("environment");
        if !environments.is_empty() {
            filter.conditions.push(Condition::Tag {
                key: "environment".to_owned(),
                value: Values::AnyOf(environments.into_iter().map(str::to_owned).collect()),
                wanted: true,
            });
        }
        if let Some((start, end)) = params.period(now)? {
            for (time, comparison, millis) in [
                (Time::LastSeen, Comparison::AtLeast, start),
                (Time::FirstSeen, Comparison::AtMost, end),
            ] {
                filter.conditions.push(Condition::Time {
                    time,
                    comparison,
                    millis,
                });
            }
        }
        let query = Query::Filter(Box::new(filter));
        Ok(Self { query, projects })
    }

    /// The same, of one status only.
    pub fn with_status(mut self, status: Status) -> Self {
        if let Query::Filter(filter) = &mut self.query {
            filter.conditions.push(Condition::Status {
                status,
                wanted: true,
            });
        }
        self
    }

    /// A filter of the query, for the projects asked for.
    pub fn within(
        &self,
        conn: &mut Conn,
        scope: &OrgScope,
        filter: &IssueFilter,
    ) -> Result<IssueFilter, StoreError> {
        let mut filter = filter.clone();
        for name in &self.projects {
            filter.projects.push(scope.project(conn, name)?.slug);
        }
        Ok(filter)
    }

    /// The issue of an event, if one of the projects asked for has it.
    pub fn hit(
        &self,
        conn: &mut Conn,
        scope: &OrgScope,
        id: EventId,
    ) -> Result<Vec<IssueRecord>, StoreError> {
        let found = match self.projects.as_slice() {
            [] => events::by_id(conn, scope, id).map(|(event, _)| event.issue_id),
            names => {
                let mut found = Err(StoreError::NotFound);
                for name in names {
                    let project = scope.project(conn, name)?;
                    found =
                        events::of_project(conn, scope, &project, id).map(|event| event.issue_id);
                    if found.is_ok() {
                        break;
                    }
                }
                found
            }
        };
        match found {
            Ok(issue_id) => issue_records::by_ids(conn, scope, &[issue_id]),
            Err(StoreError::NotFound) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

/// 32 hex digits and nothing else.
fn event_id(text: &str) -> Option<EventId> {
    (text.len() == 32).then(|| text.parse().ok()).flatten()
}
