//! Around every page. In: a request. Out: a refusal for a foreign host or origin, else the page with the headers that
//! keep strangers out; errors get their page here.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, ResponseError, web};

use super::error::PageError;
use super::page::Theme;
use super::site::Site;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Answers where no route does.
pub async fn nothing_here() -> Result<HttpResponse, PageError> {
    Err(PageError::NotFound)
}

/// The middleware.
pub async fn guard(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let site = request
        .app_data::<web::Data<Site>>()
        .cloned()
        .expect("the server registers the site with the routes");
    let theme = Theme::of(request.request());
    let response = match refusal(&site, &request) {
        Some(refused) => {
            let response = refused.error_response();
            let mut response = request.into_response(response);
            draw(&refused, theme, &mut response);
            response
        }
        None => finish(next.call(request).await?.map_into_boxed_body(), theme),
    };
    Ok(with_headers(response, &site))
}

fn refusal(site: &Site, request: &ServiceRequest) -> Option<PageError> {
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    if !is_own_host(site, host) {
        return Some(PageError::BadRequest(format!(
            "this server's address is {}; the request named another host",
            site.base_url
        )));
    }
    let is_safe = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    if !is_safe && !is_own_origin(site, host, request.headers()) {
        return Some(PageError::Forbidden(
            "This form was sent from another site. Open the page here and try again.",
        ));
    }
    None
}

fn authority(url: &str) -> &str {
    url.split_once("://").map_or(url, |(_, rest)| rest)
}

/// The configured host; while none is, names that cannot be somebody else's domain.
fn is_own_host(site: &Site, host: &str) -> bool {
    if host.eq_ignore_ascii_case(authority(&site.base_url)) {
        return true;
    }
    if site.base_url_is_set {
        return false;
    }
    let Ok(url) = url::Url::parse(&format!("http://{host}/")) else {
        return false;
    };
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(_) => true,
        None => false,
    }
}

fn is_own_origin(site: &Site, host: &str, headers: &HeaderMap) -> bool {
    if let Some(fetch_site) = headers.get("sec-fetch-site")
        && !matches!(fetch_site.as_bytes(), b"same-origin" | b"none")
    {
        return false;
    }
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    origin.eq_ignore_ascii_case(&site.base_url)
        || (!site.base_url_is_set
            && authority(origin).eq_ignore_ascii_case(host)
            && origin.starts_with("http"))
}

/// Gives errors their page and writes unexpected ones to the log, once.
fn finish(mut response: ServiceResponse<BoxBody>, theme: Theme) -> ServiceResponse<BoxBody> {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let Some(error) = response.response().error() else {
        return response;
    };
    if let Some(page_error) = error.as_error::<PageError>() {
        if status.is_server_error() {
            tracing::error!(error = %page_error, path = response.request().path(), "a page failed");
        }
        let drawn = page_error.page(theme);
        set_page(&mut response, drawn);
    } else {
        let shown = match status {
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => PageError::NotFound,
            _ => PageError::BadRequest("the request could not be read".to_owned()),
        };
        set_page(&mut response, shown.page(theme));
    }
    response
}

fn draw(error: &PageError, theme: Theme, response: &mut ServiceResponse<BoxBody>) {
    let drawn = error.page(theme);
    set_page(response, drawn);
}

fn set_page(response: &mut ServiceResponse<BoxBody>, page: Option<String>) {
    let Some(page) = page else {
        return;
    };
    let inner = response.response_mut();
    inner.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    let taken = std::mem::replace(inner, HttpResponse::new(StatusCode::OK));
    *inner = taken.set_body(BoxBody::new(page));
}

fn with_headers(mut response: ServiceResponse<BoxBody>, site: &Site) -> ServiceResponse<BoxBody> {
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value))
    };
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "same-origin");
    set(
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    );
    if site.is_https() {
        set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    // A file that somebody sent has a narrower one.
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        headers.insert(
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(POLICY),
        );
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{DatabaseUrl, Store};

    fn site(base_url: &str, is_set: bool) -> Site {
        let url = DatabaseUrl::parse("sqlite::memory:").expect("a database address");
        Site::new(
            Store::new(url),
            base_url.to_owned(),
            is_set,
            Vec::new(),
            String::new(),
            crate::outgoing::Client::new(crate::outgoing::Reach::PublicAnd(Vec::new())),
        )
    }

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn hosts_of_others_are_refused() {
        let free = site("http://localhost:8000", false);
        for host in [
            "localhost:8000",
            "localhost",
            "127.0.0.1:8000",
            "[::1]:9",
            "192.168.1.4:8000",
        ] {
            assert!(is_own_host(&free, host), "{host}");
        }
        for host in ["evil.example.com", "localhost.evil.example", "", "a b"] {
            assert!(!is_own_host(&free, host), "{host}");
        }
        let set = site("https://bugle.example.com", true);
        assert!(is_own_host(&set, "Bugle.example.com"));
        assert!(!is_own_host(&set, "localhost:8000"));
    }

    #[test]
    fn forms_come_from_our_own_pages() {
        let set = site("https://bugle.example.com", true);
        let host = "bugle.example.com";
        assert!(is_own_origin(&set, host, &headers(&[])));
        assert!(is_own_origin(
            &set,
            host,
            &headers(&[
                ("origin", "https://bugle.example.com"),
                ("sec-fetch-site", "same-origin")
            ])
        ));
        for pairs in [
            &[("origin", "https://evil.example.com")][..],
            &[("origin", "null")],
            &[("origin", "http://bugle.example.com")],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site")],
        ] {
            assert!(!is_own_origin(&set, host, &headers(pairs)), "{pairs:?}");
        }
        let free = site("http://localhost:8000", false);
        assert!(is_own_origin(
            &free,
            "127.0.0.1:8000",
            &headers(&[("origin", "http://127.0.0.1:8000")])
        ));
        assert!(!is_own_origin(
            &free,
            "127.0.0.1:8000",
            &headers(&[("origin", "http://127.0.0.1:9000")])
        ));
    }
}
