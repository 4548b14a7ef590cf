//! DNS rebinding: a name that resolves to a public address first and to a private one later, end to end.
//!
//! The test starts itself anew in a network of its own, where it is the name server, and where a public address is its own,
//! too. Nothing in the program knows of that.

use std::{
    fs,
    net::{IpAddr, UdpSocket},
    process::Command,
    sync::{Arc, Mutex},
    thread,
};

use daktela_demo::{Demo, TOKEN};
use serde_json::json;

use crate::{
    egress::tls::{Authority, Front},
    oauth::{CALLBACK, Page, Site, words},
    server_harness::{Ask, Reply},
    skip::impossible,
};

/// Tells the inner run from the outer.
const INSIDE: &str = "MCP_DAKTELA_TEST_INSIDE";

/// Somebody's on the internet, and in the network of the test its own.
const PUBLIC: &str = "93.184.215.14";
const INSTANCE: &str = "https://acme.daktela.com";

/// What comes of it, for `docs/security.md`: that page is written where there may be no network of one's own.
pub(crate) const OBSERVED: &str = "| a name that led to the internet, and leads to this machine now | 200 Daktela cannot be reached for tickets: its name does not resolve. Check DAKTELA_URL and the network. |
| the same, to the private network | 200 Daktela cannot be reached for tickets: its name does not resolve. Check DAKTELA_URL and the network. |
| the same, to a cloud's metadata service | 200 Daktela cannot be reached for tickets: its name does not resolve. Check DAKTELA_URL and the network. |
| the same, to this machine in IPv6 | 200 Daktela cannot be reached for tickets: its name does not resolve. Check DAKTELA_URL and the network. |
| the same, to this machine as IPv4 in IPv6 | 200 Daktela cannot be reached for tickets: its name does not resolve. Check DAKTELA_URL and the network. |
| an instance that leads to this machine, on the login page | 502 No Daktela answers at that address. Check it, or try again in a while. |
| a client's document at a name that leads to this machine | 400 The application's description (client_id) cannot be read, or is not valid. |
";

