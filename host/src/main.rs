//! `mcp-daktela`: see `mcp_daktela` for the map.

use clap::Parser;
use mcp_daktela::cli::{self, Cli};
use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run(Cli::parse())
}
