//! Changes to issues. In: one issue, or many by number or by query, and what is wanted of them; or many by number that become one.
//! Out: what they are now. The change and its entry in the issue's history are written together.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use super::detail::Whole;
use super::selection::{Query, Selection};
use super::{IssuePath, merge, wanted};
use crate::api::access::{Caller, WRITE_EVENTS, app};
use crate::api::body::read_json;
use crate::api::error::ApiError;
use crate::api::params::Params;
use crate::model::issue::Status;
use crate::model::lifecycle::Choice;
use crate::store::issue_list::{self, IssuePage, Place, Sort};
use crate::store::{issue_records, issue_status, now_ms};

/// Issues changed in one transaction: where there is one writer, the digest waits for it.
const CHUNK: i64 = 200;

/// `PUT …/issues/{issue}/`
pub async fn one(
    request: HttpRequest,
    caller: Caller,
    body: web::Payload,
) -> Result<HttpResponse, ApiError> {
    caller.may(WRITE_EVENTS)?;
    let now = now_ms();
    let choice = wanted::choice(&read_json(body).await?, now)?;
    let path = IssuePath::of(&request);
    let app = app(&request);
    let whole = app
        .store
        .write(move |conn| {
            let (scope, issue, project) = path.find(conn, &caller)?;
            issue_status::set_status(conn, &scope, &[issue.id], &choice, now)?;
            let (issue, project) = (
                issue_records::find(conn, &scope, &issue.id.to_string())?.0,
                project,
            );
            Whole::load(conn, scope, issue, project, now)
        })
        .await?;
    Ok(HttpResponse::Ok().json(whole.json(app.base_url())))
}

/// `PUT /organizations/{org}/issues/`
pub async fn of_organization(
    request: HttpRequest,
    caller: Caller,
    path: web::Path<String>,
    body: web::Payload,
) -> Result<HttpResponse, ApiError> {
    many(&request, caller, path.into_inner(), None, body).await
}

/// `PUT /projects/{org}/{project}/issues/`
pub async fn of_project(
    request: HttpRequest,
    caller: Caller,
    path: web::Path<(String, String)>,
    body: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let (organization, project) = path.into_inner();
    many(&request, caller, organization, Some(project), body).await
}

async fn many(
    request: &HttpRequest,
    caller: Caller,
    organization: String,
    project: Option<String>,
    body: web::Payload,
) -> Result<HttpResponse, ApiError> {
    caller.may(WRITE_EVENTS)?;
    let body = read_json(body).await?;
    let params = Params::read(request.query_string());
    if merge::is_wanted(&body)? {
        let ids = numbers(&params)?;
        return merge::merge(request, caller, organization, project, ids).await;
    }
    let choice = wanted::choice(&body, now_ms())?;
    let matched = if params.get("id").is_some() {
        by_number(request, caller, organization, project, &params, &choice).await?
    } else {
        by_query(request, &caller, &organization, project, &params, &choice).await?
    };
    if matched == 0 {
        return Ok(HttpResponse::NoContent().finish());
    }
    let state = choice.state();
    Ok(HttpResponse::Ok().json(json!({
        "status": state.status.as_str(),
        "statusDetails": wanted::asked_details(&choice),
        "substatus": state.substatus.as_str(),
    })))
}

async fn by_number(
    request: &HttpRequest,
    caller: Caller,
    organization: String,
    project: Option<String>,
    params: &Params,
    choice: &Choice,
) -> Result<usize, ApiError> {
    let ids = numbers(params)?;
    let (now, choice) = (now_ms(), choice.clone());
    let matched = app(request)
        .store
        .write(move |conn| {
            let scope = caller.organization(conn, &organization)?;
            let mut found = issue_records::by_ids(conn, &scope, &ids)?;
            if let Some(name) = &project {
                let project = scope.project(conn, name)?;
                found.retain(|issue| issue.project_id == project.id);
            }
            let found: Vec<i64> = found.iter().map(|issue| issue.id).collect();
            issue_status::set_status(conn, &scope, &found, &choice, now)?;
            Ok(found.len())
        })
        .await?;
    Ok(matched)
}

/// The issues that are named.
fn numbers(params: &Params) -> Result<Vec<i64>, ApiError> {
    let mut ids = Vec::new();
    for text in params.all("id") {
        match text.parse::<i64>() {
            Ok(id) => ids.push(id),
            Err(_) => return Err(ApiError::Invalid(format!("'{text}' is not an issue's id"))),
        }
    }
    if ids.len() as i64 > 1_000 {
        return Err(ApiError::Invalid(
            "at most 1000 issues at a time can be named".to_owned(),
        ));
    }
    Ok(ids)
}

/// Walks over the list in an order that the change does not disturb.
async fn by_query(
    request: &HttpRequest,
    caller: &Caller,
    organization: &str,
    project: Option<String>,
    params: &Params,
    choice: &Choice,
) -> Result<usize, ApiError> {
    let (app, now) = (app(request), now_ms());
    let mut place = Place::Start;
    let mut matched = 0;
    loop {
        let mut selection = Selection::read(params, project.clone(), None, now)?;
        if let Some(text) = params.filled("status") {
            let only = Status::parse(text)
                .ok_or_else(|| ApiError::Invalid(format!("'{text}' is not a status")))?;
            selection = selection.with_status(only);
        }
        let (caller, organization) = (caller.clone(), organization.to_owned());
        let choice = choice.clone();
        let page = app
            .store
            .write(move |conn| {
                let scope = caller.organization(conn, &organization)?;
                let Query::Filter(filter) = &selection.query else {
                    // An event's id names one issue to look at, not a set to change.
                    return Ok(IssuePage::default());
                };
                let filter = selection.within(conn, &scope, filter)?;
                let page =
                    issue_list::page(conn, &scope, &filter, Sort::FirstSeen, place, CHUNK, now)?;
                let ids: Vec<i64> = page.rows.iter().map(|row| row.id).collect();
                issue_status::set_status(conn, &scope, &ids, &choice, now)?;
                Ok(page)
            })
            .await?;
        matched += page.rows.len();
        match page.rows.last() {
            Some(last) if page.has_older => place = Place::After(last.first_seen, last.id),
            _ => return Ok(matched),
        }
    }
}
