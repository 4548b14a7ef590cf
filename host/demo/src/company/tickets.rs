//! Tickets and the comments on them, and at the end everything about a ticket that follows from its activities.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{
    Company, Talk,
    clock::{self, after, moment, now},
    id, json_file, pick, roll,
};
use crate::{
    filter::{Node, Operator},
    quirks::Quirks,
    schema::model,
    store::{Reader, Record},
    value,
};

const TICKETS: usize = 240;
const FIRST: usize = 787_001;
/// Of the generated ones, every such was merged into the one before it.
const MERGED_EVERY: usize = 31;
const HOUR: i64 = 3600;

/// Adds the tickets; the generated ones come back as conversations that are still to be held.
pub(super) fn add(company: &mut Company) -> Vec<Talk> {
    company.add_all(
        "tickets",
        json_file("tickets.json", include_str!("../../data/tickets.json")),
    );
    let talks: Vec<Talk> = (0..TICKETS).map(|number| talk(company, number)).collect();
    for talk in &talks {
        ticket(company, talk);
    }
    comments(company, &talks);
    talks
}

fn talk(company: &Company, number: usize) -> Talk {
    let topic = pick(company.topics, "topic", number);
    let contacts = company.store.rows("contacts");
    let contact = &contacts[7 + roll("contact", number, contacts.len() - 7)];
    Talk {
        number,
        ticket: json!(FIRST + number),
        title: topic["subject"].as_str().unwrap_or_default().to_owned(),
        contact: contact["name"].clone(),
        user: json!(pick(team(topic), "user", number)),
        at: moment(number, TICKETS),
        topic,
        bike: company.word("bikes", "bike", number),
    }
}

/// Who deals with a topic.
pub(super) fn team(topic: &Value) -> &'static [&'static str] {
    let local = matches!(topic["lang"].as_str(), Some("cs"));
    match topic["category"].as_str() {
        Some("technicka_podpora") => &["eva.dvorakova", "ondrej.riha", "katerina.ctvrtlikova"],
        Some("velkoobchod" | "objednavky") => &[
            "tomas.novak",
            "zofia.wisniewska",
            "marta@stoupak.example",
            "oliver.smith",
        ],
        Some("servis" | "reklamace_ramu") => &["jan.novak", "martin.hora"],
        Some("fakturace") => &["alena.vesela"],
        _ if local => &[
            "jan.novak",
            "simona.beranova",
            "beran",
            "lucie.kralova",
            "dusan.zeleznik",
        ],
        _ => &["anke.bauer", "oliver.smith"],
    }
}

fn ticket(company: &mut Company, talk: &Talk) {
    let number = talk.number;
    let age_days = now().duration_since(talk.at).as_hours() / 24;
    let stage = match (age_days, roll("stage", number, 10)) {
        (60.., 0..9) => "ARCHIVE",
        (10.., 0..7) => "CLOSE",
        (_, 7) => "WAIT",
        (_, 0..2) => "CLOSE",
        _ => "OPEN",
    };
    let merged = number % MERGED_EVERY == MERGED_EVERY - 1;
    let closed = matches!(stage, "CLOSE" | "ARCHIVE") || merged;
    let end = after(talk.at, HOUR * (20 + roll("solution", number, 60) as i64)).min(after(now(), -HOUR / 4));
    let assigned = stage != "OPEN" || roll("assigned", number, 5) > 0;
    let statuses: &[&str] = match (stage, roll("status", number, 4)) {
        ("CLOSE" | "ARCHIVE", 0..3) => &["status_vyreseno"],
        ("CLOSE" | "ARCHIVE", _) => &["status_bez_odpovedi"],
        ("OPEN", 0) => &["status_ceka_na_dil"],
        ("OPEN", 1) => &["status_predano_servisu", "status_ceka_na_dil"],
        _ => &[],
    };
    let fields = match talk.topic["category"].as_str() {
        Some("reklamace") => {
            json!({"cislo_ramu": [format!("STP-700-26-{number:06}")], "datum_nakupu": ["2026-05-14"], "v_zaruce": ["1"]})
        }
        Some("objednavky") => {
            json!({"cislo_objednavky": [format!("2026-{}", 40_000 + number * 13)], "doprava": ["kuryr"]})
        }
        Some("velkoobchod") => json!({"temata": ["cenik"]}),
        _ => json!({}),
    };
    let title = if number.is_multiple_of(9) {
        format!("{} – {}", talk.title, talk.bike)
    } else {
        talk.title.clone()
    };
    let description = talk.topic["ask"][1]
        .as_str()
        .unwrap_or_default()
        .replace("{bike}", talk.bike);
    company.store.add(
        "tickets",
        json!({
            "name": talk.ticket,
            "title": title,
            "id_merge": if merged { json!(FIRST + number - 1) } else { Value::Null },
            "category": talk.topic["category"],
            "user": if assigned { talk.user.clone() } else { Value::Null },
            "contact": talk.contact,
            "parentTicket": if number % 40 == 12 { json!(FIRST + number - 2) } else { Value::Null },
            "isParent": number % 40 == 10,
            "description": if number.is_multiple_of(3) { description } else { String::new() },
            "stage": if merged { "CLOSE" } else { stage },
            "priority": (["LOW", "MEDIUM", "MEDIUM", "HIGH"][roll("priority", number, 4)]),
            "statuses": statuses,
            "reopen": if stage == "WAIT" { json!(clock::text(after(now(), HOUR * (15 + number as i64 % 90)))) } else { Value::Null },
            "created": clock::text(talk.at),
            "created_by": if number.is_multiple_of(5) { talk.user.clone() } else { Value::Null },
            "closed": if closed { json!(clock::text(end)) } else { Value::Null },
            "customFields": fields,
        }),
    );
}

