//! HTTP server: who may call, as whom, and isolation between callers.

use std::{
    collections::HashSet,
    io::{Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use daktela_demo::{Action, Demo, Fault, PASSWORD, READERS, TOKEN, USERNAME, reader_token};
use serde_json::{Value, json};

use crate::server_harness::{self, Ask, Served};

fn initialize() -> Ask<'static> {
    let client = json!({"name": "tests", "version": "0"});
    Ask::mcp(
        "initialize",
        json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client}),
    )
}

/// A message of the newest revision, which stands alone.
fn modern(method: &'static str, name: Option<&'static str>, mut params: Value) -> Ask<'static> {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "tests", "version": "0"},
    });
    let ask = Ask::mcp(method, params)
        .with("mcp-protocol-version", "2026-07-28")
        .with("mcp-method", method);
    match name {
        Some(name) => ask.with("mcp-name", name),
        None => ask,
    }
}

fn delay(times: usize, delay: Duration) -> Fault {
    Fault {
        matches: "tickets".to_owned(),
        times,
        delay: Some(delay),
        action: None,
    }
}

#[test]
fn both_eras_are_served_without_a_session_at_both_endpoints() {
    let demo = Demo::start().expect("a demo instance");
    let served = Served::start(&[]);
    for target in ["/mcp", "/"] {
        let ask = |mut ask: Ask<'static>| {
            ask.target = target;
            served.ask(&ask.read_as(&demo.origin(), TOKEN))
        };
        let hello = ask(initialize());
        assert_eq!(
            (hello.status, &hello.json()["result"]["protocolVersion"]),
            (200, &json!("2025-11-25"))
        );
        assert_eq!(hello.header("mcp-session-id"), None);
        assert_eq!(hello.header("content-type"), Some("application/json"));
        assert_eq!(hello.header("cache-control"), Some("no-store"));
        let initialized = Ask::raw_mcp(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
        assert_eq!(ask(initialized).status, 202);
        assert_eq!(
            ask(Ask::mcp("tools/list", json!({}))).json()["result"]["tools"]
                .as_array()
                .map(Vec::len),
            Some(guest::catalog::tools().count())
        );
        let found = ask(modern("server/discover", None, json!({})));
        assert_eq!(found.json()["result"]["supportedVersions"][4], "2026-07-28");
        let count = modern(
            "tools/call",
            Some("count_tickets"),
            json!({"name": "count_tickets", "arguments": {}}),
        );
        assert!(ask(count).text().contains("244"));
    }
}

#[test]
fn what_a_component_asked_of_one_caller_another_does_not_answer() {
    let demo = Demo::start().expect("a demo instance");
    let served = Served::start(&[("DAKTELA_COMPONENT", daktela_test_guests::CONFORMANCE)]);
    let tool = "test_input_required_result_request_state";
    let call = |token: &str, more: Value| {
        let mut params = json!({"name": tool, "arguments": {}});
        for (key, value) in more.as_object().expect("an object") {
            params[key] = value.clone();
        }
        let ask = modern("tools/call", Some(tool), params).read_as(&demo.origin(), token);
        served.ask(&ask).json()
    };
    let state = call(&reader_token(1), json!({}))["result"]["requestState"].clone();
    let answered =
        json!({"inputResponses": {"confirm": {"action": "accept", "content": {"ok": true}}}, "requestState": state});
    let done = call(&reader_token(1), answered.clone());
    assert_eq!(done["result"]["content"][0]["text"], "state-ok", "{done}");
    let refused = call(&reader_token(2), answered);
    assert_eq!(refused["error"]["code"], -32602, "{refused}");
}

