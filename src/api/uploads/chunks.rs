//! Files arrive in chunks, which clients name by their SHA-1. In: a form with a part for each chunk. Out: chunks that were
//! checked, kept for a day and for one organization.

use std::io::Read;
use std::time::Duration;

use actix_multipart::{Field, Multipart};
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use futures_util::StreamExt;
use serde_json::json;
use sha1::{Digest, Sha1};
use tokio::sync::Semaphore;

use super::{READ, WRITE, is_sha1};
use crate::api::access::{Caller, app};
use crate::api::error::ApiError;
use crate::blobs::Blobs;
use crate::store::uploads::Chunk;
use crate::store::{now_ms, uploads};

/// A power of two, as old clients insist.
const CHUNK_BYTES: usize = 8 * 1024 * 1024;
const CHUNKS_PER_REQUEST: usize = 64;
const REQUEST_BYTES: usize = 32 * 1024 * 1024;
const CONCURRENCY: usize = 8;
/// A chunk that does not pack grows a little; a form has heads around its parts.
const PACKED_BYTES: usize = CHUNK_BYTES + 64 * 1024;
const BODY_BYTES: usize = REQUEST_BYTES + 1024 * 1024;

/// A slow client must not keep its place from others for longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Chunks that are in memory at the same time, of all requests together.
static IN_MEMORY: Semaphore = Semaphore::const_new(CONCURRENCY);

/// Why chunks were not taken, in the words of the upload endpoints.
#[derive(Debug, thiserror::Error)]
pub enum ChunkError {
    #[error("{0}")]
    Refused(String),
    #[error("The request is larger than {REQUEST_BYTES} bytes")]
    TooLarge,
    #[error("A chunk did not arrive within {} seconds", PATIENCE.as_secs())]
    Slow,
    #[error("Uploads cannot be kept at the moment; try again")]
    Unavailable(String),
    #[error("{0}")]
    Api(#[from] ApiError),
}

impl ResponseError for ChunkError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Refused(_) => StatusCode::BAD_REQUEST,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Api(error) => error.status_code(),
        }
    }

    fn error_response(&self) -> HttpResponse {
        match self {
            Self::Api(error) => return error.error_response(),
            Self::Unavailable(problem) => tracing::warn!(problem, "an upload was not kept"),
            _ => {}
        }
        HttpResponse::build(self.status_code()).json(json!({"error": self.to_string()}))
    }
}

/// `GET /organizations/{org}/chunk-upload/`
pub async fn options(
    request: HttpRequest,
    caller: Caller,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    caller.may(READ)?;
    let organization = path.into_inner();
    let app = app(&request);
    let scope = app
        .store
        .read(move |conn| caller.organization(conn, &organization))
        .await?;
    let slug = &scope.organization().slug;
    Ok(HttpResponse::Ok().json(json!({
        "url": format!("{}/api/0/organizations/{slug}/chunk-upload/", app.base_url()),
        "chunkSize": CHUNK_BYTES,
        "chunksPerRequest": CHUNKS_PER_REQUEST,
        "maxRequestSize": REQUEST_BYTES,
        "maxFileSize": crate::protocol::artifact_bundle::LARGEST_BUNDLE,
        "maxWait": 60,
        "concurrency": CONCURRENCY,
        "hashAlgorithm": "sha1",
        "compression": ["gzip"],
        // sentry-cli 2 sends source maps in chunks only where release_files is listed, and then as artifact bundles.
        "accept": [
            "release_files", "artifact_bundles", "artifact_bundles_v2", "debug_files", "pdbs", "proguard",
        ],
    })))
}

