//! OAuth flow: discovery, registration, authorization code, refresh, revocation, as clients use them.

use std::{
    sync::atomic::AtomicUsize,
    thread,
    time::{Duration, Instant},
};

use daktela_demo::{Action, Demo, Fault, LoginAnswer, PASSWORD, Quirks, SSO_TOKEN, USERNAME};
use serde_json::json;

use super::{
    CALLBACK, CHALLENGE, Documents, OTHER_SECRET, Page, SECRET, Site, Tokens, VERIFIER, http_answer, parameter,
};
use crate::server_harness::{Ask, Served, encode};

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

/// What means the same may be written in several ways.
#[test]
fn a_client_may_spell_its_requests_as_it_likes() {
    let demo = Demo::start().expect("a demo instance");
    let site = Site::start(&[("PUBLIC_URL", "https://mcp.example.com")]);
    let site = Site {
        host: "mcp.example.com".to_owned(),
        ..site
    };
    let redirect = "com.example.app:/oauth2redirect";
    let client = site.client(redirect);
    let resources = "resource=HTTPS%3A%2F%2FMCP.Example.com%2Fmcp&resource=https%3A%2F%2Fmcp.example.com%3A443";
    let target = format!(
        "/authorize?response_type=code&client_id={client}&redirect_uri={}&code_challenge={CHALLENGE}&code_challenge_method=S256&{resources}",
        encode(redirect)
    );
    let page = Page::read(&site.ask(Ask::get(&target)));
    let fields = [
        ("login", page.login.as_str()),
        ("instance", &demo.origin()),
        ("username", USERNAME),
        ("password", PASSWORD),
    ];
    let done = site.ask(Ask::form("/authorize", &fields).with("cookie", page.cookie.clone()));
    assert!(
        done.header("location")
            .is_some_and(|location| location.starts_with(&format!("{redirect}?code="))),
        "{done:?}"
    );
    let exchange = |form: String, kind: &str| {
        let ask = Ask {
            body: form,
            ..Ask::form("/token", &[])
        };
        site.ask(ask.with("content-type", kind))
    };
    let form = format!(
        "grant_type=authorization_code&client_id={client}&code={}&redirect_uri={}&code_verifier={VERIFIER}",
        parameter(&done, "code"),
        encode(redirect)
    );
    let kind = "Application/X-WWW-Form-URLencoded; charset=UTF-8";
    let elsewhere = exchange(format!("{form}&{resources}&resource=https%3A%2F%2Fother.example"), kind);
    assert_eq!(
        (elsewhere.status, &elsewhere.json()["error"]),
        (400, &json!("invalid_target"))
    );
    let tokens = Tokens::read(&exchange(format!("{form}&{resources}"), kind));
    assert!(site.call(&tokens.access).text().contains("244"));
}

/// As many as are promised, and as long.
#[test]
fn a_client_may_register_long_addresses() {
    let site = Site::start(&[]);
    let address = |number: usize, bytes: usize| format!("https://claude.ai/{number:0>width$}", width = bytes - 18);
    let register = |lengths: &[usize]| {
        let uris: Vec<String> = lengths
            .iter()
            .enumerate()
            .map(|(number, bytes)| address(number, *bytes))
            .collect();
        let uris: Vec<&str> = uris.iter().map(String::as_str).collect();
        // The longest name.
        site.register(&uris, &"𝄞".repeat(60))
    };
    for lengths in [&[256; 10][..], &[512; 5]] {
        let reply = register(lengths);
        assert_eq!(reply.status, 201, "{reply:?}");
        let client = reply.json()["client_id"].as_str().expect("an id").to_owned();
        let last = address(lengths.len() - 1, lengths[0]);
        assert_eq!(site.authorize(&client, &[("redirect_uri", &last)]).status, 200);
    }
    for lengths in [&[513][..], &[512, 512, 512, 512, 513], &[257; 10], &[30; 11]] {
        let reply = register(lengths);
        assert_eq!(
            (reply.status, reply.json()),
            (
                400,
                json!({"error": "invalid_redirect_uri", "error_description": "redirect_uris: 1 to 10 of https, http on localhost, \
                    or a scheme of the program's own; no fragment, no user; at most 512 bytes each and 2560 together."})
            )
        );
    }
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
    unauthorized(&demo, "tickets");
    unauthorized(&demo, "whoim");
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

/// The next request with this path.
fn unauthorized(demo: &Demo, path: &str) {
    let action = Action::Status {
        code: 401,
        headers: Vec::new(),
        body: String::new(),
    };
    demo.inject(Fault {
        matches: path.to_owned(),
        action: Some(action),
        ..Fault::default()
    });
}

/// An API token stays the same from login to login, so that nothing but another look tells a passing refusal.
#[test]
fn a_token_that_daktela_refused_once_is_good_again() {
    let demo = Demo::start().expect("a demo instance");
    let log_in = || {
        let site = Site::start(&[]);
        let client = site.client(CALLBACK);
        let done = site.submit(
            &site.page(&client),
            &[("instance", &demo.origin()), ("token", SSO_TOKEN)],
        );
        let tokens = Tokens::read(&site.exchange(&client, &parameter(&done, "code"), &[]));
        (site, client, tokens)
    };
    let (site, _, tokens) = log_in();
    unauthorized(&demo, "tickets");
    assert_eq!(site.call(&tokens.access).json()["result"]["isError"], true);
    assert_eq!(site.call(&tokens.access).json()["result"]["isError"], false);
    // Refused for good as far as one look tells, which counts for ten seconds, and well again at the next.
    let (site, client, tokens) = log_in();
    unauthorized(&demo, "tickets");
    unauthorized(&demo, "whoim");
    assert_eq!(site.call(&tokens.access).json()["result"]["isError"], true);
    assert_eq!(site.call(&tokens.access).status, 401);
    let next = Tokens::read(&site.refresh(&client, &tokens.refresh, &[]));
    let patience = Instant::now() + Duration::from_secs(15);
    for access in [&next.access, &tokens.access] {
        while site.call(access).status == 401 && Instant::now() < patience {
            thread::sleep(Duration::from_millis(500));
        }
        assert_eq!(site.call(access).json()["result"]["isError"], false);
    }
}

#[test]
fn secret_rotation_keeps_tokens_valid() {
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
    let redis = refused(&[
        ("OAUTH_SECRET", SECRET),
        ("REDIS_URL", "https://:hunter2@redis.example.com"),
    ]);
    assert!(
        redis.contains("expected e.g. redis://") && !redis.contains("hunter2"),
        "{redis}"
    );
    let off = Served::start(&[]);
    assert_eq!(off.log("oauth_off", 1).len(), 1);
    assert_eq!(
        off.ask(&Ask::get("/.well-known/oauth-authorization-server")).status,
        404
    );
}
