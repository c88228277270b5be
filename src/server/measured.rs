//! Around pages and the JSON API. In: a request. Out: its answer, counted under its route as it stands in the table, so
//! that no address that a visitor makes up becomes a label.

use std::time::Instant;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;

use crate::telemetry::METRICS;

/// What matched no route.
const NO_ROUTE: &str = "none";

/// The middleware.
pub async fn measured(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let began = Instant::now();
    let answer = next.call(request).await;
    if let Ok(response) = &answer {
        let route = response.request().match_pattern();
        METRICS
            .pages
            .of(route.as_deref().unwrap_or(NO_ROUTE))
            .answered(
                response.request().method().as_str(),
                response.status().as_u16(),
                began.elapsed(),
            );
    }
    answer
}
