//! Debug files. In: the checksums of files and of their chunks. Out: how far each is; the list, a file itself, its end.

use std::collections::BTreeMap;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};

use actix_multipart::Multipart;
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::StreamExt as _;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha1::{Digest, Sha1};
use zip::ZipArchive;

use super::{READ, WRITE, is_sha1};
use crate::api::access::{Caller, app};
use crate::api::body::read_json;
use crate::api::error::ApiError;
use crate::api::{cursor, format, params::Params};
use crate::app::App;
use crate::blobs::{BlobError, Blobs};
use crate::process::native::debug_file::canonical;
use crate::store::debug_files::{self, DebugFile, Filter, Wanted};
use crate::store::uploads::{self, Chunk, Progress, state};
use crate::store::{StoreError, now_ms};
use crate::tasks::kinds::{assemble_debug_file, delete_debug_file};

/// Files of one request.
const MOST_FILES: usize = 1_000;
/// Chunks of one file: of the largest in chunks of an eighth of the largest chunk.
const MOST_CHUNKS: usize = 512;
const LONGEST_NAME: usize = 1_000;
/// A form with mappings, and a mapping in it, unpacked.
const MOST_FORM: usize = 64 * 1024 * 1024;
const MOST_MAPPING: u64 = 128 * 1024 * 1024;
const MOST_MAPPINGS: usize = 20;
const CHUNK: usize = 8 * 1024 * 1024;

#[derive(Debug, Deserialize)]
struct Asked {
    name: String,
    chunks: Vec<String>,
}

/// `POST /projects/{org}/{project}/files/difs/assemble/`
pub async fn assemble(
    request: HttpRequest,
    caller: Caller,
    path: web::Path<(String, String)>,
    body: web::Payload,
) -> Result<HttpResponse, ApiError> {
    caller.may(WRITE)?;
    let asked: BTreeMap<String, Asked> = serde_json::from_value(read_json(body).await?)
        .map_err(|error| ApiError::Invalid(error.to_string()))?;
    check(&asked)?;
    let (organization, project) = path.into_inner();
    let app = app(&request);
    let (answer, has_begun) = app
        .store
        .write(move |conn| {
            let scope = caller.organization(conn, &organization)?;
            let project = scope.project(conn, &project)?;
            let mut answer = Map::new();
            let mut has_begun = false;
            for (checksum, asked) in &asked {
                let wanted = Wanted {
                    checksum: checksum.clone(),
                    name: asked.name.clone(),
                    chunks: asked.chunks.clone(),
                };
                let progress = assemble_debug_file::assemble(conn, &project, &wanted)?;
                has_begun |= matches!(progress, Progress::Begun(_));
                let file = match &progress {
                    Progress::Known { state, .. } if state == state::OK => {
                        debug_files::by_checksum(conn, &project, checksum)?
                            .into_iter()
                            .next()
                    }
                    _ => None,
                };
                answer.insert(checksum.clone(), told(progress, file.as_ref()));
            }
            Ok((answer, has_begun))
        })
        .await?;
    if has_begun {
        app.tasks_wake.notify_one();
    }
    Ok(HttpResponse::Ok().json(answer))
}

fn check(asked: &BTreeMap<String, Asked>) -> Result<(), ApiError> {
    let invalid = |problem: &str| Err(ApiError::Invalid(problem.to_owned()));
    if asked.len() > MOST_FILES {
        return invalid("Ask for at most 1000 files at once");
    }
    for (checksum, file) in asked {
        if !is_sha1(checksum) || !file.chunks.iter().all(|chunk| is_sha1(chunk)) {
            return invalid("Checksums are SHA-1 in 40 hex digits of lower case");
        }
        if file.chunks.len() > MOST_CHUNKS {
            return invalid("A file has too many chunks");
        }
        if file.name.len() > LONGEST_NAME || file.name.contains('\0') {
            return invalid("The name of a file is too long, or no name");
        }
    }
    Ok(())
}

