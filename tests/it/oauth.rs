//! Logging in through OAuth, from the first refusal to a revoked token, and everything that must not work on the way.

use std::{
    fmt::Write as _,
    io::{Read, Write as _},
    net::TcpListener,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use daktela_demo::{Action, Demo, Fault, LoginAnswer, PASSWORD, Quirks, TOKEN, USERNAME};
use serde_json::{Value, json};

use crate::{
    golden,
    served::{self, Ask, Reply, Served, encode},
};

const SECRET: &str = "fG8hJ2kL5nM1pQ4rS7tV0wX3yZ6aB9cD";
const OTHER_SECRET: &str = "tOq0dJYc3bq1vXn2mT9yPzR4sWk7uLhE";
const CALLBACK: &str = "https://claude.ai/api/mcp/auth_callback";

/// The example of RFC 7636.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// One or more replicas behind one name, each request going to the next of them.
struct Site {
    replicas: Vec<Served>,
    host: String,
    turn: AtomicUsize,
}

impl Site {
    fn start(variables: &[(&str, &str)]) -> Self {
        let served = Served::start(&[&[("OAUTH_SECRET", SECRET)], variables].concat());
        let host = served.address.clone();
        Site {
            replicas: vec![served],
            host,
            turn: AtomicUsize::new(0),
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

    fn ask(&self, ask: Ask<'_>) -> Reply {
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

    fn client(&self, redirect_uri: &str) -> String {
        let reply = self.register(&[redirect_uri], "Test client");
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.json()["client_id"].as_str().expect("an id").to_owned()
    }

    /// The query of a good request, with some parameters another way; an empty one is left out.
    fn authorize(&self, client: &str, more: &[(&str, &str)]) -> Reply {
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

    fn page(&self, client: &str) -> Page {
        Page::read(&self.authorize(client, &[]))
    }

    fn submit(&self, page: &Page, fields: &[(&str, &str)]) -> Reply {
        let fields = [&[("login", page.login.as_str())], fields].concat();
        self.ask(
            Ask::form("/authorize", &fields)
                .with("cookie", page.cookie.clone())
                .with("origin", self.base()),
        )
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
struct Page {
    login: String,
    cookie: String,
    html: String,
}

impl Page {
    fn read(reply: &Reply) -> Self {
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

fn http_answer(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

#[test]
fn a_client_finds_its_way_from_the_first_refusal_to_an_answer() {
    let demo = Demo::start().expect("a demo instance");
    let site = Site::start(&[]);
    let base = site.base();
    let refused = site.ask(Ask::mcp("initialize", json!({})));
    assert_eq!(refused.status, 401);
    assert_eq!(
        refused.header("www-authenticate"),
        Some(&*format!(
            "Bearer resource_metadata=\"{base}/.well-known/oauth-protected-resource/mcp\", scope=\"daktela:read\""
        ))
    );
    let resource = site.json("/.well-known/oauth-protected-resource/mcp");
    assert_eq!(resource["resource"], format!("{base}/mcp"));
    assert_eq!(
        site.json("/.well-known/oauth-protected-resource")["resource"],
        format!("{base}/")
    );
    assert_eq!(resource["authorization_servers"], json!([base]));
    let server = site.json("/.well-known/oauth-authorization-server");
    for path in [
        "/.well-known/oauth-authorization-server/mcp",
        "/.well-known/openid-configuration",
        "/mcp/.well-known/openid-configuration",
    ] {
        assert_eq!(site.json(path), server, "{path}");
    }
    assert_eq!(server["issuer"], base);
    for (name, path) in [
        ("authorization_endpoint", "/authorize"),
        ("token_endpoint", "/token"),
        ("registration_endpoint", "/register"),
        ("revocation_endpoint", "/revoke"),
    ] {
        assert_eq!(server[name], format!("{base}{path}"));
    }
    assert_eq!(server["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(server["token_endpoint_auth_methods_supported"], json!(["none"]));
    assert_eq!(
        (
            &server["client_id_metadata_document_supported"],
            &server["authorization_response_iss_parameter_supported"]
        ),
        (&json!(true), &json!(true))
    );

    let client = site.client(CALLBACK);
    let resource = format!("{base}/mcp");
    let page = Page::read(&site.authorize(&client, &[("resource", &resource)]));
    let done = site.log_in(&page, &demo);
    assert_eq!(
        (parameter(&done, "state"), parameter(&done, "iss")),
        ("a+b%26c".to_owned(), encode(&base))
    );
    assert!(
        done.header("location")
            .is_some_and(|location| location.starts_with(&format!("{CALLBACK}?code=")))
    );
    let tokens = Tokens::read(&site.exchange(&client, &parameter(&done, "code"), &[("resource", &resource)]));
    assert!((3000..3600).contains(&tokens.expires_in), "{}", tokens.expires_in);
    assert!(site.call(&tokens.access).text().contains("244"));
    let next = Tokens::read(&site.refresh(&client, &tokens.refresh, &[("resource", &format!("{resource}/"))]));
    assert!(site.call(&next.access).text().contains("244"));
    let log = site.replicas[0].whole_log();
    for secret in [PASSWORD, USERNAME, &tokens.access, &tokens.refresh] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[test]
fn two_replicas_serve_one_user_through_login_calls_and_refresh() {
    let demo = Demo::start().expect("a demo instance");
    let site = Site::replicas(2);
    let client = site.client(CALLBACK);
    let mut tokens = site.tokens(&client, &demo);
    for _ in 0..3 {
        assert!(site.call(&tokens.access).text().contains("244"));
        assert!(site.call(&tokens.access).text().contains("244"));
        tokens = Tokens::read(&site.refresh(&client, &tokens.refresh, &[]));
    }
}

#[test]
fn a_client_may_be_a_document() {
    let demo = Demo::start().expect("a demo instance");
    let documents = Documents::serve(|origin, path| {
        let document = json!({"client_id": format!("{origin}{path}"), "client_name": "Claude Code", "redirect_uris": ["http://localhost/callback", CALLBACK]});
        http_answer("200 OK", "content-type: application/json\r\n", &document.to_string())
    });
    let site = Site::start(&[("ALLOWED_CLIENT_HOSTS", "127.0.0.1")]);
    let client = format!("{}/client.json", documents.origin);
    assert!(site.call(&site.tokens(&client, &demo).access).text().contains("244"));
    // A program takes what port is free, and must get its answer there.
    let redirect = "http://localhost:51234/callback";
    let page = Page::read(&site.authorize(&client, &[("redirect_uri", redirect)]));
    let done = site.log_in(&page, &demo);
    assert!(
        done.header("location")
            .is_some_and(|location| location.starts_with(&format!("{redirect}?code="))),
        "{done:?}"
    );
    let code = parameter(&done, "code");
    assert_eq!(
        site.exchange(&client, &code, &[("redirect_uri", "http://localhost:51235/callback")])
            .status,
        400
    );
    assert_eq!(site.exchange(&client, &code, &[("redirect_uri", redirect)]).status, 200);
}

#[test]
fn the_page_says_who_asks_and_where_it_leads_in_the_users_language() {
    let site = Site::start(&[]);
    let client = site.client(CALLBACK);
    let page = site.page(&client);
    for expected in [
        "Connect Daktela",
        "<strong>Test client</strong>",
        "nobody checked",
        "<strong>claude.ai</strong>",
        "<html lang=\"en\">",
    ] {
        assert!(page.html.contains(expected), "{expected}: {}", page.html);
    }
    let query = format!(
        "/authorize?response_type=code&client_id={client}&redirect_uri={}&code_challenge={CHALLENGE}&code_challenge_method=S256",
        encode(CALLBACK)
    );
    let czech = site.ask(Ask::get(&query).with("accept-language", "cs-CZ,cs;q=0.9,en;q=0.5"));
    assert!(czech.body.contains("Připojit Daktelu") && czech.body.contains("<html lang=\"cs\">"));
    let policy = czech.header("content-security-policy").expect("a policy");
    assert_eq!(
        policy,
        "default-src 'none'; style-src 'self'; form-action 'self' https://claude.ai; base-uri 'none'; frame-ancestors 'none'"
    );
    assert_eq!(
        (czech.header("x-frame-options"), czech.header("cache-control")),
        (Some("DENY"), Some("no-store"))
    );
    assert!(!czech.body.contains("<script") && !czech.body.contains("style="));
    assert_eq!(
        site.ask(Ask::get("/login.css")).header("content-type"),
        Some("text/css; charset=utf-8")
    );
    let cookie = czech.header("set-cookie").expect("a cookie");
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
        "{cookie}"
    );
    let wrong = site.submit(
        &page,
        &[("instance", "127.0.0.1:1"), ("username", "<b>\"'&"), ("password", "x")],
    );
    assert!(
        wrong.body.contains("value=\"&lt;b&gt;&quot;&#39;&amp;\""),
        "{}",
        wrong.body
    );
}

#[test]
fn an_answer_that_was_lost_is_given_again_for_a_while() {
    let demo = Demo::start().expect("a demo instance");
    let site = Site::start(&[]);
    let client = site.client(CALLBACK);
    let tokens = site.tokens(&client, &demo);
    demo.take_requests();
    let replies: Vec<String> = thread::scope(|scope| {
        let running: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| site.refresh(&client, &tokens.refresh, &[]).body))
            .collect();
        running
            .into_iter()
            .map(|thread| thread.join().expect("no panic"))
            .collect()
    });
    assert!(
        replies
            .iter()
            .all(|reply| *reply == replies[0] && reply.contains("access_token")),
        "{replies:?}"
    );
    assert_eq!(
        demo.take_requests()
            .iter()
            .filter(|request| request.path == "login")
            .count(),
        1
    );
}

#[test]
fn a_daktela_without_refresh_tokens_is_logged_in_to_again() {
    let demo = Demo::start_with(Quirks {
        login: LoginAnswer::AlwaysToken,
        ..Quirks::default()
    })
    .expect("a demo instance");
    let site = Site::start(&[]);
    let client = site.client(CALLBACK);
    let next = Tokens::read(&site.refresh(&client, &site.tokens(&client, &demo).refresh, &[]));
    assert!(site.call(&next.access).text().contains("244"));
}

#[test]
fn a_daktela_that_is_away_costs_nobody_their_login() {
    let demo = Demo::start().expect("a demo instance");
    let site = Site::start(&[]);
    let client = site.client(CALLBACK);
    let tokens = site.tokens(&client, &demo);
    let away = Action::Status {
        code: 503,
        headers: Vec::new(),
        body: String::new(),
    };
    demo.inject(Fault {
        matches: "login".to_owned(),
        // As often as it is tried.
        times: 4,
        delay: None,
        action: Some(away),
    });
    let reply = site.refresh(&client, &tokens.refresh, &[]);
    assert_eq!(
        (reply.status, &reply.json()["error"]),
        (503, &json!("temporarily_unavailable"))
    );
    Tokens::read(&site.refresh(&client, &tokens.refresh, &[]));
}

/// A client renews what HTTP refuses; an error inside an answer would not tell it to.
#[test]
fn a_token_that_daktela_forgot_is_refused_over_http() {
    let demo = Demo::start().expect("a demo instance");
    let site = Site::start(&[]);
    let client = site.client(CALLBACK);
    let tokens = site.tokens(&client, &demo);
    let forgotten = Action::Status {
        code: 401,
        headers: Vec::new(),
        body: String::new(),
    };
    demo.inject(Fault {
        matches: "tickets".to_owned(),
        times: 1,
        delay: None,
        action: Some(forgotten),
    });
    assert_eq!(site.call(&tokens.access).json()["result"]["isError"], true);
    let refused = site.call(&tokens.access);
    assert_eq!(refused.status, 401);
    assert!(
        refused
            .header("www-authenticate")
            .is_some_and(|challenge| challenge.contains("error=\"invalid_token\""))
    );
    let next = Tokens::read(&site.refresh(&client, &tokens.refresh, &[]));
    assert!(site.call(&next.access).text().contains("244"));
}

#[test]
fn secrets_rotate_without_anybody_noticing() {
    let demo = Demo::start().expect("a demo instance");
    let url = ("PUBLIC_URL", "http://localhost:8443");
    let start = |secret: &str| Site {
        replicas: vec![Served::start(&[("JWT_SECRET", secret), url])],
        host: "localhost:8443".to_owned(),
        turn: AtomicUsize::new(0),
    };
    let old = start(OTHER_SECRET);
    let client = old.client(CALLBACK);
    let tokens = old.tokens(&client, &demo);
    let both = start(&format!("{SECRET},{OTHER_SECRET}"));
    assert!(both.call(&tokens.access).text().contains("244"));
    let next = Tokens::read(&both.refresh(&client, &tokens.refresh, &[]));
    let new = start(SECRET);
    assert!(new.call(&next.access).text().contains("244"));
    assert_eq!(new.call(&tokens.access).status, 401);
    // The client's id is of the old secret still: it is told to register anew.
    assert_eq!(
        new.refresh(&client, &next.refresh, &[]).json()["error"],
        "invalid_client"
    );
}

#[test]
fn what_would_make_oauth_unsafe_stops_the_start() {
    let refused = |variables: &[(&str, &str)]| {
        let mut command =
            crate::program::command(&[&[("MCP_TRANSPORT", "streamable-http"), ("PORT", "0")], variables].concat());
        let output = command.output().expect("the program starts");
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(refused(&[("OAUTH_SECRET", "short")]).contains("at least 32 bytes"));
    assert!(refused(&[("OAUTH_SECRET", &"x".repeat(40))]).contains("random"));
    assert!(refused(&[("OAUTH_SECRET", SECRET), ("HOST", "0.0.0.0")]).contains("PUBLIC_URL"));
    assert!(refused(&[("PUBLIC_URL", "http://mcp.example.com")]).contains("PUBLIC_URL"));
    let off = Served::start(&[]);
    assert_eq!(off.log("oauth_off", 1).len(), 1);
    assert_eq!(
        off.ask(&Ask::get("/.well-known/oauth-authorization-server")).status,
        404
    );
}

/// What was tried, and what came of it.
#[derive(Default)]
struct Attacks {
    page: String,
    secrets: Vec<String>,
}

impl Attacks {
    fn group(&mut self, title: &str) {
        write!(self.page, "\n## {title}\n\n| attack | answer |\n|---|---|\n").expect("a String");
    }

    /// Fails unless it was refused.
    fn refused(&mut self, attack: &str, reply: &Reply) {
        let sent_back = reply
            .header("location")
            .filter(|_| reply.status == 303)
            .and_then(|location| {
                let error = location
                    .split(['?', '&'])
                    .find_map(|pair| pair.strip_prefix("error="))?;
                let code = location.contains("code=");
                (!code).then(|| format!("sent back with `{error}`"))
            });
        assert!(reply.status >= 400 || sent_back.is_some(), "{attack}: {reply:?}");
        for secret in &self.secrets {
            assert!(!reply.body.contains(secret), "{attack}: tells a secret");
        }
        let words = sent_back.unwrap_or_else(|| words(&reply.body));
        writeln!(
            self.page,
            "| {attack} | {} {} |",
            reply.status,
            words.replace('|', "\\|")
        )
        .expect("a String");
    }
}

/// What an answer says, to a program or to a person.
fn words(body: &str) -> String {
    if let Some(problem) = body.split("role=\"alert\">").nth(1) {
        return problem.split("</p>").next().unwrap_or_default().to_owned();
    }
    let json: Value = serde_json::from_str(body).unwrap_or_default();
    match (&json["error"], &json["error_description"]) {
        (Value::String(code), Value::String(text)) => format!("`{code}` {text}"),
        (Value::Object(error), _) => error["message"].as_str().unwrap_or_default().to_owned(),
        _ => body.trim().to_owned(),
    }
}

/// Writes `docs/security.md`.
#[test]
fn attacks_are_refused() {
    let demo = Demo::start().expect("a demo instance");
    let site = Site::start(&[
        ("DAKTELA_URL", &demo.origin()),
        ("DAKTELA_ACCESS_TOKEN", TOKEN),
        ("ALLOWED_CLIENT_HOSTS", "127.0.0.1"),
        ("ALLOWED_HOSTS", "mcp.example.com"),
        ("MAX_BODY_BYTES", "100000"),
    ]);
    let mut table = Attacks {
        secrets: vec![PASSWORD.to_owned(), TOKEN.to_owned(), SECRET.to_owned()],
        ..Attacks::default()
    };
    let t = &mut table;
    let client = site.client(CALLBACK);
    let other = site.register(&[CALLBACK], "Another client").json()["client_id"]
        .as_str()
        .expect("an id")
        .to_owned();

    t.group("Where an answer is sent");
    for redirect in [
        "https://evil.example/cb",
        "https://claude.ai/api/mcp/auth_callback/",
        "https://claude.ai/api/mcp/auth_callback?next=https://evil.example",
        "https://claude.ai/api/mcp/../mcp/auth_callback",
        "https://claude.ai.evil.example/api/mcp/auth_callback",
        "https://claude.ai@evil.example/api/mcp/auth_callback",
        "https://claude.ai:8443/api/mcp/auth_callback",
        "http://claude.ai/api/mcp/auth_callback",
        "http://localhost:1234/callback",
        "javascript:alert(1)",
    ] {
        t.refused(
            &format!("`redirect_uri={redirect}` of a client that registered another"),
            &site.authorize(&client, &[("redirect_uri", redirect)]),
        );
    }
    for redirect in [
        "javascript:alert(1)",
        "data:text/html,x",
        "http://evil.example/cb",
        "https://u:p@claude.ai/cb",
        "https://claude.ai/cb#x",
        "https://claude.ai\\@evil.example/",
        "not a URL",
    ] {
        t.refused(&format!("registering `{redirect}`"), &site.register(&[redirect], "x"));
    }
    t.refused("registering eleven addresses", &site.register(&[CALLBACK; 11], "x"));
    t.refused("registering none", &site.register(&[], "x"));
    t.refused(
        "a registration of 20 KB",
        &site.register(&[CALLBACK], &"x".repeat(20_000)),
    );

    t.group("Who asks");
    let changed = format!("{}A", &client[..client.len() - 1]);
    t.refused(
        "a client id with one letter changed",
        &site.authorize(
            &if changed == client {
                client.replace('A', "B")
            } else {
                changed
            },
            &[],
        ),
    );
    t.refused(
        "a client id of our making, unsealed",
        &site.authorize("mdclient_AAAA", &[]),
    );
    let internal = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = internal.local_addr().expect("an address").port();
    internal.set_nonblocking(true).expect("a listener");
    for (attack, id) in [
        (
            "a document at a name that leads to the server itself",
            "https://localhost/c.json".to_owned(),
        ),
        (
            "a document in the server's own network",
            format!("https://localhost:{port}/c.json"),
        ),
        ("the same in hexadecimal", format!("https://0x7f.1:{port}/c.json")),
        ("the same in IPv6", format!("https://[::ffff:127.0.0.1]:{port}/c.json")),
        (
            "a document at a cloud's metadata service",
            "http://169.254.169.254/latest/meta-data".to_owned(),
        ),
        (
            "a document's address with a user in it",
            "https://claude.ai@evil.example/c.json".to_owned(),
        ),
        (
            "a document's address with dots in it",
            "https://evil.example/a/../c.json".to_owned(),
        ),
    ] {
        t.refused(attack, &site.authorize(&id, &[]));
    }
    assert!(internal.accept().is_err(), "nobody knocked");
    let documents = Documents::serve(|origin, path| match path {
        "/moved.json" => http_answer("302 Found", "location: http://127.0.0.1:1/c.json\r\n", ""),
        "/long.json" => http_answer("200 OK", "", &"x".repeat(6_000)),
        "/other.json" => http_answer(
            "200 OK",
            "",
            &json!({"client_id": format!("{origin}/x"), "redirect_uris": [CALLBACK]}).to_string(),
        ),
        _ => http_answer(
            "200 OK",
            "",
            &json!({"client_id": format!("{origin}{path}"), "redirect_uris": ["javascript:alert(1)"]}).to_string(),
        ),
    });
    for (attack, path) in [
        ("a document that redirects", "/moved.json"),
        ("a document of 6 KB", "/long.json"),
        ("a document that speaks of another client", "/other.json"),
        ("a document that wants answers at `javascript:`", "/script.json"),
    ] {
        t.refused(attack, &site.authorize(&format!("{}{path}", documents.origin), &[]));
    }

    t.group("What is asked for");
    for (attack, more) in [
        ("no PKCE", &[("code_challenge", ""), ("code_challenge_method", "")][..]),
        ("PKCE in plain", &[("code_challenge_method", "plain")]),
        ("PKCE without a method", &[("code_challenge_method", "")]),
        ("a challenge that is no hash", &[("code_challenge", "short")]),
        (
            "a token straight away (`response_type=token`)",
            &[("response_type", "token")],
        ),
        (
            "a token for another server (`resource`)",
            &[("resource", "https://other.example/mcp")],
        ),
        ("a state of 3 KB", &[("state", &"x".repeat(3_000))]),
    ] {
        t.refused(attack, &site.authorize(&client, more));
    }
    t.refused(
        "`redirect_uri` twice",
        &site.ask(Ask::get(&format!(
            "/authorize?client_id={client}&redirect_uri={0}&redirect_uri={0}",
            encode(CALLBACK)
        ))),
    );

    t.group("The login page");
    let page = site.page(&client);
    let good = [
        ("instance", demo.origin()),
        ("username", USERNAME.to_owned()),
        ("password", PASSWORD.to_owned()),
    ];
    let fields: Vec<(&str, &str)> = [("login", page.login.as_str())]
        .into_iter()
        .chain(good.iter().map(|(name, value)| (*name, value.as_str())))
        .collect();
    let form = || Ask::form("/authorize", &fields);
    t.refused("the form sent by another site, without the cookie", &site.ask(form()));
    t.refused(
        "the form in another browser, with its cookie",
        &site.ask(form().with("cookie", site.page(&client).cookie)),
    );
    t.refused(
        "the form with the Origin of another site",
        &site.ask(
            form()
                .with("cookie", page.cookie.clone())
                .with("origin", "https://evil.example"),
        ),
    );
    t.refused(
        "the form from a sandboxed frame (`Origin: null`)",
        &site.ask(form().with("cookie", page.cookie.clone()).with("origin", "null")),
    );
    let forged = Page {
        login: format!("{}x", page.login),
        cookie: page.cookie.clone(),
        html: String::new(),
    };
    t.refused("a changed form", &site.log_in(&forged, &demo));
    for instance in [
        "https://evil.example",
        "https://evil.example\\.daktela.com",
        "https://evil.example%2f.daktela.com",
        "https://evil.example;.daktela.com",
        "https://evil.example%00.daktela.com",
        "https://acme.daktela.com@evil.example",
        "https://user:pw@acme.daktela.com",
        "https://acme.daktela.com.",
        "https://acme.daktela.com:22",
        "http://acme.daktela.com",
        "https://notdaktela.com",
        "https://10.0.0.1",
        "https://169.254.169.254",
        "https://[::1]",
        "https://[::ffff:10.0.0.1]",
        "https://2852039166",
        "https://0xa9.0xfe.0xa9.0xfe",
        "https://0251.0376.0251.0376",
        "https://localhost",
        "javascript:alert(1)",
    ] {
        let reply = site.submit(&page, &[("instance", instance), ("username", "jan"), ("password", "x")]);
        t.refused(&format!("the instance `{instance}`"), &reply);
    }
    for field in ["client_name", "instance", "username"] {
        let script = "\"><script>alert(1)</script>";
        let named = site.register(&[CALLBACK], script).json()["client_id"]
            .as_str()
            .expect("an id")
            .to_owned();
        let page = site.page(&named);
        let values = |name: &str| if name == field { script } else { "x" };
        let reply = site.submit(
            &page,
            &[
                ("instance", values("instance")),
                ("username", values("username")),
                ("password", "x"),
            ],
        );
        assert!(
            !reply.body.contains("<script") && !page.html.contains("<script"),
            "{field}"
        );
        t.refused(
            &format!("`\"><script>alert(1)</script>` as {field}; shown as text"),
            &reply,
        );
    }
    let guess = |word: &str| {
        site.submit(
            &page,
            &[
                ("instance", &demo.origin()),
                ("username", "eva.dvorakova"),
                ("password", word),
            ],
        )
    };
    t.refused("a wrong password", &guess("one"));
    for word in ["two", "three", "four", "five"] {
        assert_eq!(guess(word).status, 403);
    }
    t.refused("a sixth password for one account within five minutes", &guess("six"));

    t.group("Codes");
    let code = site.code(&client, &demo);
    t.secrets.push(code.clone());
    for (attack, more) in [
        ("without its verifier", &[("code_verifier", "")][..]),
        (
            "with another verifier",
            &[("code_verifier", "xBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")],
        ),
        ("with the challenge as the verifier", &[("code_verifier", CHALLENGE)]),
        ("by another client", &[("client_id", &other)]),
        ("by no client", &[("client_id", "")]),
        (
            "with another `redirect_uri`",
            &[("redirect_uri", "https://claude.ai/other")],
        ),
        ("without `redirect_uri`", &[("redirect_uri", "")]),
        (
            "for another server (`resource`)",
            &[("resource", "https://other.example/mcp")],
        ),
        (
            "as a refresh token",
            &[("grant_type", "refresh_token"), ("refresh_token", &code)],
        ),
        ("in a grant that there is not", &[("grant_type", "password")]),
    ] {
        t.refused(&format!("a code {attack}"), &site.exchange(&client, &code, more));
    }
    let mut changed = code.clone();
    changed.replace_range(60..61, if &code[60..61] == "A" { "B" } else { "A" });
    t.refused("a code with one letter changed", &site.exchange(&client, &changed, &[]));
    t.refused("a code as an access token", &site.call(&code));
    let tokens = Tokens::read(&site.exchange(&client, &code, &[]));
    t.secrets.extend([tokens.access.clone(), tokens.refresh.clone()]);
    t.refused("a code for the second time", &site.exchange(&client, &code, &[]));
    t.refused(
        "the access token of a code that was used twice",
        &site.call(&tokens.access),
    );
    t.refused("its refresh token", &site.refresh(&client, &tokens.refresh, &[]));

    t.group("Tokens");
    let tokens = site.tokens(&client, &demo);
    let foreign = Site::start(&[("OAUTH_SECRET", OTHER_SECRET)]);
    let foreign_client = foreign.client(CALLBACK);
    t.refused(
        "the access token of another server",
        &site.call(&foreign.tokens(&foreign_client, &demo).access),
    );
    t.refused(
        "a token of the same secret for another address",
        &site.ask(
            Ask::call("count_tickets", json!({}))
                .with("host", "mcp.example.com")
                .with("authorization", format!("Bearer {}", tokens.access)),
        ),
    );
    t.refused("a refresh token as an access token", &site.call(&tokens.refresh));
    t.refused(
        "an access token as a refresh token",
        &site.refresh(&client, &tokens.access, &[]),
    );
    t.refused(
        "an access token whose prefix says that it is a refresh token",
        &site.refresh(&client, &tokens.access.replace("mdaccess", "mdrefresh"), &[]),
    );
    t.refused(
        "an access token cut short",
        &site.call(&tokens.access[..tokens.access.len() - 4]),
    );
    t.refused(
        "an unsigned JWT",
        &site.call("eyJhbGciOiJub25lIn0.eyJ0eXBlIjoiYWNjZXNzX3Rva2VuIn0."),
    );
    t.refused("Daktela's own token as a bearer token", &site.call(TOKEN));
    t.refused(
        "a refresh token by another client",
        &site.refresh(&other, &tokens.refresh, &[]),
    );
    t.refused(
        "a refresh token for another server (`resource`)",
        &site.refresh(&client, &tokens.refresh, &[("resource", "https://other.example/")]),
    );
    assert_eq!(
        site.ask(Ask::form("/revoke", &[("token", &tokens.refresh)])).status,
        200
    );
    t.refused("an access token whose login was revoked", &site.call(&tokens.access));
    t.refused(
        "a refresh token that was revoked",
        &site.refresh(&client, &tokens.refresh, &[]),
    );

    let brief = Site::start(&[("OAUTH_GRACE_SECONDS", "1")]);
    let brief_client = brief.client(CALLBACK);
    let first = brief.tokens(&brief_client, &demo);
    let second = Tokens::read(&brief.refresh(&brief_client, &first.refresh, &[]));
    thread::sleep(Duration::from_millis(1500));
    t.refused(
        "a refresh token for the second time, after the grace",
        &brief.refresh(&brief_client, &first.refresh, &[]),
    );
    t.refused(
        "the one that came of it",
        &brief.refresh(&brief_client, &second.refresh, &[]),
    );
    t.refused("the access token that came of it", &brief.call(&second.access));

    t.group("The endpoint");
    let call = || Ask::call("count_tickets", json!({}));
    t.refused(
        "no credential, though the operator's lies in the environment",
        &site.ask(call()),
    );
    t.refused(
        "a header that only looks like a credential (`X-Daktela-Foo: 1`)",
        &site.ask(call().with("x-daktela-foo", "1")),
    );
    t.refused(
        "`X-Daktela-Url` of a foreign host",
        &site.ask(call().read_as("https://evil.example", "t")),
    );
    t.refused(
        "`X-Daktela-Url: https://evil.example\\.daktela.com`",
        &site.ask(call().read_as("https://evil.example\\.daktela.com", "t")),
    );
    t.refused(
        "a token and a password at once",
        &site.ask(
            call()
                .read_as(&demo.origin(), TOKEN)
                .with("x-daktela-username", "x")
                .with("x-daktela-password", "y"),
        ),
    );
    t.refused(
        "a foreign Host (DNS rebinding)",
        &site.ask(call().read_as(&demo.origin(), TOKEN).with("host", "evil.example")),
    );
    t.refused(
        "a foreign Host at the metadata",
        &site.ask(Ask::get("/.well-known/oauth-authorization-server").with("host", "evil.example")),
    );
    t.refused(
        "a foreign Origin",
        &site.ask(
            call()
                .read_as(&demo.origin(), TOKEN)
                .with("origin", "https://evil.example"),
        ),
    );
    let guess = |word: &str| {
        let ask = call()
            .with("x-daktela-url", demo.origin())
            .with("x-daktela-username", "jan.novak");
        site.ask(ask.with("x-daktela-password", word))
    };
    for word in ["one", "two", "three", "four", "five"] {
        assert_eq!(guess(word).json()["result"]["isError"], true, "{word}");
    }
    t.refused("a sixth password for one account, in headers", &guess("six"));
    t.refused(
        "a header of 100 KB",
        &site.ask(call().with("x-daktela-url", "x".repeat(100_000))),
    );
    let mut slow = site.replicas[0].connect();
    write!(slow, "POST /mcp HTTP/1.1\r\nhost: {}\r\nx-daktela-url: {}\r\nx-daktela-access-token: {TOKEN}\r\ncontent-length: 9\r\n\r\n{{", site.host, demo.origin()).expect("a connection");
    t.refused("a body that never ends", &served::read(slow));
    t.refused(
        "a body of 200 KB where 100 KB are allowed",
        &site.ask(Ask::raw_mcp(&" ".repeat(200_000)).read_as(&demo.origin(), TOKEN)),
    );
    t.refused(
        "a batch of messages",
        &site.ask(Ask::raw_mcp("[{}]").read_as(&demo.origin(), TOKEN)),
    );
    let instances_asked = demo.take_requests();
    assert!(instances_asked.iter().all(|request| !request.raw.contains("evil")));

    golden::report(
        golden::check(
            &golden::folder().join("../docs/security.md"),
            &format!("{INTRODUCTION}{}", table.page),
        )
        .err()
        .into_iter()
        .collect(),
    );
}

const INTRODUCTION: &str = "# Security of the server for many

Written by the tests (`tests/it/oauth.rs`), each of which tries the attack on the running program and notes what it answers;
`UPDATE_EXPECT=1 cargo test --release` rewrites the page.

What the tables rest on:

- **Nothing is stored.** Client ids, logins under way, codes and tokens are documents sealed with ChaCha20-Poly1305 under keys
  that HKDF derives from `OAUTH_SECRET`, one key for each document. Several secrets with commas rotate: the first seals, all open.
- **Daktela's credentials** are inside of the sealed documents, and in the sandbox never. A refresh token holds Daktela's refresh
  token; the password only where the instance gives out no refresh tokens.
- **What must happen once only** (a code, a refresh token, a revocation) each replica remembers for itself. Behind a balancer
  without affinity a second use can meet a replica that has not seen the first. A code lives for 60 seconds and is bound to its
  client, its address and its verifier; Daktela itself refuses its own refresh token the second time.
- **Addresses from strangers** (instances, client documents) are parsed once, by the parser that connects. The name's addresses
  are checked at each connection; private, loopback, link-local and other special ones are refused, unless the operator named that
  very host. Redirects are not followed.
";
