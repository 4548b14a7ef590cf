//! What end-to-end tests are made with: the real program as a child process on stdio or HTTP, and golden files.

pub mod golden;
pub mod program;
pub mod server_harness;
pub mod skip;