#[test]
fn a_name_that_moves_into_our_network_is_not_followed() {
    if std::env::var_os(INSIDE).is_some() {
        return inside();
    }
    let folder = std::env::temp_dir().join(format!("mcp-daktela-names-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let resolver = folder.join("resolv.conf");
    fs::write(&resolver, "nameserver 127.0.0.1\noptions attempts:1 timeout:2\n").expect("a file");
    let network = format!(
        "ip link set lo up && ip address add {PUBLIC}/32 dev lo && mount --bind {} /etc/resolv.conf",
        resolver.display()
    );
    let unshared = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--net", "--mount", "sh", "-c", script]);
        command
    };
    match unshared(&network).output() {
        Ok(output) if output.status.success() => {
            let ourselves = std::env::current_exe().expect("a path");
            let name = "egress::dns_rebinding::a_name_that_moves_into_our_network_is_not_followed";
            let script = format!("{network} && exec {} --exact {name} --nocapture", ourselves.display());
            let output = unshared(&script).env(INSIDE, "1").output().expect("it starts");
            let told = String::from_utf8_lossy(&output.stdout);
            assert!(
                output.status.success() && told.contains("1 passed"),
                "{told}\n{}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        refused => impossible(
            "names that move (DNS rebinding)",
            &format!("a network of its own is not to be had here: {refused:?}"),
        ),
    }
    fs::remove_dir_all(&folder).expect("a folder");
}

/// A name server with one answer for all names.
struct Names(Arc<Mutex<Vec<IpAddr>>>);

impl Names {
    fn serve() -> Self {
        let addresses = Arc::<Mutex<Vec<IpAddr>>>::default();
        let (ours, socket) = (
            addresses.clone(),
            UdpSocket::bind("127.0.0.1:53").expect("the port of names"),
        );
        thread::spawn(move || {
            let mut question = [0; 512];
            while let Ok((read, from)) = socket.recv_from(&mut question) {
                let answer = answer(&question[..read], &ours.lock().expect("no panic"));
                let _ = socket.send_to(&answer, from);
            }
        });
        Names(addresses)
    }

    fn lead_to(&self, addresses: &[&str]) {
        let addresses = addresses.iter().map(|address| address.parse().expect("an address"));
        *self.0.lock().expect("no panic") = addresses.collect();
    }
}

/// RFC 1035: the question again, then its answers, which are good for no time at all.
fn answer(question: &[u8], addresses: &[IpAddr]) -> Vec<u8> {
    let name = question[12..].iter().position(|byte| *byte == 0).expect("a name") + 1;
    let end = 12 + name + 4;
    let kind = u16::from_be_bytes([question[end - 4], question[end - 3]]);
    let records: Vec<Vec<u8>> = addresses
        .iter()
        .filter_map(|address| match address {
            IpAddr::V4(address) if kind == 1 => Some(address.octets().to_vec()),
            IpAddr::V6(address) if kind == 28 => Some(address.octets().to_vec()),
            _ => None,
        })
        .collect();
    let mut answer = question[..2].to_vec();
    answer.extend([
        0x81,
        0x80,
        0,
        1,
        0,
        u8::try_from(records.len()).expect("a few"),
        0,
        0,
        0,
        0,
    ]);
    answer.extend(&question[12..end]);
    for data in records {
        answer.extend([0xc0, 12]);
        answer.extend(kind.to_be_bytes());
        answer.extend([0, 1, 0, 0, 0, 0, 0, u8::try_from(data.len()).expect("a few")]);
        answer.extend(data);
    }
    answer
}

fn inside() {
    let names = Names::serve();
    let demo = Demo::start().expect("a demo instance");
    let authority = Authority::new();
    // On all addresses, those of the own network among them: whoever is led astray is answered there.
    let front = Front::start(
        &demo,
        &authority.certify("acme.daktela.com", false),
        "0.0.0.0:443",
        &["http/1.1"],
    );
    let site = Site::start(&[
        ("SSL_CERT_FILE", &authority.file()),
        ("ALLOWED_DAKTELA_DOMAINS", "daktela.com"),
    ]);
    let call = || site.ask(Ask::call("count_tickets", json!({})).read_as(INSTANCE, TOKEN));
    let knocks = || -> Vec<String> {
        let mut knocks = front.knocks.lock().expect("no panic");
        knocks.drain(..).map(|address| address.to_string()).collect()
    };
    let mut observed = String::new();
    let mut refused = |attack: &str, reply: &Reply| {
        let words = words(&reply.body);
        observed += &format!("| {attack} | {} {words} |\n", reply.status);
        assert!(knocks().is_empty(), "{attack}: nobody knocked");
    };

    names.lead_to(&[PUBLIC]);
    assert!(call().text().contains("244"));
    assert_eq!(
        front.knocks.lock().expect("no panic").drain(..).collect::<Vec<_>>(),
        [PUBLIC.parse::<IpAddr>().expect("an address")]
    );
    for (attack, address) in [
        (
            "a name that led to the internet, and leads to this machine now",
            "127.0.0.1",
        ),
        ("the same, to the private network", "10.0.0.1"),
        ("the same, to a cloud's metadata service", "169.254.169.254"),
        ("the same, to this machine in IPv6", "::1"),
        ("the same, to this machine as IPv4 in IPv6", "::ffff:127.0.0.1"),
    ] {
        names.lead_to(&[address]);
        refused(attack, &call());
    }
    let client = site.client(CALLBACK);
    let page = Page::read(&site.authorize(&client, &[]));
    names.lead_to(&["127.0.0.1"]);
    let login = [("instance", INSTANCE), ("username", "jan"), ("password", "x")];
    refused(
        "an instance that leads to this machine, on the login page",
        &site.submit(&page, &login),
    );
    refused(
        "a client's document at a name that leads to this machine",
        &site.authorize("https://client.example/client.json", &[]),
    );
    assert_eq!(observed, OBSERVED);

    // Of several addresses the public one is taken, and with it all goes well again.
    names.lead_to(&["127.0.0.1", PUBLIC, "::1"]);
    for _ in 0..4 {
        assert!(call().text().contains("244"));
    }
    let knocks = front.knocks.lock().expect("no panic");
    assert!(
        knocks.iter().all(|knock| knock.to_string() == PUBLIC) && knocks.len() == 4,
        "{knocks:?}"
    );
}
