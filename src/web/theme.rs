//! Light or dark. In: the switch of a browser without JavaScript. Out: the cookie that the next page reads; with
//! JavaScript the page's script sets the same cookie.

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::{HttpRequest, HttpResponse, web};

use super::form::SessionForm;
use super::page::{THEME_COOKIE, Theme, see_other};
use super::session::local_path;
use super::site::Site;

/// `POST /theme`: from system to dark, then between dark and light.
pub async fn switch(
    site: web::Data<Site>,
    request: HttpRequest,
    form: SessionForm,
) -> HttpResponse {
    let next = if Theme::of(&request) == Theme::Dark {
        "light"
    } else {
        "dark"
    };
    let mut response = see_other(local_path(form.fields.get("back")));
    let cookie = Cookie::build(THEME_COOKIE, next)
        .path("/")
        .same_site(SameSite::Lax)
        .secure(site.is_https())
        .max_age(Duration::days(365))
        .finish();
    // A theme that cannot be kept is no reason to fail.
    if let Err(error) = response.add_cookie(&cookie) {
        tracing::warn!(%error, "cannot set the theme's cookie");
    }
    response
}
