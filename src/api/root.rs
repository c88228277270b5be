//! Who am I. In: a token. Out: its user and scopes; and the health answer that some clients ask for first.

use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use super::access::{Caller, app};
use super::error::ApiError;
use super::format;
use crate::store::accounts::{self, User};

/// `GET /api/0/`. Without a token it only tells the version; with an unknown one it must refuse, as a login tries it so.
pub async fn index(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    use actix_web::FromRequest;
    let caller = match Caller::extract(&request).await {
        Ok(caller) => caller,
        Err(ApiError::NoToken) => {
            return Ok(HttpResponse::Ok().json(json!({"version": "0", "auth": null, "user": null})));
        }
        Err(error) => return Err(error),
    };
    let user = match caller.owner.user_id {
        Some(_) => user_json(&user_of(&request, &caller).await?),
        None => Value::Null,
    };
    let answer = json!({"version": "0", "auth": {"scopes": caller.owner.scopes}, "user": user});
    Ok(HttpResponse::Ok().json(answer))
}

/// `GET /api/0/auth/`: the user behind the token.
pub async fn user(request: HttpRequest, caller: Caller) -> Result<HttpResponse, ApiError> {
    let user = user_of(&request, &caller).await?;
    Ok(HttpResponse::Ok().json(user_json(&user)))
}

/// `GET /api/0/internal/health/`: the request was answered and the token is good, which is what is asked.
pub async fn health(_: Caller) -> HttpResponse {
    HttpResponse::Ok().json(json!({"healthy": {"database": true}, "problems": []}))
}

async fn user_of(request: &HttpRequest, caller: &Caller) -> Result<User, ApiError> {
    let user_id = caller.owner.user_id.ok_or(ApiError::NotFound)?;
    let user = app(request)
        .store
        .read(move |conn| accounts::user_by_id(conn, user_id))
        .await?;
    Ok(user)
}

fn user_json(user: &User) -> Value {
    json!({
        "id": user.id.to_string(),
        "name": user.name,
        "email": user.email,
        "username": user.email,
        "isActive": user.is_active,
        "isSuperuser": user.is_superuser,
        "dateJoined": format::time(user.created_at),
    })
}
