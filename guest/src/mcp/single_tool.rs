//! Single-tool mode (progressive discovery): three tools stand for all, one that searches them, one that describes one, one that
//! calls it. For clients with small windows, which a catalogue of fifty definitions would fill.

use serde_json::{Map, Value, json};

use crate::{
    catalog::{TOOLSETS, selection::Selection},
    model::tool::Tool,
    sort, text,
};

/// For the top of the instructions: the names below are not in the list of tools.
pub(super) const INSTRUCTIONS: &str = "The tools named here are reached through three: search_tools finds one, describe_tool shows its \
     arguments, call_tool calls it.";

/// As many as a model compares at a glance.
const FOUND_MAX: usize = 8;

/// One of the three tools, as clients see it.
pub(super) struct ToolOfOne {
    name: &'static str,
    title: &'static str,
    description: &'static str,
    /// Name, JSON type and description of each argument.
    params: &'static [(&'static str, &'static str, &'static str)],
    required: &'static [&'static str],
}

const SEARCH: &str = "search_tools";
const DESCRIBE: &str = "describe_tool";
const CALL: &str = "call_tool";

pub(super) const TOOLS_OF_ONE: &[ToolOfOne] = &[
    ToolOfOne {
        name: SEARCH,
        title: "Search the tools",
        description: "Find the tools that read tickets, calls, e-mails, chats, contacts, accounts, CRM, statistics and more. Without a query: all names.",
        params: &[(
            "query",
            "string",
            "What to find out, in English words, e.g. open tickets of a customer.",
        )],
        required: &[],
    },
    ToolOfOne {
        name: DESCRIBE,
        title: "Describe a tool",
        description: "Show what a tool does and its arguments as JSON Schema. Do so before the first call of a tool.",
        params: &[("name", "string", "Name of the tool, as search_tools shows it.")],
        required: &["name"],
    },
    ToolOfOne {
        name: CALL,
        title: "Call a tool",
        description: "Call a tool by its name, with its arguments as an object.",
        params: &[
            ("name", "string", "Name of the tool."),
            ("arguments", "object", "Its arguments, as describe_tool shows them."),
        ],
        required: &["name"],
    },
];

/// The Tool object of MCP.
pub(super) fn definition(tool: &ToolOfOne) -> Value {
    let property =
        |(name, kind, about): &(&str, &str, &str)| ((*name).to_owned(), json!({"type": kind, "description": about}));
    let properties: Map<String, Value> = tool.params.iter().map(property).collect();
    let mut schema = json!({"type": "object", "properties": properties, "additionalProperties": false});
    if !tool.required.is_empty() {
        schema["required"] = json!(tool.required);
    }
    json!({
        "name": tool.name,
        "title": tool.title,
        "description": tool.description,
        "inputSchema": schema,
        "annotations": {
            "title": tool.title,
            "readOnlyHint": true,
            "destructiveHint": false,
            "idempotentHint": true,
            "openWorldHint": true,
        },
    })
}

