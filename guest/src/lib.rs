//! Daktela's tools for MCP, without a transport: what a component of any face is made of.
//!
//! A call goes one way through this crate, and each step is a module:
//!
//! - [`server`]: MCP's requests as JSON text in and out; the faces call it and nothing else.
//! - [`catalog`]: the tools as rows of constants, in the vocabulary of [`tool`] and [`param`]. [`schema`] is what callers
//!   see of them.
//! - [`args`]: the call's JSON, checked. [`date`] reads dates, [`resolve`] turns names that people use into ids.
//! - [`run`]: the interpreter: list, count and get for any entity.
//! - [`query`] writes URLs, [`api`] reads over [`http`] and repeats what a build of Daktela refused; [`envelope`] and
//!   [`shape`] make one form of what all builds answer.
//! - [`view`] renders records, over [`value`], [`html`], [`mail`] and [`text`]; [`answer`] keeps the whole within its
//!   budget and says what it left out.
//! - [`resources`], [`prompts`] and [`complete`] are the rest of MCP; [`rpc`] is MCP over HTTP, for faces without a host
//!   of ours before them.
//!
//! Nothing here knows WIT, a runtime or a secret, so everything builds and runs natively as well.

pub mod answer;
pub mod api;
pub mod args;
pub mod catalog;
pub mod complete;
pub mod date;
pub mod envelope;
pub mod error;
pub mod html;
pub mod http;
pub mod mail;
pub mod param;
pub mod prompts;
pub mod query;
pub mod resolve;
pub mod resources;
pub mod rpc;
pub mod run;
pub mod schema;
pub mod server;
pub mod settings;
pub mod shape;
pub mod text;
pub mod tool;
pub mod value;
pub mod view;
