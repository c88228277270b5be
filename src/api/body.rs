//! The body of a change. In: bytes from a client. Out: JSON, or what is wrong with it.

use actix_web::web;
use serde_json::Value;

use super::error::ApiError;

const MAX_BODY: usize = 64 * 1024;

pub async fn read_json(body: web::Payload) -> Result<Value, ApiError> {
    read_json_within(body, MAX_BODY).await
}

/// The same for a body of at most so many bytes.
pub async fn read_json_within(body: web::Payload, most: usize) -> Result<Value, ApiError> {
    let bytes = body
        .to_bytes_limited(most)
        .await
        .map_err(|_| ApiError::TooLarge(most))?
        .map_err(|_| ApiError::Invalid("The body was cut off".to_owned()))?;
    serde_json::from_slice(&bytes)
        .map_err(|error| ApiError::Invalid(format!("JSON parse error - {error}")))
}
