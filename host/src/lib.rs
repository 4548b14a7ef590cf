//! The host of the Daktela component: an MCP server whose tools run in a sandbox. It alone holds the credentials.
//!
//! ```text
//! client ── MCP ──► mcp::Server ──► host::Host ──► sandbox::Sandbox   one instance of the component per call
//!                                                     │ wasi:http
//!                                                     ▼
//!                                                  egress::Egress ──► Daktela
//! ```
//!
//! Over HTTP, [`server`] authenticates each request ([`auth`]) and passes it on with the egress of its
//! caller. [`oauth`] issues tokens to clients that need OAuth.
//!
//! [`egress`] is the only network access of the [`sandbox`], and the only place that knows a credential. [`mcp`] and [`cli`]
//! hold no tool-specific code: they pass on what the component says. [`config`] turns flags and variables into settings,
//! [`app`] builds the running parts from them, [`telemetry`] is the log, metrics and traces.

pub mod app;
pub mod auth;
pub mod cli;
pub mod config;
pub mod host;
mod limits;
pub mod mcp;
pub mod oauth;
pub mod sandbox;
pub mod server;
mod shutdown;
pub mod telemetry;
mod web;

pub use daktela_egress as egress;
