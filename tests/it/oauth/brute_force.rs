//! Brute-force limiter: how often a password may be tried, on the page and in headers, and who is not held back by others' attempts.

use std::{
    thread,
    time::{Duration, Instant},
};

use daktela_demo::{AGENT_PASSWORD, AGENT_USERNAME, Demo, Fault, PASSWORD, USERNAME};
use serde_json::json;

use super::{CALLBACK, Site, words};
use crate::server_harness::{self, Ask, Reply};

/// As long as Daktela's login takes in earnest.
pub(super) fn slow_logins(demo: &Demo) {
    demo.inject(Fault {
        matches: "login".to_owned(),
        times: usize::MAX,
        delay: Some(Duration::from_millis(200)),
        action: None,
    });
}

pub(super) fn logins(demo: &Demo) -> usize {
    let requests = demo.take_requests();
    requests.iter().filter(|request| request.path == "login").count()
}

/// A call with a password in its headers.
pub(super) fn call(demo: &Demo, username: &str, password: &str) -> Ask<'static> {
    Ask::call("count_tickets", json!({}))
        .with("x-daktela-url", demo.origin())
        .with("x-daktela-username", username)
        .with("x-daktela-password", password)
}

/// All at the same time.
pub(super) fn at_once(count: usize, ask: impl Fn(usize) -> Reply + Sync) -> Vec<Reply> {
    thread::scope(|scope| {
        let ask = &ask;
        let running: Vec<_> = (0..count).map(|number| scope.spawn(move || ask(number))).collect();
        running
            .into_iter()
            .map(|thread| thread.join().expect("no panic"))
            .collect()
    })
}

fn seconds_to_wait(reply: &Reply) -> u64 {
    let wait = reply.header("retry-after").and_then(|wait| wait.parse().ok());
    wait.unwrap_or_else(|| panic!("when to come back: {reply:?}"))
}

/// To try a password.
type Way<'a> = &'a (dyn Fn(&Site, &str) -> Reply + Sync);

