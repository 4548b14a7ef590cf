//! MCP over HTTP.

mod compatibility;
pub(crate) mod http;
#[cfg(target_os = "linux")]
mod stuck_calls;
