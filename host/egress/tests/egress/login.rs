//! Login to Daktela: shared by concurrent calls, repeated after expiry, worded errors.

use daktela_demo::{Action, Fault, LoginAnswer, Quirks};
use daktela_egress::PasswordStatus;

use super::*;

const TICKETS: &str = "/api/v6/tickets.json?take=1&fields[0]=name";

fn words(answer: Result<UpstreamResponse, EgressError>) -> String {
    match answer {
        Err(EgressError::UserActionable(text)) => text,
        other => panic!("expected words for the user, got {other:?}"),
    }
}

fn on_login(code: u16, body: &str) -> Fault {
    let action = Action::Status {
        code,
        headers: Vec::new(),
        body: body.to_owned(),
    };
    Fault {
        matches: "login".to_owned(),
        times: 1,
        delay: None,
        action: Some(action),
    }
}

#[test]
fn concurrent_calls_share_one_login() {
    let demo = Demo::start().unwrap();
    let egress = egress(&demo, password(daktela_demo::PASSWORD));
    // Slow enough for all of them to want it.
    demo.inject(Fault {
        matches: "login".to_owned(),
        delay: Some(Duration::from_millis(300)),
        ..Fault::default()
    });
    block_on(async {
        let calls: Vec<_> = (0..64).map(|_| new_call()).collect();
        for answer in futures(calls.iter().map(|call| ask(&egress, call, TICKETS))).await {
            assert_eq!(status(answer), Ok(200));
        }
        ask(&egress, &new_call(), TICKETS).await.unwrap();
    });
    let arrived = arrived(&demo);
    assert_eq!(
        arrived.iter().filter(|line| *line == "POST login").count(),
        1,
        "{arrived:?}"
    );
    assert_eq!(arrived.len(), 66);
}

#[test]
fn bare_token_is_a_login() {
    let demo = Demo::start_with(Quirks {
        login: LoginAnswer::AlwaysToken,
        ..Quirks::default()
    })
    .unwrap();
    let egress = egress(&demo, password(daktela_demo::PASSWORD));
    assert_eq!(status(block_on(ask(&egress, &new_call(), TICKETS))), Ok(200));
}

#[test]
fn token_is_refreshed_before_it_expires() {
    let lifetime = Duration::from_secs(2);
    let demo = Demo::start_with(Quirks {
        token_lifetime: lifetime,
        ..Quirks::default()
    })
    .unwrap();
    let egress = egress(&demo, password(daktela_demo::PASSWORD));
    block_on(async {
        ask(&egress, &new_call(), TICKETS).await.unwrap();
        tokio::time::sleep(lifetime.mul_f64(0.6)).await;
        assert_eq!(status(ask(&egress, &new_call(), TICKETS).await), Ok(200));
    });
    assert_eq!(
        arrived(&demo),
        ["POST login", "GET tickets", "PUT login", "GET tickets"]
    );
}

#[test]
fn failed_refresh_becomes_a_login() {
    let lifetime = Duration::from_secs(2);
    let demo = Demo::start_with(Quirks {
        token_lifetime: lifetime,
        ..Quirks::default()
    })
    .unwrap();
    let egress = egress(&demo, password(daktela_demo::PASSWORD));
    block_on(async {
        ask(&egress, &new_call(), TICKETS).await.unwrap();
        tokio::time::sleep(lifetime.mul_f64(0.6)).await;
        demo.inject(on_login(401, ""));
        assert_eq!(status(ask(&egress, &new_call(), TICKETS).await), Ok(200));
    });
    assert_eq!(
        arrived(&demo),
        ["POST login", "GET tickets", "PUT login", "POST login", "GET tickets"]
    );
}

