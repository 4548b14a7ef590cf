//! Scans over all records: each limit (rows, requests, bytes, time) ends one, and the answer says what it covers and names a narrower call,
//! which is made here and is whole; custom fields as groups and measures, against a computation by hand.

use std::{cell::Cell, thread, time::Duration};

use daktela_demo::{Demo, Quirks, TOKEN};
use guest::{
    Settings, catalog,
    http::{Failure, Http, Request, Response},
    privacy,
    render::{markdown, shown::TextAlone, structured},
};
use serde_json::{Value, json};

/// Hundreds of records of each kind.
const SCALE: usize = 2;
/// Small pages, so that limits end a scan between them.
const PAGE: usize = 20;

struct World {
    demo: Demo,
    agent: ureq::Agent,
    settings: Settings,
    /// How long each request takes at least.
    latency: Cell<Duration>,
    /// A build whose campaigns ask for a mark as a choice.
    marks_are_choices: bool,
}

impl World {
    fn new() -> Self {
        let demo = Demo::start_with(Quirks {
            scale: SCALE,
            max_page: PAGE,
            ..Quirks::default()
        })
        .expect("a demo instance");
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)))
            .build();
        World {
            settings: Settings {
                origin: demo.origin(),
                ..Settings::default()
            },
            demo,
            agent: config.into(),
            latency: Cell::default(),
            marks_are_choices: false,
        }
    }

    fn get(&self, path: &str) -> Result<Response, Failure> {
        thread::sleep(self.latency.get());
        let broken = |error: ureq::Error| Failure::Unreachable(error.to_string());
        let request = self.agent.get(format!("{}{path}", self.demo.origin()));
        let mut answer = request.header("x-auth-token", TOKEN).call().map_err(broken)?;
        let mut body = answer.body_mut().read_to_vec().map_err(broken)?;
        if self.marks_are_choices {
            let mut json: Value = serde_json::from_slice(&body).expect("JSON");
            choose(&mut json);
            body = json.to_string().into_bytes();
        }
        Ok(Response {
            status: answer.status().as_u16(),
            body,
            is_aged: false,
        })
    }

    /// The answer of a tool as text and as data.
    fn ask(&self, tool: &str, arguments: &Value) -> (String, Value) {
        let tool = catalog::find(tool).expect("a tool");
        let output = privacy::run(tool, self, &self.settings, &arguments.to_string())
            .unwrap_or_else(|error| panic!("{arguments}: {}", error.text()));
        let (text, shown) = markdown::answer(&output, &TextAlone);
        (text, structured::content(&output, &shown))
    }

    /// Each limit alone, small enough to end a scan: `latency` is how long a request takes where time is the limit.
    fn limited(&mut self, limit: &str, (rows, requests, bytes, latency): (u64, u64, u64, u64)) {
        self.unlimited();
        match limit {
            "DAKTELA_MAX_SCAN_ROWS" => self.settings.scan.rows = rows,
            "DAKTELA_MAX_SCAN_REQUESTS" => self.settings.scan.requests = requests,
            "DAKTELA_MAX_SCAN_BYTES" => self.settings.scan.bytes = bytes,
            _ => {
                self.settings.scan.seconds = 1;
                self.latency.set(Duration::from_millis(latency));
            }
        }
    }

    fn unlimited(&mut self) {
        self.settings.scan = Settings::default().scan;
        self.latency.set(Duration::ZERO);
    }
}

impl Http for World {
    fn get_all(&self, requests: &[Request]) -> Vec<Result<Response, Failure>> {
        requests.iter().map(|request| self.get(&request.path)).collect()
    }
}

/// Makes a choice of each definition of the mark.
fn choose(of: &mut Value) {
    match of {
        Value::Object(map) => {
            if map.get("title").is_some_and(|title| title == "Známka 1–5") {
                map.insert("type".to_owned(), json!("SELECTBOX"));
            }
            map.values_mut().for_each(choose);
        }
        Value::Array(list) => list.iter_mut().for_each(choose),
        _ => {}
    }
}

