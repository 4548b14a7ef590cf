//! The tools: their definitions, and their answers over the demo company.

mod build_matrix;
pub(crate) mod cases;
mod catalog;
mod fields;
mod native;
mod samples;
mod statistics;
mod upstream_variants;
