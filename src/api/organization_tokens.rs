//! Tokens of an organization, for builds. In: a token of an admin, and a name. Out: tokens; the secret once, when one is made.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::access::{Caller, Needs, READ_ORGANIZATION, app};
use super::body::read_json;
use super::cursor;
use super::error::ApiError;
use super::format;
use crate::store::scope::{OrgScope, Role};
use crate::store::tokens::{self, ORGANIZATION_SCOPE, OrganizationToken};
use crate::store::{Conn, StoreError};

const WRITE: Needs = &["org:write", "org:admin"];

fn token_json(token: &OrganizationToken) -> Value {
    json!({
        "id": token.id.to_string(),
        "name": token.name,
        "scopes": [ORGANIZATION_SCOPE],
        "tokenLastCharacters": token.last_four,
        "dateCreated": format::time(token.created_at),
    })
}

/// The organization, for who may change it; none for members without that right.
fn as_admin(
    conn: &mut Conn,
    caller: &Caller,
    organization: &str,
) -> Result<Option<OrgScope>, StoreError> {
    let scope = caller.organization(conn, organization)?;
    Ok(Some(scope).filter(|scope| scope.role() >= Role::Admin))
}

const NO_ADMIN: ApiError = ApiError::Role("tokens of an organization are for its admins");

/// `GET /organizations/{org}/org-auth-tokens/`
pub async fn list(
    request: HttpRequest,
    caller: Caller,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    caller.may(READ_ORGANIZATION)?;
    let organization = path.into_inner();
    let app = app(&request);
    let found = app
        .store
        .read(move |conn| {
            let scope = caller.organization(conn, &organization)?;
            tokens::of_organization(conn, &scope)
        })
        .await?;
    cursor::page_of(app.base_url(), &request, found, token_json)
}

/// `POST /organizations/{org}/org-auth-tokens/`
pub async fn create(
    request: HttpRequest,
    caller: Caller,
    path: web::Path<String>,
    body: web::Payload,
) -> Result<HttpResponse, ApiError> {
    caller.may(WRITE)?;
    let body = read_json(body).await?;
    let name = body["name"].as_str().unwrap_or_default().trim().to_owned();
    if name.is_empty() || name.chars().count() > 200 || name.chars().any(char::is_control) {
        return Err(ApiError::Field {
            name: "name".to_owned(),
            problem: "1 to 200 characters".to_owned(),
        });
    }
    let organization = path.into_inner();
    let app = app(&request);
    let base_url = app.base_url().to_owned();
    let made = app
        .store
        .write(move |conn| {
            let scope = as_admin(conn, &caller, &organization)?;
            scope
                .map(|scope| tokens::create_organization_token(conn, &scope, &name, &base_url))
                .transpose()
        })
        .await?;
    let (token, secret) = made.ok_or(NO_ADMIN)?;
    let mut answer = token_json(&token);
    answer["token"] = json!(secret);
    Ok(HttpResponse::Created().json(answer))
}

/// `DELETE /organizations/{org}/org-auth-tokens/{id}/`
pub async fn delete(
    request: HttpRequest,
    caller: Caller,
    path: web::Path<(String, i64)>,
) -> Result<HttpResponse, ApiError> {
    caller.may(WRITE)?;
    let (organization, id) = path.into_inner();
    let gone = app(&request)
        .store
        .write(move |conn| {
            let scope = as_admin(conn, &caller, &organization)?;
            scope
                .map(|scope| tokens::revoke(conn, &scope, id))
                .transpose()
        })
        .await?;
    gone.ok_or(NO_ADMIN)?;
    Ok(HttpResponse::NoContent().finish())
}
