//! Files of a release one by one: how build tools uploaded before there were bundles. In: a form with a file and its name. Out: an
//! upload of one file; the list of all files of a release, a file itself, its end.

use std::io::{Seek as _, SeekFrom, Write as _};

use actix_multipart::{Field, Multipart};
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::StreamExt as _;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{READ, WRITE};
use crate::api::access::{Caller, app};
use crate::api::error::ApiError;
use crate::api::{cursor, format, params::Params};
use crate::app::App;
use crate::blobs::{BlobError, Blobs};
use crate::store::accounts::Project;
use crate::store::artifacts::{self, ArtifactKind};
use crate::store::release_files::{self, ReleaseFile};
use crate::store::scope::OrgScope;
use crate::store::uploads::NewFile;
use crate::store::{Conn, StoreError, now_ms, release_details};
use crate::tasks::kinds::assemble_bundle::{dist_named, put_with_checksum};
use crate::tasks::kinds::{delete_bundle, pair_source_maps};
use crate::tasks::source_maps::compile_all;

/// Of one file; what is larger is not compiled either.
const MOST_BYTES: u64 = 256 * 1024 * 1024;
const LONGEST_NAME: usize = 4_096;
const LONGEST_FIELD: usize = 8_192;
const MOST_HEADERS: usize = 50;

/// What the path of a request names.
#[derive(Debug, Clone, Deserialize)]
pub struct Place {
    org: String,
    project: Option<String>,
    version: String,
    file: Option<i64>,
}

impl Place {
    /// The projects whose files are meant: the one of the path, or all of the release.
    fn projects(
        &self,
        conn: &mut Conn,
        caller: &Caller,
    ) -> Result<(OrgScope, Vec<Project>), StoreError> {
        let scope = caller.organization(conn, &self.org)?;
        let project = self.project.as_ref();
        let project = project.map(|name| scope.project(conn, name)).transpose()?;
        let release = release_details::find(conn, &scope, project.clone(), &self.version)?;
        let projects = project.map_or(release.projects, |project| vec![project]);
        Ok((scope, projects))
    }

    fn file(&self, conn: &mut Conn, caller: &Caller) -> Result<ReleaseFile, StoreError> {
        let (scope, projects) = self.projects(conn, caller)?;
        let id = self.file.ok_or(StoreError::NotFound)?;
        release_files::one(conn, &scope, &projects, &self.version, id)
    }
}

fn shape(file: &ReleaseFile) -> Value {
    let mut headers = json!({"Content-Type": "application/octet-stream"});
    if let Some(reference) = &file.source_map {
        headers["Sourcemap"] = json!(reference);
    }
    json!({
        "id": file.id.to_string(),
        "name": file.name,
        "dist": file.dist,
        "size": file.size,
        "sha1": file.checksum.as_deref().unwrap_or_default(),
        "headers": headers,
        "dateCreated": format::time(file.created_at),
    })
}

/// `GET …/releases/{version}/files/`, all or those whose name has one of the parts given as `query`, or one of the `checksum`s.
pub async fn list(
    request: HttpRequest,
    caller: Caller,
    place: web::Path<Place>,
) -> Result<HttpResponse, ApiError> {
    caller.may(READ)?;
    let app = app(&request);
    let mut files = app
        .store
        .read(move |conn| {
            let (scope, projects) = place.projects(conn, &caller)?;
            release_files::list(conn, &scope, &projects, &place.version)
        })
        .await?;
    let params = Params::read(request.query_string());
    let (parts, sums) = (params.all("query"), params.all("checksum"));
    if !parts.is_empty() {
        files.retain(|file| parts.iter().any(|part| file.name.contains(part)));
    }
    if !sums.is_empty() {
        files.retain(|file| sums.iter().any(|sum| file.checksum.as_deref() == Some(sum)));
    }
    cursor::page_of(app.base_url(), &request, files, shape)
}

