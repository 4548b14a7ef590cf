//! Declarations: tools, parameters, entities, filters and fields as data; checked arguments; JSON schemas of tools;
//! results.

pub mod args;
pub mod context;
pub mod custom_field;
pub mod directory;
pub mod entity;
pub mod field;
pub mod filter;
pub mod list;
pub mod measure;
pub mod output;
pub mod param;
pub mod schema;
pub mod statistics;
pub mod tool;
