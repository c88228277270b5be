//! The way in. In: a request for no page in particular. Out: a redirect to the page one would want.

use actix_web::{HttpRequest, HttpResponse, web};

use super::error::PageError;
use super::page::see_other;
use super::session;
use super::site::Site;
use crate::store::{accounts, scope};

/// `GET /`: set-up while there is no account, sign-in, or the issues of the viewer's organization.
pub async fn start(site: web::Data<Site>, request: HttpRequest) -> Result<HttpResponse, PageError> {
    let Some(viewer) = session::viewer(&request).await? else {
        let ready = site.store.read(accounts::any_user).await?;
        return Ok(see_other(if ready { "/login" } else { "/setup" }));
    };
    let user_id = viewer.user().id;
    let organizations = site
        .store
        .read(move |conn| scope::organizations_of(conn, user_id))
        .await?;
    match organizations.first() {
        Some(organization) => Ok(see_other(&format!("/{}/issues/", organization.slug))),
        None => Ok(see_other("/account")),
    }
}

/// `GET /{org}`
pub async fn organization(path: web::Path<String>) -> HttpResponse {
    see_other(&format!("/{}/issues/", encoded(&path)))
}

/// The address of a page without its last slash.
pub async fn with_slash(request: HttpRequest) -> HttpResponse {
    let query = request
        .uri()
        .query()
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    let path = session::local_path(request.uri().path());
    HttpResponse::MovedPermanently()
        .insert_header(("location", format!("{path}/{query}")))
        .finish()
}

fn encoded(part: &str) -> String {
    percent_encoding::utf8_percent_encode(part, percent_encoding::NON_ALPHANUMERIC)
        .to_string()
        .replace("%2D", "-")
        .replace("%5F", "_")
}