/// `GET …/releases/{version}/files/{file}/`: its facts, or with `download` its content.
pub async fn one(
    request: HttpRequest,
    caller: Caller,
    place: web::Path<Place>,
) -> Result<HttpResponse, ApiError> {
    caller.may(READ)?;
    let app = app(&request);
    let file = app
        .store
        .read(move |conn| place.file(conn, &caller))
        .await?;
    if Params::read(request.query_string())
        .get("download")
        .is_none()
    {
        return Ok(HttpResponse::Ok().json(shape(&file)));
    }
    let (blobs, key) = (app.blobs.clone(), file.blob_key);
    let content = web::block(move || blobs.get(&key))
        .await
        .map_err(|error| ApiError::Internal(error.to_string()))?;
    match content {
        Ok(content) => Ok(HttpResponse::Ok()
            .content_type("application/octet-stream")
            .insert_header((header::CONTENT_DISPOSITION, "attachment"))
            .body(content)),
        Err(BlobError::NotFound(_)) => Err(ApiError::NotFound),
        Err(error) => Err(ApiError::Blobs(error.to_string())),
    }
}

/// `DELETE …/releases/{version}/files/{file}/`: for all projects that have it.
pub async fn delete(
    request: HttpRequest,
    caller: Caller,
    place: web::Path<Place>,
) -> Result<HttpResponse, ApiError> {
    caller.may(WRITE)?;
    let app = app(&request);
    app.store
        .write(move |conn| {
            let file = place.file(conn, &caller)?;
            let now = now_ms();
            let bundle = release_files::remove(conn, &file, now)?;
            delete_bundle::hand_over(conn, bundle, now)
        })
        .await?;
    app.tasks_wake.notify_one();
    Ok(HttpResponse::NoContent().finish())
}

/// `POST …/releases/{version}/files/`
pub async fn create(
    request: HttpRequest,
    caller: Caller,
    place: web::Path<Place>,
    body: web::Payload,
) -> Result<HttpResponse, ApiError> {
    caller.may(WRITE)?;
    let app = app(&request);
    // Nothing is written for who may not, or for a release that nobody made.
    let (asked, by) = (place.clone(), caller.clone());
    app.store
        .read(move |conn| asked.projects(conn, &by).map(|_| ()))
        .await?;
    let form = Form::read(&request, body, &app.blobs).await?;
    let handles = app.clone();
    let kept = web::block(move || form.keep(&handles))
        .await
        .map_err(|error| ApiError::Internal(error.to_string()))?;
    let (file, dist) = kept?;
    let keys: Vec<String> = file.blob_keys().cloned().collect();
    let added = app
        .store
        .write(move |conn| {
            let (scope, projects) = place.projects(conn, &caller)?;
            if projects.is_empty() {
                return Err(StoreError::Invalid(
                    "The release has no project; create it with its projects first".to_owned(),
                ));
            }
            let now = now_ms();
            let release = (place.version.as_str(), dist.as_deref());
            let added = release_files::add(conn, &scope, &projects, release, file.clone(), now)?;
            pair_source_maps::after(conn, added.bundle_id, std::slice::from_ref(&file), now)?;
            Ok(added)
        })
        .await;
    match added {
        Ok(added) => {
            // Before anybody is told that it is there, this node's events look for it.
            let users = app.store.read(artifacts::projects_with_uploads).await?;
            app.source_maps.set_users(users);
            app.tasks_wake.notify_one();
            Ok(HttpResponse::Created().json(shape(&added)))
        }
        Err(error) => {
            let blobs = app.blobs.clone();
            let deleted = web::block(move || keys.iter().try_for_each(|key| blobs.delete(key)));
            if !matches!(deleted.await, Ok(Ok(()))) {
                tracing::warn!("a file that was refused still takes up space");
            }
            // Two requests with the same name at the same moment.
            if error.is_unique_violation() {
                return Err(ApiError::Conflict("The file exists already".to_owned()));
            }
            Err(error.into())
        }
    }
}

/// What a form has brought.
#[derive(Default)]
struct Form {
    file: Option<std::fs::File>,
    file_name: String,
    name: Option<String>,
    dist: Option<String>,
    headers: Vec<(String, String)>,
}

