//! One's own account. In: the viewer. Out: who they are, which organizations they belong to, a new password.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::error::PageError;
use super::form::SessionForm;
use super::page::{Page, Toast};
use super::password;
use super::session::Viewer;
use super::setup::sentence;
use super::sign_in::sign_in;
use super::site::Site;
use crate::store::{accounts, now_ms, scope};

#[derive(Template)]
#[template(path = "account/account.html")]
struct AccountPage {
    page: Page,
    email: String,
    organizations: Vec<(String, String)>,
    is_https: bool,
    mistake: Option<String>,
}

/// `GET /account`
pub async fn show(
    site: web::Data<Site>,
    request: HttpRequest,
    viewer: Viewer,
) -> Result<HttpResponse, PageError> {
    draw(&site, &request, &viewer, None).await
}

async fn draw(
    site: &Site,
    request: &HttpRequest,
    viewer: &Viewer,
    mistake: Option<String>,
) -> Result<HttpResponse, PageError> {
    let user_id = viewer.user().id;
    let organizations = site
        .store
        .read(move |conn| scope::organizations_of(conn, user_id))
        .await?;
    let page = Page::new("Account", viewer, request);
    let template = AccountPage {
        page: page.clone(),
        email: viewer.user().email.clone(),
        organizations: organizations
            .into_iter()
            .map(|organization| (organization.slug, organization.name))
            .collect(),
        is_https: site.is_https(),
        mistake,
    };
    page.answer(&template)
}

/// `POST /account`: a new password, which ends all other sessions.
pub async fn change_password(
    site: web::Data<Site>,
    request: HttpRequest,
    form: SessionForm,
) -> Result<HttpResponse, PageError> {
    let user = form.viewer.user().clone();
    if !site
        .limit
        .allow(&user.email, site.client(&request), now_ms())
    {
        return Err(PageError::TooManyTries);
    }
    if !password::verify(&site, form.fields.get("current"), Some(user.password_hash)).await? {
        return draw(
            &site,
            &request,
            &form.viewer,
            Some("The current password is not right.".to_owned()),
        )
        .await;
    }
    let hash = match password::hash(&site, form.fields.get("password")).await? {
        Ok(hash) => hash,
        Err(mistake) => {
            return draw(
                &site,
                &request,
                &form.viewer,
                Some(sentence(&mistake.to_string())),
            )
            .await;
        }
    };
    site.store
        .write(move |conn| accounts::set_password(conn, user.id, &hash))
        .await?;
    let mut response = sign_in(&site, user.id, "/account").await?;
    if let Err(error) = response.add_cookie(&Toast::cookie(&site, "password", &[])) {
        tracing::warn!(%error, "cannot set the toast's cookie");
    }
    Ok(response)
}
