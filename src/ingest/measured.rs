//! Around each endpoint. In: the future that answers. Out: the same answer, counted by what it was, with the time it took.

use std::time::Instant;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError as _};

use super::reply::Refused;
use crate::journal::JournalError;
use crate::telemetry::METRICS;
use crate::telemetry::metrics::Endpoint;

pub async fn measured(
    endpoint: Endpoint,
    answer: impl Future<Output = Result<HttpResponse, Refused>>,
) -> Result<HttpResponse, Refused> {
    let began = Instant::now();
    let answer = answer.await;
    let took = began.elapsed();
    match &answer {
        Ok(response) if response.status().is_success() => {
            METRICS.ingest.accepted(endpoint, took);
        }
        // The only refusal that has no text.
        Ok(_) => METRICS.ingest.refused(endpoint, "content_type", took),
        Err(refused) => METRICS.ingest.refused(endpoint, reason(refused), took),
    }
    answer
}

/// As Usage counts it, with what Usage cannot tell apart because it belongs to no project.
fn reason(refused: &Refused) -> &'static str {
    match refused {
        Refused::MissingAuth | Refused::DoubleAuth => "missing_key",
        Refused::UnknownKey => "unknown_key",
        Refused::BadProject => "bad_project",
        Refused::NotLoaded => "not_ready",
        Refused::Journal(JournalError::Full(_)) => "journal_full",
        Refused::Journal(_) => "journal_failed",
        limited if limited.status_code() == StatusCode::TOO_MANY_REQUESTS => "rate_limit",
        other => other.reason(),
    }
}
