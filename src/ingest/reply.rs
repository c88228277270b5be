//! Answers in the words of the protocol. In: success, or what is wrong. Out: status, JSON body, and the headers that
//! let a browser read them.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, ResponseError, Route, web};

use crate::journal::JournalError;
use crate::protocol::envelope::EnvelopeError;
use crate::protocol::event_id::EventId;

/// Why a request is not taken.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    #[error(
        "missing authorization information: send X-Sentry-Auth, or sentry_key in the query string"
    )]
    MissingAuth,
    #[error("two different keys were sent")]
    DoubleAuth,
    #[error("bad project key: no project has it")]
    UnknownKey,
    #[error("bad project key: it is switched off")]
    DisabledKey,
    #[error("bad project key: it belongs to another project than the one in the address")]
    WrongProject,
    #[error("the dsn of the envelope header belongs to another project or key than the request")]
    DsnMismatch,
    #[error("bad project id in the address")]
    BadProject,
    #[error("{0}")]
    Envelope(#[from] EnvelopeError),
    #[error("{0}")]
    Malformed(String),
    #[error("unknown content encoding: send gzip, deflate, br, zstd or none")]
    UnknownEncoding,
    #[error("the body is not of the content encoding it claims, or is cut off")]
    BrokenEncoding,
    #[error("too large: {0}")]
    TooLarge(&'static str),
    #[error("the body did not arrive in time")]
    TooSlow,
    #[error("not ready yet: the keys are not loaded; try again")]
    NotLoaded,
    #[error("overloaded: too many large requests at once; try again")]
    Overloaded,
    #[error("cannot keep events now: {0}")]
    Journal(#[from] JournalError),
}

const ERROR_HEADER: HeaderName = HeaderName::from_static("x-sentry-error");

impl ResponseError for Refused {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::MissingAuth | Self::DoubleAuth => StatusCode::UNAUTHORIZED,
            Self::UnknownKey | Self::DisabledKey | Self::WrongProject => StatusCode::FORBIDDEN,
            Self::BadProject => StatusCode::NOT_FOUND,
            Self::DsnMismatch | Self::Envelope(_) | Self::Malformed(_) | Self::BrokenEncoding => {
                StatusCode::BAD_REQUEST
            }
            Self::UnknownEncoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::NotLoaded | Self::Overloaded | Self::Journal(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        open_to_browsers(&mut response);
        let text = self.to_string();
        if let Ok(value) = HeaderValue::from_str(&text.replace(
            |letter: char| !letter.is_ascii() || letter.is_control(),
            " ",
        )) {
            response.insert_header((ERROR_HEADER, value));
        }
        if self.status_code() == StatusCode::SERVICE_UNAVAILABLE {
            response.insert_header((header::RETRY_AFTER, "30"));
        }
        // Whatever is left of the body stays unread.
        if matches!(self, Self::TooLarge(_) | Self::TooSlow) {
            response.force_close();
        }
        response.json(serde_json::json!({ "detail": text }))
    }
}

impl Refused {
    /// The reason under which Usage counts it, where a project is known.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::MissingAuth
            | Self::DoubleAuth
            | Self::UnknownKey
            | Self::BadProject
            | Self::NotLoaded => "auth",
            Self::DisabledKey => "disabled_key",
            Self::WrongProject | Self::DsnMismatch => "wrong_project",
            Self::Envelope(_) | Self::Malformed(_) => "malformed",
            Self::UnknownEncoding | Self::BrokenEncoding => "encoding",
            Self::TooLarge(_) => "too_large",
            Self::TooSlow => "too_slow",
            Self::Overloaded | Self::Journal(_) => "overload",
        }
    }
}

/// Any page may send errors here; nothing about the visitor is told.
pub fn open_to_browsers(response: &mut HttpResponseBuilder) {
    response
        .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .insert_header((
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            "x-sentry-error, x-sentry-rate-limits, retry-after",
        ))
        .insert_header(("cross-origin-resource-policy", "cross-origin"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"));
}

/// 200 with the id of the event, or `{}` where there is none.
pub fn accepted(id: Option<EventId>) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    open_to_browsers(&mut response);
    let body = match id {
        Some(id) => format!("{{\"id\":\"{id}\"}}"),
        None => "{}".to_owned(),
    };
    response.content_type("application/json").body(body)
}

/// An empty answer with a status of the protocol.
pub fn empty(status: StatusCode) -> HttpResponse {
    let mut response = HttpResponse::build(status);
    open_to_browsers(&mut response);
    response.finish()
}

/// Answers `OPTIONS` for everybody, without a key.
pub fn preflight() -> Route {
    web::method(actix_web::http::Method::OPTIONS).to(|| async {
        let mut response = HttpResponse::Ok();
        open_to_browsers(&mut response);
        response
            .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, "POST, GET, OPTIONS"))
            .insert_header((
                header::ACCESS_CONTROL_ALLOW_HEADERS,
                "x-sentry-auth, x-requested-with, x-forwarded-for, origin, referer, accept, content-type, authentication, \
                 authorization, content-encoding, transfer-encoding",
            ))
            .insert_header((header::ACCESS_CONTROL_MAX_AGE, "3600"))
            .finish()
    })
}

/// The path is right and the method is not.
pub fn not_allowed() -> Route {
    web::to(|request: HttpRequest| async move {
        let mut response = HttpResponse::MethodNotAllowed();
        open_to_browsers(&mut response);
        response.json(serde_json::json!({ "detail": format!("{} is not allowed here; use POST", request.method()) }))
    })
}
