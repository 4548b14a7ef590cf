//! Placeholders and unexpanded variables in settings are reported at start; former names of settings still work.

use daktela_demo::{Demo, TOKEN};

use crate::program;

#[track_caller]
fn refused(variables: &[(&str, &str)], expected: &str) {
    let output = program::command(variables)
        .args(["call", "count_tickets"])
        .output()
        .expect("the program runs");
    assert_eq!(output.status.code(), Some(2), "{variables:?}");
    assert_eq!(
        String::from_utf8(output.stderr).expect("UTF-8"),
        format!("mcp-daktela: {expected}\n")
    );
}

#[test]
fn quotes_and_placeholders_are_told_for_what_they_are() {
    let url = ("DAKTELA_URL", "https://acme.daktela.com");
    let unexpanded = "was not replaced by its value; set it where the client or the shell takes its variables from";
    let quoted = "the value stands in quotes, which count as part of it; docker's --env-file, for one, does not remove them. Write \
                  it without quotes";
    let example = "is the placeholder of an example; put the real value in its place";
    refused(
        &[("DAKTELA_URL", "${user_config.url}"), ("DAKTELA_ACCESS_TOKEN", TOKEN)],
        &format!("DAKTELA_URL: ${{user_config.url}} {unexpanded}"),
    );
    refused(
        &[
            ("DAKTELA_URL", "\"https://acme.daktela.com\""),
            ("DAKTELA_ACCESS_TOKEN", TOKEN),
        ],
        &format!("DAKTELA_URL: {quoted}"),
    );
    for (token, expected) in [
        ("'0123456789abcdef'", quoted.to_owned()),
        (
            "${user_config.access_token}",
            format!("${{user_config.access_token}} {unexpanded}"),
        ),
        ("$TOKEN", format!("$TOKEN {unexpanded}")),
        ("…", format!("\"…\" {example}")),
        (
            "Bearer 0123456789abcdef",
            "the value has a blank or another character that no token has; copy the token again, and nothing beside it"
                .to_owned(),
        ),
    ] {
        refused(
            &[url, ("DAKTELA_ACCESS_TOKEN", token)],
            &format!("DAKTELA_ACCESS_TOKEN: {expected}"),
        );
    }
    refused(
        &[url, ("DAKTELA_USERNAME", "${USER}"), ("DAKTELA_PASSWORD", "p")],
        &format!("DAKTELA_USERNAME: ${{USER}} {unexpanded}"),
    );
    refused(
        &[url, ("DAKTELA_USERNAME", "jan"), ("DAKTELA_PASSWORD", "\"hunter2\"")],
        &format!(
            "DAKTELA_PASSWORD: {quoted}. A password that is really so is taken from a file that --password-file names"
        ),
    );
}

#[test]
fn former_names_of_flags_and_variables_work() {
    let demo = Demo::start().expect("a demo instance");
    let origin = demo.origin();
    let base = [("DAKTELA_URL", origin.as_str()), ("DAKTELA_ACCESS_TOKEN", TOKEN)];
    let run = |variables: &[(&str, &str)], flags: &[&str]| {
        let output = program::command(&[&base, variables].concat())
            .args(flags)
            .args(["call", "count_tickets"])
            .output()
            .expect("the program runs");
        (output.status.code(), String::from_utf8(output.stderr).expect("UTF-8"))
    };
    for (former, new, flag) in [
        ("DAKTELA_COMPUTE_SECONDS", "DAKTELA_CPU_SECONDS", "cpu-seconds"),
        (
            "DAKTELA_MAX_CALLS",
            "DAKTELA_MAX_CONCURRENT_CALLS",
            "max-concurrent-calls",
        ),
        ("DAKTELA_MAX_WAITING", "DAKTELA_MAX_QUEUED_CALLS", "max-queued-calls"),
        (
            "DAKTELA_UPSTREAM_AT_ONCE",
            "DAKTELA_UPSTREAM_CONCURRENCY",
            "upstream-concurrency",
        ),
        ("MAX_REQUESTS", "MAX_CONCURRENT_REQUESTS", "max-concurrent-requests"),
        (
            "OAUTH_GRACE_SECONDS",
            "OAUTH_REFRESH_REUSE_SECONDS",
            "oauth-refresh-reuse-seconds",
        ),
    ] {
        let (code, error) = run(&[(former, "many")], &[]);
        assert!(code == Some(2) && error.contains(&format!("--{flag}")), "{error}");
        assert!(error.contains(&format!("the value is that of {former}")), "{error}");
        // The new name wins.
        assert_eq!(run(&[(former, "many"), (new, "2")], &[]), (Some(0), String::new()));
    }
    for flag in [
        "--compute-seconds=2",
        "--max-calls=2",
        "--max-waiting=2",
        "--upstream-at-once=2",
        "--max-requests=2",
        "--oauth-grace-seconds=2",
    ] {
        assert_eq!(run(&[], &[flag]), (Some(0), String::new()), "{flag}");
    }
}
