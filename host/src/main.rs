//! `mcp-daktela`: see `mcp_daktela` for the map.

use mcp_daktela::cli;
use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run(cli::read())
}
