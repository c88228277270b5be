//! The keys of a project. In: a token, names and, for changes, a body. Out: keys with their DSNs and limits. A change needs
//! a stronger scope of the token and, of its user, the role of an admin.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::access::{Caller, DELETE_PROJECT, READ_PROJECT, WRITE_PROJECT, app};
use super::body::read_json;
use super::cursor;
use super::error::ApiError;
use super::format;
use super::params::Params;
use crate::app::App;
use crate::protocol::dsn::Dsn;
use crate::store::accounts::{Project, ProjectKey};
use crate::store::project_keys::{self, Change, Limits};
use crate::store::scope::Role;
use crate::store::{StoreError, now_ms};

/// The only window of a `rateLimit`, in seconds.
const MINUTE: i64 = 60;

type ProjectPath = web::Path<(String, String)>;
type KeyPath = web::Path<(String, String, String)>;

/// `GET /projects/{org}/{project}/keys/`
pub async fn list(
    request: HttpRequest,
    caller: Caller,
    path: ProjectPath,
) -> Result<HttpResponse, ApiError> {
    caller.may(READ_PROJECT)?;
    let params = Params::read(request.query_string());
    let (cursor, size) = (params.cursor()?, params.page_size()?);
    let (organization, name) = path.into_inner();
    let app = app(&request);
    let keys = app
        .store
        .read(move |conn| {
            let scope = caller.organization(conn, &organization)?;
            let project = scope.project(conn, &name)?;
            project_keys::list(conn, project.id)
        })
        .await?;
    let (keys, neighbours) = cursor::slice(keys, cursor, size);
    let rows: Vec<Value> = keys
        .iter()
        .map(|key| key_json(key, app.base_url()))
        .collect();
    Ok(cursor::page(
        app.base_url(),
        request.path(),
        &params,
        neighbours,
        &rows,
    ))
}

/// `GET /projects/{org}/{project}/keys/{key}/`
pub async fn show(
    request: HttpRequest,
    caller: Caller,
    path: KeyPath,
) -> Result<HttpResponse, ApiError> {
    caller.may(READ_PROJECT)?;
    let (organization, project, name) = path.into_inner();
    let app = app(&request);
    let key = app
        .store
        .read(move |conn| {
            let scope = caller.organization(conn, &organization)?;
            let project = scope.project(conn, &project)?;
            project_keys::find(conn, &project, &name)
        })
        .await?;
    Ok(HttpResponse::Ok().json(key_json(&key, app.base_url())))
}

/// `POST /projects/{org}/{project}/keys/`
pub async fn create(
    request: HttpRequest,
    caller: Caller,
    path: ProjectPath,
    body: web::Payload,
) -> Result<HttpResponse, ApiError> {
    caller.may(WRITE_PROJECT)?;
    let wanted = wanted(&read_json(body).await?, Limits::default())?;
    let (organization, project) = path.into_inner();
    let app = app(&request);
    let project = changeable(&app, caller, organization, project).await?;
    let key = app
        .store
        .write(move |conn| {
            let label = wanted.label.as_deref().unwrap_or("Key");
            let key =
                project_keys::create(conn, &project, label, wanted.limits.unwrap_or_default())?;
            match wanted.is_active {
                Some(false) => project_keys::change(conn, &project, &key, &wanted),
                _ => Ok(key),
            }
        })
        .await?;
    Ok(HttpResponse::Created().json(key_json(&key, app.base_url())))
}

/// `PUT /projects/{org}/{project}/keys/{key}/`
pub async fn update(
    request: HttpRequest,
    caller: Caller,
    path: KeyPath,
    body: web::Payload,
) -> Result<HttpResponse, ApiError> {
    caller.may(WRITE_PROJECT)?;
    let body = read_json(body).await?;
    // A body that makes no sense is refused before anything is looked up.
    wanted(&body, Limits::default())?;
    let (organization, project, name) = path.into_inner();
    let app = app(&request);
    let project = changeable(&app, caller, organization, project).await?;
    let key = app
        .store
        .write(move |conn| {
            let key = project_keys::find(conn, &project, &name)?;
            let known = Limits {
                minute: key.minute_limit,
                month: key.month_limit,
            };
            let change =
                wanted(&body, known).map_err(|error| StoreError::Invalid(error.to_string()))?;
            project_keys::change(conn, &project, &key, &change)
        })
        .await?;
    Ok(HttpResponse::Ok().json(key_json(&key, app.base_url())))
}

