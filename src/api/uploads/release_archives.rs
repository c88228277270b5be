//! What was uploaded for the releases of a project, release by release. In: a project. Out: a row for each upload; and the end of all
//! uploads of one release.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::{READ, WRITE};
use crate::api::access::{Caller, app};
use crate::api::error::ApiError;
use crate::api::{cursor, format, params::Params};
use crate::store::uploads::ArtifactBundle;
use crate::store::{StoreError, release_files};
use crate::tasks::kinds::delete_bundle;

fn shape(bundle: &ArtifactBundle) -> Value {
    json!({
        "id": bundle.id.to_string(),
        "type": "release",
        "name": bundle.version,
        "dist": bundle.dist,
        "fileCount": bundle.file_count,
        "date": format::time(bundle.created_at),
    })
}

fn named(params: &Params) -> Option<String> {
    let name = params.filled("name")?;
    (!name.contains('\0')).then(|| name.to_owned())
}

/// `GET /projects/{org}/{project}/files/source-maps/`, of one release with `name`.
pub async fn list(
    request: HttpRequest,
    caller: Caller,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    caller.may(READ)?;
    let (organization, project) = path.into_inner();
    let params = Params::read(request.query_string());
    let name = named(&params);
    let app = app(&request);
    let bundles = app
        .store
        .read(move |conn| {
            let scope = caller.organization(conn, &organization)?;
            let project = scope.project(conn, &project)?;
            release_files::bundles_of(conn, &project, name.as_deref())
        })
        .await?;
    cursor::page_of(app.base_url(), &request, bundles, shape)
}

/// `DELETE /projects/{org}/{project}/files/source-maps/?name=`: takes all uploads of a release from the project.
pub async fn delete(
    request: HttpRequest,
    caller: Caller,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    caller.may(WRITE)?;
    let (organization, project) = path.into_inner();
    let params = Params::read(request.query_string());
    let name = named(&params)
        .ok_or_else(|| ApiError::Invalid("Name the release with ?name=".to_owned()))?;
    let app = app(&request);
    app.store
        .write(move |conn| {
            let scope = caller.organization(conn, &organization)?;
            let project = scope.project(conn, &project)?;
            for bundle in release_files::bundles_of(conn, &project, Some(&name))? {
                delete_bundle::delete(conn, &project, bundle.id)?;
            }
            Ok::<_, StoreError>(())
        })
        .await?;
    app.tasks_wake.notify_one();
    Ok(HttpResponse::NoContent().finish())
}
