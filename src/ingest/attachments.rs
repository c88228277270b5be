//! `POST /api/{project}/events/{event}/attachments/`: files for an event that was sent before. In: a form with files. Out: 201 once all of
//! them are in the journal.

use actix_multipart::Multipart;
use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::{StreamExt as _, stream};

use super::reply::{self, Refused};
use super::{Ingest, accept, beside, body, items, limits};
use crate::protocol::attachment::Head;
use crate::protocol::event_id::EventId;

/// A field of a form.
pub struct Part {
    pub name: String,
    pub file: Option<Head>,
    pub bytes: Vec<u8>,
}

/// The fields of a form, from a body that is in memory and within its limits.
pub async fn parts(request: &HttpRequest, body: Bytes) -> Result<Vec<Part>, Refused> {
    let malformed = |error: actix_multipart::MultipartError| Refused::Malformed(error.to_string());
    let whole = stream::once(async move { Ok::<_, actix_web::error::PayloadError>(body) });
    let mut form = Multipart::new(request.headers(), whole);
    let mut parts = Vec::new();
    while let Some(field) = form.next().await {
        let mut field = field.map_err(malformed)?;
        if parts.len() == limits::ATTACHMENTS {
            return Err(Refused::TooLarge("a form has at most 100 fields"));
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = field.next().await {
            bytes.extend_from_slice(&chunk.map_err(malformed)?);
        }
        let names = field.content_disposition();
        let media_type = field.content_type().map(ToString::to_string);
        let file = names.and_then(|names| names.get_filename());
        parts.push(Part {
            name: field.name().unwrap_or_default().to_owned(),
            file: file.map(|name| Head::new(Some(name), media_type.as_deref(), None)),
            bytes,
        });
    }
    Ok(parts)
}

pub async fn post(
    request: HttpRequest,
    payload: web::Payload,
    ingest: web::Data<Ingest>,
) -> Result<HttpResponse, Refused> {
    let sender = accept::sender_of_request(&request, &ingest)?;
    let kind = items::kind("attachment");
    let kept = async {
        let event_id = request.match_info().query("event");
        let event_id: EventId = event_id
            .parse()
            .map_err(|_| Refused::Malformed("the address names no event".into()))?;
        let body = body::read(&request, payload, &ingest.bodies).await?;
        let parts = parts(&request, body.bytes.clone()).await?;
        // Before the first is kept: who is refused sends all of them again.
        if parts
            .iter()
            .any(|part| part.bytes.len() > limits::ATTACHMENT)
        {
            return Err(Refused::TooLarge("an attachment has at most 20 MiB"));
        }
        for part in parts {
            let Some(head) = part.file else { continue };
            beside::attach(&ingest, &sender, event_id, &head, &part.bytes).await?;
        }
        Ok(())
    };
    match kept.await {
        Ok(()) => Ok(reply::empty(StatusCode::CREATED)),
        Err(refused) => {
            accept::refused_items(&request, &ingest, &sender, kind.category, &refused);
            Err(refused)
        }
    }
}
