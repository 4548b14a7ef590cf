//! `mcp-daktela`: see `mcp_daktela` for the map.

use clap::Parser;
use mcp_daktela::cli::{self, Cli};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(event = "no_runtime", %error);
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(cli::run(cli));
    // A read of stdin cannot be called off, and nobody waits for it any longer.
    runtime.shutdown_background();
    code
}
