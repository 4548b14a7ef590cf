//! Chats on the web, by SMS and in four networks, with their messages.

use serde_json::{Value, json};

use super::{
    Channel, Company, Talk,
    clock::{self, after, moment, now},
    id, json_file, object, pick, roll,
};
use crate::store::{Record, Row};

/// Chats of each channel that are made here, besides the hand-written ones.
const EACH: usize = 21;

/// Type of activity, model, prefix of names, queue, connector.
const KINDS: [(&str, &str, &str, u32, &str); 6] = [
    ("CHAT", "activitiesWeb", "web", 4001, "connector_web"),
    ("SMS", "activitiesSms", "sms", 4101, "connector_sms"),
    ("FBM", "activitiesFbm", "fbm", 4201, "connector_fbm"),
    ("IGDM", "activitiesIgdm", "igdm", 4301, "connector_igdm"),
    ("WAP", "activitiesWap", "wap", 4401, "connector_wap"),
    ("VBR", "activitiesVbr", "vbr", 4501, "connector_vbr"),
];

pub(super) fn add(company: &mut Company, talks: &[Talk]) {
    for written in json_file("chats.json", include_str!("../../data/chats.json"))
        .as_array()
        .into_iter()
        .flatten()
    {
        let kind = KINDS
            .iter()
            .position(|(kind, ..)| written["kind"] == *kind)
            .expect("a known kind of chat");
        let mut row = object(written.clone());
        row.remove("kind");
        chat(company, kind, row);
    }
    let mut of_tickets = talks.iter().filter(|talk| talk.channel() == Channel::Chat);
    for number in 0..EACH * KINDS.len() {
        // A third of the chats became tickets.
        let talk = if number % 3 == 0 { of_tickets.next() } else { None };
        made(company, number, talk);
    }
}

fn made(company: &mut Company, number: usize, talk: Option<&Talk>) {
    let kind = number % KINDS.len();
    let at = talk.map_or_else(|| moment(number, EACH * KINDS.len()), |talk| talk.at);
    let topic = talk.map_or_else(|| pick(company.topics, "chat topic", number), |talk| talk.topic);
    let contacts = company.store.rows("contacts");
    let contact = talk.map_or_else(
        || contacts[7 + number].clone(),
        |talk| {
            company
                .store
                .get("contacts", &talk.contact)
                .expect("talks have contacts")
                .clone()
        },
    );
    let missed = roll("missed chat", number, 5) == 0;
    let team = ["anke.bauer", "simona.beranova", "dusan.zeleznik", "oliver.smith"];
    let mut row = object(json!({
        "contact": contact["name"], "time": clock::text(at), "answered": !missed,
        "ticket": talk.map_or(Value::Null, |talk| talk.ticket.clone()),
        "user": if missed { Value::Null } else { json!(pick(&team, "chat agent", number)) },
        "missed": (match (missed, number % 2) { (true, _) => "YES", (false, 0) => "NO", _ => "" }),
        "missed_time": if missed { json!(clock::text(after(at, 300))) } else { Value::Null },
        "wait_time": roll("chat wait", number, 120), "duration": if missed { 0 } else { 90 + roll("chat length", number, 900) },
        "disconnection": (if missed { "TIMEOUT" } else { ["CLIENT", "USER"][number % 2] }),
    }));
    let talk = topic["talk"].as_array().into_iter().flatten().enumerate();
    let mut messages: Vec<Value> = talk
        .map(|(at, line)| json!([if at % 2 == 0 { "IN" } else { "OUT" }, line]))
        .collect();
    if missed {
        messages.retain(|message| message[0] == "IN");
        messages.truncate(2);
    } else if number % 4 == 1 {
        messages.insert(1, json!(["OUT", "Zákazník už psal minulý týden.", "PRIVATE"]));
    }
    if !missed && number % 5 == 2 {
        messages.insert(
            0,
            json!([
                "BOT",
                "Dobrý den, tady Štěpán, AI spolupracovník. Hned vás spojím s kolegou."
            ]),
        );
    }
    row.insert("messages".into(), Value::Array(messages));
    let (title, email) = (&contact["title"], address(&contact));
    of(
        company,
        kind,
        number,
        Value::Object(row),
        title,
        &email,
        number % 10 == 4,
    );
}

