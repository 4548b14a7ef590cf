//! The WIT world of the wassette adapter, made of the catalogue: a function for each tool, its arguments as types of WIT.
//!
//! Hosts that make a tool of each function show no argument's documentation, so a function's own lists them.

use std::fmt::Write;

use guest::{
    catalog,
    model::param::{Kind, Param},
    model::tool::Tool,
};
use serde_json::{Map, Value, json};

/// Says what a host's other components do not: whose tool this is.
const PREFIX: &str = "daktela";

const HEAD: &str = "\
/// Daktela's tools as functions. An absent argument is `none`; text, dates and ids are as the tools of the other adapters take
/// them. The component reads the variables that `wit/world.wit` names, DAKTELA_ACCESS_TOKEN among them.
";

const FAILURE: &str = "
    /// Who can do something about a failure.
    enum kind {
        /// The caller: arguments, or a name that nothing or too much answers to.
        argument,
        /// The caller: no such record, or the account may not see it.
        not-found,
        /// Nobody: this build of Daktela does not take the query.
        refused,
        /// The user: settings, credentials, rights, what the host grants.
        forbidden,
        /// Nobody here: the instance, or the way to it. Later it may work.
        upstream,
    }

    /// A record, so that it reads as a failure also where a host shows it like an answer.
    record failure {
        kind: kind,
        /// What is wrong and what to do about it.
        error: string,
    }
";

/// The world as text of WIT.
pub fn wit() -> String {
    let mut out = format!(
        "package daktela:tools@{};\n\n{HEAD}world tools {{",
        env!("CARGO_PKG_VERSION")
    );
    out.push_str(FAILURE);
    for Enum { name, values, .. } in enums() {
        let cases: Vec<String> = values.iter().map(|value| escaped(&case(value))).collect();
        write!(out, "\n    enum {name} {{ {} }}\n", cases.join(", ")).expect("a String");
    }
    for tool in catalog::tools() {
        let comment: String = docs(tool)
            .lines()
            .map(|line| format!("    {}\n", format!("/// {line}").trim_end()))
            .collect();
        let params: Vec<String> = tool
            .params()
            .iter()
            .map(|param| format!("{}: {}", escaped(&kebab(param.name)), argument(tool, param)))
            .collect();
        write!(
            out,
            "\n{comment}    export {}: func({}) -> result<string, failure>;\n",
            function(tool),
            params.join(", ")
        )
        .expect("a String");
    }
    out.push_str("}\n");
    out
}

/// What hosts read the documentation of functions from: a byte for the version of the form, then JSON. A component knows no
/// names of worlds; tools that turn it back into WIT call its own `root`.
pub fn package_docs() -> Vec<u8> {
    let functions: Map<String, Value> = catalog::tools()
        .map(|tool| (function(tool), json!({"docs": docs(tool)})))
        .collect();
    let docs = json!({"worlds": {"root": {"func_exports": functions}}});
    [&[0], docs.to_string().as_bytes()].concat()
}

/// The name of a tool's function in WIT.
pub fn function(tool: &Tool) -> String {
    format!("{PREFIX}-{}", kebab(tool.name))
}

fn docs(tool: &Tool) -> String {
    let mut out = format!("{}\n\nArguments:\n", tool.description);
    for param in tool.params() {
        let values = match param.kind {
            Kind::Number {
                default: Some(default),
                min,
                max,
            } => format!(" {min} to {max}; {default} unless given."),
            Kind::Number {
                default: None,
                min,
                max,
            } => format!(" {min} to {max}."),
            Kind::Flag { default } => format!(" {default} unless given."),
            _ => String::new(),
        };
        let required = if tool.required() == Some(param.name) {
            " Required."
        } else {
            ""
        };
        writeln!(out, "- {}: {}{values}{required}", kebab(param.name), param.description).expect("a String");
    }
    out.truncate(out.trim_end().len());
    out
}

/// The type of an argument. Only the required one has to be there.
pub fn argument(tool: &Tool, param: &Param) -> String {
    let value = match param.kind {
        Kind::Text | Kind::Id | Kind::TicketNumber | Kind::Date(_) | Kind::Named(_) => "string".to_owned(),
        Kind::Flag { .. } | Kind::YesNo => "bool".to_owned(),
        Kind::Number { .. } => "u64".to_owned(),
        Kind::OneOf(values) => {
            let named = enums()
                .into_iter()
                .find(|one| one.param == param.name && one.values == values);
            named.expect("an argument of the catalogue").name
        }
    };
    if tool.required() == Some(param.name) {
        value
    } else {
        format!("option<{value}>")
    }
}

struct Enum {
    name: String,
    param: &'static str,
    values: &'static [&'static str],
}

/// Each set of values once. The first of an argument's name has the name for itself; others lead with their first tool.
fn enums() -> Vec<Enum> {
    let mut found: Vec<Enum> = Vec::new();
    for tool in catalog::tools() {
        for param in tool.params() {
            let Kind::OneOf(values) = param.kind else { continue };
            let namesakes: Vec<&Enum> = found.iter().filter(|one| one.param == param.name).collect();
            if namesakes.iter().any(|one| one.values == values) {
                continue;
            }
            let name = if namesakes.is_empty() {
                escaped(&kebab(param.name))
            } else {
                kebab(&format!("{}-{}", tool.name, param.name))
            };
            found.push(Enum {
                name,
                param: param.name,
                values,
            });
        }
    }
    found
}

/// A value as a case of an enum. A word of WIT is all capitals or has none.
pub fn case(value: &str) -> String {
    let is_capitals = !value.contains(|c: char| c.is_ascii_lowercase());
    kebab(&if is_capitals {
        value.to_owned()
    } else {
        value.to_ascii_lowercase()
    })
}

fn kebab(name: &str) -> String {
    name.replace('_', "-")
}

/// Keywords of WIT that a value or an argument could have for a name.
const KEYWORDS: [&str; 8] = ["type", "from", "include", "list", "record", "result", "string", "use"];

/// A name that is also a keyword of WIT.
fn escaped(name: &str) -> String {
    if KEYWORDS.contains(&name) {
        format!("%{name}")
    } else {
        name.to_owned()
    }
}
