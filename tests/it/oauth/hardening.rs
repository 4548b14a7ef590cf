//! Limits against denial of service and deception by one caller: each test measures the effect on another caller.

use std::{
    sync::atomic::Ordering,
    thread,
    time::{Duration, Instant},
};

use daktela_demo::{Action, Demo, Fault, USERNAME, reader_token};
use serde_json::json;

use super::{
    CALLBACK, Documents, SECRET, Silent, Site, Tokens,
    brute_force::{call, logins},
    http_answer, words,
};
use crate::server_harness::{Ask, Served};

/// How long the slowest of some requests takes.
fn slowest(count: usize, ask: impl Fn()) -> Duration {
    let time = |_| {
        let start = Instant::now();
        ask();
        start.elapsed()
    };
    (0..count).map(time).max().unwrap_or_default()
}

#[test]
fn a_form_of_many_parameters_costs_no_more_than_one_of_few() {
    let site = Site::start(&[]);
    let client = site.client(CALLBACK);
    let form = |target: &'static str, body: String| {
        let ask = Ask {
            body,
            ..Ask::form(target, &[])
        };
        site.ask(ask)
    };
    let many = |bytes: usize| -> String {
        let all: String = (0..20_000).map(|number| format!("{number:x}&")).collect();
        all[..bytes].to_owned()
    };
    for target in ["/token", "/revoke", "/authorize"] {
        for bytes in [1_000, 16_000] {
            assert_eq!(form(target, many(bytes)).status, 400, "{target} {bytes}");
        }
        assert_eq!(form(target, many(60_000)).status, 413, "{target}");
    }
    let query = format!("/authorize?client_id={client}&{}", many(50_000));
    assert_eq!(site.ask(Ask::get(&query)).status, 400);
    // Twice the parameters, twice the time at most; with a margin for a busy machine.
    let time = |bytes: usize| {
        let start = Instant::now();
        for _ in 0..20 {
            form("/token", many(bytes));
        }
        start.elapsed()
    };
    let (short, long) = (time(8_000), time(16_000));
    assert!(long < short * 3 + Duration::from_millis(200), "{short:?} {long:?}");
    // Others are served meanwhile.
    thread::scope(|scope| {
        let senders: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| (0..20).for_each(|_| drop(form("/token", many(16_000))))))
            .collect();
        let slowest = slowest(20, || assert_eq!(site.ask(Ask::get("/healthz")).status, 200));
        assert!(slowest < Duration::from_secs(1), "{slowest:?}");
        senders.into_iter().for_each(|sender| sender.join().expect("no panic"));
    });
}

/// Whose tokens Daktela has not accepted yet share a part of the server.
#[test]
fn made_up_tokens_do_not_shut_out_a_caller_who_is_known() {
    let demo = Demo::start().expect("a demo instance");
    let attacked = Demo::start().expect("another");
    attacked.inject(Fault {
        times: usize::MAX,
        delay: Some(Duration::from_millis(300)),
        action: Some(Action::Status {
            code: 401,
            headers: Vec::new(),
            body: String::new(),
        }),
        ..Fault::default()
    });
    let served = Served::start(&[("MAX_CONCURRENT_REQUESTS", "40"), ("DAKTELA_MAX_CONCURRENT_CALLS", "8")]);
    let good = || served.ask(&Ask::call("count_tickets", json!({})).read_as(&demo.origin(), &reader_token(1)));
    assert_eq!(good().status, 200);
    thread::scope(|scope| {
        let attackers: Vec<_> = (0..80)
            .map(|number| {
                let ask =
                    Ask::call("count_tickets", json!({})).read_as(&attacked.origin(), &format!("made-up-{number}"));
                let served = &served;
                scope.spawn(move || served.ask(&ask).status)
            })
            .collect();
        thread::sleep(Duration::from_millis(300));
        for _ in 0..20 {
            let reply = good();
            assert_eq!((reply.status, &reply.json()["result"]["isError"]), (200, &json!(false)));
        }
        let statuses: Vec<u16> = attackers
            .into_iter()
            .map(|attacker| attacker.join().expect("no panic"))
            .collect();
        // Thirty wrong tokens of one address reach Daktela, and the others are told to come back.
        assert!(
            statuses.iter().all(|status| matches!(status, 200 | 429 | 503)),
            "{statuses:?}"
        );
        let tried = statuses.iter().filter(|status| **status == 200).count();
        assert!(tried <= 30, "{tried} of {statuses:?}");
    });
}

