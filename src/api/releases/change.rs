//! Releases as builds make and change them. In: a token, names and a body. Out: the release.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::Value;

use super::{Place, check_version, release_json, time};
use crate::api::access::{Caller, Needs, app};
use crate::api::body::read_json_within;
use crate::api::error::ApiError;
use crate::api::uploads::WRITE;
use crate::app::App;
use crate::store::release_details::{
    self, ARCHIVED, Change, Commit, GivenCommit, MOST_FILES_OF_COMMIT, OPEN, Release, Touch,
    TouchedFile,
};
use crate::store::{StoreError, now_ms};

const DELETE: Needs = &["project:admin", "project:releases"];
/// Commits come with the files that each touched.
const MOST_BYTES: usize = 4 * 1024 * 1024;
const LONGEST_TEXT: usize = 4096;
/// Characters of the path of a file; longer ones are left out.
const LONGEST_PATH: usize = 1_000;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    version: Option<String>,
    projects: Option<Vec<Value>>,
    url: Option<String>,
    #[serde(rename = "ref")]
    reference: Option<String>,
    date_started: Option<String>,
    date_released: Option<String>,
    status: Option<String>,
    commits: Option<Vec<CommitBody>>,
    refs: Option<Vec<RefBody>>,
}

#[derive(Debug, Deserialize)]
struct CommitBody {
    id: String,
    message: Option<String>,
    author_name: Option<String>,
    author_email: Option<String>,
    timestamp: Option<String>,
    repository: Option<String>,
    patch_set: Option<Vec<FileBody>>,
}

#[derive(Debug, Deserialize)]
struct FileBody {
    #[serde(default)]
    path: String,
    #[serde(default, rename = "type")]
    kind: String,
}

#[derive(Debug, Deserialize)]
struct RefBody {
    commit: Option<String>,
}

async fn read(body: web::Payload) -> Result<Body, ApiError> {
    serde_json::from_value(read_json_within(body, MOST_BYTES).await?)
        .map_err(|error| ApiError::Invalid(error.to_string()))
}

/// `POST …/releases/`: makes a release (201), or changes the one there is (208).
pub async fn create(
    request: HttpRequest,
    caller: Caller,
    place: web::Path<Place>,
    body: web::Payload,
) -> Result<HttpResponse, ApiError> {
    caller.may(WRITE)?;
    let body = read(body).await?;
    let version = body.version.clone().unwrap_or_default();
    check_version(&version)?;
    let app = app(&request);
    let mut place = place.into_inner();
    place.version = Some(version);
    let (release, is_new) = put(&app, caller, place, body, false).await?;
    let mut answer = if is_new {
        HttpResponse::Created()
    } else {
        HttpResponse::AlreadyReported()
    };
    Ok(answer.json(release_json(&release)))
}

/// `PUT …/releases/{version}/`
pub async fn update(
    request: HttpRequest,
    caller: Caller,
    place: web::Path<Place>,
    body: web::Payload,
) -> Result<HttpResponse, ApiError> {
    caller.may(WRITE)?;
    let body = read(body).await?;
    let app = app(&request);
    let (release, _) = put(&app, caller, place.into_inner(), body, true).await?;
    Ok(HttpResponse::Ok().json(release_json(&release)))
}

