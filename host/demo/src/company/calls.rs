//! Calls, what was said in them, and who missed which.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::{
    Channel, Company, Talk,
    clock::{self, after, moment, now},
    id, json_file, object, pick, roll,
};
use crate::store::Row;

/// Calls that belong to no ticket.
const LOOSE: usize = 125;
/// Of the answered calls on tickets, so many were transcribed.
const TRANSCRIBED: usize = 24;
const LONG_SEGMENTS: usize = 300;
const OUTGOING: u32 = 1010;

static DATA: LazyLock<Value> = LazyLock::new(|| json_file("calls.json", include_str!("../../data/calls.json")));

pub(super) fn add(company: &mut Company, talks: &[Talk]) {
    for written in DATA["calls"].as_array().into_iter().flatten() {
        call(company, object(written.clone()));
    }
    let mut transcribed = 0;
    for talk in talks.iter().filter(|talk| talk.channel() == Channel::Call) {
        let missed = roll("missed", talk.number, 6) == 0;
        let transcript = match !missed && transcribed < TRANSCRIBED {
            true => lines(
                company,
                talk.topic,
                &agent(company, queue(talk.topic), &talk.user, talk.number),
            ),
            false => Value::Null,
        };
        transcribed += usize::from(!transcript.is_null());
        on_ticket(company, talk, missed, transcript);
    }
    for number in 0..LOOSE {
        loose(company, number);
    }
}

/// The call that opened a ticket; a missed one is returned within the hour, or still waits.
fn on_ticket(company: &mut Company, talk: &Talk, missed: bool, transcript: Value) {
    let queue = queue(talk.topic);
    let returned = missed && after(talk.at, 3600) < now();
    let back = after(talk.at, 600 + roll("back", talk.number, 2400) as i64);
    let clid = phone(company, &talk.contact);
    let base = json!({
        "id_call": id_call(talk.at, talk.number), "ticket": talk.ticket, "call_time": clock::text(talk.at), "direction": "in",
        "id_queue": queue, "clid": clid, "did": "00420999100100", "contact": talk.contact,
        "waiting_time": roll("wait", talk.number, 240), "ringing_time": roll("ring", talk.number, 25),
    });
    let mut first = object(base.clone());
    if missed {
        first.extend(object(json!({
            "answered": false, "disconnection_cause": "abandon", "missed_call": u8::from(!returned),
            "missed_call_time": clock::text(after(talk.at, 240)), "action": if returned { "CLOSE" } else { "WAIT" },
            "missed_callback": if returned { json!(id_call(back, talk.number)) } else { Value::Null },
        })));
    } else {
        first.extend(object(answered(
            talk.number,
            &agent(company, queue, &talk.user, talk.number),
        )));
        if !transcript.is_null() {
            // What was said must fit into the call.
            first.insert("duration".into(), json!(95 + roll("duration", talk.number, 300)));
        }
        first.insert("transcript".into(), transcript);
    }
    call(company, first);
    if returned {
        let mut second = object(base);
        second.extend(object(answered(
            talk.number,
            &agent(company, OUTGOING, &talk.user, talk.number),
        )));
        second.extend(object(json!({
            "id_call": id_call(back, talk.number), "call_time": clock::text(back), "direction": "out", "id_queue": OUTGOING,
            "waiting_time": 0,
        })));
        call(company, second);
    }
}

pub(super) fn queue(topic: &Value) -> u32 {
    match topic["category"].as_str() {
        Some("technicka_podpora") => 1003,
        Some("objednavky" | "velkoobchod") => 1002,
        _ => 1001,
    }
}

/// Who takes the call: whoever has the ticket, if the queue is theirs.
fn agent(company: &Company, queue: u32, wanted: &Value, number: usize) -> Value {
    let queue = company
        .store
        .get("queues", &json!(queue))
        .expect("calls come through queues");
    let agents = queue["agents"].as_array().expect("a queue has agents");
    if agents.contains(wanted) {
        wanted.clone()
    } else {
        pick(agents, "agent", number).clone()
    }
}

/// Wrong numbers, quick questions, colleagues.
fn loose(company: &mut Company, number: usize) {
    let at = moment(number, LOOSE);
    let contacts = company.store.rows("contacts");
    let contact = contacts[7 + roll("loose contact", number, contacts.len() - 7)]["name"].clone();
    let mut row = object(json!({
        "id_call": id_call(at, 10_000 + number), "call_time": clock::text(at), "clid": phone(company, &contact),
        "did": "00420999100100", "contact": if number.is_multiple_of(3) { Value::Null } else { contact },
        "ringing_time": roll("ring", number, 20),
    }));
    let (queue, kind) = ([1001, 1002, 1003][number % 3], roll("loose", number, 20));
    let agent = agent(company, if kind < 14 { queue } else { OUTGOING }, &Value::Null, number);
    let recent = at > after(now(), -2 * 86_400);
    let more = match kind {
        0..10 => json!({"direction": "in", "id_queue": queue, "waiting_time": roll("wait", number, 90)}),
        10..14 => json!({
            "answered": false, "direction": "in", "id_queue": queue, "id_agent": Value::Null, "duration": 0, "hold_time": 0,
            "disposition_cause": "", "disconnection_cause": "abandon", "missed_call": 1, "waiting_time": 100,
            "missed_call_time": clock::text(after(at, 100)), "action": if recent { "WAIT" } else { "CLOSE" },
        }),
        14..18 if number.is_multiple_of(3) => json!({
            "answered": false, "direction": "out", "id_queue": OUTGOING, "duration": 0, "hold_time": 0, "disposition_cause": "",
            "disconnection_cause": (["busy", "noanswer"][number % 2]),
        }),
        14..18 => json!({"direction": "out", "id_queue": OUTGOING}),
        _ => {
            json!({"direction": "internal", "clid": "201", "did": "212", "contact": Value::Null, "id_queue": Value::Null})
        }
    };
    row.extend(object(answered(number, &agent)));
    row.extend(object(more));
    call(company, row);
}

