//! Login page: its bytes, languages and headers; `tests/clients/login_page.mjs` looks at it in a browser.

use std::{
    sync::atomic::Ordering,
    thread,
    time::{Duration, Instant},
};

use daktela_demo::{Action, Demo, Fault, PASSWORD, SSO_TOKEN, USERNAME};
use serde_json::json;

use super::{CALLBACK, CHALLENGE, Documents, Silent, Site, Tokens, http_answer, parameter, words};
use crate::server_harness::{Ask, encode};

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
    assert!(wrong.body.contains("value=\"&lt;b&gt;&quot;'&amp;\""), "{}", wrong.body);
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

/// Anybody can register an address, and could have our name lead there.
#[test]
fn a_wrong_request_leads_nowhere_but_to_this_machine_by_itself() {
    let site = Site::start(&[]);
    let wrong = |redirect: &str| {
        let client = site.client(redirect);
        site.authorize(
            &client,
            &[
                ("redirect_uri", redirect),
                ("code_challenge_method", "plain"),
                ("state", "a&\"b"),
            ],
        )
    };
    let base = site.base();
    let back = |redirect: &str, joint: &str| {
        format!(
            "{redirect}?error=invalid_request{joint}error_description=code_challenge_method+has+to+be+S256.{joint}state=a%26%22b\
             {joint}iss={}",
            encode(&base)
        )
    };
    for (redirect, place) in [
        (CALLBACK, "claude.ai"),
        (
            "com.example.app:/oauth2redirect",
            "the program for links that begin with com.example.app:",
        ),
        (
            "cursor://localhost/callback",
            "the program for links that begin with cursor:",
        ),
    ] {
        let told = wrong(redirect);
        assert_eq!((told.status, told.header("location")), (400, None), "{told:?}");
        assert_eq!(
            words(&told.body),
            "The application asks for the login in a wrong way: code_challenge_method has to be S256."
        );
        let link = format!(
            "<a href=\"{}\" rel=\"noreferrer\">Back to the application: <strong>{place}</strong></a>",
            back(redirect, "&amp;")
        );
        assert!(told.body.contains(&link), "{link}: {}", told.body);
    }
    let local = "http://localhost:8123/callback";
    let sent = wrong(local);
    assert_eq!((sent.status, sent.header("location")), (303, Some(&*back(local, "&"))));
}

#[test]
fn cookies_of_other_programs_do_not_matter() {
    let demo = Demo::start().expect("a demo instance");
    let site = Site::start(&[]);
    let page = site.page(&site.client(CALLBACK));
    let fields = [
        ("login", page.login.as_str()),
        ("instance", &demo.origin()),
        ("username", USERNAME),
        ("password", PASSWORD),
    ];
    for cookies in [
        format!("jméno=Žofie; {}", page.cookie),
        format!("{};x=\u{80}; a", page.cookie),
        format!("a=b;{}", page.cookie),
    ] {
        let done = site.ask(Ask::form("/authorize", &fields).with("cookie", cookies.clone()));
        assert_eq!(done.status, 303, "{cookies}");
    }
}

#[test]
fn an_address_with_a_password_in_it_is_not_filled_in_again() {
    let site = Site::start(&[]);
    let page = site.page(&site.client(CALLBACK));
    for instance in [
        "jan:Secret1@acme.daktela.com",
        "https://jan:Secret1@acme.daktela.com",
        "https://jan:Secret1@acme.daktela.com:99999",
    ] {
        let told = site.submit(&page, &[("instance", instance), ("username", "jan"), ("password", "x")]);
        assert_eq!(told.status, 400, "{told:?}");
        assert!(
            !told.body.contains("Secret1") && told.body.contains("value=\"acme.daktela.com"),
            "{}",
            told.body
        );
        let told = site.ask(Ask::call("count_tickets", json!({})).read_as(instance, "t"));
        assert_eq!(told.status, 400);
        assert!(!told.body.contains("Secret1"), "{}", told.body);
    }
}

#[test]
fn a_host_that_does_not_answer_makes_nobody_elses_page_wait() {
    let silent = Silent::start();
    let quick = Documents::serve(|origin, path| {
        let body = json!({"client_id": format!("{origin}{path}"), "client_name": "Quick", "redirect_uris": [CALLBACK]});
        http_answer("200 OK", "", &body.to_string())
    });
    let by_name = |origin: &str| origin.replace("127.0.0.1", "localhost");
    let named = Documents::serve(move |origin, path| {
        let id = format!("{}{path}", by_name(origin));
        let body = json!({"client_id": id, "client_name": "Quick", "redirect_uris": [CALLBACK]});
        http_answer("200 OK", "", &body.to_string())
    });
    let site = Site::start(&[
        ("ALLOWED_CLIENT_HOSTS", "127.0.0.1,localhost"),
        ("TRUSTED_PROXIES", "1"),
    ]);
    let open = |document: &str, address: &str| {
        let target = format!(
            "/authorize?response_type=code&client_id={}&redirect_uri={}&code_challenge={CHALLENGE}&code_challenge_method=S256",
            encode(document),
            encode(CALLBACK)
        );
        let start = Instant::now();
        let reply = site.ask(Ask::get(&target).with("x-forwarded-for", address));
        (reply, start.elapsed())
    };
    thread::scope(|scope| {
        let slow: Vec<_> = (0..4)
            .map(|number| {
                let document = format!("{}/{number}.json", silent.origin);
                scope.spawn(move || open(&document, "198.51.100.7"))
            })
            .collect();
        let start = Instant::now();
        while silent.taken.load(Ordering::Relaxed) < 4 {
            assert!(start.elapsed() < Duration::from_secs(3), "four documents are asked for");
            thread::sleep(Duration::from_millis(10));
        }
        let named = format!("{}/client.json", by_name(&named.origin));
        let (page, took) = open(&named, "192.0.2.1");
        assert!(page.status == 200 && took < Duration::from_secs(2), "{took:?} {page:?}");
        // Whoever asked for those has no room for more, nor has the host.
        let others = [
            (named.replace("client", "other"), "198.51.100.7"),
            (format!("{}/client.json", quick.origin), "192.0.2.1"),
        ];
        let others: Vec<_> = others
            .map(|(document, address)| scope.spawn(move || open(&document, address)))
            .into_iter()
            .map(|thread| thread.join().expect("no panic"))
            .collect();
        for (told, took) in others {
            assert_eq!(
                (told.status, words(&told.body).as_str(), told.header("retry-after")),
                (503, "The server is busy. Try again in a few seconds.", Some("1"))
            );
            assert!(took < Duration::from_secs(4), "{took:?}");
        }
        for thread in slow {
            assert_eq!(thread.join().expect("no panic").0.status, 400);
        }
    });
    assert_eq!(
        open(&format!("{}/client.json", quick.origin), "192.0.2.1").0.status,
        200
    );
}