#[test]
fn what_is_no_message_is_told_so_in_json_rpc() {
    let demo = Demo::start().expect("a demo instance");
    let served = Served::start(&[]);
    for (body, code) in [
        ("{", -32700),
        ("", -32700),
        ("[]", -32600),
        (r#"{"id":7,"method":"ping"}"#, -32600),
        ("7", -32600),
    ] {
        let reply = served.ask(&Ask::raw_mcp(body).read_as(&demo.origin(), TOKEN));
        assert_eq!(
            (reply.status, &reply.json()["error"]["code"]),
            (400, &json!(code)),
            "{body}"
        );
        let id = if body.contains('7') && body.contains("id") {
            json!(7)
        } else {
            Value::Null
        };
        assert_eq!(reply.json()["id"], id, "{body}");
    }
}

/// Answers are JSON, but for those in pieces, which a client has to ask for.
#[test]
fn any_accept_header_is_served() {
    let demo = Demo::start().expect("a demo instance");
    let served = Served::start(&[]);
    let ping = || Ask::mcp("ping", json!({})).read_as(&demo.origin(), TOKEN);
    for accept in [
        "*/*",
        "text/html, */*;q=0.8",
        "application/json",
        "application/*",
        "text/event-stream",
        "",
    ] {
        assert_eq!(served.ask(&ping().with("accept", accept)).status, 200, "{accept}");
    }
    let mut silent = ping();
    silent.headers.retain(|(name, _)| *name != "accept");
    assert_eq!(served.ask(&silent).status, 200);
}

#[test]
fn a_refusal_in_text_says_that_it_is_text() {
    let demo = Demo::start().expect("a demo instance");
    let served = Served::start(&[]);
    let ping = || Ask::mcp("ping", json!({}));
    for (ask, status) in [
        (Ask::get("/mcp"), 405),
        (ping().with("content-type", "text/plain"), 415),
        (ping().with("mcp-protocol-version", "1999-01-01"), 400),
    ] {
        let reply = served.ask(&ask.read_as(&demo.origin(), TOKEN));
        assert_eq!(
            (reply.status, reply.header("content-type")),
            (status, Some("text/plain; charset=utf-8")),
            "{reply:?}"
        );
    }
}

/// A client that keeps its connection would send the next request into one that is closed.
#[test]
fn a_refusal_before_the_end_of_the_body_says_that_the_connection_ends() {
    let demo = Demo::start().expect("a demo instance");
    let served = Served::start(&[]);
    let ping = || Ask::mcp("ping", json!({}));
    for (ask, status) in [(ping(), 401), (ping().with("host", "evil.example"), 403)] {
        let mut stream = served.connect();
        server_harness::send(&mut stream, &served.address, &ask).expect("a connection");
        let reply = server_harness::read(stream);
        assert_eq!((reply.status, reply.header("connection")), (status, Some("close")));
    }
    let mut kept = served.connect();
    for _ in 0..2 {
        let refused = Ask::raw_mcp("7").read_as(&demo.origin(), TOKEN);
        server_harness::send(&mut kept, &served.address, &refused).expect("a connection that is kept");
        assert!(next_head(&mut kept).starts_with("HTTP/1.1 400"));
    }
}

/// The head of the next answer, and its body passed over.
fn next_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("an answer");
        head.extend(byte);
    }
    let head = String::from_utf8(head).expect("text");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length = length.expect("a length").parse().expect("a number");
    stream.read_exact(&mut vec![0; length]).expect("a body");
    head
}

#[test]
fn progress_comes_as_a_stream_and_the_answer_at_its_end() {
    let demo = Demo::start().expect("a demo instance");
    let served = Served::start(&[("CACHE_ENABLED", "false")]);
    let params = json!({"name": "get_ticket_detail", "arguments": {"name": "787001"}, "_meta": {"progressToken": "p"}});
    let reply = served.ask(&Ask::mcp("tools/call", params).read_as(&demo.origin(), TOKEN));
    let news = reply.body.matches("notifications/progress").count();
    if news > 0 {
        assert_eq!(reply.header("content-type"), Some("text/event-stream"));
    }
    assert!(reply.text().contains("787001"), "{reply:?}");
}

