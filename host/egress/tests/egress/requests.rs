//! Requests of the component: policy, credential, retries, cache.

use std::{net::TcpListener, time::Instant};

use daktela_demo::{Action, Fault};
use http::HeaderValue;

use super::*;

const TICKETS: &str = "/api/v6/tickets.json?take=1&fields[0]=name";
const USERS: &str = "/api/v6/users.json?take=1&fields[0]=name";

fn fault(times: usize, action: Action) -> Fault {
    Fault {
        matches: String::new(),
        times,
        delay: None,
        action: Some(action),
    }
}

fn answer(code: u16, headers: &[(&str, &str)]) -> Action {
    let headers = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Action::Status {
        code,
        headers,
        body: String::new(),
    }
}

#[test]
fn requests_carry_the_hosts_token_and_no_header_of_the_component() {
    let demo = Demo::start().unwrap();
    let egress = egress(&demo, token());
    let request = Request::get(format!("{}{TICKETS}", egress.origin()))
        .header("accept", "text/plain")
        .header("x-custom", "guest")
        .body(())
        .unwrap();
    let answer = block_on(egress.serve(&new_call(), request)).unwrap();
    assert_eq!(answer.status(), 200);
    let seen = demo.take_requests();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].raw, TICKETS);
    assert_eq!(header(&seen[0], "x-auth-token"), Some(daktela_demo::TOKEN));
    assert_eq!(header(&seen[0], "accept"), Some("application/json"));
    assert_eq!(header(&seen[0], "x-custom"), None);
}

#[test]
fn requests_against_the_policy_do_not_leave() {
    let demo = Demo::start().unwrap();
    let egress = egress(&demo, token());
    block_on(async {
        let call = new_call();
        for path in [
            "/",
            "/api/v6/../internal/x.json",
            "/api/v6/%2e%2e/x.json",
            "/file/recording/1",
        ] {
            assert!(
                matches!(ask(&egress, &call, path).await, Err(EgressError::PolicyDenied(_))),
                "{path}"
            );
        }
        let mut request = Request::get(format!("{}{TICKETS}", egress.origin())).body(()).unwrap();
        request
            .headers_mut()
            .insert("x-auth-token", HeaderValue::from_static("mine"));
        assert!(matches!(
            egress.serve(&call, request).await,
            Err(EgressError::PolicyDenied(_))
        ));
        assert_eq!(call.usage().requests, 0);
    });
    assert_eq!(arrived(&demo), Vec::<String>::new());
}

#[test]
fn only_known_response_headers_reach_the_component() {
    let demo = Demo::start().unwrap();
    demo.inject(fault(
        1,
        answer(
            200,
            &[
                ("set-cookie", "c_user=secret"),
                ("x-served-by", "web1"),
                // Another cache's, which says nothing of ours.
                ("age", "7"),
                ("content-type", "text/x"),
            ],
        ),
    ));
    let answer = block_on(ask(&egress(&demo, token()), &new_call(), TICKETS)).unwrap();
    let names: Vec<&str> = answer.headers().keys().map(|name| name.as_str()).collect();
    assert!(
        names
            .iter()
            .all(|name| ["content-type", "date", "retry-after"].contains(name)),
        "{names:?}"
    );
    assert_eq!(answer.headers()["content-type"], "text/x");
}

#[test]
fn redirects_are_not_followed() {
    let (demo, elsewhere) = (Demo::start().unwrap(), Demo::start().unwrap());
    demo.inject(fault(1, Action::Redirect(format!("{}{TICKETS}", elsewhere.origin()))));
    assert_eq!(
        status(block_on(ask(&egress(&demo, token()), &new_call(), TICKETS))),
        Ok(302)
    );
    assert!(elsewhere.take_requests().is_empty());
}

