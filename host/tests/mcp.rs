//! MCP as a client speaks it, line by line, without a process in between.

use daktela_demo::{Action, Demo, Fault};
use mcp_daktela::{
    egress::{self, Cache, CacheSettings, CallLimits, Credential, Egress},
    host::Host,
    mcp::Server,
    sandbox::{Limits, Sandbox},
};
use rmcp::ServiceExt;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, Lines, ReadHalf, WriteHalf},
    runtime,
};

const TIMEOUT: Duration = Duration::from_secs(20);

struct Client {
    lines: Lines<BufReader<ReadHalf<DuplexStream>>>,
    writer: WriteHalf<DuplexStream>,
}

impl Client {
    async fn connect(egress: Egress) -> Self {
        let host = Host::new(
            Sandbox::embedded(Limits::default()).unwrap(),
            Some(egress),
            CallLimits::default(),
        );
        let server = Server::new(Arc::new(host), &[0; 32]).await.unwrap();
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        tokio::spawn(async move { server.serve(tokio::io::split(theirs)).await.unwrap().waiting().await });
        let (reader, writer) = tokio::io::split(ours);
        Self {
            lines: BufReader::new(reader).lines(),
            writer,
        }
    }

    async fn send(&mut self, message: Value) {
        self.writer.write_all(format!("{message}\n").as_bytes()).await.unwrap();
    }

    async fn receive(&mut self) -> Value {
        let line = tokio::time::timeout(TIMEOUT, self.lines.next_line())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        serde_json::from_str(&line).unwrap()
    }

    async fn initialize(&mut self) -> Value {
        let params = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}});
        self.send(json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}))
            .await;
        let answer = self.receive().await;
        self.send(json!({"jsonrpc": "2.0", "method": "notifications/initialized"}))
            .await;
        answer
    }

    async fn request(&mut self, id: u32, method: &str, params: Value) -> Value {
        self.send(json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))
            .await;
        let answer = self.receive().await;
        assert_eq!(answer["id"], id, "{answer}");
        answer
    }
}

fn test(demo: &Demo, talk: impl AsyncFnOnce(Client)) {
    let cache = Cache::new(CacheSettings {
        enabled: true,
        ttl: Duration::from_secs(60),
    });
    let credential = Credential::Token(daktela_demo::TOKEN.to_owned().into());
    let egress = Egress::new(
        demo.origin().parse().unwrap(),
        credential,
        egress::Client::default(),
        cache,
    );
    let runtime = runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async { talk(Client::connect(egress).await).await });
}

#[test]
fn a_session_of_the_older_protocol() {
    let demo = Demo::start().unwrap();
    test(&demo, async |mut client| {
        let hello = client.initialize().await;
        assert_eq!(hello["result"]["protocolVersion"], "2025-06-18");
        assert!(hello["result"]["serverInfo"]["version"].is_string(), "{hello}");
        let tools = client.request(1, "tools/list", json!({})).await;
        assert_eq!(tools["result"]["tools"].as_array().unwrap().len(), 40);
        assert_eq!(tools["result"]["resultType"], Value::Null);
        let unknown = client.request(2, "tools/call", json!({"name": "no_such_tool"})).await;
        assert_eq!(unknown["error"]["code"], -32602);
        let cursor = client.request(3, "tools/list", json!({"cursor": "mine"})).await;
        assert_eq!(cursor["error"]["code"], -32602);
    });
}

