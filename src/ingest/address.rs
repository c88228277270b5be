//! Where a request comes from. In: the connection and, behind trusted proxies, `X-Forwarded-For`. Out: an address.

use std::net::IpAddr;

use actix_web::HttpRequest;

/// The address of the client: the last hop that is not one of our own proxies.
pub fn client(request: &HttpRequest, trusted: &[IpAddr]) -> Option<IpAddr> {
    let peer = request.peer_addr()?.ip().to_canonical();
    if !trusted.contains(&peer) {
        return Some(peer);
    }
    let hops = request
        .headers()
        .get_all("x-forwarded-for")
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    Some(first_stranger(hops, peer, trusted))
}

fn first_stranger<'a>(
    hops: impl Iterator<Item = &'a str>,
    peer: IpAddr,
    trusted: &[IpAddr],
) -> IpAddr {
    let hops: Vec<&str> = hops.collect();
    let mut nearest = peer;
    for hop in hops.into_iter().rev() {
        let Ok(address) = hop.trim().trim_matches(['[', ']']).parse::<IpAddr>() else {
            break;
        };
        nearest = address.to_canonical();
        if !trusted.contains(&nearest) {
            break;
        }
    }
    nearest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_trusted_proxies_added_counts() {
        let address = |text: &str| text.parse::<IpAddr>().expect("an address");
        let trusted = [address("10.0.0.1"), address("10.0.0.2")];
        let found =
            |hops: &[&str]| first_stranger(hops.iter().copied(), address("10.0.0.1"), &trusted);
        assert_eq!(
            found(&["1.2.3.4", " 203.0.113.9", "10.0.0.2"]),
            address("203.0.113.9")
        );
        assert_eq!(found(&["forged", "203.0.113.9"]), address("203.0.113.9"));
        assert_eq!(found(&["garbage"]), address("10.0.0.1"));
        assert_eq!(found(&[]), address("10.0.0.1"));
    }
}
