//! Generated pages: tools, configuration, dependencies, metrics; and pages that show output of the program.

use std::{fmt::Write, fs};

use clap::CommandFactory;
use daktela_demo::{Demo, TOKEN};
use guest::{
    catalog,
    model::param::{Kind, Param},
};

use crate::{
    golden,
    oauth::{CALLBACK, Site},
    program,
    server::http,
    server_harness::{self, Ask},
};

fn check(page: &str, text: &str) {
    golden::assert_eq(&golden::folder().join("../docs").join(page), text);
}

/// A text in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn values(param: &Param) -> String {
    let one = one_value(param);
    if param.many {
        format!("{one}; one or several")
    } else {
        one
    }
}

fn one_value(param: &Param) -> String {
    match param.kind {
        Kind::Text => "text".to_owned(),
        Kind::Id | Kind::TicketNumber => "id".to_owned(),
        Kind::OneOf(values) => values.join(", "),
        Kind::Flag { default } => format!("true or false; {default} unless given"),
        Kind::YesNo => "true or false".to_owned(),
        Kind::Number {
            default: Some(default),
            min,
            max,
        } => format!("{min} to {max}; {default} unless given"),
        Kind::Number {
            default: None,
            min,
            max,
        } => format!("{min} to {max}"),
        Kind::Date(_) => "date".to_owned(),
        Kind::Named(source) => format!("name or id ({})", source.tool),
    }
}

#[test]
fn the_page_of_the_tools_is_current() {
    let mut page = String::from(
        "# Tools\n\nMade from the catalogue by the tests; `UPDATE_EXPECT=1 cargo test --release` rewrites it. The first argument of a tool is required where \
         it is bold.\n\nAll tools only read. All answers are text (markdown) of at most `max_bytes`, and say what they left out. Dates are local times of the \
         instance: `2026-11-20`, `2026-11-20 14:30` or `2026-11-20T14:30:00`; a day as the upper bound means the whole day.\n",
    );
    for tool in catalog::tools() {
        write!(
            page,
            "\n## {}\n\n{}\n\n| argument | values | meaning |\n|---|---|---|\n",
            tool.name, tool.description
        )
        .expect("a String");
        for param in tool.params() {
            let name = if tool.required() == Some(param.name) {
                format!("**{}**", param.name)
            } else {
                param.name.to_owned()
            };
            writeln!(
                page,
                "| {name} | {} | {} |",
                cell(&values(&param)),
                cell(param.description)
            )
            .expect("a String");
        }
    }
    check("tools.md", &page);
}

#[test]
fn the_readme_lists_every_tool() {
    let readme = fs::read_to_string(golden::folder().join("../README.md")).expect("a README");
    let header = "| toolset | tools |\n|---|---|\n";
    let (before, table) = readme.split_once(header).expect("the table of tools");
    let (_, after) = table.split_once("\n\n").expect("text after the table");
    let rows: String = catalog::TOOLSETS
        .iter()
        .map(|toolset| {
            let names: Vec<String> = toolset.tools.iter().map(|tool| format!("`{}`", tool.name)).collect();
            format!("| {} | {} |\n", toolset.title, names.join(" "))
        })
        .collect();
    check("../README.md", &format!("{before}{header}{rows}\n{after}"));
}

#[test]
fn the_page_of_the_configuration_is_current() {
    let mut page = String::from(
        "# Configuration\n\nFlags and environment variables; a flag wins over its variable. Variables of Daktela and of a call's limits begin with `DAKTELA_`; those of the \
         HTTP server and of OAuth are named as platforms and other servers name them (`HOST`, `PORT`, `PUBLIC_URL`). A secret has a variable and, for a file \
         that holds it, one that ends in `_FILE`; it has no flag, since flags show in process lists.\n\nMade from the command line's own declarations by the \
         tests; `UPDATE_EXPECT=1 cargo test --release` rewrites it.\n\n\
         | flag | variable | default | meaning |\n|---|---|---|---|\n",
    );
    for argument in mcp_daktela::cli::Cli::command().get_arguments() {
        let Some(flag) = argument.get_long() else { continue };
        let variable = argument
            .get_env()
            .map(|name| format!("`{}`", name.to_string_lossy()))
            .unwrap_or_default();
        let default: Vec<String> = argument
            .get_default_values()
            .iter()
            .map(|value| value.to_string_lossy().into_owned())
            .collect();
        let value = argument
            .get_value_names()
            .filter(|_| argument.get_action().takes_values())
            .map(|names| format!(" {}", names[0]))
            .unwrap_or_default();
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        writeln!(
            page,
            "| `--{flag}{value}` | {variable} | {} | {} |",
            default.join(", "),
            cell(&help)
        )
        .expect("a String");
    }
    check("configuration.md", &page);
}

