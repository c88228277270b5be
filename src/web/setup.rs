//! The first account. In: the token that `serve` printed and who the owner is. Out: an account that may do everything,
//! its organization, and a session.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::error::PageError;
use super::form::{Fields, GuestForm, masked};
use super::page::{Theme, see_other};
use super::password;
use super::session::Guest;
use super::sign_in::sign_in;
use super::site::Site;
use crate::model::names;
use crate::store::{StoreError, accounts, now_ms};

#[derive(Template)]
#[template(path = "account/setup.html")]
struct SetupPage {
    theme: Theme,
    assets: String,
    csrf: String,
    token: String,
    name: String,
    email: String,
    organization: String,
    mistake: Option<String>,
}

/// `GET /setup`
pub async fn show(site: web::Data<Site>, request: HttpRequest) -> Result<HttpResponse, PageError> {
    if site.store.read(accounts::any_user).await? {
        return Ok(see_other("/login"));
    }
    let token = url::form_urlencoded::parse(request.query_string().as_bytes())
        .find(|(key, _)| key == "token")
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default();
    page(&site, &request, &Fields::default(), token, None)
}

fn page(
    site: &Site,
    request: &HttpRequest,
    fields: &Fields,
    token: String,
    mistake: Option<String>,
) -> Result<HttpResponse, PageError> {
    let guest = Guest::of(site, request);
    let mut response = if mistake.is_some() {
        HttpResponse::UnprocessableEntity()
    } else {
        HttpResponse::Ok()
    };
    let html = SetupPage {
        theme: Theme::of(request),
        assets: super::assets::base(),
        csrf: masked(&guest.csrf_token()),
        token,
        name: fields.get("name").to_owned(),
        email: fields.get("email").to_owned(),
        organization: fields.get("organization").to_owned(),
        mistake,
    }
    .render()?;
    if let Some(cookie) = guest.cookie(site) {
        response.cookie(cookie);
    }
    Ok(response.content_type("text/html; charset=utf-8").body(html))
}

/// `POST /setup`
pub async fn submit(
    site: web::Data<Site>,
    request: HttpRequest,
    form: GuestForm,
) -> Result<HttpResponse, PageError> {
    let fields = form.fields;
    let again = |mistake: String| {
        page(
            &site,
            &request,
            &fields,
            fields.get("token").to_owned(),
            Some(mistake),
        )
    };
    if site.store.read(accounts::any_user).await? {
        return Ok(see_other("/login"));
    }
    if !site.limit.allow("set-up", site.client(&request), now_ms()) {
        return Err(PageError::TooManyTries);
    }
    if !site.is_setup_token(fields.get("token")) {
        return again("This is not the token that the server printed when it started.".to_owned());
    }
    let (email, organization) = match checked(&fields) {
        Ok(checked) => checked,
        Err(mistake) => return again(mistake),
    };
    let hash = match password::hash(&site, fields.get("password")).await? {
        Ok(hash) => hash,
        Err(mistake) => return again(sentence(&mistake.to_string())),
    };
    let name = fields.get("name").to_owned();
    let created = site
        .store
        .write(move |conn| {
            // Two browsers with the token: the second finds the first one's account.
            if accounts::any_user(conn)? {
                return Ok(None);
            }
            let user = accounts::create_user(conn, &email, &name, &hash, true)?;
            let slug = free_slug(&organization);
            let organization = accounts::create_organization(conn, &slug, &organization, user.id)?;
            Ok(Some((user.id, organization.slug)))
        })
        .await;
    match created {
        Ok(Some((user_id, slug))) => {
            sign_in(&site, user_id, &format!("/{slug}/projects/new")).await
        }
        Ok(None) => Ok(see_other("/login")),
        Err(StoreError::Invalid(mistake) | StoreError::Conflict(mistake)) => {
            again(sentence(&mistake))
        }
        Err(other) => Err(other.into()),
    }
}

fn checked(fields: &Fields) -> Result<(String, String), String> {
    let email = names::email(fields.get("email")).map_err(|mistake| sentence(&mistake))?;
    let organization = names::display(fields.get("organization"))
        .map_err(|_| "The organization needs a name.".to_owned())?;
    Ok((email, organization))
}

/// The first organization always gets an address, also where its name has no letter that an address may have.
fn free_slug(name: &str) -> String {
    let slug = names::slug_from(name);
    names::slug(&slug)
        .or_else(|_| names::slug(&format!("{slug}-org")))
        .unwrap_or_else(|_| "main".to_owned())
}

/// A message of the lower layers as a sentence of the page.
pub fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first
            .to_uppercase()
            .chain(letters)
            .chain(std::iter::once('.'))
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_to_an_address() {
        assert_eq!(free_slug("Acme Shop"), "acme-shop");
        assert_eq!(free_slug("API"), "api-org");
        assert_eq!(free_slug("日本"), "main");
        assert_eq!(free_slug("42"), "42-org");
    }
}
