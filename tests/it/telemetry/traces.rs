//! Spans for a collector of OpenTelemetry, which is the test's own and reads what is really sent.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use daktela_demo::{Demo, TOKEN};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value as Any},
    trace::v1::Span,
};
use prost::Message;
use serde_json::{Value, json};

use crate::{
    program::Program,
    server_harness::{Ask, Served},
};

const PATIENCE: Duration = Duration::from_secs(60);
const SEARCH: &str = "canary-of-a-customer";
const COLLECTORS_SECRET: &str = "collectors-own-secret";
const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// What one request to the collector was.
struct Export {
    head: String,
    body: Vec<u8>,
}

struct Collector {
    origin: String,
    exports: Receiver<Export>,
}

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let origin = format!("http://{}", listener.local_addr().expect("an address"));
        let (send, exports) = mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = BufReader::new(stream.expect("a connection"));
                let mut head = String::new();
                while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).is_ok_and(|read| read > 0) {}
                let length = head
                    .lines()
                    .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
                let mut body = vec![0; length.unwrap_or(0)];
                stream.read_exact(&mut body).expect("a body");
                let _ = stream
                    .get_mut()
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                let _ = send.send(Export { head, body });
            }
        });
        Collector { origin, exports }
    }

    /// The next so many spans, none of which tells a secret.
    fn spans(&self, count: usize, secrets: &[&str]) -> Vec<Value> {
        let mut found = Vec::new();
        while found.len() < count {
            let Export { head, body } = self.exports.recv_timeout(PATIENCE).expect("an export");
            assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{head}");
            assert!(head.contains("content-type: application/x-protobuf\r\n"), "{head}");
            let text = String::from_utf8_lossy(&body);
            for secret in secrets {
                assert!(!text.contains(secret), "{secret}: {text}");
            }
            let export = ExportTraceServiceRequest::decode(&*body).expect("an export");
            for resource in export.resource_spans {
                let service = attributes(&resource.resource.expect("a resource").attributes);
                for scope in resource.scope_spans {
                    found.extend(scope.spans.iter().map(|span| read(span, &service)));
                }
            }
        }
        found
    }
}

fn attributes(given: &[KeyValue]) -> BTreeMap<String, Value> {
    given
        .iter()
        .map(|KeyValue { key, value, .. }| {
            let value = match value.as_ref().and_then(|value| value.value.clone()) {
                Some(Any::StringValue(text)) => json!(text),
                Some(Any::IntValue(number)) => json!(number),
                other => panic!("{key}: {other:?}"),
            };
            (key.clone(), value)
        })
        .collect()
}

/// All that is in a span, but for the ids and times that differ from run to run, which are looked at here.
fn read(span: &Span, service: &BTreeMap<String, Value>) -> Value {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let took = Duration::from_nanos(span.end_time_unix_nano - span.start_time_unix_nano);
    assert!(took > Duration::ZERO && took < PATIENCE, "{took:?}");
    assert!(span.trace_id.len() == 16 && span.span_id.len() == 8);
    assert!(span.events.is_empty() && span.links.is_empty() && span.trace_state.is_empty());
    let status = span.status.clone().unwrap_or_default();
    let parent = format!("{} {}", hex(&span.trace_id), hex(&span.parent_span_id));
    json!({
        "service": service["service.name"],
        "name": span.name,
        "kind": span.kind,
        "parent": (!span.parent_span_id.is_empty()).then_some(parent),
        "status": status.code,
        "message": status.message,
        "attributes": attributes(&span.attributes),
    })
}

