//! Deploys of a release. In: a token, names and a body. Out: deploys.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::{Place, deploy_json, time};
use crate::api::access::{Caller, app};
use crate::api::body::read_json;
use crate::api::cursor;
use crate::api::error::ApiError;
use crate::api::uploads::{READ, WRITE};
use crate::store::now_ms;
use crate::store::release_details::{self, Change, Deploy};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    environment: String,
    name: Option<String>,
    url: Option<String>,
    date_started: Option<String>,
    date_finished: Option<String>,
}

/// `GET /organizations/{org}/releases/{version}/deploys/`
pub async fn list(
    request: HttpRequest,
    caller: Caller,
    place: web::Path<Place>,
) -> Result<HttpResponse, ApiError> {
    caller.may(READ)?;
    let app = app(&request);
    let found = app
        .store
        .read(move |conn| {
            let scope = caller.organization(conn, &place.org)?;
            release_details::find(conn, &scope, None, place.version())?;
            release_details::deploys_of(conn, &scope, place.version())
        })
        .await?;
    cursor::page_of(app.base_url(), &request, found, deploy_json)
}

/// `POST /organizations/{org}/releases/{version}/deploys/`
pub async fn create(
    request: HttpRequest,
    caller: Caller,
    place: web::Path<Place>,
    body: web::Payload,
) -> Result<HttpResponse, ApiError> {
    caller.may(WRITE)?;
    let body: Body = serde_json::from_value(read_json(body).await?)
        .map_err(|error| ApiError::Invalid(error.to_string()))?;
    let deploy = deploy(body)?;
    let app = app(&request);
    let made = app
        .store
        .write(move |conn| {
            let scope = caller.organization(conn, &place.org)?;
            release_details::find(conn, &scope, None, place.version())?;
            let now = now_ms();
            // A release that only events have named gets its row here.
            release_details::put(conn, &scope, place.version(), &Change::default(), now)?;
            release_details::deploy(conn, &scope, place.version(), &deploy)
        })
        .await?;
    Ok(HttpResponse::Created().json(deploy_json(&made)))
}

fn deploy(body: Body) -> Result<Deploy, ApiError> {
    let field = |name: &str, problem: &str| ApiError::Field {
        name: name.to_owned(),
        problem: problem.to_owned(),
    };
    let environment = body.environment.trim().to_owned();
    if environment.is_empty()
        || environment.chars().count() > 64
        || environment.contains(['/', '\n', '\r', '\t', '\0'])
    {
        return Err(field(
            "environment",
            "1 to 64 characters without slashes and line breaks",
        ));
    }
    let text = |name: &str, text: Option<String>, most: usize| match text {
        Some(text) if text.chars().count() > most || text.contains('\0') => {
            Err(field(name, &format!("at most {most} characters")))
        }
        text => Ok(text.filter(|text| !text.is_empty())),
    };
    let moment = |name: &str, text: &Option<String>| match text {
        Some(text) => time(text)
            .map(Some)
            .ok_or_else(|| field(name, "no date and time")),
        None => Ok(None),
    };
    Ok(Deploy {
        id: 0,
        release_id: 0,
        environment,
        name: text("name", body.name, 64)?,
        url: text("url", body.url, 4096)?,
        date_started: moment("dateStarted", &body.date_started)?,
        date_finished: moment("dateFinished", &body.date_finished)?.unwrap_or_else(now_ms),
    })
}
