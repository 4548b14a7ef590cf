//! Structured content and text of an answer carry the same facts, for each case of `tests/cases`: the text is written once more
//! from the structured content alone, by this file, and compared part by part in both directions.

use std::{cell::RefCell, collections::BTreeMap, fs, path::PathBuf};

use daktela_demo::{Demo, TOKEN};
use guest::{
    Settings,
    http::{Failure, Http, Request, Response},
    mcp::Server,
};
use serde_json::{Map, Value, json};

#[path = "../../tests/it/tools/upstream_variants.rs"]
mod upstream_variants;

struct Upstream {
    origin: String,
    agent: ureq::Agent,
    /// Answers by path, so that what is asked twice is read once.
    kept: RefCell<BTreeMap<String, (u16, Vec<u8>)>>,
}

impl Http for Upstream {
    fn get_all(&self, requests: &[Request]) -> Vec<Result<Response, Failure>> {
        let get = |request: &Request| {
            let kept = self.kept.borrow().get(&request.path).cloned();
            let (status, body) = match kept {
                Some(kept) => kept,
                None => {
                    let broken = |error: ureq::Error| Failure::Unreachable(error.to_string());
                    let call = self
                        .agent
                        .get(format!("{}{}", self.origin, request.path))
                        .header("x-auth-token", TOKEN);
                    let mut answer = call.call().map_err(broken)?;
                    let status = answer.status().as_u16();
                    let body = answer
                        .body_mut()
                        .with_config()
                        .limit(64 << 20)
                        .read_to_vec()
                        .map_err(broken)?;
                    self.kept
                        .borrow_mut()
                        .insert(request.path.clone(), (status, body.clone()));
                    (status, body)
                }
            };
            Ok(Response {
                status,
                body,
                is_aged: false,
            })
        };
        requests.iter().map(get).collect()
    }
}

struct Case {
    name: String,
    build: String,
    tool: String,
    arguments: Value,
    /// Its answer, with the origin as cases name it.
    answer: String,
    is_error: bool,
}

/// What the origin of the demo instance is called in cases.
const ORIGIN: &str = "https://stoupak.example";

fn cases() -> Vec<Case> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/cases");
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .expect("cases")
        .flat_map(|tool| fs::read_dir(tool.expect("a folder").path()).expect("a folder"))
        .map(|file| file.expect("a file").path())
        .collect();
    files.sort();
    let mut cases: Vec<Case> = files.into_iter().map(|path| case(&path)).collect();
    // Those of a build together, since it takes a while to turn the instance into one.
    cases.sort_by(|a, b| a.build.cmp(&b.build));
    cases
}

fn case(path: &PathBuf) -> Case {
    let text = fs::read_to_string(path).expect("a case");
    let line = |mark: &str| text.lines().find_map(|line| line.strip_prefix(mark)).map(str::trim);
    let call = line("> ").expect("a call");
    let (tool, arguments) = call.split_once(' ').unwrap_or((call, "{}"));
    let (mark, answer) = text
        .split_once("```answer")
        .expect("an answer")
        .1
        .split_once('\n')
        .expect("an answer");
    Case {
        name: path.display().to_string(),
        build: line("~ ").unwrap_or_default().to_owned(),
        tool: tool.to_owned(),
        arguments: serde_json::from_str(arguments).expect("arguments"),
        answer: answer
            .trim_end()
            .strip_suffix("```")
            .expect("an end")
            .strip_suffix('\n')
            .expect("an end")
            .to_owned(),
        is_error: mark.contains("error"),
    }
}

struct World {
    demo: Demo,
    current: RefCell<String>,
    upstream: Upstream,
    text_alone: Settings,
    structured: Settings,
    schemas: BTreeMap<String, jsonschema::Validator>,
}