#[test]
fn a_call_is_one_span_without_anything_of_the_customers() {
    let demo = Demo::start().expect("a demo instance");
    let collector = Collector::start();
    let origin = demo.origin();
    let mut program = Program::start(&[
        ("DAKTELA_URL", &origin),
        ("DAKTELA_ACCESS_TOKEN", TOKEN),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.origin),
        (
            "OTEL_EXPORTER_OTLP_HEADERS",
            &format!("authorization=Bearer {COLLECTORS_SECRET}"),
        ),
    ]);
    let found = program.call("list_contacts", &json!({"search": SEARCH}));
    assert_eq!(found["isError"], false, "{found}");
    let sent = demo.take_requests().len();
    let refused = program.call("get_ticket", &json!({"name": SEARCH}));
    assert_eq!(refused["isError"], true, "{refused}");
    let unknown = program.request("tools/call", json!({"name": SEARCH, "arguments": {}}));
    assert!(unknown["error"]["code"].is_i64(), "{unknown}");
    let size = |answer: &Value| answer["content"][0]["text"].as_str().expect("a text").len();
    let (first, second) = (size(&found), size(&refused));
    // The last words are sent at the end.
    drop(program);
    let mut spans = collector.spans(3, &[TOKEN, SEARCH, COLLECTORS_SECRET, &origin]);
    let mut bytes = |span: usize, name: &str| {
        let value = spans[span]["attributes"][name].take();
        value.as_u64().expect("a number")
    };
    // With the JSON around the text.
    assert!(bytes(0, "daktela.answer_bytes") > first as u64 && bytes(1, "daktela.answer_bytes") > second as u64);
    assert!(bytes(0, "daktela.upstream_bytes") > 0);
    let span = |name: &str, status: i64, attributes: Value| {
        json!({
            "service": "mcp-daktela", "name": name, "kind": 2, "parent": null, "status": status, "message": "",
            "attributes": attributes,
        })
    };
    assert_eq!(
        spans[0],
        span(
            "tools/call list_contacts",
            0,
            json!({
                "mcp.method.name": "tools/call",
                "gen_ai.tool.name": "list_contacts",
                "daktela.outcome": "ok",
                "daktela.answer_bytes": null,
                "daktela.upstream_requests": sent,
                "daktela.upstream_bytes": null,
                "daktela.cache_hits": 0,
            })
        )
    );
    for (span, name, error) in [
        (&spans[1], "tools/call get_ticket", "tool_error"),
        (&spans[2], "tools/call (unknown)", "failed"),
    ] {
        assert_eq!(
            (&span["name"], &span["status"], &span["attributes"]["error.type"]),
            (&json!(name), &json!(2), &json!(error))
        );
    }
}

#[test]
fn over_http_a_span_belongs_to_the_clients_own() {
    let demo = Demo::start().expect("a demo instance");
    let collector = Collector::start();
    let served = Served::start(&[
        (
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            &format!("{}/v1/traces", collector.origin),
        ),
        ("OTEL_SERVICE_NAME", "daktela-for-acme"),
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
    ]);
    let ask = || Ask::call("count_tickets", json!({})).read_as(&demo.origin(), TOKEN);
    let parent = json!("0af7651916cd43dd8448eb211c80319c b7ad6b7169203331");
    let reply = served.ask(&ask().with("traceparent", TRACEPARENT).with("tracestate", SEARCH));
    assert!(reply.text().contains("244"));
    let span = collector
        .spans(1, &[TOKEN, SEARCH, &demo.origin(), "127.0.0.1"])
        .remove(0);
    assert_eq!(
        (
            &span["service"],
            &span["parent"],
            &span["attributes"]["daktela.request_id"]
        ),
        (
            &json!("daktela-for-acme"),
            &parent,
            &json!(reply.header("x-request-id").expect("an id"))
        )
    );
    // MCP has it in the message; whoever has none begins a trace.
    let meta = json!({"name": "count_tickets", "arguments": {}, "_meta": {"traceparent": TRACEPARENT}});
    served.ask(&Ask::mcp("tools/call", meta).read_as(&demo.origin(), TOKEN));
    assert_eq!(collector.spans(1, &[TOKEN])[0]["parent"], parent);
    served.ask(&ask().with("traceparent", "00-nonsense"));
    assert_eq!(collector.spans(1, &[TOKEN])[0]["parent"], Value::Null);
    // A caller cannot take its calls out of the record by saying that they are not sampled.
    let unsampled = TRACEPARENT.replace("-01", "-00");
    served.ask(&ask().with("traceparent", unsampled));
    assert_eq!(collector.spans(1, &[TOKEN])[0]["parent"], parent);
}

#[test]
fn without_its_collector_the_server_goes_on() {
    let demo = Demo::start().expect("a demo instance");
    let served = Served::start(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1"),
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
    ]);
    let ask = Ask::call("count_tickets", json!({})).read_as(&demo.origin(), TOKEN);
    assert!(served.ask(&ask).text().contains("244"));
    assert_eq!(
        served.log("otlp_failed", 1)[0]["message"],
        "the collector takes no spans"
    );
    assert!(served.ask(&ask).text().contains("244"));
}
