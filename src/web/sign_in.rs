//! Signing in and out. In: an address and a password. Out: a session, or the same answer for every mistake.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::error::PageError;
use super::form::{GuestForm, SessionForm, masked};
use super::page::{Theme, see_other};
use super::password;
use super::session::{self, Guest, local_path};
use super::site::Site;
use crate::store::{accounts, now_ms, sessions};

#[derive(Template)]
#[template(path = "account/login.html")]
struct LoginPage {
    theme: Theme,
    assets: String,
    csrf: String,
    next: String,
    email: String,
    mistake: bool,
}

/// `GET /login`
pub async fn show(site: web::Data<Site>, request: HttpRequest) -> Result<HttpResponse, PageError> {
    let next = query_value(&request, "next");
    if session::viewer(&request).await?.is_some() {
        return Ok(see_other(local_path(&next)));
    }
    if !site.store.read(accounts::any_user).await? {
        return Ok(see_other("/setup"));
    }
    page(&site, &request, &next, "", false)
}

fn query_value(request: &HttpRequest, name: &str) -> String {
    url::form_urlencoded::parse(request.query_string().as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

fn page(
    site: &Site,
    request: &HttpRequest,
    next: &str,
    email: &str,
    mistake: bool,
) -> Result<HttpResponse, PageError> {
    let guest = Guest::of(site, request);
    let html = LoginPage {
        theme: Theme::of(request),
        assets: super::assets::base(),
        csrf: masked(&guest.csrf_token()),
        next: local_path(next).to_owned(),
        email: email.to_owned(),
        mistake,
    }
    .render()?;
    let mut response = if mistake {
        HttpResponse::UnprocessableEntity()
    } else {
        HttpResponse::Ok()
    };
    if let Some(cookie) = guest.cookie(site) {
        response.cookie(cookie);
    }
    Ok(response.content_type("text/html; charset=utf-8").body(html))
}

/// `POST /login`
pub async fn submit(
    site: web::Data<Site>,
    request: HttpRequest,
    form: GuestForm,
) -> Result<HttpResponse, PageError> {
    let (email, typed, next) = (
        form.fields.get("email"),
        form.fields.get("password"),
        form.fields.get("next"),
    );
    let address = site.client(&request);
    if !site.limit.allow(email, address, now_ms()) {
        return Err(PageError::TooManyTries);
    }
    let wanted = email.to_owned();
    let user = site
        .store
        .read(move |conn| accounts::find_user(conn, &wanted))
        .await?
        .filter(|user| user.is_active);
    let stored = user.as_ref().map(|user| user.password_hash.clone());
    let is_right = password::verify(&site, typed, stored).await?;
    let (true, Some(user)) = (is_right, user) else {
        return page(&site, &request, next, email, true);
    };
    site.limit.forget(email, address);
    sign_in(&site, user.id, local_path(next)).await
}

/// Starts a session under a new id and goes on to `path`.
pub async fn sign_in(site: &Site, user_id: i64, path: &str) -> Result<HttpResponse, PageError> {
    let token = session::random_token();
    let hash = sessions::token_hash(&token);
    let csrf = session::random_token();
    let now = now_ms();
    site.store
        .write(move |conn| sessions::create(conn, user_id, &hash, &csrf, now))
        .await?;
    let mut response = see_other(path);
    response
        .add_cookie(&session::session_cookie(site, token))
        .map_err(|_| PageError::BadRequest("the cookie could not be set".to_owned()))?;
    Ok(response)
}

/// `POST /logout`
pub async fn leave(site: web::Data<Site>, form: SessionForm) -> Result<HttpResponse, PageError> {
    let hash = form.viewer.session.token_hash;
    site.store
        .write(move |conn| sessions::delete(conn, &hash))
        .await?;
    let mut response = see_other("/login");
    response
        .add_cookie(&session::no_session_cookie(&site))
        .map_err(|_| PageError::BadRequest("the cookie could not be set".to_owned()))?;
    Ok(response)
}