fn answered(number: usize, agent: &Value) -> Value {
    json!({
        "answered": true, "id_agent": agent, "duration": 35 + roll("duration", number, 700),
        "hold_time": if number.is_multiple_of(4) { roll("hold", number, 60) } else { 0 },
        "disposition_cause": (["caller", "agent", "caller", "transfer"][number % 4]),
    })
}

/// A call with its activity, its record of the exchange, and its transcript.
fn call(company: &mut Company, mut row: Row) {
    let mut take = |name: &str| row.remove(name).unwrap_or(Value::Null);
    let (name, ticket, transcript, action) = (take("activity"), take("ticket"), take("transcript"), take("action"));
    let call = row["id_call"].clone();
    let field = |name: &str| row.get(name).cloned().unwrap_or(Value::Null);
    let start = clock::parse(row["call_time"].as_str().expect("calls have a time"));
    let seconds = |name: &str| field(name).as_i64().unwrap_or(0);
    let open = after(start, seconds("waiting_time") + seconds("ringing_time"));
    let end = clock::text(after(open, seconds("duration")));
    let done = action.is_null() || action == "CLOSE";
    let title = company
        .store
        .get("contacts", &field("contact"))
        .map_or(field("clid"), |contact| contact["title"].clone());
    let mut activity = object(json!({
        "ticket": ticket, "title": title, "action": if action.is_null() { json!("CLOSE") } else { action },
        "queue": field("id_queue"), "user": field("id_agent"), "contact": field("contact"), "time": field("call_time"),
        "time_wait": field("call_time"), "time_open": if field("answered") == true { json!(clock::text(open)) } else { Value::Null },
        "time_close": if done { json!(end) } else { Value::Null }, "duration": seconds("duration"),
        "ringing_time": seconds("ringing_time"), "aaw": seconds("duration") / 10, "priority": 5,
    }));
    if !name.is_null() {
        activity.insert("name".into(), name);
    }
    let activity = company.activity("CALL", call.clone(), Value::Object(activity));
    let cdr = format!("cdr_{}", call.as_str().unwrap_or_default());
    company.store.add(
        "cdrs",
        json!({"name": cdr, "direction": field("direction"), "src": field("clid"), "dst": field("did"),
               "time_created": field("call_time"), "time_closed": if done { json!(end) } else { Value::Null }}),
    );
    let texts = seconds("duration") / 3 % 3 == 0;
    row.insert("cdr".into(), json!(cdr));
    row.insert("activities".into(), json!([activity]));
    company.store.add("activitiesCall", Value::Object(row));
    transcribe(company, &activity, &transcript, texts);
}

/// Segments; their seconds are numbers in some builds and texts in others, so some calls have these and some those.
pub(super) fn transcribe(company: &mut Company, activity: &str, transcript: &Value, texts: bool) {
    let long = long_dialogue();
    let lines = if transcript == "long" { &long } else { transcript };
    let mut second = 1.5;
    for (number, line) in lines.as_array().into_iter().flatten().enumerate() {
        let text = line[1].as_str().unwrap_or_default();
        let end = second + 1.0 + text.chars().count() as f64 / 14.0;
        let mark = |second: f64| match texts {
            true => json!(format!("{second:.2}")),
            false => json!((second * 100.0).round() / 100.0),
        };
        company.store.add(
            "activitiesCallTranscripts",
            json!({
                "name": id("transcript", format!("{activity} {number}")), "activity": activity, "start": mark(second),
                "end": mark(end), "text": text, "type": if line[0] == "c" { "customer" } else { "operator" },
            }),
        );
        second = end + 0.7;
    }
}

fn long_dialogue() -> Value {
    let line = |list: &str, number: usize| {
        let list = DATA["long"][list].as_array().expect("lines");
        list[roll("line", format!("{number}"), list.len())]
            .as_str()
            .expect("a line")
            .to_owned()
    };
    let spoken = (0..LONG_SEGMENTS).map(|number| match number % 2 {
        0 => json!(["o", format!("Step {}: {}", number / 2 + 1, line("steps", number))]),
        _ => json!(["c", line("replies", number)]),
    });
    spoken.collect()
}

pub(super) fn lines(company: &Company, topic: &Value, agent: &Value) -> Value {
    let frame = &DATA["frame"][topic["lang"].as_str().unwrap_or("cs")];
    let agent = company
        .store
        .get("users", agent)
        .and_then(|user| user["title"].as_str())
        .unwrap_or_default();
    let hello = frame[0].as_str().unwrap_or_default().replace("{user}", agent);
    let mut lines = vec![json!(["o", hello])];
    for (number, line) in topic["talk"].as_array().into_iter().flatten().enumerate() {
        lines.push(json!([if number % 2 == 0 { "c" } else { "o" }, line]));
    }
    lines.extend([json!(["o", frame[1]]), json!(["c", frame[2]]), json!(["o", frame[3]])]);
    Value::Array(lines)
}

fn phone(company: &Company, contact: &Value) -> Value {
    let fields = company
        .store
        .get("contacts", contact)
        .map(|contact| &contact["customFields"]);
    let number = fields.and_then(|fields| fields.get("number").or(fields.get("telefon_prodejny")));
    number.map_or(json!("anonymous"), |number| number[0].clone())
}

/// As a telephone exchange counts: seconds since 1970, a dot, a running number.
pub(super) fn id_call(at: jiff::civil::DateTime, number: usize) -> String {
    let epoch = jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0);
    format!("{}.{number:08}", at.duration_since(epoch).as_secs())
}