#[test]
fn password_status_follows_the_login() {
    let demo = Demo::start().unwrap();
    let of = |word: &str| egress(&demo, password(word));
    let (right, wrong, unanswered, cut) = (
        of(daktela_demo::PASSWORD),
        of("wrong"),
        of("unanswered"),
        of("cut short"),
    );
    assert_eq!(right.password_status(), PasswordStatus::Unknown);
    block_on(async {
        ask(&right, &new_call(), TICKETS).await.unwrap();
        assert_eq!(right.password_status(), PasswordStatus::Accepted);
        words(ask(&wrong, &new_call(), TICKETS).await);
        assert_eq!(wrong.password_status(), PasswordStatus::Rejected);
        demo.inject(on_login(500, ""));
        words(ask(&unanswered, &new_call(), TICKETS).await);
        assert_eq!(unanswered.password_status(), PasswordStatus::Unclear);
        demo.inject(Fault {
            matches: "login".to_owned(),
            times: 1,
            delay: Some(Duration::from_secs(5)),
            action: None,
        });
        let call = new_call();
        let hung_up = tokio::time::timeout(Duration::from_millis(300), ask(&cut, &call, TICKETS));
        assert!(hung_up.await.is_err());
        assert_eq!(cut.password_status(), PasswordStatus::Pending);
    });
}

#[test]
fn refused_token_is_replaced_once() {
    let demo = Demo::start().unwrap();
    let egress = egress(&demo, password(daktela_demo::PASSWORD));
    let refuse = |times| {
        let action = Action::Status {
            code: 401,
            headers: Vec::new(),
            body: String::new(),
        };
        demo.inject(Fault {
            matches: "tickets".to_owned(),
            times,
            delay: None,
            action: Some(action),
        });
    };
    block_on(async {
        refuse(1);
        assert_eq!(status(ask(&egress, &new_call(), TICKETS).await), Ok(200));
        assert_eq!(
            arrived(&demo),
            ["POST login", "GET tickets", "POST login", "GET tickets"]
        );
        refuse(2);
        assert_eq!(status(ask(&egress, &new_call(), TICKETS).await), Ok(401));
        assert_eq!(arrived(&demo), ["GET tickets", "POST login", "GET tickets"]);
    });
}

#[test]
fn login_is_retried_after_a_transient_error() {
    let demo = Demo::start().unwrap();
    let egress = egress(&demo, password(daktela_demo::PASSWORD));
    demo.inject(on_login(503, ""));
    assert_eq!(status(block_on(ask(&egress, &new_call(), TICKETS))), Ok(200));
    assert_eq!(arrived(&demo), ["POST login", "POST login", "GET tickets"]);
}

#[test]
fn refusal_of_an_api_token_reaches_the_component() {
    let demo = Demo::start().unwrap();
    let egress = egress(
        &demo,
        Credential::Token("0000000000000000000000000000000000000000".to_owned().into()),
    );
    assert_eq!(status(block_on(ask(&egress, &new_call(), TICKETS))), Ok(401));
    assert_eq!(arrived(&demo), ["GET tickets"]);
}

#[test]
fn refused_token_is_verified_again() {
    let demo = Demo::start().unwrap();
    let on = |path: &str, code, body: &str| {
        demo.inject(Fault {
            matches: path.to_owned(),
            ..on_login(code, body)
        });
    };
    let unknown = r#"{"error":[],"result":{"version":"1"}}"#;
    block_on(async {
        for (code, body, still) in [
            (401, "", true),
            (200, unknown, true),
            (500, "", false),
            (503, "", false),
            (200, "<html>", false),
        ] {
            let egress = egress(&demo, token());
            assert!(!egress.is_still_refused().await);
            on("tickets", 401, "");
            assert_eq!(status(ask(&egress, &new_call(), TICKETS).await), Ok(401));
            on("whoim", code, body);
            // Asked once for all, and remembered for a while.
            assert_eq!(futures((0..20).map(|_| egress.is_still_refused())).await, [still; 20]);
            assert!(egress.is_refused(), "{code} {body}");
            assert_eq!(arrived(&demo), ["GET tickets", "GET whoim"]);
            // Any other response to the token shows that it is good.
            assert_eq!(status(ask(&egress, &new_call(), TICKETS).await), Ok(200));
            assert!(!egress.is_refused());
            demo.take_requests();
        }
        let egress = egress(&demo, token());
        on("tickets", 401, "");
        assert_eq!(status(ask(&egress, &new_call(), TICKETS).await), Ok(401));
        assert!(!egress.is_still_refused().await);
        assert!(!egress.is_refused());
    });
}