#[test]
fn requests_of_the_newer_protocol_stand_alone() {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"}
    });
    let demo = Demo::start().unwrap();
    test(&demo, async |mut client| {
        let found = client.request(1, "server/discover", json!({"_meta": meta})).await;
        assert_eq!(
            found["result"]["supportedVersions"],
            json!(["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"])
        );
        for (id, method) in [
            "tools/list",
            "prompts/list",
            "resources/list",
            "resources/templates/list",
        ]
        .iter()
        .enumerate()
        {
            let list = client
                .request(10 + u32::try_from(id).unwrap(), method, json!({"_meta": meta}))
                .await;
            let result = &list["result"];
            assert_eq!(
                (&result["resultType"], &result["cacheScope"]),
                (&json!("complete"), &json!("public")),
                "{method}"
            );
            assert!(result["ttlMs"].as_u64().unwrap() > 0, "{method}");
        }
        let call = client
            .request(
                2,
                "tools/call",
                json!({"_meta": meta, "name": "count_tickets", "arguments": {}}),
            )
            .await;
        assert_eq!(call["result"]["resultType"], "complete");
        assert!(!call["result"]["isError"].as_bool().unwrap_or_default(), "{call}");
    });
}

#[test]
fn a_list_that_was_given_is_given_again() {
    let demo = Demo::start().unwrap();
    test(&demo, async |mut client| {
        client.initialize().await;
        for method in ["tools/list", "prompts/list", "resources/list"] {
            let first = client.request(1, method, json!({})).await;
            assert_eq!(client.request(1, method, json!({})).await, first, "{method}");
        }
    });
    assert!(demo.take_requests().is_empty(), "lists need no Daktela");
}

#[test]
fn progress_counts_the_answers_from_the_second_on() {
    let demo = Demo::start().unwrap();
    // Apart in time, so that each is seen.
    for step in 1..=3 {
        let delay = Some(Duration::from_millis(150 * step));
        demo.inject(Fault {
            matches: String::new(),
            times: 1,
            delay,
            action: None,
        });
    }
    test(&demo, async |mut client| {
        client.initialize().await;
        let params =
            json!({"name": "list_account_tickets", "arguments": {"account": "a"}, "_meta": {"progressToken": "mine"}});
        client
            .send(json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}))
            .await;
        let mut counts = Vec::new();
        loop {
            let message = client.receive().await;
            if message["id"] == 1 {
                break;
            }
            assert_eq!(message["params"]["progressToken"], "mine");
            counts.push(message["params"]["progress"].as_f64().unwrap());
        }
        assert!(
            !counts.is_empty() && counts[0] >= 2.0 && counts.is_sorted(),
            "{counts:?}"
        );
    });
}

#[test]
fn progress_tells_what_a_call_waits_for() {
    let demo = Demo::start().unwrap();
    demo.inject(Fault {
        matches: "tickets".to_owned(),
        action: Some(Action::Status {
            code: 429,
            headers: vec![("Retry-After".to_owned(), "1".to_owned())],
            body: String::new(),
        }),
        ..Fault::default()
    });
    test(&demo, async |mut client| {
        client.initialize().await;
        let params = json!({"name": "count_tickets", "arguments": {}, "_meta": {"progressToken": 7}});
        client
            .send(json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}))
            .await;
        let told = client.receive().await;
        assert_eq!(
            (&told["params"]["progressToken"], &told["id"]),
            (&json!(7), &Value::Null),
            "{told}"
        );
        let message = told["params"]["message"].as_str().unwrap();
        assert!(message.starts_with("Asking again in 1."), "{message}");
        assert!(message.ends_with(" s: Daktela has too many requests"), "{message}");
        let answer = client.receive().await;
        assert_eq!(answer["result"]["isError"], false, "{answer}");
    });
}

#[test]
fn a_cancelled_call_lets_go_of_its_request() {
    let demo = Demo::start().unwrap();
    demo.inject(Fault {
        matches: "tickets".to_owned(),
        times: 1,
        delay: None,
        action: Some(Action::Hang),
    });
    test(&demo, async |mut client| {
        client.initialize().await;
        let params = json!({"name": "count_tickets", "arguments": {}});
        client
            .send(json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}))
            .await;
        while demo.take_requests().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        client
            .send(json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}))
            .await;
        // No answer to the cancelled one comes before the next one's.
        let next = client
            .request(2, "tools/call", json!({"name": "count_tickets", "arguments": {}}))
            .await;
        assert!(next["result"]["content"][0]["text"].is_string(), "{next}");
    });
}
