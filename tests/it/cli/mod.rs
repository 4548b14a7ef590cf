//! Flags and environment variables.

mod settings;
