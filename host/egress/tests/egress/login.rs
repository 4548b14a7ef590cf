use super::*;
use daktela_demo::{Action, Fault, LoginAnswer, Quirks};
use daktela_egress::PasswordStatus;

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
fn sixty_four_calls_share_one_login() {
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
fn a_bare_token_is_a_login_too() {
    let demo = Demo::start_with(Quirks {
        login: LoginAnswer::AlwaysToken,
        ..Quirks::default()
    })
    .unwrap();
    let egress = egress(&demo, password(daktela_demo::PASSWORD));
    assert_eq!(status(block_on(ask(&egress, &new_call(), TICKETS))), Ok(200));
}

#[test]
fn a_token_is_renewed_before_its_end() {
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
fn a_renewal_that_fails_becomes_a_login() {
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
fn a_gate_tells_what_daktela_said_of_the_password() {
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
        assert_eq!(unanswered.password_status(), PasswordStatus::Unknown);
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
fn a_token_that_is_refused_is_replaced_once() {
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
fn a_login_outlasts_a_passing_trouble() {
    let demo = Demo::start().unwrap();
    let egress = egress(&demo, password(daktela_demo::PASSWORD));
    demo.inject(on_login(503, ""));
    assert_eq!(status(block_on(ask(&egress, &new_call(), TICKETS))), Ok(200));
    assert_eq!(arrived(&demo), ["POST login", "POST login", "GET tickets"]);
}

#[test]
fn a_given_token_that_is_refused_is_the_guests_to_tell() {
    let demo = Demo::start().unwrap();
    let egress = egress(
        &demo,
        Credential::Token("0000000000000000000000000000000000000000".to_owned().into()),
    );
    assert_eq!(status(block_on(ask(&egress, &new_call(), TICKETS))), Ok(401));
    assert_eq!(arrived(&demo), ["GET tickets"]);
}

#[test]
fn a_token_that_was_refused_once_is_looked_at_again() {
    let demo = Demo::start().unwrap();
    let egress = egress(&demo, token());
    let on = |path: &str, code, body: &str| {
        demo.inject(Fault {
            matches: path.to_owned(),
            ..on_login(code, body)
        });
    };
    let stranger = r#"{"error":[],"result":{"version":"1"}}"#;
    block_on(async {
        assert!(!egress.is_still_refused().await);
        on("tickets", 401, "");
        assert_eq!(status(ask(&egress, &new_call(), TICKETS).await), Ok(401));
        for (code, body, still) in [
            (401, "", true),
            (200, stranger, true),
            (500, "", false),
            (200, "<html>", false),
        ] {
            on("whoim", code, body);
            assert_eq!(egress.is_still_refused().await, still, "{code} {body}");
            assert!(egress.is_refused(), "{code} {body}");
        }
        assert!(!egress.is_still_refused().await);
        assert!(!egress.is_refused());
        // Any answer to it is as good.
        on("tickets", 401, "");
        assert_eq!(status(ask(&egress, &new_call(), TICKETS).await), Ok(401));
        assert!(egress.is_refused());
        assert_eq!(status(ask(&egress, &new_call(), TICKETS).await), Ok(200));
        assert!(!egress.is_refused());
    });
    let mut expected = vec!["GET tickets"];
    expected.extend(["GET whoim"; 5]);
    expected.extend(["GET tickets"; 2]);
    assert_eq!(arrived(&demo), expected);
}

#[test]
fn a_login_outlasts_the_calls_that_wait_for_it() {
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
fn a_wrong_password_is_tried_once_and_explained() {
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

#[test]
fn what_is_no_daktela_is_said() {
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
fn an_instance_that_is_away_is_said() {
    let demo = Demo::start().unwrap();
    let egress = egress(&demo, password("x"));
    drop(demo);
    let text = words(block_on(ask(&egress, &new_call(), TICKETS)));
    assert!(
        text.contains("refuses connections") && text.contains("DAKTELA_URL"),
        "{text}"
    );
}
