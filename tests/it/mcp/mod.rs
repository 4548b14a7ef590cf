//! MCP on stdio.

mod broken_messages;
mod protocol;
mod stdio;
