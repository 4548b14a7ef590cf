//! Tool schemas, as golden files: what callers see of the tools.

use std::collections::BTreeSet;

use guest::{Settings, catalog, mcp::Server};
use serde_json::Value;

use crate::golden;

fn server<T>(ask: impl FnOnce(&Server) -> T) -> T {
    ask(&Server::new(
        &Settings::default(),
        Err("lists need no instance".to_owned()),
    ))
}

fn list() -> String {
    server(|server| server.list_tools(None)).expect("a list")
}

fn tools() -> Vec<Value> {
    let list: Value = serde_json::from_str(&list()).expect("JSON");
    list["tools"].as_array().expect("tools").clone()
}

fn name(tool: &Value) -> &str {
    tool["name"].as_str().expect("a name")
}

#[test]
fn each_tool_is_a_golden_file() {
    let folder = golden::folder().join("golden/tools");
    let mut complaints = Vec::new();
    for tool in tools() {
        let text = serde_json::to_string_pretty(&tool).expect("JSON") + "\n";
        complaints.extend(golden::check(&folder.join(format!("{}.json", name(&tool))), &text).err());
    }
    let known: BTreeSet<String> = tools().iter().map(|tool| format!("{}.json", name(tool))).collect();
    for file in golden::files(&folder, "json") {
        let file = file.file_name().expect("a name").to_string_lossy().into_owned();
        if !known.contains(&file) {
            complaints.push(format!("{file} belongs to no tool; remove it"));
        }
    }
    golden::report(complaints);
}

/// Clients and prompts of the contact centre rely on the names: the golden files are the list of them.
#[test]
fn names_are_unique() {
    let tools = tools();
    let names: BTreeSet<&str> = tools.iter().map(name).collect();
    assert_eq!(names.len(), tools.len());
}

#[test]
fn hints_and_texts_are_complete() {
    for tool in tools() {
        let annotations = &tool["annotations"];
        assert_eq!(annotations["readOnlyHint"], true, "{}", name(&tool));
        assert_eq!(annotations["destructiveHint"], false, "{}", name(&tool));
        assert_eq!(annotations["idempotentHint"], true, "{}", name(&tool));
        assert_eq!(annotations["openWorldHint"], true, "{}", name(&tool));
        assert!(
            tool["title"].as_str().is_some_and(|title| !title.is_empty()),
            "{}",
            name(&tool)
        );
        assert!(
            tool["description"]
                .as_str()
                .is_some_and(|text| (20..=600).contains(&text.len())),
            "{}",
            name(&tool)
        );
        let schema = &tool["inputSchema"];
        assert_eq!(
            (&schema["type"], &schema["additionalProperties"]),
            (&"object".into(), &false.into()),
            "{}",
            name(&tool)
        );
        for (argument, property) in schema["properties"].as_object().expect("properties") {
            assert!(
                property["description"].as_str().is_some_and(|text| !text.is_empty()),
                "{} {argument}",
                name(&tool)
            );
        }
    }
}

/// `check --tools` and this rule rely on it: what needs an id says where one comes from.
#[test]
fn every_required_argument_has_a_source() {
    for tool in tools() {
        let required = &tool["inputSchema"]["required"][0];
        let example = &tool["_meta"]["daktela/example"];
        assert_eq!(required, &example["argument"], "{}", name(&tool));
        if let Some(source) = example["tool"].as_str() {
            assert!(
                catalog::find(source).is_some_and(|source| source.required().is_none()),
                "{}",
                name(&tool)
            );
        }
    }
}

#[test]
fn an_argument_means_the_same_in_every_tool() {
    let mut seen = std::collections::BTreeMap::new();
    for tool in catalog::tools() {
        for param in tool.params() {
            let about = *seen.entry(param.name).or_insert(param.description);
            // Enumerations differ with what they enumerate, and so do their words.
            if !matches!(
                param.kind,
                guest::model::param::Kind::OneOf(_)
                    | guest::model::param::Kind::Id
                    | guest::model::param::Kind::TicketNumber
                    | guest::model::param::Kind::Text
            ) {
                assert_eq!(about, param.description, "{} of {}", param.name, tool.name);
            }
        }
    }
}

/// A client in wide use cuts instructions at 2,048 characters.
#[test]
fn instructions_are_short_enough_to_be_read() {
    let description: Value = serde_json::from_str(&server(|server| server.describe())).expect("JSON");
    let instructions = description["instructions"].as_str().expect("instructions");
    assert!(
        (500..2_000).contains(&instructions.len()),
        "{} bytes",
        instructions.len()
    );
}

/// The catalogue is read by a model before each conversation: growth is a decision that someone signs. A token is four bytes,
/// the usual estimate.
#[test]
fn the_size_of_the_catalogue_and_of_each_tool_is_a_golden_number() {
    let line = |name: &str, bytes: usize| format!("{name} {bytes} {}\n", bytes / 4);
    let mut sizes = String::from("# bytes, tokens\n") + &line("catalogue", list().len());
    for tool in tools() {
        sizes += &line(name(&tool), tool.to_string().len());
    }
    golden::assert_eq(&golden::folder().join("golden/catalogue-bytes.txt"), &sizes);
}
