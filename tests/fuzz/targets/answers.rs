//! Fuzz target: any document as Daktela's answer to any tool: it is rendered within the budget, without a character that hides.
#![no_main]

use guest::{
    catalog,
    http::{Failure, Http, Request, Response},
    mcp::Server,
    Settings,
};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use std::cell::Cell;

const MAX_BYTES: usize = 20_000;

/// Answers each request with the same document.
struct Always<'a> {
    document: &'a str,
    asked: Cell<usize>,
}

impl Http for Always<'_> {
    fn get_all(&self, requests: &[Request]) -> Vec<Result<Response, Failure>> {
        self.asked.set(self.asked.get() + requests.len());
        assert!(requests.iter().all(|request| request.path.starts_with("/api/v6/")), "{requests:?}");
        // What the host's budget is for.
        if self.asked.get() > 1_000 {
            return requests.iter().map(|_| Err(Failure::Timeout)).collect();
        }
        let answer = || {
            Ok(Response {
                is_aged: self.document.len() % 2 == 1,
                status: 200,
                body: self.document.into(),
            })
        };
        requests.iter().map(|_| answer()).collect()
    }
}

fuzz_target!(|input: (u8, &str)| {
    let (tool, document) = input;
    let settings = Settings {
        origin: "https://acme.daktela.com".to_owned(),
        max_answer_bytes: MAX_BYTES,
        ..Settings::default()
    };
    let tool = catalog::tools()
        .nth(usize::from(tool) % catalog::tools().count())
        .expect("a tool");
    // A record where rows are written is the common case, and rarely found by chance.
    let wrapped = format!(r#"{{"error":[],"result":{{"data":[{document}],"total":1}}}}"#);
    for document in [document, &wrapped] {
        let http = Always {
            document,
            asked: Cell::new(0),
        };
        let schema = guest::model::schema::tool(tool);
        let arguments = match schema.pointer("/inputSchema/required/0").and_then(Value::as_str) {
            Some(name) => json!({name: "1"}),
            None => json!({}),
        };
        let answer =
            Server::new(&settings, Ok(&http)).call_tool(tool.name, &arguments.to_string()).expect("a tool that exists");
        let answer: Value = serde_json::from_str(&answer).expect("JSON");
        let text = answer["content"][0]["text"].as_str().expect("a text");
        assert!(!text.is_empty() && text.len() <= MAX_BYTES, "{} bytes", text.len());
        let hides =
            |c: char| (c.is_control() && c != '\n' && c != '\t') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{200b}');
        assert!(!text.contains(hides), "{text:?}");
    }
});
