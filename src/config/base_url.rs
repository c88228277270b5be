//! The public address of this server. In: what was set, or where it listens. Out: an address without a trailing slash.

use std::net::SocketAddr;

/// `http://localhost:PORT` for a wildcard address, else the address itself.
pub fn default(listen: SocketAddr) -> String {
    if listen.ip().is_unspecified() {
        format!("http://localhost:{}", listen.port())
    } else {
        format!("http://{listen}")
    }
}

pub(super) fn checked(text: &str) -> Result<String, String> {
    let url = url::Url::parse(text)
        .map_err(|error| format!("BUGLE_BASE_URL '{text}' is not a URL: {error}"))?;
    if !matches!(url.scheme(), "http" | "https")
        || url.host().is_none()
        || url.query().is_some()
        || url.fragment().is_some()
    {
        return Err(format!(
            "BUGLE_BASE_URL '{text}' must look like https://bugle.example.com"
        ));
    }
    if url.path() != "/" {
        return Err(format!(
            "BUGLE_BASE_URL '{text}' must not have a path: Bugle wants a host of its own"
        ));
    }
    Ok(text.trim_end_matches('/').to_owned())
}
