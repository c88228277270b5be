//! Forms. In: the body of an unsafe request. Out: its fields, and only if the form's token belongs to the session: a
//! handler cannot see a field of a forged form.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, web};
use futures_util::StreamExt as _;
use subtle::ConstantTimeEq;

use super::error::PageError;
use super::session::{self, Guest, Viewer};
use super::site::Site;

const MOST_BYTES: usize = 64 * 1024;
pub(super) const FOREIGN: PageError = PageError::Forbidden(
    "The form has run out, or did not come from this site. Reload the page and try again.",
);

/// The fields of a form.
#[derive(Debug, Clone, Default)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// The value of a field; empty if it is missing.
    pub fn get(&self, name: &str) -> &str {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map_or("", |(_, value)| value)
    }

    /// All values of a field that may be sent more than once.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Numbers among the values of a field.
    pub fn numbers(&self, name: &str) -> Vec<i64> {
        self.all(name)
            .filter_map(|value| value.parse().ok())
            .collect()
    }
}

/// A form of somebody who is signed in.
pub struct SessionForm {
    pub viewer: Viewer,
    pub fields: Fields,
}

/// A form of somebody who is not.
pub struct GuestForm {
    pub fields: Fields,
}

impl FromRequest for SessionForm {
    type Error = PageError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, PageError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, mut payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let fields = fields(&request, &mut payload).await?;
            let viewer = session::viewer(&request)
                .await?
                .ok_or_else(|| PageError::SignIn {
                    next: "/".to_owned(),
                })?;
            if !matches(fields.get("csrf"), &viewer.session.csrf_token) {
                return Err(FOREIGN);
            }
            Ok(Self { viewer, fields })
        })
    }
}

impl FromRequest for GuestForm {
    type Error = PageError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, PageError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, mut payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let site = request
                .app_data::<web::Data<Site>>()
                .cloned()
                .expect("the server registers the site with the routes");
            let fields = fields(&request, &mut payload).await?;
            if !matches(fields.get("csrf"), &Guest::of(&site, &request).csrf_token()) {
                return Err(FOREIGN);
            }
            Ok(Self { fields })
        })
    }
}

async fn fields(request: &HttpRequest, payload: &mut Payload) -> Result<Fields, PageError> {
    let content_type = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if !content_type
        .to_ascii_lowercase()
        .starts_with("application/x-www-form-urlencoded")
    {
        return Err(PageError::BadRequest("a form was expected".to_owned()));
    }
    let mut body = Vec::new();
    while let Some(part) = payload.next().await {
        let part = part.map_err(|_| unreadable())?;
        if body.len() + part.len() > MOST_BYTES {
            return Err(PageError::BadRequest("the form is too large".to_owned()));
        }
        body.extend_from_slice(&part);
    }
    Ok(Fields(
        url::form_urlencoded::parse(&body).into_owned().collect(),
    ))
}

/// Whether a form's token is that of somebody's session, for forms that are read another way than here.
pub(super) fn is_of(viewer: &Viewer, sent: &str) -> bool {
    matches(sent, &viewer.session.csrf_token)
}

fn unreadable() -> PageError {
    PageError::BadRequest("the form could not be read".to_owned())
}

/// A token as it stands in a page: masked anew each time, so that compressed pages give nothing of it away.
pub fn masked(token: &str) -> String {
    let secret = token.as_bytes();
    let mut mask = vec![0u8; secret.len()];
    getrandom::fill(&mut mask).expect("the operating system gives random bytes");
    let hidden: Vec<u8> = secret
        .iter()
        .zip(&mask)
        .map(|(secret, mask)| secret ^ mask)
        .collect();
    format!("{}{}", hex::encode(mask), hex::encode(hidden))
}

fn matches(sent: &str, token: &str) -> bool {
    let Ok(bytes) = hex::decode(sent) else {
        return false;
    };
    let (mask, hidden) = bytes.split_at(bytes.len() / 2);
    let secret: Vec<u8> = hidden
        .iter()
        .zip(mask)
        .map(|(hidden, mask)| hidden ^ mask)
        .collect();
    !token.is_empty() && bool::from(secret.ct_eq(token.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_masked_token_is_its_own_and_no_other() {
        let (one, other) = (masked("secret"), masked("secret"));
        assert_ne!(one, other);
        assert!(matches(&one, "secret") && matches(&other, "secret"));
        assert!(!matches(&one, "secre7"));
        for forged in ["", "zz", "00", "secret", &one[2..]] {
            assert!(!matches(forged, "secret"), "{forged}");
        }
        assert!(!matches("", ""));
    }

    #[test]
    fn fields_may_repeat() {
        let fields = Fields(vec![
            ("id".into(), "1".into()),
            ("id".into(), "x".into()),
            ("id".into(), "3".into()),
        ]);
        assert_eq!(fields.numbers("id"), [1, 3]);
        assert_eq!(fields.get("name"), "");
    }
}