#[test]
fn transient_errors_are_retried() {
    for reason in [
        answer(503, &[]),
        answer(429, &[("retry-after", "0")]),
        Action::Reset,
        Action::TruncatedBody,
    ] {
        let demo = Demo::start().unwrap();
        demo.inject(fault(1, reason.clone()));
        let call = new_call();
        assert_eq!(
            status(block_on(ask(&egress(&demo, token()), &call, TICKETS))),
            Ok(200),
            "{reason:?}"
        );
        assert_eq!(call.usage().requests, 2, "{reason:?}");
    }
}

#[test]
fn a_lasting_trouble_is_passed_on() {
    let demo = Demo::start().unwrap();
    let egress = egress(&demo, token());
    demo.inject(fault(1, answer(429, &[("retry-after", "120")])));
    demo.inject(fault(1, answer(500, &[])));
    let call = new_call();
    let (first, second) = block_on(async { (ask(&egress, &call, TICKETS).await, ask(&egress, &call, TICKETS).await) });
    let first = first.unwrap();
    assert_eq!(
        (first.status().as_u16(), &first.headers()["retry-after"]),
        (429, &HeaderValue::from_static("120"))
    );
    assert_eq!(status(second), Ok(500));
    assert_eq!(call.usage().requests, 2);
}

#[test]
fn a_call_ends_at_its_deadline() {
    let demo = Demo::start().unwrap();
    demo.inject(fault(1, Action::Hang));
    let timeout = Duration::from_millis(300);
    let started = Instant::now();
    let answer = block_on(ask(&egress(&demo, token()), &call_of(timeout), TICKETS));
    assert_eq!(status(answer), Err(EgressError::Timeout(timeout)));
    assert!(started.elapsed() < Duration::from_secs(3));
}

#[test]
fn retries_stay_within_the_deadline() {
    let demo = Demo::start().unwrap();
    demo.inject(fault(9, answer(503, &[("retry-after", "5")])));
    let started = Instant::now();
    let answer = block_on(ask(&egress(&demo, token()), &call_of(Duration::from_secs(2)), TICKETS));
    assert_eq!(status(answer), Ok(503));
    assert!(started.elapsed() < Duration::from_secs(1));
}

#[test]
fn a_body_has_an_end() {
    const MB: usize = 1_000_000;
    for body in [
        Action::HugeBody {
            bytes: 20 * MB,
            streamed: true,
        },
        Action::HugeBody {
            bytes: 20 * MB,
            streamed: false,
        },
        Action::GzipBomb { bytes: 200 * MB },
    ] {
        let demo = Demo::start().unwrap();
        demo.inject(fault(1, body.clone()));
        let answer = block_on(ask(&egress(&demo, token()), &new_call(), TICKETS));
        assert!(
            matches!(status(answer.clone()), Err(EgressError::TooLarge(_))),
            "{body:?}: {answer:?}"
        );
    }
}

#[test]
fn a_packed_body_is_unpacked_and_has_an_end_too() {
    let brotli = |text: &[u8]| {
        let mut packed = Vec::new();
        brotli::BrotliCompress(&mut &text[..], &mut packed, &Default::default()).unwrap();
        packed
    };
    let zstd = |text: &[u8]| zstd::encode_all(text, 0).unwrap();
    let text = br#"{"error": [], "result": "whole"}"#;
    let bomb = vec![b'a'; 20_000_000];
    for (encoding, small, large) in [("br", brotli(text), brotli(&bomb)), ("zstd", zstd(text), zstd(&bomb))] {
        let demo = Demo::start().unwrap();
        let egress = egress(&demo, token());
        for bytes in [small, large] {
            let encoding = encoding.to_owned();
            demo.inject(fault(1, Action::Packed { encoding, bytes }));
        }
        block_on(async {
            let whole = ask(&egress, &new_call(), TICKETS).await.unwrap();
            assert_eq!(whole.body().as_ref(), text, "{encoding}");
            let outcome = status(ask(&egress, &new_call(), TICKETS).await);
            assert_eq!(outcome, Err(EgressError::TooLarge(16_000_000)), "{encoding}");
        });
        let asked = demo.take_requests();
        assert_eq!(header(&asked[0], "accept-encoding"), Some("zstd,gzip,br"));
    }
}

