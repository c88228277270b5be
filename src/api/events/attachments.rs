//! Files beside an event. In: an event. Out: their list, and the bytes of one.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use crate::api::access::{Caller, READ_EVENTS, app};
use crate::api::error::ApiError;
use crate::api::{cursor, format};
use crate::blobs::BlobError;
use crate::model::names::as_download;
use crate::store::attachments::{self, Attachment};

fn shape(file: &Attachment) -> Value {
    json!({
        "id": file.id.to_string(),
        "event_id": hex::encode(&file.event_id),
        "type": file.kind,
        "name": file.name,
        "mimetype": file.content_type.as_deref().unwrap_or("application/octet-stream"),
        "size": file.size,
        "dateCreated": format::time(file.received_at),
    })
}

/// `GET /projects/{org}/{project}/events/{event_id}/attachments/`
pub async fn list(
    request: HttpRequest,
    caller: Caller,
    path: web::Path<(String, String, String)>,
) -> Result<HttpResponse, ApiError> {
    caller.may(READ_EVENTS)?;
    let (organization, project, id) = path.into_inner();
    let id = super::event_id(&id)?;
    let app = app(&request);
    let files = app
        .store
        .read(move |conn| {
            let scope = caller.organization(conn, &organization)?;
            let project = scope.project(conn, &project)?;
            attachments::of_event(conn, &project, id.as_bytes())
        })
        .await?;
    cursor::page_of(app.base_url(), &request, files, shape)
}

/// `GET /projects/{org}/{project}/events/{event_id}/attachments/{id}/`, with `?download` its bytes.
pub async fn one(
    request: HttpRequest,
    caller: Caller,
    path: web::Path<(String, String, String, i64)>,
) -> Result<HttpResponse, ApiError> {
    caller.may(READ_EVENTS)?;
    let (organization, project, event, id) = path.into_inner();
    let event = super::event_id(&event)?;
    let app = app(&request);
    let file = app
        .store
        .read(move |conn| {
            let scope = caller.organization(conn, &organization)?;
            let project = scope.project(conn, &project)?;
            attachments::one(conn, &project, event.as_bytes(), id)
        })
        .await?;
    let wants_bytes = url::form_urlencoded::parse(request.query_string().as_bytes())
        .any(|(name, _)| name == "download");
    if !wants_bytes {
        return Ok(HttpResponse::Ok().json(shape(&file)));
    }
    let (blobs, name) = (app.blobs.clone(), file.name);
    let bytes = web::block(move || blobs.get(&file.blob_key))
        .await
        .map_err(|error| ApiError::Internal(error.to_string()))?;
    match bytes {
        Ok(bytes) => Ok(HttpResponse::Ok()
            .content_type("application/octet-stream")
            .insert_header((header::CONTENT_DISPOSITION, as_download(&name)))
            .body(bytes)),
        Err(BlobError::NotFound(_)) => Err(ApiError::NotFound),
        Err(error) => Err(ApiError::Blobs(error.to_string())),
    }
}
