//! The tools: their definitions, and their answers over the demo company.

pub(crate) mod cases;
mod catalog;
mod fields;
mod native;
mod upstream_variants;
