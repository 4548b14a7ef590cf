//! Statistics against a computation by hand: the same groups and measures made here of raw records of a company many times as
//! large, read over plain HTTP without the guest, and every figure compared.

use std::collections::BTreeMap;

use daktela_demo::{Demo, NOW, Quirks};
use guest::{
    Settings, catalog,
    http::{Http, Request},
    render::structured,
    run,
};
use serde_json::{Map, Value, json};

use super::native::Native;

/// Tens of thousands of records.
const SCALE: usize = 50;

struct World {
    demo: Demo,
    native: Native,
    settings: Settings,
}

fn world(scale: usize) -> World {
    let demo = Demo::start_with(Quirks {
        scale,
        ..Quirks::default()
    })
    .expect("a demo instance");
    let settings = Settings {
        origin: demo.origin(),
        ..Settings::default()
    };
    let native = Native::new(demo.origin());
    World { demo, native, settings }
}

impl World {
    fn get(&self, path: &str) -> Value {
        let answer = self
            .native
            .get_all(&[Request::live(path)])
            .remove(0)
            .expect("an answer");
        serde_json::from_slice(&answer.body).expect("JSON")
    }

    /// All records of a model with these fields.
    fn records(&self, model: &str, fields: &[&str]) -> Vec<Value> {
        let picked: String = fields
            .iter()
            .enumerate()
            .map(|(i, field)| format!("&fields[{i}]={field}"))
            .collect();
        let mut out = Vec::new();
        loop {
            let page = self.get(&format!("/api/v6/{model}.json?take=1000&skip={}{picked}", out.len()));
            let rows = page["result"]["data"].as_array().expect("rows").clone();
            let is_last = rows.len() < 1000;
            out.extend(rows);
            if is_last {
                return out;
            }
        }
    }

    /// The answer of a tool as data and as text.
    fn ask(&self, tool: &str, arguments: &Value) -> (Value, String) {
        let tool = catalog::find(tool).expect("a tool");
        let output = run::run(tool, &self.native, &self.settings, &arguments.to_string())
            .unwrap_or_else(|error| panic!("{arguments}: {}", error.text()));
        (structured::output(&output), guest::render::markdown::output(&output))
    }
}

/// A text of a record, by a path through related records; none for what is empty.
fn text<'a>(record: &'a Value, path: &str) -> Option<&'a str> {
    record
        .pointer(path)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
}

fn number(record: &Value, field: &str) -> Option<f64> {
    record[field].as_f64()
}