const LIMITS: [&str; 4] = [
    "DAKTELA_MAX_SCAN_ROWS",
    "DAKTELA_MAX_SCAN_REQUESTS",
    "DAKTELA_MAX_SCAN_BYTES",
    "DAKTELA_MAX_SCAN_SECONDS",
];

/// A time that an answer names as an argument.
fn named<'a>(text: &'a str, argument: &str) -> &'a str {
    let (_, rest) = text
        .split_once(argument)
        .unwrap_or_else(|| panic!("no {argument} in {text}"));
    &rest[..19]
}

fn with(arguments: &Value, name: &str, value: &str) -> Value {
    let mut out = arguments.clone();
    out[name] = json!(value);
    out
}

#[test]
fn statistics_past_a_limit_name_the_call_that_is_whole() {
    let mut world = World::new();
    let arguments = json!({"group_by": "weekday", "of": "waiting"});
    for limit in LIMITS {
        world.limited(limit, (90, 4, 6_000, 100));
        let (text, cut) = world.ask("call_statistics", &arguments);
        assert_eq!(cut["is_whole"], false, "{limit}: {text}");
        assert!(text.contains(limit), "{limit}: {text}");
        let before = named(&text, "date_to=");
        world.unlimited();
        let (said, whole) = world.ask("call_statistics", &with(&arguments, "date_to", before));
        assert_eq!(whole["is_whole"], true, "{limit}: {said}");
        let (covered, all) = (
            whole["total"]["count"].as_u64().expect("a count"),
            cut["total"]["count"].as_u64().expect("a count"),
        );
        assert!(
            (1..=all).contains(&covered) && all < covered + 5,
            "{limit}: {covered} {all}"
        );
        // What goes on from there has the rest.
        let (_, rest) = world.ask(
            "call_statistics",
            &with(&arguments, "date_from", named(&text, "date_from=")),
        );
        let (_, total) = world.ask("call_statistics", &json!({}));
        assert_eq!(
            covered + rest["total"]["count"].as_u64().expect("a count"),
            total["total"]["count"].as_u64().expect("a count"),
            "{limit}"
        );
    }
}

#[test]
fn computed_filters_past_a_limit_say_so() {
    let mut world = World::new();
    // All tickets of the sample company come at once, so that time cannot end this scan.
    for limit in LIMITS.into_iter().filter(|limit| !limit.ends_with("SECONDS")) {
        world.limited(limit, (90, 4, 1_000, 0));
        let (text, _) = world.ask(
            "list_tickets",
            &json!({"waiting_for": "us", "sort": "waiting", "take": 5}),
        );
        assert!(text.contains(limit), "{limit}: {text}");
        let before = named(&text, "date_to=");
        world.unlimited();
        let narrower = json!({"waiting_for": "us", "sort": "waiting", "take": 5, "date_to": before});
        let (whole, _) = world.ask("list_tickets", &narrower);
        assert!(!whole.contains("DAKTELA_MAX_SCAN"), "{whole}");
    }
}

