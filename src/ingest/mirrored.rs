//! The way to a second tracker. In: what was answered with 200. Out: a copy for the mirror, where the project has one.

use actix_web::HttpRequest;

use super::Ingest;
use crate::mirror::{Body, MIRRORED_HEADER};
use crate::protocol::event_id::EventId;

/// Offers a copy. What is a copy already is not copied again.
pub fn copy(
    ingest: &Ingest,
    request: &HttpRequest,
    project_id: i64,
    event_id: Option<EventId>,
    body: Body<'_>,
) {
    if ingest.mirror.is_on() && !request.headers().contains_key(MIRRORED_HEADER) {
        ingest.mirror.offer(project_id, event_id, body);
    }
}
