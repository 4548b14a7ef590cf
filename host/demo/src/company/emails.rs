//! E-mails: the hand-written ones, whose bodies are as messy as real ones, and plain exchanges about the other tickets.

use jiff::civil::DateTime;
use serde_json::{Value, json};

use super::{
    Channel, Company, Talk,
    clock::{self, after, now},
    id, json_file, object, roll,
};
use crate::store::Row;

/// One word of the hostile e-mail: longer than any line should be.
const LONG_WORD: usize = 20_000;

pub(super) fn add(company: &mut Company, talks: &[Talk]) {
    for written in json_file("emails.json", include_str!("../../data/emails.json"))
        .as_array()
        .into_iter()
        .flatten()
    {
        let mut row = object(super::joined(written.clone()));
        let text = row["text"]
            .as_str()
            .unwrap_or_default()
            .replace("{long}", &"Nejneobhospodařovávatelnější".repeat(LONG_WORD / 28));
        row.insert("text".into(), json!(text));
        email(company, row);
    }
    for talk in talks {
        match talk.channel() {
            Channel::Email => exchange(company, talk),
            // Some talks on the phone end with a confirmation in writing.
            Channel::Call if talk.number.is_multiple_of(3) => answer(company, talk, after(talk.at, 1800)),
            _ => {}
        }
    }
}

fn exchange(company: &mut Company, talk: &Talk) {
    let answered_at = after(talk.at, 900 + roll("answer", talk.number, 18_000) as i64);
    let answered = answered_at < now() && roll("answered", talk.number, 8) > 0;
    let files = match talk.topic["category"].as_str() {
        Some("reklamace" | "reklamace_ramu") => json!([
            ["doklad.pdf", "application/pdf", 44_000 + talk.number],
            ["foto.jpg", "image/jpeg", 910_000 + talk.number * 7]
        ]),
        _ => json!([]),
    };
    email(
        company,
        object(json!({
            "name": id("emails", talk.number), "ticket": talk.ticket, "direction": "in", "title": talk.title,
            "contact": talk.contact, "address": address(company, talk), "queue": queue(talk.topic), "time": clock::text(talk.at),
            "text": body(talk.topic, talk.bike, "ask"), "answered": answered, "files": files,
            "wait_time": if answered { json!(answered_at.duration_since(talk.at).as_secs()) } else { Value::Null },
        })),
    );
    if answered {
        answer(company, talk, answered_at);
    }
    let thanks_at = after(answered_at, 3600 * 3);
    if answered && thanks_at < now() && roll("thanks", talk.number, 3) == 0 {
        email(
            company,
            object(json!({
                "name": id("emails", format!("thanks {}", talk.number)), "ticket": talk.ticket, "direction": "in",
                "title": format!("Re: {}", talk.title), "contact": talk.contact, "address": address(company, talk),
                "queue": queue(talk.topic), "time": clock::text(thanks_at), "text": thanks(talk.topic), "answered": false,
            })),
        );
    }
}

fn answer(company: &mut Company, talk: &Talk, at: DateTime) {
    let at = at.min(after(now(), -120));
    email(
        company,
        object(json!({
            "name": id("emails", format!("answer {}", talk.number)), "ticket": talk.ticket, "direction": "out",
            "title": format!("Re: {} #{}", talk.title, talk.ticket), "contact": talk.contact, "address": address(company, talk),
            "queue": queue(talk.topic), "user": talk.user, "time": clock::text(at), "text": body(talk.topic, talk.bike, "answer"), "state": "SENT",
            "duration": 60 + roll("writing", talk.number, 500),
        })),
    );
}

