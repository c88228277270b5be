//! What goes wrong on a page. In: errors of the layers below. Out: a status and a page that says what to do.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use askama::Template;

use super::page::Theme;
use super::setup::sentence;
use crate::store::StoreError;

/// Why a page could not be shown.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// Missing and forbidden look alike.
    #[error("not found")]
    NotFound,
    #[error("{0}")]
    Forbidden(&'static str),
    #[error("{0}")]
    BadRequest(String),
    #[error("sign in first")]
    SignIn { next: String },
    #[error("too many tries")]
    TooManyTries,
    #[error(transparent)]
    Store(StoreError),
    /// Where files are kept does not answer.
    #[error("the blob store does not answer")]
    Blobs,
    #[error("cannot draw the page: {0}")]
    Render(#[from] askama::Error),
}

impl From<StoreError> for PageError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::NotFound,
            StoreError::Invalid(text) | StoreError::Conflict(text) => Self::BadRequest(text),
            other => Self::Store(other),
        }
    }
}

impl ResponseError for PageError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::SignIn { .. } => StatusCode::SEE_OTHER,
            Self::TooManyTries => StatusCode::TOO_MANY_REQUESTS,
            Self::Store(error) if error.is_infrastructure() => StatusCode::SERVICE_UNAVAILABLE,
            Self::Blobs => StatusCode::SERVICE_UNAVAILABLE,
            Self::Store(_) | Self::Render(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    // The body follows in `security`, which knows the reader's theme.
    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        match self {
            Self::SignIn { next } => {
                let next: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
                response.insert_header(("location", format!("/login?next={next}")));
            }
            Self::TooManyTries => {
                response.insert_header(("retry-after", "60"));
            }
            Self::Store(error) if error.is_infrastructure() => {
                response.insert_header(("retry-after", "10"));
            }
            _ => {}
        }
        response.finish()
    }
}

/// The page of an error.
#[derive(Template)]
#[template(path = "errors/error.html")]
struct ErrorPage {
    theme: Theme,
    assets: String,
    status: u16,
    title: &'static str,
    text: String,
}

impl PageError {
    /// Draws the page; none for what is a redirect.
    pub fn page(&self, theme: Theme) -> Option<String> {
        let (title, text) = match self {
            Self::SignIn { .. } => return None,
            Self::NotFound => (
                "Nothing here",
                "The page does not exist, or it belongs to an organization that your account is not a member of.".to_owned(),
            ),
            Self::Forbidden(why) => ("Not allowed", (*why).to_owned()),
            Self::BadRequest(why) => ("That did not work", sentence(why)),
            Self::TooManyTries => ("Too many tries", "Wait a minute, then try again.".to_owned()),
            Self::Store(error) if error.is_infrastructure() => (
                "The database does not answer",
                "Events are still being accepted and kept. Try again in a moment.".to_owned(),
            ),
            Self::Blobs => (
                "The file cannot be read now",
                "The place where files are kept does not answer. Try again in a moment.".to_owned(),
            ),
            Self::Store(_) | Self::Render(_) => (
                "Something broke on our side",
                "The error is in the server's log. Try again; if it stays, tell whoever runs this server.".to_owned(),
            ),
        };
        let page = ErrorPage {
            theme,
            assets: super::assets::base(),
            status: self.status_code().as_u16(),
            title,
            text,
        };
        page.render().ok()
    }
}
