//! SSRF guard: resolves user-supplied hosts to public addresses only, so that none leads into the network of the server.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Resolves anew for each connection and connects to what it judged, so that DNS rebinding changes nothing.
#[derive(Debug)]
pub(crate) struct PublicOnlyResolver {
    /// Hosts that the operator named, wherever they are.
    allowed: Vec<String>,
}

impl PublicOnlyResolver {
    pub(crate) fn new(allowed: Vec<String>) -> Self {
        Self { allowed }
    }
}

impl Resolve for PublicOnlyResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let is_allowed = self.allowed.contains(&host);
        Box::pin(async move {
            let found = tokio::net::lookup_host((&*host, 0)).await?;
            let usable: Vec<SocketAddr> = found.filter(|address| is_allowed || is_public(address.ip())).collect();
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

/// Whether an address is globally reachable by IANA's special-purpose registries, i.e. none of this machine, of a private
/// network, or of a tunnel to either.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// What IANA's registry of special purposes calls not globally reachable, each with the length of its prefix.
const SPECIAL_V4: [(Ipv4Addr, u32); 14] = [
    // This network.
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    // Shared by a carrier's customers.
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    // Link-local, and with it the metadata services of clouds.
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    // IETF's own.
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    // Examples, also the two of 198 and 203.
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    // Relays of 6to4.
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    // Benchmarks.
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Multicast, the future and broadcast.
    (Ipv4Addr::new(224, 0, 0, 0), 3),
];

/// All that is handed out.
const GLOBAL_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Of that, what leads nowhere or elsewhere.
const SPECIAL_V6: [(Ipv6Addr, u32); 3] = [
    // Teredo, benchmarks, ORCHID.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    // Examples.
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

fn is_public_v4(address: Ipv4Addr) -> bool {
    let is_in = |(prefix, length): &(Ipv4Addr, u32)| (address.to_bits() ^ prefix.to_bits()).leading_zeros() >= *length;
    !SPECIAL_V4.iter().any(is_in)
}

/// What carries an IPv4 address inside leads where that one leads.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let v4 = |high: u16, low: u16| Ipv4Addr::from_bits((u32::from(high) << 16) | u32::from(low));
    let is_in = |(prefix, length): &(Ipv6Addr, u32)| (address.to_bits() ^ prefix.to_bits()).leading_zeros() >= *length;
    match address.segments() {
        // NAT64: 64:ff9b::/96, and no other of its neighbours, which networks use for themselves.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => is_public_v4(v4(high, low)),
        // 6to4: 2002::/16.
        [0x2002, high, low, ..] => is_public_v4(v4(high, low)),
        _ => is_in(&GLOBAL_V6) && !SPECIAL_V6.iter().any(is_in),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each prefix by its first and last address, and by those before and after it.
    #[test]
    fn special_prefixes_are_refused_up_to_their_ends() {
        for (before, first, last, after) in [
            ("-", "0.0.0.0", "0.255.255.255", "1.0.0.0"),
            ("9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"),
            ("100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0"),
            ("126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"),
            ("169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"),
            ("172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"),
            ("191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0"),
            ("192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0"),
            ("192.88.98.255", "192.88.99.0", "192.88.99.255", "192.88.100.0"),
            ("192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"),
            ("198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0"),
            ("198.51.99.255", "198.51.100.0", "198.51.100.255", "198.51.101.0"),
            ("203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0"),
            ("223.255.255.255", "224.0.0.0", "255.255.255.255", "-"),
            ("-", "::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2000::"),
            (
                "2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                "2001::",
                "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
                "2001:200::",
            ),
            (
                "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
                "2001:db8::",
                "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
                "2001:db9::",
            ),
            (
                "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                "3fff::",
                "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff",
                "3fff:1000::",
            ),
            (
                "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                "4000::",
                "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                "-",
            ),
            // What is 6to4 and NAT64, by what it carries.
            (
                "2002:9ff:ffff::",
                "2002:a00::",
                "2002:aff:ffff:ffff:ffff:ffff:ffff:ffff",
                "2002:b00::",
            ),
            (
                "64:ff9b::9ff:ffff",
                "64:ff9b::a00:0",
                "64:ff9b::aff:ffff",
                "64:ff9b::b00:0",
            ),
            (
                "64:ff9b::dfff:ffff",
                "64:ff9b::1:0:0",
                "64:ff9b:1:ffff:ffff:ffff:ffff:ffff",
                "-",
            ),
        ] {
            let public = |address: &str| is_public(address.parse().unwrap());
            assert!(!public(first) && !public(last), "{first} to {last}");
            for beyond in [before, after].into_iter().filter(|address| *address != "-") {
                assert!(public(beyond), "{beyond}");
            }
        }
    }

    #[test]
    fn public_addresses_are_accepted() {
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
    async fn names_are_judged_by_their_addresses() {
        let resolve = |resolver: PublicOnlyResolver| resolver.resolve("localhost".parse().unwrap());
        assert!(resolve(PublicOnlyResolver::new(Vec::new())).await.is_err());
        let named = resolve(PublicOnlyResolver::new(vec!["localhost".to_owned()])).await;
        assert!(named.is_ok_and(|addresses| addresses.count() > 0));
    }

    #[test]
    fn private_addresses_are_refused() {
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
            // RFC 8215: networks use it as they like, here for 169.254.169.254.
            "64:ff9b:1:a9fe:a9:fe00:808:808",
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