/// `DELETE /projects/{org}/{project}/keys/{key}/`
pub async fn delete(
    request: HttpRequest,
    caller: Caller,
    path: KeyPath,
) -> Result<HttpResponse, ApiError> {
    caller.may(DELETE_PROJECT)?;
    let (organization, project, name) = path.into_inner();
    let app = app(&request);
    let project = changeable(&app, caller, organization, project).await?;
    app.store
        .write(move |conn| {
            let key = project_keys::find(conn, &project, &name)?;
            project_keys::delete(conn, &project, &key)
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// A project whose keys the caller may change.
async fn changeable(
    app: &App,
    caller: Caller,
    organization: String,
    project: String,
) -> Result<Project, ApiError> {
    let (role, project) = app
        .store
        .read(move |conn| {
            let scope = caller.organization(conn, &organization)?;
            Ok((scope.role(), scope.project(conn, &project)?))
        })
        .await?;
    if role < Role::Admin {
        return Err(ApiError::Role(
            "only admins, managers and owners change keys",
        ));
    }
    Ok(project)
}

/// What a body asks for. Limits that it does not mention stay as they are known.
fn wanted(body: &Value, known: Limits) -> Result<Change, ApiError> {
    let invalid = |text: &str| Err(ApiError::Invalid(text.to_owned()));
    let Value::Object(fields) = body else {
        return invalid("the body is a JSON object");
    };
    let mut change = Change::default();
    // The API calls it name, and label in its answers.
    match fields.get("name").or_else(|| fields.get("label")) {
        None | Some(Value::Null) => {}
        Some(Value::String(name)) => change.label = Some(name.clone()),
        Some(_) => return invalid("name is a text"),
    }
    match fields.get("isActive") {
        None | Some(Value::Null) => {}
        Some(Value::Bool(is_active)) => change.is_active = Some(*is_active),
        Some(_) => return invalid("isActive is true or false"),
    }
    let mut limits = known;
    match fields.get("rateLimit") {
        None => {}
        Some(Value::Null) => limits.minute = None,
        Some(given) => {
            let number = |name: &str| given.get(name).and_then(Value::as_i64);
            match (number("window"), number("count")) {
                (Some(0), Some(_)) | (Some(_), Some(0)) => limits.minute = None,
                (Some(MINUTE), Some(count)) => limits.minute = Some(count),
                _ => {
                    return invalid(
                        "rateLimit is null or has a window of 60 seconds and a count; a limit of a month is limits.month",
                    );
                }
            }
        }
    }
    match fields.get("limits") {
        None | Some(Value::Null) => {}
        Some(Value::Object(given)) => {
            for (name, limit) in [("minute", &mut limits.minute), ("month", &mut limits.month)] {
                match given.get(name) {
                    None => {}
                    Some(Value::Null) => *limit = None,
                    Some(count) if count.as_i64().is_some() => *limit = count.as_i64(),
                    Some(_) => {
                        return invalid("limits.minute and limits.month are numbers or null");
                    }
                }
            }
        }
        Some(_) => return invalid("limits has minute and month"),
    }
    limits.checked()?;
    if limits != known {
        change.limits = Some(limits);
    }
    Ok(change)
}

/// A key has no secret part any more; clients that still ask for a secret DSN get the one that works.
fn key_json(key: &ProjectKey, base_url: &str) -> Value {
    let dsn = Dsn {
        base_url: base_url.to_owned(),
        public_key: key.public_key.clone(),
        project_id: key.project_id,
    };
    let endpoint = |name: &str| {
        format!(
            "{base_url}/api/{}/{name}/?sentry_key={}",
            key.project_id, key.public_key
        )
    };
    json!({
        "id": key.public_key,
        "name": key.label,
        "label": key.label,
        "public": key.public_key,
        "secret": null,
        "projectId": key.project_id,
        "isActive": key.is_active && key.expires_at.is_none_or(|at| at > now_ms()),
        "rateLimit": key.minute_limit.filter(|count| *count > 0).map(|count| json!({"window": MINUTE, "count": count})),
        "limits": {"minute": key.minute_limit, "month": key.month_limit},
        "dateExpires": format::maybe_time(key.expires_at),
        "dsn": {
            "public": dsn.to_string(),
            "secret": dsn.to_string(),
            "csp": endpoint("security"),
            "security": endpoint("security"),
            "minidump": endpoint("minidump"),
        },
        "dateCreated": format::time(key.created_at),
        "browserSdkVersion": null,
        "dynamicSdkLoaderOptions": {"hasReplay": false, "hasPerformance": false, "hasDebug": false},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_say_what_to_change() {
        let known = Limits {
            minute: Some(5),
            month: Some(100),
        };
        let read = |body: Value| wanted(&body, known).expect("fine");
        assert_eq!(read(json!({})), Change::default());
        let change =
            read(json!({"name": "CI", "isActive": false, "rateLimit": {"window": 60, "count": 7}}));
        assert_eq!(change.label.as_deref(), Some("CI"));
        assert_eq!(change.is_active, Some(false));
        let limits = |minute, month| Some(Limits { minute, month });
        assert_eq!(change.limits, limits(Some(7), Some(100)));
        assert_eq!(
            read(json!({"rateLimit": null})).limits,
            limits(None, Some(100))
        );
        let zero = read(json!({"rateLimit": {"window": 0, "count": 0}}));
        assert_eq!(zero.limits, limits(None, Some(100)));
        let month = read(json!({"limits": {"month": null}}));
        assert_eq!(month.limits, limits(Some(5), None));
        for body in [
            json!([]),
            json!({"name": 1}),
            json!({"isActive": "yes"}),
            json!({"rateLimit": {"window": 3600, "count": 7}}),
            json!({"rateLimit": 7}),
            json!({"limits": {"minute": "many"}}),
            json!({"limits": {"minute": -1}}),
        ] {
            assert!(wanted(&body, known).is_err(), "{body}");
        }
    }
}
