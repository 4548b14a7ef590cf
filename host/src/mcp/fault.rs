//! What goes wrong, in the words of JSON-RPC.

use crate::sandbox::{RpcError, SandboxError};
use rmcp::{
    ErrorData,
    model::{CallToolResult, ContentBlock, ErrorCode},
};
use wasmtime::WasmBacktrace;

pub(super) fn refused(refusal: RpcError) -> ErrorData {
    let data = refusal.data.and_then(|text| serde_json::from_str(&text).ok());
    ErrorData::new(ErrorCode(refusal.code), refusal.message, data)
}

/// Where the caller can do something about it, he hears of it as of any other error of a tool.
pub(super) fn of_a_tool(fault: SandboxError) -> Result<CallToolResult, ErrorData> {
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
            broken(&source.root_cause().to_string(), location.as_deref(), backtrace)
        }
        told => ErrorData::internal_error(capitalised(&told.to_string()), None),
    }
}

/// An answer that is not what MCP says it should be.
pub(super) fn not_mcp(error: &serde_json::Error) -> ErrorData {
    // Where, and not what: the text around it may be a customer's.
    broken(
        &format!(
            "answer is not MCP's: {:?} at column {}",
            error.classify(),
            error.column()
        ),
        None,
        None,
    )
}

/// A fault of ours. The caller gets a number to name when he reports it; the log has it, too.
fn broken(cause: &str, location: Option<&str>, backtrace: Option<String>) -> ErrorData {
    let reference = format!("{:08x}", fastrand::u32(..));
    tracing::error!(event = "broken", reference, cause, location, backtrace);
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
