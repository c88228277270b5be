//! `/metrics` for Prometheus. In: a scrape, on an address of its own or with the token. Out: all metrics as text; 404
//! where nobody set either.

use std::net::TcpListener;
use std::sync::Arc;

use actix_web::dev::Server;
use actix_web::http::header;
use actix_web::{App as HttpApp, HttpRequest, HttpResponse, HttpServer, web};
use subtle::ConstantTimeEq as _;

use super::readings::Readings;
use crate::telemetry::prometheus;

/// What the endpoint needs.
pub struct Endpoint {
    pub readings: Arc<Readings>,
    pub token: Option<String>,
    /// Whether an address of its own keeps strangers out, so that no token is needed.
    pub alone: bool,
}

/// `GET /metrics`
pub async fn show(request: HttpRequest, endpoint: web::Data<Endpoint>) -> HttpResponse {
    match &endpoint.token {
        None if !endpoint.alone => {
            return HttpResponse::NotFound()
                .json(serde_json::json!({ "detail": "there is nothing here" }));
        }
        Some(token) if !is_shown(&request, token) => {
            return HttpResponse::Unauthorized()
                .insert_header((header::WWW_AUTHENTICATE, "Bearer"))
                .json(serde_json::json!({ "detail": "send Authorization: Bearer and the token" }));
        }
        _ => {}
    }
    let page = prometheus::page(&endpoint.readings.families().await);
    HttpResponse::Ok()
        .content_type(prometheus::CONTENT_TYPE)
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(page)
}

fn is_shown(request: &HttpRequest, token: &str) -> bool {
    let given = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    given.is_some_and(|(_, given)| given.trim().as_bytes().ct_eq(token.as_bytes()).into())
}

/// Answers on an address of its own.
pub fn start(endpoint: Endpoint, listener: TcpListener) -> std::io::Result<Server> {
    let endpoint = web::Data::new(endpoint);
    let server = HttpServer::new(move || {
        HttpApp::new()
            .app_data(endpoint.clone())
            .route("/metrics", web::get().to(show))
    })
    .workers(1)
    .max_connections(64)
    .shutdown_timeout(1)
    .disable_signals();
    Ok(server.listen(listener)?.run())
}
