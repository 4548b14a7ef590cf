//! The command line: commands, flags, exit codes.

mod arguments;
mod call;
mod check;
mod demo;
pub mod eval;
mod print;
mod serve;
mod smoke_test;
mod tools;

use std::{future::Future, io::IsTerminal, path::PathBuf, process::ExitCode, sync::Arc};

use clap::{Parser, Subcommand};
use ring::rand::{SecureRandom, SystemRandom};
use tracing::level_filters::LevelFilter;

use crate::{
    app::{self, SingleUser},
    config::{
        self, Options,
        server::{ServerOptions, Transport},
    },
    host::Host,
    mcp::Server,
    shutdown,
    telemetry::log,
};

pub use arguments::read;

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
    pub server: ServerOptions,

    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// A tour of the sample company, then how to connect a client
    Demo,
    /// List the tools
    Tools {
        /// Print their MCP definitions as JSON
        #[arg(long)]
        json: bool,
    },
    /// Call a tool and print its answer
    #[command(after_help = "Example:\n  mcp-daktela --demo call list_tickets '{\"stage\": \"OPEN\", \"take\": 5}'")]
    Call {
        /// Name of the tool; `mcp-daktela tools` lists all
        tool: String,
        /// Arguments of the tool as a JSON object
        #[arg(default_value = "{}")]
        arguments: String,
    },
    /// Score a transcript of tool calls and answers against a file of questions; docs/evaluation.md describes both
    #[command(after_help = "Example:\n  mcp-daktela eval transcript.jsonl --questions tests/eval/questions.json")]
    Eval {
        /// Transcript: JSON lines, one for each question that was asked
        transcript: PathBuf,
        /// The questions, with their answers and bounds, as JSON
        #[arg(long, value_name = "FILE")]
        questions: PathBuf,
    },
    /// Check settings, network and login; for use after setting up
    Check {
        /// Also call each tool once, with small pages, and say where the instance differs from what the program expects
        #[arg(long)]
        tools: bool,

        /// With --tools: write the findings to a file as JSON, names and numbers only, to be sent to the project
        #[arg(long, value_name = "FILE", requires = "tools")]
        report: Option<PathBuf>,
    },
}

const EXAMPLES: &str = "\
Examples:
  mcp-daktela demo                         see it work, no Daktela needed
  mcp-daktela --demo                       serve the sample company
  DAKTELA_URL=https://acme.daktela.com DAKTELA_ACCESS_TOKEN=… mcp-daktela check
  DAKTELA_URL=https://acme.daktela.com DAKTELA_ACCESS_TOKEN=… mcp-daktela

Secrets: DAKTELA_ACCESS_TOKEN or DAKTELA_PASSWORD in the environment, or a file with --access-token-file or
--password-file. They have no flags, since flags show in process lists.";

/// Why the program ends early: its exit code, and what it prints.
#[derive(Debug)]
pub struct ExitError {
    code: u8,
    message: String,
}

impl ExitError {
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
    if let Err(error) = log::init(cli.options.telemetry.log_level.unwrap_or(usual)) {
        print::err(&format!("mcp-daktela: the log does not start: {error}"));
        return ExitCode::FAILURE;
    }
    let code = match start(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(ExitError { code, message }) => {
            if !message.is_empty() {
                print::err(&format!("mcp-daktela: {message}"));
            }
            ExitCode::from(code)
        }
    };
    log::flush();
    code
}

fn start(cli: Cli) -> Result<(), ExitError> {
    let Cli {
        mut options,
        server,
        command,
    } = cli;
    config::check_authorities(std::env::var_os("SSL_CERT_FILE")).map_err(ExitError::usage)?;
    options.daktela.demo |= matches!(command, Some(Command::Demo));
    // Each tool is to show what it needs by itself.
    options.cache.cache &= !matches!(command, Some(Command::Check { .. }));
    if options.daktela.demo_scale.is_some() && !options.daktela.demo {
        return Err(ExitError::usage(
            "--demo-scale (DEMO_SCALE) is the size of the sample company: add --demo to read that, or leave it out",
        ));
    }
    let single_user = || app::single_user(&options).map_err(ExitError::usage);
    match command {
        // The tools are the same for all, so no instance is needed.
        Some(Command::Tools { json }) => {
            block_on(tools::run(&app::host(&options, None).map_err(ExitError::usage)?, json))
        }
        None if server.transport == Transport::StreamableHttp => serve::run(&options, &server),
        None => {
            let SingleUser { host, demo } = single_user()?;
            let done = block_on(serve(&options, host));
            drop(demo);
            done
        }
        Some(Command::Demo) => block_on(demo::run(&single_user()?.host)),
        Some(Command::Call { tool, arguments }) => block_on(call::run(&single_user()?.host, tool, arguments)),
        Some(Command::Eval { transcript, questions }) => eval::run(&transcript, &questions),
        Some(Command::Check { tools, report }) => block_on(check::run(&single_user()?.host, tools, report.as_deref())),
    }
}

fn block_on(work: impl Future<Output = Result<(), ExitError>>) -> Result<(), ExitError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(ExitError::failed)?;
    let done = runtime.block_on(work);
    // A read of stdin cannot be called off, and nobody waits for it any longer.
    runtime.shutdown_background();
    done
}

/// For what this process alone will look at again.
fn random_key() -> Result<[u8; 32], ExitError> {
    let mut key = [0; 32];
    match SystemRandom::new().fill(&mut key) {
        Ok(()) => Ok(key),
        Err(_) => Err(ExitError::failed("the system has no random numbers to give")),
    }
}

async fn serve(options: &Options, host: Host) -> Result<(), ExitError> {
    if let Some(egress) = host.egress() {
        egress.warm_up();
    }
    if std::io::stdin().is_terminal() {
        print::err(
            "Serving MCP on stdin and stdout, which a client starts by itself; Ctrl-D ends. For a tour: mcp-daktela demo",
        );
    }
    let traces = app::traces(options).map_err(ExitError::usage)?;
    let host = host.with_traces(traces.clone());
    let server = Server::new(Arc::new(host), &random_key()?)
        .await
        .map_err(ExitError::failed)?;
    let done = tokio::select! {
        done = server.serve_stdio(shutdown::terminated()) => done.map_err(ExitError::failed),
        // A person at a terminal does not wait for answers.
        () = shutdown::interrupted() => Ok(()),
    };
    if let Some(traces) = traces {
        traces.finish().await;
    }
    done
}
