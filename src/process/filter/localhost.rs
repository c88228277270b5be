//! Events of developers' own machines.
//! In: an event. Out: whether it comes from, or is about, a local address.

use std::net::IpAddr;

use crate::process::event::Event;

use super::address::user_address;
use super::header;

pub(super) fn is_local(event: &Event<'_>, sender: Option<IpAddr>) -> bool {
    let addresses = [user_address(event), sender].into_iter().flatten();
    addresses
        .map(|address| address.to_canonical())
        .any(|address| address.is_loopback())
        || match &event.request.url {
            Some(url) => is_local_url(url),
            // Behind a proxy the host is the proxy's own.
            None => ["X-Forwarded-Host", "Host"]
                .into_iter()
                .find_map(|name| header(event, name))
                .is_some_and(|hosts| is_local_host(first(hosts))),
        }
        || header(event, "X-Forwarded-For").is_some_and(|addresses| is_local_host(first(addresses)))
}

/// The first entry of a list is what the client said or was.
fn first(list: &str) -> &str {
    list.split(',').next().unwrap_or_default().trim()
}

fn is_local_url(url: &str) -> bool {
    match url.split_once("://") {
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("file") => true,
        Some((_, rest)) => {
            let authority = rest.split(['/', '\\', '?', '#']).next().unwrap_or_default();
            is_local_host(authority.rsplit('@').next().unwrap_or_default())
        }
        None => false,
    }
}

/// A host or an address, with or without a port.
fn is_local_host(host: &str) -> bool {
    if let Ok(address) = host.parse::<IpAddr>() {
        return address.to_canonical().is_loopback();
    }
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => host.split(':').next().unwrap_or_default(),
    };
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || name
            .parse::<IpAddr>()
            .is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_local_by_name_or_address() {
        for (url, expected) in [
            ("http://localhost/", true),
            ("http://localhost:3000/a", true),
            ("https://Shop.LocalHost/a", true),
            ("http://localhost.:80/", true),
            ("http://127.0.0.1:8000", true),
            ("http://127.9.9.9/", true),
            ("http://[::1]:8000/", true),
            ("http://[::ffff:127.0.0.1]/", true),
            ("http://jane:pw@localhost/", true),
            ("file:///C:/a.html", true),
            ("FILE://x", true),
            ("https://localhost.example.com/", false),
            ("https://mylocalhost/", false),
            ("https://example.com/localhost", false),
            ("https://example.com?x=@localhost", false),
            ("https://localhost@example.com/", false),
            ("http://128.0.0.1/", false),
            ("http://127.example.com/", false),
            ("http://[2001:db8::1]/", false),
            ("http://", false),
            ("localhost", false),
            ("/relative", false),
        ] {
            assert_eq!(is_local_url(url), expected, "{url}");
        }
    }
}
