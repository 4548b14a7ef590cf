//! The login page, as bytes; `tests/clients/login_page.mjs` looks at it in a browser.

use super::{CALLBACK, CHALLENGE, Site};
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
