//! Networks, by address and length of their prefix.
//! In: texts such as `10.0.0.0/8`. Out: whether an address belongs to one of them.

use std::net::IpAddr;

use crate::process::event::Event;

use super::MOST_ENTRIES;

/// Both kinds of addresses in one: those of version 4 as version 6 maps them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    address: u128,
    mask: u128,
}

impl Network {
    /// Bits behind the prefix do not count: `10.1.2.3/8` is `10.0.0.0/8`.
    fn read(text: &str) -> Option<Self> {
        let (address, length) = match text.trim().split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text.trim(), None),
        };
        let address: IpAddr = address.parse().ok()?;
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let most = if address.is_ipv4() { 32 } else { 128 };
        let length: u32 = match length {
            Some(length) => length.parse().ok().filter(|_| is_number(length))?,
            None => most,
        };
        let host_bits = most.checked_sub(length)?;
        let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0);
        let address = bits(address) & mask;
        Some(Self { address, mask })
    }

    fn contains(self, address: u128) -> bool {
        address & self.mask == self.address
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

pub(super) fn is_network(text: &str) -> bool {
    Network::read(text).is_some()
}

#[derive(Debug, Clone)]
pub(super) struct Networks(Vec<Network>);

impl Networks {
    pub fn of(texts: &[String]) -> Self {
        let networks = texts.iter().filter_map(|text| Network::read(text));
        Self(networks.take(MOST_ENTRIES).collect())
    }

    fn contains(&self, address: IpAddr) -> bool {
        let address = bits(address);
        self.0.iter().any(|network| network.contains(address))
    }

    /// Whether whom it happened to or who sent it is in one of them.
    pub fn contain_either(&self, event: &Event<'_>, sender: Option<IpAddr>) -> bool {
        !self.0.is_empty()
            && [user_address(event), sender]
                .into_iter()
                .flatten()
                .any(|address| self.contains(address))
    }
}

pub(super) fn user_address(event: &Event<'_>) -> Option<IpAddr> {
    event.user.ip_address.as_ref()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_contain_what_their_prefix_says() {
        for (network, address, expected) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.1.2.3/8", "10.9.9.9", true),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.8", false),
            ("192.0.2.6/31", "192.0.2.7", true),
            ("192.0.2.7/32", "::ffff:192.0.2.7", true),
            ("::ffff:192.0.2.0/120", "192.0.2.9", true),
            ("0.0.0.0/0", "192.0.2.7", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "2001:db8::1", true),
            ("::/0", "192.0.2.7", true),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            (" 2001:db8::1 ", "2001:db8::1", true),
            ("2001:db8::1/128", "2001:db8::2", false),
        ] {
            let networks = Networks::of(&[network.to_owned()]);
            assert_eq!(networks.0.len(), 1, "{network}");
            let found = networks.contains(address.parse().expect("an address"));
            assert_eq!(found, expected, "{network} {address}");
        }
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in [
            "",
            "/",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0/8",
            "::1/129",
            "10.0.0.0/-1",
            "10.0.0.0/+8",
            "10.0.0.0/8/8",
            "[::1]",
            "example.com",
            "10.0.0.*",
            "10.0.0.0/99999999999",
            "10.0.0.0 /8",
        ] {
            assert!(!is_network(text), "{text}");
        }
    }
}