/// The heart of it: what each is shown is exactly what is theirs, however many ask at once, from memory or not.
#[test]
fn forty_callers_never_see_each_others_data() {
    let demo = Demo::start().expect("a demo instance");
    let served = Served::start(&[]);
    let answers = |number: u64| {
        let token = reader_token(number);
        let ask = |tool, arguments| {
            served
                .ask(&Ask::call(tool, arguments).read_as(&demo.origin(), &token))
                .text()
        };
        (0..3)
            .map(|_| {
                (
                    ask("list_tickets", json!({"take": 200, "include_merged": true})),
                    ask("list_users", json!({"take": 200})),
                )
            })
            .collect::<Vec<_>>()
    };
    let all: Vec<_> = thread::scope(|scope| {
        let running: Vec<_> = (0..READERS)
            .map(|number| scope.spawn(move || answers(number)))
            .collect();
        running
            .into_iter()
            .map(|thread| thread.join().expect("no panic"))
            .collect()
    });
    let native = |number: u64, path: &str| -> HashSet<String> {
        let url = format!("{}/api/v6/{path}?take=1000&fields[0]=name", demo.origin());
        let mut answer = ureq::get(url)
            .header("x-auth-token", reader_token(number))
            .call()
            .expect("an answer");
        let json: Value = serde_json::from_str(&answer.body_mut().read_to_string().expect("text")).expect("JSON");
        let rows = json["result"]["data"].as_array().expect("rows").clone();
        rows.iter()
            .map(|row| row["name"].to_string().trim_matches('"').to_owned())
            .collect()
    };
    let every_ticket: HashSet<String> = (0..READERS).flat_map(|number| native(number, "tickets")).collect();
    let every_user: HashSet<String> = (0..READERS).flat_map(|number| native(number, "users")).collect();
    for (number, rounds) in (0..).zip(&all) {
        let (tickets, users) = (native(number, "tickets"), native(number, "users"));
        for (seen_tickets, seen_users) in rounds {
            let shown: HashSet<String> = every_ticket
                .iter()
                .filter(|name| seen_tickets.contains(&format!("\n- [{name}](")))
                .cloned()
                .collect();
            assert_eq!(shown, tickets, "tickets of reader {number}: {seen_tickets}");
            let shown: HashSet<String> = every_user
                .iter()
                .filter(|name| seen_users.contains(&format!("**{name}**")))
                .cloned()
                .collect();
            assert_eq!(shown, users, "users of reader {number}: {seen_users}");
        }
    }
    // Each asked for the users three times, and Daktela was asked once.
    let arrived = demo.take_requests();
    for number in 0..READERS {
        let token = reader_token(number);
        let users = arrived.iter().filter(|request| {
            request.path == "users" && request.headers.contains(&("x-auth-token".to_owned(), token.clone()))
        });
        // One of the server's, one of this test's own.
        assert!(
            users.count() <= 2 + 1,
            "reader {number} is served from a cache of their own"
        );
    }
    let who: HashSet<String> = served
        .log("call", 240)
        .iter()
        .map(|line| line["who"].to_string())
        .collect();
    assert_eq!(who.len() as u64, READERS);
}

#[test]
fn a_login_is_shared_by_the_calls_of_one_user() {
    let demo = Demo::start().expect("a demo instance");
    let served = Served::start(&[]);
    let ask = Ask::call("count_tickets", json!({}))
        .with("x-daktela-url", demo.origin())
        .with("x-daktela-username", USERNAME)
        .with("x-daktela-password", PASSWORD);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert!(served.ask(&ask).text().contains("244")));
        }
    });
    let logins = demo
        .take_requests()
        .iter()
        .filter(|request| request.path == "login")
        .count();
    assert_eq!(logins, 1);
    let log = served.whole_log();
    assert!(!log.contains(PASSWORD) && !log.contains(USERNAME), "{log}");
}

/// Though they lie in the server's environment, they are for stdio.
#[test]
fn requests_without_credentials_never_use_the_operators() {
    let demo = Demo::start().expect("a demo instance");
    let served = Served::start(&[("DAKTELA_URL", &demo.origin()), ("DAKTELA_ACCESS_TOKEN", TOKEN)]);
    for ask in [
        initialize(),
        Ask::mcp("tools/list", json!({})),
        Ask::call("count_tickets", json!({})),
        Ask::call("count_tickets", json!({})).with("x-daktela-foo", "1"),
        Ask::call("count_tickets", json!({})).with("authorization", "Bearer x"),
        Ask::get("/mcp"),
    ] {
        let reply = served.ask(&ask);
        assert_eq!(reply.status, 401, "{reply:?}");
        assert!(reply.header("www-authenticate").is_some(), "{reply:?}");
    }
    for ask in [
        Ask::call("count_tickets", json!({})).with("x-daktela-url", demo.origin()),
        Ask::call("count_tickets", json!({})).with("x-daktela-access-token", TOKEN),
        Ask::call("count_tickets", json!({}))
            .with("x-daktela-url", demo.origin())
            .with("x-daktela-username", USERNAME),
    ] {
        assert_eq!(served.ask(&ask).status, 400);
    }
    assert!(demo.take_requests().is_empty());
    assert_eq!(served.log("credentials_not_used", 1).len(), 1);
    let refusals = served.log("refused", 9);
    assert_eq!(
        (refusals.len(), &refusals[0]["status"], &refusals[0]["path"]),
        (9, &json!(401), &json!("/mcp"))
    );
}