#[test]
fn of_many_passwords_at_once_five_go_to_daktela() {
    let demo = Demo::start().expect("a demo instance");
    slow_logins(&demo);
    let on_the_page = |site: &Site, password: &str| {
        let page = site.page(&site.client(CALLBACK));
        let fields = [("instance", demo.origin()), ("username", USERNAME.to_owned())];
        let fields = fields.iter().map(|(name, value)| (*name, value.as_str()));
        let fields: Vec<_> = fields.chain([("password", password)]).collect();
        site.submit(&page, &fields)
    };
    let in_headers = |site: &Site, password: &str| site.ask(call(&demo, USERNAME, password));
    // The head of such an answer comes before its end.
    let in_pieces = |site: &Site, password: &str| {
        let params = json!({"name": "count_tickets", "arguments": {}, "_meta": {"progressToken": 1}});
        let headers = call(&demo, USERNAME, password).headers;
        site.ask(Ask {
            headers,
            ..Ask::mcp("tools/call", params)
        })
    };
    let ways: [(&str, Way<'_>); 3] = [
        ("on the page", &on_the_page),
        ("in headers", &in_headers),
        ("in pieces", &in_pieces),
    ];
    for (way, guess) in ways {
        let site = Site::start(&[]);
        let replies = at_once(60, |number| guess(&site, &format!("guess {number}")));
        assert_eq!(logins(&demo), 5, "{way}");
        let held_back: Vec<&Reply> = replies.iter().filter(|reply| reply.status == 429).collect();
        assert_eq!(held_back.len(), 55, "{way}");
        for reply in held_back {
            assert!((270..=301).contains(&seconds_to_wait(reply)), "{reply:?}");
        }
        // Nor does the right one any longer.
        assert_eq!((guess(&site, PASSWORD).status, logins(&demo)), (429, 0), "{way}");
    }
}

#[test]
fn an_office_that_logs_in_at_once_is_let_in() {
    let demo = Demo::start().expect("a demo instance");
    slow_logins(&demo);
    let site = Site::start(&[]);
    let page = site.page(&site.client(CALLBACK));
    let replies = at_once(40, |number| {
        let (username, password) = [(USERNAME, PASSWORD), (AGENT_USERNAME, AGENT_PASSWORD)][number % 2];
        let instance = demo.origin();
        site.submit(
            &page,
            &[("instance", &instance), ("username", username), ("password", password)],
        )
    });
    let statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
    assert_eq!(statuses, [303; 40]);
}

#[test]
fn wrong_passwords_do_not_lock_out_verified_users() {
    let demo = Demo::start().expect("a demo instance");
    let site = Site::start(&[("TRUSTED_PROXIES", "1")]);
    let from = |address: &str, ask: Ask<'static>| site.ask(ask.with("x-forwarded-for", address));
    let (office, elsewhere) = ("192.0.2.1", "198.51.100.7");
    let own = || call(&demo, USERNAME, PASSWORD);
    assert!(from(office, own()).text().contains("244"));
    let client = site.client(CALLBACK);
    let tokens = site.tokens(&client, &demo);

    for number in 0..5 {
        let guess = call(&demo, USERNAME, &format!("guess {number}"));
        assert_eq!(from(elsewhere, guess).json()["result"]["isError"], true);
    }
    assert_eq!(from(elsewhere, call(&demo, USERNAME, "guess 6")).status, 429);
    assert!(from(office, own()).text().contains("244"));
    let list = Ask {
        headers: own().headers,
        ..Ask::mcp("tools/list", json!({}))
    };
    assert_eq!(from(office, list.clone()).status, 200);
    assert!(site.call(&tokens.access).text().contains("244"));
    // On the page, nobody is known yet: the account is closed, but where its owner logged in before.
    let page = site.page(&client);
    let instance = demo.origin();
    let fields = [
        ("instance", instance.as_str()),
        ("username", USERNAME),
        ("password", PASSWORD),
    ];
    let form = site.form(&page, &fields).with("x-forwarded-for", "203.0.113.9");
    assert_eq!(site.ask(form).status, 429);
    assert_eq!(site.log_in(&page, &demo).status, 303);

    // Somebody of the office itself guesses at everybody.
    for number in 0..30 {
        from(office, call(&demo, &format!("user {number}"), "guess"));
    }
    assert_eq!(from(office, call(&demo, "eva.dvorakova", "x")).status, 429);
    assert!(from(office, own()).text().contains("244"));
    assert_eq!(from(office, list).status, 200);
}

#[test]
fn a_password_counts_once_even_if_the_client_disconnects() {
    let demo = Demo::start().expect("a demo instance");
    let site = Site::start(&[]);
    // What a client repeats is no guess.
    for _ in 0..9 {
        assert_eq!(site.ask(call(&demo, AGENT_USERNAME, "mistyped")).status, 200);
    }
    assert_eq!(logins(&demo), 1);
    let right = site.ask(call(&demo, AGENT_USERNAME, AGENT_PASSWORD));
    assert_eq!(right.json()["result"]["isError"], false);

    demo.inject(Fault {
        matches: "login".to_owned(),
        times: 5,
        delay: Some(Duration::from_secs(20)),
        action: None,
    });
    demo.take_requests();
    let mut connections = Vec::new();
    for number in 0..5 {
        let ask = call(&demo, USERNAME, &format!("guess {number}"));
        let mut stream = site.replicas[0].connect();
        server_harness::send(&mut stream, &site.host, &ask).expect("a connection");
        connections.push(stream);
    }
    let start = Instant::now();
    let mut arrived = 0;
    while arrived < 5 {
        assert!(start.elapsed() < Duration::from_secs(15), "{arrived} logins arrived");
        thread::sleep(Duration::from_millis(20));
        arrived += logins(&demo);
    }
    drop(connections);
    let sixth = site.ask(call(&demo, USERNAME, "guess 6"));
    assert_eq!(
        (sixth.status, words(&sixth.body)),
        (429, "Too many logins failed; come back in five minutes.".to_owned())
    );
    assert_eq!(logins(&demo), 0);
}

/// One account, and one address, in whatever spelling.
#[test]
fn spellings_are_no_way_around_the_limits() {
    let demo = Demo::start().expect("a demo instance");
    let site = Site::start(&[("TRUSTED_PROXIES", "1")]);
    let guess = |address: &str, username: &str| {
        let ask = call(&demo, username, &format!("wrong for {username}"));
        site.ask(ask.with("x-forwarded-for", address)).status
    };
    for (number, name) in [
        "jan.novak",
        "Jan.Novak",
        "JAN.NOVAK",
        "jan.\u{200b}novak",
        "jan.novak\u{ad}",
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(guess(&format!("203.0.113.{number}"), name), 200, "{name}");
    }
    assert_eq!(guess("203.0.113.9", "jan\u{2060}.Novak"), 429);

    let spellings = [
        "198.51.100.7",
        "::ffff:198.51.100.7",
        "198.51.100.7:4242",
        "ž, 198.51.100.7",
    ];
    for number in 0..30 {
        let address = spellings[number % spellings.len()];
        assert_eq!(guess(address, &format!("user {number}")), 200, "{address}");
    }
    for address in spellings {
        assert_eq!(guess(address, "user 31"), 429, "{address}");
    }
    assert_eq!(guess("[::ffff:198.51.100.8]:4242", "user 31"), 200);
    let neighbours = ["2001:db8::1", "[2001:db8::2]:4242", "[2001:db8::3]"];
    for number in 0..30 {
        assert_eq!(guess(neighbours[number % 3], &format!("neighbour {number}")), 200);
    }
    for address in neighbours {
        assert_eq!(guess(address, "neighbour 31"), 429, "{address}");
    }
}
