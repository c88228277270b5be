//! Who asks, and what they may. In: the Authorization header. Out: the caller, who is checked for a scope of the token
//! and, in the store, for the organization.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, web};

use super::error::ApiError;
use crate::app::App;
use crate::store::scope::{self, OrgScope};
use crate::store::tokens::{self, TokenOwner};
use crate::store::{Conn, StoreError};

/// The scopes that open an endpoint: any one of them does, as each family's stronger ones imply the weaker.
pub type Needs = &'static [&'static str];

pub const READ_ORGANIZATION: Needs = &["org:read", "org:write", "org:admin"];
pub const READ_PROJECT: Needs = &["project:read", "project:write", "project:admin"];
pub const WRITE_PROJECT: Needs = &["project:write", "project:admin"];
pub const DELETE_PROJECT: Needs = &["project:admin"];
pub const READ_EVENTS: Needs = &["event:read", "event:write", "event:admin"];
pub const WRITE_EVENTS: Needs = &["event:write", "event:admin"];
pub const DELETE_EVENTS: Needs = &["event:admin"];

/// Somebody with a token.
#[derive(Debug, Clone)]
pub struct Caller {
    pub owner: TokenOwner,
}

impl Caller {
    /// Refuses who has none of the scopes.
    pub fn may(&self, needs: Needs) -> Result<(), ApiError> {
        let has = |scope: &&str| self.owner.scopes.iter().any(|own| own == scope);
        if needs.iter().any(has) {
            Ok(())
        } else {
            Err(ApiError::Scope(needs.join(", ")))
        }
    }

    /// The caller's right to an organization, given by slug or number.
    pub fn organization(&self, conn: &mut Conn, name: &str) -> Result<OrgScope, StoreError> {
        match self.owner.user_id {
            Some(user_id) => scope::authorize(conn, user_id, name),
            None => scope::authorize_token(conn, self.owner.token_id, name),
        }
    }
}

impl FromRequest for Caller {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let token = bearer(request).map(str::to_owned);
        let app = app(request);
        Box::pin(async move {
            let token = token.ok_or(ApiError::NoToken)?;
            let owner = app
                .store
                .read(move |conn| tokens::owner(conn, &token))
                .await?;
            Ok(Self {
                owner: owner.ok_or(ApiError::BadToken)?,
            })
        })
    }
}

/// The shared handles.
pub fn app(request: &HttpRequest) -> Arc<App> {
    let app = request
        .app_data::<web::Data<Arc<App>>>()
        .expect("the server registers the application with the routes");
    Arc::clone(app)
}

fn bearer(request: &HttpRequest) -> Option<&str> {
    let value = request
        .headers()
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?;
    let (scheme, token) = value.trim().split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty()).then_some(token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn caller(scopes: &[&str]) -> Caller {
        Caller {
            owner: TokenOwner {
                token_id: 1,
                user_id: Some(1),
                organization_id: None,
                scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            },
        }
    }

    #[test]
    fn stronger_scopes_imply_weaker_ones() {
        for scope in ["event:read", "event:write", "event:admin"] {
            assert!(caller(&[scope]).may(READ_EVENTS).is_ok(), "{scope}");
        }
        assert!(caller(&["event:read"]).may(WRITE_EVENTS).is_err());
        assert!(
            caller(&["org:ci", "project:releases"])
                .may(READ_PROJECT)
                .is_err()
        );
        assert!(caller(&[]).may(READ_ORGANIZATION).is_err());
    }

    #[test]
    fn the_header_names_the_scheme() {
        let read = |text: &str| {
            let request = TestRequest::default()
                .insert_header(("authorization", text))
                .to_http_request();
            bearer(&request).map(str::to_owned)
        };
        assert_eq!(read("Bearer abc"), Some("abc".to_owned()));
        assert_eq!(read("bearer  abc "), Some("abc".to_owned()));
        for text in ["", "abc", "Basic abc", "Bearer ", "Bearer"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
