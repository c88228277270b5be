//! Who may have broken it, for programs. In: an event. Out: authors with their commits that touched a file of its own frames, in the
//! shape of Sentry's `committers`.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::event_id;
use crate::api::access::{Caller, READ_EVENTS, app};
use crate::api::error::ApiError;
use crate::api::releases::{author_json, commit_json};
use crate::model::suspects::frame_paths;
use crate::store::release_details::{self, Author, Suspect};
use crate::store::{events, issue_detail};

/// `GET /projects/{org}/{project}/events/{event_id}/committers/`
pub async fn show(
    request: HttpRequest,
    caller: Caller,
    path: web::Path<(String, String, String)>,
) -> Result<HttpResponse, ApiError> {
    caller.may(READ_EVENTS)?;
    let (organization, project, id) = path.into_inner();
    let id = event_id(&id)?;
    let suspects = app(&request)
        .store
        .read(move |conn| {
            let scope = caller.organization(conn, &organization)?;
            let project = scope.project(conn, &project)?;
            let event = events::of_project(conn, &scope, &project, id)?;
            let (issue, _) = issue_detail::find(conn, &scope, &event.issue_id.to_string())?;
            let Some(release) = issue.suspect_release() else {
                return Ok(Vec::new());
            };
            if !release_details::has_files(conn, &scope, release)? {
                return Ok(Vec::new());
            }
            let (payload, _) = event.read()?;
            release_details::suspects(conn, &scope, release, &frame_paths(&payload))
        })
        .await?;
    Ok(HttpResponse::Ok().json(json!({"committers": by_author(&suspects)})))
}

/// Authors in the order of their newest commit.
fn by_author(suspects: &[Suspect]) -> Vec<Value> {
    let mut authors: Vec<(Author, Vec<Value>)> = Vec::new();
    for Suspect { commit, file } in suspects {
        let author = (commit.author_name.clone(), commit.author_email.clone());
        let mut shown = commit_json(commit);
        shown["suspectCommitType"] = "via commit in release".into();
        shown["file"] = json!({"path": file.path, "type": file.touch.letter()});
        match authors.iter_mut().find(|(known, _)| *known == author) {
            Some((_, commits)) => commits.push(shown),
            None => authors.push((author, vec![shown])),
        }
    }
    let shown = authors.iter();
    shown
        .map(|(author, commits)| json!({"author": author_json(author), "commits": commits}))
        .collect()
}
