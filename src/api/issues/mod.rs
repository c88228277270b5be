//! Issues: lists, one of them, changes of status, their tags and hashes.

pub mod detail;
pub mod hashes;
pub mod list;
mod merge;
mod selection;
mod shape;
pub mod tags;
pub mod update;
mod wanted;

use crate::store::accounts::Project;
use crate::store::issue_records::{self, IssueRecord};
use crate::store::scope::OrgScope;
use crate::store::{Conn, StoreError};

use super::access::Caller;
use actix_web::HttpRequest;

/// How a path names an issue: below an organization, or by number alone.
#[derive(Debug, Clone)]
pub struct IssuePath {
    organization: Option<String>,
    issue: String,
}

impl IssuePath {
    pub fn of(request: &HttpRequest) -> Self {
        let path = request.match_info();
        Self {
            organization: path.get("org").map(str::to_owned),
            issue: path.query("issue").to_owned(),
        }
    }

    /// The issue, if the caller may see it.
    pub fn find(
        &self,
        conn: &mut Conn,
        caller: &Caller,
    ) -> Result<(OrgScope, IssueRecord, Project), StoreError> {
        let organization = if let Some(name) = &self.organization {
            name.clone()
        } else {
            let id = self.issue.parse().map_err(|_| StoreError::NotFound)?;
            issue_records::organization_of(conn, id)?.to_string()
        };
        let scope = caller.organization(conn, &organization)?;
        let (issue, project) = issue_records::find(conn, &scope, &self.issue)?;
        Ok((scope, issue, project))
    }
}