#[test]
fn so_many_requests_leave_at_once() {
    for (at_once, expected) in [(2, ["second", "first"]), (1, ["first", "second"])] {
        let demo = Demo::start().unwrap();
        let network = Network {
            max_concurrent_requests: at_once,
            proxy: None,
        };
        let egress = Egress::new(demo.origin().parse().unwrap(), token(), Client::new(network), cache());
        demo.inject(Fault {
            delay: Some(Duration::from_millis(500)),
            ..Fault::default()
        });
        let done = std::sync::Mutex::new(Vec::new());
        let call = new_call();
        let named = async |name, after| {
            tokio::time::sleep(Duration::from_millis(after)).await;
            ask(&egress, &call, TICKETS).await.unwrap();
            done.lock().unwrap().push(name);
        };
        block_on(async { tokio::join!(named("first", 0), named("second", 100)) });
        assert_eq!(done.into_inner().unwrap(), expected, "{at_once} at once");
    }
}

/// Nobody is to look for a proxy's fault at Daktela.
#[test]
fn a_proxy_that_does_not_serve_is_named() {
    let demo = Demo::start().unwrap();
    // It answers every request to open a way with a refusal of its own.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let refusing = closed.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in closed.incoming() {
            let mut stream = stream.unwrap();
            let _ = std::io::Read::read(&mut stream, &mut [0; 1024]);
            let refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n";
            let _ = std::io::Write::write_all(&mut stream, refusal);
        }
    });
    for (proxy, what) in [
        ("http://127.0.0.1:1".to_owned(), "it refuses connections"),
        ("http://proxy.invalid:3128".to_owned(), "its name does not resolve"),
        (
            format!("http://{refusing}"),
            "it opened no way to Daktela, or the connection through it broke",
        ),
    ] {
        let network = Network {
            proxy: Some(proxy.parse().unwrap()),
            ..Network::default()
        };
        let words = format!("The HTTP proxy on the way to Daktela (DAKTELA_PROXY) does not serve: {what}.");
        let client = Client::new(network);
        let url = demo
            .origin()
            .replace("http://", "https://")
            .replace("127.0.0.1", "localhost");
        for credential in [token(), password("any")] {
            let egress = Egress::new(url.parse().unwrap(), credential, client.clone(), cache());
            let failure = block_on(ask(&egress, &new_call(), "/api/v6/tickets.json")).unwrap_err();
            assert!(failure.to_string().contains(&words), "{failure}");
        }
    }
    assert!(demo.take_requests().is_empty());
}

#[test]
fn a_proxy_that_is_named_is_used() {
    let proxy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = proxy.local_addr().unwrap();
    let seen = std::thread::spawn(move || {
        let (mut stream, _) = proxy.accept().unwrap();
        let mut request = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(&stream), &mut request).unwrap();
        std::io::Write::write_all(&mut stream, b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").unwrap();
        request
    });
    let network = Network {
        proxy: Some(format!("http://{address}").parse().unwrap()),
        ..Network::default()
    };
    // Nobody is there but the proxy.
    let origin = "http://127.0.0.1:1".parse().unwrap();
    let egress = Egress::new(origin, token(), Client::new(network), cache());
    let answer = block_on(ask(&egress, &new_call(), "/api/v6/whoim.json"));
    assert_eq!(answer.unwrap().body().as_ref(), b"{}");
    assert_eq!(
        seen.join().unwrap(),
        "GET http://127.0.0.1:1/api/v6/whoim.json HTTP/1.1\r\n"
    );
}

