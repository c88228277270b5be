//! Answers in the words of the protocol. In: success, or what is wrong. Out: status, JSON body, and the headers that
//! let a browser read them.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, ResponseError, Route, web};

use super::limits::Reached;
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
    #[error("bad project key: the SDK sends to project {asked} with project {own}'s key")]
    WrongProject { asked: i64, own: i64 },
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
    #[error("too many events: {}", .0.sentence())]
    Limited(Reached),
    #[error("overloaded: too many large requests at once; try again")]
    Overloaded,
    #[error("cannot keep events now: {0}")]
    Journal(#[from] JournalError),
}

const LIMITS_HEADER: HeaderName = HeaderName::from_static("x-sentry-rate-limits");
/// How long to stay away while nothing can be kept.
const OVERLOAD_S: u32 = 30;
const ERROR_HEADER: HeaderName = HeaderName::from_static("x-sentry-error");

impl ResponseError for Refused {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::MissingAuth | Self::DoubleAuth => StatusCode::UNAUTHORIZED,
            Self::UnknownKey | Self::DisabledKey | Self::WrongProject { .. } => {
                StatusCode::FORBIDDEN
            }
            Self::BadProject => StatusCode::NOT_FOUND,
            Self::DsnMismatch | Self::Envelope(_) | Self::Malformed(_) | Self::BrokenEncoding => {
                StatusCode::BAD_REQUEST
            }
            Self::UnknownEncoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Limited(_) => StatusCode::TOO_MANY_REQUESTS,
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
        match self {
            Self::Limited(reached) => {
                response.insert_header((header::RETRY_AFTER, reached.retry_after()));
                announce(&mut response, Some(reached));
            }
            // No kind of item can be kept, whoever sends it.
            Self::Journal(_) => {
                response.insert_header((header::RETRY_AFTER, OVERLOAD_S));
                response.insert_header((
                    LIMITS_HEADER,
                    format!("{OVERLOAD_S}::organization:overload"),
                ));
            }
            Self::NotLoaded | Self::Overloaded => {
                response.insert_header((header::RETRY_AFTER, OVERLOAD_S));
            }
            _ => {}
        }
        // Whatever is left of the body stays unread.
        if matches!(self, Self::TooLarge(_) | Self::TooSlow) {
            response.force_close();
        }
        response.json(serde_json::json!({ "detail": text }))
    }
}

impl Refused {
    /// What Usage counts it as, where a project is known.
    pub fn outcome(&self) -> &'static str {
        match self {
            Self::Limited(_) => "rate_limited",
            _ => "invalid",
        }
    }

    /// The reason under which Usage counts it.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::MissingAuth | Self::BadProject | Self::NotLoaded => "missing_key",
            Self::DoubleAuth => "two_keys",
            Self::UnknownKey => "unknown_key",
            Self::DisabledKey => "disabled_key",
            Self::WrongProject { .. } | Self::DsnMismatch => "wrong_project",
            Self::Envelope(_) | Self::Malformed(_) => "malformed",
            Self::UnknownEncoding | Self::BrokenEncoding => "encoding",
            Self::TooLarge(_) => "too_large",
            Self::TooSlow => "too_slow",
            Self::Limited(reached) => reached.reason(),
            Self::Overloaded => "overload",
            Self::Journal(JournalError::Full(_)) => "journal_full",
            Self::Journal(_) => "journal",
        }
    }
}

/// Says which limits are reached, on whatever status: SDKs heed it on any answer.
fn announce(response: &mut HttpResponseBuilder, reached: Option<&Reached>) {
    if let Some(reached) = reached {
        response.insert_header((LIMITS_HEADER, reached.header()));
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

/// 200 with the id of the event, or `{}` where there is none, and with the limits that leave no room for more.
pub fn accepted(id: Option<EventId>, reached: Option<&Reached>) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    open_to_browsers(&mut response);
    announce(&mut response, reached);
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

/// 200 without a word, but for the limits that leave no room for more.
pub fn empty_accepted(reached: Option<&Reached>) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    open_to_browsers(&mut response);
    announce(&mut response, reached);
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