/// `DELETE …/releases/{version}/`
pub async fn delete(
    request: HttpRequest,
    caller: Caller,
    place: web::Path<Place>,
) -> Result<HttpResponse, ApiError> {
    caller.may(DELETE)?;
    app(&request)
        .store
        .write(move |conn| {
            let scope = caller.organization(conn, &place.org)?;
            let project = place.project(conn, &scope)?;
            let release = release_details::find(conn, &scope, project, place.version())?;
            if release.first_seen.is_some() {
                return Err(StoreError::Conflict(
                    "This release has events and cannot be deleted; archive it".to_owned(),
                ));
            }
            release_details::delete(conn, &scope, place.version())
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn put(
    app: &App,
    caller: Caller,
    place: Place,
    body: Body,
    must_exist: bool,
) -> Result<(Release, bool), ApiError> {
    let wanted = change(&body)?;
    let attempt = || {
        let (caller, place, wanted) = (caller.clone(), place.clone(), wanted.clone());
        let named = body.projects.clone().unwrap_or_default();
        app.store.write(move |conn| {
            let scope = caller.organization(conn, &place.org)?;
            let of_path = place.project(conn, &scope)?;
            if must_exist {
                release_details::find(conn, &scope, of_path.clone(), place.version())?;
            }
            let mut wanted = wanted.clone();
            wanted.projects = of_path.into_iter().collect();
            for name in &named {
                let name = match name {
                    Value::String(name) => name.clone(),
                    other => other.to_string(),
                };
                match scope.project(conn, &name) {
                    Err(StoreError::NotFound) => {
                        return Err(StoreError::Invalid(format!("Invalid project {name}")));
                    }
                    found => {
                        let project = found?;
                        if !wanted.projects.contains(&project) {
                            wanted.projects.push(project);
                        }
                    }
                }
            }
            let now = now_ms();
            let is_new = release_details::put(conn, &scope, place.version(), &wanted, now)?;
            let release = release_details::find(conn, &scope, None, place.version())?;
            Ok((release, is_new))
        })
    };
    match attempt().await {
        // Builds that run side by side make the same release: the second one finds it.
        Err(error) if error.is_unique_violation() => Ok(attempt().await?),
        result => Ok(result?),
    }
}

fn change(body: &Body) -> Result<Change, ApiError> {
    let invalid = |text: String| ApiError::Invalid(text);
    let short = |name: &str, text: &Option<String>| match text {
        Some(text) if text.len() > LONGEST_TEXT || text.contains('\0') => Err(invalid(format!(
            "{name} is too long, or has a NUL character"
        ))),
        Some(text) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
        None => Ok(None),
    };
    let moment = |name: &str, text: &Option<String>| match text {
        Some(text) => time(text)
            .map(Some)
            .ok_or_else(|| invalid(format!("{name} is no date and time"))),
        None => Ok(None),
    };
    let status = match body.status.as_deref() {
        None => None,
        Some(OPEN) => Some(OPEN),
        Some(ARCHIVED) => Some(ARCHIVED),
        Some(other) => {
            return Err(invalid(format!(
                "'{other}' is not a status: open or archived"
            )));
        }
    };
    let of_refs = body
        .refs
        .iter()
        .flatten()
        .find_map(|one| one.commit.clone());
    let commits = body.commits.as_ref().map(|commits| {
        let kept = commits.iter().filter(|one| !one.id.is_empty());
        kept.take(release_details::MOST_COMMITS)
            .map(|one| GivenCommit {
                commit: commit(one),
                files: files(one),
            })
            .collect()
    });
    Ok(Change {
        projects: Vec::new(),
        url: short("url", &body.url)?,
        reference: short("ref", &body.reference.clone().or(of_refs))?,
        status,
        date_started: moment("dateStarted", &body.date_started)?,
        date_released: moment("dateReleased", &body.date_released)?,
        commits,
    })
}

fn commit(body: &CommitBody) -> Commit {
    let cut = |text: &str, most: usize| {
        text.replace('\0', "")
            .chars()
            .take(most)
            .collect::<String>()
    };
    let short = |text: &Option<String>| text.as_deref().map(|text| cut(text, 200));
    Commit {
        release_id: 0,
        position: 0,
        commit_id: cut(&body.id, 64),
        message: cut(body.message.as_deref().unwrap_or_default(), LONGEST_TEXT),
        author_name: short(&body.author_name),
        author_email: short(&body.author_email),
        committed_at: body.timestamp.as_deref().and_then(time),
        repository: short(&body.repository),
    }
}

/// The files that a commit touched; those that cannot be told apart from others or are of no known kind are left out.
fn files(body: &CommitBody) -> Vec<TouchedFile> {
    let all = body.patch_set.iter().flatten();
    let known = all.filter_map(|file| {
        let is_odd = file.path.is_empty()
            || file.path.contains('\0')
            || file.path.chars().count() > LONGEST_PATH;
        let touch = Touch::parse(&file.kind).filter(|_| !is_odd)?;
        let path = file.path.clone();
        Some(TouchedFile { path, touch })
    });
    known.take(MOST_FILES_OF_COMMIT).collect()
}
