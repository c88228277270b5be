//! Chunks that make up a bundle. In: its checksum and those of its chunks. Out: how far it is; clients ask again until it
//! is done.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use super::{WRITE, is_sha1};
use crate::api::access::{Caller, app};
use crate::api::body::read_json;
use crate::api::error::ApiError;
use crate::store::uploads::{Progress, Wanted, state};
use crate::store::{StoreError, release_details};
use crate::tasks::kinds::assemble_bundle::{self, dist_named, release_named};

/// Of the largest bundle in chunks of an eighth of the largest chunk.
const MOST_CHUNKS: usize = 512;
const MOST_PROJECTS: usize = 100;

#[derive(Debug, Deserialize)]
struct Body {
    checksum: String,
    chunks: Vec<String>,
    #[serde(default)]
    projects: Vec<serde_json::Value>,
    version: Option<String>,
    dist: Option<String>,
}

/// `POST /organizations/{org}/artifactbundle/assemble/`
pub async fn artifact_bundle(
    request: HttpRequest,
    caller: Caller,
    path: web::Path<String>,
    body: web::Payload,
) -> Result<HttpResponse, ApiError> {
    caller.may(WRITE)?;
    let body: Body = serde_json::from_value(read_json(body).await?)
        .map_err(|error| ApiError::Invalid(error.to_string()))?;
    if body.projects.is_empty() {
        return Err(ApiError::Invalid("Name at least one project".to_owned()));
    }
    put_together(&request, caller, path.into_inner(), body).await
}

/// `POST /organizations/{org}/releases/{version}/assemble/`: the same for all projects of a release, as clients did before bundles had
/// an endpoint of their own.
pub async fn of_release(
    request: HttpRequest,
    caller: Caller,
    path: web::Path<(String, String)>,
    body: web::Payload,
) -> Result<HttpResponse, ApiError> {
    caller.may(WRITE)?;
    let mut body: Body = serde_json::from_value(read_json(body).await?)
        .map_err(|error| ApiError::Invalid(error.to_string()))?;
    let (organization, version) = path.into_inner();
    let (by, named, wanted) = (caller.clone(), organization.clone(), version.clone());
    let release = app(&request)
        .store
        .read(move |conn| {
            let scope = by.organization(conn, &named)?;
            release_details::find(conn, &scope, None, &wanted)
        })
        .await?;
    if release.projects.is_empty() {
        return Err(ApiError::Invalid(
            "The release has no project; create it with its projects first".to_owned(),
        ));
    }
    let projects = release.projects.iter();
    body.projects = projects.map(|project| project.id.into()).collect();
    body.version = Some(version);
    put_together(&request, caller, organization, body).await
}

async fn put_together(
    request: &HttpRequest,
    caller: Caller,
    organization: String,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    check(&body)?;
    let version = release_named(body.version.as_deref()).map_err(ApiError::Invalid)?;
    let dist = dist_named(body.dist.as_deref()).map_err(ApiError::Invalid)?;
    let app = app(request);
    let progress = app
        .store
        .write(move |conn| {
            let scope = caller.organization(conn, &organization)?;
            let mut projects = Vec::with_capacity(body.projects.len());
            for name in &body.projects {
                let name = match name {
                    serde_json::Value::String(name) => name.clone(),
                    other => other.to_string(),
                };
                projects.push(match scope.project(conn, &name) {
                    Err(StoreError::NotFound) => {
                        return Err(StoreError::Invalid(
                            "One or more projects are invalid".to_owned(),
                        ));
                    }
                    found => found?,
                });
            }
            let wanted = Wanted {
                checksum: body.checksum.clone(),
                chunks: body.chunks.clone(),
                projects,
                version: version.clone(),
                dist: dist.clone(),
            };
            assemble_bundle::assemble(conn, &scope, &wanted)
        })
        .await?;
    let (state, missing, detail) = match progress {
        Progress::Missing(missing) => ("not_found".to_owned(), missing, None),
        Progress::Known { state, detail } => (state, Vec::new(), detail),
        Progress::Begun(_) => {
            app.tasks_wake.notify_one();
            (state::CREATED.to_owned(), Vec::new(), None)
        }
    };
    Ok(HttpResponse::Ok().json(json!({
        "state": state,
        "missingChunks": missing,
        "detail": detail,
    })))
}

fn check(body: &Body) -> Result<(), ApiError> {
    let invalid = |problem: &str| Err(ApiError::Invalid(problem.to_owned()));
    if !is_sha1(&body.checksum) || !body.chunks.iter().all(|chunk| is_sha1(chunk)) {
        return invalid("Checksums are SHA-1 in 40 hex digits of lower case");
    }
    if body.chunks.is_empty() {
        return invalid("A bundle has at least one chunk");
    }
    if body.chunks.len() > MOST_CHUNKS {
        return invalid("The bundle has too many chunks");
    }
    if body.projects.len() > MOST_PROJECTS {
        return invalid("Name at most 100 projects");
    }
    Ok(())
}