#[test]
fn login_outlives_the_calls_that_wait_for_it() {
    let demo = Demo::start().unwrap();
    demo.inject(Fault {
        matches: "login".to_owned(),
        delay: Some(Duration::from_secs(1)),
        ..Fault::default()
    });
    let egress = egress(&demo, password("wrong"));
    let short = Duration::from_millis(100);
    block_on(async {
        for _ in 0..3 {
            let answer = ask(&egress, &call_of(short), TICKETS).await;
            assert_eq!(status(answer), Err(EgressError::Timeout(short)));
            // Its client gave up.
            let call = new_call();
            let answer = tokio::time::timeout(short, ask(&egress, &call, TICKETS)).await;
            assert!(answer.is_err(), "{answer:?}");
        }
        assert!(!egress.is_refused(), "nobody knows yet");
        for _ in 0..3 {
            let text = words(ask(&egress, &new_call(), TICKETS).await);
            assert!(text.contains("refuses the login"), "{text}");
            assert!(egress.is_refused());
        }
    });
    assert_eq!(arrived(&demo), ["POST login"]);
}

#[test]
fn wrong_password_is_tried_once_and_explained() {
    let demo = Demo::start().unwrap();
    let egress = egress(&demo, password("wrong"));
    block_on(async {
        for _ in 0..3 {
            let text = words(ask(&egress, &new_call(), TICKETS).await);
            assert!(
                text.contains("DAKTELA_PASSWORD") && text.contains("DAKTELA_ACCESS_TOKEN"),
                "{text}"
            );
            assert!(!text.contains("wrong"), "{text}");
        }
    });
    assert_eq!(arrived(&demo), ["POST login"]);
}

/// With any status: passwords could be guessed without limit otherwise.
#[test]
fn every_answer_without_a_token_counts_as_a_wrong_password() {
    let bomb = format!(
        r#"{{"result":{{"accessToken":"a","user":[{}0]}}}}"#,
        "0,".repeat(100_000)
    );
    for (code, body) in [
        (200, r#"{"error":["Wrong password"],"result":null}"#),
        (200, "<html>"),
        (200, &*bomb),
        (302, ""),
        (404, ""),
        (418, ""),
        (422, ""),
        (423, ""),
    ] {
        let demo = Demo::start().unwrap();
        demo.inject(on_login(code, body));
        let egress = egress(&demo, password("guess"));
        for _ in 0..2 {
            words(block_on(ask(&egress, &new_call(), TICKETS)));
        }
        assert_eq!(egress.password_status(), PasswordStatus::Rejected, "{code}");
        assert_eq!(arrived(&demo), ["POST login"], "{code}");
    }
}

#[test]
fn other_servers_are_named_as_such() {
    for (code, body) in [(404, ""), (200, "<html>"), (200, r#"{"result":null}"#), (302, "")] {
        let demo = Demo::start().unwrap();
        demo.inject(on_login(code, body));
        let text = words(block_on(ask(&egress(&demo, password("x")), &new_call(), TICKETS)));
        assert!(text.contains("does not look like a Daktela"), "{code}: {text}");
    }
    let demo = Demo::start().unwrap();
    demo.inject(Fault {
        times: 9,
        ..on_login(503, "")
    });
    let text = words(block_on(ask(&egress(&demo, password("x")), &new_call(), TICKETS)));
    assert!(text.contains("try again"), "{text}");
}

#[test]
fn unreachable_instance_is_named() {
    let demo = Demo::start().unwrap();
    let egress = egress(&demo, password("x"));
    drop(demo);
    let text = words(block_on(ask(&egress, &new_call(), TICKETS)));
    assert!(
        text.contains("refuses connections") && text.contains("DAKTELA_URL"),
        "{text}"
    );
}
