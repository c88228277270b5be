//! Endpoints of features that are not built: SDKs and browsers get the success they wait for, and Usage counts what
//! was sent. In: a request with a good key. Out: the endpoint's success status.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::StreamExt as _;

use super::items::{self, ItemKind};
use super::reply::{self, Refused};
use super::{Ingest, accept, limits};
use crate::protocol::event_id::EventId;

/// What an endpoint says on success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Success {
    Empty(StatusCode),
    /// A hyphenated event id as text.
    HyphenatedId,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint {
    pub path: &'static str,
    /// The item type it counts as.
    item: &'static str,
    success: Success,
    pub also_get: bool,
}

const fn endpoint(path: &'static str, item: &'static str, success: Success) -> Endpoint {
    Endpoint {
        path,
        item,
        success,
        also_get: false,
    }
}

/// All of them.
pub const ENDPOINTS: &[Endpoint] = &[
    endpoint("/api/{project}/nel", "nel", Success::Empty(StatusCode::OK)),
    endpoint(
        "/api/{project}/unreal/{key}",
        "unreal_report",
        Success::HyphenatedId,
    ),
    Endpoint {
        also_get: true,
        ..endpoint(
            "/api/{project}/cron/{slug}/{key}",
            "check_in",
            Success::Empty(StatusCode::ACCEPTED),
        )
    },
    Endpoint {
        also_get: true,
        ..endpoint(
            "/api/{project}/cron/{slug}",
            "check_in",
            Success::Empty(StatusCode::ACCEPTED),
        )
    },
];

pub async fn answer(
    endpoint: &'static Endpoint,
    request: HttpRequest,
    payload: web::Payload,
    ingest: web::Data<Ingest>,
) -> Result<HttpResponse, Refused> {
    let sender = accept::sender_of_request(&request, &ingest)?;
    let kind: &ItemKind = items::kind(endpoint.item);
    drain(payload).await?;
    ingest
        .outcomes
        .not_kept(sender.project_id, sender.key_id, kind, 1);
    Ok(match endpoint.success {
        Success::Empty(status) => reply::empty(status),
        Success::HyphenatedId => {
            let mut response = HttpResponse::Ok();
            reply::open_to_browsers(&mut response);
            response
                .content_type("text/plain")
                .body(EventId::random().hyphenated())
        }
    })
}

/// Reads a body to its end without keeping it, so that the connection can go on.
async fn drain(mut payload: web::Payload) -> Result<(), Refused> {
    let reading = async {
        let mut length = 0;
        while let Some(chunk) = payload.next().await {
            length += chunk
                .map_err(|_| Refused::Malformed("the body is cut off".into()))?
                .len();
            if length > limits::WIRE_BODY {
                return Err(Refused::TooLarge("the body has more than 32 MiB"));
            }
        }
        Ok(())
    };
    tokio::time::timeout(limits::BODY_TIME, reading)
        .await
        .map_err(|_| Refused::TooSlow)?
}
