//! Attacks on OAuth and the MCP endpoint, each of which must be refused. Writes the tables of `docs/security.md`.

use std::{fmt::Write as _, fs, io::Write as _, net::TcpListener, sync::atomic::Ordering, thread, time::Duration};

use daktela_demo::{Demo, PASSWORD, SSO_TOKEN, TOKEN, USERNAME};
use serde_json::{Value, json};

use super::{
    CALLBACK, CHALLENGE, Documents, OTHER_SECRET, Page, SECRET, Silent, Site, Tokens, brute_force,
    denial_of_service::denial_of_service, http_answer,
};
use crate::{
    egress::dns_rebinding,
    golden,
    server_harness::{self, Ask, Reply, encode},
};

/// What was tried, and what came of it.
#[derive(Default)]
pub(super) struct Attacks {
    page: String,
    secrets: Vec<String>,
}

impl Attacks {
    fn group(&mut self, title: &str) {
        write!(self.page, "\n## {title}\n\n| attack | answer |\n|---|---|\n").expect("a String");
    }

    /// Fails unless somebody else is served meanwhile.
    pub(super) fn in_vain(&mut self, attack: &str, meanwhile: &Reply) {
        let served = meanwhile.status == 200 && meanwhile.json()["result"]["isError"] == false;
        assert!(served, "{attack}: {meanwhile:?}");
        writeln!(self.page, "| {attack} | all others are served |").expect("a String");
    }

    /// Fails unless it was refused.
    pub(super) fn refused(&mut self, attack: &str, reply: &Reply) {
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
pub(crate) fn words(body: &str) -> String {
    if let Some(problem) = body.split("role=\"alert\">").nth(1) {
        return problem.split("</p>").next().unwrap_or_default().to_owned();
    }
    let json: Value = serde_json::from_str(body).unwrap_or_default();
    match (&json["error"], &json["error_description"]) {
        (Value::String(code), Value::String(text)) => format!("`{code}` {text}"),
        (Value::Object(error), _) => error["message"].as_str().unwrap_or_default().to_owned(),
        _ if json["result"]["isError"] == true => json["result"]["content"][0]["text"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
        _ => body.trim().to_owned(),
    }
}

/// The server that is attacked, and two clients that registered there.
pub(super) struct Scene {
    pub(super) demo: Demo,
    site: Site,
    client: String,
    other: String,
}

type Group = fn(&mut Attacks, &Scene);

/// Writes the tables of `docs/security.md`.
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
    let scene = Scene {
        client: site.client(CALLBACK),
        other: site.client(CALLBACK),
        demo,
        site,
    };
    let groups: [(&str, Group); 9] = [
        ("Redirect URI validation", redirects),
        ("Client authentication", clients),
        ("Authorization request", requests),
        ("Login page", login_page),
        ("Authorization codes", codes),
        ("Token endpoint", tokens),
        ("DNS rebinding", names),
        ("MCP endpoint", endpoint),
        ("Denial of service", denial_of_service),
    ];
    for (title, group) in groups {
        table.group(title);
        group(&mut table, &scene);
    }
    let instances_asked = scene.demo.take_requests();
    assert!(instances_asked.iter().all(|request| !request.raw.contains("evil")));

    // What stands above the first table is written by hand.
    let path = golden::folder().join("../docs/security.md");
    let page = fs::read_to_string(&path).expect("a page");
    let (introduction, _) = page
        .split_once(&format!("\n## {}\n", groups[0].0))
        .expect("the threat model and the first table");
    golden::assert_eq(&path, &format!("{introduction}{}", table.page));
}

fn redirects(t: &mut Attacks, Scene { site, client, .. }: &Scene) {
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
            &site.authorize(client, &[("redirect_uri", redirect)]),
        );
    }
    for redirect in [
        "javascript:alert(1)",
        "data:text/html,x",
        "http://evil.example/cb",
        "https://u:p@claude.ai/cb",
        "https://claude.ai/cb#x",
        "https://claude.ai\\@evil.example/",
        "com.example.app:oauth2redirect",
        "ms-msdt:/id",
        "search-ms://query=x",
        "smb://evil.example/x",
        "chrome-extension://x/y",
        "c:/windows/system32/calc.exe",
        "not a URL",
    ] {
        t.refused(&format!("registering `{redirect}`"), &site.register(&[redirect], "x"));
    }
    t.refused("registering eleven addresses", &site.register(&[CALLBACK; 11], "x"));
    t.refused(
        "registering ten of 500 bytes",
        &site.register(&[&*format!("{CALLBACK}{}", "x".repeat(500 - CALLBACK.len())); 10], "x"),
    );
    t.refused("registering none", &site.register(&[], "x"));
    t.refused(
        "a registration of 20 KB",
        &site.register(&[CALLBACK], &"x".repeat(20_000)),
    );
}