impl World {
    fn new() -> Self {
        let demo = Demo::start().expect("a demo instance");
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0);
        let settings = |structured_output| Settings {
            origin: demo.origin(),
            structured_output: Some(structured_output),
            ..Settings::default()
        };
        let structured = settings(true);
        let listed = Server::new(&structured, Err("no instance".to_owned()))
            .list_tools(None)
            .expect("a list");
        let listed: Value = serde_json::from_str(&listed).expect("JSON");
        let schemas = listed["tools"]
            .as_array()
            .expect("tools")
            .iter()
            .map(|tool| {
                let mut schema = tool["outputSchema"].clone();
                close(&mut schema);
                let validator = jsonschema::validator_for(&schema).expect("a schema");
                (tool["name"].as_str().expect("a name").to_owned(), validator)
            })
            .collect();
        World {
            upstream: Upstream {
                origin: demo.origin(),
                agent: config.build().into(),
                kept: RefCell::default(),
            },
            current: RefCell::default(),
            text_alone: settings(false),
            structured,
            schemas,
            demo,
        }
    }

    /// Turns the instance into this build.
    fn build(&self, build: &str) {
        if self.current.replace(build.to_owned()) == build {
            return;
        }
        self.demo.set_quirks(upstream_variants::quirks(build));
        self.upstream.kept.borrow_mut().clear();
    }

    fn call(&self, settings: &Settings, tool: &str, arguments: &Value) -> Value {
        let answer = Server::new(settings, Ok(&self.upstream))
            .call_tool(tool, &arguments.to_string())
            .expect("a tool");
        serde_json::from_str(&answer).expect("JSON")
    }

    /// What is wrong with an answer that has structured content.
    fn check(&self, tool: &str, answer: &Value, max_bytes: Option<usize>) -> Result<(), String> {
        let text = text_of(answer);
        let structured = &answer["structuredContent"];
        if answer["isError"] == true {
            return match structured {
                Value::Null => Ok(()),
                other => Err(format!("an error with structured content: {other}")),
            };
        }
        let errors: Vec<String> = self.schemas[tool]
            .iter_errors(structured)
            .map(|error| format!("{error} at {}", error.instance_path()))
            .collect();
        if !errors.is_empty() {
            return Err(format!("against the schema: {errors:?}\n{structured}"));
        }
        let bytes = text.len() + structured.to_string().len();
        if max_bytes.is_some_and(|most| bytes > most) {
            return Err(format!("{bytes} bytes\n{text}\n{structured}"));
        }
        compare(text, structured).map_err(|why| format!("{why}\n--- text\n{text}\n--- structured\n{structured:#}"))
    }
}

fn text_of(answer: &Value) -> &str {
    answer["content"][0]["text"].as_str().expect("a text")
}