/// What a call of one of the three comes to.
pub(super) enum Step {
    /// A call of a tool of the catalogue, with the JSON text of its arguments.
    Call(String, String),
    Describe(&'static Tool),
    Say(String),
    /// What is wrong with the call.
    Refuse(String),
}

/// `None` for a tool that is none of the three.
pub(super) fn step(selection: &Selection, name: &str, arguments: &str) -> Option<Step> {
    let tool = TOOLS_OF_ONE.iter().find(|tool| tool.name == name)?;
    Some(match arguments_of(tool, arguments) {
        Ok(given) => taken(selection, tool, &given),
        Err(wrong) => Step::Refuse(wrong),
    })
}

fn taken(selection: &Selection, tool: &ToolOfOne, given: &Map<String, Value>) -> Step {
    let word = |key: &str| given.get(key).and_then(Value::as_str).unwrap_or_default().trim();
    if tool.name == SEARCH {
        return Step::Say(found(selection, word("query")));
    }
    match selection.find(word("name")) {
        None => Step::Refuse(format!("Unknown tool {:?}; {SEARCH} finds the names.", word("name"))),
        Some(wanted) if tool.name == DESCRIBE => Step::Describe(wanted),
        Some(wanted) => {
            let arguments = given.get("arguments").map_or_else(|| "{}".to_owned(), Value::to_string);
            Step::Call(wanted.name.to_owned(), arguments)
        }
    }
}

/// The arguments, or which of them is wrong.
fn arguments_of(tool: &ToolOfOne, arguments: &str) -> Result<Map<String, Value>, String> {
    let known = || {
        let names = tool.params.iter().map(|(name, kind, _)| format!("{name} ({kind})"));
        names.collect::<Vec<_>>().join(", ")
    };
    let wrong = |what: String| format!("Wrong arguments:\n- {what}; {} takes {}", tool.name, known());
    let given: Map<String, Value> = match serde_json::from_str(arguments) {
        Ok(Value::Object(given)) => given,
        // The object as a text, as some proxies send it.
        Ok(Value::String(text)) => {
            serde_json::from_str(&text).map_err(|_| wrong("an object is expected".to_owned()))?
        }
        _ => return Err(wrong("an object is expected".to_owned())),
    };
    for (name, value) in &given {
        let Some((_, kind, _)) = tool.params.iter().find(|(known, ..)| known == name) else {
            return Err(wrong(format!("{:?} is not known", text::line(name))));
        };
        // Arguments as a text are read by the check of the tool that is called.
        let fits = value.is_string() || value.is_null() || (*kind == "object" && value.is_object());
        if !fits {
            return Err(wrong(format!("{name} must be of type {kind}")));
        }
    }
    match tool
        .required
        .iter()
        .find(|name| given.get(**name).is_none_or(Value::is_null))
    {
        Some(name) => Err(wrong(format!("{name} is required"))),
        None => Ok(given.into_iter().filter(|(_, value)| !value.is_null()).collect()),
    }
}

/// The tools that a query finds, best first, or all where it finds none.
fn found(selection: &Selection, query: &str) -> String {
    let wanted: Vec<String> = words(query).collect();
    let mut scored: Vec<(usize, &Tool)> = Vec::new();
    let texts: Vec<(&Tool, [Vec<String>; 2])> = selection
        .tools()
        .map(|tool| {
            let params = tool.params();
            let arguments = params.iter().flat_map(|param| words(param.name));
            let own = words(tool.name).chain(words(tool.title));
            (
                tool,
                [own.collect(), words(tool.description).chain(arguments).collect()],
            )
        })
        .collect();
    let has = |list: &[String], word: &str| list.iter().any(|known| is_same(known, word));
    for (tool, [own, about]) in &texts {
        let score = wanted.iter().map(|word| {
            let having = texts
                .iter()
                .filter(|(_, [own, about])| has(own, word) || has(about, word));
            // A word that many tools have tells little.
            let weight = 1 + 60 / (having.count() + 1);
            match (has(own, word), has(about, word)) {
                (true, _) => 3 * weight,
                (false, true) => weight,
                (false, false) => 0,
            }
        });
        let score: usize = score.sum();
        if score > 0 {
            scored.push((score, tool));
        }
    }
    if scored.is_empty() {
        return all(selection, query);
    }
    sort::sort_by_key(&mut scored, |(score, _)| std::cmp::Reverse(*score));
    let lines: Vec<String> = scored
        .iter()
        .take(FOUND_MAX)
        .map(|(_, tool)| format!("- {}: {}", tool.name, first_sentence(tool.description)))
        .collect();
    lines.join("\n")
}

/// All names, by toolset.
fn all(selection: &Selection, query: &str) -> String {
    let sets = TOOLSETS.iter().filter_map(|set| {
        let served = set.tools.iter().filter(|tool| selection.find(tool.name).is_some());
        let names: Vec<&str> = served.map(|tool| tool.name).collect();
        (!names.is_empty()).then(|| format!("- {}: {}", set.title, names.join(", ")))
    });
    let all = sets.collect::<Vec<_>>().join("\n");
    if query.is_empty() {
        all
    } else {
        format!("No tool has these words; search in English. All tools:\n{all}")
    }
}

fn words(text: &str) -> impl Iterator<Item = String> {
    let plain = text::fold(text);
    let words: Vec<String> = plain
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.len() > 2)
        .map(str::to_owned)
        .collect();
    words.into_iter()
}

/// The same word, or forms of one: `ticket` and `tickets`, `company` and `companies`.
fn is_same(one: &str, other: &str) -> bool {
    let shorter = one.len().min(other.len());
    let common = one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    one == other || (common >= 4 && common + 1 >= shorter && one.len().abs_diff(other.len()) <= 3)
}

fn first_sentence(text: &str) -> &str {
    text.split_once(". ")
        .map_or(text, |(first, _)| first)
        .trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    #[test]
    fn words_find_tools() {
        let selection = Selection::of(&Settings::default()).expect("all");
        for (query, tool) in [
            ("open tickets", "list_tickets"),
            ("call transcripts", "list_call_transcripts"),
            ("who is logged in right now", "list_realtime_sessions"),
            ("companies", "list_account_tickets"),
        ] {
            assert!(
                found(&selection, query).contains(tool),
                "{query}: {}",
                found(&selection, query)
            );
        }
        assert!(found(&selection, "xyzzy").starts_with("No tool has these words"));
        let all = found(&selection, "");
        assert!(selection.tools().all(|tool| all.contains(tool.name)), "{all}");
    }

    #[test]
    fn wrong_arguments_are_named() {
        let selection = Selection::of(&Settings::default()).expect("all");
        for (name, arguments, said) in [
            (
                CALL,
                r#"{"name": "list_tickets", "stage": "OPEN"}"#,
                "\"stage\" is not known",
            ),
            (CALL, r#"{"arguments": {}}"#, "name is required"),
            (
                CALL,
                r#"{"name": "list_tickets", "arguments": 7}"#,
                "arguments must be of type object",
            ),
            (DESCRIBE, r#"{"name": "x"}"#, "Unknown tool \"x\""),
            (SEARCH, "7", "an object is expected"),
        ] {
            match step(&selection, name, arguments) {
                Some(Step::Refuse(text)) => assert!(text.contains(said), "{text}"),
                _ => panic!("{name} {arguments}"),
            }
        }
        assert!(step(&selection, "list_tickets", "{}").is_none());
    }
}
