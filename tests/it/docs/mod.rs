//! Pages of the documentation.

mod generated;
mod links;
