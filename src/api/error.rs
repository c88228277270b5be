//! What goes wrong, as clients read it. In: a refusal or an error of the store. Out: a status and `{"detail": …}`.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use serde_json::json;

use crate::store::StoreError;

#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    #[error("Authentication credentials were not provided.")]
    NoToken,
    #[error("Invalid token")]
    BadToken,
    #[error("You do not have permission to perform this action. The token needs one of: {0}")]
    Scope(String),
    #[error("You do not have permission to perform this action: {0}")]
    Role(&'static str),
    /// Missing and foreign look alike.
    #[error("The requested resource does not exist")]
    NotFound,
    #[error("Method not allowed")]
    Method,
    #[error("{0}")]
    Invalid(String),
    /// One field of a body; told under its name.
    #[error("{name}: {problem}")]
    Field { name: String, problem: String },
    #[error("{0}")]
    Conflict(String),
    #[error("The body is larger than {0} bytes")]
    TooLarge(usize),
    #[error("The server cannot reach its database; try again in a moment")]
    Unavailable(StoreError),
    #[error("The server cannot reach the place where files are kept; try again in a moment")]
    Blobs(String),
    #[error("Internal error")]
    Internal(String),
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::NotFound,
            StoreError::Invalid(text) => Self::Invalid(text),
            StoreError::Conflict(text) => Self::Conflict(text),
            error if error.is_infrastructure() => Self::Unavailable(error),
            error => Self::Internal(error.to_string()),
        }
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NoToken | Self::BadToken => StatusCode::UNAUTHORIZED,
            Self::Scope(_) | Self::Role(_) => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Invalid(_) | Self::Field { .. } => StatusCode::BAD_REQUEST,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unavailable(_) | Self::Blobs(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        match self {
            Self::Unavailable(error) => tracing::warn!(%error, "an API request failed"),
            Self::Blobs(error) => tracing::warn!(error, "an API request failed"),
            Self::Internal(error) => tracing::error!(%error, "an API request failed"),
            _ => {}
        }
        let body = match self {
            Self::Field { name, problem } => json!({name: [problem]}),
            _ => json!({"detail": self.to_string()}),
        };
        HttpResponse::build(self.status_code()).json(body)
    }
}
