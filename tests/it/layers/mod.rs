//! The layers of the source tree.

mod import_graph;
mod names;
mod rules;