#[test]
fn only_daktelas_that_are_allowed_are_asked() {
    let demo = Demo::start().expect("a demo instance");
    let port = demo.origin().rsplit(':').next().expect("a port").to_owned();
    let served = Served::start(&[("ALLOWED_DAKTELA_DOMAINS", "daktela.com")]);
    for url in [
        demo.origin(),
        format!("http://localhost:{port}"),
        format!("http://[::1]:{port}"),
        format!("http://0x7f.1:{port}"),
        "https://evil.example".to_owned(),
    ] {
        let reply = served.ask(&Ask::call("count_tickets", json!({})).read_as(&url, TOKEN));
        assert_eq!(reply.status, 400, "{url}");
        assert!(reply.body.contains("not served here"), "{url}: {reply:?}");
    }
    assert!(demo.take_requests().is_empty());
}

#[test]
fn other_names_and_other_pages_are_kept_out() {
    let demo = Demo::start().expect("a demo instance");
    let served = Served::start(&[
        ("ALLOWED_HOSTS", "mcp.example.com"),
        ("ALLOWED_ORIGINS", "https://app.example.com"),
    ]);
    let ask = || Ask::mcp("ping", json!({})).read_as(&demo.origin(), TOKEN);
    for host in ["evil.example", "169.254.169.254", "mcp.example.com.evil.example"] {
        assert_eq!(served.ask(&ask().with("host", host)).status, 403, "{host}");
    }
    for host in ["mcp.example.com", "mcp.example.com:443", "localhost:1", "[::1]"] {
        assert_eq!(served.ask(&ask().with("host", host)).status, 200, "{host}");
    }
    for origin in [
        "https://evil.example",
        "null",
        "http://app.example.com",
        "http://localhost",
    ] {
        assert_eq!(served.ask(&ask().with("origin", origin)).status, 403, "{origin}");
    }
    let page = served.ask(&ask().with("origin", "https://app.example.com"));
    assert_eq!(
        (page.status, page.header("access-control-allow-origin")),
        (200, Some("https://app.example.com"))
    );
    let preflight = Ask {
        method: "OPTIONS",
        ..Ask::get("/mcp")
    }
    .with("origin", "https://app.example.com")
    .with("access-control-request-method", "POST")
    .with(
        "access-control-request-headers",
        "authorization,mcp-param-query,mcp-protocol-version,traceparent",
    );
    let allowed = served.ask(&preflight);
    assert_eq!(
        (allowed.status, allowed.header("access-control-allow-headers")),
        (
            200,
            Some("authorization,mcp-param-query,mcp-protocol-version,traceparent")
        )
    );
    let preflight = preflight.with("origin", "https://evil.example");
    assert_eq!(served.ask(&preflight).status, 403);
}

#[test]
fn a_body_has_an_end_and_a_head_has_a_time() {
    let demo = Demo::start().expect("a demo instance");
    let served = Served::start(&[("MAX_BODY_BYTES", "20000")]);
    let long = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"ping","x":"{}"}}"#,
        "x".repeat(20_000)
    );
    assert_eq!(
        served.ask(&Ask::raw_mcp(&long).read_as(&demo.origin(), TOKEN)).status,
        413
    );
    let mut slow = served.connect();
    let started = Instant::now();
    write!(slow, "POST /mcp HTTP/1.1\r\nhost: localhost\r\nx-daktela-url: {}\r\nx-daktela-access-token: {TOKEN}\r\ncontent-length: 100\r\n\r\n{{", demo.origin()).expect("a connection");
    assert_eq!(server_harness::read(slow).status, 408);
    assert!(started.elapsed() < Duration::from_secs(40));
}

