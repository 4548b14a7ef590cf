//! The command line.

mod arguments;
mod call;
mod check;
mod demo;
mod print;
mod serve;
mod sweep;
mod tools;

use crate::{
    config::{self, Options, Ready},
    host::Host,
    http::{self, Transport},
    log,
    mcp::Server,
    spans::Spans,
};
pub use arguments::read;
use clap::{Parser, Subcommand};
use ring::rand::{SecureRandom, SystemRandom};
use std::{future::Future, io::IsTerminal, process::ExitCode, sync::Arc};
use tracing::level_filters::LevelFilter;

/// An MCP server for Daktela. Without a command it serves one client on stdin and stdout.
///
/// The tools run in a WebAssembly sandbox that can send GET requests to your Daktela, and nothing else. The credential
/// stays outside of it.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, after_help = EXAMPLES)]
pub struct Cli {
    #[command(flatten)]
    pub options: Options,

    #[command(flatten)]
    pub http: http::Options,

    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// A tour of the sample company, then how to connect a client
    Demo,
    /// List the tools
    Tools {
        /// As the client sees them
        #[arg(long)]
        json: bool,
    },
    /// Call a tool and print its answer
    #[command(after_help = "Example:\n  mcp-daktela --demo call list_tickets '{\"stage\": \"OPEN\", \"take\": 5}'")]
    Call {
        /// Its name; `mcp-daktela tools` lists them
        tool: String,
        /// A JSON object
        #[arg(default_value = "{}")]
        arguments: String,
    },
    /// Log in and say what was found; for use after setting up
    Check {
        /// Also call each tool once, with small pages
        #[arg(long)]
        tools: bool,
    },
}

const EXAMPLES: &str = "\
Examples:
  mcp-daktela demo                         see it work, no Daktela needed
  mcp-daktela --demo                       serve the sample company
  DAKTELA_URL=https://acme.daktela.com DAKTELA_ACCESS_TOKEN=… mcp-daktela check
  DAKTELA_URL=https://acme.daktela.com DAKTELA_ACCESS_TOKEN=… mcp-daktela

Secrets: DAKTELA_ACCESS_TOKEN or DAKTELA_PASSWORD in the environment, or a file with --access-token-file or
--password-file. They are no flags: anybody who may list processes could read those.";

/// What ended the program early, and its exit code.
#[derive(Debug)]
pub struct Stop {
    code: u8,
    message: String,
}

impl Stop {
    /// The caller wrote something that cannot be meant.
    pub fn usage(message: impl ToString) -> Self {
        Self {
            code: 2,
            message: message.to_string(),
        }
    }

    /// A failure whose words are printed already.
    pub fn told() -> Self {
        Self::failed("")
    }

    pub fn failed(message: impl ToString) -> Self {
        Self {
            code: 1,
            message: message.to_string(),
        }
    }
}

pub fn run(cli: Cli) -> ExitCode {
    let usual = if cli.command.is_none() {
        LevelFilter::INFO
    } else {
        LevelFilter::WARN
    };
    log::init(cli.options.log_level.unwrap_or(usual));
    match start(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop { code, message }) => {
            if !message.is_empty() {
                print::err(&format!("mcp-daktela: {message}"));
            }
            ExitCode::from(code)
        }
    }
}

fn start(cli: Cli) -> Result<(), Stop> {
    let Cli {
        mut options,
        http,
        command,
    } = cli;
    config::check_authorities(std::env::var_os("SSL_CERT_FILE")).map_err(Stop::usage)?;
    options.demo |= matches!(command, Some(Command::Demo));
    let ready = || options.ready().map_err(Stop::usage);
    match command {
        // The tools are the same for all, so no instance is needed.
        Some(Command::Tools { json }) => block_on(tools::run(&options.host(None).map_err(Stop::usage)?, json)),
        None if http.transport == Transport::StreamableHttp => serve::run(&options, &http),
        None => {
            let Ready { host, demo } = ready()?;
            let done = block_on(serve(&options, host));
            drop(demo);
            done
        }
        Some(Command::Demo) => block_on(demo::run(&ready()?.host)),
        Some(Command::Call { tool, arguments }) => block_on(call::run(&ready()?.host, tool, arguments)),
        Some(Command::Check { tools }) => block_on(check::run(&ready()?.host, tools)),
    }
}

fn block_on(work: impl Future<Output = Result<(), Stop>>) -> Result<(), Stop> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Stop::failed)?;
    let done = runtime.block_on(work);
    // A read of stdin cannot be called off, and nobody waits for it any longer.
    runtime.shutdown_background();
    done
}

/// For what this process alone will look at again.
fn random_key() -> Result<[u8; 32], Stop> {
    let mut key = [0; 32];
    match SystemRandom::new().fill(&mut key) {
        Ok(()) => Ok(key),
        Err(_) => Err(Stop::failed("the system has no random numbers to give")),
    }
}

/// A supervisor wants the program to end.
#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => drop(terminate.recv().await),
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}

/// For a server: what it says of each call, where somebody wants to know.
fn spans(options: &Options) -> Result<Option<Spans>, Stop> {
    let endpoint = options.otlp(|name| std::env::var(name).ok()).map_err(Stop::usage)?;
    endpoint
        .map(|endpoint| Spans::to(&endpoint))
        .transpose()
        .map_err(Stop::usage)
}

async fn serve(options: &Options, host: Host) -> Result<(), Stop> {
    if let Some(egress) = host.egress() {
        egress.warm_up();
    }
    if std::io::stdin().is_terminal() {
        print::err(
            "Serving MCP on stdin and stdout, which a client starts by itself; Ctrl-D ends. For a tour: mcp-daktela demo",
        );
    }
    let spans = spans(options)?;
    let host = host.with_spans(spans.clone());
    let server = Server::new(Arc::new(host), &random_key()?)
        .await
        .map_err(Stop::failed)?;
    let done = server.serve_stdio(terminated()).await.map_err(Stop::failed);
    if let Some(spans) = spans {
        spans.finish().await;
    }
    done
}
