//! What operators write in their settings, and what they hear when it is wrong.

use std::{fs, process::Output};

use clap::CommandFactory;
use daktela_demo::{Demo, TOKEN};
use mcp_daktela::cli::Cli;

use crate::{egress::tls::Authority, program};

fn run(variables: &[(&str, &str)], arguments: &[&str]) -> Output {
    program::command(variables)
        .args(arguments)
        .output()
        .expect("the program runs")
}

/// Exit code and what stands on standard error.
fn refused(variables: &[(&str, &str)], arguments: &[&str]) -> (Option<i32>, String) {
    let output = run(variables, arguments);
    (output.status.code(), String::from_utf8(output.stderr).expect("UTF-8"))
}

#[test]
fn a_variable_that_is_set_but_empty_counts_as_none() {
    let demo = Demo::start().expect("a demo instance");
    let origin = demo.origin();
    let command = Cli::command();
    let names: Vec<&str> = command
        .get_arguments()
        .filter_map(|argument| argument.get_env()?.to_str())
        .filter(|name| *name != "DAKTELA_URL")
        .collect();
    assert!(
        names.contains(&"DAKTELA_TIMEOUT") && names.contains(&"PORT"),
        "{names:?}"
    );
    let mut variables: Vec<(&str, &str)> = names.into_iter().map(|name| (name, "")).collect();
    variables.extend([("DAKTELA_URL", origin.as_str()), ("DAKTELA_ACCESS_TOKEN", TOKEN)]);
    let output = run(&variables, &["call", "count_tickets"]);
    assert_eq!(
        (output.status.code(), String::from_utf8_lossy(&output.stdout).as_ref()),
        (Some(0), "244 tickets (without merged tickets)\n"),
        "{output:?}"
    );
}

#[test]
fn a_wrong_value_is_told_with_the_variable_that_it_comes_from() {
    let (code, said) = refused(&[("DAKTELA_TIMEOUT", "30s")], &["--demo", "tools"]);
    assert_eq!(code, Some(2));
    assert_eq!(
        said,
        "error: invalid value '30s' for '--timeout <SECONDS>': invalid digit found in string\n\n  \
         tip: the value is that of DAKTELA_TIMEOUT\n\nFor more information, try '--help'.\n"
    );
    // One on the command line is in front of whoever wrote it.
    let (code, said) = refused(&[("DAKTELA_TIMEOUT", "30")], &["--demo", "--timeout=30s", "tools"]);
    assert!(code == Some(2) && !said.contains("tip"), "{said}");
}

#[test]
fn a_file_of_authorities_that_holds_none_is_refused_at_the_start() {
    let authority = Authority::new();
    let empty = authority.path("empty.pem");
    fs::write(&empty, "nothing").expect("a file");
    for (file, why) in [
        ("/nowhere/ca.pem", "No such file or directory (os error 2)"),
        (empty.as_str(), "it holds none"),
    ] {
        let (code, said) = refused(&[("SSL_CERT_FILE", file)], &["--demo", "call", "count_tickets"]);
        assert_eq!(code, Some(2));
        assert_eq!(
            said,
            format!(
                "mcp-daktela: SSL_CERT_FILE: {file}: {why}; expected certificates in PEM, each behind -----BEGIN \
                 CERTIFICATE-----\n"
            )
        );
    }
}

#[test]
fn no_pattern_stands_for_any_host() {
    let (code, said) = refused(&[("ALLOWED_HOSTS", "*"), ("MCP_TRANSPORT", "streamable-http")], &[]);
    assert_eq!(code, Some(2));
    assert_eq!(
        said,
        "mcp-daktela: ALLOWED_HOSTS: \"*\" is no host name, with or without a port; expected e.g. mcp.example.com\n"
    );
}

#[test]
fn a_token_file_may_come_from_windows() {
    let demo = Demo::start().expect("a demo instance");
    let origin = demo.origin();
    let folder = Authority::new();
    let file = folder.path("token.txt");
    let call = || {
        let variables = [
            ("DAKTELA_URL", origin.as_str()),
            ("DAKTELA_ACCESS_TOKEN_FILE", file.as_str()),
        ];
        run(&variables, &["call", "count_tickets"])
    };
    fs::write(&file, format!("\u{feff}{TOKEN}\r\n")).expect("a file");
    assert_eq!(call().status.code(), Some(0));
    let utf16: Vec<u8> = TOKEN.encode_utf16().flat_map(u16::to_le_bytes).collect();
    fs::write(&file, [&[0xff, 0xfe], utf16.as_slice()].concat()).expect("a file");
    let output = call();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        format!(
            "mcp-daktela: {file} is no text in UTF-8; Windows PowerShell writes such files with `-Encoding ascii`\n"
        )
    );
}
