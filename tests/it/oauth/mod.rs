//! Logging in through OAuth, from the first refusal to a revoked token, and everything that must not work on the way.
//!
//! - `flow`: what works, from the first refusal to an answer.
//! - `page`: the login page.
//! - `brute_force`: how often a password may be tried.
//! - `replicas`: several of them, and the Redis that they share.
//! - `attacks`: what must not work; writes the tables of `docs/security.md`.
//! - `hardening`: limits that keep one caller from harming others.
//! - `denial_of_service`: how one caller might keep out all others, for the same page.

mod attacks;
mod brute_force;
mod denial_of_service;
mod flow;
mod hardening;
mod page;
mod replicas;

pub(crate) use attacks::words;

use std::{
    io::{Read, Write as _},
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use daktela_demo::{Demo, PASSWORD, USERNAME};
use serde_json::{Value, json};

use crate::server_harness::{Ask, Reply, Served, encode};

pub(crate) const SECRET: &str = "fG8hJ2kL5nM1pQ4rS7tV0wX3yZ6aB9cDeF0gH1iJ2kA=";
const OTHER_SECRET: &str = "tOq0dJYc3bq1vXn2mT9yPzR4sWk7uLhEvB6nM5qW4rA=";
pub(crate) const CALLBACK: &str = "https://claude.ai/api/mcp/auth_callback";

/// The example of RFC 7636.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// One or more replicas behind one name, each request going to the next of them.
pub(crate) struct Site {
    replicas: Vec<Served>,
    host: String,
    turn: AtomicUsize,
}

impl Site {
    pub(crate) fn start(variables: &[(&str, &str)]) -> Self {
        let served = Served::start(&[&[("OAUTH_SECRET", SECRET)], variables].concat());
        let host = served.address.clone();
        Site {
            replicas: vec![served],
            host,
            turn: AtomicUsize::new(0),
        }
    }

    /// Called by another name than its address.
    pub(crate) fn start_at(variables: &[(&str, &str)], host: &str) -> Self {
        Site {
            host: host.to_owned(),
            ..Self::start(variables)
        }
    }

    fn replicas(count: usize) -> Self {
        let url = "http://localhost:8443";
        let start = |_| Served::start(&[("OAUTH_SECRET", SECRET), ("PUBLIC_URL", url)]);
        Site {
            replicas: (0..count).map(start).collect(),
            host: "localhost:8443".to_owned(),
            turn: AtomicUsize::new(0),
        }
    }

    pub(crate) fn ask(&self, ask: Ask<'_>) -> Reply {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % self.replicas.len();
        let host = if ask.headers.iter().any(|(name, _)| *name == "host") {
            ask
        } else {
            ask.with("host", self.host.clone())
        };
        self.replicas[turn].ask(&host)
    }

    fn base(&self) -> String {
        format!("http://{}", self.host)
    }

    fn json(&self, target: &str) -> Value {
        let reply = self.ask(Ask::get(target));
        assert_eq!(reply.status, 200, "{target}: {reply:?}");
        reply.json()
    }

    fn register(&self, redirect_uris: &[&str], name: &str) -> Reply {
        let body = json!({"redirect_uris": redirect_uris, "client_name": name}).to_string();
        self.ask(
            Ask {
                method: "POST",
                target: "/register",
                headers: Vec::new(),
                body,
            }
            .with("content-type", "application/json"),
        )
    }

    pub(crate) fn client(&self, redirect_uri: &str) -> String {
        let reply = self.register(&[redirect_uri], "Test client");
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.json()["client_id"].as_str().expect("an id").to_owned()
    }

    /// The query of a good request, with some parameters another way; an empty one is left out.
    pub(crate) fn authorize(&self, client: &str, more: &[(&str, &str)]) -> Reply {
        let good = [
            ("response_type", "code"),
            ("client_id", client),
            ("redirect_uri", CALLBACK),
            ("state", "a b&c"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let kept = good
            .iter()
            .filter(|(name, _)| !more.iter().any(|(other, _)| other == name));
        let query: Vec<String> = kept
            .chain(more)
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}={}", encode(value)))
            .collect();
        self.ask(Ask::get(&format!("/authorize?{}", query.join("&"))))
    }

    /// The page of a client with a document, opened from another address; the server has to trust one proxy.
    fn authorize_from(&self, document: &str, address: &str) -> Reply {
        let target = format!(
            "/authorize?response_type=code&client_id={}&redirect_uri={}&code_challenge={CHALLENGE}&code_challenge_method=S256",
            encode(document),
            encode(CALLBACK)
        );
        self.ask(Ask::get(&target).with("x-forwarded-for", address))
    }

    fn page(&self, client: &str) -> Page {
        Page::read(&self.authorize(client, &[]))
    }

    pub(crate) fn submit(&self, page: &Page, fields: &[(&str, &str)]) -> Reply {
        self.submit_from(page, &self.base(), fields)
    }

    pub(crate) fn submit_from(&self, page: &Page, origin: &str, fields: &[(&str, &str)]) -> Reply {
        self.ask(self.form(page, fields).with("origin", origin))
    }

    /// The page's form, filled in.
    fn form(&self, page: &Page, fields: &[(&str, &str)]) -> Ask<'static> {
        let fields = [&[("login", page.login.as_str())], fields].concat();
        Ask::form("/authorize", &fields)
            .with("cookie", page.cookie.clone())
            .with("origin", self.base())
    }

    fn log_in(&self, page: &Page, demo: &Demo) -> Reply {
        self.submit(
            page,
            &[
                ("instance", &demo.origin()),
                ("username", USERNAME),
                ("password", PASSWORD),
            ],
        )
    }

    fn code(&self, client: &str, demo: &Demo) -> String {
        parameter(&self.log_in(&self.page(client), demo), "code")
    }

    fn exchange(&self, client: &str, code: &str, more: &[(&str, &str)]) -> Reply {
        let good = [
            ("grant_type", "authorization_code"),
            ("client_id", client),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        self.token(&good, more)
    }

    fn refresh(&self, client: &str, token: &str, more: &[(&str, &str)]) -> Reply {
        self.token(
            &[
                ("grant_type", "refresh_token"),
                ("client_id", client),
                ("refresh_token", token),
            ],
            more,
        )
    }

    fn token(&self, good: &[(&'static str, &str)], more: &[(&str, &str)]) -> Reply {
        let kept = good
            .iter()
            .copied()
            .filter(|(name, _)| !more.iter().any(|(other, _)| other == name));
        let fields: Vec<(&str, &str)> = kept
            .chain(more.iter().copied())
            .filter(|(_, value)| !value.is_empty())
            .collect();
        self.ask(Ask::form("/token", &fields))
    }

    fn tokens(&self, client: &str, demo: &Demo) -> Tokens {
        Tokens::read(&self.exchange(client, &self.code(client, demo), &[]))
    }

    fn call(&self, token: &str) -> Reply {
        self.ask(Ask::call("count_tickets", json!({})).with("authorization", format!("Bearer {token}")))
    }
}

/// What a browser has after opening the page.
pub(crate) struct Page {
    login: String,
    cookie: String,
    html: String,
}

impl Page {
    pub(crate) fn read(reply: &Reply) -> Self {
        assert_eq!(reply.status, 200, "{reply:?}");
        let login = reply
            .body
            .split("name=\"login\" value=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next());
        let cookie = reply.header("set-cookie").and_then(|cookie| cookie.split(';').next());
        Page {
            login: login.expect("a form").to_owned(),
            cookie: cookie.expect("a cookie").to_owned(),
            html: reply.body.clone(),
        }
    }
}

struct Tokens {
    access: String,
    refresh: String,
    expires_in: u64,
}

impl Tokens {
    fn read(reply: &Reply) -> Self {
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        let json = reply.json();
        let text = |name: &str| json[name].as_str().expect("a token").to_owned();
        Tokens {
            access: text("access_token"),
            refresh: text("refresh_token"),
            expires_in: json["expires_in"].as_u64().expect("a number"),
        }
    }
}

/// A parameter of the address that the browser is sent to.
fn parameter(reply: &Reply, name: &str) -> String {
    assert_eq!(reply.status, 303, "{reply:?}");
    let location = reply.header("location").expect("an address");
    let query = location.split_once('?').expect("a query").1;
    let value = query
        .split('&')
        .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    value.unwrap_or_else(|| panic!("no {name} in {location}")).to_owned()
}

/// Publishes documents of clients, by path.
struct Documents {
    origin: String,
}

impl Documents {
    fn serve(answer: impl Fn(&str, &str) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let origin = format!("http://{}", listener.local_addr().expect("an address"));
        let ours = origin.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let mut head = [0; 4096];
                let read = stream.read(&mut head).unwrap_or(0);
                let head = String::from_utf8_lossy(&head[..read]).into_owned();
                let path = head.split(' ').nth(1).unwrap_or_default();
                let _ = stream.write_all(answer(&ours, path).as_bytes());
            }
        });
        Documents { origin }
    }
}

/// Takes requests, and answers none of them.
struct Silent {
    origin: String,
    taken: Arc<AtomicUsize>,
}

impl Silent {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let origin = format!("http://{}", listener.local_addr().expect("an address"));
        let taken = Arc::new(AtomicUsize::new(0));
        let count = taken.clone();
        thread::spawn(move || {
            let mut kept = Vec::new();
            for stream in listener.incoming() {
                kept.push(stream);
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        Silent { origin, taken }
    }
}

fn http_answer(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}
