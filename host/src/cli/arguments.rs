//! Argument parsing: flags, and the environment variables behind them.

use std::{env, ffi::OsStr};

use clap::{
    Command, CommandFactory, FromArgMatches,
    builder::StyledStr,
    error::{ContextKind, ContextValue, Error},
};

/// As `Parser::parse` does, except that a variable which is set but empty counts as none: compose files and bundles leave
/// them so. A value that is wrong is told with the variable that it comes from.
pub fn read<C: CommandFactory + FromArgMatches>() -> C {
    let command = without_empty_variables(C::command());
    let matches = command.clone().try_get_matches();
    let read = matches.and_then(|matches| C::from_arg_matches(&matches));
    read.unwrap_or_else(|error| naming_the_variable(error, &command).exit())
}

fn without_empty_variables(command: Command) -> Command {
    let is_empty = |name: &OsStr| env::var_os(name).is_some_and(|value| value.to_string_lossy().trim().is_empty());
    command
        .mut_args(|arg| {
            if arg.get_env().is_some_and(is_empty) {
                arg.env(None)
            } else {
                arg
            }
        })
        .mut_subcommands(without_empty_variables)
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