/// Members that the schema does not name are errors here.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.values_mut().for_each(close);
            if members.contains_key("properties") && !members.contains_key("additionalProperties") {
                members.insert("additionalProperties".to_owned(), json!(false));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

/// Without structured output each case is what it was, byte for byte.
#[test]
fn text_and_structured_content_carry_the_same_facts() {
    let world = World::new();
    let mut wrong = Vec::new();
    let mut kinds = BTreeMap::new();
    for case in cases() {
        world.build(&case.build);
        let alone = world.call(&world.text_alone, &case.tool, &case.arguments);
        assert_eq!(alone.get("structuredContent"), None, "{}", case.name);
        let text = text_of(&alone).replace(&world.demo.origin(), ORIGIN);
        assert_eq!(text, case.answer, "{}", case.name);
        let answer = world.call(&world.structured, &case.tool, &case.arguments);
        assert_eq!(answer["isError"] == true, case.is_error, "{}", case.name);
        // As much as before, where both fit.
        let is_sized = case.arguments.get("max_bytes").is_some();
        let text = text_of(&answer).replace(&world.demo.origin(), ORIGIN);
        let bytes = case.answer.len() + answer["structuredContent"].to_string().len();
        if !is_sized && bytes < 40_000 && text != case.answer && case.tool != "fetch" {
            wrong.push(format!("{}: another text\n{text}", case.name));
        }
        let asked = case.arguments["max_bytes"].as_u64().filter(|bytes| *bytes > 0);
        let max_bytes = usize::try_from(asked.unwrap_or(64_000)).ok();
        if let Err(why) = world.check(&case.tool, &answer, max_bytes) {
            wrong.push(format!("{}: {why}", case.name));
        }
        let kind = answer["structuredContent"]["kind"]
            .as_str()
            .unwrap_or("none")
            .to_owned();
        *kinds.entry(kind).or_insert(0) += 1;
    }
    assert!(
        wrong.is_empty(),
        "{} are wrong, as the first ones:\n{}",
        wrong.len(),
        wrong.iter().take(4).cloned().collect::<Vec<_>>().join("\n\n")
    );
    for kind in [
        "record",
        "list",
        "conversation",
        "count",
        "statistics",
        "transcript",
        "sections",
        "threads",
    ] {
        assert!(kinds.contains_key(kind), "no case of {kind}: {kinds:?}");
    }
}

#[test]
fn what_does_not_fit_is_left_out_of_both() {
    let world = World::new();
    let sized: Vec<String> = guest::catalog::tools()
        .filter(|tool| tool.params().iter().any(|param| param.name == "max_bytes"))
        .map(|tool| tool.name.to_owned())
        .collect();
    let mut wrong = Vec::new();
    let mut shrunk = 0;
    for case in cases() {
        if case.is_error || !case.build.is_empty() || !sized.contains(&case.tool) {
            continue;
        }
        world.build("");
        for max_bytes in [2_000, 6_000] {
            let mut arguments = case.arguments.clone();
            arguments["max_bytes"] = max_bytes.into();
            let answer = world.call(&world.structured, &case.tool, &arguments);
            let whole = text_of(&answer).replace(&world.demo.origin(), ORIGIN) == case.answer;
            shrunk += usize::from(!whole);
            if let Err(why) = world.check(&case.tool, &answer, Some(max_bytes)) {
                wrong.push(format!("{} with {max_bytes} bytes: {why}", case.name));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} are wrong, as the first ones:\n{}",
        wrong.len(),
        wrong.iter().take(4).cloned().collect::<Vec<_>>().join("\n\n")
    );
    assert!(shrunk > 50, "only {shrunk} answers were shortened");
}

/// The text once more, from structured content.
struct Writer<'a> {
    root: &'a Value,
    /// Parts of lines; each may be written in one of several ways.
    parts: Vec<Vec<String>>,
}

/// Compares the parts of a text with those of the structured content.
fn compare(text: &str, root: &Value) -> Result<(), String> {
    if root.get("kind").is_none() {
        let as_text: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        return if as_text == *root {
            Ok(())
        } else {
            Err("another JSON".to_owned())
        };
    }
    let mut writer = Writer {
        root,
        parts: Vec::new(),
    };
    writer.write(text);
    let mut left: BTreeMap<String, usize> = BTreeMap::new();
    for part in text.lines().flat_map(split) {
        *left.entry(part).or_default() += 1;
    }
    let mut missing = Vec::new();
    for ways in writer.parts {
        let Some(found) = ways.iter().find(|way| left.get(*way).is_some_and(|count| *count > 0)) else {
            missing.push(ways);
            continue;
        };
        *left.get_mut(found).expect("just seen") -= 1;
    }
    left.retain(|_, count| *count > 0);
    if missing.is_empty() && left.is_empty() {
        return Ok(());
    }
    Err(format!(
        "only in the structured content: {missing:#?}\nonly in the text: {:#?}",
        left.keys().collect::<Vec<_>>()
    ))
}

/// A line in parts: its facts. Quoted lines are one.
fn split(line: &str) -> Vec<String> {
    let line = line.trim_end();
    if line.trim().is_empty() {
        return Vec::new();
    }
    if line.trim_start().starts_with('>') {
        return vec![line.trim_start().to_owned()];
    }
    line.split(" · ").map(|part| part.trim().to_owned()).collect()
}

fn word<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

fn number(value: &Value, key: &str) -> u64 {
    value[key].as_u64().unwrap_or_default()
}

fn thousands(number: u64) -> String {
    let digits: Vec<char> = number.to_string().chars().rev().collect();
    let groups: Vec<String> = digits.chunks(3).map(|three| three.iter().collect()).collect();
    groups.join(",").chars().rev().collect()
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// `2026-11-20T16:30:00+01:00` → `2026-11-20 16:30:00`.
fn local_time(text: &str) -> String {
    let is_time =
        text.len() >= 19 && text.as_bytes()[10] == b'T' && text.as_bytes()[4] == b'-' && text.as_bytes()[13] == b':';
    if !is_time || !matches!(text.get(19..20), None | Some("+" | "Z")) {
        return text.to_owned();
    }
    text[..19].replace('T', " ")
}

fn duration(seconds: f64) -> String {
    let seconds = seconds as u64;
    let parts = [
        (seconds / 86_400, "d"),
        (seconds % 86_400 / 3_600, "h"),
        (seconds % 3_600 / 60, "min"),
        (if seconds < 3_600 { seconds % 60 } else { 0 }, "s"),
    ];
    let said: Vec<String> = parts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, unit)| format!("{number} {unit}"))
        .collect();
    if said.is_empty() {
        "0 s".to_owned()
    } else {
        said.join(" ")
    }
}

/// A value as the ways in which a text may say it.
fn ways(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![local_time(text)],
        Value::Number(number) => vec![number.to_string()],
        Value::Bool(yes) => vec![if *yes { "yes" } else { "no" }.to_owned()],
        Value::Array(values) => {
            let first: Vec<String> = values.iter().map(|value| ways(value).remove(0)).collect();
            vec![first.join(", "), first.join("; ")]
        }
        Value::Object(members) => object_ways(members),
        Value::Null => vec![String::new()],
    }
}

