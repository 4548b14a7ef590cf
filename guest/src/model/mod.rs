//! Declarations: tools, parameters, entities, filters and fields as data; checked arguments; JSON schemas of tools.

pub mod args;
pub mod param;
pub mod schema;
pub mod tool;