#[test]
fn a_call_knows_what_it_waited_for() {
    let demo = Demo::start().unwrap();
    demo.inject(fault(1, answer(429, &[("retry-after", "1")])));
    let call = new_call();
    let mut progress = call.progress();
    let told = block_on(async {
        let egress = egress(&demo, token());
        let asked = async { ask(&egress, &call, TICKETS).await.unwrap() };
        let watched = async {
            progress.changed().await.unwrap();
            progress.borrow().wait.unwrap().to_string()
        };
        tokio::join!(asked, watched).1
    });
    assert!(told.starts_with("Asking again in 1."), "{told}");
    assert!(told.ends_with(" s: Daktela has too many requests"), "{told}");
    let usage = call.usage();
    assert_eq!((usage.requests, usage.retries), (2, 1));
    assert!(usage.paused >= Duration::from_secs(1), "{usage:?}");
}

#[test]
fn refused_connection_is_told_from_a_broken_one() {
    let demo = Demo::start().unwrap();
    let egress = egress(&demo, token());
    drop(demo);
    // Three retries with their pauses would make the test wait; the deadline comes first.
    let answer = block_on(ask(&egress, &call_of(Duration::from_millis(400)), TICKETS));
    assert_eq!(status(answer), Err(EgressError::ConnectionRefused));
}

#[test]
fn reference_data_is_cached_for_each_identity() {
    let demo = Demo::start().unwrap();
    let (one, other) = (egress(&demo, token()), egress(&demo, token()));
    let call = new_call();
    block_on(async {
        let together = (0..5).map(|_| ask_cached(&one, &call, USERS));
        for answer in futures(together).await {
            assert_eq!(status(answer), Ok(200));
        }
        ask(&one, &call, TICKETS).await.unwrap();
        ask(&one, &call, TICKETS).await.unwrap();
        ask_cached(&other, &call, USERS).await.unwrap();
    });
    assert_eq!(arrived(&demo), ["GET users", "GET tickets", "GET tickets", "GET users"]);
    assert_eq!(call.usage().cache_hits, 4);
}

#[test]
fn coalesced_callers_keep_their_own_deadline() {
    let demo = Demo::start().unwrap();
    demo.inject(fault(1, Action::Hang));
    let egress = egress(&demo, token());
    // Longer than the client takes to read its certificates.
    let timeout = Duration::from_secs(2);
    let (short, long) = (call_of(timeout), new_call());
    let answers = block_on(futures([
        ask_cached(&egress, &short, USERS),
        ask_cached(&egress, &long, USERS),
    ]));
    assert_eq!(
        answers.into_iter().map(status).collect::<Vec<_>>(),
        [Err(EgressError::Timeout(timeout)), Ok(200)]
    );
    assert_eq!((long.usage().requests, long.usage().cache_hits), (1, 0));
    assert_eq!(arrived(&demo), ["GET users", "GET users"]);
}

#[test]
fn errors_are_shared_by_coalesced_callers() {
    for (said, expected) in [
        (answer(403, &[]), Ok(403)),
        (
            Action::HugeBody {
                bytes: 20_000_000,
                streamed: true,
            },
            Err(EgressError::TooLarge(16_000_000)),
        ),
    ] {
        let demo = Demo::start().unwrap();
        demo.inject(Fault {
            delay: Some(Duration::from_millis(200)),
            ..fault(1, said)
        });
        let egress = egress(&demo, token());
        let (one, other) = (new_call(), new_call());
        let answers = block_on(futures([
            ask_cached(&egress, &one, USERS),
            ask_cached(&egress, &other, USERS),
        ]));
        let answers: Vec<_> = answers.into_iter().map(status).collect();
        assert_eq!(answers, [expected.clone(), expected]);
        assert_eq!(arrived(&demo), ["GET users"]);
    }
}