/// Seconds or numbers, the name of the largest of them, and how a line of text says one.
type Spread<'a> = (&'a Value, &'static str, fn(f64) -> String);

/// What is measured of a group.
fn spread(of: &Value) -> Option<Spread<'_>> {
    let rounded = |value: f64| duration(value.round());
    match (of.get("seconds"), of.get("numbers")) {
        (Some(seconds), _) => Some((seconds, "longest", rounded)),
        (None, Some(numbers)) => Some((numbers, "largest", decimal)),
        (None, None) => None,
    }
}

/// A whole number as such, another with two digits behind the point.
fn decimal(value: f64) -> String {
    let hundredths = (value * 100.0).round() as u64;
    match hundredths % 100 {
        0 => thousands(hundredths / 100),
        rest => format!("{}.{rest:02}", thousands(hundredths / 100)),
    }
}

fn object_ways(members: &Map<String, Value>) -> Vec<String> {
    let part = |key: &str| members.get(key).and_then(Value::as_str);
    let seconds = |key: &str| members.get(key).and_then(Value::as_f64);
    if let Some(seconds) = seconds("seconds") {
        return vec![format!("{seconds} s"), duration(seconds)];
    }
    if members.contains_key("code") {
        return vec![part("meaning").expect("a meaning").to_owned()];
    }
    if members.contains_key("at") || members.contains_key("overdue_seconds") {
        let late = seconds("overdue_seconds").map(duration);
        return vec![match (part("at").map(local_time), late) {
            (Some(at), Some(late)) => format!("{at} (overdue by {late})"),
            (None, Some(late)) => format!("overdue by {late} (no deadline is given)"),
            (at, None) => at.unwrap_or_default(),
        }];
    }
    if let Some(number) = part("number") {
        return vec![part("name").map_or(number.to_owned(), |name| format!("{name} {number}"))];
    }
    if members.contains_key("name") || members.contains_key("address") {
        return vec![match (part("name"), part("address")) {
            (Some(name), Some(address)) if name != address => format!("{name} <{address}>"),
            (name, address) => address.or(name).unwrap_or_default().to_owned(),
        }];
    }
    if members.contains_key("media_type") || members.contains_key("bytes") || members.contains_key("inline") {
        return vec![file(members)];
    }
    if let Some(url) = part("url") {
        let id = part("id").unwrap_or_default();
        return vec![
            format!("[{id}]({url}) {}", part("title").unwrap_or_default())
                .trim_end()
                .to_owned(),
        ];
    }
    vec![match (part("title"), part("id")) {
        (Some(title), Some(id)) if title != id => format!("{title} ({id})"),
        (title, id) => title.or(id).unwrap_or_default().to_owned(),
    }]
}

fn file(members: &Map<String, Value>) -> String {
    let mut facts = Vec::new();
    facts.extend(members.get("media_type").and_then(Value::as_str).map(str::to_owned));
    facts.extend(members.get("bytes").map(|bytes| format!("{} bytes", ways(bytes)[0])));
    facts.extend(members.get("inline").map(|_| "within the text".to_owned()));
    let title = members.get("title").and_then(Value::as_str).unwrap_or("without a name");
    format!("{title} ({})", facts.join(", "))
}