#[test]
fn a_connection_that_says_nothing_is_closed_before_one_that_was_of_use() {
    let demo = Demo::start().expect("a demo instance");
    let served = Served::start(&[]);
    let ping = Ask::mcp("ping", json!({})).read_as(&demo.origin(), TOKEN);
    let mut useful = served.connect();
    server_harness::send(&mut useful, &served.address, &ping).expect("a connection");
    assert!(next_head(&mut useful).starts_with("HTTP/1.1 200"));
    let mut halfway = served.connect();
    halfway.write_all(b"POST /mcp HT").expect("a connection");
    let started = Instant::now();
    for mut silent in [served.connect(), halfway] {
        assert_eq!(silent.read(&mut [0]).expect("the end"), 0);
        assert!(started.elapsed() > Duration::from_secs(5), "{:?}", started.elapsed());
        assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    }
    server_harness::send(&mut useful, &served.address, &ping).expect("a connection");
    assert!(next_head(&mut useful).starts_with("HTTP/1.1 200"));
}

#[test]
fn answers_that_nobody_reads_are_given_up() {
    const ASKED: usize = 400;
    let demo = Demo::start().expect("a demo instance");
    let served = Served::start(&[]);
    let list = Ask::mcp("tools/list", json!({})).read_as(&demo.origin(), TOKEN);
    let mut stream = served.connect();
    // More than what lies between the two programs takes.
    for _ in 0..ASKED {
        server_harness::send(&mut stream, &served.address, &list).expect("a connection");
    }
    thread::sleep(Duration::from_secs(35));
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let answers = String::from_utf8_lossy(&bytes).matches("HTTP/1.1 200").count();
    assert!((1..ASKED).contains(&answers), "{answers} answers");
}

/// What a shell grants a program of one user is little for a server.
#[cfg(target_os = "linux")]
#[test]
fn the_server_may_open_as_many_files_as_there_may_be() {
    let served = Served::start(&[]);
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", served.pid())).expect("limits");
    let files = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let mut words = files.expect("a line").split_whitespace();
    let (soft, hard) = (words.next(), words.next());
    assert!(soft.is_some() && soft == hard, "{limits}");
}

#[test]
fn who_is_too_many_is_told_to_come_back() {
    let demo = Demo::start().expect("a demo instance");
    demo.inject(delay(9, Duration::from_secs(2)));
    let served = Served::start(&[("MAX_CONCURRENT_REQUESTS", "2")]);
    let ask = Ask::call("count_tickets", json!({})).read_as(&demo.origin(), TOKEN);
    let mut statuses: Vec<u16> = thread::scope(|scope| {
        let running: Vec<_> = (0..6).map(|_| scope.spawn(|| served.ask(&ask).status)).collect();
        running
            .into_iter()
            .map(|thread| thread.join().expect("no panic"))
            .collect()
    });
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 503, 503, 503, 503]);
    assert_eq!(served.ask(&ask).status, 200);
    // Probes come in at any time.
    assert_eq!(served.ask(&Ask::get("/healthz").with("host", "10.0.0.7")).status, 200);
}

#[test]
fn a_server_that_is_told_to_end_lets_its_calls_finish() {
    let demo = Demo::start().expect("a demo instance");
    demo.inject(delay(1, Duration::from_secs(6)));
    let mut served = Served::start(&[]);
    let ask = Ask::call("count_tickets", json!({})).read_as(&demo.origin(), TOKEN);
    assert_eq!(served.ask(&Ask::get("/readyz")).status, 200);
    let address = served.address.clone();
    let call = thread::spawn(move || server_harness::ask_at(&address, &ask).text());
    thread::sleep(Duration::from_secs(1));
    served.terminate();
    thread::sleep(Duration::from_millis(500));
    assert_eq!(served.ask(&Ask::get("/readyz")).status, 503);
    assert!(call.join().expect("an answer").contains("244"));
    assert!(served.wait().success());
}

#[test]
fn half_a_request_does_not_hold_up_the_end() {
    let mut served = Served::start(&[]);
    let silent = served.connect();
    let mut halfway = served.connect();
    halfway.write_all(b"POST /mcp HT").expect("a connection");
    served.terminate();
    let started = Instant::now();
    assert!(served.wait().success());
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    drop(silent);
}