fn told(progress: Progress, file: Option<&DebugFile>) -> Value {
    match progress {
        Progress::Missing(missing) => {
            json!({"state": "not_found", "missingChunks": missing, "detail": null})
        }
        Progress::Known { state, detail } => json!({
            "state": state, "missingChunks": [], "detail": detail, "dif": file.map(shape),
        }),
        Progress::Begun(_) => json!({"state": state::CREATED, "missingChunks": [], "detail": null}),
    }
}

/// A file as clients read it.
fn shape(file: &DebugFile) -> Value {
    // sentry-cli 2 reads an id in the answer to a mapping that is not compiled yet.
    let debug_id = file.debug_id.clone().or_else(|| mapping_id(&file.name));
    let uuid = debug_id.as_deref().map(|id| id.get(..36).unwrap_or(id));
    let features: Vec<&str> = file.features.split_whitespace().collect();
    json!({
        "id": file.id.to_string(),
        "uuid": uuid,
        "debugId": debug_id,
        "codeId": file.code_id,
        "objectName": file.name.rsplit(['/', '\\']).next().unwrap_or_default(),
        "cpuName": file.cpu,
        "symbolType": file.kind,
        "size": file.size,
        "sha1": file.checksum,
        "dateCreated": format::time(file.created_at),
        "headers": {"Content-Type": media_type(&file.kind)},
        "data": {"type": kind(&file.features), "features": features},
    })
}

/// The id that the name of a mapping says.
fn mapping_id(name: &str) -> Option<String> {
    canonical(name.strip_prefix("/proguard/")?.strip_suffix(".txt")?)
}

fn media_type(kind: &str) -> &'static str {
    match kind {
        "elf" => "application/x-elf-binary",
        "macho" => "application/x-mach-binary",
        "pe" => "application/x-dosexec",
        "pdb" => "application/x-ms-pdb",
        "breakpad" => "text/x-breakpad",
        "proguard" => "text/x-proguard+plain",
        _ => "application/octet-stream",
    }
}

fn kind(features: &str) -> &'static str {
    if features.split(' ').any(|one| one == "debug") {
        "dbg"
    } else {
        "exe"
    }
}

/// `GET /projects/{org}/{project}/files/dsyms/`: the list, or with `id` the file.
pub async fn list(
    request: HttpRequest,
    caller: Caller,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    caller.may(READ)?;
    let (organization, project) = path.into_inner();
    let params = Params::read(request.query_string());
    let app = app(&request);
    if let Some(id) = params.filled("id") {
        let id = id.parse().map_err(|_| ApiError::NotFound)?;
        let file = app
            .store
            .read(move |conn| {
                let scope = caller.organization(conn, &organization)?;
                let project = scope.project(conn, &project)?;
                let object = debug_files::one(conn, &project, id)?;
                let mut file =
                    debug_files::by_checksum(conn, &project, &object.checksum)?.into_iter();
                file.next().ok_or(StoreError::NotFound)
            })
            .await?;
        return download(&app, file).await;
    }
    let owned = |name: &str| params.filled(name).map(str::to_owned);
    let filter = Filter {
        debug_id: owned("debug_id").map(|id| canonical(&id).unwrap_or(id)),
        code_id: owned("code_id"),
        contains: owned("query"),
    };
    let files = app
        .store
        .read(move |conn| {
            let scope = caller.organization(conn, &organization)?;
            let project = scope.project(conn, &project)?;
            let files = debug_files::list(conn, &project, &filter)?.into_iter();
            Ok::<_, StoreError>(
                files
                    .filter(|file| file.state == state::OK)
                    .collect::<Vec<_>>(),
            )
        })
        .await?;
    cursor::page_of(app.base_url(), &request, files, shape)
}

async fn download(app: &App, file: DebugFile) -> Result<HttpResponse, ApiError> {
    let (blobs, key) = (app.blobs.clone(), file.blob_key);
    let bytes = web::block(move || blobs.get(&key))
        .await
        .map_err(|error| ApiError::Internal(error.to_string()))?;
    match bytes {
        Ok(bytes) => Ok(HttpResponse::Ok()
            .content_type("application/octet-stream")
            .body(bytes)),
        Err(BlobError::NotFound(_)) => Err(ApiError::NotFound),
        Err(error) => Err(ApiError::Blobs(error.to_string())),
    }
}