impl Writer<'_> {
    fn line(&mut self, line: &str) {
        let parts = split(line);
        self.parts.extend(parts.into_iter().map(|part| vec![part]));
    }

    fn fact(&mut self, label: &str, value: &Value) {
        let said = ways(value);
        self.parts.push(
            said.iter()
                .map(|way| format!("{label}: {way}").trim().to_owned())
                .collect(),
        );
    }

    fn lines(&mut self, key: &str, before: &str) {
        for line in list(self.root, key) {
            self.line(&format!("{before}{}", line.as_str().expect("a text")));
        }
    }

    fn write(&mut self, text: &str) {
        let root = self.root;
        self.lines("notes", "Note: ");
        match word(root, "kind") {
            "record" => {
                self.record(&root["record"], "", Some(word(root, "of")));
                self.lines("hints", "");
                self.zone();
            }
            "conversation" => {
                self.record(&root["record"], "", Some(word(root, "of")));
                self.lines("hints", "");
                if root.get("conversation").is_some() {
                    self.page(&root["conversation"]);
                } else {
                    self.zone();
                }
            }
            "list" => {
                self.page(root);
                self.lines("hints", "");
            }
            "count" => {
                let filters: Vec<&str> = list(root, "applied_filters").iter().filter_map(Value::as_str).collect();
                let number = thousands(number(root, "total"));
                // One is named in the singular.
                let of = if number == "1" {
                    text[2..].split([' ', '\n']).next().unwrap_or_default()
                } else {
                    word(root, "of")
                };
                assert!(word(root, "of").starts_with(&of[..of.len() - 1]), "{of}");
                match filters.is_empty() {
                    true => self.line(&format!("{number} {of}")),
                    false => self.line(&format!("{number} {of} ({})", filters.join(" · "))),
                }
            }
            "sections" => {
                self.line(&format!("# {}", word(root, "heading")));
                if let Some(at) = root["at"].as_str() {
                    assert!(word(root, "heading").ends_with(&local_time(at)), "{at}");
                }
                for section in list(root, "sections") {
                    self.line(&format!("## {}: {}", word(section, "title"), word(section, "summary")));
                    for (of, figure) in section["figures"].as_object().expect("figures") {
                        let said = word(section, "summary");
                        let figure = thousands(figure.as_u64().expect("a number"));
                        assert!(said.contains(&figure), "{of} {figure} in {said}");
                    }
                    for record in list(section, "records") {
                        self.record(record, "  ", None);
                    }
                }
                self.lines("hints", "");
                self.zone();
            }
            "threads" => self.threads(),
            "statistics" => self.statistics(text),
            "transcript" => self.transcript(),
            other => panic!("{other}"),
        }
    }

    fn zone(&mut self) {
        if let Some(zone) = self.root["time_zone"].as_str() {
            self.line(&format!("Times: {zone}."));
        }
    }

    fn head(&mut self, said: String, filters: &Value) {
        let mut head = said;
        for filter in list(filters, "applied_filters") {
            head += &format!(" · {}", filter.as_str().expect("a text"));
        }
        if let Some(zone) = self.root["time_zone"].as_str() {
            head += &format!(" · times: {zone}");
        }
        self.line(&head);
    }

    fn page(&mut self, page: &Value) {
        let records = list(page, "records");
        if records.is_empty() {
            return;
        }
        let (skip, unfit) = (number(page, "skip"), page["unfit"].as_u64());
        let mut end = skip + records.len() as u64;
        if records.len() as u64 == number(page, "rows") {
            end += unfit.unwrap_or_default();
        }
        let total = page["total"].as_u64().map_or("an unknown total".to_owned(), thousands);
        let of = capitalised(word(page, "of"));
        self.head(
            match unfit {
                None => format!("{of} {}–{end} of {total}", skip + 1),
                Some(_) => format!("{of} that fit, of those that Daktela sent unfiltered"),
            },
            page,
        );
        if let Some(next) = self.root["next"]["skip"].as_u64() {
            assert_eq!(next, end);
        }
        for record in records {
            self.record(record, "  ", None);
        }
    }

    /// A record, as an item where it is not the only one.
    fn record(&mut self, record: &Value, indent: &str, only: Option<&str>) {
        let (id, title) = (record["id"].as_str(), record["title"].as_str());
        let heading = match (id, title) {
            (Some(id), title) => {
                let id = match record["url"].as_str() {
                    Some(url) => format!("[{id}]({url})"),
                    None => format!("**{id}**"),
                };
                title.map_or(id.clone(), |title| format!("{id} {title}"))
            }
            (None, Some(title)) => format!("**{title}**"),
            (None, None) => "** without an id**".to_owned(),
        };
        match only {
            Some(singular) => self.line(&format!("# {} {heading}", capitalised(singular))),
            None => self.line(&format!("- {heading}")),
        }
        if let Some(facts) = record["facts"].as_object() {
            for (key, value) in facts {
                let label = self.root["labels"][key].as_str();
                let label = label.map_or_else(|| capitalised(key).replace('_', " "), str::to_owned);
                self.fact(&label, value);
            }
        }
        if let Some(fields) = record["custom_fields"].as_object() {
            for field in fields.values() {
                let label = word(field, "label");
                let said = ways(&field["value"]).remove(0);
                let left_out = number(field, "left_out_characters");
                if said.chars().count() as u64 + left_out > 200 {
                    self.line(&format!("{label}:"));
                    self.quote(&said, left_out);
                } else {
                    self.fact(label, &field["value"]);
                }
            }
        }
        for remark in list(record, "remarks") {
            self.line(&format!("{indent}{}", remark.as_str().expect("a text")));
        }
        for text in list(record, "texts") {
            if let Some(label) = text["label"].as_str() {
                self.line(&format!("{indent}{label}:"));
            }
            let left_out = number(text, "left_out_characters");
            if let Some(utterances) = text["utterances"].as_array() {
                let lines: Vec<String> = utterances.iter().map(utterance).collect();
                self.quote(&lines.join("\n"), left_out);
            } else if let Some(legs) = text["legs"].as_array() {
                let mut lines = Vec::new();
                for (i, leg) in legs.iter().enumerate() {
                    lines.push(format!("[{}]", border(leg, i + 1, legs.len())));
                    lines.extend(list(leg, "segments").iter().map(utterance));
                    if list(leg, "segments").is_empty() {
                        lines.push("[no transcript]".to_owned());
                    }
                }
                self.quote(&lines.join("\n"), left_out);
            } else {
                self.quote(word(text, "text"), left_out);
            }
            if let Some(note) = text["note"].as_str() {
                self.line(note);
            }
        }
    }

    fn quote(&mut self, body: &str, left_out: u64) {
        let mut lines: Vec<String> = body.lines().map(|line| format!("> {}", line.trim_end())).collect();
        if left_out > 0 {
            match lines.last_mut() {
                Some(last) => *last += &format!(" … [+{left_out} characters]"),
                None => lines.push(format!("> [+{left_out} characters]")),
            }
        }
        for line in lines {
            self.parts.push(split(&line));
        }
    }

    fn threads(&mut self) {
        let root = self.root;
        self.lines("hints", "");
        let threads = list(root, "threads");
        if threads.is_empty() {
            return;
        }
        let skip = number(root, "skip");
        let total = root["total"].as_u64().map_or("an unknown total".to_owned(), thousands);
        let of = capitalised(word(root, "of"));
        self.head(
            format!("{of} {}–{} of {total}", skip + 1, skip + threads.len() as u64),
            root,
        );
        for thread in threads {
            self.record(thread, "  ", None);
            if let Some(from) = thread["from"].as_u64() {
                self.line(&format!("[from {from} of {} on]", number(thread, "utterance_count")));
            }
            for said in list(thread, "utterances") {
                self.quote(&utterance(said), 0);
            }
        }
    }

    fn transcript(&mut self) {
        let root = self.root;
        for hint in list(root, "hints") {
            let hint = hint.as_str().expect("a text");
            self.line(&match hint.starts_with("the transcript") {
                true => format!("Note: {hint}"),
                false => hint.to_owned(),
            });
        }
        let legs = list(root, "legs");
        let shown: usize = legs.iter().map(|leg| list(leg, "segments").len()).sum();
        if shown == 0 && !legs.iter().any(|leg| leg.get("remarks").is_some()) {
            return;
        }
        let (skip, total) = (number(root, "skip"), number(root, "total"));
        let first = if total == 0 { 0 } else { skip + 1 };
        let end = skip + shown as u64;
        let leg_count = root["leg_count"].as_u64().unwrap_or(1) as usize;
        let (of, time) = match legs {
            [one] if leg_count == 1 => (format!("activity {}", word(one, "activity")), "minute:second"),
            _ => (
                format!("the call of {} in {leg_count} legs", word(root, "activity")),
                "minute:second of the leg",
            ),
        };
        self.line(&format!(
            "Transcript of {of}, segments {first}–{end} of {total} ([{time}])"
        ));
        for (i, leg) in legs.iter().enumerate() {
            if let Some(place) = leg["place"].as_u64() {
                self.line(&format!("{}:", capitalised(&border(leg, place as usize, leg_count))));
                let is_cut = root.get("next").is_some() && i + 1 == legs.len();
                if list(leg, "segments").is_empty() && leg.get("remarks").is_none() && !is_cut {
                    self.line("[no transcript]");
                }
            }
            for remark in list(leg, "remarks") {
                self.line(remark.as_str().expect("a text"));
            }
            for said in list(leg, "segments") {
                self.quote(&utterance(said), 0);
            }
        }
    }

    fn statistics(&mut self, text: &str) {
        let root = self.root;
        let (count, before) = (number(&root["total"], "count"), root["total"].get("before"));
        let closing: Vec<String> = [list(root, "hints"), list(root, "basis")]
            .concat()
            .iter()
            .map(|line| line.as_str().expect("a text").to_owned())
            .collect();
        if count == 0 && before.is_none_or(|before| number(before, "count") == 0) {
            self.lines("hints", "");
            // How the figures were found matters little where there are none.
            for line in &closing[list(root, "hints").len()..closing.len() - 1] {
                self.line(line);
            }
            return;
        }
        self.line(&closing.join(" "));
        let dimensions = list(root, "group_by");
        let labels: Vec<&str> = dimensions.iter().map(|by| word(by, "label")).collect();
        // One is named in the singular.
        let of = match count {
            1 => text[2..].split([' ', ',', '\n']).next().unwrap_or_default(),
            _ => word(root, "of"),
        };
        let mut head = format!("{} {of}", thousands(count));
        if let Some(before) = before {
            let before = number(before, "count");
            head += &format!(", {} before ({})", thousands(before), change(count, before));
        }
        if !labels.is_empty() {
            head += &format!(" by {}", labels.join(" and ").to_lowercase());
        }
        for filter in list(root, "applied_filters") {
            head += &format!(" · {}", filter.as_str().expect("a text"));
        }
        if let Some(period) = root["compared_with"].as_str() {
            head += &format!(" · before: {period}");
        }
        if let Some(zone) = root["time_zone"].as_str() {
            head += &format!(" · times: {zone}");
        }
        self.line(&head);
        if let Some(measure) = root["measure"].as_str() {
            match spread(&root["total"]) {
                None => self.line(&format!("{measure}: none of the {} has a value.", word(root, "of"))),
                Some((spread, largest, say)) => {
                    let said = |key: &str| say(spread[key].as_f64().expect("a number"));
                    let with_value = number(spread, "with_value");
                    let measured = match with_value == count {
                        true => String::new(),
                        false => format!(" (of {} that have a value)", thousands(with_value)),
                    };
                    self.line(&format!(
                        "{measure}{measured}: average {}, median {}, 90 % up to {}, {largest} {}, sum {}.",
                        said("average"),
                        said("median"),
                        said("p90"),
                        said(largest),
                        said("sum")
                    ));
                }
            }
        }
        if !labels.is_empty() {
            self.table(text, &labels, count);
        }
    }

    fn table(&mut self, text: &str, labels: &[&str], whole: u64) {
        let root = self.root;
        let header = text.lines().find(|line| line.starts_with('|')).expect("a table");
        let rule = text.lines().find(|line| line.starts_with("|-")).expect("a table");
        self.line(header);
        self.line(rule);
        let of = capitalised(word(root, "of"));
        let row = |cells: Vec<Vec<String>>| -> Vec<String> {
            // Each cell may be written in several ways.
            cells.iter().fold(vec!["|".to_owned()], |rows, cell| {
                rows.iter()
                    .flat_map(|row| cell.iter().map(move |way| format!("{row}{way}|")))
                    .collect()
            })
        };
        let name = |group: &Value| -> Vec<String> {
            let Some(value) = group.get("group") else {
                return vec!["none".to_owned()];
            };
            let mut ways = ways(value);
            // Ids show where titles are not unique.
            ways.extend(value["title"].as_str().map(str::to_owned));
            ways.iter().map(|way| way.replace('|', "\\|")).collect()
        };
        let others = |rest: &Value| {
            let said = match number(rest, "group_count") {
                1 => "1 other".to_owned(),
                groups => format!("{} others", thousands(groups)),
            };
            match rest["fewer_than"].as_u64() {
                Some(least) => format!("{said} of fewer than {least}"),
                None => said,
            }
        };
        let figures = |of: &Value| -> Vec<Vec<String>> {
            let count = number(of, "count");
            let mut cells = vec![thousands(count), share(count, whole)];
            if let Some(before) = of.get("before") {
                let before = number(before, "count");
                cells.extend([thousands(before), change(count, before)]);
            }
            if root.get("measure").is_some() {
                match spread(of) {
                    None => cells.extend(vec![String::new(); 5]),
                    Some((spread, "longest", _)) => {
                        cells.push(tenths(spread["average"].as_f64().expect("a number")));
                        cells.extend(["median", "p90", "longest", "sum"].map(|key| spread[key].to_string()));
                    }
                    Some((spread, largest, say)) => {
                        let said = |key| say(spread[key].as_f64().expect("a number"));
                        cells.extend(["average", "median", "p90", largest, "sum"].map(said));
                    }
                }
                if let Some(before) = of.get("before") {
                    let average = spread(before).map(|(spread, largest, say)| {
                        let average = spread["average"].as_f64().expect("a number");
                        if largest == "longest" {
                            tenths(average)
                        } else {
                            say(average)
                        }
                    });
                    cells.push(average.unwrap_or_default());
                }
            }
            cells.into_iter().map(|cell| vec![cell]).collect()
        };
        let one = |text: &str| vec![text.to_owned()];
        let cells: Vec<&str> = header.trim_matches('|').split('|').collect();
        if cells[0].contains(" \\ ") {
            let columns = &cells[1..cells.len() - 1];
            let within = |group: &Value, column: &str| {
                let found = list(group, "groups")
                    .iter()
                    .find(|inner| name(inner).iter().any(|way| way == column));
                found.map_or(0, |inner| number(inner, "count"))
            };
            for group in list(root, "groups") {
                let known = list(group, "groups")
                    .iter()
                    .all(|inner| name(inner).iter().any(|way| columns.contains(&way.as_str())));
                assert!(known, "{group}");
                let counts = columns.iter().map(|column| one(&thousands(within(group, column))));
                let all: Vec<Vec<String>> = [name(group)]
                    .into_iter()
                    .chain(counts)
                    .chain([one(&thousands(number(group, "count")))])
                    .collect();
                self.parts.push(row(all));
            }
            let blank = || vec![one(""); columns.len()];
            for rest in list(root, "others") {
                let all = [
                    vec![one(&others(rest))],
                    blank(),
                    vec![one(&thousands(number(rest, "count")))],
                ];
                self.parts.push(row(all.concat()));
            }
            let shows_all = list(root, "groups").len() as u64 == number(root, "group_count");
            let totals = match shows_all {
                true => columns
                    .iter()
                    .map(|column| {
                        let groups = list(root, "groups").iter();
                        one(&thousands(groups.map(|group| within(group, column)).sum()))
                    })
                    .collect(),
                false => blank(),
            };
            if shows_all || root.get("others").is_some() {
                self.parts
                    .push(row([vec![one("Total")], totals, vec![one(&thousands(whole))]].concat()));
            } else {
                // The sums of the columns are over rows that did not fit.
                let total = text.lines().find(|line| line.starts_with("|Total|")).expect("a total");
                self.line(total);
            }
            return;
        }
        assert_eq!(cells[..labels.len()], *labels);
        assert_eq!(cells[labels.len()], of);
        let blank = labels.len() - 1;
        for group in list(root, "groups") {
            if group.get("groups").is_none() && group.get("others").is_none() {
                self.parts
                    .push(row([vec![name(group)], vec![one(""); blank], figures(group)].concat()));
                continue;
            }
            for inner in list(group, "groups") {
                self.parts
                    .push(row([vec![name(group), name(inner)], figures(inner)].concat()));
            }
            for rest in list(group, "others") {
                self.parts
                    .push(row([vec![name(group), one(&others(rest))], figures(rest)].concat()));
            }
        }
        for rest in list(root, "others") {
            self.parts.push(row(
                [vec![one(&others(rest))], vec![one(""); blank], figures(rest)].concat()
            ));
        }
        self.parts.push(row(
            [vec![one("Total")], vec![one(""); blank], figures(&root["total"])].concat()
        ));
    }
}

