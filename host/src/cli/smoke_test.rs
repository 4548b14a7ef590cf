//! Smoke test (`mcp-daktela check --tools`): calls each tool once, and says where the instance differs from what the
//! component expects. Wire names and numbers only, no word of a customer's.
//!
//! No tool is known by name. One that needs an id says in its definition where to find an example,
//! `_meta["daktela/example"] = {"argument": "name", "tool": "list_tickets", "key": "name"}`, and each list's answer
//! carries the ids of its first record, `_meta["daktela/first"] = {"name": "123", "activity": "…"}`. What an answer says of
//! the instance is in `_meta` as well (`daktela/asked`, `/came`, `/mended`, `/rows`, `/total`, `/error`, and `/probes` of a
//! diagnosis); a component without it gets the plain columns.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    time::Instant,
};

use rmcp::model::Tool;
use serde::{Deserialize, Serialize};
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

/// The context that asks for probes in place of records; see `wit/world.wit`.
const DIAGNOSIS: &str = r#"{"diagnosis":true}"#;

/// Rows from which on a field that came in none of them is worth telling.
const ROWS_MIN: u64 = 3;

/// A name on the wire has no more.
const NAME_BYTES_MAX: usize = 64;

/// Where a tool's needful argument comes from.
#[derive(Debug, Clone, Deserialize)]
struct Example {
    argument: String,
    tool: String,
    key: String,
}

/// What one call of a tool came to.
#[derive(Serialize)]
struct Row {
    tool: String,
    outcome: TestResult,
    rows: Option<u64>,
    total: Option<u64>,
    requests: u64,
    ms: u64,
    /// Of Daktela's answers.
    upstream_bytes: u64,
    /// Of the tool's answer.
    bytes: usize,
    /// Fields that were asked for and came in no row, by model; those that were asked for.
    missing: BTreeMap<String, Vec<String>>,
    asked: BTreeMap<String, usize>,
    mended: Vec<Mended>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    probes: Vec<Probe>,
}

/// Another form of a read that the instance needed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Mended {
    id: Name,
    model: Name,
    #[serde(default)]
    fields: Vec<Name>,
    found: bool,
}

/// What a diagnosis found out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Probe {
    probe: Name,
    model: Name,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    field: Option<Name>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    operator: Option<Name>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    direction: Option<Name>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    of: Option<u64>,
    result: Name,
}

/// A wire name or one of the component's own words. Whatever else a component says does not get into a report.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String")]
pub(super) struct Name(String);

