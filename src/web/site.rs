//! What pages need of the server. In: the store and the public address. Out: one shared value that handlers ask for.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use actix_web::HttpRequest;
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;

use super::login_limit::LoginLimit;
use crate::app::App;
use crate::config::Role;
use crate::outgoing::Client;
use crate::store::Store;

/// Password hashes at once: each takes 19 MiB and a core for a moment.
const HASHES_AT_ONCE: usize = 4;

/// The address under which a node that listens everywhere reaches itself.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        });
    }
    address
}

/// Shared by all request threads.
pub struct Site {
    pub store: Store,
    /// The public address, without a trailing slash.
    pub base_url: String,
    /// Whether somebody chose that address; until then localhost and IP addresses are fine too.
    pub base_url_is_set: bool,
    pub trusted_proxies: Vec<IpAddr>,
    /// Where this node receives events; none if that is not its work.
    pub ingest: Option<SocketAddr>,
    /// Events a minute of a key that has no limit of its own; 0 for none.
    pub key_rate_limit: u32,
    /// For calls to other servers, to addresses that people type in.
    pub outgoing: Client,
    setup_token: String,
    pub(super) limit: LoginLimit,
    pub(super) hashing: Semaphore,
}

impl Site {
    /// The site of a running server.
    pub fn of(app: &App, listening: SocketAddr) -> Self {
        let base_url = app.base_url().to_owned();
        let mut site = Self::new(
            app.store.clone(),
            base_url,
            app.config.base_url.is_some(),
            app.config.trusted_proxies.clone(),
            app.setup_token(),
            app.outgoing.clone(),
        );
        site.key_rate_limit = app.config.key_rate_limit;
        site.ingest = app
            .config
            .has_role(Role::Ingest)
            .then(|| reachable(listening));
        site
    }

    /// `setup_token` is what `serve` prints while no account exists.
    pub(super) fn new(
        store: Store,
        base_url: String,
        base_url_is_set: bool,
        trusted_proxies: Vec<IpAddr>,
        setup_token: String,
        outgoing: Client,
    ) -> Self {
        Self {
            store,
            base_url,
            base_url_is_set,
            trusted_proxies,
            ingest: None,
            key_rate_limit: 0,
            outgoing,
            setup_token,
            limit: LoginLimit::default(),
            hashing: Semaphore::new(HASHES_AT_ONCE),
        }
    }

    pub(super) fn is_https(&self) -> bool {
        self.base_url.starts_with("https://")
    }

    /// Whether this is the token that `serve` printed.
    pub(super) fn is_setup_token(&self, token: &str) -> bool {
        self.setup_token
            .as_bytes()
            .ct_eq(token.trim().as_bytes())
            .into()
    }

    /// Who asks: the peer, or what a trusted proxy says about it.
    pub(super) fn client(&self, request: &HttpRequest) -> IpAddr {
        let unknown = IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);
        let peer = request.peer_addr().map_or(unknown, |peer| peer.ip());
        if !self.trusted_proxies.contains(&peer) {
            return peer;
        }
        let forwarded = request
            .headers()
            .get_all("x-forwarded-for")
            .filter_map(|value| value.to_str().ok());
        let chain: Vec<IpAddr> = forwarded
            .flat_map(|value| value.split(','))
            .filter_map(|part| part.trim().parse().ok())
            .collect();
        // From the right: the first that is no proxy of ours is the client; what stands left of it anybody can write.
        chain
            .iter()
            .rev()
            .find(|address| !self.trusted_proxies.contains(address))
            .copied()
            .unwrap_or(peer)
    }
}
