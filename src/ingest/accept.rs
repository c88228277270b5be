//! Who sends, and for which project. In: a request and the keys in memory. Out: an accepted sender, or the refusal.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::header;

use super::keys::Found;
use super::limits::{self, Quotas, Reached};
use super::reply::Refused;
use super::{Ingest, address};
use crate::protocol::auth::{self, Auth};
use crate::protocol::dsn::Dsn;
use crate::store::now_ms;

/// A sender whose key fits the project.
#[derive(Debug, Clone)]
pub struct Sender {
    pub project_id: i64,
    pub key_id: i64,
    pub public_key: String,
    pub client: String,
    pub remote_addr: Option<IpAddr>,
    /// The limits its events come under.
    pub quotas: Option<Quotas>,
}

/// The project number in a path such as `/api/4711/store/`; none where the path has none.
pub fn project_in_path(request: &HttpRequest) -> Result<Option<i64>, Refused> {
    let mut parts = request.path().split('/').skip(2);
    match (parts.next(), parts.next()) {
        // Ancient clients send to `/api/store/`.
        (Some("store"), None | Some("")) => Ok(None),
        (text, _) => text
            .unwrap_or_default()
            .parse()
            .map(Some)
            .map_err(|_| Refused::BadProject),
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

/// Checks a key against the project of the path. What is refused is remembered for the owner of the key or, where
/// nobody has it, of the project.
pub fn sender(
    request: &HttpRequest,
    ingest: &Ingest,
    auth: Auth,
    project: Option<i64>,
) -> Result<Sender, Refused> {
    let refuse = |project_id: i64, key_id: i64, refused: Refused| {
        let sdk = sdk(request, &auth.client);
        ingest.outcomes.refused(project_id, key_id, sdk, &refused);
        Err(refused)
    };
    let (key_id, project_id) = match ingest.keys.find(&auth.public_key) {
        Found::Active { key_id, project_id } => (key_id, project_id),
        Found::Disabled { key_id, project_id } => {
            return refuse(project_id, key_id, Refused::DisabledKey);
        }
        Found::Unknown => {
            let refused = Refused::UnknownKey;
            return Err(stranger(request, ingest, &auth, project, refused));
        }
        Found::NotLoaded => return Err(Refused::NotLoaded),
    };
    if let Some(asked) = project
        && asked != project_id
    {
        let own = project_id;
        return refuse(project_id, key_id, Refused::WrongProject { asked, own });
    }
    Ok(Sender {
        project_id,
        key_id,
        remote_addr: address::client(request, &ingest.trusted_proxies),
        quotas: ingest.limits.of(key_id),
        public_key: auth.public_key,
        client: auth.client,
    })
}

/// Tells the owner of the project in the address, if there is such a project, and gives the refusal back.
pub fn stranger(
    request: &HttpRequest,
    ingest: &Ingest,
    auth: &Auth,
    project: Option<i64>,
    refused: Refused,
) -> Refused {
    if let Some(project_id) = project.filter(|id| ingest.keys.has_project(*id)) {
        let sdk = sdk(request, &auth.client);
        match key_start(&auth.public_key) {
            Some(start) => ingest
                .outcomes
                .unknown_key(project_id, sdk, &refused, &start),
            None => ingest.outcomes.refused(project_id, 0, sdk, &refused),
        }
    }
    refused
}

/// Enough of an unknown key to find it in a configuration; nothing that is no key.
fn key_start(public_key: &str) -> Option<String> {
    let start: String = public_key
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .take(8)
        .collect();
    (start.len() == 8).then_some(start)
}

/// Counts and remembers that something of a known sender was refused.
pub fn refused(request: &HttpRequest, ingest: &Ingest, sender: &Sender, why: &Refused) {
    let sdk = sdk(request, &sender.client);
    ingest
        .outcomes
        .refused(sender.project_id, sender.key_id, sdk, why);
}

/// The same for what does not count as errors.
pub fn refused_items(
    request: &HttpRequest,
    ingest: &Ingest,
    sender: &Sender,
    category: &'static str,
    why: &Refused,
) {
    let sdk = sdk(request, &sender.client);
    ingest
        .outcomes
        .refused_items(sender.project_id, sender.key_id, sdk, category, why);
}

/// Counts an event against the limits of its sender, if there is room.
pub fn admit(sender: &Sender) -> Result<(), Refused> {
    match &sender.quotas {
        None => Ok(()),
        Some(quotas) => limits::admit(quotas, now_ms()).map_err(Refused::Limited),
    }
}

/// Takes back what [`admit`] counted, because it could not be kept.
pub fn give_back(sender: &Sender) {
    if let Some(quotas) = &sender.quotas {
        limits::give_back(quotas, now_ms());
    }
}

/// The limits that leave no room for another event of the sender.
pub fn reached(sender: &Sender) -> Option<Reached> {
    let quotas = sender.quotas.as_ref()?;
    limits::reached(quotas, now_ms())
}

/// What the sender calls itself.
pub fn sdk<'a>(request: &'a HttpRequest, client: &'a str) -> &'a str {
    if !client.is_empty() {
        return client;
    }
    request
        .headers()
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

/// The sender that the HTTP request names, for endpoints whose body names none.
pub fn sender_of_request(request: &HttpRequest, ingest: &Ingest) -> Result<Sender, Refused> {
    let project = project_in_path(request)?;
    match known_auth(request, ingest, project)? {
        Some(auth) => sender(request, ingest, auth, project),
        None => Err(stranger(
            request,
            ingest,
            &Auth::default(),
            project,
            Refused::MissingAuth,
        )),
    }
}

/// As [`auth_of`]; a request with two keys is told to the owner.
pub fn known_auth(
    request: &HttpRequest,
    ingest: &Ingest,
    project: Option<i64>,
) -> Result<Option<Auth>, Refused> {
    auth_of(request)
        .map_err(|refused| stranger(request, ingest, &Auth::default(), project, refused))
}

/// The `dsn` of an envelope header must say the same as the request.
pub fn check_dsn(sender: &Sender, dsn: &Dsn) -> Result<(), Refused> {
    if dsn.public_key == sender.public_key && dsn.project_id == sender.project_id {
        Ok(())
    } else {
        Err(Refused::DsnMismatch)
    }
}
