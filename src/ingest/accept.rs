//! Who sends, and for which project. In: a request and the keys in memory. Out: an accepted sender, or the refusal.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::header;

use super::keys::Found;
use super::reply::Refused;
use super::{Ingest, address};
use crate::protocol::auth::{self, Auth};
use crate::protocol::dsn::Dsn;

/// A sender whose key fits the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    pub project_id: i64,
    pub key_id: i64,
    pub public_key: String,
    pub client: String,
    pub remote_addr: Option<IpAddr>,
}

/// The project number in the path; none where the path has none.
pub fn project_in_path(request: &HttpRequest) -> Result<Option<i64>, Refused> {
    match request.match_info().get("project") {
        None => Ok(None),
        Some(text) => text.parse().map(Some).map_err(|_| Refused::BadProject),
    }
}

/// The key of the HTTP request, from its headers or its query string. The same key twice is fine.
pub fn auth_of(request: &HttpRequest) -> Result<Option<Auth>, Refused> {
    let header = |name: &str| {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
            .and_then(auth::from_header)
    };
    let from_path = request.match_info().get("key").map(|key| Auth {
        public_key: key.to_owned(),
        client: String::new(),
    });
    let found = [
        header("x-sentry-auth"),
        header(header::AUTHORIZATION.as_str()),
        auth::from_query(request.query_string()),
        from_path,
    ];
    let mut result: Option<Auth> = None;
    for auth in found.into_iter().flatten() {
        match &mut result {
            None => result = Some(auth),
            Some(first) if first.public_key != auth.public_key => return Err(Refused::DoubleAuth),
            Some(first) if first.client.is_empty() => first.client = auth.client,
            Some(_) => {}
        }
    }
    Ok(result)
}

/// Checks a key against the project of the path.
pub fn sender(
    request: &HttpRequest,
    ingest: &Ingest,
    auth: Auth,
    project: Option<i64>,
) -> Result<Sender, Refused> {
    let (key_id, project_id) = match ingest.keys.find(&auth.public_key) {
        Found::Active { key_id, project_id } => (key_id, project_id),
        Found::Disabled { key_id, project_id } => {
            ingest
                .outcomes
                .refused(project_id, key_id, &Refused::DisabledKey);
            return Err(Refused::DisabledKey);
        }
        Found::Unknown => return Err(Refused::UnknownKey),
        Found::NotLoaded => return Err(Refused::NotLoaded),
    };
    if project.is_some_and(|project| project != project_id) {
        ingest
            .outcomes
            .refused(project_id, key_id, &Refused::WrongProject);
        return Err(Refused::WrongProject);
    }
    Ok(Sender {
        project_id,
        key_id,
        public_key: auth.public_key,
        client: auth.client,
        remote_addr: address::client(request, &ingest.trusted_proxies),
    })
}

/// The sender that the HTTP request names, for endpoints whose body names none.
pub fn sender_of_request(request: &HttpRequest, ingest: &Ingest) -> Result<Sender, Refused> {
    let project = project_in_path(request)?;
    let auth = auth_of(request)?.ok_or(Refused::MissingAuth)?;
    sender(request, ingest, auth, project)
}

/// The `dsn` of an envelope header must say the same as the request.
pub fn check_dsn(sender: &Sender, dsn: &Dsn) -> Result<(), Refused> {
    if dsn.public_key == sender.public_key && dsn.project_id == sender.project_id {
        Ok(())
    } else {
        Err(Refused::DsnMismatch)
    }
}