#[test]
fn words_past_a_limit_name_the_calls_that_are_whole() {
    let mut world = World::new();
    for (tool, arguments) in [
        (
            "find_in_conversations",
            json!({"words": "a", "type": "EMAIL", "take": 100}),
        ),
        (
            "find_in_conversations",
            json!({"words": "a", "type": "CALL", "take": 100}),
        ),
        (
            "find_in_conversations",
            json!({"words": "a", "type": "CHAT", "take": 100}),
        ),
        (
            "find_in_conversations",
            json!({"words": "a", "type": "COMMENT", "take": 100}),
        ),
        ("find_tickets", json!({"words": "a", "take": 100})),
    ] {
        for limit in LIMITS {
            world.limited(limit, (60, 12, 60_000, 100));
            let (text, cut) = world.ask(tool, &arguments);
            if !text.contains("DAKTELA_MAX_SCAN") {
                // Few records of this kind: all of them came.
                world.unlimited();
                assert_eq!(
                    world.ask(tool, &arguments).1["total"],
                    cut["total"],
                    "{tool} {arguments} {limit}"
                );
                continue;
            }
            assert!(text.contains(limit), "{tool} {arguments} {limit}: {text}");
            // Full text is read beside, and may reach less far back.
            let reached: Vec<&str> = text.split("date_from=").skip(1).map(|rest| &rest[..19]).collect();
            let after = *reached.iter().max().unwrap_or_else(|| panic!("no date_from in {text}"));
            world.unlimited();
            let (said, whole) = world.ask(tool, &with(&arguments, "date_from", after));
            assert!(!said.contains("DAKTELA_MAX_SCAN"), "{said}");
            let count = |of: &Value| of["total"].as_u64().expect("a count");
            assert!(
                count(&whole) <= count(&cut),
                "{tool} {arguments} {limit}: {} {}\n{text}",
                count(&whole),
                count(&cut)
            );
            if reached.len() > 1 {
                continue;
            }
            assert!(count(&cut) <= count(&whole) + 3, "{tool} {arguments} {limit}\n{text}");
            let (_, rest) = world.ask(tool, &with(&arguments, "date_to", named(&text, "date_to=")));
            let (_, all) = world.ask(tool, &arguments);
            assert_eq!(count(&whole) + count(&rest), count(&all), "{tool} {arguments} {limit}");
        }
    }
}

/// Each kind of conversation has its share of a limit, so that none is left out for another.
#[test]
fn every_kind_of_conversation_has_its_share() {
    let mut world = World::new();
    world.settings.scan.requests = 60;
    let (text, _) = world.ask("find_in_conversations", &json!({"words": "a"}));
    for kind in ["type=EMAIL", "type=CALL"] {
        assert!(text.contains(kind), "{kind}: {text}");
    }
    assert!(text.contains("shared by all kinds"), "{text}");
    assert!(!text.contains("none of the"), "{text}");
}

/// The records of a model with their custom fields, read without the guest.
fn records(world: &World, model: &str) -> Vec<Value> {
    let mut out: Vec<Value> = Vec::new();
    loop {
        let path = format!("/api/v6/{model}.json?take=1000&skip={}", out.len());
        let answer = world.get(&path).expect("an answer");
        let page: Value = serde_json::from_slice(&answer.body).expect("JSON");
        let rows = page["result"]["data"].as_array().expect("rows");
        if rows.is_empty() {
            return out;
        }
        out.extend(rows.iter().cloned());
    }
}

#[test]
fn numbers_of_custom_fields_are_summed_as_by_hand() {
    let world = World::new();
    for (tool, model, field, label, group, path) in [
        (
            "crm_statistics",
            "crmRecords",
            "hodnota_kc",
            "Hodnota (Kč)",
            "stage",
            "/stage",
        ),
        (
            "crm_statistics",
            "crmRecords",
            "pocet_kol",
            "pocet kol",
            "agent",
            "/user/name",
        ),
        (
            "campaign_statistics",
            "campaignsRecords",
            "rok_vyroby",
            "rok_vyroby",
            "agent",
            "/user/name",
        ),
    ] {
        let mut expected: std::collections::BTreeMap<Option<String>, (u64, Vec<f64>)> = Default::default();
        for record in records(&world, model) {
            let (count, values) = expected
                .entry(record.pointer(path).and_then(Value::as_str).map(str::to_owned))
                .or_default();
            *count += 1;
            let stored = record["customFields"][field].as_array().into_iter().flatten();
            values.extend(stored.map(|value| {
                value
                    .as_str()
                    .expect("a text")
                    .replace([' ', '\u{a0}'], "")
                    .parse::<f64>()
                    .expect("a number")
            }));
        }
        let (text, found) = world.ask(tool, &json!({"group_by": group, "of_field": label, "top": 1000}));
        assert!(!text.contains("Average s"), "{text}");
        let groups = found["groups"].as_array().expect("groups");
        assert_eq!(groups.len(), expected.len(), "{tool} {field}: {text}");
        for shown in groups {
            let name = match &shown["group"] {
                Value::Null => None,
                Value::String(word) => Some(word.clone()),
                of => Some(of["id"].as_str().expect("an id").to_owned()),
            };
            let (count, values) = &expected[&name];
            assert_eq!(shown["count"], json!(count), "{tool} {field} {name:?}");
            let mut values = values.clone();
            values.sort_by(f64::total_cmp);
            let figures = &shown["numbers"];
            if values.is_empty() {
                assert!(figures.is_null(), "{tool} {field} {name:?}");
                continue;
            }
            let sum: f64 = values.iter().sum();
            let n = values.len();
            assert_eq!(figures["sum"].as_f64(), Some(sum), "{tool} {field} {name:?}");
            assert_eq!(figures["with_value"], json!(n));
            assert_eq!(figures["largest"].as_f64(), Some(values[n - 1]));
            assert_eq!(
                figures["median"].as_f64(),
                Some((values[(n - 1) / 2] + values[n / 2]) / 2.0)
            );
            let average = figures["average"].as_f64().expect("a number");
            assert!((average - sum / n as f64).abs() < 1e-9, "{average}");
        }
    }
}

