//! Errors of the sandbox as JSON-RPC errors and as error answers of tools.

use rmcp::{
    ErrorData,
    model::{CallToolResult, ContentBlock, ErrorCode},
};
use serde::de::DeserializeOwned;
use wasmtime::WasmBacktrace;

use crate::sandbox::{RpcError, SandboxError};

pub(super) fn from_component(refusal: RpcError) -> ErrorData {
    let data = refusal.data.and_then(|text| serde_json::from_str(&text).ok());
    ErrorData::new(ErrorCode(refusal.code), refusal.message, data)
}

/// A limit that was reached is an error answer of the tool, since its caller can ask for less. A trap is an internal error.
pub(super) fn tool_error(fault: SandboxError) -> Result<CallToolResult, ErrorData> {
    match fault {
        SandboxError::Trapped { .. } => Err(internal(fault)),
        told => Ok(CallToolResult::error(vec![ContentBlock::text(capitalised(
            &told.to_string(),
        ))])),
    }
}

pub(super) fn internal(fault: SandboxError) -> ErrorData {
    match fault {
        SandboxError::Trapped { location, source } => {
            let backtrace = source.downcast_ref::<WasmBacktrace>().map(ToString::to_string);
            internal_with_reference(&source.root_cause().to_string(), location.as_deref(), backtrace)
        }
        told => ErrorData::internal_error(capitalised(&told.to_string()), None),
    }
}

/// The component's answer does not have the shape that MCP says.
pub(super) fn invalid_answer(error: &serde_json::Error) -> ErrorData {
    // Where, and not what: the text around it may be a customer's.
    internal_with_reference(
        &format!(
            "answer is not MCP's: {:?} at column {}",
            error.classify(),
            error.column()
        ),
        None,
        None,
    )
}

/// An error of ours. Its caller gets a reference number to report; the log has the cause under the same number.
fn internal_with_reference(reason: &str, location: Option<&str>, backtrace: Option<String>) -> ErrorData {
    let reference = format!("{:08x}", fastrand::u32(..));
    tracing::error!(
        event = "broken",
        reference,
        reason,
        location,
        backtrace,
        "a call failed by an error of the program"
    );
    ErrorData::internal_error(
        format!("The server failed; its log has the reason under {reference}."),
        None,
    )
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).chain(['.']).collect()
    })
}

/// Reads an answer of the component.
pub(super) fn parse<T: DeserializeOwned>(answer: &str) -> Result<T, ErrorData> {
    serde_json::from_str(answer).map_err(|error| invalid_answer(&error))
}
