//! The login page, as bytes; `tests/clients/login_page.mjs` looks at it in a browser.

use daktela_demo::{Action, Demo, Fault, PASSWORD, SSO_TOKEN, USERNAME};
use serde_json::json;

use super::{CALLBACK, CHALLENGE, Site, Tokens, parameter};
use crate::served::{Ask, encode};

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

/// Whoever signs in with a second factor or through single sign-on has no password to give.
#[test]
fn a_user_without_a_password_gives_an_api_token() {
    let demo = Demo::start().expect("a demo instance");
    let site = Site::start(&[]);
    let client = site.client(CALLBACK);
    let count = || Ask::call("count_tickets", json!({}));
    let expected = site.ask(count().read_as(&demo.origin(), SSO_TOKEN)).text();
    let origin = demo.origin();
    let token = ("token", SSO_TOKEN);
    for fields in [
        vec![("instance", origin.as_str()), token],
        // A browser may have filled in the rest by itself; that another user could log in with it does not count.
        vec![
            ("instance", origin.as_str()),
            token,
            ("username", USERNAME),
            ("password", PASSWORD),
        ],
    ] {
        demo.take_requests();
        let done = site.submit(&site.page(&client), &fields);
        let asked: Vec<String> = demo.take_requests().into_iter().map(|request| request.path).collect();
        assert_eq!(asked, ["whoim"]);
        let tokens = Tokens::read(&site.exchange(&client, &parameter(&done, "code"), &[]));
        assert!((3000..3600).contains(&tokens.expires_in), "{}", tokens.expires_in);
        assert_eq!(site.call(&tokens.access).text(), expected);
        let next = Tokens::read(&site.refresh(&client, &tokens.refresh, &[]));
        assert_eq!(site.call(&next.access).text(), expected);

        // Somebody revokes it in Daktela.
        let revoked = Action::Status {
            code: 401,
            headers: Vec::new(),
            body: String::new(),
        };
        demo.inject(Fault {
            matches: "whoim".to_owned(),
            times: 1,
            delay: None,
            action: Some(revoked),
        });
        let refused = site.refresh(&client, &next.refresh, &[]);
        assert_eq!(
            (refused.status, refused.json()),
            (
                400,
                json!({"error": "invalid_grant", "error_description": "Daktela does not renew the login; log in anew."})
            )
        );
    }
    assert!(!site.replicas[0].whole_log().contains(SSO_TOKEN));
}

#[test]
fn a_token_that_daktela_does_not_know_is_refused_where_it_was_given() {
    let demo = Demo::start().expect("a demo instance");
    let site = Site::start(&[]);
    let page = site.page(&site.client(CALLBACK));
    assert!(page.html.contains("<details><summary>"), "{}", page.html);
    let refused = site.submit(&page, &[("instance", &demo.origin()), ("token", "5c1d0e7a-is-none")]);
    assert_eq!(refused.status, 403);
    for expected in [
        "role=\"alert\">Daktela does not know this API token.",
        "<details open><summary>",
        "aria-describedby=\"token-note problem\"",
    ] {
        assert!(refused.body.contains(expected), "{expected}: {}", refused.body);
    }
    assert!(!refused.body.contains("5c1d0e7a-is-none"));
    let nothing = site.submit(&page, &[("instance", &demo.origin()), ("username", USERNAME)]);
    assert!(
        nothing.status == 400 && nothing.body.contains("user name with password or an API token"),
        "{nothing:?}"
    );
}
