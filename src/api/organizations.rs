//! Organizations. In: a token. Out: those its user belongs to, and one of them.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::access::{Caller, READ_ORGANIZATION, app};
use super::cursor;
use super::error::ApiError;
use super::format;
use super::params::Params;
use super::projects;
use crate::store::accounts::Organization;
use crate::store::scope::{self, Role};

/// `GET /organizations/`
pub async fn list(request: HttpRequest, caller: Caller) -> Result<HttpResponse, ApiError> {
    caller.may(READ_ORGANIZATION)?;
    let params = Params::read(request.query_string());
    let (cursor, size) = (params.cursor()?, params.page_size()?);
    let app = app(&request);
    let Some(user_id) = caller.owner.user_id else {
        return Err(ApiError::NotFound);
    };
    let found = app
        .store
        .read(move |conn| scope::organizations_of(conn, user_id))
        .await?;
    let (found, neighbours) = cursor::slice(found, cursor, size);
    let rows: Vec<Value> = found
        .iter()
        .map(|organization| summary(organization, app.base_url()))
        .collect();
    Ok(cursor::page(
        app.base_url(),
        request.path(),
        &params,
        neighbours,
        &rows,
    ))
}

/// `GET /organizations/{org}/`; with `detailed=0` without its projects.
pub async fn show(
    request: HttpRequest,
    caller: Caller,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    caller.may(READ_ORGANIZATION)?;
    let params = Params::read(request.query_string());
    let name = path.into_inner();
    let (app, asker) = (app(&request), caller.clone());
    let (scope, list, environments) = app
        .store
        .read(move |conn| {
            let scope = asker.organization(conn, &name)?;
            let list = scope.projects(conn)?;
            let environments = crate::store::named::environments(conn, &scope)?;
            Ok((scope, list, environments))
        })
        .await?;
    let mut answer = summary(scope.organization(), app.base_url());
    answer["access"] = json!(caller.owner.scopes);
    answer["role"] = json!(role_id(scope.role()));
    answer["orgRole"] = json!(role_id(scope.role()));
    answer["orgRoleList"] = ROLES
        .iter()
        .map(|role| json!({"id": role_id(*role), "name": role_name(*role)}))
        .collect();
    answer["teamRoleList"] = json!([]);
    answer["teams"] = json!([]);
    if params.get("detailed") != Some("0") {
        answer["projects"] = list
            .iter()
            .map(|project| projects::summary(project, &environments))
            .collect();
    }
    Ok(HttpResponse::Ok().json(answer))
}

/// An organization as lists show it.
pub fn summary(organization: &Organization, base_url: &str) -> Value {
    json!({
        "id": organization.id.to_string(),
        "slug": organization.slug,
        "name": organization.name,
        "dateCreated": format::time(organization.created_at),
        "status": {"id": "active", "name": "active"},
        "isEarlyAdopter": false,
        "require2FA": false,
        "requireEmailVerification": false,
        "features": [],
        "avatar": {"avatarType": "letter_avatar", "avatarUuid": null},
        "links": {
            "organizationUrl": format!("{base_url}/{}/", organization.slug),
            "regionUrl": base_url,
        },
    })
}

const ROLES: [Role; 4] = [Role::Member, Role::Admin, Role::Manager, Role::Owner];

const fn role_id(role: Role) -> &'static str {
    match role {
        Role::Member => "member",
        Role::Admin => "admin",
        Role::Manager => "manager",
        Role::Owner => "owner",
    }
}

const fn role_name(role: Role) -> &'static str {
    match role {
        Role::Member => "Member",
        Role::Admin => "Admin",
        Role::Manager => "Manager",
        Role::Owner => "Owner",
    }
}