impl Form {
    async fn read(
        request: &HttpRequest,
        body: web::Payload,
        blobs: &Blobs,
    ) -> Result<Self, ApiError> {
        let mut form = Self::default();
        let mut parts = Multipart::new(request.headers(), body);
        while let Some(part) = parts.next().await {
            let mut part = part.map_err(|error| ApiError::Invalid(error.to_string()))?;
            match part.name().unwrap_or_default() {
                "file" => form.take_file(&mut part, blobs).await?,
                "name" => form.name = Some(text(&mut part).await?),
                "dist" => form.dist = Some(text(&mut part).await?),
                "header" => {
                    let header = text(&mut part).await?;
                    let Some((name, value)) = header.split_once(':') else {
                        return Err(ApiError::Invalid(
                            "A header has the form Name:Value".to_owned(),
                        ));
                    };
                    if form.headers.len() == MOST_HEADERS {
                        return Err(ApiError::Invalid(format!(
                            "More than {MOST_HEADERS} headers"
                        )));
                    }
                    let name = name.trim().to_ascii_lowercase();
                    form.headers.push((name, value.trim().to_owned()));
                }
                _ => {
                    text(&mut part).await?;
                }
            }
        }
        Ok(form)
    }

    /// To a file without a name, as it arrives.
    async fn take_file(&mut self, part: &mut Field, blobs: &Blobs) -> Result<(), ApiError> {
        let unkept = |error: std::io::Error| ApiError::Blobs(error.to_string());
        let named = part.content_disposition();
        let named = named.and_then(|disposition| disposition.get_filename());
        named.unwrap_or_default().clone_into(&mut self.file_name);
        let mut file = blobs.scratch_file().map_err(unkept)?;
        let mut size = 0;
        while let Some(bytes) = part.next().await {
            let bytes = bytes.map_err(|error| ApiError::Invalid(error.to_string()))?;
            size += bytes.len() as u64;
            if size > MOST_BYTES {
                return Err(ApiError::TooLarge(MOST_BYTES as usize));
            }
            file.write_all(&bytes).map_err(unkept)?;
        }
        file.seek(SeekFrom::Start(0)).map_err(unkept)?;
        self.file = Some(file);
        Ok(())
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// Checks the names and puts the content into the blob store, with its map where a script holds it.
    fn keep(mut self, app: &App) -> Result<(NewFile, Option<String>), ApiError> {
        let file = self
            .file
            .take()
            .ok_or_else(|| ApiError::Invalid("The form has no field named file".to_owned()))?;
        let name = self.name.as_deref().filter(|name| !name.is_empty());
        let url = name.unwrap_or(&self.file_name).to_owned();
        if url.is_empty() || url.len() > LONGEST_NAME || url.contains(char::is_control) {
            return Err(ApiError::Invalid(format!(
                "The name of a file has 1 to {LONGEST_NAME} characters and no line breaks"
            )));
        }
        let dist = dist_named(self.dist.as_deref()).map_err(ApiError::Invalid)?;
        let source_map = self.header("sourcemap").or(self.header("x-sourcemap"));
        let source_map = source_map.map(str::to_owned);
        let kind = match ArtifactKind::of_name(&url) {
            ArtifactKind::Source if source_map.is_some() => ArtifactKind::MinifiedSource,
            kind => kind,
        };
        let blob_key = Blobs::new_key("artifacts");
        let unkept = |error: &dyn std::error::Error| ApiError::Blobs(error.to_string());
        let (size, checksum) =
            put_with_checksum(&app.blobs, &blob_key, file).map_err(|error| unkept(&error))?;
        let mut file = NewFile {
            kind: kind.number(),
            debug_id: self.header("debug-id").map(str::to_owned),
            url,
            source_map,
            blob_key,
            size,
            compiled_key: None,
            problem: None,
            checksum,
            missing_map: None,
        };
        let upload = file.blob_key.clone();
        compile_all(app, &upload, std::slice::from_mut(&mut file))
            .map_err(|error| unkept(&error))?;
        Ok((file, dist))
    }
}

/// The value of a field.
async fn text(part: &mut Field) -> Result<String, ApiError> {
    let mut bytes = Vec::new();
    while let Some(piece) = part.next().await {
        let piece = piece.map_err(|error| ApiError::Invalid(error.to_string()))?;
        bytes.extend_from_slice(&piece);
        if bytes.len() > LONGEST_FIELD {
            return Err(ApiError::TooLarge(LONGEST_FIELD));
        }
    }
    String::from_utf8(bytes)
        .ok()
        .filter(|text| !text.contains('\0'))
        .ok_or_else(|| ApiError::Invalid("A field of the form is no text".to_owned()))
}
