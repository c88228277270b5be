//! Who is looking. In: the session cookie. Out: the viewer, or the way to the sign-in page; and the cookies themselves.

use std::future::Future;
use std::pin::Pin;

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use sha2::{Digest, Sha256};

use super::error::PageError;
use super::site::Site;
use crate::store::sessions::{self, Session};
use crate::store::{StoreError, accounts::User, now_ms};

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub struct Viewer {
    pub session: Session,
}

impl Viewer {
    pub fn user(&self) -> &User {
        &self.session.user
    }
}

impl FromRequest for Viewer {
    type Error = PageError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, PageError>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            viewer(&request)
                .await?
                .ok_or_else(|| sign_in_first(&request))
        })
    }
}

/// The viewer of a request, if there is one.
pub async fn viewer(request: &HttpRequest) -> Result<Option<Viewer>, PageError> {
    let site = request
        .app_data::<web::Data<Site>>()
        .cloned()
        .expect("the server registers the site with the routes");
    let Some(token) = request
        .cookie(session_cookie_name(&site))
        .map(|cookie| cookie.value().to_owned())
    else {
        return Ok(None);
    };
    let hash = sessions::token_hash(&token);
    let now = now_ms();
    let session = site
        .store
        .read(move |conn| sessions::find(conn, &hash, now))
        .await?;
    if let Some(session) = session.as_ref().filter(|session| session.is_stale(now)) {
        let hash = session.token_hash.clone();
        // A failure here only makes the session look idle for a little longer.
        let written: Result<(), StoreError> = site
            .store
            .write(move |conn| sessions::touch(conn, &hash, now))
            .await;
        if let Err(error) = written {
            tracing::warn!(%error, "cannot note that a session is in use");
        }
    }
    Ok(session.map(|session| Viewer { session }))
}

fn sign_in_first(request: &HttpRequest) -> PageError {
    let next = request
        .uri()
        .path_and_query()
        .map_or("/", |path| path.as_str());
    PageError::SignIn {
        next: next.to_owned(),
    }
}

/// 256 random bits as text.
pub fn random_token() -> String {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    hex::encode(bytes)
}

fn session_cookie_name(site: &Site) -> &'static str {
    if site.is_https() {
        "__Host-bugle"
    } else {
        "bugle_session"
    }
}

fn guest_cookie_name(site: &Site) -> &'static str {
    if site.is_https() {
        "__Host-bugle-guest"
    } else {
        "bugle_guest"
    }
}

fn cookie(site: &Site, name: &'static str, value: String, days: i64) -> Cookie<'static> {
    Cookie::build(name, value)
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(site.is_https())
        .max_age(Duration::days(days))
        .finish()
}

/// The cookie of a new session.
pub fn session_cookie(site: &Site, token: String) -> Cookie<'static> {
    cookie(site, session_cookie_name(site), token, 30)
}

/// Takes the session cookie away.
pub fn no_session_cookie(site: &Site) -> Cookie<'static> {
    cookie(site, session_cookie_name(site), String::new(), 0)
}

/// What binds a form to a browser before anybody has signed in.
pub struct Guest {
    token: String,
    is_new: bool,
}

impl Guest {
    /// The guest of a request, or a new one.
    pub fn of(site: &Site, request: &HttpRequest) -> Self {
        match request.cookie(guest_cookie_name(site)) {
            Some(cookie) if cookie.value().len() == 64 => Self {
                token: cookie.value().to_owned(),
                is_new: false,
            },
            _ => Self {
                token: random_token(),
                is_new: true,
            },
        }
    }

    /// The secret of this guest's forms.
    pub fn csrf_token(&self) -> String {
        hex::encode(
            Sha256::new()
                .chain_update("guest form ")
                .chain_update(&self.token)
                .finalize(),
        )
    }

    /// The cookie to set, where the browser has none yet.
    pub fn cookie(&self, site: &Site) -> Option<Cookie<'static>> {
        self.is_new
            .then(|| cookie(site, guest_cookie_name(site), self.token.clone(), 1))
    }
}

/// A path on this server to go to next; anything else becomes the start page.
pub fn local_path(path: &str) -> &str {
    let is_local = path.starts_with('/')
        && !path.starts_with("//")
        && !path.starts_with("/\\")
        && !path
            .chars()
            .any(|letter| letter.is_control() || letter == '\\');
    if is_local { path } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_local_paths_are_followed() {
        assert_eq!(local_path("/acme/issues/?query=a"), "/acme/issues/?query=a");
        for path in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "acme",
            "/a\r\nb",
            "/a\\b",
        ] {
            assert_eq!(local_path(path), "/", "{path}");
        }
    }

    #[test]
    fn tokens_are_long_and_differ() {
        let (one, other) = (random_token(), random_token());
        assert_eq!(one.len(), 64);
        assert_ne!(one, other);
    }
}
