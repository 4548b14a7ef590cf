//! MCP on stdio.

mod protocol;
mod stdio;
