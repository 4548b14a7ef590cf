//! Fuzz target: any text as the arguments of any tool gives an answer or a worded error.
#![no_main]

use guest::{
    catalog,
    http::{Failure, Http, Request, Response},
    mcp::Server,
    Settings,
};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

/// Nobody is there: what matters happens before.
struct Away;

impl Http for Away {
    fn get_all(&self, requests: &[Request]) -> Vec<Result<Response, Failure>> {
        let away = || Err(Failure::Unreachable("the connection broke".to_owned()));
        requests.iter().map(|_| away()).collect()
    }
}

fuzz_target!(|input: (u8, &str)| {
    let (tool, arguments) = input;
    let settings = Settings {
        origin: "https://acme.daktela.com".to_owned(),
        max_answer_bytes: 100_000,
        ..Settings::default()
    };
    let tool = catalog::tools()
        .nth(usize::from(tool) % catalog::tools().count())
        .expect("a tool");
    let answer = Server::new(&settings, Ok(&Away)).call_tool(tool.name, arguments).expect("a tool that exists");
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    let text = answer["content"][0]["text"].as_str().expect("a text");
    assert!(!text.is_empty() && answer["isError"] == true, "{answer}");
});
