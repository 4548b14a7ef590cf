//! The host of the Daktela component: an MCP server whose tools run in a sandbox, and which alone holds the credentials.
//!
//! ```text
//! client ── MCP ──► mcp::Server ──► host::Host ──► sandbox::Sandbox   one instance of the component per call
//!                                                     │ wasi:http
//!                                                     ▼
//!                                                  egress::Egress ──► Daktela
//! ```
//!
//! Over HTTP, [`http`] finds out who asks ([`credentials`], [`identity`]) and hands each request on with an egress of its
//! caller's own. [`oauth`] issues tokens to clients that know no other way.
//!
//! [`egress`] is the only way out of the [`sandbox`], and the only place that knows a secret. [`mcp`] and [`cli`] know no
//! tool by name: they pass on what the component says. [`config`] turns flags and variables into the rest.

pub mod cli;
pub mod config;
pub mod credentials;
pub mod host;
pub mod http;
pub mod identity;
pub mod log;
pub mod mcp;
pub mod metrics;
pub mod oauth;
pub mod sandbox;
pub mod spans;

pub use daktela_egress as egress;
