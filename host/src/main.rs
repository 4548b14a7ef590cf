//! Entry point of `mcp-daktela`. The modules are described in the library's documentation.

use std::process::ExitCode;

use mcp_daktela::cli;

fn main() -> ExitCode {
    cli::run(cli::read())
}
