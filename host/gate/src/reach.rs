//! Where a connection may lead when its address comes from a stranger: to the public internet, and not into the network
//! that the host itself stands in.

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Looks names up anew for each connection, so that a name which pointed elsewhere a moment ago is judged by where it
/// points now.
#[derive(Debug)]
pub(super) struct PublicOnly {
    /// Hosts that the operator named, wherever they are.
    named: Vec<String>,
}

impl PublicOnly {
    pub(super) fn except(named: Vec<String>) -> Self {
        Self { named }
    }
}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let is_named = self.named.contains(&host);
        Box::pin(async move {
            let found = tokio::net::lookup_host((&*host, 0)).await?;
            let usable: Vec<SocketAddr> = found.filter(|address| is_named || is_public(address.ip())).collect();
            if usable.is_empty() {
                // The caller is not told: it would say which names our network knows.
                tracing::warn!(
                    event = "private_address",
                    host,
                    meaning = "not connected to; where it is meant, its own name belongs into ALLOWED_DAKTELA_DOMAINS"
                );
                return Err("it leads to no public address".into());
            }
            Ok(Box::new(usable.into_iter()) as Addrs)
        })
    }
}

/// Not this machine, nor its network, nor a detour to either.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// What IANA's registry of special purposes calls not globally reachable.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = match (a, b, c) {
        // This network; loopback; private; the future and broadcast; multicast.
        (0 | 10 | 127 | 224..=255, ..) => true,
        // Shared by a carrier's customers.
        (100, 64..=127, _) => true,
        // Link-local, and with it the metadata services of clouds.
        (169, 254, _) => true,
        (172, 16..=31, _) | (192, 168, _) => true,
        // IETF's own, examples, 6to4 relays, benchmarks.
        (192, 0, 0 | 2) | (192, 88, 99) | (198, 18 | 19, _) | (198, 51, 100) | (203, 0, 113) => true,
        _ => false,
    };
    !special
}

/// Only 2000::/3 is handed out; of it, what carries an IPv4 address inside leads where that one leads.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, ..] = address.segments();
    let tail = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match (a, b) {
        // NAT64.
        (0x64, 0xff9b) => {
            let [.., high, low] = address.segments();
            is_public_v4(tail(high, low))
        }
        // 6to4.
        (0x2002, _) => is_public_v4(tail(b, c)),
        // Teredo, benchmarks, ORCHID: all in 2001::/23. Documentation.
        (0x2001, 0..=0x1ff) | (0x2001, 0xdb8) | (0x3fff, 0..=0xfff) => false,
        _ => (0x2000..=0x3fff).contains(&a),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_internet_is_public() {
        for address in [
            "1.1.1.1",
            "100.63.0.1",
            "172.32.0.1",
            "192.1.2.3",
            "2606:4700::1111",
            "2002:101:101::1",
            "64:ff9b::101:101",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[tokio::test]
    async fn a_name_is_judged_by_where_it_leads() {
        let resolve = |reach: PublicOnly| reach.resolve("localhost".parse().unwrap());
        assert!(resolve(PublicOnly::except(Vec::new())).await.is_err());
        let named = resolve(PublicOnly::except(vec!["localhost".to_owned()])).await;
        assert!(named.is_ok_and(|addresses| addresses.count() > 0));
    }

    #[test]
    fn what_is_near_is_not() {
        for address in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::7f00:1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "2002:a00:1::1",
            "2002:7f00:1::",
            "2001::1",
            "2001:db8::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }
}