/// Pings ask Daktela nothing, so that they make no counters which could push out those of guesses.
#[test]
fn requests_without_an_answer_of_daktelas_leave_the_counters_alone() {
    let demo = Demo::start().expect("a demo instance");
    let site = Site::start(&[]);
    for number in 0..5 {
        let guess = call(&demo, USERNAME, &format!("guess {number}"));
        assert_eq!(site.ask(guess).json()["result"]["isError"], true);
    }
    assert_eq!(site.ask(call(&demo, USERNAME, "guess 6")).status, 429);
    for number in 0..200 {
        let headers = call(&demo, &format!("nobody {number}"), "x").headers;
        let ping = Ask {
            headers,
            ..Ask::mcp("ping", json!({}))
        };
        assert_eq!(site.ask(ping).status, 200);
    }
    assert_eq!(site.ask(call(&demo, USERNAME, "guess 7")).status, 429);
}

#[test]
fn spellings_that_databases_take_for_one_name_are_one_account() {
    let demo = Demo::start().expect("a demo instance");
    let site = Site::start(&[]);
    for name in [
        "jan.novak",
        "Jan.Novák",
        "jan.nova\u{301}k",
        "ｊａｎ．ｎｏｖａｋ",
        "jań.nóvak",
    ] {
        let reply = site.ask(call(&demo, name, &format!("wrong for {name}")));
        assert_eq!(reply.status, 200, "{name}");
    }
    assert_eq!(site.ask(call(&demo, "JAN.NOVÅK", "six")).status, 429);
}

/// A password that was changed is tried once, not at each refresh.
#[test]
fn a_refresh_that_daktela_refuses_ends_the_login() {
    let demo = Demo::start().expect("a demo instance");
    let site = Site::start(&[]);
    let client = site.client(CALLBACK);
    let tokens = site.tokens(&client, &demo);
    demo.inject(Fault {
        matches: "login".to_owned(),
        times: usize::MAX,
        delay: None,
        action: Some(Action::Status {
            code: 401,
            headers: Vec::new(),
            body: String::new(),
        }),
    });
    demo.take_requests();
    let refused: Vec<String> = (0..4)
        .map(|_| site.refresh(&client, &tokens.refresh, &[]))
        .map(|reply| format!("{} {}", reply.status, reply.json()["error_description"]))
        .collect();
    assert_eq!(refused[0], "400 \"Daktela does not renew the login; log in anew.\"");
    assert_eq!(
        refused[1..],
        [(); 3].map(|()| "400 \"The token is revoked; log in anew.\"".to_owned())
    );
    assert_eq!(logins(&demo), 1);
    assert_eq!(site.call(&tokens.access).status, 401);
}

#[test]
fn one_login_is_refreshed_ten_times_a_minute_at_most() {
    let demo = Demo::start().expect("a demo instance");
    let site = Site::start(&[]);
    let client = site.client(CALLBACK);
    let mut tokens = site.tokens(&client, &demo);
    let other = site.tokens(&client, &demo);
    for _ in 0..10 {
        tokens = Tokens::read(&site.refresh(&client, &tokens.refresh, &[]));
    }
    let refused = site.refresh(&client, &tokens.refresh, &[]);
    assert_eq!(
        (refused.status, &refused.json()["error"]),
        (429, &json!("temporarily_unavailable"))
    );
    assert!(refused.header("retry-after").is_some());
    Tokens::read(&site.refresh(&client, &other.refresh, &[]));
}