/// The days since 1970 by counting them up, as no code of ours does it.
fn day_number(date: &str) -> i64 {
    let part = |range: std::ops::Range<usize>| date[range].parse::<i64>().expect("a number");
    let (year, month, day) = (part(0..4), part(5..7), part(8..10));
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let of_month = |year, month| match month {
        2 => 28 + i64::from(leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let years: i64 = (1970..year).map(|year| 365 + i64::from(leap(year))).sum();
    let months: i64 = (1..month).map(|month| of_month(year, month)).sum();
    years + months + day - 1
}

/// The seconds between two times of Prague in 2026, when the clocks went forward on 29 March and back on 25 October.
fn passed(from: &str, to: &str) -> f64 {
    let utc = |time: &str| {
        let part = |range: std::ops::Range<usize>| time[range].parse::<i64>().expect("a number");
        let is_summer = ("2026-03-29 02:00:00".."2026-10-25 03:00:00").contains(&time);
        day_number(time) * 86_400 + part(11..13) * 3600 + part(14..16) * 60 + part(17..19) - i64::from(is_summer) * 3600
    };
    (utc(to) - utc(from)) as f64
}

/// Figures by group as the tool names groups, computed from sorted lists of values.
fn by_hand(
    records: &[Value],
    group: impl Fn(&Value) -> Vec<Option<String>>,
    measure: impl Fn(&Value) -> Option<f64>,
) -> BTreeMap<Option<String>, Value> {
    let mut groups: BTreeMap<Option<String>, (u64, Vec<f64>)> = BTreeMap::new();
    for record in records {
        let mut of = group(record);
        if of.is_empty() {
            of.push(None);
        }
        for key in of {
            let (count, values) = groups.entry(key).or_default();
            *count += 1;
            values.extend(measure(record));
        }
    }
    groups
        .into_iter()
        .map(|(key, (count, values))| (key, figures(count, values)))
        .collect()
}

fn figures(count: u64, mut values: Vec<f64>) -> Value {
    values.sort_by(f64::total_cmp);
    let mut out = Map::new();
    out.insert("count".to_owned(), json!(count));
    if !values.is_empty() {
        let n = values.len();
        let sum: f64 = values.iter().sum();
        let median = if n % 2 == 1 {
            values[n / 2]
        } else {
            (values[n / 2 - 1] + values[n / 2]) / 2.0
        };
        // The smallest value that at least nine tenths do not exceed.
        let p90 = values
            .iter()
            .enumerate()
            .find(|(i, _)| (i + 1) * 10 >= n * 9)
            .expect("a value")
            .1;
        out.insert(
            "seconds".to_owned(),
            json!({"with_value": n, "sum": sum as i64, "average": sum / n as f64, "median": median, "p90": *p90 as i64,
                   "longest": values[n - 1] as i64}),
        );
    }
    Value::Object(out)
}

/// A group by its name.
fn name_of(group: &Value) -> Option<String> {
    match group {
        Value::Null => None,
        Value::Bool(yes) => Some(if *yes { "yes" } else { "no" }.to_owned()),
        Value::Object(of) => Some(
            of.get("id")
                .or(of.get("code"))
                .expect("an id")
                .as_str()
                .expect("a text")
                .to_owned(),
        ),
        Value::String(text) => Some(text.clone()),
        other => panic!("{other}"),
    }
}

/// Compares all groups and the total, and returns how many figures that were.
fn compare(
    world: &World,
    tool: &str,
    mut arguments: Value,
    expected: &BTreeMap<Option<String>, Value>,
    total: &Value,
) -> usize {
    arguments["top"] = json!(1000);
    let (found, _) = world.ask(tool, &arguments);
    let mut groups: BTreeMap<Option<String>, Value> = BTreeMap::new();
    for group in found["groups"].as_array().expect("groups") {
        let mut figures = group.clone();
        let name = name_of(
            &figures
                .as_object_mut()
                .expect("an object")
                .remove("group")
                .expect("a group"),
        );
        assert!(
            groups.insert(name, figures).is_none(),
            "{tool} {arguments}: {group} twice"
        );
    }
    assert_eq!(&groups, expected, "{tool} {arguments}");
    assert_eq!(&found["total"], total, "{tool} {arguments}");
    assert_eq!(found["is_whole"], true, "{tool} {arguments}: {}", found["basis"]);
    let count = |figures: &Value| 1 + figures["seconds"].as_object().map_or(0, Map::len);
    groups.values().map(count).sum::<usize>() + count(total)
}

type Group = Box<dyn Fn(&Value) -> Vec<Option<String>>>;
type Read = Box<dyn Fn(&Value) -> Option<f64>>;

fn at(path: &'static str) -> Group {
    Box::new(move |record| {
        text(record, path)
            .map(|text| Some(text.to_owned()))
            .into_iter()
            .collect()
    })
}

fn id(path: &'static str) -> Group {
    Box::new(move |record| match record.pointer(path) {
        Some(Value::String(text)) => vec![Some(text.clone())],
        Some(Value::Number(number)) => vec![Some(number.to_string())],
        _ => Vec::new(),
    })
}

fn flag(field: &'static str) -> Group {
    Box::new(move |record| vec![Some(if record[field] == true { "yes" } else { "no" }.to_owned())])
}

fn part(field: &'static str, range: std::ops::Range<usize>, behind: &'static str) -> Group {
    Box::new(move |record| {
        vec![Some(format!(
            "{}{behind}",
            &record[field].as_str().expect("a time")[range.clone()]
        ))]
    })
}

fn weekday(field: &'static str) -> Group {
    const DAYS: [&str; 7] = [
        "Thursday",
        "Friday",
        "Saturday",
        "Sunday",
        "Monday",
        "Tuesday",
        "Wednesday",
    ];
    Box::new(move |record| {
        vec![Some(
            DAYS[day_number(record[field].as_str().expect("a time")) as usize % 7].to_owned(),
        )]
    })
}

fn seconds(field: &'static str) -> Read {
    Box::new(move |record| number(record, field))
}

#[test]
fn every_figure_is_that_of_a_computation_by_hand() {
    let world = world(SCALE);
    let none: Read = Box::new(|_| None);
    let mut compared = 0;
    let mut check =
        |tool: &str, records: &[Value], filters: Value, name: &str, group: &Group, of: Option<(&str, &Read)>| {
            let read = of.map_or(&none, |(_, read)| read);
            let expected = by_hand(records, group, read);
            let total = figures(records.len() as u64, records.iter().filter_map(read).collect());
            let mut arguments = filters;
            arguments["group_by"] = json!(name);
            if let Some((of, _)) = of {
                arguments["of"] = json!(of);
            }
            compared += compare(&world, tool, arguments, &expected, &total);
        };

    let calls = world.records(
        "activitiesCall",
        &[
            "id_call",
            "call_time",
            "direction",
            "answered",
            "id_queue.name",
            "id_agent.name",
            "contact.name",
            "duration",
            "waiting_time",
            "ringing_time",
            "hold_time",
            "clid",
        ],
    );
    assert!(calls.len() > 10_000, "{}", calls.len());
    let month: Vec<Value> = calls
        .iter()
        .filter(|call| {
            call["call_time"]
                .as_str()
                .is_some_and(|time| time.starts_with("2026-10"))
                && call["direction"] == "in"
        })
        .cloned()
        .collect();
    let october = || json!({"direction": "in", "date_from": "2026-10-01", "date_to": "2026-10-31"});
    for (name, group) in [
        ("hour", part("call_time", 11..13, ":00")),
        ("day", part("call_time", 0..10, "")),
        ("weekday", weekday("call_time")),
        ("queue", id("/id_queue/name")),
        ("agent", at("/id_agent/name")),
        ("answered", flag("answered")),
    ] {
        check("call_statistics", &month, october(), name, &group, None);
        for (of, field) in [
            ("duration", "duration"),
            ("waiting", "waiting_time"),
            ("ringing", "ringing_time"),
            ("hold", "hold_time"),
        ] {
            check(
                "call_statistics",
                &month,
                october(),
                name,
                &group,
                Some((of, &seconds(field))),
            );
        }
    }
    // Those that are cheaper by counts.
    for (name, group) in [
        ("month", part("call_time", 0..7, "")),
        ("direction", at("/direction")),
        ("answered", flag("answered")),
        ("queue", id("/id_queue/name")),
    ] {
        check("call_statistics", &calls, json!({}), name, &group, None);
    }

    let mails = world.records(
        "activitiesEmail",
        &[
            "time",
            "direction",
            "answered",
            "queue.name",
            "user.name",
            "wait_time",
            "duration",
        ],
    );
    check(
        "email_statistics",
        &mails,
        json!({}),
        "queue",
        &id("/queue/name"),
        Some(("waiting", &seconds("wait_time"))),
    );
    check(
        "email_statistics",
        &mails,
        json!({}),
        "weekday",
        &weekday("time"),
        Some(("duration", &seconds("duration"))),
    );
    let unanswered: Vec<Value> = mails
        .iter()
        .filter(|mail| mail["direction"] == "in" && mail["answered"] != true)
        .cloned()
        .collect();
    check(
        "email_statistics",
        &unanswered,
        json!({"unanswered": true}),
        "agent",
        &at("/user/name"),
        None,
    );

    let tickets = world.records(
        "tickets",
        &[
            "name",
            "id_merge.name",
            "stage",
            "priority",
            "category.name",
            "user.name",
            "statuses.name",
            "created",
            "closed",
            "first_answer_duration",
            "sla_overdue",
            "sla_deadtime",
            "last_activity_client",
            "last_activity_operator",
        ],
    );
    let tickets: Vec<Value> = tickets
        .into_iter()
        .filter(|ticket| ticket["id_merge"].is_null())
        .collect();
    let statuses: Group = Box::new(|ticket| {
        let statuses = ticket["statuses"].as_array().expect("a list");
        statuses
            .iter()
            .map(|status| Some(status["name"].as_str().expect("a name").to_owned()))
            .collect()
    });
    let solution: Read = Box::new(|ticket| Some(passed(text(ticket, "/created")?, text(ticket, "/closed")?).max(0.0)));
    let overdue: Read = Box::new(|ticket| number(ticket, "sla_overdue").filter(|seconds| *seconds > 0.0));
    let first: Read = Box::new(|ticket| number(ticket, "first_answer_duration"));
    for (name, group) in [
        ("stage", at("/stage")),
        ("priority", at("/priority")),
        ("category", at("/category/name")),
        ("agent", at("/user/name")),
        ("status", statuses),
        ("month", part("created", 0..7, "")),
    ] {
        for (of, read) in [("solution", &solution), ("overdue", &overdue), ("first_answer", &first)] {
            check("ticket_statistics", &tickets, json!({}), name, &group, Some((of, read)));
        }
    }
    let is_unsolved = |ticket: &&Value| ticket["stage"] == "OPEN" || ticket["stage"] == "WAIT";
    let waits = |ticket: &&Value| {
        let client = text(ticket, "/last_activity_client");
        is_unsolved(ticket) && client.is_some() && client > text(ticket, "/last_activity_operator")
    };
    let waiting: Vec<Value> = tickets.iter().filter(waits).cloned().collect();
    let since: Read = Box::new(|ticket| Some(passed(text(ticket, "/last_activity_client")?, NOW)));
    check(
        "ticket_statistics",
        &waiting,
        json!({"waiting_for": "us"}),
        "agent",
        &at("/user/name"),
        Some(("waiting", &since)),
    );
    let late = |ticket: &&Value| is_unsolved(ticket) && overdue(ticket).is_some();
    let overdue_now: Vec<Value> = tickets.iter().filter(late).cloned().collect();
    check(
        "ticket_statistics",
        &overdue_now,
        json!({"overdue": true}),
        "category",
        &at("/category/name"),
        Some(("overdue", &overdue)),
    );

    let done = world.records("activities", &["time", "type", "user.name", "duration", "aaw"]);
    let kind: Group = Box::new(|activity| vec![Some(text(activity, "/type").unwrap_or("INTERNAL_COMMENT").to_owned())]);
    check(
        "activity_statistics",
        &done,
        json!({}),
        "type",
        &kind,
        Some(("duration", &seconds("duration"))),
    );
    let deals = world.records("crmRecords", &["stage", "type.name", "user.name"]);
    check("crm_statistics", &deals, json!({}), "type", &at("/type/name"), None);
    check("crm_statistics", &deals, json!({}), "agent", &at("/user/name"), None);
    let records = world.records("campaignsRecords", &["record_type.name", "action"]);
    check(
        "campaign_statistics",
        &records,
        json!({}),
        "campaign_type",
        &at("/record_type/name"),
        None,
    );
    check(
        "campaign_statistics",
        &records,
        json!({}),
        "action",
        &id("/action"),
        None,
    );
    let channels = [
        "activitiesWeb",
        "activitiesSms",
        "activitiesFbm",
        "activitiesIgdm",
        "activitiesWap",
        "activitiesVbr",
    ];
    let chats: Vec<Value> = channels
        .iter()
        .flat_map(|model| world.records(model, &["time", "user.name", "answered", "wait_time"]))
        .collect();
    check(
        "chat_statistics",
        &chats,
        json!({}),
        "agent",
        &at("/user/name"),
        Some(("waiting", &seconds("wait_time"))),
    );

    assert!(compared >= 300, "{compared}");
}

/// What one question costs, at the size of a busy month: requests and bytes of the answer.
#[test]
fn a_busy_month_is_one_answer_of_few_requests() {
    let world = world(SCALE);
    for (tool, arguments) in [
        ("call_statistics", json!({"group_by": "hour", "of": "waiting"})),
        (
            "call_statistics",
            json!({"group_by": "agent", "of": "duration", "answered": true}),
        ),
        (
            "call_statistics",
            json!({"group_by": "caller", "min_count": 3, "direction": "in"}),
        ),
        ("call_statistics", json!({"group_by": "hour", "then_by": "weekday"})),
        (
            "call_statistics",
            json!({"group_by": "queue", "then_by": "agent", "of": "duration"}),
        ),
        (
            "call_statistics",
            json!({"group_by": "day", "then_by": "answered", "date_from": "2026-10-01", "date_to": "2026-10-31"}),
        ),
        ("email_statistics", json!({"group_by": "address"})),
        ("ticket_statistics", json!({"group_by": "category", "then_by": "stage"})),
        ("ticket_statistics", json!({"group_by": "contact"})),
        ("activity_statistics", json!({"group_by": "type", "then_by": "agent"})),
        ("chat_statistics", json!({"group_by": "channel", "of": "waiting"})),
        ("crm_statistics", json!({"group_by": "account"})),
        (
            "campaign_statistics",
            json!({"group_by": "campaign_type", "then_by": "status"}),
        ),
    ] {
        world.demo.take_requests();
        let (_, text) = world.ask(tool, &arguments);
        let requests = world.demo.take_requests().len();
        assert!(text.len() <= 4_096, "{tool} {arguments}: {} bytes\n{text}", text.len());
        assert!(requests <= 80, "{tool} {arguments}: {requests} requests");
    }
}

/// Past a limit the answer says what it covers, and the call that it names is whole and agrees with what was covered.
#[test]
fn past_a_limit_the_answer_names_the_call_that_is_whole() {
    let mut world = world(SCALE);
    world.settings.scan.rows = 3_000;
    let (cut, text) = world.ask("call_statistics", &json!({"group_by": "weekday", "of": "waiting"}));
    assert_eq!(cut["is_whole"], false);
    assert!(text.contains("Only 3,000 of "), "{text}");
    let before = text
        .split("date_to=")
        .nth(1)
        .expect("a date")
        .split(" is whole")
        .next()
        .expect("a date");
    let (whole, _) = world.ask(
        "call_statistics",
        &json!({"group_by": "weekday", "of": "waiting", "date_to": before}),
    );
    assert_eq!(whole["is_whole"], true);
    let (covered, all) = (&whole["total"]["count"], &cut["total"]["count"]);
    assert!(
        covered.as_u64() <= all.as_u64() && all.as_u64() < covered.as_u64().map(|n| n + 20),
        "{covered} {all}"
    );
    // What needs no reading is whole in spite of it.
    let (counted, text) = world.ask("call_statistics", &json!({"group_by": "answered"}));
    assert_eq!(counted["is_whole"], true, "{text}");
    assert!(text.contains("without reading the records"), "{text}");
}

/// The order is one over all that match: pages follow on from each other.
#[test]
fn tickets_that_wait_come_in_the_order_of_all() {
    let world = world(SCALE);
    let (first, _) = world.ask(
        "list_tickets",
        &json!({"waiting_for": "us", "sort": "waiting", "take": 20}),
    );
    let (second, _) = world.ask(
        "list_tickets",
        &json!({"waiting_for": "us", "sort": "waiting", "take": 20, "skip": 20}),
    );
    let since = |page: &Value| -> Vec<String> {
        let records = page["records"].as_array().expect("records").iter();
        records
            .map(|record| {
                record["facts"]["customer_waits_since"]
                    .as_str()
                    .expect("a time")
                    .to_owned()
            })
            .collect()
    };
    let all = [since(&first), since(&second)].concat();
    assert_eq!(all.len(), 40);
    assert!(all.is_sorted(), "{all:?}");
    let (counted, _) = world.ask("count_tickets", &json!({"waiting_for": "us"}));
    assert_eq!(counted["total"], first["total"]);
}