#[test]
fn cached_responses_have_an_age_and_can_be_bypassed() {
    let users = |name: &str| Fault {
        matches: "users".to_owned(),
        // Long enough for two to wait for it.
        delay: Some(Duration::from_millis(200)),
        action: Some(Action::Body {
            content_type: "application/json".to_owned(),
            bytes: format!(r#"{{"error":[],"result":{{"data":[{{"name":"{name}"}}],"total":1}}}}"#).into_bytes(),
        }),
        ..Fault::default()
    };
    let demo = Demo::start().unwrap();
    for name in ["jan", "eva"] {
        demo.inject(users(name));
    }
    let egress = egress(&demo, token());
    let call = new_call();
    let read = |answer: Result<UpstreamResponse, EgressError>| {
        let answer = answer.unwrap();
        let name = ["jan", "eva"].map(|name| String::from_utf8_lossy(answer.body()).contains(name));
        let age = answer.headers().get("age");
        let age: Option<u64> = age.map(|age| age.to_str().unwrap().parse().unwrap());
        (name, age)
    };
    let (jan, eva) = ([true, false], [false, true]);
    block_on(async {
        let together = futures([ask_cached(&egress, &call, USERS), ask_cached(&egress, &call, USERS)]).await;
        for answer in together {
            assert_eq!(read(answer), (jan, None), "nobody was answered from memory");
        }
        tokio::time::sleep(Duration::from_millis(1100)).await;
        let (name, age) = read(ask_cached(&egress, &call, USERS).await);
        assert_eq!((name, age.is_some_and(|age| age >= 1)), (jan, true), "{age:?}");
        assert_eq!(read(ask_afresh(&egress, &call, USERS).await), (eva, None));
        assert_eq!(read(ask_cached(&egress, &call, USERS).await), (eva, Some(0)));
        // What is of no use does not take its place.
        demo.inject(fault(1, answer(500, &[])));
        assert_eq!(status(ask_afresh(&egress, &call, USERS).await), Ok(500));
        assert_eq!(read(ask_cached(&egress, &call, USERS).await), (eva, Some(0)));
    });
    let asked = demo.take_requests();
    assert_eq!(asked.len(), 3);
    for request in &asked {
        assert_eq!(
            header(request, "cache-control"),
            None,
            "it is between the guest and the egress"
        );
    }
}

#[test]
fn refused_credential_drops_its_cache() {
    let demo = Demo::start().unwrap();
    let egress = egress(&demo, token());
    let call = new_call();
    block_on(async {
        ask_cached(&egress, &call, USERS).await.unwrap();
        demo.inject(fault(1, answer(401, &[])));
        assert_eq!(status(ask(&egress, &call, TICKETS).await), Ok(401));
        ask_cached(&egress, &call, USERS).await.unwrap();
    });
    assert_eq!(arrived(&demo), ["GET users", "GET tickets", "GET users"]);
}

/// Anybody can make up hosts and tokens; each must not hold one of the running calls for seconds.
#[test]
fn unverified_hosts_that_refuse_connections_are_not_retried() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (client, cache) = (Client::public_only(Network::default(), Vec::new()), cache());
    let egress = |token: &str| {
        let credential = Credential::Token(token.to_owned().into());
        Egress::new(
            format!("http://{free}").parse().unwrap(),
            credential,
            client.clone(),
            cache.clone(),
        )
    };
    block_on(async {
        let call = new_call();
        let answer = ask(&egress("made up"), &call, TICKETS).await;
        assert_eq!(status(answer), Err(EgressError::ConnectionRefused));
        assert_eq!(call.usage().retries, 0);
        // Remembered for all of them, so that nothing arrives here.
        let listener = TcpListener::bind(free).unwrap();
        listener.set_nonblocking(true).unwrap();
        let call = new_call();
        let answer = ask(&egress("another"), &call, TICKETS).await;
        assert_eq!(status(answer), Err(EgressError::ConnectionRefused));
        assert_eq!(call.usage().requests, 0);
        assert!(listener.accept().is_err(), "it was asked again");
    });
}