/// `POST /organizations/{org}/chunk-upload/`
pub async fn receive(
    request: HttpRequest,
    caller: Caller,
    path: web::Path<String>,
    body: web::Payload,
) -> Result<HttpResponse, ChunkError> {
    caller.may(WRITE)?;
    let organization = path.into_inner();
    let app = app(&request);
    let scope = app
        .store
        .read(move |conn| caller.organization(conn, &organization))
        .await
        .map_err(ApiError::from)?;
    let announced = request.headers().get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > BODY_BYTES) {
        return Err(ChunkError::TooLarge);
    }
    let mut form = Multipart::new(request.headers(), body);
    let mut kept: Vec<Chunk> = Vec::new();
    let mut left = BODY_BYTES;
    let received = loop {
        let part = match form.next().await {
            None => break Ok(()),
            Some(Ok(part)) => part,
            Some(Err(error)) => break Err(ChunkError::Refused(error.to_string())),
        };
        if kept.len() == CHUNKS_PER_REQUEST {
            break Err(ChunkError::Refused(format!(
                "More than {CHUNKS_PER_REQUEST} chunks in one request"
            )));
        }
        match receive_part(&app.blobs, part, &mut left).await {
            Ok(Some(chunk)) => kept.push(chunk),
            Ok(None) => {}
            Err(error) => break Err(error),
        }
    };
    // Those that came whole count, whatever became of the rest.
    let chunks = kept.clone();
    let noted = app
        .store
        .write(move |conn| uploads::keep_chunks(conn, &scope, &chunks, now_ms()))
        .await;
    let (unused, noted) = match noted {
        Ok(unused) => (unused, Ok(())),
        Err(error) => (
            kept.into_iter().map(|chunk| chunk.blob_key).collect(),
            Err(ChunkError::Unavailable(error.to_string())),
        ),
    };
    let blobs = app.blobs.clone();
    let deleted = web::block(move || unused.iter().try_for_each(|key| blobs.delete(key))).await;
    if !matches!(deleted, Ok(Ok(()))) {
        tracing::warn!("a chunk that came twice takes up space twice");
    }
    received.and(noted)?;
    Ok(HttpResponse::Ok().finish())
}

/// Reads, checks and keeps one chunk; parts with other names are passed over.
async fn receive_part(
    blobs: &Blobs,
    mut part: Field,
    left: &mut usize,
) -> Result<Option<Chunk>, ChunkError> {
    let packed = match part.name() {
        Some("file") => Some(false),
        Some("file_gzip") => Some(true),
        _ => None,
    };
    let name = part
        .content_disposition()
        .and_then(|disposition| disposition.get_filename())
        .map(str::to_ascii_lowercase)
        .unwrap_or_default();
    if packed.is_some() && !is_sha1(&name) {
        return Err(ChunkError::Refused(
            "The filename of a chunk must be the SHA-1 of its content, in hex digits".to_owned(),
        ));
    }
    let _place = IN_MEMORY
        .acquire()
        .await
        .map_err(|error| ChunkError::Unavailable(error.to_string()))?;
    let reading = async {
        let mut bytes = Vec::new();
        while let Some(piece) = part.next().await {
            let piece = piece.map_err(|error| ChunkError::Refused(error.to_string()))?;
            *left = left.checked_sub(piece.len()).ok_or(ChunkError::TooLarge)?;
            if packed.is_some() {
                if bytes.len() + piece.len() > PACKED_BYTES {
                    return Err(too_large(&name));
                }
                bytes.extend_from_slice(&piece);
            }
        }
        Ok(bytes)
    };
    let bytes = tokio::time::timeout(PATIENCE, reading)
        .await
        .map_err(|_| ChunkError::Slow)??;
    let Some(packed) = packed else {
        return Ok(None);
    };
    let blobs = blobs.clone();
    web::block(move || keep(&blobs, name, bytes, packed))
        .await
        .map_err(|error| ChunkError::Unavailable(error.to_string()))?
        .map(Some)
}

/// Checks a chunk and puts it into the blob store, under a name of ours.
fn keep(
    blobs: &Blobs,
    checksum: String,
    bytes: Vec<u8>,
    packed: bool,
) -> Result<Chunk, ChunkError> {
    let content = if packed {
        let mut content = Vec::new();
        flate2::read::MultiGzDecoder::new(bytes.as_slice())
            .take(CHUNK_BYTES as u64 + 1)
            .read_to_end(&mut content)
            .map_err(|error| {
                ChunkError::Refused(format!("Chunk {checksum} cannot be unpacked: {error}"))
            })?;
        content
    } else {
        bytes
    };
    if content.len() > CHUNK_BYTES {
        return Err(too_large(&checksum));
    }
    if hex::encode(Sha1::digest(&content)) != checksum {
        return Err(ChunkError::Refused(format!(
            "Chunk {checksum} has another checksum"
        )));
    }
    let blob_key = Blobs::new_key("chunks");
    blobs
        .put(&blob_key, content.as_slice())
        .map_err(|error| ChunkError::Unavailable(error.to_string()))?;
    Ok(Chunk {
        checksum,
        blob_key,
        size: content.len() as i64,
    })
}

fn too_large(checksum: &str) -> ChunkError {
    ChunkError::Refused(format!(
        "Chunk {checksum} is larger than {CHUNK_BYTES} bytes"
    ))
}