/// `DELETE /projects/{org}/{project}/files/dsyms/?id=`
pub async fn delete(
    request: HttpRequest,
    caller: Caller,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    caller.may(WRITE)?;
    let (organization, project) = path.into_inner();
    let params = Params::read(request.query_string());
    let id = params
        .filled("id")
        .and_then(|id| id.parse::<i64>().ok())
        .ok_or_else(|| ApiError::Invalid("Name the file with ?id=".to_owned()))?;
    let app = app(&request);
    app.store
        .write(move |conn| {
            let scope = caller.organization(conn, &organization)?;
            let project = scope.project(conn, &project)?;
            delete_debug_file::delete(conn, &project, id)
        })
        .await?;
    app.tasks_wake.notify_one();
    Ok(HttpResponse::NoContent().finish())
}

/// `GET /projects/{org}/{project}/files/dsyms/unknown/?checksums=`: which of these files are not there.
pub async fn unknown(
    request: HttpRequest,
    caller: Caller,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    caller.may(READ)?;
    let (organization, project) = path.into_inner();
    let asked: Vec<String> = url::form_urlencoded::parse(request.query_string().as_bytes())
        .filter(|(name, value)| name == "checksums" && is_sha1(value))
        .map(|(_, value)| value.into_owned())
        .take(MOST_FILES)
        .collect();
    let missing = app(&request)
        .store
        .read(move |conn| {
            let scope = caller.organization(conn, &organization)?;
            let project = scope.project(conn, &project)?;
            let mut missing = Vec::new();
            for checksum in asked {
                if debug_files::by_checksum(conn, &project, &checksum)?.is_empty() {
                    missing.push(checksum);
                }
            }
            Ok::<_, StoreError>(missing)
        })
        .await?;
    Ok(HttpResponse::Ok().json(json!({"missing": missing})))
}

/// `POST /projects/{org}/{project}/files/dsyms/`: a form whose `file` is an archive of `ProGuard` mappings, as sentry-cli 2 sends it. Answers
/// once they are kept; what becomes of them, the list tells.
pub async fn receive(
    request: HttpRequest,
    caller: Caller,
    path: web::Path<(String, String)>,
    body: web::Payload,
) -> Result<HttpResponse, ApiError> {
    caller.may(WRITE)?;
    let (organization, project) = path.into_inner();
    let app = app(&request);
    let archive = archive_in(&request, body, &app.blobs).await?;
    let blobs = app.blobs.clone();
    let kept = web::block(move || mappings(archive, &blobs))
        .await
        .map_err(|error| ApiError::Internal(error.to_string()))??;
    let checksums: Vec<String> = kept
        .iter()
        .map(|mapping| mapping.wanted.checksum.clone())
        .collect();
    let (org, name, by) = (organization.clone(), project.clone(), caller.clone());
    app.store
        .write(move |conn| {
            let scope = by.organization(conn, &org)?;
            let project = scope.project(conn, &name)?;
            for mapping in &kept {
                uploads::keep_chunks(conn, &scope, &mapping.chunks, now_ms())?;
                assemble_debug_file::assemble(conn, &project, &mapping.wanted)?;
            }
            Ok(())
        })
        .await?;
    app.tasks_wake.notify_one();
    let files = app
        .store
        .read(move |conn| {
            let scope = caller.organization(conn, &organization)?;
            let project = scope.project(conn, &project)?;
            let mut files = Vec::new();
            for checksum in &checksums {
                files.extend(debug_files::by_checksum(conn, &project, checksum)?);
            }
            Ok::<_, StoreError>(files)
        })
        .await?;
    Ok(HttpResponse::Created().json(files.iter().map(shape).collect::<Vec<_>>()))
}

