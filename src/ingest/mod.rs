//! HTTP in: from a request of an SDK to a record in the journal and an answer.
//! In: requests under `/api/{project}/…`. Out: 200 once the bytes are on the disk, or a status that says why not.
//! Nothing here waits for the database or Redis.

mod accept;
mod address;
mod attachments;
mod beside;
mod body;
mod durable;
mod envelope;
pub mod items;
pub mod keys;
pub mod limits;
mod measured;
mod minidump;
mod mirrored;
mod not_kept;
pub mod outcome;
mod reply;
mod security;
mod store_endpoint;

use std::net::IpAddr;
use std::sync::Arc;

use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::{FromRequest as _, HttpRequest, ResponseError as _, web};

use crate::journal::Journal;
use crate::mirror::Mirror;
use crate::telemetry::metrics::Endpoint;
use keys::Keys;
use limits::Limits;
use measured::measured;
use outcome::Outcomes;

/// What the endpoints share.
pub struct Ingest {
    pub keys: Arc<Keys>,
    pub limits: Arc<Limits>,
    pub journal: Journal,
    pub outcomes: Arc<Outcomes>,
    pub trusted_proxies: Vec<IpAddr>,
    pub bodies: body::Budget,
    pub mirror: Arc<Mirror>,
}

impl Ingest {
    pub fn new(
        keys: Arc<Keys>,
        limits: Arc<Limits>,
        journal: Journal,
        outcomes: Arc<Outcomes>,
        trusted_proxies: Vec<IpAddr>,
        mirror: Arc<Mirror>,
    ) -> Self {
        Self {
            keys,
            limits,
            journal,
            outcomes,
            trusted_proxies,
            bodies: body::Budget::default(),
            mirror,
        }
    }
}

/// The short way of the requests that come in masses: an envelope is told by its path, without asking each route.
pub fn is_envelope(request: &ServiceRequest) -> bool {
    let project = request.path().strip_prefix("/api/").and_then(|rest| {
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        rest.strip_suffix("/envelope")
    });
    request.method() == Method::POST
        && project.is_some_and(|project| !project.is_empty() && !project.contains('/'))
}

/// Answers what [`is_envelope`] recognised.
pub async fn answer_envelope(
    request: ServiceRequest,
    ingest: web::Data<Ingest>,
) -> Result<ServiceResponse, actix_web::Error> {
    let (request, mut payload) = request.into_parts();
    let payload = web::Payload::from_request(&request, &mut payload).await?;
    let answer = envelope::post(request.clone(), payload, ingest);
    let response = measured(Endpoint::Envelope, answer)
        .await
        .unwrap_or_else(|refused| refused.error_response());
    Ok(ServiceResponse::new(request, response))
}

/// The routes of ingest. Both forms of each path are served: SDKs do not follow redirects.
pub fn configure(cfg: &mut web::ServiceConfig) {
    let both = |path: &str| [format!("{path}/"), path.to_owned()];
    for path in both("/api/{project}/envelope") {
        // Its POST has come by the short way.
        cfg.service(
            web::resource(path)
                .route(reply::preflight())
                .default_service(reply::not_allowed()),
        );
    }
    for path in both("/api/{project}/store")
        .into_iter()
        .chain(both("/api/store"))
    {
        cfg.service(
            web::resource(path)
                .route(web::post().to(|request: HttpRequest, payload, ingest| {
                    measured(
                        Endpoint::Store,
                        store_endpoint::post(request, payload, ingest),
                    )
                }))
                .route(web::get().to(|request: HttpRequest, ingest| {
                    measured(Endpoint::Store, store_endpoint::get(request, ingest))
                }))
                .route(reply::preflight())
                .default_service(reply::not_allowed()),
        );
    }
    for path in security::PATHS.into_iter().flat_map(both) {
        cfg.service(
            web::resource(path)
                .route(web::post().to(|request: HttpRequest, payload, ingest| {
                    measured(Endpoint::Security, security::post(request, payload, ingest))
                }))
                .route(reply::preflight())
                .default_service(reply::not_allowed()),
        );
    }
    for path in both("/api/{project}/minidump") {
        cfg.service(
            web::resource(path)
                .route(web::post().to(|request: HttpRequest, payload, ingest| {
                    measured(Endpoint::Minidump, minidump::post(request, payload, ingest))
                }))
                .route(reply::preflight())
                .default_service(reply::not_allowed()),
        );
    }
    for path in both("/api/{project}/events/{event}/attachments") {
        cfg.service(
            web::resource(path)
                .route(web::post().to(|request: HttpRequest, payload, ingest| {
                    measured(
                        Endpoint::Attachments,
                        attachments::post(request, payload, ingest),
                    )
                }))
                .route(reply::preflight())
                .default_service(reply::not_allowed()),
        );
    }
    for endpoint in not_kept::ENDPOINTS {
        for path in both(endpoint.path) {
            let mut resource = web::resource(path)
                .route(reply::preflight())
                .default_service(reply::not_allowed());
            resource = resource.route(web::post().to(move |request, payload, state| {
                measured(
                    Endpoint::NotKept,
                    not_kept::answer(endpoint, request, payload, state),
                )
            }));
            if endpoint.also_get {
                resource = resource.route(web::get().to(move |request, payload, state| {
                    measured(
                        Endpoint::NotKept,
                        not_kept::answer(endpoint, request, payload, state),
                    )
                }));
            }
            cfg.service(resource);
        }
    }
}
