//! `mcp-daktela call`: one call of a tool, as a client would make it.

use rmcp::model::{CallToolResult, ContentBlock, ErrorCode};
use serde_json::{Map, Value};

use super::{ExitError, print};
use crate::{
    host::{Host, RequestOrigin, outcome},
    sandbox::{NO_CONTEXT, Request},
    telemetry::Outcome,
};

pub(super) async fn run(host: &Host, tool: String, arguments: String) -> Result<(), ExitError> {
    if let Err(error) = serde_json::from_str::<Map<String, Value>>(&arguments) {
        return Err(ExitError::usage(format!(
            "the arguments are no JSON object ({error}); expected e.g. '{{\"stage\": \"OPEN\"}}'"
        )));
    }
    match answer(host, tool, arguments).await? {
        (text, Outcome::Ok) => print::out(&text),
        (text, _) => {
            print::out(&text);
            return Err(ExitError::told());
        }
    }
    Ok(())
}

/// The text of a tool's answer. A request that is none, e.g. of an unknown tool, is an error of usage.
pub(super) async fn answer(host: &Host, tool: String, arguments: String) -> Result<(String, Outcome), ExitError> {
    let request = Request::CallTool {
        name: tool,
        arguments,
        context: NO_CONTEXT.to_owned(),
    };
    let answer = host.run(&request, host.new_call(), RequestOrigin::default()).await;
    let outcome = outcome(&answer);
    let text = match answer {
        Ok(Ok(text)) => text,
        Ok(Err(refusal)) if refusal.code == ErrorCode::INVALID_PARAMS.0 => {
            return Err(ExitError::usage(format!(
                "{} `mcp-daktela tools` lists them.",
                refusal.message
            )));
        }
        Ok(Err(refusal)) => return Err(ExitError::failed(refusal.message)),
        Err(fault) => return Err(ExitError::failed(fault)),
    };
    let result: CallToolResult = serde_json::from_str(&text).map_err(ExitError::failed)?;
    let texts: Vec<&str> = result.content.iter().filter_map(text_of).collect();
    Ok((texts.join("\n\n"), outcome))
}

fn text_of(block: &ContentBlock) -> Option<&str> {
    block.as_text().map(|text| text.text.as_str())
}