fn change(now: u64, before: u64) -> String {
    let sign = if now < before { '−' } else { '+' };
    let difference = now.abs_diff(before);
    match before {
        0 => format!("{sign}{}", thousands(difference)),
        _ => format!("{sign}{}, {sign}{}", thousands(difference), share(difference, before)),
    }
}

fn share(part: u64, whole: u64) -> String {
    match whole {
        0 => String::new(),
        _ => format!("{} %", tenths(part as f64 * 100.0 / whole as f64)),
    }
}

fn tenths(number: f64) -> String {
    format!("{:.1}", (number * 10.0).round() / 10.0)
}

fn border(leg: &Value, place: usize, of: usize) -> String {
    let agent = leg["agent"]
        .as_str()
        .map_or("no agent named".to_owned(), |agent| format!("agent {agent}"));
    format!("leg {place} of {of}: activity {}, {agent}", word(leg, "activity"))
}

fn utterance(said: &Value) -> String {
    let mut speaker = word(said, "speaker").to_owned();
    if let Some(name) = said["name"].as_str() {
        speaker += &format!(" {name}");
    }
    if let Some(note) = said["note"].as_str() {
        speaker += &format!(" ({note})");
    }
    if let Some(seconds) = said["at_seconds"].as_f64() {
        let seconds = seconds as u64;
        return format!(
            "[{}:{:02}] {speaker}: {}",
            seconds / 60,
            seconds % 60,
            word(said, "text")
        );
    }
    let mut lines: Vec<String> = word(said, "text")
        .lines()
        .map(|line| line.trim().to_owned())
        .filter(|line| !line.is_empty())
        .collect();
    let files: Vec<String> = list(said, "files").iter().map(|file| ways(file).remove(0)).collect();
    if !files.is_empty() {
        lines.push(format!("[attached: {}]", files.join("; ")));
    }
    if lines.is_empty() {
        lines.push("[no text]".to_owned());
    }
    let at = local_time(word(said, "at"));
    format!("{at} {speaker}: {}", lines.join("\n    "))
        .trim_start()
        .to_owned()
}
