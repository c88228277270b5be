//! Files that SDKs sent along, for people. In: an attachment's row. Out: its line on a page, and its bytes as a download or, where that is
//! safe, to look at.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};

use super::blocking;
use super::error::PageError;
use crate::app::App;
use crate::blobs::BlobError;
use crate::model::file_kind::FileKind;
use crate::model::names::as_download;
use crate::model::size;
use crate::store::attachments::Attachment;

/// What is larger is not shown within a page.
const LARGEST_SHOWN: i64 = 8 * 1024 * 1024;
/// Opened by itself, a file runs nothing and reaches nothing.
const POLICY: &str = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; sandbox";

/// A file as a page shows it.
#[derive(Debug, Clone)]
pub struct FileRow {
    pub name: String,
    pub size: String,
    /// What kind of attachment it is, where it is not an ordinary one.
    pub kind: String,
    pub href: String,
    pub is_picture: bool,
    pub can_be_viewed: bool,
}

impl FileRow {
    /// `place` is where the files of the event are.
    pub fn new(file: &Attachment, place: &str) -> Self {
        let fits = file.size <= LARGEST_SHOWN;
        let promised = FileKind::promised(&file.name);
        Self {
            name: file.name.clone(),
            size: size::bytes(file.size),
            kind: match file.kind.strip_prefix("event.") {
                Some("attachment") => String::new(),
                Some(kind) => kind.replace('_', " "),
                None => file.kind.clone(),
            },
            href: format!("{place}/{}", file.id),
            is_picture: fits && matches!(promised, FileKind::Picture(_)),
            can_be_viewed: fits && promised != FileKind::Other,
        }
    }
}

/// The bytes of a file. They are only ever shown as what they are by themselves, whatever was said of them.
pub async fn answer(request: &HttpRequest, file: Attachment) -> Result<HttpResponse, PageError> {
    let app = request
        .app_data::<web::Data<std::sync::Arc<App>>>()
        .expect("the server registers the application with the routes");
    let (blobs, key) = (app.blobs.clone(), file.blob_key.clone());
    let bytes = match blocking::run(move || blobs.get(&key)).await? {
        Err(BlobError::NotFound(_)) => return Err(PageError::NotFound),
        Err(error) => {
            tracing::warn!(%error, "an attachment cannot be read");
            return Err(PageError::Blobs);
        }
        Ok(bytes) => bytes,
    };
    let wants_view = request.query_string() == "view" && file.size <= LARGEST_SHOWN;
    let inline = || "inline".to_owned();
    let (media_type, disposition) = match FileKind::of(&bytes) {
        FileKind::Picture(media_type) if wants_view => (media_type, inline()),
        FileKind::Text if wants_view => ("text/plain; charset=utf-8", inline()),
        _ => ("application/octet-stream", as_download(&file.name)),
    };
    Ok(HttpResponse::Ok()
        .content_type(media_type)
        .insert_header((header::CONTENT_DISPOSITION, disposition))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .body(bytes))
}