#[test]
fn custom_fields_with_a_choice_group_every_kind_of_record() {
    let mut world = World::new();
    world.marks_are_choices = true;
    for (tool, model, field) in [
        ("crm_statistics", "crmRecords", "pravdepodobnost"),
        ("campaign_statistics", "campaignsRecords", "znamka"),
        ("ticket_statistics", "tickets", "model_kola"),
    ] {
        let mut expected: std::collections::BTreeMap<usize, u64> = Default::default();
        let mut values: Vec<String> = Vec::new();
        let mut without = 0;
        for record in records(&world, model) {
            if model == "tickets" && !record["id_merge"].is_null() {
                continue;
            }
            let stored: Vec<&str> = record["customFields"][field]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            without += u64::from(stored.is_empty());
            for value in stored {
                let place = values.iter().position(|known| known == value).unwrap_or_else(|| {
                    values.push(value.to_owned());
                    values.len() - 1
                });
                *expected.entry(place).or_default() += 1;
            }
        }
        let (text, found) = world.ask(tool, &json!({"custom_field": field, "top": 1000}));
        let mut counts: Vec<u64> = Vec::new();
        let mut none = 0;
        for group in found["groups"].as_array().expect("groups") {
            let count = group["count"].as_u64().expect("a count");
            if group["group"].is_null() {
                none = count;
            } else {
                counts.push(count);
            }
        }
        let mut by_hand: Vec<u64> = expected.into_values().collect();
        by_hand.sort_unstable();
        counts.sort_unstable();
        assert!(!counts.is_empty(), "{tool}: {text}");
        assert_eq!((counts, none), (by_hand, without), "{tool} {field}: {text}");
    }
}

#[test]
fn a_measure_that_is_none_is_told_from_those_that_are() {
    let world = World::new();
    let fails = |arguments: Value| {
        let tool = catalog::find("crm_statistics").expect("a tool");
        match privacy::run(tool, &world, &world.settings, &arguments.to_string()) {
            Ok(output) => panic!("{}", markdown::output(&output)),
            Err(error) => error.text().to_owned(),
        }
    };
    let unknown = fails(json!({"of_field": "obrat"}));
    assert!(
        unknown.contains("No custom field") && unknown.contains("Hodnota (Kč) (hodnota_kc)"),
        "{unknown}"
    );
    let unordered = fails(json!({"group_by": "stage", "order_by": "sum"}));
    assert!(unordered.contains("of_field"), "{unordered}");
    // Words are counted and not measured.
    let (text, _) = world.ask("crm_statistics", &json!({"of_field": "cislo_ramu"}));
    assert!(text.contains("no number"), "{text}");
}