/// PKCE binds a code to whoever asked for it (OAuth 2.1).
#[test]
fn a_code_is_exchanged_without_its_redirect_uri() {
    let demo = Demo::start().expect("a demo instance");
    let site = Site::start(&[]);
    let client = site.client(CALLBACK);
    let code = site.code(&client, &demo);
    let elsewhere = site.exchange(&client, &code, &[("redirect_uri", "https://claude.ai/other")]);
    assert_eq!(elsewhere.status, 400);
    Tokens::read(&site.exchange(&client, &code, &[("redirect_uri", "")]));
}

/// The limit of one network is nothing to another that wants the same document.
#[test]
fn a_busy_network_makes_nobody_elses_client_wait() {
    let silent = Silent::start();
    let documents = Documents::serve(|origin, path| {
        thread::sleep(Duration::from_millis(300));
        let body =
            json!({"client_id": format!("{origin}{path}"), "client_name": "Victim", "redirect_uris": [CALLBACK]});
        http_answer("200 OK", "", &body.to_string())
    });
    let site = Site::start(&[
        ("ALLOWED_CLIENT_HOSTS", "127.0.0.1,localhost"),
        ("TRUSTED_PROXIES", "1"),
    ]);
    let open = |document: &str, address: &str| site.authorize_from(document, address);
    let victims = format!("{}/client.json", documents.origin);
    // Another name for the silent host, so that its own limit is not the victim's.
    let slow = silent.origin.replace("127.0.0.1", "localhost");
    thread::scope(|scope| {
        let held: Vec<_> = (0..4)
            .map(|number| {
                let document = format!("{slow}/{number}.json");
                scope.spawn(move || open(&document, "198.51.100.7"))
            })
            .collect();
        let start = Instant::now();
        while silent.taken.load(Ordering::Relaxed) < 4 {
            assert!(start.elapsed() < Duration::from_secs(5), "four documents are asked for");
            thread::sleep(Duration::from_millis(10));
        }
        let attackers: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| open(&victims, "198.51.100.7").status))
            .collect();
        thread::sleep(Duration::from_millis(1_500));
        let page = open(&victims, "192.0.2.1");
        assert_eq!(page.status, 200, "{}", words(&page.body));
        for attacker in attackers {
            assert!(matches!(attacker.join().expect("no panic"), 200 | 503));
        }
        held.into_iter().for_each(|thread| drop(thread.join()));
    });
}

#[test]
fn the_page_warns_of_sites_that_nobody_vouches_for() {
    const WARNING: &str = "The operator of this server does not know that site.";
    let page = |site: &Site, redirect: &str, name: &str| {
        let client = site.register(&[redirect], name).json()["client_id"]
            .as_str()
            .expect("an id")
            .to_owned();
        site.authorize(&client, &[("redirect_uri", redirect)])
    };
    let lookalike = "https://claude-ai.evil.example/cb";
    let site = Site::start(&[]);
    assert!(page(&site, lookalike, "Claude").body.contains(WARNING));
    assert!(!page(&site, CALLBACK, "Claude").body.contains(WARNING));
    let hidden = page(&site, lookalike, "Cl\u{200b}au\u{2060}de\u{61c}\u{202e}");
    assert!(hidden.body.contains("<strong>Claude</strong>"), "{}", hidden.body);

    let named = Site::start(&[("OAUTH_KNOWN_CLIENTS", "claude-ai.evil.example")]);
    assert!(!page(&named, lookalike, "Claude").body.contains(WARNING));

    let strict = Site::start(&[("OAUTH_KNOWN_CLIENTS_ONLY", "true")]);
    assert_eq!(strict.register(&[lookalike], "Claude").status, 400);
    assert_eq!(
        strict.register(&[CALLBACK, "http://localhost/cb"], "Claude").status,
        201
    );
}

/// A document speaks for its own address, which is shown whole: a host may hold documents of anybody's.
#[test]
fn the_page_shows_the_whole_address_of_a_document() {
    let documents = Documents::serve(|origin, path| {
        let body =
            json!({"client_id": format!("{origin}{path}"), "client_name": "Claude", "redirect_uris": [CALLBACK]});
        http_answer("200 OK", "", &body.to_string())
    });
    let site = Site::start(&[("ALLOWED_CLIENT_HOSTS", "127.0.0.1")]);
    let address = format!("{}/somebody/client.json", documents.origin);
    let page = site.authorize(&address, &[]);
    assert!(
        page.body.contains(&format!("({address})")) && page.body.contains("nobody checked"),
        "{}",
        page.body
    );
}

