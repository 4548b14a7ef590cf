//! MCP over HTTP.

mod compatibility;
pub(crate) mod http;
