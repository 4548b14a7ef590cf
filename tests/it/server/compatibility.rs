//! Spellings of requests that clients, browsers and proxies differ in: paths, Accept, Origin, a public URL with a path.

use daktela_demo::{Demo, PASSWORD, TOKEN, USERNAME};
use serde_json::json;

use crate::{
    oauth::{CALLBACK, Page, SECRET, Site},
    server_harness::{Ask, Served, encode},
};

#[test]
fn a_path_may_end_in_a_slash() {
    let demo = Demo::start().expect("a demo instance");
    let site = Site::start(&[]);
    let ping = Ask::mcp("ping", json!({})).read_as(&demo.origin(), TOKEN);
    let slash = Ask {
        target: "/mcp/",
        ..ping
    };
    assert_eq!(site.ask(slash).status, 200);
    for path in [
        "/.well-known/oauth-protected-resource/mcp",
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/mcp",
    ] {
        let document = site.ask(Ask::get(path));
        assert_eq!(document.status, 200, "{path}");
        assert_eq!(site.ask(Ask::get(&format!("{path}/"))).body, document.body, "{path}");
    }
    let unknown = site.ask(Ask::mcp("ping", json!({})).with("host", "localhost"));
    let challenge = unknown.header("www-authenticate").expect("a challenge").to_owned();
    let slash = Ask {
        target: "/mcp/",
        ..Ask::mcp("ping", json!({}))
    };
    let unknown = site.ask(slash.with("host", "localhost"));
    assert_eq!(unknown.header("www-authenticate"), Some(&*challenge));
}

/// What asks for progress is answered in pieces, but not where the client reads JSON only.
#[test]
fn a_client_that_reads_json_only_is_answered_in_json() {
    let demo = Demo::start().expect("a demo instance");
    let served = Served::start(&[]);
    let params = json!({"name": "count_tickets", "arguments": {}, "_meta": {"progressToken": 1}});
    let ask = Ask::mcp("tools/call", params).read_as(&demo.origin(), TOKEN);
    for accept in ["application/json", "application/*"] {
        let reply = served.ask(&ask.clone().with("accept", accept));
        assert_eq!(
            (reply.status, reply.header("content-type")),
            (200, Some("application/json")),
            "{accept}"
        );
        assert!(reply.text().contains("244"), "{accept}");
    }
}

#[test]
fn a_broken_character_is_replaced_and_the_request_is_answered_by_its_id() {
    let demo = Demo::start().expect("a demo instance");
    let served = Served::start(&[]);
    let body = r#"{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"list_tickets","arguments":{"search":"x \ud800","take":1}}}"#;
    let reply = served.ask(&Ask::raw_mcp(body).read_as(&demo.origin(), TOKEN));
    assert_eq!((reply.status, &reply.json()["id"]), (200, &json!("a")));
}

#[test]
fn desktop_programs_have_origins_too() {
    let demo = Demo::start().expect("a demo instance");
    let origins = [
        "tauri://localhost",
        "app://obsidian.md",
        "vscode-webview://1a2b3c",
        "chrome-extension://abcdefghijklmnop",
    ];
    let served = Served::start(&[("ALLOWED_ORIGINS", &origins.join(","))]);
    let ping = |origin: &str| {
        let ask = Ask::mcp("ping", json!({})).read_as(&demo.origin(), TOKEN);
        served.ask(&ask.with("origin", origin))
    };
    for origin in origins {
        let reply = ping(origin);
        assert_eq!(
            (reply.status, reply.header("access-control-allow-origin")),
            (200, Some(origin))
        );
    }
    for origin in [
        "null",
        "tauri://evil",
        "app://localhost",
        "tauri://localhost.evil.example",
    ] {
        assert_eq!(ping(origin).status, 403, "{origin}");
    }
}

/// Behind a proxy that hands on one path of a site, and strips it or not.
#[test]
fn the_server_may_be_published_below_a_path() {
    let demo = Demo::start().expect("a demo instance");
    let site = Site::start_at(&[("PUBLIC_URL", "http://localhost:8443/daktela")], "localhost:8443");
    let base = "http://localhost:8443/daktela";
    let unknown = site.ask(Ask {
        target: "/daktela/mcp",
        ..Ask::mcp("ping", json!({}))
    });
    let metadata = format!("{base}/.well-known/oauth-protected-resource/mcp");
    assert_eq!(
        unknown.header("www-authenticate"),
        Some(&*format!(
            "Bearer resource_metadata=\"{metadata}\", scope=\"daktela:read\""
        ))
    );
    for path in [
        "/daktela/.well-known/oauth-protected-resource/mcp",
        "/.well-known/oauth-protected-resource/daktela/mcp",
        "/.well-known/oauth-protected-resource/mcp",
    ] {
        let resource = site.ask(Ask::get(path)).json();
        assert_eq!(
            (&resource["resource"], &resource["authorization_servers"]),
            (&json!(format!("{base}/mcp")), &json!([base])),
            "{path}"
        );
    }
    for path in [
        "/.well-known/oauth-authorization-server/daktela",
        "/daktela/.well-known/openid-configuration",
    ] {
        let server = site.ask(Ask::get(path)).json();
        assert_eq!(
            (&server["issuer"], &server["token_endpoint"]),
            (&json!(base), &json!(format!("{base}/token"))),
            "{path}"
        );
    }
    let client = site.client(CALLBACK);
    let page = site.authorize(&client, &[("resource", &format!("{base}/mcp"))]);
    assert!(
        page.body.contains("action=\"/daktela/authorize\"") && page.body.contains("href=\"/daktela/login.css\""),
        "{}",
        page.body
    );
    let page = Page::read(&page);
    let done = site.submit_from(
        &page,
        "http://localhost:8443",
        &[
            ("instance", &demo.origin()),
            ("username", USERNAME),
            ("password", PASSWORD),
        ],
    );
    let issuer = format!("iss={}", encode(base));
    assert!(
        done.header("location")
            .is_some_and(|location| location.contains(&issuer)),
        "{done:?}"
    );
}

/// Browsers are told to stay with https where the server is published so.
#[test]
fn a_server_with_https_says_so_for_good() {
    let served = Served::start(&[("PUBLIC_URL", "https://mcp.example.com"), ("OAUTH_SECRET", SECRET)]);
    let page = served.ask(&Ask::get("/authorize").with("host", "mcp.example.com"));
    assert_eq!(page.header("strict-transport-security"), Some("max-age=63072000"));
    let plain = Served::start(&[]);
    assert_eq!(
        plain.ask(&Ask::get("/healthz")).header("strict-transport-security"),
        None
    );
}

#[test]
fn a_proxy_that_is_not_trusted_is_told_once() {
    let served = Served::start(&[]);
    for _ in 0..2 {
        served.ask(&Ask::get("/healthz").with("x-forwarded-for", "192.0.2.1"));
    }
    served.ask(&Ask::mcp("ping", json!({})).with("x-forwarded-for", "192.0.2.1"));
    served.log("refused", 1);
    let told = served.log("proxy_not_trusted", 1);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0]["reason"]
            .as_str()
            .is_some_and(|reason| reason.contains("TRUSTED_PROXIES"))
    );
}
