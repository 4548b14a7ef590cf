//! Client address: that of the connection, or the one that trusted reverse proxies put into X-Forwarded-For.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use http::HeaderMap;

pub(crate) const X_FORWARDED_FOR: &str = "x-forwarded-for";

/// Where a request comes from, for limits by address. A request extension.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClientIp(pub(crate) IpAddr);

impl ClientIp {
    /// `peer` is the other end of the connection. `trusted_proxies` is how many reverse proxies in front add the address that
    /// they see to X-Forwarded-For.
    pub(crate) fn new(peer: IpAddr, trusted_proxies: usize, headers: &HeaderMap) -> Self {
        Self(forwarded(trusted_proxies, headers).unwrap_or(peer))
    }

    /// What limits count: an IPv4 address, or an IPv6 network of 2^64 addresses, which has one owner.
    pub(crate) fn network(self) -> IpAddr {
        match self.0 {
            IpAddr::V4(address) => address.into(),
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        }
    }
}

/// Each proxy appends the address that it saw. What stands before those of the trusted proxies is the client's own, and may be
/// any bytes.
fn forwarded(proxies: usize, headers: &HeaderMap) -> Option<IpAddr> {
    let given = headers.get_all(X_FORWARDED_FOR).iter();
    let list: Vec<&[u8]> = given
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .collect();
    let at = list.len().checked_sub(proxies).filter(|_| proxies > 0)?;
    seen(std::str::from_utf8(list.get(at)?).ok()?.trim())
}

/// An address as proxies write it: some add the port, and some see IPv4 through IPv6.
fn seen(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse().map(|address: SocketAddr| address.ip());
    let in_brackets = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let address: Option<IpAddr> = text.parse().or_else(|_| with_port()).ok().or_else(in_brackets);
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn only_what_known_proxies_saw_counts() {
        let seen = |proxies, list: &[&str]| {
            let mut headers = HeaderMap::new();
            for line in list {
                headers.append("x-forwarded-for", HeaderValue::from_bytes(line.as_bytes()).unwrap());
            }
            forwarded(proxies, &headers).map(|address| address.to_string())
        };
        for (proxies, list, expected) in [
            (0, &["192.0.2.1"][..], None),
            (1, &["203.0.113.9, 192.0.2.1"], Some("192.0.2.1")),
            (1, &["203.0.113.9", "192.0.2.1"], Some("192.0.2.1")),
            (2, &["203.0.113.9, 192.0.2.1, 10.0.0.1"], Some("192.0.2.1")),
            (2, &["192.0.2.1"], None),
            (1, &["unknown"], None),
            (1, &["192.0.2.1, ž"], None),
            (1, &["ž, 192.0.2.1"], Some("192.0.2.1")),
            (1, &["::ffff:192.0.2.1"], Some("192.0.2.1")),
            (1, &["192.0.2.1:4242"], Some("192.0.2.1")),
            (1, &["[::ffff:192.0.2.1]:4242"], Some("192.0.2.1")),
            (1, &["[2001:db8::1]:4242"], Some("2001:db8::1")),
            (1, &["[2001:db8::1]"], Some("2001:db8::1")),
            (1, &["2001:db8::1"], Some("2001:db8::1")),
        ] {
            assert_eq!(seen(proxies, list).as_deref(), expected, "{proxies} {list:?}");
        }
    }
}