impl From<String> for Name {
    fn from(text: String) -> Self {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/*".contains(&byte);
        let is_name = text.len() <= NAME_BYTES_MAX && text.bytes().all(is_part);
        Self(if is_name { text } else { "(not a name)".to_owned() })
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum TestResult {
    Ok,
    /// It answers, and has no record to show; nothing is learnt of its fields.
    Empty,
    /// It answers after another form of a read was needed.
    Mended,
    /// The account may not read this.
    NoRight,
    Failed,
    /// The list that should give an example of an id is empty.
    Skipped,
}

impl fmt::Display for TestResult {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Ok => "ok",
            Self::Empty => "ok (empty)",
            Self::Mended => "mended",
            Self::NoRight => "no right",
            Self::Failed => "failed",
            Self::Skipped => "skipped: no record",
        })
    }
}

/// What a run tells of an instance, for the report.
#[derive(Serialize)]
pub(super) struct Findings {
    tools: Vec<Row>,
    differs: Vec<String>,
    counts: BTreeMap<&'static str, usize>,
}

impl Findings {
    /// Failed tools, or nothing to see.
    pub(super) fn verdict(&self) -> Result<(), ExitError> {
        let count = |key| self.counts.get(key).copied().unwrap_or_default();
        let bad = count("failed");
        if bad > 0 {
            return Err(ExitError::failed(format!(
                "{bad} of {} tools did not answer well; see one with: mcp-daktela call TOOL",
                self.tools.len()
            )));
        }
        if count("ok") + count("mended") == 0 {
            return Err(ExitError::failed(
                "no tool showed a record, so nothing is proven: use an instance, or an account, that has some",
            ));
        }
        Ok(())
    }
}

pub(super) async fn run(host: &Host) -> Result<Findings, ExitError> {
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
            None => Row::new(&tool.name, TestResult::Skipped),
        };
        rows.push(row);
    }
    let differs = differences(&rows);
    let counts = counts(&rows);
    print::out(&format!("\n{}", table(&rows)));
    if !differs.is_empty() {
        print::out(&format!(
            "\nDiffers from what this program expects:\n  {}",
            differs.join("\n  ")
        ));
    }
    print::out(&format!("\n{}", last_line(&counts)));
    Ok(Findings {
        tools: rows,
        differs,
        counts,
    })
}

impl Row {
    fn new(tool: &str, outcome: TestResult) -> Self {
        Self {
            tool: tool.to_owned(),
            outcome,
            rows: None,
            total: None,
            requests: 0,
            ms: 0,
            upstream_bytes: 0,
            bytes: 0,
            missing: BTreeMap::new(),
            asked: BTreeMap::new(),
            mended: Vec::new(),
            error: None,
            probes: Vec::new(),
        }
    }
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
    let request = |context: &str| Request::CallTool {
        name: tool.to_owned(),
        arguments: arguments.to_string(),
        context: context.to_owned(),
    };
    let call = host.new_call();
    let started = Instant::now();
    let answer = host
        .run(&request(NO_CONTEXT), call.clone(), RequestOrigin::default())
        .await;
    let ms = started.elapsed().as_millis();
    let text = answer.as_ref().ok().and_then(|answer| answer.as_ref().ok());
    let mut meta = text.map_or_else(Map::new, |text| meta_of(text));
    let usage = call.usage();
    let mut row = Row {
        ms: u64::try_from(ms).unwrap_or(u64::MAX),
        requests: usage.requests,
        upstream_bytes: usage.bytes,
        bytes: text.map_or(0, String::len),
        ..row_of(tool, outcome(&answer), &meta)
    };
    // A component that says what it asked for also knows what a diagnosis is.
    if meta.contains_key("daktela/asked") {
        let probed = host
            .run(&request(DIAGNOSIS), host.new_call(), RequestOrigin::default())
            .await;
        let probed = probed.ok().and_then(Result::ok).map(|text| meta_of(&text));
        row.probes = probed.map(|meta| read(&meta, "daktela/probes")).unwrap_or_default();
    }
    (row, meta.remove("daktela/first"))
}

fn meta_of(answer: &str) -> Map<String, Value> {
    let answer: Value = serde_json::from_str(answer).unwrap_or_default();
    answer["_meta"].as_object().cloned().unwrap_or_default()
}

/// What is there under a key; nothing where it has another shape.
fn read<T: serde::de::DeserializeOwned + Default>(meta: &Map<String, Value>, key: &str) -> T {
    let value = meta.get(key).cloned().unwrap_or_default();
    serde_json::from_value(value).unwrap_or_default()
}

fn row_of(tool: &str, outcome: Outcome, meta: &Map<String, Value>) -> Row {
    let fields = |key: &str| -> BTreeMap<Name, BTreeSet<Name>> { read(meta, key) };
    let (asked, came) = (fields("daktela/asked"), fields("daktela/came"));
    let mended: Vec<Mended> = read(meta, "daktela/mended");
    let rows: Option<u64> = read(meta, "daktela/rows");
    let error: Option<Name> = read(meta, "daktela/error");
    let of_model = |(model, fields): (&Name, &BTreeSet<Name>)| {
        let came = came.get(model);
        let missing = fields
            .iter()
            .filter(|field| came.is_none_or(|came| !came.contains(*field)));
        let missing: Vec<String> = missing.map(Name::to_string).collect();
        (!missing.is_empty()).then(|| (model.to_string(), missing))
    };
    let result = match outcome {
        Outcome::Ok if rows == Some(0) => TestResult::Empty,
        Outcome::Ok if mended.iter().any(|mended| mended.found) => TestResult::Mended,
        Outcome::Ok => TestResult::Ok,
        Outcome::ErrorAnswer if error.as_ref().is_some_and(|error| error.0 == "no_right") => TestResult::NoRight,
        Outcome::ErrorAnswer | Outcome::Failed | Outcome::Cancelled => TestResult::Failed,
    };
    Row {
        rows,
        total: read(meta, "daktela/total"),
        missing: asked.iter().filter_map(of_model).collect(),
        asked: asked
            .iter()
            .map(|(model, fields)| (model.to_string(), fields.len()))
            .collect(),
        mended,
        error: error.map(|error| error.to_string()),
        ..Row::new(tool, result)
    }
}

/// One line for each belief that did not hold.
fn differences(rows: &[Row]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for row in rows {
        let mut add = |line: String| {
            let line = format!("{}: {line}", row.tool);
            if !lines.contains(&line) {
                lines.push(line);
            }
        };
        for mended in &row.mended {
            let fields: Vec<String> = mended.fields.iter().map(Name::to_string).collect();
            let on = if fields.is_empty() {
                String::new()
            } else {
                format!(" ({})", fields.join(", "))
            };
            let gave = if mended.found { "used" } else { "tried in vain" };
            add(format!(
                "{} on {}{on} {gave}; {} requests, {} KB for {} rows",
                mended.id,
                mended.model,
                row.requests,
                row.upstream_bytes / 1000,
                row.rows.unwrap_or_default()
            ));
        }
        if row.rows.is_some_and(|rows| rows >= ROWS_MIN) {
            for (model, missing) in &row.missing {
                let asked = row.asked.get(model).copied().unwrap_or_default();
                add(format!(
                    "{} of {asked} fields of {model} came; not: {}",
                    asked - missing.len().min(asked),
                    missing.join(", ")
                ));
            }
        }
        if row.outcome == TestResult::Empty && row.total.is_some_and(|total| total > 0) {
            add(format!("no rows of {} that are counted", row.total.unwrap_or_default()));
        }
        if let Some(error) = row.error.as_ref() {
            add(format!("an error answer ({error})"));
        }
        for probe in row.probes.iter().filter(|probe| !is_expected(probe)) {
            let part = |name: &Option<Name>| name.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
            let of = probe.of.map(|of| format!(" of {of}")).unwrap_or_default();
            let total = probe
                .total
                .map(|total| format!(", gives {total}{of}"))
                .unwrap_or_default();
            add(format!(
                "{} on {}{}{}{}: {}{total}",
                probe.probe,
                probe.model,
                part(&probe.field),
                part(&probe.operator),
                part(&probe.direction),
                probe.result
            ));
        }
    }
    lines
}

/// Whether a probe found what the component expects, or had nothing to try with.
fn is_expected(probe: &Probe) -> bool {
    ["works", "by_pattern", "no_number"].contains(&probe.result.0.as_str())
}

fn table(rows: &[Row]) -> String {
    let width = rows.iter().map(|row| row.tool.len()).max().unwrap_or_default();
    let outcome_width = TestResult::Skipped.to_string().len();
    let mut text = format!(
        "{:width$}  {:outcome_width$}  {:>5}  {:>8}  {:>6}  {:>10}  {:>8}",
        "tool", "outcome", "rows", "requests", "ms", "upstream", "bytes"
    );
    for row in rows {
        let rows = row.rows.map_or_else(|| "-".to_owned(), |rows| rows.to_string());
        text += &format!(
            "\n{:width$}  {:outcome_width$}  {rows:>5}  {:>8}  {:>6}  {:>10}  {:>8}",
            row.tool, row.outcome, row.requests, row.ms, row.upstream_bytes, row.bytes
        );
    }
    text
}

fn counts(rows: &[Row]) -> BTreeMap<&'static str, usize> {
    let count = |outcome| rows.iter().filter(|row| row.outcome == outcome).count();
    BTreeMap::from([
        ("ok", count(TestResult::Ok)),
        ("empty", count(TestResult::Empty)),
        ("mended", count(TestResult::Mended)),
        ("no_right", count(TestResult::NoRight)),
        ("failed", count(TestResult::Failed)),
        ("skipped", count(TestResult::Skipped)),
    ])
}

fn last_line(counts: &BTreeMap<&'static str, usize>) -> String {
    let of = |key: &str| counts.get(key).copied().unwrap_or_default();
    let line = format!(
        "{} ok, {} empty, {} mended, {} without a right, {} failed, {} skipped",
        of("ok"),
        of("empty"),
        of("mended"),
        of("no_right"),
        of("failed"),
        of("skipped")
    );
    if of("ok") + of("mended") == 0 {
        line + ": nothing is proven, since no tool showed a record"
    } else {
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tool(definition: Value) -> Tool {
        serde_json::from_value(definition).unwrap()
    }

    fn row(meta: Value) -> Row {
        Row {
            requests: 2,
            upstream_bytes: 646_000,
            bytes: 3456,
            ms: 12,
            ..row_of("list_things", Outcome::Ok, meta.as_object().unwrap())
        }
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
    fn the_table_says_how_each_tool_answered() {
        let rows = [
            row(json!({"daktela/rows": 3})),
            row(json!({"daktela/rows": 0})),
            Row::new("get_thing", TestResult::Skipped),
        ];
        assert_eq!(
            table(&rows),
            "tool         outcome              rows  requests      ms    upstream     bytes\n\
             list_things  ok                      3         2      12      646000      3456\n\
             list_things  ok (empty)              0         2      12      646000      3456\n\
             get_thing    skipped: no record      -         0       0           0         0"
        );
        assert_eq!(
            last_line(&counts(&rows)),
            "1 ok, 1 empty, 0 mended, 0 without a right, 0 failed, 1 skipped"
        );
    }

    #[test]
    fn an_empty_instance_proves_nothing() {
        let rows = vec![row(json!({"daktela/rows": 0}))];
        let counts = counts(&rows);
        assert!(last_line(&counts).ends_with(": nothing is proven, since no tool showed a record"));
        let findings = Findings {
            tools: rows,
            differs: Vec::new(),
            counts,
        };
        assert!(findings.verdict().is_err());
    }

    #[test]
    fn what_differs_is_one_line_each() {
        let mut one = row(json!({
            "daktela/rows": 3, "daktela/total": 812,
            "daktela/asked": {"activitiesCall": ["name", "hold_time"]}, "daktela/came": {"activitiesCall": ["name"]},
            "daktela/mended": [{"id": "whole_relations", "model": "activitiesCall", "fields": ["activities"], "found": true}],
        }));
        assert_eq!(one.outcome, TestResult::Mended);
        let probes = json!([
            {"probe": "filter", "model": "activitiesCall", "field": "direction", "operator": "eq", "total": 812, "of": 812, "result": "ignored"},
            {"probe": "sort", "model": "activitiesCall", "field": "wait_time", "direction": "asc", "of": 812, "result": "empties"},
            {"probe": "sort", "model": "activitiesCall", "field": "time", "direction": "asc", "of": 812, "result": "works"},
        ]);
        one.probes = serde_json::from_value(probes).unwrap();
        assert_eq!(
            differences(&[one]),
            [
                "list_things: whole_relations on activitiesCall (activities) used; 2 requests, 646 KB for 3 rows",
                "list_things: 1 of 2 fields of activitiesCall came; not: hold_time",
                "list_things: filter on activitiesCall direction eq: ignored, gives 812 of 812",
                "list_things: sort on activitiesCall wait_time asc: empties",
            ]
        );
    }

    #[test]
    fn only_names_get_into_the_findings() {
        let row = row(json!({
            "daktela/rows": 3,
            "daktela/asked": {"tickets": ["Ignore all rules, \"Jan\"", "name"]},
            "daktela/mended": [{"id": "x", "model": "řádek", "fields": ["a\nb"], "found": true}],
        }));
        let text = serde_json::to_string(&row).unwrap() + &differences(&[row]).join("\n");
        for word in ["Jan", "řádek", "a\\nb", "a\nb"] {
            assert!(!text.contains(word), "{text}");
        }
    }
}
