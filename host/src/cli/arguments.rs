//! Argument parsing: flags, and the environment variables behind them.

use std::{env, ffi::OsStr};

use clap::{
    Command, CommandFactory, FromArgMatches,
    builder::StyledStr,
    error::{ContextKind, ContextValue, Error},
};

/// Variables that were renamed, with their former names, which are still read where the new one is not set.
const RENAMED: &[(&str, &str)] = &[
    ("DAKTELA_CPU_SECONDS", "DAKTELA_COMPUTE_SECONDS"),
    ("DAKTELA_MAX_CONCURRENT_CALLS", "DAKTELA_MAX_CALLS"),
    ("DAKTELA_MAX_QUEUED_CALLS", "DAKTELA_MAX_WAITING"),
    ("DAKTELA_UPSTREAM_CONCURRENCY", "DAKTELA_UPSTREAM_AT_ONCE"),
    ("MAX_CONCURRENT_REQUESTS", "MAX_REQUESTS"),
    ("OAUTH_REFRESH_REUSE_SECONDS", "OAUTH_GRACE_SECONDS"),
];

/// As `Parser::parse` does, except that a variable which is set but empty counts as none: compose files and bundles leave
/// them so. An error of a value names the variable that it comes from.
pub fn read<C: CommandFactory + FromArgMatches>() -> C {
    let command = with_variables_that_are_set(C::command());
    let matches = command.clone().try_get_matches();
    let read = matches.and_then(|matches| C::from_arg_matches(&matches));
    read.unwrap_or_else(|error| naming_the_variable(error, &command).exit())
}

fn with_variables_that_are_set(command: Command) -> Command {
    let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.to_string_lossy().trim().is_empty());
    command
        .mut_args(|arg| {
            let name = arg.get_env().and_then(OsStr::to_str).unwrap_or_default();
            if is_set(name) {
                return arg;
            }
            match RENAMED.iter().find(|(new, former)| *new == name && is_set(former)) {
                Some((_, former)) => arg.env(former),
                None => arg.env(None),
            }
        })
        .mut_subcommands(with_variables_that_are_set)
}

fn naming_the_variable(mut error: Error, command: &Command) -> Error {
    let Some(ContextValue::String(wrong)) = error.get(ContextKind::InvalidArg) else {
        return error;
    };
    let flag = wrong.split([' ', '=']).next().unwrap_or_default();
    let is_given = env::args().any(|given| given.split('=').next() == Some(flag));
    let variable = command
        .get_arguments()
        .find(|arg| flag.strip_prefix("--").is_some_and(|long| arg.get_long() == Some(long)))
        .and_then(|arg| arg.get_env()?.to_str())
        .filter(|name| !is_given && env::var_os(name).is_some());
    if let Some(name) = variable {
        let tip = StyledStr::from(format!("the value is that of {name}"));
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip]));
    }
    error
}