/// The field `file` of a form, in a file without a name.
async fn archive_in(
    request: &HttpRequest,
    body: web::Payload,
    blobs: &Blobs,
) -> Result<std::fs::File, ApiError> {
    let invalid = |error: &dyn std::error::Error| ApiError::Invalid(error.to_string());
    let mut form = Multipart::new(request.headers(), body);
    while let Some(field) = form.next().await {
        let mut field = field.map_err(|error| invalid(&error))?;
        if field.name() != Some("file") {
            continue;
        }
        let mut file = blobs
            .scratch_file()
            .map_err(|error| ApiError::Blobs(error.to_string()))?;
        let mut size = 0;
        while let Some(bytes) = field.next().await {
            let bytes = bytes.map_err(|error| invalid(&error))?;
            size += bytes.len();
            if size > MOST_FORM {
                return Err(ApiError::TooLarge(MOST_FORM));
            }
            file.write_all(&bytes)
                .map_err(|error| ApiError::Blobs(error.to_string()))?;
        }
        file.seek(SeekFrom::Start(0))
            .map_err(|error| ApiError::Blobs(error.to_string()))?;
        return Ok(file);
    }
    Err(ApiError::Invalid(
        "The form has no field named file".to_owned(),
    ))
}

/// A mapping whose bytes are kept as chunks.
struct Mapping {
    wanted: Wanted,
    chunks: Vec<Chunk>,
}

fn mappings(archive: std::fs::File, blobs: &Blobs) -> Result<Vec<Mapping>, ApiError> {
    let invalid = |error: zip::result::ZipError| {
        ApiError::Invalid(format!("The archive cannot be read: {error}"))
    };
    let kept = |error: BlobError| ApiError::Blobs(error.to_string());
    let mut archive = ZipArchive::new(archive).map_err(invalid)?;
    let mut mappings = Vec::new();
    for at in 0..archive.len() {
        let entry = archive.by_index(at).map_err(invalid)?;
        let name = entry.name().map_err(invalid)?.into_owned();
        if !name.contains("proguard/") || !entry.is_file() {
            continue;
        }
        if mappings.len() == MOST_MAPPINGS {
            return Err(ApiError::Invalid(
                "An archive has at most 20 mappings".to_owned(),
            ));
        }
        let stem = name.rsplit('/').next().unwrap_or(&name);
        let name = format!("/proguard/{stem}");
        if mapping_id(&name).is_none() {
            return Err(ApiError::Invalid(
                "A mapping in the archive is called proguard/UUID.txt".to_owned(),
            ));
        }
        let mut content = entry.take(MOST_MAPPING + 1);
        let (mut whole, mut size, mut chunks) = (Sha1::new(), 0, Vec::new());
        loop {
            let mut bytes = Vec::new();
            (&mut content)
                .take(CHUNK as u64)
                .read_to_end(&mut bytes)
                .map_err(|error| {
                    ApiError::Invalid(format!("The archive cannot be read: {error}"))
                })?;
            if bytes.is_empty() {
                break;
            }
            size += bytes.len() as u64;
            if size > MOST_MAPPING {
                return Err(ApiError::TooLarge(MOST_MAPPING as usize));
            }
            whole.update(&bytes);
            let chunk = Chunk {
                checksum: hex::encode(Sha1::digest(&bytes)),
                blob_key: Blobs::new_key("chunks"),
                size: bytes.len() as i64,
            };
            blobs.put(&chunk.blob_key, bytes.as_slice()).map_err(kept)?;
            chunks.push(chunk);
        }
        mappings.push(Mapping {
            wanted: Wanted {
                checksum: hex::encode(whole.finalize()),
                name,
                chunks: chunks.iter().map(|chunk| chunk.checksum.clone()).collect(),
            },
            chunks,
        });
    }
    if mappings.is_empty() {
        return Err(ApiError::Invalid(
            "The archive has no ProGuard mapping; send debug files in chunks, as sentry-cli does"
                .to_owned(),
        ));
    }
    Ok(mappings)
}
