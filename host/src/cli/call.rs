//! `mcp-daktela call`: one call of a tool, as a client would make it.

use super::{Stop, print};
use crate::{
    host::{Asker, Host, Outcome, outcome},
    sandbox::{NO_CONTEXT, Request},
};
use rmcp::model::{CallToolResult, ContentBlock, ErrorCode};
use serde_json::{Map, Value};

pub(super) async fn run(host: &Host, tool: String, arguments: String) -> Result<(), Stop> {
    if let Err(error) = serde_json::from_str::<Map<String, Value>>(&arguments) {
        return Err(Stop::usage(format!(
            "the arguments are no JSON object ({error}); expected e.g. '{{\"stage\": \"OPEN\"}}'"
        )));
    }
    match answer(host, tool, arguments).await? {
        (text, Outcome::Ok) => print::out(&text),
        (text, _) => {
            print::out(&text);
            return Err(Stop::told());
        }
    }
    Ok(())
}

/// The text of a tool's answer. A request that is none, e.g. of an unknown tool, is an error of usage.
pub(super) async fn answer(host: &Host, tool: String, arguments: String) -> Result<(String, Outcome), Stop> {
    let request = Request::CallTool {
        name: tool,
        arguments,
        context: NO_CONTEXT.to_owned(),
    };
    let answer = host.ask(&request, host.new_call(), Asker::default()).await;
    let outcome = outcome(&answer);
    let text = match answer {
        Ok(Ok(text)) => text,
        Ok(Err(refusal)) if refusal.code == ErrorCode::INVALID_PARAMS.0 => {
            return Err(Stop::usage(format!(
                "{} `mcp-daktela tools` lists them.",
                refusal.message
            )));
        }
        Ok(Err(refusal)) => return Err(Stop::failed(refusal.message)),
        Err(fault) => return Err(Stop::failed(fault)),
    };
    let result: CallToolResult = serde_json::from_str(&text).map_err(Stop::failed)?;
    let texts: Vec<&str> = result.content.iter().filter_map(text_of).collect();
    Ok((texts.join("\n\n"), outcome))
}

fn text_of(block: &ContentBlock) -> Option<&str> {
    block.as_text().map(|text| text.text.as_str())
}