fn comments(company: &mut Company, talks: &[Talk]) {
    for talk in talks.iter().filter(|talk| talk.number % 3 == 1) {
        let at = clock::text(after(talk.at, HOUR * 2 + 600).min(after(now(), -300)));
        let author = if talk.number % 2 == 0 {
            "lucie.kralova"
        } else {
            "jan.novak"
        };
        comment(
            company,
            &talk.ticket,
            author,
            &at,
            json!(company.word("notes", "note", talk.number)),
            &json!([]),
            None,
        );
    }
    let photos = json!([
        ["prasklina-1.jpg", "image/jpeg", 482_113],
        ["posudek.pdf", "application/pdf", 88_120]
    ]);
    let written = json!("<p>Fotky od zákaznice, prosím o posudek do pátku.</p><p>Volala už <b>třikrát</b>.</p>");
    comment(
        company,
        &json!(787_256),
        "jan.novak",
        "2026-11-18 14:05:00",
        written,
        &photos,
        Some("activities_komentar_fotky"),
    );
    let closing = json!("Náhradní nabíječky dorazí 24. 11., do té doby nic neslibovat.");
    comment(
        company,
        &json!(787_251),
        "martin.hora",
        "2026-11-19 08:30:00",
        closing,
        &json!([]),
        None,
    );
}

fn comment(
    company: &mut Company,
    ticket: &Value,
    author: &str,
    at: &str,
    text: Value,
    files: &Value,
    name: Option<&str>,
) {
    let attachments = company.attach("activitiesAttachments", files, &json!(at));
    let name = name.map_or_else(|| id("activities", format!("comment {ticket} {at}")), str::to_owned);
    let title = company
        .store
        .get("tickets", ticket)
        .map_or(Value::Null, |row| row["title"].clone());
    company.activity(
        "",
        Value::Null,
        json!({
            "name": name, "ticket": ticket, "title": title, "user": author, "created_by": author, "description": text,
            "time": at, "time_open": at, "time_close": at, "attachments": attachments,
        }),
    );
}

/// What is written for a partner to read has a type of its own; an empty type stays within the company.
pub(super) fn external_comment(company: &mut Company) {
    let at = "2026-11-18 10:15:00";
    company.activity(
        "COMMENT",
        Value::Null,
        json!({
            "name": "activities_externi_komentar", "ticket": 787_257, "title": "Leasing 40 kol pro úřad", "user": "tomas.novak",
            "created_by": "tomas.novak", "description": "Prosíme o počet kol velikosti S, nabídku pošleme v pondělí.",
            "time": at, "time_open": at, "time_close": at,
        }),
    );
}

/// A ticket as its activities left it.
#[derive(Default)]
struct Course {
    count: u64,
    last: Option<String>,
    client: Option<String>,
    operator: Option<String>,
    first_answer: Option<String>,
    files: bool,
}

