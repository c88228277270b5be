//! Projects. In: a token and names. Out: the projects of an organization, one of them, and the environments its events
//! named.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::access::{Caller, READ_ORGANIZATION, READ_PROJECT, app};
use super::cursor;
use super::error::ApiError;
use super::format;
use super::organizations;
use super::params::Params;
use super::settings;
use crate::store::accounts::Project;
use crate::store::{lifecycle_steps, named, project_settings};

/// `GET /organizations/{org}/projects/`
pub async fn list(
    request: HttpRequest,
    caller: Caller,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    caller.may(READ_ORGANIZATION)?;
    let params = Params::read(request.query_string());
    let (cursor, size) = (params.cursor()?, params.page_size()?);
    let name = path.into_inner();
    let app = app(&request);
    let (found, environments) = app
        .store
        .read(move |conn| {
            let scope = caller.organization(conn, &name)?;
            let environments = named::environments(conn, &scope)?;
            Ok((scope.projects(conn)?, environments))
        })
        .await?;
    let (found, neighbours) = cursor::slice(found, cursor, size);
    let rows: Vec<Value> = found
        .iter()
        .map(|project| summary(project, &environments))
        .collect();
    Ok(cursor::page(
        app.base_url(),
        request.path(),
        &params,
        neighbours,
        &rows,
    ))
}

/// `GET /projects/{org}/{project}/`
pub async fn show(
    request: HttpRequest,
    caller: Caller,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    caller.may(READ_PROJECT)?;
    answer(&request, caller, path.into_inner()).await
}

/// A project with its organization and its settings.
pub async fn answer(
    request: &HttpRequest,
    caller: Caller,
    (organization, name): (String, String),
) -> Result<HttpResponse, ApiError> {
    let app = app(request);
    let (scope, project, environments, settings, resolve_age) = app
        .store
        .read(move |conn| {
            let scope = caller.organization(conn, &organization)?;
            let project = scope.project(conn, &name)?;
            let environments = named::environments(conn, &scope)?;
            let settings = project_settings::of_project(conn, &project)?;
            let resolve_age = lifecycle_steps::resolve_age(conn, project.id)?;
            Ok((scope, project, environments, settings, resolve_age))
        })
        .await?;
    let mut answer = summary(&project, &environments);
    answer["organization"] = organizations::summary(scope.organization(), app.base_url());
    for (name, value) in settings::fields(&settings) {
        answer[name] = value;
    }
    answer["resolveAge"] = json!(resolve_age.unwrap_or(0));
    Ok(HttpResponse::Ok().json(answer))
}

/// `GET /projects/{org}/{project}/environments/`
pub async fn environments(
    request: HttpRequest,
    caller: Caller,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    caller.may(READ_PROJECT)?;
    let (organization, project) = path.into_inner();
    environments_json(&request, caller, organization, Some(project)).await
}

/// `GET /organizations/{org}/environments/`
pub async fn environments_of_organization(
    request: HttpRequest,
    caller: Caller,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    caller.may(READ_ORGANIZATION)?;
    environments_json(&request, caller, path.into_inner(), None).await
}

async fn environments_json(
    request: &HttpRequest,
    caller: Caller,
    organization: String,
    project: Option<String>,
) -> Result<HttpResponse, ApiError> {
    let params = Params::read(request.query_string());
    let (cursor, size) = (params.cursor()?, params.page_size()?);
    let app = app(request);
    let mut found = app
        .store
        .read(move |conn| {
            let scope = caller.organization(conn, &organization)?;
            let mut found = named::environments(conn, &scope)?;
            if let Some(name) = project {
                let project = scope.project(conn, &name)?;
                found.retain(|environment| environment.project_id == project.id);
            }
            Ok(found)
        })
        .await?;
    // Two projects may have environments of one name; people mean the name.
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found.dedup_by(|one, other| one.name == other.name);
    let (found, neighbours) = cursor::slice(found, cursor, size);
    let rows: Vec<Value> = found
        .iter()
        .map(|environment| {
            json!({"id": environment.id.to_string(), "name": environment.name, "isHidden": false})
        })
        .collect();
    Ok(cursor::page(
        app.base_url(),
        request.path(),
        &params,
        neighbours,
        &rows,
    ))
}

/// A project as lists show it.
pub fn summary(project: &Project, environments: &[named::Environment]) -> Value {
    let own = environments
        .iter()
        .filter(|environment| environment.project_id == project.id);
    json!({
        "id": project.id.to_string(),
        "slug": project.slug,
        "name": project.name,
        "platform": project.platform,
        "dateCreated": format::time(project.created_at),
        "firstEvent": format::maybe_time(project.first_event_at),
        "status": "active",
        "isMember": true,
        "hasAccess": true,
        "isBookmarked": false,
        "features": [],
        "team": null,
        "teams": [],
        "environments": own.map(|environment| environment.name.as_str()).collect::<Vec<_>>(),
    })
}

/// A project as its issues name it.
pub fn reference(project: &Project) -> Value {
    json!({
        "id": project.id.to_string(),
        "slug": project.slug,
        "name": project.name,
        "platform": project.platform,
    })
}
