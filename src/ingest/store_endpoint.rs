//! `/api/{project}/store/`, the way of old SDKs and of `curl`. In: one event as JSON, or base64 of JSON, zlib-packed
//! or not. Out: the event in the journal and `{"id": …}`; a GET gets a 1×1 GIF.

use std::io::Read as _;

use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::accept::{self, Sender};
use super::envelope::{append_event, id_in_payload};
use super::reply::{self, Refused};
use super::{Ingest, body, limits, mirrored};
use crate::mirror::Body;
use crate::protocol::event_id::EventId;

const GIF: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";

pub async fn post(
    request: HttpRequest,
    payload: web::Payload,
    ingest: web::Data<Ingest>,
) -> Result<HttpResponse, Refused> {
    let sender = accept::sender_of_request(&request, &ingest)?;
    // The request is an event and nothing else: beyond a limit its body is not even read.
    let kept = match accept::reached(&sender) {
        Some(reached) => Err(Refused::Limited(reached)),
        None => match body::read(&request, payload, &ingest.bodies).await {
            Ok(body) => keep(&ingest, &request, &sender, &body.bytes).await,
            Err(refused) => Err(refused),
        },
    };
    let id = answer(&request, &ingest, &sender, kept)?;
    Ok(reply::accepted(Some(id), accept::reached(&sender).as_ref()))
}

pub async fn get(request: HttpRequest, ingest: web::Data<Ingest>) -> Result<HttpResponse, Refused> {
    let sender = accept::sender_of_request(&request, &ingest)?;
    let data = url::form_urlencoded::parse(request.query_string().as_bytes())
        .find(|(name, _)| name == "sentry_data")
        .map(|(_, value)| value.into_owned().into_bytes());
    let kept = match data {
        Some(data) => keep(&ingest, &request, &sender, &data).await,
        None => Err(Refused::Malformed(
            "sentry_data is missing in the query string".into(),
        )),
    };
    answer(&request, &ingest, &sender, kept)?;
    let mut response = HttpResponse::Ok();
    reply::open_to_browsers(&mut response);
    Ok(response.content_type("image/gif").body(GIF))
}

fn answer(
    request: &HttpRequest,
    ingest: &Ingest,
    sender: &Sender,
    kept: Result<EventId, Refused>,
) -> Result<EventId, Refused> {
    if let Err(refused) = &kept {
        accept::refused(request, ingest, sender, refused);
    }
    kept
}

async fn keep(
    ingest: &Ingest,
    request: &HttpRequest,
    sender: &Sender,
    bytes: &[u8],
) -> Result<EventId, Refused> {
    let json = event_json(bytes)?;
    let event_id = id_in_payload(&json).unwrap_or_else(EventId::random);
    append_event(ingest, sender, event_id, None, &json).await?;
    let copied = Body::Event(&json);
    mirrored::copy(ingest, request, sender.project_id, Some(event_id), copied);
    Ok(event_id)
}

/// JSON as it is; else base64 of JSON; else base64 of zlib of JSON.
fn event_json(bytes: &[u8]) -> Result<Vec<u8>, Refused> {
    let text = bytes.trim_ascii();
    if text.is_empty() {
        return Err(Refused::Malformed("empty body".into()));
    }
    if text[0] == b'{' {
        check(text)?;
        return Ok(text.to_vec());
    }
    let packed = STANDARD
        .decode(text)
        .map_err(|_| Refused::Malformed("the body is neither a JSON object nor base64".into()))?;
    let json = if packed.trim_ascii_start().first() == Some(&b'{') {
        packed
    } else {
        let mut json = Vec::new();
        let limit = limits::EVENT as u64 + 1;
        flate2::read::ZlibDecoder::new(packed.as_slice())
            .take(limit)
            .read_to_end(&mut json)
            .map_err(|_| Refused::Malformed("the base64 body is neither JSON nor zlib".into()))?;
        json
    };
    check(&json)?;
    Ok(json)
}

/// Here nothing else of the request is worth keeping, so a broken event is refused at once.
fn check(json: &[u8]) -> Result<(), Refused> {
    if json.len() > limits::EVENT {
        return Err(Refused::TooLarge("an event has at most 1 MiB"));
    }
    match crate::protocol::json::parse(json) {
        Ok(crate::protocol::json::Json::Object(_)) => Ok(()),
        Ok(_) => Err(Refused::Malformed("the event is not a JSON object".into())),
        Err(error) => Err(Refused::Malformed(error.to_string())),
    }
}