/// An e-mail with its activity, its headers and its files.
fn email(company: &mut Company, mut row: Row) {
    let mut take = |name: &str| row.remove(name).unwrap_or(Value::Null);
    let (ticket, files, auto) = (take("ticket"), take("files"), take("auto"));
    let field = |name: &str| row.get(name).cloned().unwrap_or(Value::Null);
    let out = field("direction") == "out";
    let number = field("name");
    let mut headers = headers(
        company,
        &number,
        &field("queue"),
        &field("address"),
        out,
        &field("time"),
        &field("title"),
        &ticket,
    );
    if !auto.is_null() {
        headers["auto-submitted"] = auto;
    }
    let attachments = company.attach("activitiesEmailFiles", &files, &field("time"));
    let activity = company.activity(
        "EMAIL",
        number.clone(),
        json!({
            "ticket": ticket, "title": field("title"), "queue": field("queue"), "user": field("user"), "contact": field("contact"),
            "time": field("time"), "time_close": field("time"), "duration": field("duration").as_i64().unwrap_or(0),
            "action": if field("state") == "DRAFT" { "OPEN" } else { "CLOSE" },
            "options": {"item": {"name": number, "model": "activitiesEmail"}},
        }),
    );
    row.insert("options".into(), json!({"headers": headers}));
    row.insert("attachments".into(), attachments);
    row.insert("activities".into(), json!([activity]));
    company.store.add("activitiesEmail", Value::Object(row));
}

/// As the instance keeps them with an e-mail.
#[expect(clippy::too_many_arguments, reason = "a mail has these headers")]
pub(super) fn headers(
    company: &Company,
    name: &Value,
    queue: &Value,
    address: &Value,
    out: bool,
    time: &Value,
    title: &Value,
    ticket: &Value,
) -> Value {
    let (ours, theirs) = (mailbox(company, queue), person(address));
    let (from, to) = if out { (ours, theirs) } else { (theirs, ours) };
    let mut headers = json!({
        "cc": if out { json!([]) } else { json!("") }, "to": to, "date": time, "from": from,
        "subject": title, "ticket": if ticket.is_null() { json!("") } else { json!(ticket.to_string()) },
        "reply-to": [], "message-id": format!("<{}@mail.example>", name.as_str().unwrap_or_default()), "references": "",
        "return-path": "", "auto-submitted": false,
    });
    if out {
        headers["bcc"] = json!([]);
    }
    headers
}

fn mailbox(company: &Company, queue: &Value) -> Value {
    let title = company
        .store
        .get("queues", queue)
        .map_or(Value::Null, |queue| queue["title"].clone());
    json!([{"address": title, "display": "Stoupák", "is_group": false}])
}

fn person(address: &Value) -> Value {
    if address.is_null() {
        json!([])
    } else {
        json!([{"address": address, "display": "", "is_group": false}])
    }
}

pub(super) fn queue(topic: &Value) -> u32 {
    match topic["category"].as_str() {
        Some("velkoobchod") => 3003,
        Some("objednavky" | "fakturace") => 3002,
        _ => 3001,
    }
}

fn address(company: &Company, talk: &Talk) -> Value {
    let fields = company
        .store
        .get("contacts", &talk.contact)
        .map(|contact| &contact["customFields"]);
    let address = fields.and_then(|fields| fields.get("email").or(fields.get("e_mail_prodejny")));
    address.map_or(Value::Null, |address| address[0].clone())
}

pub(super) fn body(topic: &Value, bike: &str, which: &str) -> String {
    let paragraphs = topic[which].as_array().into_iter().flatten().filter_map(Value::as_str);
    let text: String = paragraphs
        .map(|line| format!("<p>{}</p>\n", line.replace("{bike}", bike)))
        .collect();
    match which {
        "answer" => text + "<p>--<br>Stoupák s.r.o. | Na Kopci 7, 602 00 Brno | +420 999 100 200</p>",
        _ => text,
    }
}

pub(super) fn thanks(topic: &Value) -> String {
    let (text, wrote) = match topic["lang"].as_str() {
        Some("en") => ("Thank you, that worked.", "wrote:"),
        Some("de") => ("Vielen Dank, das hat geholfen.", "schrieb:"),
        Some("pl") => ("Dziękuję, pomogło.", "pisze:"),
        Some("sk") => ("Ďakujem, pomohlo.", "napísal(a):"),
        _ => ("Děkuji, pomohlo to.", "napsal(a):"),
    };
    let quoted = topic["answer"][1].as_str().unwrap_or_default();
    format!(
        "<div>{text}</div><br><div class=\"gmail_quote\">Stoupák &lt;podpora@stoupak.example&gt; {wrote}<blockquote>{quoted}</blockquote></div>"
    )
}
