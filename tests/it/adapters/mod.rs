//! The components that hosts other than ours run.

// What jco starts is ended by its process group.
#[cfg(unix)]
mod foreign_hosts;
mod hello;
mod runtime;
mod sizes;
mod wasi_http;
mod wassette;