/// The chat `number` of a kind, by its place in [`KINDS`], with somebody who is called `title`.
pub(super) fn of(
    company: &mut Company,
    kind: usize,
    number: usize,
    row: Value,
    title: &Value,
    email: &Value,
    out: bool,
) {
    let (_, model, prefix, ..) = KINDS[kind];
    let mut row = object(row);
    row.insert("name".into(), json!(id(prefix, number)));
    if model == "activitiesWeb" {
        row.extend(object(
            json!({"title": title, "email": email, "context": {"page": "/kola/hreben-700"}}),
        ));
    } else {
        row.insert("direction".into(), json!(if out { "OUT" } else { "IN" }));
        row.insert("sender".into(), json!(format!("{prefix}-{}", 880_000 + number)));
        if model != "activitiesSms" {
            row.insert("title".into(), title.clone());
        }
        if model == "activitiesIgdm" {
            row.insert("type".into(), json!(["DM", "STORY_REPLY", "DM"][number % 3]));
        }
    }
    chat(company, kind, row);
}

/// A chat with its activity, the customer's account in the network, and the messages.
fn chat(company: &mut Company, kind: usize, mut row: Row) {
    let (kind, model, prefix, queue, connector) = KINDS[kind];
    let ticket = row.remove("ticket").unwrap_or(Value::Null);
    let messages = row.remove("messages").unwrap_or(Value::Null);
    let field = |name: &str| row.get(name).cloned().unwrap_or(Value::Null);
    let start = clock::parse(field("time").as_str().expect("chats have a time"));
    let answered = field("answered") == true;
    // Nobody took it, and it is too early to give up.
    let waiting = !answered && start > after(now(), -86_400);
    let activity = company.activity(
        kind,
        field("name"),
        json!({
            "ticket": ticket, "title": if field("title").is_null() { field("sender") } else { field("title") },
            "queue": queue, "user": field("user"), "contact": field("contact"), "time": field("time"),
            "action": (if waiting { "WAIT" } else { "CLOSE" }),
            "time_open": if answered { field("time") } else { Value::Null },
            "time_close": if waiting { Value::Null } else { json!(clock::text(after(start, field("duration").as_i64().unwrap_or(0)))) },
            "duration": field("duration").as_i64().unwrap_or(0), "priority": 3,
        }),
    );
    let (name, user) = (field("name"), field("user"));
    if matches!(kind, "FBM" | "IGDM" | "WAP" | "VBR") {
        let external = format!("{prefix}_{}", field("sender").as_str().unwrap_or_default());
        if company.store.get("externalContacts", &json!(external)).is_none() {
            let number = if kind == "WAP" { field("sender") } else { Value::Null };
            company.store.add(
                "externalContacts",
                json!({"id": external, "full_name": field("title"), "crm_contact": field("contact"), "connector": 7, "number": number}),
            );
        }
        row.insert("external_contact".into(), json!(external));
    }
    row.extend(object(
        json!({"queue": queue, "connector": connector, "activities": [activity]}),
    ));
    company.store.add(model, Value::Object(row));
    for (number, message) in messages.as_array().into_iter().flatten().enumerate() {
        let direction = message[0].as_str().unwrap_or_default();
        company.store.add(
            crate::schema::model(&format!("{model}Messages")).name,
            json!({
                "name": id("message", format!("{name} {number}")), "interaction": name, "direction": direction,
                "text": message[1], "type": message[2].as_str().unwrap_or("PUBLIC"),
                "user": if direction == "OUT" { user.clone() } else { Value::Null },
                "from": if direction == "BOT" { json!("COWORKERS") } else { Value::Null },
                "time_created": clock::text(after(start, 20 + 47 * number as i64).min(now())),
            }),
        );
    }
}

fn address(contact: &Record) -> Value {
    let fields = &contact["customFields"];
    fields
        .get("email")
        .or(fields.get("e_mail_prodejny"))
        .map_or(Value::Null, |list| list[0].clone())
}
