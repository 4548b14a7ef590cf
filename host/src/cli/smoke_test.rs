//! Smoke test (`mcp-daktela check --tools`): calls each tool once and prints a table that holds no customer data.
//!
//! No tool is known by name. One that needs an id says in its definition where to find an example,
//! `_meta["daktela/example"] = {"argument": "name", "tool": "list_tickets", "key": "name"}`, and each list's answer
//! carries the ids of its first record, `_meta["daktela/first"] = {"name": "123", "activity": "…"}`.

use std::{collections::HashMap, fmt, time::Instant};

use rmcp::model::Tool;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{ExitError, print};
use crate::{
    host::{Host, RequestOrigin, outcome},
    mcp,
    sandbox::{NO_CONTEXT, Request},
    telemetry::Outcome,
};

/// Enough to see a list, little enough to be quick on the largest tenant.
const TAKE: u32 = 3;

/// Where a tool's needful argument comes from.
#[derive(Debug, Clone, Deserialize)]
struct Example {
    argument: String,
    tool: String,
    key: String,
}

struct Row {
    tool: String,
    result: TestResult,
    ms: u128,
    requests: u64,
    bytes: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum TestResult {
    Called(Outcome),
    /// The list that should give an example of an id is empty.
    Skipped,
}

impl fmt::Display for TestResult {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Called(outcome) => outcome.as_str(),
            Self::Skipped => "skipped: no record",
        })
    }
}

impl Row {
    fn failed(&self) -> bool {
        !matches!(self.result, TestResult::Called(Outcome::Ok) | TestResult::Skipped)
    }
}

pub(super) async fn run(host: &Host) -> Result<(), ExitError> {
    let mut tools = mcp::list_tools(host).await.map_err(ExitError::failed)?.tools;
    // Those that need an example come after those that give one.
    tools.sort_by_key(|tool| example(tool).is_some());
    let mut firsts: HashMap<String, Value> = HashMap::new();
    let mut rows = Vec::with_capacity(tools.len());
    for (index, tool) in tools.iter().enumerate() {
        print::err(&format!("[{}/{}] {}", index + 1, tools.len(), tool.name));
        let row = match arguments(tool, &firsts) {
            Some(arguments) => {
                let (row, first) = try_out(host, &tool.name, &arguments).await;
                firsts.extend(first.map(|first| (tool.name.to_string(), first)));
                row
            }
            None => Row {
                tool: tool.name.to_string(),
                result: TestResult::Skipped,
                ms: 0,
                requests: 0,
                bytes: 0,
            },
        };
        rows.push(row);
    }
    print::out(&format!("\n{}", table(&rows)));
    let bad = rows.iter().filter(|row| row.failed()).count();
    if bad == 0 {
        return Ok(());
    }
    Err(ExitError::failed(format!(
        "{bad} of {} tools did not answer well; see one with: mcp-daktela call TOOL",
        rows.len()
    )))
}

fn example(tool: &Tool) -> Option<Example> {
    let meta = tool.meta.as_ref()?;
    serde_json::from_value(meta.get("daktela/example")?.clone()).ok()
}

/// `None` where the list that should give an example is empty.
fn arguments(tool: &Tool, firsts: &HashMap<String, Value>) -> Option<Value> {
    let mut arguments = Map::new();
    if let Some(example) = example(tool) {
        let value = firsts
            .get(&example.tool)?
            .get(&example.key)
            .filter(|value| !value.is_null())?;
        arguments.insert(example.argument, value.clone());
    }
    let properties = tool.input_schema.get("properties");
    if properties.is_some_and(|properties| properties.get("take").is_some()) {
        arguments.insert("take".to_owned(), json!(TAKE));
    }
    Some(Value::Object(arguments))
}

async fn try_out(host: &Host, tool: &str, arguments: &Value) -> (Row, Option<Value>) {
    let call = host.new_call();
    let started = Instant::now();
    let request = Request::CallTool {
        name: tool.to_owned(),
        arguments: arguments.to_string(),
        context: NO_CONTEXT.to_owned(),
    };
    let answer = host.run(&request, call.clone(), RequestOrigin::default()).await;
    let text = answer.as_ref().ok().and_then(|answer| answer.as_ref().ok());
    let row = Row {
        tool: tool.to_owned(),
        result: TestResult::Called(outcome(&answer)),
        ms: started.elapsed().as_millis(),
        requests: call.usage().requests,
        bytes: text.map_or(0, String::len),
    };
    let first = text.and_then(|text| {
        let mut answer: Value = serde_json::from_str(text).ok()?;
        Some(answer.get_mut("_meta")?.get_mut("daktela/first")?.take())
    });
    (row, first)
}

fn table(rows: &[Row]) -> String {
    let width = rows.iter().map(|row| row.tool.len()).max().unwrap_or_default();
    let outcome_width = TestResult::Skipped.to_string().len();
    let mut text = format!(
        "{:width$}  {:outcome_width$}  {:>6}  {:>8}  {:>8}",
        "tool", "outcome", "ms", "requests", "bytes"
    );
    for Row {
        tool,
        result,
        ms,
        requests,
        bytes,
    } in rows
    {
        text += &format!("\n{tool:width$}  {result:outcome_width$}  {ms:>6}  {requests:>8}  {bytes:>8}");
    }
    let skipped = rows.iter().filter(|row| row.result == TestResult::Skipped).count();
    let failed = rows.iter().filter(|row| row.failed()).count();
    let ok = rows.len() - skipped - failed;
    text + &format!("\n\n{ok} ok, {skipped} skipped, {failed} failed")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tool(definition: Value) -> Tool {
        serde_json::from_value(definition).unwrap()
    }

    #[test]
    fn an_example_comes_from_the_first_record_of_a_list() {
        let get = tool(json!({
            "name": "get_thing", "inputSchema": {"type": "object", "properties": {"name": {}}},
            "_meta": {"daktela/example": {"argument": "name", "tool": "list_things", "key": "id"}}
        }));
        let firsts = |first: Value| HashMap::from([("list_things".to_owned(), first)]);
        assert_eq!(
            arguments(&get, &firsts(json!({"id": "12"}))),
            Some(json!({"name": "12"}))
        );
        assert_eq!(arguments(&get, &firsts(json!({"id": null}))), None);
        assert_eq!(arguments(&get, &HashMap::new()), None);
    }

    #[test]
    fn pages_are_small_where_there_are_pages() {
        let list = tool(json!({"name": "list_things", "inputSchema": {"properties": {"take": {}}}}));
        assert_eq!(arguments(&list, &HashMap::new()), Some(json!({"take": 3})));
        let count = tool(json!({"name": "count_things", "inputSchema": {"properties": {}}}));
        assert_eq!(arguments(&count, &HashMap::new()), Some(json!({})));
    }

    #[test]
    fn the_table_counts_what_happened() {
        let row = |tool: &str, result| Row {
            tool: tool.to_owned(),
            result,
            ms: 12,
            requests: 2,
            bytes: 3456,
        };
        assert_eq!(
            table(&[
                row("list_things", TestResult::Called(Outcome::Ok)),
                row("get_thing", TestResult::Skipped)
            ]),
            "tool         outcome                 ms  requests     bytes\n\
             list_things  ok                      12         2      3456\n\
             get_thing    skipped: no record      12         2      3456\n\n1 ok, 1 skipped, 0 failed"
        );
    }
}