pub(super) fn finish(company: &mut Company) {
    let mut courses: HashMap<String, Course> = HashMap::new();
    for activity in company.store.rows("activities") {
        let Some(time) = activity["time"].as_str().filter(|_| !activity["ticket"].is_null()) else {
            continue;
        };
        let course = courses.entry(activity["ticket"].to_string()).or_default();
        let item = crate::store::channel(activity).and_then(|channel| company.store.get(channel, &activity["item"]));
        let comes_in = item.is_some_and(|item| item.get("direction").is_none_or(|way| way == "in" || way == "IN"));
        let draft = item.is_some_and(|item| item.get("state").is_some_and(|state| state == "DRAFT"));
        // A mail is answered by another; a call or a chat by whoever took it.
        let taken = |item: &Record| activity["type"] != "EMAIL" && item["answered"] == true;
        let answers = item.is_some_and(|item| !draft && (!comes_in || taken(item)));
        let latest = |known: &mut Option<String>| *known = known.take().max(Some(time.to_owned()));
        course.count += 1;
        latest(&mut course.last);
        if comes_in {
            latest(&mut course.client);
        } else if !draft {
            latest(&mut course.operator);
        }
        if answers && course.first_answer.as_deref().is_none_or(|first| time < first) {
            course.first_answer = Some(time.to_owned());
        }
        let files = item.unwrap_or(activity).get("attachments").and_then(Value::as_array);
        course.files |= files.is_some_and(|files| !files.is_empty());
    }
    for ticket in company.store.rows_mut("tickets") {
        let course = courses.remove(&ticket["name"].to_string()).unwrap_or_default();
        settle(ticket, course);
    }
}

/// Views say how many tickets they show.
pub(super) fn count_views(company: &mut Company) {
    let quirks = Quirks::default();
    let reader = Reader {
        store: &company.store,
        quirks: &quirks,
    };
    let count = |view: &Record| {
        let filter = Node::Leaf {
            field: "_ticketView".to_owned(),
            operator: Operator::Eq,
            values: vec![value::text(&view["name"])],
        };
        let on = model("tickets");
        let filter = filter.with_views(&reader, on).expect("a view that exists");
        let tickets = company.store.rows("tickets").iter();
        tickets.filter(|ticket| filter.matches(&reader, on, ticket)).count()
    };
    let counts: Vec<usize> = company.store.rows("ticketsViews").iter().map(count).collect();
    for (view, count) in company.store.rows_mut("ticketsViews").iter_mut().zip(counts) {
        view.set("count", json!(count));
    }
}

fn settle(ticket: &mut Record, course: Course) {
    let created = ticket["created"].as_str().expect("tickets were created").to_owned();
    let response_hours = if ticket["priority"] == "HIGH" { 4 } else { 8 };
    let deadline = clock::text(after(clock::parse(&created), response_hours * HOUR));
    let last = course.last;
    let closed = ticket["closed"].as_str().map(str::to_owned);
    let edited = [Some(created.clone()), last.clone(), closed.clone()]
        .into_iter()
        .flatten()
        .max();
    if let (Some(first), Some(closed)) = (&course.first_answer, &closed)
        && first > closed
    {
        ticket.set("closed", json!(first));
    }
    let open = closed.is_none();
    let solution = clock::text(after(clock::parse(&created), response_hours * 9 * HOUR));
    let overdue = clock::seconds_between(&solution, crate::NOW).max(0);
    if open && ticket["sla_overdue"] == 0 && ticket["stage"] == "OPEN" {
        ticket.set("sla_overdue", json!(overdue));
    }
    let waits = open && course.client.is_some() && course.client > course.operator;
    let unread = ticket["unread"] == true || (waits && ticket["stage"] == "OPEN");
    let mut set = |name: &str, value: Value| {
        ticket.set(name, value);
    };
    if let Some(first) = &course.first_answer {
        set(
            "first_answer_duration",
            json!(clock::seconds_between(&created, first).max(0)),
        );
        set(
            "first_answer_overdue",
            json!(clock::seconds_between(&deadline, first).max(0)),
        );
    }
    set("first_answer", json!(course.first_answer));
    set("first_answer_deadline", json!(deadline));
    set("sla_deadtime", json!(solution));
    set("sla_close_deadline", json!(solution));
    set("sla_change", json!(created));
    set("edited", json!(edited));
    set("unread", json!(unread));
    set("has_attachment", json!(course.files));
    set("interaction_activity_count", json!(course.count));
    set("last_activity", json!(last));
    set("last_activity_client", json!(course.client));
    set("last_activity_operator", json!(course.operator));
    let editor = ticket["user"].clone();
    ticket.set("edited_by", editor);
}
