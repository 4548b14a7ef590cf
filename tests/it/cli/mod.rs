//! Flags and environment variables.

mod mistaken_values;
mod settings;