/// Whatever has the component run.
#[test]
fn a_prompt_and_a_cursor_are_calls_too() {
    let demo = Demo::start().expect("a demo instance");
    let served = Served::start(&[]);
    for (method, params, error) in [
        ("prompts/get", json!({"name": "poem"}), json!("No prompt \"poem\".")),
        (
            "prompts/get",
            json!({"name": "ticket_brief", "arguments": {"ticket": "787001"}}),
            Value::Null,
        ),
        (
            "prompts/list",
            json!({"cursor": "2"}),
            json!("Unknown cursor: this list is one page."),
        ),
    ] {
        let answer = served
            .ask(&Ask::mcp(method, params).read_as(&demo.origin(), TOKEN))
            .json();
        assert_eq!(answer["error"]["message"], error, "{answer}");
    }
    let lines: Vec<(Value, Value)> = served
        .log("call", 3)
        .iter()
        .map(|line| (line["method"].clone(), line["status"].clone()))
        .collect();
    let line = |method: &str, status: &str| (json!(method), json!(status));
    assert_eq!(
        lines,
        [
            line("prompts/get", "failed"),
            line("prompts/get", "ok"),
            line("prompts/list", "failed")
        ]
    );
}

#[test]
fn each_call_has_a_line_and_is_counted() {
    let demo = Demo::start().expect("a demo instance");
    let metrics = free_address();
    let served = Served::start(&[("METRICS_ADDRESS", &metrics)]);
    let ask = Ask::call("count_tickets", json!({}))
        .read_as(&demo.origin(), TOKEN)
        .with("x-request-id", "abc-1");
    assert_eq!(served.ask(&ask).header("x-request-id"), Some("abc-1"));
    served.ask(&Ask::call("no such tool\n", json!({})).read_as(&demo.origin(), TOKEN));
    let lines = served.log("call", 2);
    let line = &lines[0];
    assert_eq!(
        (&line["request_id"], &line["tenant"]),
        (&json!("abc-1"), &json!("127.0.0.1"))
    );
    assert_eq!(
        (&line["tool"], &line["status"]),
        (&json!("count_tickets"), &json!("ok"))
    );
    assert!(
        line["who"]
            .as_str()
            .is_some_and(|who| who.len() == 12 && !TOKEN.contains(who)),
        "{line}"
    );
    assert!(
        line["upstream_bytes"].as_u64() > Some(0) && line["answer_bytes"].as_u64() > Some(0),
        "{line}"
    );
    assert_eq!(served.ask(&Ask::get("/metrics")).status, 404);
    let page = server_harness::ask_at(&metrics, &Ask::get("/metrics"));
    for expected in [
        r#"mcp_daktela_calls_total{method="tools/call",tool="count_tickets",status="ok"} 1"#,
        r#"tool="(unknown)""#,
        "mcp_daktela_upstream_requests_total",
        "mcp_daktela_call_duration_seconds_bucket",
        "mcp_daktela_calls_in_flight 0",
        r#"mcp_daktela_http_responses_total{status="200"}"#,
    ] {
        assert!(page.body.contains(expected), "{expected}: {}", page.body);
    }
    assert!(!page.body.contains("127.0.0.1"), "no tenant is named: {}", page.body);
}

/// Free a moment ago, which is as good as it gets.
pub(crate) fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").to_string()
}

#[test]
fn a_caller_who_goes_away_ends_the_call() {
    let demo = Demo::start().expect("a demo instance");
    demo.inject(Fault {
        matches: "tickets".to_owned(),
        times: 1,
        delay: None,
        action: Some(Action::Hang),
    });
    let served = Served::start(&[]);
    let ask = Ask::call("count_tickets", json!({})).read_as(&demo.origin(), TOKEN);
    let mut stream = served.connect();
    server_harness::send(&mut stream, "localhost", &ask).expect("a connection");
    thread::sleep(Duration::from_secs(1));
    drop(stream);
    let lines = served.log("call", 1);
    assert_eq!(lines.first().map(|line| &line["status"]), Some(&json!("cancelled")));
}
