//! MCP over HTTP.

pub(crate) mod http;
