//! The company with what few instances have: people with titles and foreign names, numbers of several countries, a call
//! that was transferred, files in messages, and a chat in the hour that occurs twice. Kept apart, so that it does not change
//! the numbers of the company.

use super::Company;
use crate::store::Row;
use serde_json::{Value, json};

pub(super) fn add(company: &mut Company) {
    for (login, title) in [
        ("jurgen.gross", "Jürgen Groß"),
        ("huong.nguyen", "Nguyễn Thị Hương"),
        ("karel.ryba", "Ing. Karel Ry\u{301}ba, Ph.D."),
        ("petr.svoboda", "Petr Svoboda"),
        ("petr.svobodnik", "Petr Svobodník"),
    ] {
        company.store.add(
            "users",
            json!({"name": login, "title": title, "type": "CC", "frontend_version": "react"}),
        );
    }
    for (name, title, number, email) in [
        (
            "contact_cesko",
            "Alena Kolářová",
            "+420 777 123 499",
            "kolarova@posta.example",
        ),
        (
            "contact_slovensko",
            "Ivan Hudák",
            "+421 777 123 456",
            "hudak@posta.example",
        ),
        (
            "contact_madarsko",
            "Kovács Péter",
            "06 1 234 5678",
            "kovacs@posta.example",
        ),
        ("contact_slovinsko", "Marko Kos", "01 234 5678", "k@b.example"),
        ("contact_norsko", "Kari Nilsen", "12345678", "ok@b.example"),
        (
            "contact_pomlcky",
            "Dlouhý Matěj",
            "602\u{2011}123\u{2011}456",
            "dlouhy@posta.example",
        ),
        (
            "contact_linka",
            "Servis U Mostu",
            "tel:+420-605-123-456;ext=12",
            "most@posta.example",
        ),
        (
            "contact_mobil",
            "Matěj Dlouhý ml.",
            "602 123 457 (mobil)",
            "ml@posta.example",
        ),
    ] {
        company.store.add(
            "contacts",
            json!({
                "name": name, "title": title, "lastname": title, "database": "default",
                "created": "2026-11-01 08:00:00", "edited": "2026-11-01 08:00:00",
                "customFields": {"number": [number], "email": [email]},
            }),
        );
    }
    transferred_call(company);
    chats(company);
}

/// Three names of a leg of a call, and what was said: times and words.
type Leg<'a> = (&'a str, &'a str, &'a str, &'a [(Value, &'a str)]);

/// Of a caller who is no contact: the first agent hands over to the second one.
fn transferred_call(company: &mut Company) {
    let id = "1795170000.00000430";
    let legs: [Leg<'_>; 2] = [
        (
            "activities_predany_1",
            "jan.novak",
            "2026-11-20 11:20:00",
            &[
                (json!("customer"), "Dobrý den, volám kvůli faktuře."),
                (json!("operator"), "Přepojím vás na kolegyni."),
            ],
        ),
        (
            "activities_predany_2",
            "eva.dvorakova",
            "2026-11-20 11:21:10",
            &[
                (json!("operator"), "Dvořáková, dobrý den."),
                (json!("customer"), "Chci vrátit peníze."),
                (json!(null), "Jste podvodníci."),
                (json!("client"), "To si vyprošuji."),
            ],
        ),
    ];
    for (name, user, time, segments) in &legs {
        company.store.add(
            "activities",
            json!({
                "name": name, "type": "CALL", "item": id, "title": "00420777111222", "action": "CLOSE", "queue": 1001,
                "user": user, "time": time, "time_open": time, "time_close": time, "duration": 60, "priority": 5,
            }),
        );
        for (number, (kind, text)) in segments.iter().enumerate() {
            let start = number * 7;
            company.store.add(
                "activitiesCallTranscripts",
                json!({
                    "name": format!("transcript_{name}_{number}"), "activity": name, "start": start, "end": start + 5,
                    "text": text, "type": kind,
                }),
            );
        }
    }
    company.store.add(
        "activitiesCall",
        json!({
            "id_call": id, "call_time": "2026-11-20 11:20:00", "direction": "in", "answered": true, "id_queue": 1001,
            "id_agent": "jan.novak", "clid": "00420777111222", "did": "00420999100100", "waiting_time": 5,
            "ringing_time": 4, "hold_time": 0, "duration": 130, "disposition_cause": "transfer",
            "activities": legs.map(|(name, ..)| name),
        }),
    );
}

fn chats(company: &mut Company) {
    let file = json!([{"file": 9001, "title": "rám.jpg", "type": "image/jpeg", "size": 48211, "inline": "0"}]);
    let none = json!([]);
    chat(
        company,
        "activitiesWeb",
        json!({"name": "web_noc", "title": "Noční dotaz", "time": "2026-10-25 02:57:30", "email": "noc@posta.example",
               "phone": "+420 777 111 222"}),
        &[
            ("2026-10-25 02:58:00", "IN", "Je otevřeno?", &none),
            ("2026-10-25 02:59:30", "IN", "Haló?", &none),
            ("2026-10-25 02:00:10", "OUT", "Ano, do šesti.", &none),
        ],
    );
    chat(
        company,
        "activitiesSms",
        json!({"name": "sms_foto", "title": "Fotka rámu", "time": "2026-11-01 09:00:00", "sender": "00420777111222",
               "direction": "IN"}),
        &[
            ("2026-11-01 09:00:00", "IN", "", &file),
            ("2026-11-01 09:01:00", "IN", "Viz foto", &file),
        ],
    );
}

fn chat(company: &mut Company, model: &'static str, row: Value, messages: &[(&str, &str, &str, &Value)]) {
    let name = row["name"].as_str().expect("a chat has a name").to_owned();
    let mut row: Row = super::object(row);
    row.insert("answered".into(), json!(true));
    row.insert("user".into(), json!("jan.novak"));
    company.store.add(model, Value::Object(row));
    for (number, (time, direction, text, files)) in messages.iter().enumerate() {
        company.store.add(
            crate::schema::model(&format!("{model}Messages")).name,
            json!({
                "name": format!("message_{name}_{number}"), "interaction": name, "direction": direction, "text": text,
                "user": if *direction == "OUT" { json!("jan.novak") } else { Value::Null }, "time_created": time,
                "attachments": files,
            }),
        );
    }
}