/// The names are what dashboards and alerts are made of.
#[test]
fn the_observability_page_names_every_metric() {
    let demo = Demo::start().expect("a demo instance");
    let metrics = http::free_address();
    let site = Site::start(&[("METRICS_ADDRESS", &metrics)]);
    // What has labels is there once it is counted.
    site.client(CALLBACK);
    let call = Ask::call("count_tickets", serde_json::json!({}));
    assert_eq!(site.ask(call.read_as(&demo.origin(), TOKEN)).status, 200);
    let served = server_harness::ask_at(&metrics, &Ask::get("/metrics")).body;
    let page = fs::read_to_string(golden::folder().join("../docs/observability.md")).expect("a page");
    let shown: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("| `mcp_daktela_"))
        .collect();
    let about = |keyword: &str, name: &str| {
        let start = format!("# {keyword} {name} ");
        let line = served.lines().find_map(|line| line.strip_prefix(&start));
        line.expect("each metric has both").to_owned()
    };
    let names = served
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
    let rows: Vec<String> = names
        .map(|name| {
            let kind = about("TYPE", name);
            let ending = if kind == "counter" { "_total" } else { "" };
            let sample = served.lines().find(|line| line.starts_with(name)).expect("a sample");
            let labels: Vec<&str> = sample
                .split_once('{')
                .map_or("", |(_, rest)| rest)
                .split(',')
                .filter_map(|label| label.split_once("=\""))
                .map(|(label, _)| label)
                .filter(|label| *label != "le")
                .collect();
            let meaning = about("HELP", name);
            format!(
                "| `{name}{ending}` | {kind} | {} | {} |",
                labels.join(", "),
                meaning.trim_end_matches('.')
            )
        })
        .collect();
    assert_eq!(shown, rows, "the table should read:\n{}", rows.join("\n"));
}

/// Each dependency stands in its `Cargo.toml` behind a line that says why it is there.
#[test]
fn the_page_of_the_dependencies_is_current() {
    let mut page = String::from(
        "# Dependencies\n\nMade from the comments in the `Cargo.toml` files by the tests; `UPDATE_EXPECT=1 cargo test --release` rewrites it. \
         What stands in a row of several shares its reason.\n",
    );
    let read = |path: &str| fs::read_to_string(golden::folder().join("..").join(path)).expect("a manifest");
    let workspace = read("Cargo.toml");
    let (_, members) = workspace.split_once("members = [").expect("members");
    let (members, _) = members.split_once(']').expect("their end");
    for package in members.split('"').skip(1).step_by(2) {
        let manifest = read(&format!("{package}/Cargo.toml"));
        write!(page, "\n## {package}\n\n| for | crate | reason |\n|---|---|---|\n").expect("a String");
        let mut section = "";
        let mut reason = Vec::new();
        let mut in_comment = false;
        for line in manifest.lines() {
            if let Some(name) = line.strip_prefix('[') {
                section = match name.trim_end_matches(']').rsplit('.').next() {
                    Some("dependencies") => "use",
                    Some("dev-dependencies") => "tests",
                    Some("build-dependencies") => "the build",
                    _ => "",
                };
                reason.clear();
            } else if let Some(comment) = line.strip_prefix("# ") {
                if !in_comment {
                    reason.clear();
                }
                reason.push(comment);
            } else if let Some((name, _)) = line.split_once(['=', '.']).filter(|_| !section.is_empty()) {
                assert!(!reason.is_empty(), "{package}: {} has no line of reason", name.trim());
                writeln!(page, "| {section} | {} | {} |", name.trim(), cell(&reason.join(" "))).expect("a String");
            }
            in_comment = line.starts_with('#');
        }
    }
    check("dependencies.md", &page);
}

/// What the README shows of the tour is what the tour prints; `…` stands for what is left out.
#[test]
fn the_readme_shows_real_output() {
    let readme = fs::read_to_string(golden::folder().join("../README.md")).expect("a README");
    let (_, shown) = readme.split_once("```text\n").expect("the tour");
    let (shown, _) = shown.split_once("```").expect("the tour's end");
    let output = program::command(&[]).arg("demo").output().expect("the program runs");
    let printed = String::from_utf8(output.stdout).expect("text");
    let mut rest = printed.as_str();
    for piece in shown
        .split(['…', '\n'])
        .map(str::trim_end)
        .filter(|piece| !piece.is_empty())
    {
        let (_, after) = rest
            .split_once(piece)
            .unwrap_or_else(|| panic!("the tour no longer prints {piece:?}"));
        rest = after;
    }
}
