//! End-to-end tests, in one program so that wasmtime is linked once. A new test goes into the folder of its subject:
//!
//! - `mcp`: the protocol on stdio, byte by byte where clients differ.
//! - `server`: the HTTP server for many callers, over real sockets.
//! - `tools`: what callers see of the tools, as golden files; question and answer of each over the demo company (`tests/cases`).
//! - `eval`: questions over the demo company with scripted solutions, and search for tools (`tests/eval`).
//! - `adapters`: the components that other hosts run, under those hosts and under plain wasmtime; their sizes; the example that
//!   authors of components start from.
//! - `egress`: TLS, HTTP/2, DNS rebinding, and credentials that stay in the host.
//! - `limits`: resource limits, and faults of the instance and of components.
//! - `oauth`: logins and tokens, brute force, denial of service, replicas.
//! - `telemetry`: traces.
//! - `cli`: settings, and what operators are told when one is wrong.
//! - `docs`: pages that are made from the code; dead links and stale paths in the others.
//! - `layers`: what modules must not know of each other.
//!
//! `UPDATE_EXPECT=1 cargo test --release` rewrites the golden files; read the difference before you commit it.

// The harness, under the names that all tests use.
use daktela_tests::{golden, program, server_harness, skip};

mod adapters;
mod cli;
mod docs;
mod egress;
mod eval;
mod layers;
mod limits;
mod mcp;
mod oauth;
mod server;
mod telemetry;
mod tools;
