//! HTTP assembly. In: a listener and the roles. Out: a server with ingest, health, the JSON API and the dashboard.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{Server, Service as _};
use actix_web::{App as HttpApp, HttpServer, web};

use super::{head, health, slashes};
use crate::app::App;
use crate::config::Role;
use crate::ingest::{self, Ingest};
use crate::web::Site;

/// Starts to answer.
pub fn start(app: &Arc<App>, listener: TcpListener) -> std::io::Result<Server> {
    let ingest = web::Data::new(Ingest::new(
        Arc::clone(&app.keys),
        Arc::clone(&app.limits),
        app.journal.clone(),
        Arc::clone(&app.outcomes),
        app.config.trusted_proxies.clone(),
    ));
    let has = |role: Role| app.config.has_role(role);
    let (takes_events, shows_pages) = (has(Role::Ingest), has(Role::Web));
    let shared = web::Data::new(Arc::clone(app));
    let site = web::Data::new(Site::of(app, listener.local_addr()?));
    let server = HttpServer::new(move || {
        HttpApp::new()
            .wrap_fn(|mut request, service| {
                slashes::fold(&mut request);
                head::as_get(&mut request);
                service.call(request)
            })
            .app_data(shared.clone())
            .app_data(ingest.clone())
            .app_data(site.clone())
            .route("/health/live", web::get().to(health::live))
            .route("/health/ready", web::get().to(health::ready))
            .configure(|cfg| {
                if takes_events {
                    ingest::configure(cfg);
                }
                if shows_pages {
                    crate::api::configure(cfg);
                    crate::web::configure(cfg);
                }
            })
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
