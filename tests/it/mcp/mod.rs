//! MCP on stdio, and structured output on both transports.

mod broken_messages;
mod protocol;
mod stdio;
mod structured_output;
