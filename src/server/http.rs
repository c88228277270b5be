//! HTTP assembly. In: a listener and the roles. Out: a server with ingest, health, the JSON API and the dashboard.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{Server, Service as _};
use actix_web::middleware::from_fn;
use actix_web::{App as HttpApp, HttpServer, web};
use futures_util::FutureExt as _;
use futures_util::future::Either;

use super::measured::measured;
use super::readings::Readings;
use super::{head, health, metrics, slashes};
use crate::app::App;
use crate::config::Role;
use crate::ingest::{self, Ingest};
use crate::telemetry::METRICS;
use crate::web::Site;

/// Starts to answer.
pub fn start(
    app: &Arc<App>,
    readings: &Arc<Readings>,
    listener: TcpListener,
) -> std::io::Result<Server> {
    let ingest = web::Data::new(Ingest::new(
        Arc::clone(&app.keys),
        Arc::clone(&app.limits),
        app.journal.clone(),
        Arc::clone(&app.outcomes),
        app.config.trusted_proxies.clone(),
        Arc::clone(&app.mirror),
    ));
    let has = |role: Role| app.config.has_role(role);
    let (takes_events, shows_pages) = (has(Role::Ingest), has(Role::Web));
    let shared = web::Data::new(Arc::clone(app));
    let site = web::Data::new(Site::of(app, listener.local_addr()?));
    let metrics = web::Data::new(metrics::Endpoint {
        readings: Arc::clone(readings),
        token: app.config.telemetry.metrics_token.clone(),
        alone: false,
    });
    let server = HttpServer::new(move || {
        let envelopes = takes_events.then(|| ingest.clone());
        HttpApp::new()
            .wrap_fn(move |mut request, service| {
                slashes::fold(&mut request);
                head::as_get(&mut request);
                match &envelopes {
                    Some(ingest) if ingest::is_envelope(&request) => {
                        Either::Left(ingest::answer_envelope(request, ingest.clone()).boxed_local())
                    }
                    _ => Either::Right(service.call(request)),
                }
            })
            .app_data(shared.clone())
            .app_data(ingest.clone())
            .app_data(site.clone())
            .app_data(metrics.clone())
            .route("/health/live", web::get().to(health::live))
            .route("/health/ready", web::get().to(health::ready))
            .route("/metrics", web::get().to(metrics::show))
            .configure(|cfg| {
                if takes_events {
                    ingest::configure(cfg);
                }
                if shows_pages {
                    cfg.service(
                        web::scope("")
                            .wrap(from_fn(measured))
                            .configure(crate::api::configure)
                            .configure(crate::web::configure),
                    );
                }
            })
    })
    .on_connect(|_, connection| {
        connection.insert(OpenConnection::new());
    })
    .workers(std::thread::available_parallelism().map_or(2, usize::from))
    .backlog(4096)
    .max_connections(20_000)
    .keep_alive(Duration::from_secs(75))
    .client_request_timeout(Duration::from_secs(10))
    .shutdown_timeout(5)
    // The node listens for signals itself: it has more to stop than HTTP.
    .disable_signals();
    Ok(server.listen(listener)?.run())
}

/// Lives as long as a connection.
struct OpenConnection;

impl OpenConnection {
    fn new() -> Self {
        METRICS.ingest.open_connections.add(1);
        Self
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        METRICS.ingest.open_connections.add(-1);
    }
}
