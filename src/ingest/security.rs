//! `/api/{project}/security/` and its old name `csp-report/`, to which browsers report by themselves. In: reports of any
//! generation. Out: each as an event in the journal, and an empty 200; processing makes sense of them.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::future::join_all;
use serde::Serialize;

use super::accept::{self, Sender};
use super::envelope::append_event;
use super::items::{self, SECURITY};
use super::limits::Reached;
use super::reply::{self, Refused};
use super::{Ingest, body, limits, mirrored};
use crate::mirror::Body;
use crate::model::event::ReportKind;
use crate::protocol::event_id::EventId;
use crate::protocol::json::Object;
use crate::protocol::security::{self, Report, Reports};
use crate::store::now_ms;

pub const PATHS: [&str; 2] = ["/api/{project}/security", "/api/{project}/csp-report"];

const TYPES: [&str; 5] = [
    "application/json",
    "application/csp-report",
    "application/reports+json",
    "application/expect-ct-report",
    "application/expect-ct-report+json",
];

pub async fn post(
    request: HttpRequest,
    payload: web::Payload,
    ingest: web::Data<Ingest>,
) -> Result<HttpResponse, Refused> {
    let sender = accept::sender_of_request(&request, &ingest)?;
    if !TYPES.contains(&content_type(&request).as_str()) {
        return Ok(reply::empty(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    // Beyond a limit the body is not even read.
    let kept = match reached(&sender) {
        Some(reached) => Err(Refused::Limited(reached)),
        None => match body::read(&request, payload, &ingest.bodies).await {
            Ok(body) => keep(&request, &ingest, &sender, &body.bytes).await,
            Err(refused) => Err(refused),
        },
    };
    match kept {
        Ok(()) => Ok(reply::empty_accepted(reached(&sender).as_ref())),
        Err(refused) => {
            accept::refused_items(&request, &ingest, &sender, SECURITY, &refused);
            Err(refused)
        }
    }
}

fn content_type(request: &HttpRequest) -> String {
    let kind = header(request, "content-type").unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default();
    kind.trim().to_ascii_lowercase()
}

fn header<'r>(request: &'r HttpRequest, name: &str) -> Option<&'r str> {
    request.headers().get(name)?.to_str().ok()
}

fn reached(sender: &Sender) -> Option<Reached> {
    accept::reached(sender).map(|reached| reached.of(SECURITY))
}

/// Puts all reports into the journal together, so that they wait for one sync. What a limit leaves no room for is counted;
/// refused is the request only if nothing of it was kept.
async fn keep(
    request: &HttpRequest,
    ingest: &Ingest,
    sender: &Sender,
    body: &[u8],
) -> Result<(), Refused> {
    if body.len() > limits::EVENT {
        return Err(Refused::TooLarge("security reports have at most 1 MiB"));
    }
    if body.trim_ascii().is_empty() {
        return Err(Refused::Malformed("empty report".into()));
    }
    let Reports {
        kept: reports,
        skipped,
        surplus,
    } = security::read(body).map_err(|error| Refused::Malformed(error.to_string()))?;
    let kind = items::kind("security");
    let (project_id, key_id) = (sender.project_id, sender.key_id);
    ingest.outcomes.not_kept(project_id, key_id, kind, skipped);
    ingest.outcomes.too_large(project_id, key_id, kind, surplus);
    let sent = Sent::of(request);
    let events: Vec<(EventId, Vec<u8>)> = reports
        .iter()
        .map(|report| (EventId::random(), sent.event(report)))
        .collect();
    let appending = events
        .iter()
        .map(|(id, event)| append_event(ingest, sender, *id, None, event));
    let mut any_kept = false;
    let mut limited = Vec::new();
    for (result, (id, event)) in join_all(appending).await.into_iter().zip(&events) {
        match result {
            Ok(()) => {
                any_kept = true;
                mirrored::copy(
                    ingest,
                    request,
                    sender.project_id,
                    Some(*id),
                    Body::Event(event),
                );
            }
            Err(Refused::Limited(reached)) => limited.push(Refused::Limited(reached.of(SECURITY))),
            // Nobody sends reports again, so nothing is stored twice.
            Err(refused) => return Err(refused),
        }
    }
    let whole = if any_kept { None } else { limited.pop() };
    for refused in &limited {
        accept::refused_items(request, ingest, sender, SECURITY, refused);
    }
    whole.map_or(Ok(()), Err)
}

/// What the request says about all of its reports.
struct Sent<'r> {
    release: Option<String>,
    environment: Option<String>,
    agent: Option<&'r str>,
    origin: Option<&'r str>,
}

/// An event as an SDK would send it.
#[derive(Serialize)]
struct ReportEvent<'e> {
    platform: &'static str,
    logger: &'static str,
    timestamp: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    release: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<&'e str>,
    user: User,
    request: Request<'e>,
    #[serde(flatten)]
    report: Named<'e>,
}

/// Browsers name nobody: the address is all there is, and processing fills it in.
#[derive(Serialize)]
struct User {
    ip_address: &'static str,
}

#[derive(Serialize)]
struct Request<'e> {
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    headers: Vec<(&'static str, &'e str)>,
}

/// The report under the name of its kind.
struct Named<'e>(ReportKind, &'e Object<'e>);

impl Serialize for Named<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(kind, fields) = self;
        serializer.collect_map([(kind.as_str(), fields)])
    }
}

impl<'r> Sent<'r> {
    fn of(request: &'r HttpRequest) -> Self {
        let query = |wanted: &str| {
            url::form_urlencoded::parse(request.query_string().as_bytes())
                .find(|(name, value)| name == wanted && !value.is_empty())
                .map(|(_, value)| value.into_owned())
        };
        Self {
            release: query("sentry_release"),
            environment: query("sentry_environment"),
            agent: header(request, "user-agent"),
            origin: header(request, "origin"),
        }
    }

    fn event(&self, report: &Report<'_>) -> Vec<u8> {
        let agent = self.agent.or(report.user_agent.as_deref());
        let headers = [("User-Agent", agent), ("Origin", self.origin)];
        let event = ReportEvent {
            platform: "other",
            logger: report.kind.as_str(),
            timestamp: (now_ms() - report.age_ms) as f64 / 1000.0,
            release: self.release.as_deref(),
            environment: self.environment.as_deref(),
            user: User {
                ip_address: "{{auto}}",
            },
            request: Request {
                url: address(report),
                headers: headers
                    .into_iter()
                    .filter_map(|(name, value)| Some((name, value?)))
                    .collect(),
            },
            report: Named(report.kind, &report.fields),
        };
        serde_json::to_vec(&event).expect("plain values go into memory")
    }
}

/// The page, or the server whose certificate it is about.
fn address(report: &Report<'_>) -> Option<String> {
    let field = |name: &str| {
        let mut fields = report.fields.0.iter();
        fields.find_map(|(key, value)| {
            let found = security::spelling(key) == name;
            found.then(|| value.as_str()).flatten()
        })
    };
    match report.kind {
        ReportKind::Csp => field("document_uri").map(str::to_owned),
        _ => field("hostname").map(|host| format!("https://{host}/")),
    }
}