#[test]
fn what_makes_tokens_weak_is_told_at_the_start() {
    let phrase = Served::start(&[("OAUTH_SECRET", "correct horse battery staple again!")]);
    assert_eq!(phrase.log("weak_secret", 1).len(), 1);
    assert_eq!(phrase.log("oauth_store_in_memory", 1).len(), 1);
    let random = Served::start(&[("OAUTH_SECRET", SECRET)]);
    random.log("listening", 1);
    assert!(!random.whole_log().contains("weak_secret"));
}

/// Whatever status an instance or a proxy has for a wrong password, it is one.
#[test]
fn an_odd_answer_to_a_password_counts_as_a_wrong_one() {
    for (code, body) in [
        (200, r#"{"error":["Wrong credentials"],"result":null}"#),
        (302, ""),
        (404, ""),
        (422, "{}"),
        (423, "<html>locked</html>"),
    ] {
        let demo = Demo::start().expect("a demo instance");
        demo.inject(Fault {
            matches: "login".to_owned(),
            times: usize::MAX,
            delay: None,
            action: Some(Action::Status {
                code,
                headers: Vec::new(),
                body: body.to_owned(),
            }),
        });
        let site = Site::start(&[]);
        let page = site.page(&site.client(CALLBACK));
        let instance = demo.origin();
        let statuses: Vec<u16> = (0..8)
            .map(|number| {
                let guess = format!("guess {number}");
                let fields = [
                    ("instance", instance.as_str()),
                    ("username", USERNAME),
                    ("password", &guess),
                ];
                site.submit(&page, &fields).status
            })
            .collect();
        assert_eq!(
            (logins(&demo), &statuses[5..]),
            (5, &[429; 3][..]),
            "{code} {statuses:?}"
        );
        let other = |number: usize| {
            site.ask(call(&demo, "eva.dvorakova", &format!("guess {number}")))
                .status
        };
        let statuses: Vec<u16> = (0..8).map(other).collect();
        assert_eq!(
            (logins(&demo), &statuses[5..]),
            (5, &[429; 3][..]),
            "{code} {statuses:?}"
        );
    }
}

/// An operator who wants logins only.
#[test]
fn credentials_in_headers_can_be_refused() {
    let demo = Demo::start().expect("a demo instance");
    let site = Site::start(&[("OAUTH_ONLY", "true")]);
    let call = || Ask::call("count_tickets", json!({}));
    demo.take_requests();
    for ask in [
        call().read_as(&demo.origin(), &reader_token(1)),
        super::brute_force::call(&demo, USERNAME, daktela_demo::PASSWORD),
        call()
            .read_as(&demo.origin(), &reader_token(1))
            .with("authorization", "Bearer x"),
    ] {
        let reply = site.ask(ask);
        assert_eq!(
            (reply.status, words(&reply.body)),
            (
                401,
                "This server takes no credentials in headers; log in through OAuth.".to_owned()
            )
        );
        let challenge = reply.header("www-authenticate").expect("a challenge");
        assert!(challenge.starts_with("Bearer resource_metadata="), "{challenge}");
    }
    assert_eq!(demo.take_requests().len(), 0);
    let tokens = site.tokens(&site.client(CALLBACK), &demo);
    assert!(site.call(&tokens.access).text().contains("244"));

    let alone = crate::program::command(&[
        ("MCP_TRANSPORT", "streamable-http"),
        ("PORT", "0"),
        ("OAUTH_ONLY", "true"),
    ])
    .output()
    .expect("the program runs");
    let said = String::from_utf8(alone.stderr).expect("UTF-8");
    assert!(
        alone.status.code() == Some(2) && said.contains("OAUTH_ONLY needs OAuth"),
        "{said}"
    );
}