fn clients(t: &mut Attacks, Scene { site, client, .. }: &Scene) {
    let changed = format!("{}A", &client[..client.len() - 1]);
    t.refused(
        "a client id with one letter changed",
        &site.authorize(
            &if changed == *client {
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
    // The caller does not hear why, since it could tell about the network; the operator does.
    let logged = site.replicas[0].log("client_document", 5);
    let reasons: Vec<&str> = logged.iter().filter_map(|line| line["reason"].as_str()).collect();
    assert_eq!(
        reasons[reasons.len() - 4..],
        [
            "HTTP 302",
            "longer than 5120 bytes",
            "its client_id is another address than its own",
            "its redirect_uris do not fit"
        ],
        "{logged:?}"
    );
    slow_documents(t);
}

/// A host of documents that answers none keeps out nobody's page but its own clients'.
fn slow_documents(t: &mut Attacks) {
    let silent = Silent::start();
    let site = Site::start(&[("ALLOWED_CLIENT_HOSTS", "127.0.0.1")]);
    let replies = brute_force::at_once(12, |number| {
        site.authorize(&format!("{}/{number}.json", silent.origin), &[])
    });
    assert_eq!(silent.taken.load(Ordering::Relaxed), 4);
    let busy: Vec<&Reply> = replies.iter().filter(|reply| reply.status == 503).collect();
    assert_eq!(busy.len(), 8);
    t.refused("twelve documents at once of a host that does not answer", busy[0]);
}

fn requests(t: &mut Attacks, Scene { site, client, .. }: &Scene) {
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
        t.refused(attack, &site.authorize(client, more));
    }
    let local = "http://localhost/callback";
    t.refused(
        "no PKCE, of a program on the user's machine",
        &site.authorize(
            &site.client(local),
            &[
                ("redirect_uri", local),
                ("code_challenge", ""),
                ("code_challenge_method", ""),
            ],
        ),
    );
    t.refused(
        "`redirect_uri` twice",
        &site.ask(Ask::get(&format!(
            "/authorize?client_id={client}&redirect_uri={0}&redirect_uri={0}",
            encode(CALLBACK)
        ))),
    );
}

fn login_page(t: &mut Attacks, Scene { demo, site, client, .. }: &Scene) {
    let page = site.page(client);
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
        &site.ask(form().with("cookie", site.page(client).cookie)),
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
    t.refused("a changed form", &site.log_in(&forged, demo));
    for instance in [
        "https://evil.example",
        "https://evil.example\\.daktela.com",
        "https://evil.example%2f.daktela.com",
        "https://evil.example;.daktela.com",
        "https://evil.example%00.daktela.com",
        "https://acme.daktela.com@evil.example",
        "https://user:pw@acme.daktela.com",
        "user:pw@acme.daktela.com",
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

    let token = |word: &str| site.submit(&page, &[("instance", &demo.origin()), ("token", word)]);
    t.refused("an API token that Daktela does not know", &token("one"));
    t.refused("an API token that is no token", &token("one\ntwo"));
    for word in ["three", "four", "five"] {
        assert_eq!(token(word).status, 403);
    }
    t.refused(
        "a sixth API token from one address within five minutes",
        &token(SSO_TOKEN),
    );
}

fn codes(
    t: &mut Attacks,
    Scene {
        demo,
        site,
        client,
        other,
    }: &Scene,
) {
    let code = site.code(client, demo);
    t.secrets.push(code.clone());
    for (attack, more) in [
        ("without its verifier", &[("code_verifier", "")][..]),
        (
            "with another verifier",
            &[("code_verifier", "xBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")],
        ),
        ("with the challenge as the verifier", &[("code_verifier", CHALLENGE)]),
        ("by another client", &[("client_id", other)]),
        ("by no client", &[("client_id", "")]),
        (
            "with another `redirect_uri`",
            &[("redirect_uri", "https://claude.ai/other")],
        ),
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
        t.refused(&format!("a code {attack}"), &site.exchange(client, &code, more));
    }
    let mut changed = code.clone();
    changed.replace_range(60..61, if &code[60..61] == "A" { "B" } else { "A" });
    t.refused("a code with one letter changed", &site.exchange(client, &changed, &[]));
    t.refused("a code as an access token", &site.call(&code));
    let tokens = Tokens::read(&site.exchange(client, &code, &[]));
    t.secrets.extend([tokens.access.clone(), tokens.refresh.clone()]);
    t.refused("a code for the second time", &site.exchange(client, &code, &[]));
    t.refused(
        "the access token of a code that was used twice",
        &site.call(&tokens.access),
    );
    t.refused("its refresh token", &site.refresh(client, &tokens.refresh, &[]));
}

fn tokens(
    t: &mut Attacks,
    Scene {
        demo,
        site,
        client,
        other,
    }: &Scene,
) {
    let tokens = site.tokens(client, demo);
    let foreign = Site::start(&[("OAUTH_SECRET", OTHER_SECRET)]);
    let foreign_client = foreign.client(CALLBACK);
    t.refused(
        "the access token of another server",
        &site.call(&foreign.tokens(&foreign_client, demo).access),
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
        &site.refresh(client, &tokens.access, &[]),
    );
    t.refused(
        "an access token whose prefix says that it is a refresh token",
        &site.refresh(client, &tokens.access.replace("mdaccess", "mdrefresh"), &[]),
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
        &site.refresh(other, &tokens.refresh, &[]),
    );
    t.refused(
        "a refresh token for another server (`resource`)",
        &site.refresh(client, &tokens.refresh, &[("resource", "https://other.example/")]),
    );
    assert_eq!(
        site.ask(Ask::form("/revoke", &[("token", &tokens.refresh)])).status,
        200
    );
    t.refused("an access token whose login was revoked", &site.call(&tokens.access));
    t.refused(
        "a refresh token that was revoked",
        &site.refresh(client, &tokens.refresh, &[]),
    );

    let brief = Site::start(&[("OAUTH_REFRESH_REUSE_SECONDS", "1")]);
    let brief_client = brief.client(CALLBACK);
    let first = brief.tokens(&brief_client, demo);
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
}

/// `tests/it/egress/dns_rebinding.rs` tries them, in a network of its own, and holds them against what stands there.
fn names(t: &mut Attacks, _: &Scene) {
    t.page += dns_rebinding::OBSERVED;
}

fn endpoint(t: &mut Attacks, Scene { demo, site, .. }: &Scene) {
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
        "the same in another spelling, `Jan.Nov\\u00adak`",
        &site.ask(brute_force::call(demo, "Jan.Nov\u{ad}ak", "seven")),
    );
    t.refused(
        "an address with a password in it, `X-Daktela-Url: jan:elektrokolo-2026@acme.daktela.com`",
        &site.ask(call().read_as(&format!("jan:{PASSWORD}@acme.daktela.com"), "t")),
    );
    many_at_once(t);
    t.refused(
        "a header of 100 KB",
        &site.ask(call().with("x-daktela-url", "x".repeat(100_000))),
    );
    let mut slow = site.replicas[0].connect();
    write!(slow, "POST /mcp HTTP/1.1\r\nhost: {}\r\nx-daktela-url: {}\r\nx-daktela-access-token: {TOKEN}\r\ncontent-length: 9\r\n\r\n{{", site.host, demo.origin()).expect("a connection");
    t.refused("a body that never ends", &server_harness::read(slow));
    t.refused(
        "a body of 200 KB where 100 KB are allowed",
        &site.ask(Ask::raw_mcp(&" ".repeat(200_000)).read_as(&demo.origin(), TOKEN)),
    );
    let many = vec!["0"; 6_000].join(",");
    t.refused(
        "a message of 6,000 values",
        &site.ask(Ask::raw_mcp(&format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"list_tickets","arguments":{{"search":[{many}]}}}}}}"#)).read_as(&demo.origin(), TOKEN)),
    );
}

/// The limits count from before Daktela is asked.
fn many_at_once(t: &mut Attacks) {
    let demo = Demo::start().expect("a demo instance");
    brute_force::slow_logins(&demo);
    let site = Site::start(&[]);
    let replies = brute_force::at_once(60, |number| {
        site.ask(brute_force::call(&demo, USERNAME, &format!("guess {number}")))
    });
    assert_eq!(brute_force::logins(&demo), 5);
    let held_back: Vec<&Reply> = replies.iter().filter(|reply| reply.status == 429).collect();
    assert_eq!(held_back.len(), 55);
    t.refused(
        "sixty passwords at the same moment: five go to Daktela, and of the others each",
        held_back[0],
    );
}
