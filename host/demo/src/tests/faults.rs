//! Injected faults: status, redirect, delay, reset, truncated body.

use std::{
    io::Read,
    time::{Duration, Instant},
};

use flate2::bufread::GzDecoder;

use super::{Answer, agent, try_get};
use crate::{Action, Demo, Fault, Quirks, TOKEN};

const PATH: &str = "queues?take=3";

/// One request that meets this fault, and one after it.
fn meet(action: Action) -> Result<Answer, String> {
    let demo = Demo::start().unwrap();
    demo.inject(Fault {
        matches: "queues".into(),
        times: 1,
        delay: None,
        action: Some(action),
    });
    let met = try_get(&demo, TOKEN, PATH);
    assert_eq!(try_get(&demo, TOKEN, PATH).unwrap().status, 200, "the fault is used up");
    assert_eq!(demo.take_requests().len(), 2, "a fault does not hide the request");
    met
}

#[test]
fn faults_meet_their_paths_in_order_and_as_often_as_said() {
    let demo = Demo::start().unwrap();
    let status = |path: &str| try_get(&demo, TOKEN, path).unwrap().status;
    let fault = |matches: &str, times, code| {
        let action = Action::Status {
            code,
            headers: vec![("retry-after".into(), "0".into())],
            body: "busy".into(),
        };
        demo.inject(Fault {
            matches: matches.into(),
            times,
            delay: None,
            action: Some(action),
        });
    };
    fault("users", 2, 429);
    fault("", 1, 503);
    assert_eq!(
        [
            status("queues"),
            status("queues"),
            status("users"),
            status("users"),
            status("users")
        ],
        [503, 200, 429, 429, 200]
    );
    fault("", 9, 500);
    demo.clear_faults();
    assert_eq!(status("queues"), 200);
}

#[test]
fn a_status_brings_its_headers_and_body() {
    let headers = vec![("retry-after".to_owned(), "7".to_owned())];
    let answer = meet(Action::Status {
        code: 502,
        headers,
        body: "<html>Bad Gateway".into(),
    })
    .unwrap();
    assert_eq!(
        (answer.status, answer.header("retry-after"), &*answer.bytes),
        (502, Some("7"), &b"<html>Bad Gateway"[..])
    );
}

#[test]
fn a_redirect_points_elsewhere() {
    let answer = meet(Action::Redirect("http://169.254.169.254/".into())).unwrap();
    assert_eq!(
        (answer.status, answer.header("location")),
        (302, Some("http://169.254.169.254/"))
    );
}

#[test]
fn connections_break_before_and_within_an_answer() {
    assert!(meet(Action::Reset).is_err());
    assert!(meet(Action::TruncatedBody).is_err());
}

#[test]
fn bodies_can_be_anything() {
    let body = Action::Body {
        content_type: "text/html".into(),
        bytes: b"<h1>Maintenance".to_vec(),
    };
    assert_eq!(meet(body).unwrap().bytes, b"<h1>Maintenance");
    assert!(String::from_utf8(meet(Action::InvalidUtf8).unwrap().bytes).is_err());
    assert!(meet(Action::DeepJson(5000)).unwrap().bytes.len() > 10_000);
    for streamed in [false, true] {
        let answer = meet(Action::HugeBody {
            bytes: 1_000_000,
            streamed,
        })
        .unwrap();
        assert_eq!(answer.header("content-length").is_none(), streamed);
        assert_eq!(
            answer.json()["result"]["data"][0]["title"].as_str().unwrap().len(),
            1_000_000
        );
    }
}

#[test]
fn a_bomb_is_small_until_unpacked() {
    let answer = meet(Action::GzipBomb { bytes: 4_000_000 }).unwrap();
    assert_eq!(answer.header("content-encoding"), Some("gzip"));
    assert!(answer.bytes.len() < 40_000);
    let mut unpacked = String::new();
    GzDecoder::new(&*answer.bytes).read_to_string(&mut unpacked).unwrap();
    assert!(unpacked.len() > 4_000_000 && serde_json::from_str::<serde_json::Value>(&unpacked).is_ok());
}

#[test]
fn answers_can_be_late_slow_or_never() {
    let demo = Demo::start().unwrap();
    let fault = |delay, action| {
        demo.inject(Fault {
            matches: String::new(),
            times: 1,
            delay,
            action,
        })
    };
    fault(Some(Duration::from_millis(60)), None);
    let start = Instant::now();
    assert_eq!(try_get(&demo, TOKEN, "whoim").unwrap().status, 200);
    assert!(start.elapsed() >= Duration::from_millis(60));

    fault(
        None,
        Some(Action::SlowDrip {
            every: Duration::from_micros(200),
        }),
    );
    let start = Instant::now();
    assert!(try_get(&demo, TOKEN, "whoim").unwrap().result()["user"].is_object());
    assert!(start.elapsed() >= Duration::from_millis(100));

    fault(None, Some(Action::Hang));
    let impatient: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_millis(100)))
        .build()
        .into();
    assert!(impatient.get(format!("{}/api/v6/whoim", demo.origin())).call().is_err());
    assert_eq!(
        try_get(&demo, TOKEN, "whoim").unwrap().status,
        200,
        "others are served meanwhile"
    );
}

#[test]
fn a_true_answer_can_come_packed() {
    let demo = Demo::start_with(Quirks {
        gzip: true,
        ..Quirks::default()
    })
    .unwrap();
    let address = format!("{}/api/v6/queues", demo.origin());
    let request = agent()
        .get(&address)
        .header("x-auth-token", TOKEN)
        .header("accept-encoding", "gzip");
    let answer = super::read(request.call().unwrap()).unwrap();
    assert_eq!(answer.header("content-encoding"), Some("gzip"));
    assert_eq!(
        try_get(&demo, TOKEN, "queues").unwrap().header("content-encoding"),
        None
    );
}

#[test]
fn dropping_an_instance_frees_its_port_even_while_it_hangs() {
    let demo = Demo::start().unwrap();
    demo.inject(Fault {
        matches: String::new(),
        times: 1,
        delay: None,
        action: Some(Action::Hang),
    });
    let address = demo.origin();
    let caller = std::thread::spawn({
        let address = address.clone();
        move || agent().get(format!("{address}/api/v6/whoim")).call().is_err()
    });
    std::thread::sleep(Duration::from_millis(50));
    drop(demo);
    assert!(caller.join().unwrap());
    assert!(agent().get(&address).call().is_err());
}
