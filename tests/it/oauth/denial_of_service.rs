//! Denial of service: each way to exhaust the server is tried while another caller asks.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    process::Command,
    thread,
    time::Duration,
};

use daktela_demo::{Demo, Fault, PASSWORD, USERNAME, reader_token};
use serde_json::json;

use super::{
    SECRET,
    attacks::{Attacks, Scene},
};
use crate::{
    program,
    server_harness::{self, Ask, Reply, Served},
};

pub(super) fn denial_of_service(t: &mut Attacks, Scene { demo, .. }: &Scene) {
    slow_bodies(t, demo);
    many_calls(t, demo);
    many_connections(t, demo);
    made_up_credentials(t, demo);
}

fn somebody(served: &Served, demo: &Demo) -> Reply {
    served.ask(&Ask::call("list_users", json!({})).read_as(&demo.origin(), &reader_token(1)))
}

fn slow_bodies(t: &mut Attacks, demo: &Demo) {
    let served = Served::start(&[("MAX_CONCURRENT_REQUESTS", "4"), ("OAUTH_SECRET", SECRET)]);
    let begun = |target: &str, number: usize| {
        let mut stream = served.connect();
        let credential = format!(
            "x-daktela-url: {}\r\nx-daktela-access-token: made-up-{number}",
            demo.origin()
        );
        let head = format!("POST {target} HTTP/1.1\r\nhost: {}\r\n{credential}", served.address);
        write!(stream, "{head}\r\ncontent-length: 9\r\n\r\n{{").expect("a connection");
        stream
    };
    for target in ["/mcp", "/token"] {
        let held: Vec<TcpStream> = (0..8).map(|number| begun(target, number)).collect();
        thread::sleep(Duration::from_millis(500));
        t.in_vain(
            &format!("twice as many bodies at `{target}` as requests are served at a time, all of them slow"),
            &somebody(&served, demo),
        );
        let login = served.ask(&Ask::form("/token", &[("grant_type", "none")]));
        assert_eq!(login.status, 400, "OAuth goes on: {login:?}");
        drop(held);
    }
}

fn many_calls(t: &mut Attacks, demo: &Demo) {
    let served = Served::start(&[("MAX_CONCURRENT_REQUESTS", "20")]);
    demo.inject(Fault {
        matches: "tickets".to_owned(),
        times: 40,
        delay: Some(Duration::from_secs(1)),
        action: None,
    });
    let call = Ask::call("count_tickets", json!({})).read_as(&demo.origin(), &reader_token(2));
    thread::scope(|scope| {
        let calls: Vec<_> = (0..40).map(|_| scope.spawn(|| served.ask(&call).status)).collect();
        thread::sleep(Duration::from_millis(500));
        t.in_vain(
            "twice as many slow calls of one user as requests are served at a time",
            &somebody(&served, demo),
        );
        for call in calls {
            assert_eq!(call.join().expect("no panic"), 200, "they have their turn");
        }
    });
    demo.clear_faults();
}

fn many_connections(t: &mut Attacks, demo: &Demo) {
    // A quarter of the files that may be open.
    const MOST: usize = 32;
    let mut limited = Command::new("/bin/sh");
    let script = format!("ulimit -n {}; exec \"$0\"", 4 * MOST);
    limited
        .env_clear()
        .args(["-c", &script, program::path().to_str().expect("a path of text")]);
    let served = Served::over(limited, &[]);
    assert_eq!(served.log("few_files", 1)[0]["connections"], 2 * MOST);
    let held: Vec<TcpStream> = (0..MOST).map(|_| served.connect()).collect();
    thread::sleep(Duration::from_millis(500));
    let mut one_more = served.connect();
    let mut answer = Vec::new();
    // Closed before or after it was read.
    let _ = server_harness::send(&mut one_more, &served.address, &Ask::get("/healthz"));
    let _ = one_more.read_to_end(&mut answer);
    assert!(answer.is_empty(), "{}", String::from_utf8_lossy(&answer));
    let ask = Ask::call("list_users", json!({}))
        .read_as(&demo.origin(), &reader_token(1))
        .with("connection", "close");
    let mut elsewhere = served.connect_from([127, 0, 0, 2].into());
    server_harness::send(&mut elsewhere, &served.address, &ask).expect("a connection");
    t.in_vain(
        "as many connections from one address as it may have, saying nothing",
        &server_harness::read(elsewhere),
    );
    drop(held);
}

fn made_up_credentials(t: &mut Attacks, demo: &Demo) {
    let served = Served::start(&[]);
    let user = Ask::call("count_tickets", json!({}))
        .with("x-daktela-url", demo.origin())
        .with("x-daktela-username", USERNAME)
        .with("x-daktela-password", PASSWORD);
    assert_eq!(served.ask(&user).status, 200);
    demo.take_requests();
    // As many as are remembered, and some.
    thread::scope(|scope| {
        for part in 0..8 {
            let (served, demo) = (&served, &demo);
            scope.spawn(move || {
                let agent = ureq::agent();
                for number in (part..10_500).step_by(8).flat_map(|number| [number, number]) {
                    let sent = agent
                        .post(format!("http://{}/mcp", served.address))
                        .header("content-type", "application/json")
                        .header("x-daktela-url", demo.origin())
                        .header("x-daktela-access-token", format!("made-up-{number}"))
                        .send(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#);
                    let mut answer = sent.expect("an answer");
                    answer.body_mut().read_to_string().expect("its body");
                }
            });
        }
    });
    let again = served.ask(&user);
    let logins = demo
        .take_requests()
        .iter()
        .filter(|request| request.path == "login")
        .count();
    assert_eq!(logins, 0, "the user is still logged in");
    t.in_vain(
        "10,500 made-up tokens, to have the server forget who is logged in",
        &again,
    );
}
