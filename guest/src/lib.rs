//! MCP server logic for Daktela without a transport: the library that every component (adapter) is made of.
//!
//! Layers, each of which uses only those below it:
//!
//! | layer | what it holds |
//! |---|---|
//! | [`mcp`] | MCP's requests as JSON text in and out; prompts, resources, completion; MCP over stateless HTTP |
//! | [`catalog`] | the tools as rows of constants, one file for each part of Daktela |
//! | `tools` | the few tools with logic of their own |
//! | [`run`] | the interpreter of the catalogue: list, count and get for any entity; names resolved to ids |
//! | [`render`] | records to markdown within a byte budget; HTML to text, quoted mail folded |
//! | [`model`] | what a tool, a parameter, an entity, a filter and a field are; checked arguments; tool schemas |
//! | [`daktela`] | the API client: queries, paging, compatibility with builds, errors, the network as a trait |
//! | [`text`], [`value`], [`date`], [`names`], [`phone`], [`time`], [`unicode`], [`settings`], `sort` | utilities: sanitizing of untrusted text, lenient JSON, dates, people's names, phone numbers, durations and the order of local times |
//!
//! Free of WIT, runtimes and secrets, so everything builds and runs natively as well.

pub mod catalog;
pub mod daktela;
pub mod date;
pub mod mcp;
pub mod model;
pub mod names;
pub mod phone;
pub mod render;
pub mod run;
pub mod settings;
pub(crate) mod sort;
pub mod text;
pub mod time;
pub(crate) mod tools;
pub mod unicode;
pub mod value;

pub use crate::{
    daktela::{error::Error, hints::Hints, http},
    settings::Settings,
};
